package ref

import (
	"fmt"

	"earshot/nets/kernel"
)

// window is the part of [0, t) that output step i of a pool reads; it is never empty.
func window(p kernel.Pool, i int) (from, to int) {
	return max(0, i-p.PadLeft), min(p.T, i-p.PadLeft+p.K)
}

func checkPool(p kernel.Pool) {
	if p.PadLeft < 0 || p.PadLeft >= p.K || p.K-p.PadLeft < 1 {
		panic(fmt.Sprintf("ref: max pool: %d steps of padding for a window of %d: some windows would be empty", p.PadLeft, p.K))
	}
}

// MaxPool1D computes the maximum of act(x) over each window of K steps.
func (b *Backend) MaxPool1D(p kernel.Pool, y, x kernel.Buf, a kernel.Act) {
	const name = "max pool"
	checkPool(p)
	ys, xs, act := values(name, "y", y, p.N*p.C*p.T), values(name, "x", x, p.N*p.C*p.T), newPending(name, a, p.C)
	b.parallel(p.N*p.C, func(row int) {
		in, out := xs[row*p.T:][:p.T], ys[row*p.T:][:p.T]
		for t := range out {
			_, out[t] = argmax(p, in, act, row%p.C, t)
		}
	})
}

// MaxPool1DBackward routes dy[t] to the first maximum of window t.
func (b *Backend) MaxPool1DBackward(p kernel.Pool, dx, dy, x kernel.Buf, a kernel.Act, acc bool) {
	const name = "max pool backward"
	checkPool(p)
	dxs, dys := values(name, "dx", dx, p.N*p.C*p.T), values(name, "dy", dy, p.N*p.C*p.T)
	xs, act := values(name, "x", x, p.N*p.C*p.T), newPending(name, a, p.C)
	b.parallel(p.N*p.C, func(row int) {
		in, din, dout := xs[row*p.T:][:p.T], dxs[row*p.T:][:p.T], dys[row*p.T:][:p.T]
		if !acc {
			clear(din)
		}
		for t, d := range dout {
			at, _ := argmax(p, in, act, row%p.C, t)
			din[at] += d
		}
	})
}

// argmax finds the first maximum of act(in) within window t of channel c.
func argmax(p kernel.Pool, in []float32, act pending, c, t int) (at int, best float32) {
	from, to := window(p, t)
	at, best = from, act.at(c, in[from])
	for i := from + 1; i < to; i++ {
		if v := act.at(c, in[i]); v > best {
			at, best = i, v
		}
	}
	return at, best
}

// GlobalAvgPool computes y (N, C), the mean of act(x) over time.
func (b *Backend) GlobalAvgPool(n, c, t int, y, x kernel.Buf, a kernel.Act) {
	const name = "global average pool"
	ys, xs, act := values(name, "y", y, n*c), values(name, "x", x, n*c*t), newPending(name, a, c)
	b.parallel(n*c, func(row int) {
		var sum float64
		for _, v := range xs[row*t:][:t] {
			sum += float64(act.at(row%c, v))
		}
		ys[row] = float32(sum / float64(t))
	})
}

// GlobalAvgPoolBackward gives each step of a row the same share dy/T.
func (b *Backend) GlobalAvgPoolBackward(n, c, t int, dx, dy kernel.Buf) {
	const name = "global average pool backward"
	dxs, dys := values(name, "dx", dx, n*c*t), values(name, "dy", dy, n*c)
	b.parallel(n*c, func(row int) {
		share := float32(float64(dys[row]) / float64(t))
		for i := row * t; i < (row+1)*t; i++ {
			dxs[i] = share
		}
	})
}
