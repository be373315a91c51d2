package experiments

import (
	"math"
	"testing"

	"earshot/train/metrics"
)

// cellOf makes a scored cell from one character per test point: the predicted class; truth runs a, b, c, a, b, c …
func cellOf(net, protocol, spec, split string, answers string) *Cell {
	c := &Cell{Status: StatusOK, Settings: Settings{Net: net, Protocol: protocol, SplitSpec: spec, Split: split, Classes: []string{"a", "b", "c"},
		Representation: Binned, StepUS: 1e6, Points: 5 * len(answers)}}
	for i, a := range answers {
		c.Predictions = append(c.Predictions, Prediction{CaptureID: int64(i), True: i % 3, Predicted: int(a - 'a')})
	}
	c.score([]int{2, 1, 1, 2, 0}) // b and c tie: the constant answer is b, first by name
	return c
}

func TestScore(t *testing.T) {
	c := cellOf("fcn", "ours", "stratified:1", "s", "abcabbbbb")
	if c.Correct != 6 || c.NTest != 9 || c.NTrain != 5 || c.Accuracy != 6.0/9 || c.Collapsed {
		t.Errorf("%d of %d (trained on %d), accuracy %g, collapsed %v", c.Correct, c.NTest, c.NTrain, c.Accuracy, c.Collapsed)
	}
	// The constant b is right on 3; we alone on a, c, a (3 points), it alone on none.
	if c.MajorityShare != 3.0/9 || c.PMajority != metrics.McNemarExact(3, 0) {
		t.Errorf("majority share %g, p %g", c.MajorityShare, c.PMajority)
	}
	if c.PGuess != metrics.BinomialTail(6, 9, 1.0/3) {
		t.Errorf("p against guessing %g", c.PGuess)
	}
	if one := cellOf("fcn", "ours", "stratified:1", "s", "bbbbbb"); !one.Collapsed || one.PMajority != 1 || one.Accuracy != one.MajorityShare {
		t.Errorf("constant answer: collapsed %v, p %g", one.Collapsed, one.PMajority)
	}
}

func TestSummarize(t *testing.T) {
	cells := []*Cell{
		cellOf("fcn", "ours", "stratified:3", "1", "abcabcabc"), cellOf("lstm", "ours", "stratified:3", "1", "aaaaaaaaa"),
		cellOf("fcn", "ours", "stratified:3", "2", "abcabcabb"), cellOf("lstm", "ours", "stratified:3", "2", "bbbbbbbbb"),
		cellOf("fcn", "ours", "stratified:3", "3", "abcabcbbb"), cellOf("lstm", "ours", "stratified:3", "3", "ccccccccc"),
		cellOf("fcn", "study", "random:1", "r", "abcaaaaaa"),
		{Status: StatusRefused, Settings: Settings{Net: "resnet"}},
	}
	permuted := cellOf("fcn", "ours", "stratified:3", "1", "abcabcabc")
	permuted.Control = ControlPermuted
	groups := Summarize(append(cells, permuted), nil)
	if len(groups) != 4 {
		t.Fatalf("%d groups, want fcn, lstm, fcn of the study, permuted fcn", len(groups))
	}
	fcn, lstm, single, control := groups[0], groups[1], groups[2], groups[3]
	acc := []float64{1, 8.0 / 9, 7.0 / 9}
	mean, sd, lo, hi := metrics.CorrectedResampledT(acc, 5, 9, 0.95)
	if fcn.Repeats != 3 || fcn.Mean != mean || fcn.SD != sd || fcn.CILow != lo || fcn.CIHigh != hi || fcn.Median != 8.0/9 {
		t.Errorf("fcn: %+v", fcn)
	}
	if want := metrics.CorrectedResampledP(acc, 1.0/3, 5, 9); fcn.P != want {
		t.Errorf("fcn: p %g, want %g", fcn.P, want)
	}
	// All repeats are equal: a t test would find p = 0 or 0.5; the exact test of one repeat is used.
	// Equal repeats, as those of the constant answer: the exact interval of 3 of 9, not one without width.
	if a, b := metrics.ClopperPearson(3, 9, 0.95); lstm.CILow != a || lstm.CIHigh != b {
		t.Errorf("equal repeats: interval %g - %g, want %g - %g", lstm.CILow, lstm.CIHigh, a, b)
	}
	if lstm.SD != 0 || lstm.P != metrics.BinomialTail(3, 9, 1.0/3) {
		t.Errorf("lstm: sd %g, p %g", lstm.SD, lstm.P)
	}
	if holm := metrics.Holm([]float64{fcn.P, lstm.P}); fcn.PHolm != holm[0] || lstm.PHolm != holm[1] {
		t.Errorf("Holm over the table: %g, %g; want %v", fcn.PHolm, lstm.PHolm, holm)
	}
	if a, b := metrics.ClopperPearson(5, 9, 0.95); single.CILow != a || single.CIHigh != b || !math.IsNaN(single.SD) || single.PHolm != single.P {
		t.Errorf("one repeat: %+v", single)
	}
	if !math.IsNaN(control.PHolm) || control.Control != ControlPermuted {
		t.Errorf("control: p Holm %g; controls are no part of the family", control.PHolm)
	}
}

// Where one class has most captures, knowing it is no achievement: p is above the constant answer, and permuted labels that reach
// it do not leak.
func TestSummarizeUneven(t *testing.T) {
	var captures []Capture
	for i := range 12 {
		captures = append(captures, Capture{ID: int64(i), Class: max(0, i-9)}) // 10, 1, 1
	}
	cells := []*Cell{cellOf("fcn", "ours", "stratified:2", "1", "abcabcabc"), cellOf("fcn", "ours", "stratified:2", "2", "abcabcabb")}
	for _, c := range cells {
		c.MajorityShare = 0.75
	}
	even := Summarize(cells, captures[9:])[0]
	if want := metrics.CorrectedResampledP([]float64{1, 8.0 / 9}, 1.0/3, 5, 9); even.P != want {
		t.Errorf("as many of each: p %g, want %g", even.P, want)
	}
	g := Summarize(cells, captures)[0]
	if want := metrics.CorrectedResampledP([]float64{0.25, 8.0/9 - 0.75}, 0, 5, 9); math.Abs(g.P-want) > 1e-12 || g.P <= even.P {
		t.Errorf("10 of 12 in one class: p %g, want %g", g.P, want)
	}
	for _, c := range []struct {
		captures []Capture
		world    *World
		want     bool
	}{{nil, nil, false}, {captures, nil, true}, {captures[9:], nil, false}, {captures[9:], &World{}, true}} {
		if got := againstConstant(c.world, c.captures); got != c.want {
			t.Errorf("%d captures, world %v: %t", len(c.captures), c.world, got)
		}
	}
}

// Splits that hold days apart get their interval over days: one of Clopper and Pearson for clusters, since a bootstrap of two to
// ten groups covers 50 to 90 % where it says 95.
func TestSummarizeClusters(t *testing.T) {
	var cells []*Cell
	var captures []Capture
	for fold := range 2 {
		c := cellOf("fcn", "ours", "group=day", map[int]string{0: "day-1", 1: "day-2"}[fold], []string{"abcabcaaa", "aaaabcccc"}[fold])
		for i := range c.Predictions {
			id := int64(10*fold + i)
			c.Predictions[i].CaptureID = id
			captures = append(captures, Capture{ID: id, Labels: map[string]string{"day": string(rune('0' + 3*fold + i/3))}})
		}
		cells = append(cells, c)
	}
	g := Summarize(cells, captures)[0]
	k, n := make([]float64, 6), make([]float64, 6)
	for fold, c := range cells {
		for i, p := range c.Predictions {
			day := 3*fold + i/3
			n[day]++
			if p.True == p.Predicted {
				k[day]++
			}
		}
	}
	lo, hi := metrics.ClopperPearsonClustered(k, n, 0.95)
	if g.CILow != lo || g.CIHigh != hi || !(lo < g.Mean && g.Mean < hi) {
		t.Errorf("interval %g - %g around %g, want the one over six days, %g - %g", g.CILow, g.CIHigh, g.Mean, lo, hi)
	}
	// The same again by another seed is no further evidence.
	var twice []*Cell
	for _, c := range cells {
		again := *c
		again.Seed++
		twice = append(twice, c, &again)
	}
	if g := Summarize(twice, captures)[0]; math.Abs(g.CILow-lo) > 1e-12 || math.Abs(g.CIHigh-hi) > 1e-12 {
		t.Errorf("two equal seeds: interval %g - %g, want %g - %g", g.CILow, g.CIHigh, lo, hi)
	}
	// Nothing but right answers leaves the number of days.
	for _, c := range cells {
		for i := range c.Predictions {
			c.Predictions[i].Predicted = c.Predictions[i].True
		}
		c.score([]int{0, 1, 2})
	}
	g = Summarize(cells, captures)[0]
	if a, b := metrics.ClopperPearsonClustered(n, n, 0.95); g.CILow != a || g.CIHigh != b || !(a < 0.85) {
		t.Errorf("all right: interval %g - %g, want %g - %g", g.CILow, g.CIHigh, a, b)
	}
	// Two groups say next to nothing.
	for i := range captures {
		captures[i].Labels = map[string]string{"day": string(rune('0' + i/9))}
	}
	if g = Summarize(cells, captures)[0]; !(g.CILow < 0.3) {
		t.Errorf("two days of right answers only: interval %g - %g", g.CILow, g.CIHigh)
	}
	for spec, want := range map[string]string{"group=day": "day", "group=day:3": "day", "time=hour": "hour", "random:1": "", "official": ""} {
		if got := splitAxis(spec); got != want {
			t.Errorf("%s holds %q apart, want %q", spec, got, want)
		}
	}
}
