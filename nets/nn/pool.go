package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// maxPool computes the maximum over k steps around each step of x (N, C, T).
//
// Where a convolution reads the result, its backward pass needs the maxima a second time, much later. They are cheaper to
// find again than to keep: again makes a copy of the op that waits for the gradient.
func (p *program) maxPool(name string, x *gorgonia.Node, c, t, k int) *gorgonia.Node {
	pool := kernel.Pool{N: p.n, C: c, T: t, K: k, PadLeft: (k - 1) / 2}
	act := pending(x)
	forward := func(name string) *op {
		o := newOp(name, p.n, c, t)
		o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.MaxPool1D(pool, y, in[0], *act) }
		return o
	}
	o := forward(name)
	o.again = func(after *gorgonia.Node) *gorgonia.Node { return p.apply(forward(name+", again"), x, after) }
	o.adds = true
	o.diff = func(in gorgonia.Nodes, _, dy *gorgonia.Node, sum gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, c, t)
		from := gorgonia.Nodes{in[0], dy}
		if sum[0] != nil {
			bw.over, from = 2, append(from, sum[0])
		}
		bw.run = func(in []kernel.Buf, dx kernel.Buf) {
			if len(in) > 2 {
				p.resume(dx, in[2], c, t)
			}
			p.be.MaxPool1DBackward(pool, dx, in[1], in[0], *act, len(in) > 2)
		}
		return gorgonia.Nodes{p.apply(bw, from...)}
	}
	return p.apply(o, x)
}

// gap computes y (N, C), the mean over time of x (N, C, T).
func (p *program) gap(name string, x *gorgonia.Node, c, t int) *gorgonia.Node {
	act := pending(x)
	o := newOp(name, p.n, c)
	o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.GlobalAvgPool(p.n, c, t, y, in[0], *act) }
	o.diff = func(_ gorgonia.Nodes, _, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, c, t)
		bw.run = func(in []kernel.Buf, dx kernel.Buf) { p.be.GlobalAvgPoolBackward(p.n, c, t, dx, in[0]) }
		return gorgonia.Nodes{p.apply(bw, dy)}
	}
	return p.apply(o, x)
}
