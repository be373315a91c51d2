package cpu

import (
	"math"

	"earshot/nets/kernel"
)

// bnParts is how the work of batch norm is cut: items of a few rows of one channel, whose partial sums are added in
// order.
type bnParts struct {
	kernel.BN
	rows, parts int // rows of the batch in an item; items of a channel
}

func cutBN(p kernel.BN) bnParts {
	rows := min(max(1, itemValues/max(p.T, 1)), max(p.N, 1))
	return bnParts{p, rows, ceilDiv(p.N, rows)}
}

// bnItem works on part i of channel c: rows [from, to) of the batch.
type bnItem func(worker, c, i, from, to int)

func (b bnParts) item(worker, c, i int, f bnItem) { f(worker, c, i, i*b.rows, min(b.N, (i+1)*b.rows)) }

// run calls f for every item.
func (b bnParts) run(be *Backend, f bnItem) {
	be.pool.Run(b.C*b.parts, func(worker, item int) { b.item(worker, item/b.parts, item%b.parts, f) })
}

// runBoth calls first for every item, and second once first has seen the whole channel. Where there are channels to
// spare a worker does both on one channel, the second backwards: much of it is still in the cache.
func (b bnParts) runBoth(be *Backend, first, second bnItem) {
	if b.C < 4*be.pool.Threads() {
		b.run(be, first)
		b.run(be, second)
		return
	}
	be.pool.Run(b.C, func(worker, c int) {
		for i := range b.parts {
			b.item(worker, c, i, first)
		}
		for i := b.parts - 1; i >= 0; i-- {
			b.item(worker, c, i, second)
		}
	})
}

// at is where channel c of row n starts.
func (b bnParts) at(n, c int) int { return (n*b.C + c) * b.T }

// partials is room for two sums of every item: item (c, i) owns [2*(c*parts+i)].
func (b bnParts) partials(be *Backend) []float64 {
	if n := 2 * b.C * b.parts; cap(be.sums) < n {
		be.sums = make([]float64, n)
	}
	return be.sums[:2*b.C*b.parts]
}

// total adds the two sums of channel c over its items.
func (b bnParts) total(partials []float64, c int) (first, second float64) {
	for i := range b.parts {
		first += partials[2*(c*b.parts+i)]
		second += partials[2*(c*b.parts+i)+1]
	}
	return first, second
}

// BatchNormStats implements kernel.Backend. Sums are double and start from the channel's first value, which makes the
// variance of a constant channel 0; where that value is an outlier, the mean may still be 10^5 standard deviations off it.
func (be *Backend) BatchNormStats(p kernel.BN, x, gamma, beta, runMean, runVar, mean, rstd, scale, shift kernel.Buf) {
	const name = "BatchNormStats"
	xs := values(name, "x", x, p.N*p.C*p.T)
	gs, bs := values(name, "gamma", gamma, p.C), values(name, "beta", beta, p.C)
	rm, rv := values(name, "running mean", runMean, p.C), values(name, "running variance", runVar, p.C)
	ms, rs := values(name, "mean", mean, p.C), values(name, "rstd", rstd, p.C)
	sc, sh := values(name, "scale", scale, p.C), values(name, "shift", shift, p.C)
	b, k := cutBN(p), &be.tier.rows
	partials := b.partials(be)
	b.run(be, func(worker, c, i, from, to int) {
		lanes := be.double[worker]
		clear(lanes)
		var sum, squares float64
		origin := xs[c*p.T]
		whole := p.T / k.lanes * k.lanes
		for n := from; n < to; n++ {
			at := b.at(n, c)
			if whole > 0 {
				k.moments(&lanes[0], &xs[at], origin, whole)
			}
			for _, v := range xs[at+whole : at+p.T] {
				d := float64(v) - float64(origin)
				sum += d
				squares += d * d
			}
		}
		for l := range k.lanes / 2 {
			sum += lanes[l]
			squares += lanes[k.lanes/2+l]
		}
		partials[2*(c*b.parts+i)], partials[2*(c*b.parts+i)+1] = sum, squares
	})
	count := float64(p.N * p.T)
	for c := range p.C {
		sum, squares := b.total(partials, c)
		d := sum / count
		m, variance := float64(xs[c*p.T])+d, max(squares/count-d*d, 0)
		r := 1 / math.Sqrt(variance+float64(p.Eps))
		ms[c], rs[c] = float32(m), float32(r)
		sc[c] = float32(float64(gs[c]) * r)
		sh[c] = float32(float64(bs[c]) - m*float64(gs[c])*r)
		keep := 1 - float64(p.Momentum)
		rm[c] = float32(keep*float64(rm[c]) + float64(p.Momentum)*m)
		rv[c] = float32(keep*float64(rv[c]) + float64(p.Momentum)*variance*count/max(count-1, 1))
	}
}

// BatchNormBackward implements kernel.Backend: one pass for the two sums, one for
//
//	dx = gamma*rstd*(u - sum(u)/M) - gamma*rstd^3*sum(u*(x-mean))/M * (x-mean)
func (be *Backend) BatchNormBackward(p kernel.BN, dx, dz, x, gamma, mean, rstd, scale, shift, dgamma, dbeta kernel.Buf) {
	const name = "BatchNormBackward"
	size := p.N * p.C * p.T
	xs, dzs, dxs := values(name, "x", x, size), values(name, "dz", dz, size), values(name, "dx", dx, size)
	gs, ms, rs := values(name, "gamma", gamma, p.C), values(name, "mean", mean, p.C), values(name, "rstd", rstd, p.C)
	sc, sh := values(name, "scale", scale, p.C), values(name, "shift", shift, p.C)
	dg, db := values(name, "dgamma", dgamma, p.C), values(name, "dbeta", dbeta, p.C)
	b, k := cutBN(p), &be.tier.rows
	partials := b.partials(be)
	mask := func(c int) (float32, float32) {
		if !p.ReLU {
			return 0, 1 // always above 0
		}
		return sc[c], sh[c]
	}
	sums := func(worker, c, i, from, to int) {
		lanes := be.lanes(worker)
		var sum, product float64
		a, s := mask(c)
		for n := from; n < to; n++ {
			at := b.at(n, c)
			for t := 0; t < p.T; t += blockValues {
				k.bnSums(&lanes[0], &dzs[at+t], &xs[at+t], a, s, ms[c], min(blockValues, p.T-t))
				for l := range k.lanes {
					sum += float64(lanes[l])
					product += float64(lanes[k.lanes+l])
				}
			}
		}
		partials[2*(c*b.parts+i)], partials[2*(c*b.parts+i)+1] = sum, product
	}
	count := float64(p.N * p.T)
	apply := func(_, c, _, from, to int) {
		sum, product := b.total(partials, c)
		r, g := float64(rs[c]), float64(gs[c])
		a, s := mask(c)
		for n := from; n < to; n++ {
			at := b.at(n, c)
			for t := 0; t < p.T; t += itemValues {
				k.bnApply(&dxs[at+t], &dzs[at+t], &xs[at+t], a, s, ms[c],
					float32(g*r), float32(-g*r*r*r*product/count), float32(-g*r*sum/count), min(itemValues, p.T-t))
			}
		}
	}
	b.runBoth(be, sums, apply)
	for c := range p.C {
		sum, product := b.total(partials, c)
		dg[c], db[c] = float32(product*float64(rs[c])), float32(sum)
	}
}
