package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// rounded is the formula's data in multiples of 1/256: every sum of a kernel is exact in single precision, so that features
// can be compared to the last count.
func rounded(n, c, t int) []float32 {
	x, _ := formula(n, c*t, 3, 701, 1, 0)
	out := make([]float32, len(x.X))
	for i, v := range x.X {
		out[i] = float32(math.RoundToEven(v*256) / 256)
	}
	return out
}

// TestMiniRocket compares dilations, biases and features with aeon's; the series and channels that aeon drew are given.
func TestMiniRocket(t *testing.T) {
	var cases []struct {
		N, C, T, Kernels      int
		Rows, Count, Channels []int
		Dilations, Per, Pick  []int
		Biases                []float64
		BiasSum               float64 `json:"bias_sum"`
		Features              [][]float64
		RowSums               []float64 `json:"row_sums"`
	}
	golden(t, "aeon_minirocket", &cases)
	for _, c := range cases {
		t.Run(fmt.Sprintf("C=%d/T=%d", c.C, c.T), func(t *testing.T) {
			tiers(t, func(t *testing.T) {
				x := rounded(2*c.N, c.C, c.T)
				half := len(x) / 2
				m := MiniRocket{Features: c.Kernels}
				if err := m.Fit(x[:half], c.N, c.C, c.T); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(m.Dilations, c.Dilations) || !reflect.DeepEqual(m.PerDilation, c.Per) {
					t.Fatalf("dilations %v with %v features, want %v with %v", m.Dilations, m.PerDilation, c.Dilations, c.Per)
				}
				if c.C > 1 {
					m.Count, m.Channels = c.Count, c.Channels
				}
				m.fitBiases(x[:half], c.Rows, 0)
				sum := 0.0
				for _, b := range m.Biases {
					sum += float64(b)
				}
				near(t, "sum of biases", []float64{sum}, []float64{c.BiasSum}, 1e-6)
				for i, p := range c.Pick {
					near(t, fmt.Sprintf("bias %d", p), []float64{float64(m.Biases[p])}, c.Biases[i:i+1], 1e-6)
				}
				f, err := m.Transform(x[half:], c.N)
				if err != nil {
					t.Fatal(err)
				}
				for i := range c.N {
					total := 0.0
					for _, v := range f.Row(i) {
						total += v
					}
					near(t, "sum of features", []float64{total}, c.RowSums[i:i+1], 1e-6)
					var got []float64
					for _, p := range c.Pick {
						got = append(got, f.Row(i)[p])
					}
					near(t, fmt.Sprintf("features of series %d", i), got, c.Features[i], 1e-6)
				}
			})
		})
	}
}

// waves is n noisy sines of T steps, the frequency of which is their class.
func waves(n, T, k int) ([]float32, []int) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float32, n*T), make([]int, n)
	for i := range n {
		y[i] = i % k
		phase := 6 * rng.Float64()
		for s := range T {
			x[i*T+s] = float32(math.Sin(float64(s)*(0.3+0.1*float64(y[i]))+phase) + 0.5*rng.NormFloat64())
		}
	}
	return x, y
}

// TestMiniRocketThreads: the same features at any number of threads; with ridge behind it, it tells series apart.
func TestMiniRocketThreads(t *testing.T) {
	const n, T = 60, 100
	x, y := waves(n, T, 3)
	fit := func(threads int) (MiniRocket, Matrix) {
		m := MiniRocket{Features: 1000, Seed: 4, Threads: threads}
		if err := m.Fit(x, n, 1, T); err != nil {
			t.Fatal(err)
		}
		f, err := m.Transform(x, n)
		if err != nil {
			t.Fatal(err)
		}
		m.Threads = 0
		return m, f
	}
	m, f := fit(1)
	if o, g := fit(3); !reflect.DeepEqual(m, o) || !reflect.DeepEqual(f, g) {
		t.Error("threads change biases or features")
	}
	var train, test []int
	for i := range n {
		if i < 40 {
			train = append(train, i)
		} else {
			test = append(test, i)
		}
	}
	p := Pipeline{Scaler: Scaler{KeepMean: true}, Model: &Ridge{Alphas: RocketAlphas}}
	if err := p.Fit(f.Rows(train), pick(y, train), 3); err != nil {
		t.Fatal(err)
	}
	if a := accuracy(p.Predict(f.Rows(test)), pick(y, test)); a < 0.9 {
		t.Errorf("accuracy %v", a)
	}
	if _, err := m.Transform(x[1:], n); err == nil {
		t.Error("a series with a step missing was transformed")
	}
	if err := m.Fit(x[:8], 1, 1, 8); err == nil {
		t.Error("eight steps were fitted")
	}
}

// TestProducts: the SIMD tile against plain sums, over edges of rows and depth.
func TestProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, s := range [][3]int{{1, 1, 8}, {3, 4, 52}, {4, 5, 9}, {7, 11, 31}, {2, 3, 3}} {
		n, m, k := s[0], s[1], s[2]
		a, b, c, want := make([]float64, n*k), make([]float64, m*k), make([]float64, n*m), make([]float64, n*m)
		for _, v := range [][]float64{a, b} {
			for i := range v {
				v[i] = rng.NormFloat64()
			}
		}
		for i := range n {
			for j := range m {
				for t := range k {
					want[i*m+j] += a[i*k+t] * b[j*k+t]
				}
			}
		}
		products(a, n, b, m, k, c)
		near(t, fmt.Sprint(s), c, want, 1e-12)
	}
	const n, k = 101, 1100
	x, g := make([]float64, n*k), make([]float64, n*n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	gram(n, k, func(i, from, to int, out []float64) { copy(out, x[i*k+from:i*k+to]) }, g, 2)
	for _, p := range [][2]int{{0, 0}, {3, 100}, {47, 48}, {100, 100}} {
		near(t, fmt.Sprint(p), g[p[0]*n+p[1]:p[0]*n+p[1]+1], []float64{dot(x[p[0]*k:p[0]*k+k], x[p[1]*k:p[1]*k+k])}, 1e-10)
	}
}
