package experiments

import (
	"fmt"
	"slices"
	"strconv"

	"earshot/train/metrics"
)

// manyClasses is the number of classes from which a run is compared with the published work on 100 commands.
const manyClasses = 50

// commandTable puts our best models beside the published work on 100 commands.
func (r *Run) commandTable(folds []featureFold) Table {
	t := Table{Name: "commands", Title: fmt.Sprintf("%d commands: published methods and ours", len(r.Manifest.Settings.Classes)),
		Columns: []Column{{Name: "Method", Left: true}, {Name: "Captures"}, {Name: "Splits", Left: true}, {Name: "Accuracy %"}},
		Notes: []string{"The published numbers are five-fold over 1,000 csv of two capture occasions. Ours are over the captures at hand, which are fewer (the public half is one occasion): the two cannot be compared as if they were one data set.",
			"The repeats of a command were recorded one after the other, and a random split puts neighbors on both sides: random splits are optimistic by construction.", r.view()}}
	if p := r.Manifest.Settings.Published.Requests; p != nil {
		for _, m := range p.Commands {
			t.add(m.Method+" (published)", "1000", "five-fold", percent(m.Accuracy))
		}
	}
	var rows []Row
	for _, f := range folds {
		for _, set := range r.setNames() {
			if best := f.best(set); len(best) > 0 {
				g := best[0]
				rows = append(rows, Row{Fields: []string{fmt.Sprintf("%s on %s (ours, protocol %s)", netTitle(g.Net), setTitle(set), f.protocol), strconv.Itoa(g.Points), specTitle(f.split), percent(g.Mean)}})
			}
		}
		for _, g := range f.controls {
			rows = append(rows, Row{Fields: []string{controlNames[g.Control] + " (ours)", strconv.Itoa(g.Points), specTitle(f.split), percent(g.Mean)}})
		}
		for _, set := range r.setNames() {
			if g, ok := f.find("", set, "", ControlPermuted); ok {
				rows = append(rows, Row{Fields: []string{fmt.Sprintf("%s, %s (ours)", controlNames[g.Control], setTitle(set)), strconv.Itoa(g.Points), specTitle(f.split), percent(g.Mean)}})
			}
		}
	}
	t.rule(rows)
	return t
}

// binTable is Table I (EC-24).
func (r *Run) binTable(f featureFold) Table {
	t := Table{Name: "bins_" + f.name(), Title: fmt.Sprintf("Forest on histograms of B bins, protocol %s, %s", f.protocol, specTitle(f.split)),
		Columns: []Column{{Name: "B"}, {Name: "With ACKs %"}, {Name: "SD"}, {Name: "Without %"}, {Name: "SD without"}, {Name: "p, corrected t"}, {Name: "Study with %"}, {Name: "Study without %"}},
		Notes:   append([]string{fmt.Sprintf("%d trees, no search. ACKs: packets without payload. The p is of the difference with - without, by the corrected resampled t test of pairs of splits.", r.Manifest.Settings.Trees)}, r.featureNotes(f)...)}
	pub := r.Published().Requests
	if pub == nil {
		t.Columns = t.Columns[:6]
	}
	for _, b := range r.binCounts() {
		with, ok := f.find(PartBins, binName(b, true), "", "")
		without, ok2 := f.find(PartBins, binName(b, false), "", "")
		if !ok || !ok2 {
			continue
		}
		p := nan
		if x, y, n := paired(with, without); n > 1 {
			if test, err := metrics.Corrected(x, y, with.NTrain, with.NTest, level); err == nil {
				p = test.P
			}
		}
		row := []string{strconv.Itoa(b), percent(with.Mean), percent(with.SD), percent(without.Mean), percent(without.SD), pvalue(p), "", ""}
		if pub != nil {
			for _, q := range pub.Bins {
				if q.B == b {
					row[6], row[7] = percent(q.WithACKs), percent(q.WithData)
				}
			}
		}
		t.add(row[:len(t.Columns)]...)
	}
	if len(t.Rows) > 0 {
		r.controlRows(&t, f, func(name, mean, sd string) []string {
			return []string{name, mean, sd, "", "", "", "", ""}[:len(t.Columns)]
		})
	}
	return t
}

// controlRows adds what an answer without these features reaches.
func (r *Run) controlRows(t *Table, f featureFold, row func(name, mean, sd string) []string) {
	var rows []Row
	for _, g := range f.controls {
		rows = append(rows, Row{Fields: row(controlNames[g.Control], percent(g.Mean), percent(g.SD))})
	}
	for _, set := range r.setNames() {
		if g, ok := f.find("", set, "", ControlPermuted); ok {
			rows = append(rows, Row{Fields: row(controlNames[g.Control]+", "+setTitle(set), percent(g.Mean), percent(g.SD))})
		}
	}
	t.rule(rows)
}

// binCounts are the numbers of bins of the run, rising.
func (r *Run) binCounts() (bins []int) {
	for _, f := range r.Manifest.Settings.Sets {
		if b, err := strconv.Atoi(f.Set["bins"]); f.Part == PartBins && err == nil && !slices.Contains(bins, b) {
			bins = append(bins, b)
		}
	}
	slices.Sort(bins)
	return bins
}

// ablationTable is EC-61: the same forest on some of the features.
func (r *Run) ablationTable(f featureFold) Table {
	t := Table{Name: "ablations_" + f.name(), Title: fmt.Sprintf("Forest on some of the features, protocol %s, %s", f.protocol, specTitle(f.split)),
		Columns: []Column{{Name: "Features", Left: true}, {Name: "Test points"}, {Name: "Accuracy %"}, {Name: "SD"}, {Name: "95 % low"}, {Name: "95 % high"}, {Name: "p Holm"}, {Name: "Study %"}, {Name: "Study SD", Wide: true}},
		Notes:   append([]string{fmt.Sprintf("%d trees, no search; the study searched its grid. p Holm: against %s, over the rows of this table.", r.Manifest.Settings.Trees, r.level())}, r.featureNotes(f)...)}
	pub := r.Published().Requests
	beside := splitAxis(f.split) == "" && pub != nil
	if !beside {
		t.Columns = t.Columns[:7]
	}
	for _, g := range f.groups {
		if g.Part != PartAblation {
			continue
		}
		row := []string{setTitle(g.Representation), times(g.Repeats, g.NTest), percent(g.Mean), percent(g.SD), percent(max(0, g.CILow)), percent(min(1, g.CIHigh)), pvalue(g.PHolm), "", ""}
		if beside {
			for _, a := range pub.Ablations {
				if a.Set == g.Representation {
					row[7] = percent(a.Mean)
					if a.SD > 0 {
						row[8] = percent(a.SD)
					}
				}
			}
		}
		t.add(row[:len(t.Columns)]...)
	}
	if len(t.Rows) > 0 {
		r.controlRows(&t, f, func(name, mean, sd string) []string {
			return []string{name, "", mean, sd, "", "", "", "", ""}[:len(t.Columns)]
		})
	}
	return t
}
