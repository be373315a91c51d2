package ref

import "earshot/nets/kernel"

// filterGroup is the number of output channels that share one reading of the input through its pending activation.
const filterGroup = 8

// taps is the range of output steps that tap k of p reads inside the input, and the input step of the first of them.
func taps(p kernel.Conv, k int) (lo, hi, src int) {
	shift := k*max(p.Dilation, 1) - p.PadLeft
	return min(max(0, -shift), p.T), max(min(p.T, p.T-shift), 0), max(shift, 0)
}

// convChannels fills in the channel counts that x and y lie in.
func convChannels(p kernel.Conv) kernel.Conv {
	if p.XStride == 0 {
		p.XStride = p.C
	}
	if p.YStride == 0 {
		p.YStride = p.F
	}
	return p
}

// spread is the number of values of n rows of c channels that lie in rows of stride channels.
func spread(n, c, stride, t int) int {
	if n == 0 || c == 0 {
		return 0
	}
	return ((n-1)*stride + c) * t
}

// through reads a row of channel c through the activation, into dst.
func (p pending) through(dst, src []float32, c int) {
	for t, v := range src {
		dst[t] = p.at(c, v)
	}
}

// axpy adds w*src to dst.
func axpy(dst, src []float32, w float32) {
	src = src[:len(dst)]
	for t, v := range src {
		dst[t] += w * v
	}
}

// dot is the sum of a[t]*b[t] in four interleaved partial sums.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	t := 0
	for ; t+4 <= len(a); t += 4 {
		p, q := a[t:t+4:t+4], b[t:t+4:t+4]
		s0 += p[0] * q[0]
		s1 += p[1] * q[1]
		s2 += p[2] * q[2]
		s3 += p[3] * q[3]
	}
	for ; t < len(a); t++ {
		s0 += a[t] * b[t]
	}
	return (s0 + s1) + (s2 + s3)
}

// Conv1D computes y from act(x). Every output is its bias plus its products in ascending order of (c, k).
func (b *Backend) Conv1D(p kernel.Conv, y, x kernel.Buf, a kernel.Act, w, bias kernel.Buf) {
	const name = "conv"
	p = convChannels(p)
	xs := values(name, "x", x, spread(p.N, p.C, p.XStride, p.T))
	ys := values(name, "y", y, spread(p.N, p.F, p.YStride, p.T))
	ws := values(name, "w", w, p.F*p.C*p.K)
	act := newPending(name, a, p.C)
	var bs []float32
	if !bias.None() {
		bs = values(name, "bias", bias, p.F)
	}
	groups := (p.F + filterGroup - 1) / filterGroup
	b.pool.Run(p.N*groups, func(worker, item int) {
		n, first := item/groups, item%groups*filterGroup
		last := min(first+filterGroup, p.F)
		in := b.row(worker, p.T)
		out := func(f int) []float32 { return ys[(n*p.YStride+f)*p.T:][:p.T] }
		for f := first; f < last; f++ {
			clear(out(f))
			if bs != nil {
				for t := range out(f) {
					out(f)[t] = bs[f]
				}
			}
		}
		for c := range p.C {
			act.through(in, xs[(n*p.XStride+c)*p.T:][:p.T], c)
			for f := first; f < last; f++ {
				for k := range p.K {
					if lo, hi, src := taps(p, k); lo < hi {
						axpy(out(f)[lo:hi], in[src:], ws[(f*p.C+c)*p.K+k])
					}
				}
			}
		}
	})
}

// Conv1DBackwardData computes the gradient of act(x). The products of a value are added in ascending order of (f, k).
func (b *Backend) Conv1DBackwardData(p kernel.Conv, dx, dy, w kernel.Buf, acc bool) {
	const name = "conv backward data"
	p = convChannels(p)
	dxs := values(name, "dx", dx, spread(p.N, p.C, p.XStride, p.T))
	dys := values(name, "dy", dy, spread(p.N, p.F, p.YStride, p.T))
	ws := values(name, "w", w, p.F*p.C*p.K)
	b.parallel(p.N*p.C, func(item int) {
		n, c := item/p.C, item%p.C
		out := dxs[(n*p.XStride+c)*p.T:][:p.T]
		if !acc {
			clear(out)
		}
		for f := range p.F {
			in := dys[(n*p.YStride+f)*p.T:][:p.T]
			for k := range p.K {
				if lo, hi, src := taps(p, k); lo < hi {
					axpy(out[src:src+hi-lo], in[lo:], ws[(f*p.C+c)*p.K+k])
				}
			}
		}
	})
}

// Conv1DBackwardFilter computes dw and, where it is given, db. Products are summed over the time of one row of the
// batch first, then over the rows.
func (b *Backend) Conv1DBackwardFilter(p kernel.Conv, dw, db, dy, x kernel.Buf, a kernel.Act) {
	const name = "conv backward filter"
	p = convChannels(p)
	xs := values(name, "x", x, spread(p.N, p.C, p.XStride, p.T))
	dys := values(name, "dy", dy, spread(p.N, p.F, p.YStride, p.T))
	dws := values(name, "dw", dw, p.F*p.C*p.K)
	act := newPending(name, a, p.C)
	var dbs []float32
	if !db.None() {
		dbs = values(name, "db", db, p.F)
	}
	groups := (p.F + filterGroup - 1) / filterGroup
	b.pool.Run(groups, func(worker, group int) {
		first, last := group*filterGroup, min((group+1)*filterGroup, p.F)
		in := b.row(worker, p.T)
		clear(dws[first*p.C*p.K : last*p.C*p.K])
		for f := first; f < last && dbs != nil; f++ {
			sum := 0.0
			for n := range p.N {
				for _, v := range dys[(n*p.YStride+f)*p.T:][:p.T] {
					sum += float64(v)
				}
			}
			dbs[f] = float32(sum)
		}
		for n := range p.N {
			for c := range p.C {
				act.through(in, xs[(n*p.XStride+c)*p.T:][:p.T], c)
				for f := first; f < last; f++ {
					dyf := dys[(n*p.YStride+f)*p.T:][:p.T]
					for k := range p.K {
						if lo, hi, src := taps(p, k); lo < hi {
							dws[(f*p.C+c)*p.K+k] += dot(dyf[lo:hi], in[src:])
						}
					}
				}
			}
		}
	})
}
