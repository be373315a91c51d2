package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// addReLU computes max(0, a + b), each (N, C, T) and read through the activation pending on it. Both summands have the
// same gradient.
func (p *program) addReLU(name string, a, b *gorgonia.Node, c, t int) *gorgonia.Node {
	actA, actB := pending(a), pending(b)
	o := newOp(name, p.n, c, t)
	o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.AddAct(p.n, c, t, y, in[0], *actA, in[1], *actB, true) }
	o.diff = func(_ gorgonia.Nodes, y, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, c, t)
		bw.over = 0
		bw.run = func(in []kernel.Buf, d kernel.Buf) { p.be.ReLUBackward(d, in[0], in[1]) }
		d := p.apply(bw, dy, y)
		return gorgonia.Nodes{d, d}
	}
	return p.apply(o, a, b)
}

// sum adds two gradients of one (N, C, T) or (N, C) tensor, in the memory of the first where that is free.
func (p *program) sum(name string, a, b *gorgonia.Node) *gorgonia.Node {
	s := a.Shape()
	steps := 1
	if s.Dims() == 3 {
		steps = s[2]
	}
	o := newOp(name+", sum of gradients", s...)
	o.over = 0
	o.run = func(in []kernel.Buf, y kernel.Buf) {
		p.resume(y, in[0], s[1], steps)
		p.be.Accumulate(y, in[1])
	}
	return p.apply(o, a, b)
}
