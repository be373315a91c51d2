package experiments

import (
	"fmt"
	"strings"
	"time"

	"earshot/data/bundled"
	"earshot/plots"
	"earshot/train/metrics"
)

// finding is a group of sentences at the head of the report. They follow from the cells by fixed rules, so that nobody
// chooses which ones to tell.
type finding struct {
	About string // "" for the run as a whole
	Lines []string
}

func (f *finding) add(format string, args ...any) {
	f.Lines = append(f.Lines, fmt.Sprintf(format, args...))
}

func (r *Run) findings() (out []finding) {
	var whole finding
	add := whole.add
	if n := len(r.Missing); n > 0 {
		add("The run is not complete: %d of %d cells are missing.", n, len(r.Manifest.Cells))
	}
	for _, status := range []string{StatusRefused, StatusFailed} {
		n := 0
		for _, c := range r.Cells {
			if c.Status == status {
				n++
			}
		}
		if n > 0 {
			add("%d cells %s; their reasons are in the table of cells without a number.", n, status)
		}
	}
	if n := len(r.alarms()); n > 0 {
		add("The leakage audit has severe findings (%d): what they say comes before every accuracy on those splits.", n)
	}
	if len(whole.Lines) > 0 {
		out = append(out, whole)
	}
	out = append(out, r.openFindings()...)
	out = append(out, r.featureFindings()...)
	for _, f := range r.folds(r.Summary()) {
		out = append(out, f.finding(r))
	}
	return out
}

// finding of one protocol and kind of split, at its largest number of captures.
func (f fold) finding(r *Run) finding {
	out := finding{About: fmt.Sprintf("Protocol %s, splits %s", f.protocol, f.split)}
	add := out.add
	level := 1 / float64(len(r.Manifest.Settings.Classes))
	if r.againstConstant() {
		level = f.groups[0].constantAnswer()
	}
	var best Group
	pairs, significant, cells, collapsed := 0, 0, 0, 0
	for _, g := range f.groups {
		if g.Control != "" || g.Points != f.points[0] {
			continue
		}
		pairs++
		constant := g.constant()
		if g.Mean > level && g.PHolm < 0.05 && !constant {
			significant++
		}
		for _, c := range g.Cells {
			cells++
			if c.Collapsed {
				collapsed++
			}
		}
		if !constant && (best.Repeats == 0 || g.Mean > best.Mean) {
			best = g
		}
	}
	s := fmt.Sprintf("%d of %d pairs of network and representation are above %s (%s %%) with p < 0.05 after Holm's correction.", significant, pairs, r.level(), percent(level))
	if best.Repeats > 0 {
		s += fmt.Sprintf(" The highest mean is that of %s %s: %s.", netTitle(best.Net), best.on(), best.words())
	}
	if collapsed > 0 {
		s += " A network that gave one answer to everything is not counted: its accuracy is the share of that class among the test captures."
	}
	add("%s", s)
	if collapsed > 0 {
		add("%d of %d trained networks gave one answer to every test capture.", collapsed, cells)
	}
	if s := f.change(); s != "" {
		add("%s", s)
	}
	if g, ok := f.find("", ControlTotals, 0, f.points[0]); ok && best.Repeats > 0 {
		verdict := fmt.Sprintf("the best network is %s points above that", fixed(100*(best.Mean-g.Mean), 1))
		if g.Mean >= best.Mean {
			verdict = "no network does better, so nothing here shows that they use more than totals"
		}
		add("Bytes and packets of the capture, without any series, reach %s: %s.", g.words(), verdict)
	}
	if g, ok := f.find("", ControlDuration, 0, f.points[0]); ok && g.P < 0.05 {
		add("The length of the capture alone reaches %s, %s against %s: it is a label by itself.", g.words(), pWords(g.P), r.level())
	}
	var permuted []Group
	for _, g := range f.groups {
		if g.Control == ControlPermuted {
			permuted = append(permuted, g)
		}
	}
	for _, g := range permuted {
		if g.P < 0.05/float64(len(permuted)) && !g.constant() {
			add("Trained on permuted labels, %s %s still reaches %s: something other than the label leaks, and the other numbers are not to be trusted.",
				netTitle(g.Net), g.on(), g.words())
		}
	}
	return out
}

// constant says that every repeat gave one answer to all its test captures.
func (g Group) constant() bool {
	for _, c := range g.Cells {
		if !c.Collapsed {
			return false
		}
	}
	return true
}

// words is the mean with its interval and what it was measured on.
func (g Group) words() string {
	n := fmt.Sprintf("%d test captures", g.NTest)
	if g.Repeats > 1 {
		n = fmt.Sprintf("%d repeats of %d test captures", g.Repeats, g.NTest)
	}
	if g.Repeats > 1 && g.SD == 0 {
		n += ", all equal"
	}
	return fmt.Sprintf("%s %% (95 %% interval %s to %s; %s)", fixed(100*g.Mean, 1), fixed(100*max(0, g.CILow), 1), fixed(100*min(1, g.CIHigh), 1), n)
}

// on says what the network was given.
func (g Group) on() string { return onSteps(g.StepUS) }

func onSteps(us int64) string {
	if us == 0 {
		return "on packet sizes in order"
	}
	return "at " + plots.StepName(time.Duration(us)*time.Microsecond)
}

// change says what finer steps do: the difference between the finest and the coarsest step, for each network.
func (f fold) change() string {
	var steps []int64
	for _, s := range f.steps {
		if s > 0 {
			steps = append(steps, s)
		}
	}
	if len(steps) < 2 {
		return ""
	}
	var names []string
	var diff, p []float64
	coarse, fine := steps[0], steps[len(steps)-1]
	for _, net := range f.nets {
		a, ok := f.find(net, "", coarse, f.points[0])
		b, ok2 := f.find(net, "", fine, f.points[0])
		if ok && ok2 {
			names, diff, p = append(names, netTitle(net)), append(diff, 100*(b.Mean-a.Mean)), append(p, differs(a, b))
		}
	}
	if len(names) == 0 {
		return ""
	}
	p = metrics.Holm(p)
	parts, significant := make([]string, len(names)), 0
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %+.1f (%s)", name, diff[i], pWords(p[i]))
		if p[i] < 0.05 {
			significant++
		}
	}
	name := func(us int64) string { return plots.StepName(time.Duration(us) * time.Microsecond) }
	return fmt.Sprintf("From %s to %s the mean accuracy changes by these points: %s; %d of %d differ from 0 (two-sided p after Holm's correction: corrected resampled t of the pairs of repeats, or McNemar's where there is one pair or no spread).",
		name(coarse), name(fine), strings.Join(parts, ", "), significant, len(parts))
}

// differs is the p of two groups on the same splits having the same accuracy. Differences without a spread leave a t test
// nothing to go by, however many captures stand behind them.
func differs(a, b Group) float64 {
	x, y, n := paired(a, b)
	spread := false
	for i := range n {
		spread = spread || x[i]-y[i] != x[0]-y[0]
	}
	t, err := mcnemar(a, b)
	if spread {
		t, err = metrics.Corrected(x, y, a.NTrain, a.NTest, level)
	}
	if err != nil { // no split in common
		return 1
	}
	return t.P
}

// caveats say what the numbers cannot show.
func (r *Run) caveats() (out []string) {
	m := r.Manifest
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Synthetic() {
		s := "The traffic was generated, not recorded. The numbers test the path from packets to figures; they say nothing about any service."
		if m.Data.Bayes > 0 {
			s += fmt.Sprintf(" The generator is made so that the best possible rule is right on %s %%.", percent(m.Data.Bayes))
		}
		add("%s", s)
	}
	if bundled.Is(m.Data.Path) {
		add("The data set is part of the program. How it was made, and what is known to be easy in it, says its card: earshot data info %s --card.", m.Data.Path)
	}
	if m.Settings.Quick {
		add("This is a quick run: few time steps, epochs and repeats. Its numbers show that everything works, not what is true.")
	}
	k := len(m.Settings.Classes)
	level := 1 / float64(k)
	smallest := 0
	for _, g := range r.Summary() {
		if g.Control == "" && g.Part == "" && (smallest == 0 || g.NTest < smallest) {
			smallest = g.NTest
		}
		if r.againstConstant() {
			level = max(level, g.constantAnswer())
		}
	}
	if smallest > 0 {
		s := fmt.Sprintf("The smallest test set has %d captures: one more or less right moves its accuracy by %s points.", smallest, fixed(100/float64(smallest), 1))
		if p := metrics.DetectableAccuracy(level, 0.05, 0.8, smallest); p < 1 {
			s += fmt.Sprintf(" To be told from %s in 4 of 5 such tests, the true accuracy must be at least %.0f %%.", r.level(), 100*p)
		}
		add("%s", s)
	}
	add("The highest number of a table was picked after looking at test data and is higher than what a new data set would show. Holm's correction covers the networks of one table, not the choice between tables.")
	apart := false
	for _, p := range m.Settings.Protocols {
		for _, s := range p.Splits {
			apart = apart || splitAxis(s) != ""
		}
	}
	if !apart {
		add("The splits hold single captures apart, not days or places. Captures of one session stand on both sides; a split by group or time can be much harder.")
	}
	if m.Settings.World != nil {
		out = append(out, r.openCaveats()...)
	} else {
		add("The world is closed: the eavesdropper knows that it is one of %d classes. With unknown traffic in between, the numbers would be lower.", k)
	}
	if len(r.Published().Cells) > 0 || r.Manifest.Settings.Published.Requests != nil {
		s := "The published numbers belong to other captures, which are not available. They stand beside ours for orientation"
		if len(r.Published().Cells) > 0 {
			s += ", and most have wide intervals themselves (table of the study's own cells)"
		}
		add("%s.", s)
	}
	return out
}
