package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// linear computes y (N, F) = curve(x wᵀ + b) of x (N, C). The backward pass finds the curve's slope from y, so that the
// argument is not kept.
func (p *program) linear(name string, x *gorgonia.Node, c, f int, curve Curve, w, b *Param) *gorgonia.Node {
	lin := kernel.Linear{N: p.n, C: c, F: f, Curve: curve}
	wantX := p.needs[x]
	o := newOp(name, p.n, f)
	o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.Linear(lin, y, in[0], in[1], in[2]) }
	o.diff = func(in gorgonia.Nodes, y, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		from := gorgonia.Nodes{in[0], in[1], dy}
		if curve != Identity {
			from = append(from, y)
		}
		value := func(in []kernel.Buf) kernel.Buf {
			if curve == Identity {
				return kernel.Buf{}
			}
			return in[3]
		}
		if !wantX {
			bw := newOp(name+", backward", w.Shape...)
			bw.gradOf = w
			bw.run = func(in []kernel.Buf, dw kernel.Buf) {
				p.be.LinearBackward(lin, kernel.Buf{}, dw, b.gradBuf(), in[2], value(in), in[0], in[1])
			}
			dw := p.apply(bw, from...)
			return gorgonia.Nodes{nil, dw, p.side(b, dw)}
		}
		bw := newOp(name+", backward", p.n, c)
		bw.run = func(in []kernel.Buf, dx kernel.Buf) {
			p.be.LinearBackward(lin, dx, w.gradBuf(), b.gradBuf(), in[2], value(in), in[0], in[1])
		}
		dx := p.apply(bw, from...)
		return gorgonia.Nodes{dx, p.side(w, dx), p.side(b, dx)}
	}
	return p.apply(o, x, p.param(w), p.param(b))
}
