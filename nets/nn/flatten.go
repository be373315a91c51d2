package nn

import "gorgonia.org/gorgonia"

// flatten is x (N, C, T) as (N, C*T): the same memory under another shape, and so is its gradient.
func (p *program) flatten(name string, x *gorgonia.Node, c, t int) *gorgonia.Node {
	o := newOp(name, p.n, c*t)
	o.share = 0
	o.diff = func(_ gorgonia.Nodes, _, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, c, t)
		bw.share = 0
		return gorgonia.Nodes{p.apply(bw, dy)}
	}
	return p.apply(o, x)
}
