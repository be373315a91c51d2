package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"earshot/plots"
	"earshot/train/metrics"
)

// openCurvesName is the file of a run folder that holds the open world at every threshold.
const openCurvesName = "open_curves.csv"

const openIntro = "The eavesdropper monitors some values and meets others too, which the model has one class for. What an alarm (a monitored name) is worth depends on how often monitored traffic occurs at all: precision is given at stated base rates r, the captures of other for every monitored one, whatever the test set holds of each."

// howToReadOpen is for reports of an open world.
var howToReadOpen = []string{
	"Open world: recall is the share of monitored captures that are named right (TPR), wrong the share that is named as another monitored class (WPR), false alarms the share of the other captures that is named as any monitored class (FPR). Precision at r is TPR / (TPR + WPR + r FPR), Wang's r-precision (IEEE S&P 2020), pooled over the monitored classes; the mean over classes is that of each class's own precision, all monitored classes being equally frequent.",
	"At least: the same formula with the upper end of the false alarms' interval. Where no false alarm was seen the precision has no estimate, only this bound. Where others are unseen, captures of one value are a cluster (Korn and Graubard 1998), since the question is what values raise alarms that are not here at all; elsewhere they count as independent. The number of values of other with a false alarm stands beside.",
	"Others are seen when training has other captures of the same value (splits of single captures), unseen when it has none (open:N). An eavesdropper meets unseen ones.",
	"In an open world p-values are against the constant answer, not against guessing: most captures are other. Permuted labels must fall to the constant answer.",
}

// fact is the world in a line of the report.
func (w *World) fact() string {
	if w == nil {
		return ""
	}
	return fmt.Sprintf("%d of %d values of axis %s are monitored: %s; other: %s", len(w.Monitored), len(w.Monitored)+len(w.Others), w.Axis,
		shorten(w.Monitored, 12), shorten(w.Others, 12))
}

// openTables are the open world beside the closed one, and what an alarm is worth, for every model and kind of split.
func (r *Run) openTables(groups []Group) []Table {
	w := r.Manifest.Settings.World
	what := fmt.Sprintf("%d of %d values of %s monitored", len(w.Monitored), len(w.Monitored)+len(w.Others), w.Axis)
	of := []Column{{Name: "Model", Left: true}, {Name: "Input", Left: true}, {Name: "Protocol", Left: true, Wide: true}, {Name: "Points", Wide: true}, {Name: "Splits", Left: true, Wide: true}, {Name: "Others", Left: true}}
	world := Table{Name: "open_world", Title: "Closed and open world: " + what,
		Columns: append(slices.Clone(of), Column{Name: "Monitored n"}, Column{Name: "Closed world %"}, Column{Name: "Recall %"}, Column{Name: "Recall interval"},
			Column{Name: "Wrong %"}, Column{Name: "Wrong interval", Wide: true}, Column{Name: "False alarms/n"}, Column{Name: "False alarm %", Wide: true}, Column{Name: "False interval"}, Column{Name: "Values with one", Wide: true},
			Column{Name: "Accuracy %", Wide: true}, Column{Name: "Majority %", Wide: true}, Column{Name: "Macro recall %", Wide: true}),
		Notes: []string{
			"Closed world: the same model's answer among the monitored classes alone, on the monitored captures. Recall, wrong: monitored captures named right, and as another monitored class. False alarms: other captures named as a monitored class, 4/3 × 86 being four in three repeats of 86. Others: seen where training has other captures of the same value, unseen where it has none. Values with one: of the values of other, those with a false alarm.",
			"Answers as they are (the highest score); no threshold was chosen, since these runs hold no captures back to choose it on. Intervals: exact 95 %, of one repeat with the mean count; the folds of one cross-validation count as one repeat; of false alarms of unseen others with their values as clusters (Korn and Graubard 1998).",
		}}
	precision := Table{Name: "open_precision", Title: "Precision of an alarm at base rates: " + what, Columns: append(slices.Clone(of), Column{Name: "Recall %"})}
	for _, base := range openBases {
		precision.Columns = append(precision.Columns, Column{Name: fmt.Sprintf("r=%g %%", base)}, Column{Name: fmt.Sprintf("r=%g at least %%", base)})
	}
	precision.Columns = append(precision.Columns, Column{Name: fmt.Sprintf("Mean over classes r=%g %%", openBases[1]), Wide: true})
	precision.Notes = []string{fmt.Sprintf("At r = %g, %g and %g others for every monitored capture, of the rates in the table before, pooled over the monitored classes: TPR / (TPR + WPR + r FPR), the r-precision of Wang (IEEE S&P 2020). Blank where no false alarm was seen, which leaves it unknown. At least: with the upper end of FPR's 95 %% interval.",
		openBases[0], openBases[1], openBases[2])}
	var rows, controls [2][]Row
	for _, o := range r.openResults(groups) {
		a, b := o.rows()
		if o.Control != "" {
			controls[0], controls[1] = append(controls[0], Row{Fields: a}), append(controls[1], Row{Fields: b})
		} else {
			rows[0], rows[1] = append(rows[0], Row{Fields: a}), append(rows[1], Row{Fields: b})
		}
	}
	for i, t := range []*Table{&world, &precision} {
		t.rule(rows[i])
		t.rule(controls[i])
	}
	return []Table{world, precision}
}

// rows are the result in the two tables.
func (o openResult) rows() (world, precision []string) {
	name := netTitle(o.Net)
	if o.Control != "" {
		name = controlNames[o.Control]
		if o.kind() != plain {
			name += ", " + netTitle(o.Net)
		}
	}
	step := representationName(o.Settings)
	if o.kind() == plain {
		step = ""
	}
	one := func(v float64) string { return fixed(100*v, 1) }
	interval := func(lo, hi float64) string { return one(lo) + "–" + one(hi) }
	rates := o.Rates()
	of := []string{name, step, o.Protocol, strconv.Itoa(o.Points), o.SplitSpec, o.others()}
	world = append(slices.Clone(of),
		times(o.Sets, o.Monitored/o.Sets), one(share(o.Closed, o.Monitored)), one(rates.TPR), interval(o.interval(o.Right, o.Monitored)), one(rates.WPR), interval(o.interval(o.Wrong, o.Monitored)),
		fmt.Sprintf("%d/%s", o.False, times(o.Sets, o.Others/o.Sets)), one(rates.FPR), interval(o.falseInterval()), fmt.Sprintf("%d/%d", o.loud(), len(o.Values)),
		one(o.Mean), one(o.constantAnswer()), one(o.balanced()))
	precision = append(of, one(rates.TPR))
	for _, base := range openBases {
		estimate, atLeast := o.precision(base)
		precision = append(precision, one(estimate), one(atLeast))
	}
	macro := o.MacroPrecision(openBases[1])
	if o.False == 0 {
		macro = nan
	}
	return world, append(precision, one(macro))
}

// openCurvesCSV is the open world at every threshold, for programs.
func (r *Run) openCurvesCSV(groups []Group) []byte {
	head := []string{"protocol", "representation", "net", "step_us", "points", "split", "repeats", "threshold", "monitored", "right", "wrong", "others", "false", "recall", "wrong_rate", "false_rate"}
	for _, base := range openBases {
		head = append(head, fmt.Sprintf("precision_r%g", base), fmt.Sprintf("at_least_r%g", base))
	}
	return writeCSV(head, func(add func(...string)) {
		for _, o := range r.openResults(groups) {
			if o.Control != "" {
				continue
			}
			for _, p := range o.curve() {
				rates := p.Rates()
				row := []string{o.Protocol, o.Representation, o.Net, integer(o.StepUS), strconv.Itoa(o.Points), o.SplitSpec, strconv.Itoa(o.Sets), strconv.FormatFloat(p.Threshold, 'g', -1, 32),
					strconv.Itoa(p.Monitored), strconv.Itoa(p.Right), strconv.Itoa(p.Wrong), strconv.Itoa(p.Others), strconv.Itoa(p.False), number(rates.TPR), number(rates.WPR), number(rates.FPR)}
				for _, base := range openBases {
					estimate, atLeast := p.precision(base)
					row = append(row, number(estimate), number(atLeast))
				}
				add(row...)
			}
		}
	})
}

// openFigures are precision against recall: one figure for each protocol and representation, a row of panels for each kind
// of split, a panel for each base rate.
func (r *Run) openFigures(groups []Group) (out []Figure) {
	type key struct{ protocol, representation string }
	var keys []key
	of := map[key][]openResult{}
	most := 0
	for _, o := range r.openResults(groups) {
		if o.Control != "" {
			continue
		}
		k := key{o.Protocol, representationName(o.Settings)}
		if of[k] == nil {
			keys = append(keys, k)
		}
		of[k], most = append(of[k], o), max(most, o.Points)
	}
	for _, k := range keys {
		var rows [][]plots.PrecisionPanel
		var specs []string
		for _, o := range of[k] {
			if o.Points != most {
				continue
			}
			i := slices.Index(specs, o.SplitSpec)
			if i < 0 {
				i = len(specs)
				specs = append(specs, o.SplitSpec)
				var row []plots.PrecisionPanel
				for _, base := range openBases {
					row = append(row, plots.PrecisionPanel{Title: fmt.Sprintf("others %s, r = %g", o.others(), base)})
				}
				rows = append(rows, row)
			}
			curve := o.curve()
			for j, base := range openBases {
				l := plots.PrecisionLine{Name: netTitle(o.Net)}
				for _, p := range curve {
					estimate, atLeast := p.precision(base)
					l.Points = append(l.Points, plots.PrecisionPoint{Recall: p.Rates().TPR, Precision: estimate, Low: atLeast})
				}
				estimate, atLeast := o.precision(base)
				l.Answer = plots.PrecisionPoint{Recall: o.Rates().TPR, Precision: estimate, Low: atLeast}
				rows[i][j].Lines = append(rows[i][j].Lines, l)
			}
		}
		if len(rows) == 0 {
			continue
		}
		out = append(out, Figure{"open_world_" + k.protocol + "_" + fileName(k.representation),
			fmt.Sprintf("Precision against recall of the monitored captures when r others are met for every monitored one, protocol %s, %s, splits %s. Thick: the estimate, from the first false alarm on; thin and dotted: what it is at least, by the upper end of the 95 %% interval of the false alarm rate. Along a line the threshold on the highest monitored score falls; the marker is the answer without a threshold, hollow where it raised no false alarm. A point picked from a curve after looking is no result.",
				k.protocol, k.representation, strings.Join(specs, " and ")),
			plots.PrecisionRecall(rows...)})
	}
	return out
}

// openFindings say for each protocol what an alarm of its best model is worth, on every kind of split.
func (r *Run) openFindings() (out []finding) {
	results := r.openResults(r.Summary())
	most := 0
	for _, o := range results {
		most = max(most, o.Points)
	}
	for _, p := range r.Manifest.Settings.Protocols {
		var best []openResult // of one model
		top := -1.0
		for i := 0; i < len(results); {
			j, mean := i, 0.0
			for j < len(results) && sameModel(results[i].Settings, results[j].Settings) {
				mean += results[j].Mean
				j++
			}
			if mean /= float64(j - i); results[i].Protocol == p.Name && results[i].Control == "" && results[i].Points == most && mean > top {
				best, top = results[i:j], mean
			}
			i = j
		}
		if len(best) == 0 {
			continue
		}
		f := finding{About: "Open world, protocol " + p.Name}
		for _, o := range best {
			f.add("%s", o.words())
		}
		f.add("This is the model with the highest mean accuracy of the protocol (%s), picked after looking at test data. Its answers were taken as they are: no threshold was chosen.", best[0].modelName())
		out = append(out, f)
	}
	return out
}

func (o openResult) modelName() string {
	if o.kind() == classicModel {
		return netTitle(o.Net) + " on " + setTitle(o.Representation)
	}
	return netTitle(o.Net) + " " + o.on()
}

// captures is what rates are shares of.
func (o openResult) captures(n int, what string) string {
	if o.Sets == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %s in each of %d repeats", n/o.Sets, what, o.Sets)
}

// words are an open world in sentences.
func (o openResult) words() string {
	one := func(v float64) string { return fixed(100*v, 1) }
	rates := o.Rates()
	lo, hi := o.interval(o.Right, o.Monitored)
	s := fmt.Sprintf("%s, splits %s, others %s in training: of %s %s %% are named right (95 %% interval %s to %s) and %s %% as another; among the monitored classes alone it would be %s %%.",
		o.modelName(), o.SplitSpec, o.others(), o.captures(o.Monitored, "monitored captures"), one(rates.TPR), one(lo), one(hi), one(rates.WPR), one(share(o.Closed, o.Monitored)))
	lo, hi = o.falseInterval()
	s += fmt.Sprintf(" Of %s %s %% raise a false alarm (%d; %s to %s %%), from %d of %d values of %s.", o.captures(o.Others, "others"), one(rates.FPR), o.False, one(lo), one(hi), o.loud(), len(o.Values), o.World.Axis)
	switch {
	case o.Right+o.Wrong+o.False == 0:
		return s + " There is no alarm at all, so none can be right."
	case o.Right == 0:
		return s + " No alarm is right."
	}
	var parts []string
	for _, base := range openBases {
		estimate, atLeast := o.precision(base)
		switch {
		case o.False == 0:
			parts = append(parts, fmt.Sprintf("at least %s %% at r = %g", one(atLeast), base))
		default:
			parts = append(parts, fmt.Sprintf("%s %% (at least %s %%) at r = %g", one(estimate), one(atLeast), base))
		}
	}
	s += fmt.Sprintf(" With r others for every monitored capture, the share of alarms that are right is %s.", strings.Join(parts, ", "))
	if o.Seen == 0 {
		_, hi := metrics.ClopperPearson(o.loud(), len(o.Values), level)
		s += fmt.Sprintf(" Of values of %s that were not recorded here, up to %s %% may raise alarms (exact interval of %d of %d).", o.World.Axis, one(hi), o.loud(), len(o.Values))
	}
	return s
}

// openCaveats say what the open world cannot show.
func (r *Run) openCaveats() []string {
	w := r.Manifest.Settings.World
	out := []string{fmt.Sprintf("The world is open, but small: other is %d values of %s, recorded as the monitored ones were. What else is played is more, and of other kinds; the base rates are assumed, not measured.", len(w.Others), w.Axis)}
	results := r.openResults(r.Summary())
	if len(results) > 0 && !slices.ContainsFunc(results, func(o openResult) bool { return o.Seen == 0 }) {
		out = append(out, "Every split tests others that training has seen in other captures. An eavesdropper meets unseen ones, whose false alarms can be many more: add a split open:N.")
	}
	return out
}
