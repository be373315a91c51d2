package classical

import (
	"math"
	"reflect"
	"testing"
)

// golf is the training set of C4.5's chapter 1 and 2 (14 days): outlook (sunny, overcast, rain), temperature, humidity,
// windy (true, false); play or don't.
func golf() (Matrix, []int, []int) {
	rows := [][]float64{
		{0, 75, 70, 0}, {0, 80, 90, 0}, {0, 85, 85, 1}, {0, 72, 95, 1}, {0, 69, 70, 1},
		{1, 72, 90, 0}, {1, 83, 78, 1}, {1, 64, 65, 0}, {1, 81, 75, 1},
		{2, 71, 80, 0}, {2, 65, 70, 0}, {2, 75, 80, 1}, {2, 68, 80, 1}, {2, 70, 96, 1},
	}
	y := []int{0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0}
	return Matrix{N: 14, F: 4, X: flat(rows)}, y, []int{3, 0, 0, 2}
}

// TestC45Golf: the numbers of the book's section 2.2 and the tree of its figure 1-2.
func TestC45Golf(t *testing.T) {
	x, y, nominal := golf()
	m := C45{Nominal: nominal}
	if err := m.Fit(x, y, 2); err != nil {
		t.Fatal(err)
	}
	g := &c45Grower{m: &m, x: x, y: y, sorted: make([][]float64, 4)}
	all := make([]int, 14)
	for i := range all {
		all[i] = i
	}
	outlook, windy := g.test(0, all), g.test(3, all)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"info(T)", information([]float64{9, 5}) / 14, 0.940},
		{"gain(outlook)", outlook.gain, 0.246}, {"split info(outlook)", outlook.info, 1.577}, {"gain ratio(outlook)", outlook.gain / outlook.info, 0.156},
		{"gain(windy)", windy.gain, 0.048}, {"split info(windy)", windy.info, 0.985},
	} {
		if math.Abs(c.got-c.want) > 0.001 {
			t.Errorf("%s = %.4f, the book has %.3f", c.name, c.got, c.want)
		}
	}
	want := []C45Node{
		{Feature: 0, First: 1, Children: 3, Class: 0},
		{Feature: 2, First: 4, Children: 2, Class: 1, Threshold: 75}, // sunny: humidity <= 75 plays
		{Feature: -1, Class: 0},                                      // overcast plays
		{Feature: 3, First: 6, Children: 2, Class: 0},                // rain: windy does not
		{Feature: -1, Class: 0}, {Feature: -1, Class: 1}, {Feature: -1, Class: 1}, {Feature: -1, Class: 0},
	}
	if !reflect.DeepEqual(m.Nodes, want) {
		t.Errorf("tree %+v\nwant %+v", m.Nodes, want)
	}
	if got := m.Predict(x); !reflect.DeepEqual(got, y) {
		t.Errorf("predictions %v, want %v", got, y)
	}
}

// TestC45Errors: the limits U25%(E, N) that the book uses in section 4.2 to prune the tree of congressional votes.
func TestC45Errors(t *testing.T) {
	for _, c := range []struct{ e, n, u float64 }{{0, 6, 0.206}, {0, 9, 0.143}, {0, 1, 0.750}, {1, 16, 0.157}} {
		if got := (c.e + addErrors(c.n, c.e, 0.25)) / c.n; math.Abs(got-c.u) > 0.001 {
			t.Errorf("U(%v, %v) = %.4f, the book has %.3f", c.e, c.n, got, c.u)
		}
	}
}

// TestC45Continuous: on continuous data cuts are values that occur, the pruned tree is smaller and holds on new rows.
func TestC45Continuous(t *testing.T) {
	x, y := formula(400, 6, 3, 301, 1, 0)
	xt, yt := formula(200, 6, 3, 301, 1, 400)
	full, pruned := C45{Confidence: 1}, C45{}
	for _, m := range []*C45{&full, &pruned} {
		if err := m.Fit(x, y, 3); err != nil {
			t.Fatal(err)
		}
		if a := accuracy(m.Predict(xt), yt); a < 0.4 {
			t.Errorf("accuracy %v", a)
		}
	}
	leaves := func(m *C45) (n int) {
		var walk func(id int)
		walk = func(id int) {
			v := m.Nodes[id]
			if v.Feature < 0 {
				n++
				return
			}
			found := false
			for i := range x.N {
				found = found || x.X[i*x.F+int(v.Feature)] == v.Threshold
			}
			if !found {
				t.Errorf("threshold %v does not occur", v.Threshold)
			}
			for c := range v.Children {
				walk(int(v.First + c))
			}
		}
		walk(0)
		return n
	}
	if a, b := leaves(&full), leaves(&pruned); b >= a {
		t.Errorf("%d leaves pruned to %d", a, b)
	}
	if err := (&C45{Nominal: []int{2, 0, 0, 0, 0, 0}}).Fit(x, y, 3); err == nil {
		t.Error("a nominal value of 0.5 was taken")
	}
}
