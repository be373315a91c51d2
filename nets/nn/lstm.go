package nn

import (
	"math"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// lstmWeights are (4H, C), (4H, H), (4H) and (4H); gates in the order input, forget, cell, output.
type lstmWeights struct{ ih, hh, bih, bhh *Param }

// lstmKeep bounds the memory, in values, in which an LSTM keeps the gates of all steps for its backward pass. Above it
// keeps the state of every √T-th step only and computes the gates again, which costs a third of the time.
const lstmKeep = 1 << 28

// lstm reads x (N, C, T) step by step and returns the hidden state after the last step, (N, H). It is one op: unrolled
// over 6000 steps the graph would have half a million nodes.
func (p *program) lstm(name string, x *gorgonia.Node, c, t, h int, w lstmWeights) *gorgonia.Node {
	cell := kernel.LSTM{N: p.n, C: c, T: t, H: h}
	var saved *block
	if p.mode == train {
		if p.be.LSTMSaved(cell) > lstmKeep {
			cell.SaveEvery = int(math.Ceil(math.Sqrt(float64(t))))
		}
		saved = p.hold(p.be.LSTMSaved(cell))
	}
	wantX := p.needs[x]
	o := newOp(name, p.n, h)
	kept := func() kernel.Buf { return kernel.Buf{} }
	if saved != nil {
		o.uses = append(o.uses, saved)
		kept = func() kernel.Buf { return part(saved.buf, 0, p.be.LSTMSaved(cell)) }
	}
	o.run = func(in []kernel.Buf, y kernel.Buf) { p.be.LSTM(cell, y, kept(), in[0], in[1], in[2], in[3], in[4]) }
	o.diff = func(in gorgonia.Nodes, _, dy *gorgonia.Node, _ gorgonia.Nodes) gorgonia.Nodes {
		var bw *op
		if wantX {
			bw = newOp(name+", backward", p.n, c, t)
		} else {
			bw = newOp(name+", backward", w.ih.Shape...)
			bw.gradOf = w.ih
		}
		bw.uses = append(bw.uses, saved)
		bw.run = func(in []kernel.Buf, out kernel.Buf) {
			var dx kernel.Buf
			if wantX {
				dx = out
			}
			p.be.LSTMBackward(cell, dx, w.ih.gradBuf(), w.hh.gradBuf(), w.bih.gradBuf(), w.bhh.gradBuf(),
				in[5], kept(), in[0], in[1], in[2], in[3], in[4])
		}
		done := p.apply(bw, in[0], in[1], in[2], in[3], in[4], dy)
		grads := gorgonia.Nodes{nil, done, p.side(w.hh, done), p.side(w.bih, done), p.side(w.bhh, done)}
		if wantX {
			grads[0], grads[1] = done, p.side(w.ih, done)
		}
		return grads
	}
	return p.apply(o, x, p.param(w.ih), p.param(w.hh), p.param(w.bih), p.param(w.bhh))
}
