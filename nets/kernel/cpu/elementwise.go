package cpu

import (
	"math"

	"earshot/nets/kernel"
)

// AddAct implements kernel.Backend.
func (be *Backend) AddAct(n, c, t int, y, x1 kernel.Buf, a1 kernel.Act, x2 kernel.Buf, a2 kernel.Act, relu bool) {
	const name = "AddAct"
	ys, x1s, x2s := values(name, "y", y, n*c*t), values(name, "x1", x1, n*c*t), values(name, "x2", x2, n*c*t)
	p1, p2 := newPending(name, a1, c), newPending(name, a2, c)
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	be.eachRow(n*c, t, func(_, row int) {
		scale1, shift1, floor1 := p1.of(row % c)
		scale2, shift2, floor2 := p2.of(row % c)
		for i := row * t; i < (row+1)*t; i += itemValues {
			be.tier.rows.add(&ys[i], &x1s[i], &x2s[i], scale1, shift1, floor1, scale2, shift2, floor2, floor, min(itemValues, (row+1)*t-i))
		}
	})
}

// Apply implements kernel.Backend.
func (be *Backend) Apply(n, c, t int, y, x kernel.Buf, a kernel.Act) {
	const name = "Apply"
	ys, xs, p := values(name, "y", y, n*c*t), values(name, "x", x, n*c*t), newPending(name, a, c)
	be.eachRow(n*c, t, func(_, row int) {
		scale, shift, floor := p.of(row % c)
		for i := row * t; i < (row+1)*t; i += itemValues {
			be.tier.conv.pack(&ys[i], &xs[i], scale, shift, floor, min(itemValues, (row+1)*t-i), 1024)
		}
	})
}

// ReLUBackward implements kernel.Backend.
func (be *Backend) ReLUBackward(dx, dy, y kernel.Buf) {
	const name = "ReLUBackward"
	ys := y.Host
	dxs, dys := values(name, "dx", dx, len(ys)), values(name, "dy", dy, len(ys))
	be.eachSpan(len(ys), func(i, n int) { be.tier.rows.positive(&dxs[i], &dys[i], &ys[i], n) })
}

// Accumulate implements kernel.Backend.
func (be *Backend) Accumulate(dst, src kernel.Buf) {
	ds := dst.Host
	ss := values("Accumulate", "src", src, len(ds))
	be.eachSpan(len(ds), func(i, n int) { be.tier.rows.accumulate(&ds[i], &ss[i], n) })
}
