package experiments

import (
	"fmt"
	"slices"
	"strings"

	"earshot/data/features"
)

// FittedOnTest says which statistics of a representation are computed from training and test captures together. sets are
// names of feature sets as in features.New, settings theirs, normalize a choice of train.CheckNormalize; "" for none.
func FittedOnTest(sets string, settings map[string]string, normalize string) (out []string) {
	for _, name := range strings.Split(sets, ",") {
		set, err := features.Lookup(name)
		if err != nil {
			continue // no set, nothing fitted
		}
		for _, s := range set.Settings {
			value := s.Default
			if v, ok := settings[s.Name]; ok {
				value = v
			}
			if s.Name == "edges" && value == "dataset" {
				out = append(out, fmt.Sprintf("features %s: edges=dataset: the histograms' edges are the smallest and the largest value of all captures, those of the test set too; edges=train looks at the training captures alone", name))
			}
		}
	}
	if normalize == "dataset" {
		out = append(out, "normalization dataset: means and deviations are those of all captures, those of the test set too; normalization train looks at the training captures alone")
	}
	return out
}

// fitted is FittedOnTest of every cell on a split.
func fitted(items []item, split string) (out []string) {
	for _, it := range items {
		if it.settings.Split != split {
			continue
		}
		c := it.settings
		sets, settings := "", map[string]string(nil)
		if c.Features != nil {
			sets, settings = c.Features.Sets, c.Features.Set
		}
		for _, f := range FittedOnTest(sets, settings, c.Normalize) {
			if f = "protocol " + c.Protocol + ": " + f; !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}
