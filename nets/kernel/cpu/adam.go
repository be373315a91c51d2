package cpu

import (
	"math"

	"earshot/nets/kernel"
)

// Adam implements kernel.Backend.
func (be *Backend) Adam(p kernel.Adam, w, g, m, v kernel.Buf) {
	const name = "Adam"
	ws := w.Host
	gs, ms, vs := values(name, "g", g, len(ws)), values(name, "m", m, len(ws)), values(name, "v", v, len(ws))
	// rate*m/(sqrt(v/debias2)+eps), freed of a division.
	root := math.Sqrt(p.Debias2)
	keep, rate, eps, l2 := float32(1-p.LR*p.Decay), float32(p.LR/p.Debias1*root), float32(p.Eps*root), float32(p.L2)
	beta1, rest1, beta2, rest2 := float32(p.Beta1), float32(1-p.Beta1), float32(p.Beta2), float32(1-p.Beta2)
	be.eachSpan(len(ws), func(i, n int) {
		be.tier.rows.adam(&ws[i], &gs[i], &ms[i], &vs[i], keep, l2, beta1, rest1, beta2, rest2, rate, eps, n)
	})
}

// SumSquares implements kernel.Backend.
func (be *Backend) SumSquares(x kernel.Buf) float64 {
	n := ceilDiv(len(x.Host), itemValues)
	if cap(be.sums) < n {
		be.sums = make([]float64, n)
	}
	parts := be.sums[:n]
	be.pool.Run(len(parts), func(worker, i int) {
		s := &be.scratch[worker]
		s.reset(4*maxLanes, 1)
		lanes := s.take(4 * be.tier.gemm.lanes)
		be.tier.gemm.squares(&lanes[0], &x.Host[i*itemValues], min(itemValues, len(x.Host)-i*itemValues))
		parts[i] = 0
		for _, v := range lanes {
			parts[i] += float64(v)
		}
	})
	sum := 0.0
	for _, v := range parts {
		sum += v
	}
	return sum
}
