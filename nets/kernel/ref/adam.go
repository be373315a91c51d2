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
	keep, rate, l2 := float32(1-p.LR*p.Decay), float32(p.LR/p.Debias1), float32(p.L2)
	beta1, rest1, beta2, rest2 := float32(p.Beta1), float32(1-p.Beta1), float32(p.Beta2), float32(1-p.Beta2)
	debias2, eps := float32(p.Debias2), float32(p.Eps)
	b.parallelSpans(len(ws), func(from, to int) {
		for i := from; i < to; i++ {
			g := gs[i] + l2*ws[i]
			ms[i] = beta1*ms[i] + rest1*g
			vs[i] = beta2*vs[i] + rest2*g*g
			ws[i] = keep*ws[i] - rate*ms[i]/(float32(math.Sqrt(float64(vs[i]/debias2)))+eps)
		}
	})
}

// SumSquares is the sum of x*x.
func (b *Backend) SumSquares(x kernel.Buf) float64 {
	var sum float64
	for _, v := range x.Host {
		sum += float64(v) * float64(v)
	}
	return sum
}
