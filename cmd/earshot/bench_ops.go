package main

import (
	"fmt"

	"earshot/nets/kernel"
)

// kernelOps lists what the networks spend their time in: FCN's, ResNet's and InceptionTime's convolutions in every
// direction (act: with a pending batch norm and ReLU), and the operators between them.
func kernelOps(n, t int) []kernelOp {
	var ops []kernelOp
	for _, s := range []struct{ c, f, k int }{
		{1, 128, 7}, {128, 256, 5}, {256, 128, 3}, {64, 64, 7}, {128, 128, 5}, {32, 32, 39}, {32, 32, 19}, {32, 32, 9}, {128, 32, 1}, {64, 128, 1},
	} {
		ops = append(ops, convOps(kernel.Conv{N: n, C: s.c, F: s.f, K: s.k, T: t, PadLeft: (s.k - 1) / 2})...)
	}
	ops = append(ops, normOps(n, 128, t)...)
	ops = append(ops, lstmOps(kernel.LSTM{N: n, C: 1, T: t, H: 100})...)
	return ops
}

func convOps(p kernel.Conv) []kernelOp {
	x, y, w := p.N*p.C*p.T, p.N*p.F*p.T, p.F*p.C*p.K
	op := func(dir string, run func(b *kernelBench, x, y, w kernel.Buf, a kernel.Act) func()) kernelOp {
		return kernelOp{
			name:  "conv " + dir,
			shape: fmt.Sprintf("N=%d C=%d F=%d K=%d T=%d", p.N, p.C, p.F, p.K, p.T),
			flops: 2 * float64(p.N*p.T) * float64(w),
			bytes: 4 * float64(x+y+w),
			setup: func(b *kernelBench) func() {
				a := kernel.Act{Scale: b.buf(p.C), Shift: b.buf(p.C), ReLU: true}
				return run(b, b.buf(x), b.buf(y), b.buf(w), a)
			},
		}
	}
	none := kernel.Buf{}
	return []kernelOp{
		op("forward", func(b *kernelBench, x, y, w kernel.Buf, _ kernel.Act) func() {
			return func() { b.be.Conv1D(p, y, x, kernel.Act{}, w, none) }
		}),
		op("forward act", func(b *kernelBench, x, y, w kernel.Buf, a kernel.Act) func() {
			return func() { b.be.Conv1D(p, y, x, a, w, none) }
		}),
		op("backward data", func(b *kernelBench, x, y, w kernel.Buf, _ kernel.Act) func() {
			return func() { b.be.Conv1DBackwardData(p, x, y, w, false) }
		}),
		op("backward filter", func(b *kernelBench, x, y, w kernel.Buf, _ kernel.Act) func() {
			return func() { b.be.Conv1DBackwardFilter(p, w, none, y, x, kernel.Act{}) }
		}),
		op("backward filter act", func(b *kernelBench, x, y, w kernel.Buf, a kernel.Act) func() {
			return func() { b.be.Conv1DBackwardFilter(p, w, none, y, x, a) }
		}),
	}
}

// normOps are the operators that only move data: batch norm, sums, pooling.
func normOps(n, c, t int) []kernelOp {
	size := n * c * t
	op := func(name string, passes int, run func(b *kernelBench, x, y, z kernel.Buf, a kernel.Act) func()) kernelOp {
		return kernelOp{
			name: name, shape: fmt.Sprintf("N=%d C=%d T=%d", n, c, t),
			flops: float64(passes * size), bytes: 4 * float64(passes*size),
			setup: func(b *kernelBench) func() {
				a := kernel.Act{Scale: b.buf(c), Shift: b.buf(c), ReLU: true}
				return run(b, b.buf(size), b.buf(size), b.buf(size), a)
			},
		}
	}
	bn := kernel.BN{N: n, C: c, T: t, Eps: 1e-3, Momentum: 0.1, ReLU: true}
	return []kernelOp{
		op("batch norm statistics", 1, func(b *kernelBench, x, _, _ kernel.Buf, a kernel.Act) func() {
			v := make([]kernel.Buf, 6)
			for i := range v {
				v[i] = b.buf(c)
			}
			return func() { b.be.BatchNormStats(bn, x, v[0], v[1], v[2], v[3], v[4], v[5], a.Scale, a.Shift) }
		}),
		op("batch norm backward", 5, func(b *kernelBench, x, dz, dx kernel.Buf, a kernel.Act) func() {
			v := make([]kernel.Buf, 5)
			for i := range v {
				v[i] = b.buf(c)
			}
			return func() { b.be.BatchNormBackward(bn, dx, dz, x, v[0], v[1], v[2], a.Scale, a.Shift, v[3], v[4]) }
		}),
		op("apply", 2, func(b *kernelBench, x, y, _ kernel.Buf, a kernel.Act) func() {
			return func() { b.be.Apply(n, c, t, y, x, a) }
		}),
		op("add", 3, func(b *kernelBench, x, y, z kernel.Buf, a kernel.Act) func() {
			return func() { b.be.AddAct(n, c, t, z, x, a, y, a, true) }
		}),
		op("max pool", 2, func(b *kernelBench, x, y, _ kernel.Buf, a kernel.Act) func() {
			return func() { b.be.MaxPool1D(kernel.Pool{N: n, C: c, T: t, K: 3, PadLeft: 1}, y, x, a) }
		}),
		op("max pool backward", 3, func(b *kernelBench, x, dy, dx kernel.Buf, a kernel.Act) func() {
			return func() { b.be.MaxPool1DBackward(kernel.Pool{N: n, C: c, T: t, K: 3, PadLeft: 1}, dx, dy, x, a, false) }
		}),
		op("global average", 1, func(b *kernelBench, x, y, _ kernel.Buf, a kernel.Act) func() {
			out := kernel.Host(y.Host[:n*c])
			return func() { b.be.GlobalAvgPool(n, c, t, out, x, a) }
		}),
	}
}

func lstmOps(p kernel.LSTM) []kernelOp {
	weights := 4 * p.H * (p.C + p.H)
	forward := 2 * float64(p.N*p.T) * float64(weights)
	type buffers struct{ y, dy, saved, x, wih, whh, bih, bhh kernel.Buf }
	setup := func(b *kernelBench) buffers {
		v := buffers{y: b.buf(p.N * p.H), dy: b.buf(p.N * p.H), saved: b.buf(b.be.LSTMSaved(p)), x: b.buf(p.N * p.C * p.T),
			wih: b.buf(4 * p.H * p.C), whh: b.buf(4 * p.H * p.H), bih: b.buf(4 * p.H), bhh: b.buf(4 * p.H)}
		for _, w := range []kernel.Buf{v.wih, v.whh} {
			for i := range w.Host {
				w.Host[i] *= 0.1
			}
		}
		return v
	}
	shape := fmt.Sprintf("N=%d C=%d H=%d T=%d", p.N, p.C, p.H, p.T)
	return []kernelOp{
		{name: "lstm forward", shape: shape, flops: forward, setup: func(b *kernelBench) func() {
			v := setup(b)
			return func() { b.be.LSTM(p, v.y, v.saved, v.x, v.wih, v.whh, v.bih, v.bhh) }
		}},
		// The backward pass may overwrite what the forward pass saved, so both are timed.
		{name: "lstm forward backward", shape: shape, flops: 3 * forward, setup: func(b *kernelBench) func() {
			v := setup(b)
			dwih, dwhh, dbih, dbhh := b.buf(v.wih.Len), b.buf(v.whh.Len), b.buf(v.bih.Len), b.buf(v.bhh.Len)
			return func() {
				b.be.LSTM(p, v.y, v.saved, v.x, v.wih, v.whh, v.bih, v.bhh)
				b.be.LSTMBackward(p, kernel.Buf{}, dwih, dwhh, dbih, dbhh, v.dy, v.saved, v.x, v.wih, v.whh, v.bih, v.bhh)
			}
		}},
	}
}
