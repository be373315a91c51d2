package classical

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSIMD compares what the processor's vectors compute with plain Go, for lengths with and without remainders.
func TestSIMD(t *testing.T) {
	if !simd {
		t.Skip("no vectors here")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return v
	}
	plain := func(f func()) {
		simd = false
		defer func() { simd = true }()
		f()
	}
	x := []float64{0, math.Copysign(0, -1), 1e-300, -1e-17, -1e-3, -0.34657, -0.34658, -1, -20.7, -87.5, -103.9, -500, -699}
	for range 2000 {
		x = append(x, -700*rng.Float64())
	}
	got := append([]float64{}, x...)
	exps(got, 1)
	for i, v := range x {
		if want := math.Exp(v); math.Abs(got[i]-want) > 1e-15*want {
			t.Errorf("exp(%v) is %v, want %v", v, got[i], want)
		}
	}
	for _, v := range []float64{-701, -1e10, math.Inf(-1)} {
		one := []float64{v}
		if exps(one, 1); one[0] > 1e-300 {
			t.Errorf("exp(%v) is %v", v, one[0])
		}
	}
	for f := 3; f < 20; f++ {
		for m := 1; m < 7; m++ {
			q, b := normal(f), normal(m*f)
			for _, metric := range []Metric{Euclidean, Manhattan} {
				got, want := make([]float64, m), make([]float64, m)
				rowDistances(metric, q, b, math.Inf(1), got)
				plain(func() { rowDistances(metric, q, b, math.Inf(1), want) })
				near(t, "distances", got, want, 1e-14)
			}
		}
	}
	for n := 1; n < 10; n++ {
		for m := 1; m < 30; m++ {
			k := 1 + (n*m)%9
			a, b, want := normal(n*k), normal(m*k), make([]float64, n*m)
			plain(func() { products(a, n, b, m, k, want) })
			var p panelProducts
			p.rows(normal(30), 3, 10) // what is left of another block
			p.with(normal(400), 40)
			p.rows(a, n, k)
			c, stride := p.with(b, m)
			for i := range n {
				near(t, "products with panels", c[i*stride:i*stride+m], want[i*m:(i+1)*m], 1e-13)
			}
		}
	}
	for n := 1; n < 30; n++ {
		machine := func() *smo {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			s := &smo{rows: &kernelRows{rows: make([][]float32, n)}, y: make([]float64, n), c: make([]float64, n), diag: make([]float64, n), alpha: make([]float64, n),
				v: make([]float64, n), up: make([]float64, n), low: make([]float64, n), active: make([]int32, n), size: n}
			for i := range n {
				s.rows.rows[i] = make([]float32, n)
				for j := range n {
					s.rows.rows[i][j] = r.Float32()
				}
				s.y[i], s.c[i], s.diag[i], s.alpha[i], s.v[i], s.active[i] = float64(1-2*r.IntN(2)), 1, 1, float64(r.IntN(3))/2, r.NormFloat64(), int32(i)
				if i > 0 && i%5 == 0 { // equal values: the last one counts
					s.v[i], s.y[i], s.alpha[i] = s.v[i-1], s.y[i-1], s.alpha[i-1]
				}
				s.bound(i)
			}
			return s
		}
		a, b := machine(), machine()
		for i := range n {
			a.eps, b.eps = 0.01, 0.01
			ja := a.second(i)
			top := a.move(a.rows.rows[i], a.rows.rows[n-1-i], 0.3, -0.2)
			plain(func() {
				if jb := b.second(i); ja != jb {
					t.Errorf("%d rows, first %d: second is %d, want %d", n, i, ja, jb)
				}
				if want := b.move(b.rows.rows[i], b.rows.rows[n-1-i], 0.3, -0.2); top != want || top != a.top() {
					t.Errorf("%d rows: next is %d, want %d", n, top, want)
				}
			})
			near(t, "v", a.v, b.v, 1e-12)
		}
	}
}
