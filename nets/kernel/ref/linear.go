package ref

import (
	"fmt"
	"math"

	"earshot/nets/kernel"
)

// Linear computes y = Curve(x wᵀ + b).
func (b *Backend) Linear(p kernel.Linear, y, x, w, bias kernel.Buf) {
	const name = "linear"
	ys, xs := values(name, "y", y, p.N*p.F), values(name, "x", x, p.N*p.C) // (N, F), (N, C)
	ws, bs := values(name, "w", w, p.F*p.C), values(name, "b", bias, p.F)  // (F, C), (F)
	b.parallel(p.N, func(n int) {
		row := xs[n*p.C:][:p.C]
		for f := range p.F {
			sum := float64(bs[f])
			for c, v := range row {
				sum += float64(v) * float64(ws[f*p.C+c])
			}
			ys[n*p.F+f] = float32(curve(p.Curve, sum))
		}
	})
}

// LinearBackward computes, with dz = dy * the curve's slope, dx = dz w (unless dx is None), dw = dzᵀ x and db = the column
// sums of dz.
func (b *Backend) LinearBackward(p kernel.Linear, dx, dw, db, dy, y, x, w kernel.Buf) {
	const name = "linear backward"
	dws, dbs := values(name, "dw", dw, p.F*p.C), values(name, "db", db, p.F)
	dys, xs, ws := values(name, "dy", dy, p.N*p.F), values(name, "x", x, p.N*p.C), values(name, "w", w, p.F*p.C)
	dz := func(i int) float64 { return float64(dys[i]) }
	if p.Curve != kernel.Identity {
		ys := values(name, "y", y, p.N*p.F)
		dz = func(i int) float64 { return float64(dys[i]) * slope(p.Curve, float64(ys[i])) }
	}
	b.parallel(p.F, func(f int) {
		var sum float64
		for n := range p.N {
			sum += dz(n*p.F + f)
		}
		dbs[f] = float32(sum)
		for c := range p.C {
			sum = 0
			for n := range p.N {
				sum += dz(n*p.F+f) * float64(xs[n*p.C+c])
			}
			dws[f*p.C+c] = float32(sum)
		}
	})
	if dx.None() {
		return
	}
	dxs := values(name, "dx", dx, p.N*p.C)
	b.parallel(p.N, func(n int) {
		for c := range p.C {
			var sum float64
			for f := range p.F {
				sum += dz(n*p.F+f) * float64(ws[f*p.C+c])
			}
			dxs[n*p.C+c] = float32(sum)
		}
	})
}

// curve is the function itself.
func curve(c kernel.Curve, x float64) float64 {
	switch c {
	case kernel.Identity:
		return x
	case kernel.ReLU:
		if x < 0 { // a NaN stays visible
			return 0
		}
		return x
	case kernel.Logistic:
		return 1 / (1 + math.Exp(-x))
	case kernel.Tanh:
		return math.Tanh(x)
	}
	panic(fmt.Sprintf("ref: no curve %d", c))
}

// slope is the derivative where the curve has the value y.
func slope(c kernel.Curve, y float64) float64 {
	switch c {
	case kernel.ReLU:
		if y > 0 {
			return 1
		}
		return 0
	case kernel.Logistic:
		return y * (1 - y)
	case kernel.Tanh:
		return 1 - y*y
	}
	return 1
}
