package cpu

import (
	"fmt"
	"math"

	"earshot/nets/kernel"
)

// poolChunk is how many steps of a row are pooled at a time: what a chunk needs stays in the fastest cache.
const poolChunk = 1 << 11

func checkPool(p kernel.Pool) {
	if p.PadLeft < 0 || p.PadLeft >= p.K {
		panic(fmt.Sprintf("cpu: max pool: %d steps of padding for a window of %d: some windows would be empty", p.PadLeft, p.K))
	}
}

// surround fills row with steps lo to lo+len(row) of src read through the activation, and with fill where src has none.
func (p pending) surround(k *convTier, row, src []float32, lo, channel int, fill float32) {
	from, to := max(lo, 0), min(lo+len(row), len(src))
	for i := range row[:from-lo] {
		row[i] = fill
	}
	for i := to - lo; i < len(row); i++ {
		row[i] = fill
	}
	scale, shift, floor := p.of(channel)
	k.pack(&row[from-lo], &src[from], scale, shift, floor, to-from, uintptr(4*len(src)))
}

// MaxPool1D implements kernel.Backend.
func (be *Backend) MaxPool1D(p kernel.Pool, y, x kernel.Buf, a kernel.Act) {
	const name = "MaxPool1D"
	checkPool(p)
	ys, xs, act := values(name, "y", y, p.N*p.C*p.T), values(name, "x", x, p.N*p.C*p.T), newPending(name, a, p.C)
	be.eachRow(p.N*p.C, p.T, func(worker, row int) {
		s := &be.scratch[worker]
		s.reset(poolChunk+p.K-1, 1)
		wide := s.take(poolChunk + p.K - 1)
		for t := 0; t < p.T; t += poolChunk {
			n := min(poolChunk, p.T-t)
			act.surround(&be.tier.conv, wide[:n+p.K-1], xs[row*p.T:][:p.T], t-p.PadLeft, row%p.C, float32(math.Inf(-1)))
			be.tier.rows.poolMax(&ys[row*p.T+t], &wide[0], p.K, n)
		}
	})
}

// MaxPool1DBackward implements kernel.Backend. Steps [t, t+n) of dx collect from the windows that hold them, which are
// those of outputs [t+PadLeft-K+1, t+PadLeft+n).
func (be *Backend) MaxPool1DBackward(p kernel.Pool, dx, dy, x kernel.Buf, a kernel.Act, acc bool) {
	const name = "MaxPool1DBackward"
	checkPool(p)
	size := p.N * p.C * p.T
	dxs, dys := values(name, "dx", dx, size), values(name, "dy", dy, size)
	xs, act := values(name, "x", x, size), newPending(name, a, p.C)
	be.eachRow(p.N*p.C, p.T, func(worker, row int) {
		s := &be.scratch[worker]
		s.reset(3*poolChunk+4*(p.K-1), 3)
		wide, arg, d := s.take(poolChunk+2*(p.K-1)), s.take(poolChunk+p.K-1), s.take(poolChunk+p.K-1)
		src, to, from := xs[row*p.T:][:p.T], dxs[row*p.T:][:p.T], dys[row*p.T:][:p.T]
		for t := 0; t < p.T; t += poolChunk {
			n := min(poolChunk, p.T-t)
			first, windows := t+p.PadLeft-p.K+1, n+p.K-1
			act.surround(&be.tier.conv, wide[:windows+p.K-1], src, first-p.PadLeft, row%p.C, float32(math.Inf(-1)))
			be.tier.rows.poolArg(&arg[0], &wide[0], p.K, windows)
			pending{}.surround(&be.tier.conv, d[:windows], from, first, 0, 0) // windows that are no output carry nothing
			if !acc {
				clear(to[t : t+n])
			}
			be.tier.rows.poolBack(&to[t], &arg[0], &d[0], p.K, n)
		}
	})
}

// GlobalAvgPool implements kernel.Backend.
func (be *Backend) GlobalAvgPool(n, c, t int, y, x kernel.Buf, a kernel.Act) {
	const name = "GlobalAvgPool"
	ys, xs, p := values(name, "y", y, n*c), values(name, "x", x, n*c*t), newPending(name, a, c)
	k := &be.tier.rows
	be.eachRow(n*c, t, func(worker, row int) {
		lanes, sum := be.lanes(worker), 0.0
		scale, shift, floor := p.of(row % c)
		for i := row * t; i < (row+1)*t; i += blockValues {
			k.sum(&lanes[0], &xs[i], scale, shift, floor, min(blockValues, (row+1)*t-i))
			for _, v := range lanes[:k.lanes] {
				sum += float64(v)
			}
		}
		ys[row] = float32(sum / float64(t))
	})
}

// GlobalAvgPoolBackward implements kernel.Backend.
func (be *Backend) GlobalAvgPoolBackward(n, c, t int, dx, dy kernel.Buf) {
	const name = "GlobalAvgPoolBackward"
	dxs, dys := values(name, "dx", dx, n*c*t), values(name, "dy", dy, n*c)
	be.eachRow(n*c, t, func(_, r int) {
		row, share := dxs[r*t:][:t], float32(float64(dys[r])/float64(t))
		done := min(t, 16)
		for i := range row[:done] {
			row[i] = share
		}
		for done < t {
			done += copy(row[done:], row[:min(done, blockValues)])
		}
	})
}
