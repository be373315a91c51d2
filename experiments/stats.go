package experiments

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"earshot/train/metrics"
)

const (
	level = 0.95 // of every interval, two-sided
)

// Group is one row of summary.csv: the repeats (splits and seeds) of one setting. Values that do not exist are NaN.
type Group struct {
	Settings         // those shared by the repeats; Split and Seed are zero
	Cells    []*Cell // the repeats that have numbers, in the order of the sweep
	Repeats  int
	Mean     float64
	SD       float64 // n - 1
	Median   float64
	CILow    float64 // of the mean; see Summarize
	CIHigh   float64
	P        float64 // one-sided, accuracy above 1/K; see Summarize
	PHolm    float64 // P corrected over the networks of its table; NaN for controls
	NTrain   int
	NTest    int
}

// score fills c.Result with everything that follows from the predictions: the caller has set Predictions, and gives the
// classes of the training points.
func (c *Cell) score(trainClass []int) {
	k := len(c.Classes)
	truth, pred := make([]int, len(c.Predictions)), make([]int, len(c.Predictions))
	for i, p := range c.Predictions {
		truth[i], pred[i] = p.True, p.Predicted
	}
	constant := majority(trainClass, k)
	onlyUs, onlyConstant := 0, 0 // right answers that the other one has wrong
	for i, t := range truth {
		switch us, them := pred[i] == t, constant == t; {
		case us && !them:
			onlyUs++
		case them && !us:
			onlyConstant++
		}
	}
	m := metrics.NewConfusion(truth, pred, k)
	c.NTrain, c.NTest, c.Correct, c.Accuracy = len(trainClass), len(truth), m.Correct(), m.Accuracy()
	c.CILow, c.CIHigh = metrics.ClopperPearson(c.Correct, c.NTest, level)
	c.MacroF1, c.Confusion, c.Predicted, c.Collapsed = m.MacroF1(), m, m.Predicted(), m.Collapsed()
	c.PGuess = metrics.BinomialTail(c.Correct, c.NTest, 1/float64(k))
	c.PMajority = metrics.McNemarExact(onlyUs, onlyConstant)
	c.MajorityShare = 0
	if c.NTest > 0 {
		c.MajorityShare = float64(m.Actual()[constant]) / float64(c.NTest)
	}
}

// majority is the constant answer: the most frequent class, the first by name when several are (classes are sorted).
func majority(class []int, k int) int {
	n := make([]int, k)
	for _, y := range class {
		n[y]++
	}
	best := 0
	for i, v := range n {
		if v > n[best] {
			best = i
		}
	}
	return best
}

// Summarize groups the cells that have numbers by everything but split and seed, in the order of the sweep.
//
// The interval of a group is the corrected resampled t interval of the mean (Nadeau and Bengio 2003), not cut to 0..1;
// and Korn and Graubard's over the groups of captures when the split holds groups or times apart, since captures of one
// day are not independent. One repeat has its cell's exact interval. So have repeats that are all equal, whatever made
// them: without a spread the t interval has no width, which no precision of
// the data stands behind, and each repeat by itself says how far the accuracy may be off.
//
// P is the corrected resampled t test of the mean against guessing, one-sided; the cell's exact binomial p when there is
// one repeat or when all repeats are equal, which leaves a t test without variance. Repeats are never pooled.
//
// In an open world, and where the classes are uneven, P is above the constant answer instead of guessing; see againstConstant.
//
// PHolm corrects P over the networks of one table: the groups without a control that share protocol, kind of split,
// representation, step, normalization and evaluation, over all numbers of points; of classical models, those of all feature
// sets of one part of the report.
func Summarize(cells []*Cell, captures []Capture) []Group {
	labels := map[int64]map[string]string{}
	for _, c := range captures {
		labels[c.ID] = c.Labels
	}
	var out []Group
	index := map[string]int{}
	for _, c := range cells {
		if !c.OK() {
			continue
		}
		s := c.Settings
		s.Split, s.Seed = "", 0
		key := settingsKey(s)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Group{Settings: s})
		}
		out[i].Cells = append(out[i].Cells, c)
	}
	tables := map[string][]int{}
	constant := len(out) > 0 && againstConstant(out[0].World, captures)
	for i := range out {
		out[i].summarize(labels, constant && out[i].Dataset == "")
		if g := &out[i]; g.Control == "" {
			tables[tableKey(g.Settings)] = append(tables[tableKey(g.Settings)], i)
		}
	}
	for _, rows := range tables {
		p := make([]float64, len(rows))
		for i, r := range rows {
			p[i] = out[r].P
		}
		for i, v := range metrics.Holm(p) {
			out[rows[i]].PHolm = v
		}
	}
	return out
}

// Summary is Summarize of the run's cells.
func (r *Run) Summary() []Group {
	if r.groups == nil || r.summedUp != len(r.Cells) {
		r.groups, r.summedUp = Summarize(r.Cells, r.Captures), len(r.Cells)
	}
	return r.groups
}

func (g *Group) summarize(labels map[int64]map[string]string, constant bool) {
	first := g.Cells[0]
	acc := make([]float64, len(g.Cells))
	train, test := 0, 0
	for i, c := range g.Cells {
		acc[i] = c.Accuracy
		train, test = train+c.NTrain, test+c.NTest
	}
	g.Repeats = len(acc)
	g.NTrain, g.NTest = (train+g.Repeats/2)/g.Repeats, (test+g.Repeats/2)/g.Repeats // equal but for group splits
	g.Median = median(acc)
	g.PHolm = math.NaN()
	g.Mean, g.SD, g.CILow, g.CIHigh = metrics.CorrectedResampledT(acc, g.NTrain, g.NTest, level)
	g.P = metrics.CorrectedResampledP(acc, 1/float64(len(g.Classes)), g.NTrain, g.NTest)
	equal := g.Repeats == 1 || g.SD == 0
	if equal {
		g.CILow, g.CIHigh, g.P = first.CILow, first.CIHigh, first.PGuess
	}
	if constant {
		g.P = g.aboveConstant()
	}
	if axis := splitAxis(g.SplitSpec); axis != "" {
		if k, n := g.clusters(axis, labels); len(n) > 1 {
			g.CILow, g.CIHigh = metrics.ClopperPearsonClustered(k, n, level)
		}
	}
}

// clusters are right answers and captures of each value of an axis among the captures that were tested, in order of
// appearance; a capture that several repeats tested counts once, by its mean.
func (g *Group) clusters(axis string, labels map[int64]map[string]string) (right, of []float64) {
	tested := map[int64]int{}
	for _, c := range g.Cells {
		for _, p := range c.Predictions {
			tested[p.CaptureID]++
		}
	}
	index := map[string]int{}
	for _, c := range g.Cells {
		for _, p := range c.Predictions {
			name := labels[p.CaptureID][axis]
			i, ok := index[name]
			if !ok {
				i = len(of)
				index[name] = i
				right, of = append(right, 0), append(of, 0)
			}
			share := 1 / float64(tested[p.CaptureID])
			of[i] += share
			if p.True == p.Predicted {
				right[i] += share
			}
		}
	}
	for i := range right { // rounding must not make more right answers than captures
		right[i] = min(right[i], of[i])
	}
	return right, of
}

// splitAxis is the axis that a split holds apart; empty for splits of single captures.
func splitAxis(spec string) string {
	kind, axis, _ := strings.Cut(spec, "=")
	axis, _, _ = strings.Cut(axis, ":")
	if kind != "group" && kind != "time" {
		return ""
	}
	return axis
}

// ApartFromLabel refuses a split by the axis that names the classes: no class of the test would be in training.
func ApartFromLabel(spec, label string) error {
	if axis := splitAxis(spec); axis != "" && axis == label {
		return &UsageError{fmt.Errorf("experiments: split %s: the axis %s names the classes, so that training has none of the test's; take another axis", spec, label)}
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

func settingsKey(s Settings) string {
	b, err := json.Marshal(s)
	if err != nil { // a value that JSON cannot hold: no setting is one
		panic("experiments: settings: " + err.Error())
	}
	return string(b)
}

// tableKey is what the rows of one table share. A table of classical models holds all feature sets of its part.
func tableKey(s Settings) string {
	if s.Dataset != "" { // one table for all data sets of an archive
		return settingsKey(Settings{Study: s.Study, Protocol: s.Protocol})
	}
	if s.kind() == classicModel {
		s.Representation, s.Normalize = "features "+s.Part, ""
	}
	return settingsKey(Settings{Study: s.Study, Data: s.Data, Label: s.Label, Classes: s.Classes, World: s.World, Protocol: s.Protocol,
		SplitSpec: s.SplitSpec, Representation: s.Representation, StepUS: s.StepUS, Profile: s.Profile,
		Normalize: s.Normalize, Evaluate: s.Evaluate, DurationUS: s.DurationUS})
}

// Counts is how many networks of the run lie below, on and above guessing (SP-46), by the mean of their repeats.
func (r *Run) Counts(protocol string) Counts {
	var n Counts
	for _, g := range r.Summary() {
		if g.Control == "" && g.Protocol == protocol {
			n.add(g.Mean, 1/float64(len(g.Classes)))
		}
	}
	return n
}
