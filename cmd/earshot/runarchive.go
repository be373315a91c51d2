package main

import (
	"github.com/spf13/cobra"

	"earshot/experiments"
)

// archive applies the flags of the study of an archive, and refuses those that have no meaning there or elsewhere.
func (f *studyFlags) archive(cmd *cobra.Command, s experiments.Study) (experiments.Study, error) {
	set := cmd.Flags().Changed
	if s.Archive == nil {
		for _, name := range []string{"datasets", "runs"} {
			if set(name) {
				return s, usagef("--%s: for the study archive", name)
			}
		}
		return s, nil
	}
	for _, name := range []string{"label", "classes", "monitored", "steps", "duration", "direction", "size", "loss", "points", "splits", "order", "bayes", "full", "collapse"} {
		if set(name) {
			return s, usagef("--%s: the study archive takes series, classes and splits as the archive has them", name)
		}
	}
	if set("datasets") {
		a := *s.Archive
		a.Datasets = f.datasets
		s.Archive = &a
	}
	return s, nil
}
