package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// norm is the state of one batch normalization: all (C).
type norm struct {
	gamma, beta, mean, variance, tracked *Param
}

// batchNorm normalizes y (N, C, T) lazily: it computes the statistics of each channel and leaves scale and shift as the
// pending activation of its result z, which is y's memory. Convolution, pooling and addition apply relu(scale*y + shift)
// while they read, so the normalized tensor is never stored.
//
// They return the gradient with respect to z. The backward pass turns it into the gradient of y in place.
func (p *program) batchNorm(name string, y *gorgonia.Node, c, t int, s norm, rules Rules, relu bool) *gorgonia.Node {
	bn := kernel.BN{N: p.n, C: c, T: t, Eps: rules.BNEps, Momentum: rules.BNMomentum, ReLU: relu}
	state := p.channels(6 * c)
	row := func(i int) kernel.Buf { return part(state, i*c, c) }
	mean, rstd, scale, shift := row(0), row(1), row(2), row(3)
	o := newOp(name, p.n, c, t)
	o.share = 0
	o.act = &kernel.Act{Scale: scale, Shift: shift, ReLU: relu}
	o.run = func(in []kernel.Buf, _ kernel.Buf) {
		y, gamma, beta := in[0], in[1], in[2]
		switch p.mode {
		case evaluate:
			p.be.BatchNormFold(bn, gamma, beta, s.mean.buf(), s.variance.buf(), scale, shift)
		case batchwise:
			p.be.BatchNormStats(bn, y, gamma, beta, row(4), row(5), mean, rstd, scale, shift)
		case settle:
			all := bn
			all.Momentum = 1
			p.be.BatchNormStats(all, y, gamma, beta, s.mean.buf(), s.variance.buf(), mean, rstd, scale, shift)
		case train:
			seen := s.tracked.Value.Int64s()
			seen[0]++
			next := bn
			next.Momentum = rules.share(seen[0])
			p.be.BatchNormStats(next, y, gamma, beta, s.mean.buf(), s.variance.buf(), mean, rstd, scale, shift)
		}
	}
	o.diff = func(in gorgonia.Nodes, _, dz *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp(name+", backward", p.n, c, t)
		bw.over = 3
		bw.run = func(in []kernel.Buf, dy kernel.Buf) {
			y, gamma, dz := in[0], in[1], in[3]
			p.be.BatchNormBackward(bn, dy, dz, y, gamma, mean, rstd, scale, shift, s.gamma.gradBuf(), s.beta.gradBuf())
		}
		dy := p.apply(bw, in[0], in[1], in[2], dz)
		return gorgonia.Nodes{dy, p.side(s.gamma, dy), p.side(s.beta, dy)}
	}
	return p.apply(o, y, p.param(s.gamma), p.param(s.beta))
}
