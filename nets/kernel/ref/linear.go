package ref

import "earshot/nets/kernel"

// Linear computes y = x wᵀ + b.
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
			ys[n*p.F+f] = float32(sum)
		}
	})
}

// LinearBackward computes dx = dy w (unless dx is None), dw = dyᵀ x and db = the column sums of dy.
func (b *Backend) LinearBackward(p kernel.Linear, dx, dw, db, dy, x, w kernel.Buf) {
	const name = "linear backward"
	dws, dbs := values(name, "dw", dw, p.F*p.C), values(name, "db", db, p.F)
	dys, xs, ws := values(name, "dy", dy, p.N*p.F), values(name, "x", x, p.N*p.C), values(name, "w", w, p.F*p.C)
	b.parallel(p.F, func(f int) {
		var sum float64
		for n := range p.N {
			sum += float64(dys[n*p.F+f])
		}
		dbs[f] = float32(sum)
		for c := range p.C {
			sum = 0
			for n := range p.N {
				sum += float64(dys[n*p.F+f]) * float64(xs[n*p.C+c])
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
				sum += float64(dys[n*p.F+f]) * float64(ws[f*p.C+c])
			}
			dxs[n*p.C+c] = float32(sum)
		}
	})
}
