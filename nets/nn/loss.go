package nn

import (
	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// crossEntropy computes the mean softmax cross-entropy of logits (N, K) against the labels of the run, a scalar.
func (p *program) crossEntropy(logits *gorgonia.Node, k int) *gorgonia.Node {
	prob := p.channels(p.n * k)
	o := newOp("loss")
	o.scalar = gorgonia.NewF32(0)
	o.run = func(in []kernel.Buf, _ kernel.Buf) {
		p.loss = p.be.SoftmaxCrossEntropy(p.n, k, prob, in[0], p.labels)
		*o.scalar = gorgonia.F32(p.loss)
	}
	o.diff = func(in gorgonia.Nodes, out, _ *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		bw := newOp("loss, backward", p.n, k)
		bw.run = func(_ []kernel.Buf, d kernel.Buf) {
			p.be.SoftmaxCrossEntropyBackward(p.n, k, d, prob, p.labels, 1)
		}
		return gorgonia.Nodes{p.apply(bw, in[0], out)} // out: after the loss, which leaves prob
	}
	return p.apply(o, logits)
}
