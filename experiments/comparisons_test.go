package experiments

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"earshot/train/metrics"
)

// What the study prints follows from what it prints (EC-50): its intervals are those of the unpaired t test.
func TestPublishedRequests(t *testing.T) {
	p := Requests.Published.Requests
	if len(p.Models) != 18 || len(p.Bins) != 7 {
		t.Fatalf("%d models, %d rows of bins", len(p.Models), len(p.Bins))
	}
	for _, want := range []struct {
		a, b         string
		p, low, high float64
	}{{"tcptrace", "combined", 0.427, -0.4869, 0.2069}, {"sizes", "histogram", 0, -1.23, -0.17}} {
		a, _ := p.ablation(want.a)
		b, _ := p.ablation(want.b)
		d, err := metrics.StudentT(sample(a.Mean, a.SD, 100), sample(b.Mean, b.SD, 100), level)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(100*d.CILow-want.low) > 0.006 || math.Abs(100*d.CIHigh-want.high) > 0.006 || want.p > 0 && math.Abs(d.P-want.p) > 0.0006 {
			t.Errorf("%s - %s: p %.4f, %.4f to %.4f; printed %+v", want.a, want.b, d.P, 100*d.CILow, 100*d.CIHigh, want)
		}
	}
	for _, m := range p.Confusion { // each row is 26 test captures; the diagonal gives the accuracy of Table II
		right := 0.0
		for i, row := range m.Counts {
			sum := 0.0
			for _, v := range row {
				sum += v
			}
			right += row[i]
			if math.Abs(sum-26) > 0.011 {
				t.Errorf("%s: row %s adds up to %.2f", m.Set, m.Classes[i], sum)
			}
		}
		if best, _ := p.Model(m.Set, "forest"); math.Abs(right/156-best.Mean) > 0.0001 {
			t.Errorf("%s: the matrix gives %.4f, Table II %.4f", m.Set, right/156, best.Mean)
		}
	}
}

func TestComparisons(t *testing.T) {
	r := &Run{Manifest: Manifest{Settings: Requests}}
	group := func(right ...int) Group {
		g := Group{NTrain: 40, NTest: 10}
		for i, n := range right {
			c := &Cell{Settings: Settings{Split: fmt.Sprint("s", i)}}
			for k := range 10 {
				c.Predictions = append(c.Predictions, Prediction{Predicted: map[bool]int{true: 0, false: 1}[k < n]})
			}
			c.Accuracy = float64(n) / 10
			g.Cells = append(g.Cells, c)
		}
		return g
	}
	a, b := group(9, 8, 7, 9), group(6, 8, 5)
	c := compareGroups(featureFold{}, "sets", a, b)
	x, y := []float64{0.9, 0.8, 0.7}, []float64{0.6, 0.8, 0.5} // the fourth split has no twin
	if !reflect.DeepEqual(c.x, x) || !reflect.DeepEqual(c.y, y) {
		t.Fatalf("pairs %v %v", c.x, c.y)
	}
	want := map[string]metrics.Test{}
	want["student"], _ = metrics.StudentT(x, y, level)
	want["welch"], _ = metrics.Welch(x, y, level)
	want["paired"], _ = metrics.PairedT(x, y, level)
	want["corrected"], _ = metrics.Corrected(x, y, 40, 10, level)
	want["wilcoxon"], _ = metrics.Wilcoxon(x, y, level)
	want["sign"], _ = metrics.Sign(x, y, level)
	want["mcnemar"], _ = metrics.McNemar(3, 0, 10, level)
	for _, test := range c.tests {
		if fmt.Sprint(test.Test) != fmt.Sprint(want[test.name]) {
			t.Errorf("%s: %v, want %v", test.name, test.Test, want[test.name])
		}
	}
	if n := len(c.tests); n != 7 {
		t.Errorf("%d tests", n)
	}
	if one := compareGroups(featureFold{}, "sets", group(9), group(6)); !math.IsNaN(one.tests[0].P) || math.IsNaN(one.tests[6].P) {
		t.Errorf("one split: %v", one.tests)
	}
	if got := r.setNames(); !slices.Equal(got, []string{"tcptrace", "histogram", "combined"}) {
		t.Errorf("sets %v", got)
	}
}
