package experiments

import (
	"earshot/data/dataset/npz"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// formulaSeries is the series of testdata/gen_correlation.py.
func formulaSeries() *Series {
	const n, t, k = 7, 40, 3
	s := &Series{N: n, C: 1, T: t, Classes: []string{"a", "b", "c"}, StepUS: 100_000}
	for i := range n {
		s.Y = append(s.Y, i%k)
		for j := range t {
			v := (j*j + 7*i*j + 13*(i%k)) % 17 * (1 + (j+3*(i%k))%5)
			if i == 5 {
				v = 4
			}
			s.X = append(s.X, float32(v))
		}
	}
	return s
}

func TestCorrelateEqualsNumPy(t *testing.T) {
	b, err := os.ReadFile("testdata/correlation.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Captures, Songs, Max, Lag [][]*float64
		Within, Between           float64
		Cut                       int
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	got := Correlate(formulaSeries())
	same := func(name string, a [][]float64, b [][]*float64) {
		t.Helper()
		if len(a) != len(b) {
			t.Fatalf("%s: %d rows, want %d", name, len(a), len(b))
		}
		for i := range a {
			for j, v := range a[i] {
				w := math.NaN()
				if b[i][j] != nil {
					w = *b[i][j]
				}
				if math.IsNaN(v) != math.IsNaN(w) || math.Abs(v-w) > 1e-12 {
					t.Errorf("%s[%d][%d] = %v, NumPy has %v", name, i, j, v, w)
				}
			}
		}
	}
	same("captures", got.Captures, want.Captures)
	same("songs", got.Songs, want.Songs)
	same("max", got.Max, want.Max)
	same("lag", got.Lag, want.Lag)
	if got.Cut != want.Cut || math.Abs(got.Within-want.Within) > 1e-12 || math.Abs(got.Between-want.Between) > 1e-12 {
		t.Errorf("cut %d, within %v, between %v; NumPy has %d, %v, %v", got.Cut, got.Within, got.Between, want.Cut, want.Within, want.Between)
	}
}

// A series delayed by 3 steps is found at a lag of +3 steps, and the other way round at -3.
func TestLagSign(t *testing.T) {
	s := &Series{N: 2, C: 1, T: 50, Y: []int{0, 1}, Classes: []string{"late", "early"}, StepUS: 10_000, X: make([]float32, 100)}
	for _, t := range []int{5, 6, 20, 31} {
		s.X[t+3], s.X[50+t] = 100, 100
	}
	c := Correlate(s)
	if c.Lag[0][1] != 0.03 || c.Lag[1][0] != -0.03 {
		t.Errorf("lags %v and %v s, want 0.03 and -0.03", c.Lag[0][1], c.Lag[1][0])
	}
	if c.Max[0][1] < 0.95 || c.Songs[0][1] > 0.5 {
		t.Errorf("largest correlation %v, at lag 0 %v", c.Max[0][1], c.Songs[0][1])
	}
}

func TestReadSeries(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "series.npz")
	good := map[string]npz.Array{
		"X": npz.Float32([]float32{1, 2, 3, 4, 5, 6}, 2, 1, 3), "y": npz.Int64([]int64{0, 1}), "classes": npz.Strings([]string{"a", "b"}),
		"step_us": npz.Scalar(1000),
	}
	write := func(change string, to npz.Array) {
		var all []npz.Named
		for _, name := range slices.Sorted(maps.Keys(good)) {
			a := good[name]
			if name == change {
				a = to
			}
			all = append(all, npz.Named{Name: name, Array: a})
		}
		if err := npz.Write(path, all...); err != nil {
			t.Fatal(err)
		}
	}
	write("", npz.Array{})
	s, err := ReadSeries(path)
	if err != nil || s.N != 2 || s.T != 3 || s.Row(1)[2] != 6 || s.Classes[s.Y[1]] != "b" || s.StepUS != 1000 {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, bad := range map[string]npz.Array{
		"X": npz.Float32([]float32{1, 2}, 2, 1), "y": npz.Int64([]int64{0, 2}), "step_us": npz.Scalar(0),
	} {
		write(name, bad)
		if _, err := ReadSeries(path); err == nil || !strings.Contains(err.Error(), "series.npz: array "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClassCorrelation(t *testing.T) {
	s := &Series{N: 4, C: 1, T: 4, Classes: []string{"a", "b"}, Y: []int{0, 1, 0, 1}, StepUS: 500_000,
		X: []float32{1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 5, 5, 5, 5}}
	c := correlateCaptures(s)
	// The last capture is constant and has no correlation, so class b has one capture without a like.
	for k, want := range [][3]float64{{1, -1. / 3, 1}, {math.NaN(), -1. / 3, 0}} {
		in, out, nearest := c.class(k)
		for i, v := range []float64{in, out, nearest} {
			if math.Abs(v-want[i]) > 1e-12 || math.IsNaN(v) != math.IsNaN(want[i]) {
				t.Errorf("class %d: %v, want %v", k, []float64{in, out, nearest}, want)
			}
		}
	}
	if g := s.coarser(secondUS); g.T != 2 || !slices.Equal(g.X, []float32{1, 0, 0, 1, 2, 0, 10, 10}) || g.StepUS != secondUS {
		t.Errorf("coarser: %+v", g)
	}
	if g := s.coarser(750_000); g != nil {
		t.Errorf("500 ms in 750 ms: %+v", g)
	}
}
