package classical

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// formula is testdata/gen_sklearn.py's data: n rows from row start on, f features, k classes in turn, sep times the
// class's offset in the first half of the features. Every value is a multiple of 2^-20, exact in single precision.
func formula(n, f, k int, seed uint64, sep float64, start int) (Matrix, []int) {
	bits := func(s uint64, i, j int) float64 {
		v := s<<40 + uint64(i)<<20 + uint64(j) + 0x9e3779b97f4a7c15
		v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
		v = (v ^ v>>27) * 0x94d049bb133111eb
		return float64((v ^ v>>31) >> 44)
	}
	x, y := Matrix{N: n, F: f, X: make([]float64, n*f)}, make([]int, n)
	for r := range n {
		i := start + r
		y[r] = i % k
		for j := range f {
			v := bits(seed, i, j) + bits(seed+1, i, j) + bits(seed+2, i, j)
			if j < (f+1)/2 {
				v += sep * bits(seed+3, y[r], j)
			}
			x.X[r*f+j] = v / (1 << 20)
		}
	}
	return x, y
}

// thin leaves a ninth of class 0, for tests of class weights.
func thin(x Matrix, y []int) (Matrix, []int) {
	var rows, c []int
	for i, v := range y {
		if v > 0 || i%9 == 0 {
			rows, c = append(rows, i), append(c, v)
		}
	}
	return x.Rows(rows), c
}

// golden reads testdata/NAME.json into cases.
func golden(t *testing.T, name string, cases any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &struct{ Cases any }{cases}); err != nil {
		t.Fatal(err)
	}
}

// fitted makes and fits a model.
func fitted(t *testing.T, name string, set map[string]string, x Matrix, y []int, k int) Classifier {
	t.Helper()
	c, err := New(name, set)
	if err == nil {
		err = c.Fit(x, y, k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// near compares with a tolerance relative to values beyond 1.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	bad := 0
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tol*max(1, math.Abs(want[i]))) {
			if bad++; bad <= 3 {
				t.Errorf("%s: value %d is %v, want %v (off by %.3g)", what, i, got[i], want[i], d)
			}
		}
	}
	if bad > 3 {
		t.Errorf("%s: %d of %d values differ", what, bad, len(got))
	}
}

func flat(v [][]float64) []float64 {
	var out []float64
	for _, r := range v {
		out = append(out, r...)
	}
	return out
}

func accuracy(a, b []int) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}
