package nn

import (
	"slices"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// branch is one convolution of several whose outputs lie side by side in one tensor. C, F, K, Dilation, x, w and b are
// the builder's; convs fills in the rest.
type branch struct {
	kernel.Conv
	x    *gorgonia.Node // (N, C, T)
	w, b *Param         // (F, C, K) and (F); b may be nil

	act         *kernel.Act // pending on x
	off, values int         // the branch's channels in y
	xi, wi, bi  int         // places of x, w and b among the op's inputs
}

// convs computes y (N, sum of F, T): the outputs of the branches, concatenated over channels. Each branch writes its own
// channels of y, so that nothing is copied, and reads its input through the activation that is pending there.
func (p *program) convs(name string, t int, branches []branch) *gorgonia.Node {
	total := 0
	for _, b := range branches {
		total += b.F
	}
	o := newOp(name, p.n, total, t)
	var in gorgonia.Nodes
	put := func(n *gorgonia.Node) int {
		i := slices.Index(in, n)
		if i < 0 {
			i, in = len(in), append(in, n)
		}
		return i
	}
	off := 0
	for i := range branches {
		b := &branches[i]
		b.N, b.T, b.PadLeft, b.YStride = p.n, t, (b.K-1)*b.Dilation/2, total
		b.act, b.xi = pending(b.x), put(b.x)
		b.off, b.values = off*t, ((p.n-1)*total+b.F)*t
		off += b.F
	}
	inputs := len(in)
	for i := range branches {
		b := &branches[i]
		b.wi = put(p.param(b.w))
		if b.b != nil {
			b.bi = put(p.param(b.b))
		}
	}
	o.run = func(in []kernel.Buf, y kernel.Buf) {
		for _, b := range branches {
			var bias kernel.Buf
			if b.b != nil {
				bias = in[b.bi]
			}
			p.be.Conv1D(b.Conv, part(y, b.off, b.values), in[b.xi], *b.act, in[b.wi], bias)
		}
	}
	o.adds = true
	o.diff = func(in gorgonia.Nodes, _, dy *gorgonia.Node, sum gorgonia.Nodes) gorgonia.Nodes {
		grads := make(gorgonia.Nodes, len(in))
		for xi := range inputs {
			p.convsBackward(name, xi, slices.DeleteFunc(slices.Clone(branches), func(b branch) bool { return b.xi != xi }),
				in, dy, sum[xi], grads)
		}
		return grads
	}
	return p.apply(o, in...)
}

// convsBackward makes the backward op for one distinct input of convs: it leaves the gradients of the filters that read
// this input in their memory, and returns the input's gradient, added over those branches and to sum.
func (p *program) convsBackward(name string, xi int, branches []branch, in gorgonia.Nodes, dy, sum *gorgonia.Node, grads gorgonia.Nodes) {
	x, first := in[xi], branches[0]
	wantX := p.needs[x]
	from := gorgonia.Nodes{dy, x}
	if o := opOf(x); o != nil && o.again != nil {
		from[1] = o.again(dy)
	}
	for _, b := range branches {
		from = append(from, in[b.wi])
	}
	var bw *op
	if wantX {
		bw = newOp(name+", backward", p.n, first.C, first.T)
	} else {
		bw = newOp(name+", backward", first.w.Shape...)
		bw.gradOf = first.w
	}
	if sum != nil {
		bw.over, from = len(from), append(from, sum)
	}
	bw.run = func(in []kernel.Buf, dx kernel.Buf) {
		for i, b := range branches {
			dy := part(in[0], b.off, b.values)
			p.be.Conv1DBackwardFilter(b.Conv, b.w.gradBuf(), b.b.gradBuf(), dy, in[1], *b.act)
			if !wantX {
				continue
			}
			if i == 0 && sum != nil {
				p.resume(dx, in[bw.over], b.C, b.T)
			}
			p.be.Conv1DBackwardData(b.Conv, dx, dy, in[2+i], i > 0 || sum != nil)
		}
	}
	done := p.apply(bw, from...)
	if wantX {
		grads[xi] = done
	}
	for i, b := range branches {
		if i == 0 && !wantX {
			grads[b.wi] = done
		} else {
			grads[b.wi] = p.side(b.w, done)
		}
		if b.b != nil {
			grads[b.bi] = p.side(b.b, done)
		}
	}
}

// resume makes dst hold the sum so far, before more is added: nothing to do where the planner gave dst its memory.
func (p *program) resume(dst, sum kernel.Buf, c, t int) {
	if !same(dst, sum) {
		p.be.Apply(p.n, c, t, dst, sum, kernel.Act{})
	}
}
