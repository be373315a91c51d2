package cpu

import "earshot/nets/kernel"

// Adam implements kernel.Backend.
func (be *Backend) Adam(p kernel.Adam, w, g, m, v kernel.Buf) {
	const name = "Adam"
	ws := w.Host
	gs, ms, vs := values(name, "g", g, len(ws)), values(name, "m", m, len(ws)), values(name, "v", v, len(ws))
	keep, rate := 1-p.LR*p.Decay, p.LR/p.Debias1
	be.eachSpan(len(ws), func(i, n int) {
		be.tier.rows.adam(&ws[i], &gs[i], &ms[i], &vs[i], keep, p.L2, p.Beta1, 1-p.Beta1, p.Beta2, 1-p.Beta2, rate, p.Debias2, p.Eps, n)
	})
}
