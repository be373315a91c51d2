package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// linear computes y (N, F) = x wᵀ + b of x (N, C).
func (p *program) linear(name string, x *gorgonia.Node, c, f int, w, b *Param) *gorgonia.Node {
	lin := kernel.Linear{N: p.n, C: c, F: f}
	wantX := p.needs[x]
	o := newOp(name, p.n, f)
	o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.Linear(lin, y, in[0], in[1], in[2]) }
	o.diff = func(in gorgonia.Nodes, _, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		if !wantX {
			bw := newOp(name+", backward", w.Shape...)
			bw.gradOf = w
			bw.run = func(in []kernel.Buf, dw kernel.Buf) {
				p.be.LinearBackward(lin, kernel.Buf{}, dw, b.gradBuf(), in[2], in[0], in[1])
			}
			dw := p.apply(bw, in[0], in[1], dy)
			return gorgonia.Nodes{nil, dw, p.side(b, dw)}
		}
		bw := newOp(name+", backward", p.n, c)
		bw.run = func(in []kernel.Buf, dx kernel.Buf) {
			p.be.LinearBackward(lin, dx, w.gradBuf(), b.gradBuf(), in[2], in[0], in[1])
		}
		dx := p.apply(bw, in[0], in[1], dy)
		return gorgonia.Nodes{dx, p.side(w, dx), p.side(b, dx)}
	}
	return p.apply(o, x, p.param(w), p.param(b))
}
