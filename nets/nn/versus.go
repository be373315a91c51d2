package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// versus makes two logits (N, 2) of one, x (N, 1): 0 and x. Their softmax is the logistic function of x, so that a network
// of two classes may end in a single unit. Both directions are products with a constant.
func (p *program) versus(name string, x *gorgonia.Node) *gorgonia.Node {
	second, zeros := p.channels(2), p.channels(2)
	if p.be != nil && p.err == nil {
		if err := p.be.Upload(second, []float32{0, 1}); err != nil {
			p.fail(err)
		}
	}
	o := newOp(name, p.n, 2)
	o.run = func(in []kernel.Buf, y kernel.Buf) {
		p.be.Linear(kernel.Linear{N: p.n, C: 1, F: 2}, y, in[0], second, zeros)
	}
	o.diff = func(_ gorgonia.Nodes, _, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, 1)
		bw.run = func(in []kernel.Buf, dx kernel.Buf) {
			p.be.Linear(kernel.Linear{N: p.n, C: 2, F: 1}, dx, in[0], second, part(zeros, 0, 1))
		}
		return gorgonia.Nodes{p.apply(bw, dy)}
	}
	return p.apply(o, x)
}
