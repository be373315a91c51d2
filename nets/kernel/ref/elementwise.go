package ref

import "earshot/nets/kernel"

// AddAct computes y = act1(x1) + act2(x2), then max(0, .) when relu: the end of a residual block.
func (b *Backend) AddAct(n, c, t int, y, x1 kernel.Buf, a1 kernel.Act, x2 kernel.Buf, a2 kernel.Act, relu bool) {
	const name = "add"
	ys, x1s, x2s := values(name, "y", y, n*c*t), values(name, "x1", x1, n*c*t), values(name, "x2", x2, n*c*t)
	p1, p2, last := newPending(name, a1, c), newPending(name, a2, c), pending{relu: relu}
	b.parallel(n*c, func(row int) {
		for i := row * t; i < (row+1)*t; i++ {
			ys[i] = last.at(0, p1.at(row%c, x1s[i])+p2.at(row%c, x2s[i]))
		}
	})
}

// ReLUBackward computes dx = dy where y > 0, else 0. dx may be dy.
func (b *Backend) ReLUBackward(dx, dy, y kernel.Buf) {
	const name = "relu backward"
	ys := y.Host
	dxs, dys := values(name, "dx", dx, len(ys)), values(name, "dy", dy, len(ys))
	b.parallelSpans(len(ys), func(from, to int) {
		for i := from; i < to; i++ {
			if ys[i] > 0 {
				dxs[i] = dys[i]
			} else {
				dxs[i] = 0
			}
		}
	})
}

// Accumulate adds src to dst.
func (b *Backend) Accumulate(dst, src kernel.Buf) {
	ds := dst.Host
	ss := values("accumulate", "src", src, len(ds))
	b.parallelSpans(len(ds), func(from, to int) {
		for i := from; i < to; i++ {
			ds[i] += ss[i]
		}
	})
}

// Apply stores act(x) in y. y may be x.
func (b *Backend) Apply(n, c, t int, y, x kernel.Buf, a kernel.Act) {
	const name = "apply"
	ys, xs, p := values(name, "y", y, n*c*t), values(name, "x", x, n*c*t), newPending(name, a, c)
	b.parallel(n*c, func(row int) {
		for i := row * t; i < (row+1)*t; i++ {
			ys[i] = p.at(row%c, xs[i])
		}
	})
}
