package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestMultiRocket compares dilations, biases and features with aeon's; the series and channels that aeon drew are given.
func TestMultiRocket(t *testing.T) {
	type part struct {
		Dilations, Per []int
		BiasSum        float64 `json:"bias_sum"`
	}
	var cases []struct {
		N, C, T, Kernels      int
		Rows, Count, Channels []int
		Pick                  []int
		Features, Sums        [][]float64
		Base, Diff            part
	}
	golden(t, "aeon_multirocket", &cases)
	defer func(v bool) { simd = v }(simd)
	for _, c := range cases {
		for _, fast := range []bool{false, simd} {
			t.Run(fmt.Sprintf("C=%d/T=%d/simd=%v", c.C, c.T, fast), func(t *testing.T) {
				simd = fast
				x := rounded(2*c.N, c.C, c.T)
				half := len(x) / 2
				m := MultiRocket{Kernels: c.Kernels}
				if err := m.Fit(x[:half], c.N, c.C, c.T); err != nil {
					t.Fatal(err)
				}
				d := make([]float32, c.N*c.C*(c.T-1))
				for i := range c.N * c.C {
					differences(x[i*c.T:(i+1)*c.T], d[i*(c.T-1):])
				}
				for _, p := range []struct {
					k    *RocketKernels
					want part
					x    []float32
				}{{&m.Base, c.Base, x[:half]}, {&m.Diff, c.Diff, d}} {
					if !reflect.DeepEqual(p.k.Dilations, p.want.Dilations) || !reflect.DeepEqual(p.k.PerDilation, p.want.Per) {
						t.Fatalf("dilations %v with %v biases, want %v with %v", p.k.Dilations, p.k.PerDilation, p.want.Dilations, p.want.Per)
					}
					if c.C > 1 {
						p.k.Count, p.k.Channels = c.Count, c.Channels
					}
					p.k.fitBiases(p.x, c.Rows[:rocketKernels*len(p.k.Dilations)], 0)
					sum := 0.0
					for _, b := range p.k.Biases {
						sum += float64(b)
					}
					near(t, "sum of biases", []float64{sum}, []float64{p.want.BiasSum}, 1e-6)
				}
				f, err := m.Transform(x[half:], c.N)
				if err != nil {
					t.Fatal(err)
				}
				for i := range c.N {
					var got []float64
					sums := make([]float64, 8)
					for j, v := range f.Row(i) {
						sums[j*8/f.F] += v
					}
					near(t, "sums of features", sums, c.Sums[i], 1e-6)
					for _, p := range c.Pick {
						got = append(got, f.Row(i)[p])
					}
					near(t, fmt.Sprintf("features of series %d", i), got, c.Features[i], 2e-6)
				}
			})
		}
	}
}

// TestPools: a step at a time, as the definition has it, over stretches of any length and values that equal the bias.
func TestPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for trial := range 300 {
		n := 1 + rng.IntN(400)
		level := rng.IntN(4) // from mostly below the bias to mostly above
		var got pool
		var above, index, last, longest int
		for from := 0; from < n; from += 64 {
			var up, down uint64
			for s := from; s < min(n, from+64); s++ {
				switch rng.IntN(5) {
				case 0: // equal
				case 1, 2, 3, 4:
					if rng.IntN(40) < []int{1, 8, 20, 39}[level] {
						up |= 1 << (s - from)
						above, index = above+1, index+s
					} else {
						down |= 1 << (s - from)
						longest, last = max(longest, s-last), s
					}
				}
			}
			got.steps(up, down, int32(from))
		}
		if want := (pool{above: int32(above), last: int32(last), longest: int32(longest), index: int64(index)}); got != want {
			t.Fatalf("trial %d, %d steps: %+v, want %+v", trial, n, got, want)
		}
	}
}

// TestMultiRocketThreads: the same features at any number of threads; with ridge behind it, it tells series apart.
func TestMultiRocketThreads(t *testing.T) {
	const n, T = 60, 100
	x, y := waves(n, T, 3)
	fit := func(threads int) (MultiRocket, Matrix) {
		m := MultiRocket{Kernels: 500, Seed: 4, Threads: threads}
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
	if f.F != m.Made() || f.F != 5*84*2*4 {
		t.Errorf("%d features, %d announced", f.F, m.Made())
	}
	for i, v := range f.X {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("feature %d is %v", i, v)
		}
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
	if err := m.Fit(x[:9], 1, 1, 9); err == nil {
		t.Error("nine steps were fitted")
	}
}
