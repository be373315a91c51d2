package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// featureFold is what one table of classical models shows: a protocol on one kind of split.
type featureFold struct {
	protocol, split string
	groups          []Group // of classical models
	controls        []Group // that look at no features
}

func (f featureFold) name() string { return f.protocol + "_" + fileName(f.split) }

// find returns the group of a model on a feature set of a part, or of a control.
func (f featureFold) find(part, set, model, control string) (Group, bool) {
	i := slices.IndexFunc(f.groups, func(g Group) bool {
		return g.Part == part && g.Representation == set && (model == "" || g.Net == model) && g.Control == control
	})
	if i < 0 {
		return Group{}, false
	}
	return f.groups[i], true
}

// best are the models of a set of the study's own, the highest mean first.
func (f featureFold) best(set string) []Group {
	var out []Group
	for _, g := range f.groups {
		if g.Part == "" && g.Control == "" && (set == "" || g.Representation == set) {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b Group) int { return cmp.Compare(b.Mean, a.Mean) })
	return out
}

// featureFolds are in the order of the study: protocols, then kinds of split. Groups are those of the largest number of
// captures.
func (r *Run) featureFolds(groups []Group) (out []featureFold) {
	points := slices.Max(append([]int{0}, r.Manifest.Settings.Points...))
	for _, p := range r.Manifest.Settings.Protocols {
		for _, spec := range p.Splits {
			f := featureFold{protocol: p.Name, split: spec}
			for _, g := range groups {
				if g.Protocol != p.Name || g.SplitSpec != spec || g.Points != points {
					continue
				}
				switch g.kind() {
				case classicModel:
					f.groups = append(f.groups, g)
				case plain:
					f.controls = append(f.controls, g)
				}
			}
			if len(f.groups) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

// nan is a number that does not exist: an empty field of a table.
var nan = math.NaN()

// setNames are the names of the study's own feature sets.
func (r *Run) setNames() (names []string) {
	for _, f := range r.Manifest.Settings.Sets {
		if f.Part == "" {
			names = append(names, f.Name)
		}
	}
	return names
}

// featureTables are the tables of classical models, in reading order.
func (r *Run) featureTables(groups []Group) (out []Table) {
	folds := r.featureFolds(groups)
	if len(folds) == 0 {
		return nil
	}
	for _, f := range folds {
		out = append(out, r.modelTable(f))
	}
	out = append(out, r.splitTables(folds)...)
	if len(r.Manifest.Settings.Classes) >= manyClasses {
		out = append(out, r.commandTable(folds))
	}
	for _, f := range folds {
		for _, t := range []Table{r.binTable(f), r.ablationTable(f)} {
			if len(t.Rows) > 0 {
				out = append(out, t)
			}
		}
	}
	out = append(out, r.importanceTables(folds)...)
	for _, t := range []Table{r.chosenTable(folds), r.comparisonTable(folds)} {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// setTitles say in a table what a feature set holds.
var setTitles = map[string]string{
	"windows": "window advertisements only", "amounts": "amount of data only", "sizes": "packet sizes only", "times": "inter-arrival times only",
}

func setTitle(name string) string { return cmp.Or(setTitles[name], name) }

// specTitle says what a kind of split holds apart.
func specTitle(spec string) string {
	switch axis := splitAxis(spec); {
	case spec == "official":
		return "official"
	case spec == "open" || strings.HasPrefix(spec, "open:"):
		return "whole others held out"
	case axis == "query":
		return "whole commands held out"
	case axis == "group":
		return "other occasion"
	case strings.HasPrefix(spec, "time="):
		return "later " + axis
	case axis != "":
		return axis + " held out"
	}
	return "random (" + spec + ")"
}

// view says which kind of captures the numbers come from, in the words of the notes below each table.
func (r *Run) view() string {
	if r.Synthetic() {
		return "Captures: generated connections."
	}
	csv, clock := 0, 0
	var seconds []float64
	for _, c := range r.Captures {
		seconds = append(seconds, float64(c.DurationUS)/1e6)
		if strings.HasSuffix(strings.TrimSuffix(c.Source, ".gz"), ".csv") {
			csv++
		}
		if c.StartUS > 0 {
			clock++
		}
	}
	what := fmt.Sprintf("%d captures of median %s s", len(r.Captures), fixed(median(seconds), 1))
	switch {
	case csv == len(r.Captures):
		return "Captures: csv of times, sizes and directions, without TCP headers; " + what + "."
	case csv > 0:
		return "Captures: partly csv without TCP headers; " + what + "."
	case clock == 0:
		return "Captures: cut-out requests whose clock was removed (they start at time 0); " + what + "."
	}
	return "Captures: recordings with their clock; " + what + "."
}

// noteView says below every table of a study of features which captures it is from.
func (r *Run) noteView(list []Table) {
	if len(r.Manifest.Settings.Sets) == 0 {
		return
	}
	view := r.view()
	for i := range list {
		t := &list[i]
		if !strings.HasPrefix(t.Name, "published") && !slices.ContainsFunc(t.Notes, func(n string) bool { return strings.Contains(n, view) }) {
			t.Notes = append(t.Notes, view)
		}
	}
}

// featureNotes stand below every table of accuracies.
func (r *Run) featureNotes(f featureFold) []string {
	s := r.Manifest.Settings
	edges := map[string]string{EdgesDataset: "Histogram edges from the whole data set, test captures included (the study's way; a leak).",
		EdgesTrain: "Histogram edges from the training captures."}[r.protocol(f.protocol).Edges]
	notes := []string{strings.TrimSpace(r.view() + " " + edges)}
	if splitAxis(f.split) == "" && !r.Synthetic() && slices.ContainsFunc(r.Captures, func(c Capture) bool { return c.Labels["query"] != "" }) {
		note := "Captures of one command stand on both sides of random splits."
		if s.Label == "query" {
			note = "The repeats of a command were recorded one after the other, and a random split puts neighbors on both sides: these numbers are optimistic by construction."
		}
		notes = append(notes, note)
	}
	if r.Synthetic() && r.Manifest.Data.Bayes > 0 {
		notes = append(notes, fmt.Sprintf("The best possible rule is right on %s %%.", percent(r.Manifest.Data.Bayes)))
	}
	return notes
}

func (r *Run) protocol(name string) Protocol {
	for _, p := range r.Manifest.Settings.Protocols {
		if p.Name == name {
			return p
		}
	}
	return Protocol{}
}

// modelTable is Table II (EC-40, EC-41): models on feature sets, the study's numbers beside random splits.
func (r *Run) modelTable(f featureFold) Table {
	t := Table{Name: "accuracy_features_" + f.name(), Title: fmt.Sprintf("Accuracy of classical models, protocol %s, %s", f.protocol, specTitle(f.split)),
		Columns: []Column{{Name: "Features", Left: true}, {Name: "Model", Left: true}, {Name: "Test points"}, {Name: "Accuracy %"}, {Name: "SD"}, {Name: "Median"},
			{Name: "95 % low"}, {Name: "95 % high"}, {Name: "Macro-F1 %"}, {Name: "Balanced %"}, {Name: "p Holm"}, {Name: "Train %", Wide: true},
			{Name: "Study %"}, {Name: "Study SD", Wide: true}, {Name: "Study median", Wide: true}}}
	interval := "corrected resampled t over the splits"
	if splitAxis(f.split) != "" {
		interval = "Korn and Graubard (1998) over what the split holds apart"
	}
	t.Notes = append([]string{fmt.Sprintf("In each split the grid of a model is searched on stratified %d-fold splits of the training captures. Interval: %s; that of one split, exact, where all are equal. Balanced: mean recall of the classes. Guessing is %s %%. p Holm: against %s, over the models of this table.",
		innerFolds, interval, percent(1/float64(len(r.Manifest.Settings.Classes))), r.level())}, r.featureNotes(f)...)
	pub := r.Published().Requests
	beside := splitAxis(f.split) == "" && pub != nil // the study's splits are random
	if !beside {
		t.Columns = t.Columns[:12]
	}
	missing := 0
	for _, g := range f.best("") {
		for _, c := range g.Cells {
			missing = max(missing, c.Missing)
		}
	}
	if missing > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Up to %d values of a table do not exist in some captures, such as the window of a capture without a connection; they count as 0.", missing))
	}
	row := func(g Group) Row {
		macro, balanced, trained := 0.0, 0.0, 0.0
		for _, c := range g.Cells {
			n := float64(g.Repeats)
			macro, balanced, trained = macro+c.MacroF1/n, balanced+c.balanced()/n, trained+c.TrainAccuracy/n
		}
		fields := []string{"", controlNames[g.Control], times(g.Repeats, g.NTest), percent(g.Mean), percent(g.SD), percent(g.Median), percent(max(0, g.CILow)), percent(min(1, g.CIHigh)),
			percent(macro), percent(balanced), pvalue(g.PHolm), percent(trained), "", "", ""}
		if g.kind() == classicModel {
			fields[0] = setTitle(g.Representation)
			fields[1] = netTitle(g.Net)
			if g.Control != "" {
				fields[1] = controlNames[g.Control] + ", " + fields[1]
			} else if beside {
				if p, ok := pub.Model(g.Representation, g.Net); ok {
					fields[12], fields[13], fields[14] = percent(p.Mean), percent(p.SD), percent(p.Median)
				}
			}
		}
		return Row{Fields: fields[:len(t.Columns)]}
	}
	var controls []Row
	for _, set := range r.setNames() {
		var rows []Row
		for _, g := range f.groups {
			if g.Part == "" && g.Representation == set {
				if g.Control == "" {
					rows = append(rows, row(g))
				} else {
					controls = append(controls, row(g))
				}
			}
		}
		t.rule(rows)
	}
	var plainRows []Row
	for _, g := range f.controls {
		plainRows = append(plainRows, row(g))
	}
	t.rule(append(plainRows, controls...))
	return t
}

// balanced is the mean recall of the classes that occur in the test set.
func (c *Cell) balanced() float64 {
	sum, n := 0.0, 0
	actual := c.Confusion.Actual()
	for i, v := range c.Confusion.Recall() {
		if actual[i] > 0 {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(max(1, n))
}

// splitTables put the kinds of split of a protocol side by side, for every group of features: what a random split shows,
// and what is left when commands or occasions are held apart.
func (r *Run) splitTables(folds []featureFold) (out []Table) {
	for _, p := range r.Manifest.Settings.Protocols {
		var side []featureFold
		for _, f := range folds {
			if f.protocol == p.Name {
				side = append(side, f)
			}
		}
		if len(side) < 2 {
			continue
		}
		t := Table{Name: "splits_" + p.Name, Title: fmt.Sprintf("The same models on splits that hold different things apart, protocol %s", p.Name),
			Columns: []Column{{Name: "Features", Left: true}, {Name: "Model", Left: true}},
			Notes:   append([]string{"Mean accuracy in percent, its 95 % interval in brackets; the last columns are points lost against the first kind of split."}, r.featureNotes(side[0])...)}
		for _, f := range side {
			t.Columns = append(t.Columns, Column{Name: specTitle(f.split)})
		}
		for _, f := range side[1:] {
			t.Columns = append(t.Columns, Column{Name: "Lost: " + specTitle(f.split), Wide: true})
		}
		line := func(name, model string, find func(f featureFold) (Group, bool)) (Row, bool) {
			row := Row{Fields: []string{name, model}}
			var lost []string
			first := nan
			any := false
			for i, f := range side {
				g, ok := find(f)
				if !ok {
					g.Mean = nan
				}
				any = any || ok
				row.Fields = append(row.Fields, within(g, ok))
				if i == 0 {
					first = g.Mean
				} else {
					lost = append(lost, fixed(100*(first-g.Mean), 1))
				}
			}
			row.Fields = append(row.Fields, lost...)
			return row, any
		}
		for _, part := range []string{"", PartAblation} {
			var rows []Row
			seen := map[string]bool{}
			for _, f := range side {
				for _, g := range f.groups {
					if key := g.Representation + " " + g.Net; g.Part == part && g.Control == "" && !seen[key] {
						seen[key] = true
						row, _ := line(setTitle(g.Representation), netTitle(g.Net), func(f featureFold) (Group, bool) {
							return f.find(part, g.Representation, g.Net, "")
						})
						rows = append(rows, row)
					}
				}
			}
			t.rule(rows)
		}
		var controls []Row
		for _, control := range []string{ControlMajority, ControlTotals, ControlDuration} {
			row, ok := line("", controlNames[control], func(f featureFold) (Group, bool) {
				i := slices.IndexFunc(f.controls, func(g Group) bool { return g.Control == control })
				if i < 0 {
					return Group{}, false
				}
				return f.controls[i], true
			})
			if ok {
				controls = append(controls, row)
			}
		}
		for _, set := range r.setNames() {
			row, ok := line(setTitle(set), controlNames[ControlPermuted], func(f featureFold) (Group, bool) { return f.find("", set, "", ControlPermuted) })
			if ok {
				controls = append(controls, row)
			}
		}
		t.rule(controls)
		out = append(out, t)
	}
	return out
}

// within is a mean with its interval.
func within(g Group, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s [%s, %s]", fixed(100*g.Mean, 1), fixed(100*max(0, g.CILow), 1), fixed(100*min(1, g.CIHigh), 1))
}
