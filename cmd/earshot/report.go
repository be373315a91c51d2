package main

import (
	"fmt"
	"path/filepath"

	"earshot/experiments"

	"github.com/spf13/cobra"
)

func newReportCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR",
		Short: "Make tables, figures and reports of a run again, from its cells alone",
		Long: `Make cells.csv, summary.csv, tables/, figures/, report.html and report.md of a run folder again, from the cells that it
holds. Nothing is trained and no data set is needed; a run that was stopped gives the report of what is there. The same
cells give the same bytes.

The columns of summary.csv are those of the settings, then repeats, mean, sd (n - 1), median, ci_low, ci_high, p_holm. The
interval of several repeats is the corrected resampled t interval as computed, which may leave 0 to 1; the tables cut
it there. Repeats that are all equal have the exact interval of one. tables/*.tex need \usepackage{booktabs}.`,
		Example: `  earshot report songs`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := experiments.LoadRun(args[0])
			if err != nil {
				return err
			}
			if err := experiments.WriteTables(r); err != nil {
				return err
			}
			if err := experiments.WriteReport(r); err != nil {
				return err
			}
			page := filepath.Join(args[0], "report.html")
			if a.json {
				return a.printJSON(map[string]any{"report": page, "cells": len(r.Cells), "missing": len(r.Missing), "synthetic": r.Synthetic()})
			}
			if n := len(r.Missing); n > 0 {
				fmt.Fprintf(a.stderr, "report: %d of %d cells are missing; run the study again to complete it\n", n, len(r.Manifest.Cells))
			}
			_, err = fmt.Fprintln(a.stdout, page)
			return err
		},
	}
}
