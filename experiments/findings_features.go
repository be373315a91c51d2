package experiments

import (
	"fmt"
	"slices"
	"strings"
)

// howToReadFeatures is for reports with classical models.
var howToReadFeatures = []string{
	"Classical models see one row of features for each capture, standardized by the rows that a model is fitted on. Their settings are searched on folds inside the training captures; test captures are asked once. A forest with no search has the library's settings: it compares features, not models.",
	"Random splits put captures of the same command, recorded minutes apart, on both sides. Splits that hold whole commands or occasions apart show what an eavesdropper would reach who has never seen that command or that day. Read the two side by side.",
}

var edgeWords = map[string]string{EdgesDataset: "the whole data set, test captures included (a leak that the study declares)", EdgesTrain: "the training captures"}

func (r *Run) modelFact() string {
	s := r.Manifest.Settings
	if len(s.Sets) == 0 {
		return ""
	}
	var titles []string
	for _, m := range s.Models {
		titles = append(titles, netTitle(m))
	}
	return fmt.Sprintf("%s; %d trees in a forest; settings searched on stratified %d-fold splits of the training captures", strings.Join(titles, ", "), s.Trees, innerFolds)
}

func (r *Run) networkFact() string {
	s := r.Manifest.Settings
	if len(s.Nets) == 0 || len(s.StepsUS) == 0 && s.Order == 0 {
		return ""
	}
	out := strings.Join(s.Nets, ", ") + ", profile " + s.Profile
	if s.NetTrials > 0 {
		out += fmt.Sprintf(", on the first %d splits of each kind", s.NetTrials)
	}
	return out
}

// featureFindings say what the tables of classical models show.
func (r *Run) featureFindings() (out []finding) {
	folds := r.featureFolds(r.Summary())
	guess := 1 / float64(len(r.Manifest.Settings.Classes))
	first := map[string]Group{} // the best of each protocol's first kind of split
	for _, f := range folds {
		best := f.best("")
		if len(best) == 0 {
			continue
		}
		top := best[0]
		v := finding{About: fmt.Sprintf("Classical models, protocol %s, %s", f.protocol, specTitle(f.split))}
		s := fmt.Sprintf("The highest mean is that of %s on %s: %s.", netTitle(top.Net), setTitle(top.Representation), top.words())
		for _, g := range f.controls {
			switch g.Control {
			case ControlMajority:
				s += fmt.Sprintf(" The constant answer reaches %s %%, guessing %s %%.", fixed(100*g.Mean, 1), fixed(100*guess, 1))
				if top.CILow <= g.Mean {
					s += " That lies within the interval: nothing here shows more than the most frequent class."
				}
			case ControlTotals:
				s += fmt.Sprintf(" Bytes and packets alone, under a linear rule, reach %s %%.", fixed(100*g.Mean, 1))
			}
		}
		v.add("%s", s)
		if was, ok := first[f.protocol]; !ok {
			first[f.protocol] = top
		} else if now, ok := f.find("", was.Representation, was.Net, ""); ok {
			v.add("The best model of %s splits, %s on %s, had %s %% there and has %s %% here.", specTitle(was.SplitSpec), netTitle(was.Net), setTitle(was.Representation),
				fixed(100*was.Mean, 1), fixed(100*now.Mean, 1))
		}
		var parts []string
		for _, set := range []string{"windows", "amounts", "sizes", "times"} {
			if g, ok := f.find(PartAblation, set, "", ""); ok {
				parts = append(parts, fmt.Sprintf("%s %s %%", setTitle(set), fixed(100*g.Mean, 1)))
			}
		}
		if len(parts) > 0 {
			v.add("A forest on some of the features: %s.", strings.Join(parts, ", "))
		}
		for _, set := range r.setNames() {
			if g, ok := f.find("", set, "", ControlPermuted); ok && g.P < 0.01 && !g.constant() && g.Mean > r.constantShare(f) {
				v.add("Trained on permuted labels, %s still reaches %s on %s: something other than the label leaks, and the other numbers are not to be trusted.", netTitle(g.Net), g.words(), setTitle(set))
			}
		}
		out = append(out, v)
	}
	return out
}

// constantShare is the accuracy of the constant answer: what permuted labels may reach where classes are uneven.
func (r *Run) constantShare(f featureFold) float64 {
	i := slices.IndexFunc(f.controls, func(g Group) bool { return g.Control == ControlMajority })
	if i < 0 {
		return 1
	}
	return f.controls[i].Mean
}
