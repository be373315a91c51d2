package experiments

import (
	"slices"
	"strconv"
	"strings"
)

var trialColumns = []string{"set", "model", "split", "trial", "seed", "n_train", "n_test", "accuracy", "macro_f1", "params", "protocol", "split_name", "balanced_accuracy", "part", "control"}

// featureFiles are the files that a study of feature tables has beside the tables: trials.csv, comparisons.csv,
// importances.csv and confusion_SET.csv.
func (r *Run) featureFiles(files map[string][]byte) {
	if len(r.Manifest.Settings.Sets) == 0 {
		return
	}
	folds := r.featureFolds(r.Summary())
	files["trials.csv"] = r.trialsCSV()
	files["comparisons.csv"] = comparisonsCSV(r.comparisons(folds))
	files["importances.csv"] = meanImportancesCSV(folds)
	for _, set := range r.setNames() {
		if g, ok := bestOf(folds, set); ok {
			files["confusion_"+fileName(set)+".csv"] = confusionCSV(g)
		}
	}
}

// trialsCSV has one row for each split of each classical model; trial counts the splits of one kind from 1.
func (r *Run) trialsCSV() []byte {
	count := map[string]int{}
	return writeCSV(trialColumns, func(add func(...string)) {
		for _, c := range r.Cells {
			if !c.OK() || c.kind() != classicModel {
				continue
			}
			s := c.Settings
			s.Split = ""
			key := settingsKey(s)
			count[key]++
			var params []string
			for _, name := range sortedKeys(c.Chosen) {
				params = append(params, name+"="+c.Chosen[name])
			}
			add(c.Representation, c.Net, c.SplitSpec, integer(count[key]), strconv.FormatUint(c.Seed, 10), integer(c.NTrain), integer(c.NTest), number(c.Accuracy), number(c.MacroF1),
				strings.Join(params, ";"), c.Protocol, c.Split, number(c.balanced()), c.Part, c.Control)
		}
	})
}

// bestOf is the model with the highest mean on a set, in the first protocol and kind of split (EC-42).
func bestOf(folds []featureFold, set string) (Group, bool) {
	for _, f := range folds {
		if best := f.best(set); len(best) > 0 {
			return best[0], true
		}
	}
	return Group{}, false
}

// confusionCSV is a matrix averaged over the splits: a row for each true class, columns predicted.
func confusionCSV(g Group) []byte {
	return writeCSV(slices.Concat([]string{"true"}, g.Classes), func(add func(...string)) {
		for i, row := range g.confusion() {
			f := []string{g.Classes[i]}
			for _, v := range row {
				f = append(f, number(v))
			}
			add(f...)
		}
	})
}
