package ref

import (
	"math"

	"earshot/nets/kernel"
)

// Adam makes one step of fastai's Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), or with
// L2 added to the gradient.
func (b *Backend) Adam(p kernel.Adam, w, g, m, v kernel.Buf) {
	const name = "adam"
	ws := w.Host
	gs, ms, vs := values(name, "g", g, len(ws)), values(name, "m", m, len(ws)), values(name, "v", v, len(ws))
	keep, rate := 1-p.LR*p.Decay, p.LR/p.Debias1
	b.parallelSpans(len(ws), func(from, to int) {
		for i := from; i < to; i++ {
			g := gs[i] + p.L2*ws[i]
			ms[i] = p.Beta1*ms[i] + (1-p.Beta1)*g
			vs[i] = p.Beta2*vs[i] + (1-p.Beta2)*g*g
			ws[i] = keep*ws[i] - rate*ms[i]/(float32(math.Sqrt(float64(vs[i]/p.Debias2)))+p.Eps)
		}
	})
}
