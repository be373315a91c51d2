package cpu

import (
	"fmt"

	"earshot/nets/kernel"
)

// tileFunc computes a block of output channels at a few vectors of time: see the generated documentation of convTile1.
type tileFunc func(y *float32, ys uintptr, x *float32, xs uintptr, w *float32, channels, taps int, step uintptr, bias *float32, acc int, mask uint64)

// convTier holds the micro-kernels of convolution in one tier.
type convTier struct {
	lanes int         // values in a vector
	rows  int         // output channels of a tile
	tiles [3]tileFunc // by vectors of time, less one
	far   tileFunc    // as tiles[2], for input that was not packed
	masks bool        // a tile can leave steps out

	pairs, filters int // of outer
	outer          func(acc, x *float32, off *int64, dy *float32, steps int)
	transpose      func(dst *float32, ds uintptr, src *float32, ss uintptr, n int) // lanes rows
	pack           func(dst, src *float32, scale, shift, floor float32, n int, ahead uintptr)

	peak func(rounds int) // 24 vector multiply-adds each, for Exercise

	channelBlock int // input channels between two visits of a tile where weights stay and time moves; 0: all
	timeOuter    int // up to this many taps time stays and weights move
}

// Conv1D implements kernel.Backend.
func (be *Backend) Conv1D(p kernel.Conv, y, x kernel.Buf, a kernel.Act, w, b kernel.Buf) {
	const name = "Conv1D"
	p = fill(p)
	be.convolve(convolution{
		n: p.N, t: p.T, in: p.C, out: p.F, taps: p.K, dilation: p.Dilation, pad: p.PadLeft,
		inStride: p.XStride, outStride: p.YStride,
		x:      values(name, "x", x, spread(p.N, p.C, p.XStride, p.T)),
		y:      values(name, "y", y, spread(p.N, p.F, p.YStride, p.T)),
		act:    newPending(name, a, p.C),
		w:      values(name, "w", w, p.F*p.C*p.K),
		bias:   optional(name, "b", b, p.F),
		pullIn: p.K, pullOut: p.C * p.K,
	})
}

// Conv1DBackwardData implements kernel.Backend: the convolution of dy with the taps reversed and the roles of the
// channels exchanged.
func (be *Backend) Conv1DBackwardData(p kernel.Conv, dx, dy, w kernel.Buf, acc bool) {
	const name = "Conv1DBackwardData"
	p = fill(p)
	be.convolve(convolution{
		n: p.N, t: p.T, in: p.F, out: p.C, taps: p.K, dilation: p.Dilation, pad: (p.K-1)*p.Dilation - p.PadLeft,
		inStride: p.YStride, outStride: p.XStride,
		x:      values(name, "dy", dy, spread(p.N, p.F, p.YStride, p.T)),
		y:      values(name, "dx", dx, spread(p.N, p.C, p.XStride, p.T)),
		w:      values(name, "w", w, p.F*p.C*p.K),
		acc:    acc,
		pullIn: p.C * p.K, pullOut: p.K, reversed: true,
	})
}

// convolution is one pass over a batch in either direction: what y is made of, in its own terms of in and out.
type convolution struct {
	n, t, in, out, taps, dilation, pad int
	inStride, outStride                int // channels of the tensors that x and y lie in
	x, y                               []float32
	act                                pending
	w, bias                            []float32 // bias nil: none
	pullIn, pullOut                    int       // distance in w between neighbors of an input and of an output channel
	reversed                           bool      // the last tap of w comes first
	acc                                bool      // y is added to
}

// convolve is the one place that chooses how a convolution is computed. Transforms for long kernels and matrix units
// belong here, beside the direct form.
func (be *Backend) convolve(c convolution) {
	if c.n == 0 || c.t == 0 || c.out == 0 {
		return
	}
	be.direct(c)
}

// fill replaces the zeros of a convolution that mean a default.
func fill(p kernel.Conv) kernel.Conv {
	if p.Dilation == 0 {
		p.Dilation = 1
	}
	if p.XStride == 0 {
		p.XStride = p.C
	}
	if p.YStride == 0 {
		p.YStride = p.F
	}
	if p.N < 0 || p.T < 0 || p.C < 1 || p.F < 1 || p.K < 1 || p.Dilation < 1 || p.XStride < p.C || p.YStride < p.F {
		panic(fmt.Sprintf("cpu: convolution: no such shape: %+v", p))
	}
	return p
}

// spread is the number of values from the first of n rows of c channels to the last, in rows of stride channels.
func spread(n, c, stride, t int) int { return (max(n-1, 0)*stride + c*min(n, 1)) * t }

// values returns the values of a buffer after checking that there are as many as the shape asks for.
func values(method, operand string, b kernel.Buf, want int) []float32 {
	if len(b.Host) != want {
		panic(fmt.Sprintf("cpu: %s: %s has %d values, the shape needs %d", method, operand, len(b.Host), want))
	}
	return b.Host
}

// optional is values for a buffer that may be None: nil.
func optional(method, operand string, b kernel.Buf, want int) []float32 {
	if b.None() {
		return nil
	}
	return values(method, operand, b, want)
}

func ceilDiv(a, b int) int  { return (a + b - 1) / b }
func roundUp(a, to int) int { return ceilDiv(a, to) * to }

// flag is 1 for true.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
