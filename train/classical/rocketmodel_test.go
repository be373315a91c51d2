package classical

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tiers runs f with plain Go and with each kind of assembly; what the processor lacks is skipped by name, or fails where
// EARSHOT_NEED_TIERS names it.
func tiers(t *testing.T, f func(t *testing.T)) {
	defer func(a, b bool) { simd, simd512 = a, b }(simd, simd512)
	have, have512 := simd, simd512
	for _, tier := range []struct {
		name          string
		simd, simd512 bool
	}{{"generic", false, false}, {"avx2", true, false}, {"avx512", true, true}} {
		t.Run(tier.name, func(t *testing.T) {
			if tier.simd && !have || tier.simd512 && !have512 {
				if slices.Contains(strings.Split(os.Getenv("EARSHOT_NEED_TIERS"), ","), tier.name) {
					t.Fatal("the processor has none of it")
				}
				t.Skip("the processor has none of it")
			}
			simd, simd512 = tier.simd, tier.simd512
			f(t)
		})
	}
}

// TestRocketTiers: every routine gives the same bits on every processor, over edges of its vectors, values that equal a
// bias, and NaN.
func TestRocketTiers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	fill := func(n int) []float32 {
		v := slack(n)
		for i := range v[:cap(v)] {
			v[:cap(v)][i] = float32(rng.IntN(9)-4) / 4
		}
		if n > 3 {
			v[2] = float32(math.NaN())
			v[3] *= 0x1p-130
		}
		return v
	}
	type result struct {
		count []int32
		pools []pool
		alpha []float32
	}
	for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 127, 130, 255, 509, rocketStretch - 1, rocketStretch} {
		u, v := fill(n + 3)[3:], fill(n + 5)[5:]
		biases := fill(9)[4:]
		biases[0] = 0
		for _, d := range []int{1, 3} {
			b := rocketBuffer{pad: 4 * d, one: fill(n + 8*d)}
			for k := 0; k <= len(biases); k++ {
				var first *result
				tiers(t, func(t *testing.T) {
					r := result{count: make([]int32, k), pools: make([]pool, k), alpha: slack(n)}
					above(u, v, biases[:k], r.count)
					new(convolved).pooled(u, v, biases[:k], r.pools, 70, 70+n+n%2)
					b.alpha(r.alpha, 0, d, k%2)
					add(r.alpha, v)
					if first == nil {
						first = &r
					} else if fmt.Sprint(r) != fmt.Sprint(*first) {
						t.Errorf("n=%d k=%d: %v, want %v", n, k, r, *first)
					}
				})
			}
		}
	}
}

// TestRocket: both models tell series of two channels apart, with the same bits at any number of threads and on any
// processor, and refuse what they cannot take.
func TestRocket(t *testing.T) {
	const n, T = 60, 60
	one, y := waves(n, T, 3)
	x := Matrix{N: n, F: 2 * T}
	for i := range n {
		for _, v := range one[i*T : (i+1)*T] {
			x.X = append(x.X, float64(v))
		}
		for s := range T {
			x.X = append(x.X, float64(s%(i%5+2)))
		}
	}
	train, test := Matrix{N: 40, F: x.F, X: x.X[:40*x.F]}, Matrix{N: 20, F: x.F, X: x.X[40*x.F:]}
	for _, name := range []string{"minirocket", "multirocket"} {
		var first []float64
		var features []float32
		tiers(t, func(t *testing.T) {
			for _, threads := range []string{"1", "3"} {
				m := fitted(t, name, map[string]string{"n_kernels": "500", "channels": "2", "n_jobs": threads, "random_state": "3"}, train, y[:40], 3)
				d, columns := m.(Decider).Decision(test)
				if columns != 3 || len(d) != 3*test.N {
					t.Fatalf("%s: %d values in %d columns", name, len(d), columns)
				}
				f, err := m.(*Rocket).transform(single(test.X), test.N)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first, features = d, f.x
				}
				if !slices.Equal(f.x, features) {
					t.Errorf("%s: other features", name)
				}
				if simd { // the ridge's products are summed in another order
					near(t, name, d, first, 1e-4)
				} else if !reflect.DeepEqual(d, first) {
					t.Errorf("%s: %s threads change the answer", name, threads)
				}
				if a := accuracy(m.Predict(test), y[40:]); a < 0.9 {
					t.Errorf("%s: accuracy %v", name, a)
				}
			}
		})
		c, err := New(name, map[string]string{"channels": "7"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Fit(x, y, 3); err == nil || !strings.Contains(err.Error(), name+": 120 values of a row are not 7 channels") {
			t.Errorf("seven channels: %v", err)
		}
	}
}

// TestRocketDamaged changes one array of a good model at a time.
func TestRocketDamaged(t *testing.T) {
	x, y := formula(30, 40, 3, 411, 2, 0)
	for _, name := range []string{"minirocket", "multirocket"} {
		for part, want := range map[string]string{"base_dilations": "base_dilations", "base_per_dilation": "base_biases", "base_channels": "base_channels", "base_count": "base_c", "feature_scale": "feature_scale", "weight": "weight", "base_shape": "base_"} {
			var s state
			fitted(t, name, map[string]string{"n_kernels": "168", "channels": "2"}, x, y, 3).(*Rocket).state(&s)
			damaged := state{byName: map[string]array{}}
			for _, a := range s.list {
				if a.name == part {
					if a.i64 != nil {
						a.i64 = append([]int64{}, a.i64...)
						a.i64[len(a.i64)-1] += 1 << 8
						if part == "base_shape" {
							a.i64[len(a.i64)-1] = 3
						}
					} else {
						a.f64 = a.f64[1:]
					}
				}
				damaged.byName[a.name] = a
			}
			c, _ := New(name, nil)
			if c.(*Rocket).state(&damaged); damaged.err == nil || !strings.Contains(damaged.err.Error(), want) {
				t.Errorf("%s, %s: %v", name, part, damaged.err)
			}
		}
	}
}

// BenchmarkRocket is what testdata/bench_aeon.py sets beside aeon: series of N x T steps to features, and the ridge on them.
func BenchmarkRocket(b *testing.B) {
	const T, k = 6000, 3
	for _, n := range []int{20, 1000} {
		rng := rand.New(rand.NewPCG(1, 1))
		x, y := make([]float32, n*T), make([]int, n)
		for i := range x {
			y[i/T] = i / T % k
			x[i] = float32(rng.NormFloat64() + 0.2*math.Sin(float64(i%T*(y[i/T]+3))/40))
		}
		for _, multi := range []bool{false, true} {
			m := Rocket{Multi: multi}
			run := func(op string, n int, f func() error) {
				b.Run(fmt.Sprintf("model=%s/op=%s/N=%d/T=%d", m.name(), op, n, T), func(b *testing.B) {
					for b.Loop() {
						if err := f(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(n*T)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
				})
			}
			fit := func() error {
				if multi {
					return m.multi.Fit(x, n, 1, T)
				}
				return m.mini.Fit(x, n, 1, T)
			}
			var f singles
			transform := func() (err error) {
				f, err = m.transform(x, n)
				return err
			}
			r := Ridge{Alphas: RocketAlphas}
			ridge := func() error {
				if f.n == 0 { // asked for alone
					if err := errors.Join(fit(), transform()); err != nil {
						return err
					}
				}
				s := Scaler{KeepMean: true}
				s.fit(f.table(), 0)
				return r.fit(f.table(), y, k, &s)
			}
			run("fit", n, fit)
			run("transform", n, func() error {
				if len(m.mini.Biases)+len(m.multi.Base.Biases) == 0 {
					if err := fit(); err != nil {
						return err
					}
				}
				return transform()
			})
			run("ridge", n, ridge)
			f = singles{}
		}
	}
}
