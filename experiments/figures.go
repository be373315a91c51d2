package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"earshot/plots"
)

// Figure is one figure of a report.
type Figure struct {
	Name    string // file name without extension
	Caption string
	*plots.Figure
}

// netTitles are the networks as papers write them.
var netTitles = map[string]string{"fcn": "FCN", "resnet": "ResNet", "rescnn": "ResCNN", "lstm": "LSTM", "lstm_fcn": "LSTM-FCN",
	"inceptiontime": "InceptionTime", "xceptiontime": "XceptionTime", "omniscalecnn": "OmniScaleCNN", "mwdn": "mWDN", "mlp": "MLP",
	Rocket: "MiniRocket + ridge", MultiRocket: "MultiRocket + ridge"}

func netTitle(name string) string {
	if t, ok := netTitles[name]; ok {
		return t
	}
	if m, ok := models[name]; ok {
		return m.title
	}
	return name
}

// Figures are the figures of the report, in reading order. What a stopped run lacks is left out.
func (r *Run) Figures() ([]Figure, error) {
	if r.archive() {
		return r.archiveFigures(), nil
	}
	groups := r.Summary()
	out := r.featureFigures(groups)
	for _, f := range r.folds(groups) {
		out = append(out, r.accuracyFigure(f))
	}
	for _, f := range r.folds(groups) {
		out = append(out, r.confusionFigures(f)...)
		if fig, ok := r.learningFigure(f); ok {
			out = append(out, fig)
		}
	}
	out = append(out, r.openFigures(groups)...)
	s, err := r.Series()
	if err != nil {
		return nil, err
	}
	out = append(out, SeriesFigures(s)...)
	bursts, err := r.Bursts()
	if err != nil {
		return nil, err
	}
	out = append(out, r.burstFigure(bursts), r.durationFigure())
	for _, f := range out {
		f.Synthetic = r.Synthetic()
	}
	return out, nil
}

// fold is what one figure of accuracies shows: a protocol on one kind of split, with its groups.
type fold struct {
	protocol, split string
	points          []int // falling
	nets            []string
	steps           []int64 // coarse to fine; the order-only representation is 0
	groups          []Group
}

func (f fold) name() string { return f.protocol + "_" + fileName(f.split) }

// find returns the group of a network, or of a control when net is empty.
func (f fold) find(net, control string, step int64, points int) (Group, bool) {
	i := slices.IndexFunc(f.groups, func(g Group) bool {
		return g.Control == control && (net == "" || g.Net == net) && (g.StepUS == step || net == "") && g.Points == points
	})
	if i < 0 {
		return Group{}, false
	}
	return f.groups[i], true
}

func (r *Run) folds(groups []Group) (out []fold) {
	for _, g := range groups {
		if g.kind() == classicModel { // they have tables and figures of their own
			continue
		}
		i := slices.IndexFunc(out, func(f fold) bool { return f.protocol == g.Protocol && f.split == g.SplitSpec })
		if i < 0 {
			i = len(out)
			out = append(out, fold{protocol: g.Protocol, split: g.SplitSpec})
		}
		f := &out[i]
		f.groups = append(f.groups, g)
		if g.Control != "" {
			continue
		}
		if !slices.Contains(f.points, g.Points) {
			f.points = append(f.points, g.Points)
		}
		if !slices.Contains(f.nets, g.Net) {
			f.nets = append(f.nets, g.Net)
		}
		if !slices.Contains(f.steps, g.StepUS) {
			f.steps = append(f.steps, g.StepUS)
		}
	}
	wanted := r.Manifest.Settings.Nets // so that a network looks the same in every figure
	for i := range out {
		f := &out[i]
		slices.SortStableFunc(f.nets, func(a, b string) int { return slices.Index(wanted, a) - slices.Index(wanted, b) })
		slices.SortFunc(f.points, func(a, b int) int { return b - a })
		slices.SortFunc(f.steps, func(a, b int64) int { return int(b - a) })
	}
	return slices.DeleteFunc(out, func(f fold) bool { return len(f.nets) == 0 })
}

// accuracyFigure is accuracy against time step, one panel for each number of points.
func (r *Run) accuracyFigure(f fold) Figure {
	var curves []plots.AccuracyCurve
	k := len(r.Manifest.Settings.Classes)
	repeats := 0
	for _, n := range f.points {
		c := plots.AccuracyCurve{References: []plots.Reference{{Name: "guessing", Value: 1 / float64(k)}}}
		if len(f.points) > 1 {
			c.Title = fmt.Sprintf("%d captures", n)
		}
		for _, control := range []string{ControlMajority, ControlTotals, ControlDuration} {
			if g, ok := f.find("", control, 0, n); ok {
				name, _, _ := strings.Cut(controlNames[control], " (")
				c.References = append(c.References, plots.Reference{Name: name, Value: g.Mean})
			}
		}
		for _, net := range f.nets {
			l := plots.AccuracyLine{Name: netTitle(net)}
			for _, step := range f.steps {
				g, ok := f.find(net, "", step, n)
				if !ok {
					continue
				}
				repeats = max(repeats, g.Repeats)
				q := plots.AccuracyPoint{Step: time.Duration(step) * time.Microsecond, Mean: g.Mean, Low: g.CILow, High: g.CIHigh,
					Significant: g.PHolm < 0.05 && !g.constant()}
				if p, ok := r.Published().Find(step, net); ok && f.protocol == "study" {
					q.Published = p.Accuracy
				}
				l.Points = append(l.Points, q)
			}
			c.Lines = append(c.Lines, l)
		}
		curves = append(curves, c)
	}
	what := "one split; bars: exact 95 % intervals"
	if repeats > 1 {
		what = fmt.Sprintf("means over %d repeats; bars: 95 %% intervals of the mean (corrected resampled t)", repeats)
	}
	if splitAxis(f.split) != "" {
		what = "one split; bars: 95 % intervals over the groups of captures (Korn and Graubard)"
		if repeats > 1 {
			what = fmt.Sprintf("means over %d splits; bars: 95 %% intervals over the groups of captures (Korn and Graubard)", repeats)
		}
	}
	caption := fmt.Sprintf("Accuracy against time step, protocol %s, splits %s, %d classes: %s. Thin lines: what guessing and the controls reach without looking at the shape of the traffic.",
		f.protocol, f.split, k, what)
	if slices.ContainsFunc(f.groups, func(g Group) bool { return g.Control == "" && g.Repeats > 1 && g.SD == 0 }) {
		caption += " Where all repeats gave the same number, which is no proof of precision, the bar is the exact interval of one."
	}
	if slices.Contains(f.steps, 0) {
		caption += " Order only: packet sizes in order of arrival, without time."
	}
	if f.protocol == "study" && len(r.Published().Cells) > 0 {
		caption += " Hollow: the numbers that the study published for its own captures."
	}
	caption += " A star marks points above " + r.level() + " with p < 0.05 after Holm's correction within their table."
	return Figure{"accuracy_" + f.name(), caption, plots.AccuracyVsStep(curves...)}
}

// mostPanels is the number of classes up to which confusion matrices of all networks fit side by side.
const mostPanels = 5

// confusionFigures are the matrices averaged over repeats: with few classes one figure for each time step with all
// networks, with many classes the best network of the fold alone.
func (r *Run) confusionFigures(f fold) (out []Figure) {
	classes := r.Manifest.Settings.Classes
	if len(classes) > mostPanels {
		best := Group{}
		for _, g := range f.groups {
			if g.Control == "" && (best.Repeats == 0 || g.Mean > best.Mean) {
				best = g
			}
		}
		return []Figure{{"confusion_" + f.name(),
			fmt.Sprintf("Confusion matrix of %s %s, protocol %s, splits %s, %s, in percent of the true class. It is the setting with the highest accuracy on test data, shown as an example and not as a result.",
				netTitle(best.Net), best.on(), f.protocol, f.split, meanOf(best.Repeats)),
			plots.ConfusionMatrix(classes, plots.Confusion{Counts: best.confusion()})}}
	}
	for _, step := range f.steps {
		var ms []plots.Confusion
		repeats := 0
		for _, net := range f.nets {
			if g, ok := f.find(net, "", step, f.points[0]); ok {
				ms = append(ms, plots.Confusion{Title: netTitle(net), Counts: g.confusion()})
				repeats = max(repeats, g.Repeats)
			}
		}
		if len(ms) == 0 {
			continue
		}
		name := representationName(Settings{StepUS: step, Representation: Order})
		out = append(out, Figure{"confusion_" + f.name() + "_" + name,
			fmt.Sprintf("Confusion matrices %s, protocol %s, splits %s: percent of the true class and, in brackets, test captures; %s. A filled column is a network that answers the same whatever it sees.",
				onSteps(step), f.protocol, f.split, meanOf(repeats)),
			plots.ConfusionMatrix(classes, ms...)})
	}
	return out
}

func meanOf(repeats int) string {
	if repeats == 1 {
		return "one repeat"
	}
	return fmt.Sprintf("mean of %d repeats", repeats)
}

// confusion is the mean over the repeats.
func (g Group) confusion() [][]float64 {
	z := square(len(g.Classes))
	for _, c := range g.Cells {
		for i, row := range c.Confusion {
			for j, n := range row {
				z[i][j] += float64(n) / float64(len(g.Cells))
			}
		}
	}
	return z
}

// learningFigure has a column for each time step: training loss above, training accuracy below.
func (r *Run) learningFigure(f fold) (Figure, bool) {
	rows := make([][]plots.LearningPanel, 2)
	for _, step := range f.steps {
		loss := plots.LearningPanel{Title: plots.StepName(time.Duration(step) * time.Microsecond), YLabel: "Training loss"}
		if step == 0 {
			loss.Title = "order only"
		}
		acc := plots.LearningPanel{YLabel: "Training accuracy (%)", Percent: true}
		for _, net := range f.nets {
			g, ok := f.find(net, "", step, f.points[0])
			if !ok || len(g.Cells[0].History) == 0 {
				continue
			}
			a, b := g.learning()
			a.Name, b.Name = netTitle(net), netTitle(net)
			loss.Lines, acc.Lines = append(loss.Lines, a), append(acc.Lines, b)
		}
		rows[0], rows[1] = append(rows[0], loss), append(rows[1], acc)
	}
	if len(rows[0]) == 0 || !slices.ContainsFunc(rows[0], func(p plots.LearningPanel) bool { return len(p.Lines) > 0 }) {
		return Figure{}, false
	}
	return Figure{"learning_" + f.name(),
		fmt.Sprintf("Learning curves, protocol %s, splits %s: mean over the repeats, bands from the lowest to the highest. Both rows are of training data; a network that learns nothing here has not been trained, whatever its test accuracy.", f.protocol, f.split),
		plots.LearningCurves(rows...)}, true
}

// learning is the mean over the repeats and their range, of loss and of training accuracy.
func (g Group) learning() (loss, acc plots.LearningLine) {
	for e, first := range g.Cells[0].History {
		lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
		var sum [2]float64
		n := 0.0
		for _, c := range g.Cells {
			if e >= len(c.History) {
				continue
			}
			for q, v := range [2]float64{c.History[e].Loss, c.History[e].TrainAccuracy} {
				lo[q], hi[q], sum[q] = min(lo[q], v), max(hi[q], v), sum[q]+v
			}
			n++
		}
		for q, l := range []*plots.LearningLine{&loss, &acc} {
			l.Epoch = append(l.Epoch, float64(first.Epoch))
			l.Mean, l.Low, l.High = append(l.Mean, sum[q]/n), append(l.Low, lo[q]), append(l.High, hi[q])
		}
	}
	return loss, acc
}
