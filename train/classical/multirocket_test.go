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
	for _, c := range cases {
		t.Run(fmt.Sprintf("C=%d/T=%d", c.C, c.T), func(t *testing.T) {
			tiers(t, func(t *testing.T) {
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
		})
	}
}

// TestPools: a step at a time, as the definition has it, over any number of steps and values that equal the bias.
func TestPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for trial := range 400 {
		n := 1 + rng.IntN(1200)
		if trial < 70 {
			n = 1 + trial
		}
		rare := []int{1, 2, 20, 200}[rng.IntN(4)] // the steps between two on the rarer side
		sign := float32(1 - 2*rng.IntN(2))
		u, v, bias := slack(n), slack(n), []float32{0.5}
		var want pool
		var last, longest int
		for s := range n {
			u[s] = sign + bias[0]
			if rng.IntN(rare) == 0 {
				u[s] = bias[0] + sign*float32(rng.IntN(2)-1)
			}
			switch c := u[s]; {
			case c > bias[0]:
				want.above, want.index, want.sum = want.above+1, want.index+int64(s), want.sum+float64(c)
			case c < bias[0]:
				longest, last = max(longest, s-last), s
			}
		}
		longest = max(longest, n-1-last)
		var w convolved
		got := make([]pool, 1)
		for from := 0; from < n; {
			to := min(n, from+1+rng.IntN(300))
			w.pooled(u[from:to], v[from:to], bias, got, from, n)
			from = to
		}
		distance := min(n-1, int(got[0].large)+1)
		if got[0].run, got[0].large = 0, 0; got[0] != want || distance != longest {
			t.Fatalf("trial %d, %d steps: %+v and distance %d, want %+v and %d", trial, n, got[0], distance, want, longest)
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
