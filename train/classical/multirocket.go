package classical

import (
	"fmt"
	"math"
	mathbits "math/bits"
	"math/rand/v2"
)

// MultiRocket turns a time series into four summaries of MiniRocket's convolutions of it and of its differences from step
// to step (Tan, Dempster, Bergmeir and Webb, MultiRocket, 2022, section 3), as aeon's MultiRocket does. Of each convolution
// and bias: the share of steps above the bias (PPV), the longest distance in steps from one step below the bias to the next
// (LSPV), the mean of convolution plus bias over the steps above (MPV) and the mean of their numbers (MIPV); 0 and -1 when
// there are none.
//
// The features are those of Base, first every PPV, then every LSPV, MPV and MIPV, and then those of Diff in this order.
// As in the authors' code the bias is added in MPV, not subtracted, and on the differences the four taps before the middle
// one look one step too late: published results were made so. Two deviations from aeon: several channels of the differences
// are those their own biases were fitted with, not those of the series; ten steps are needed, since with nine the
// differences are shorter than a kernel.
type MultiRocket struct {
	Kernels      int // biases asked for on either representation; made are 84 for each whole 84. 0: 6,250
	MaxDilations int // 0: 32
	Seed         uint64
	Threads      int // 0: all processors

	Base, Diff RocketKernels
}

const rocketPools = 4

// Fit finds dilations and biases for x, (n, c, t) series of at least ten steps.
func (m *MultiRocket) Fit(x []float32, n, c, t int) error {
	if err := rocketShape("multirocket", len(x), n, c, t, 10); err != nil {
		return err
	}
	asked := cmp0(m.Kernels, 6250)
	m.Base.fit(x, n, c, t, asked, m.MaxDilations, rand.New(rand.NewPCG(m.Seed, 0x6d756c74)), m.Threads)
	d := make([]float32, n*c*(t-1))
	parallel(m.Threads, n*c, func(_, i int) { differences(x[i*t:(i+1)*t], d[i*(t-1):]) })
	m.Diff.fit(d, n, c, t-1, asked, m.MaxDilations, rand.New(rand.NewPCG(m.Seed, 0x64696666)), m.Threads)
	return nil
}

// differences writes x[1]-x[0], x[2]-x[1] and so on.
func differences(x, out []float32) {
	for i, v := range x[1:] {
		out[i] = v - x[i]
	}
}

// Made is the number of features.
func (m *MultiRocket) Made() int { return rocketPools * (len(m.Base.Biases) + len(m.Diff.Biases)) }

// Transform returns the features of n series, (n, Made).
func (m *MultiRocket) Transform(x []float32, n int) (Matrix, error) {
	c, t := m.Base.C, m.Base.T
	if len(x) != n*c*t {
		return Matrix{}, fmt.Errorf("multirocket: %d values for %d series; it was fitted on %d channels and %d steps", len(x), n, c, t)
	}
	out := Matrix{N: n, F: m.Made(), X: make([]float64, n*m.Made())}
	ws := make([]struct {
		base, diff  rocketBuffer
		convolved   convolved
		pools       []pool
		differences []float32
	}, workers(m.Threads, n))
	half := rocketPools * len(m.Base.Biases)
	parallel(m.Threads, n, func(i0, i int) {
		w := &ws[i0]
		if w.pools == nil {
			w.base.room(&m.Base)
			w.diff.room(&m.Diff)
			w.pools = make([]pool, max(len(m.Base.Biases), len(m.Diff.Biases)))
			w.differences = make([]float32, c*(t-1))
		}
		series := x[i*c*t : (i+1)*c*t]
		for ch := range c {
			differences(series[ch*t:(ch+1)*t], w.differences[ch*(t-1):])
		}
		row := out.Row(i)
		m.Base.pools(&w.base, series, 0, &w.convolved, w.pools, row[:half])
		m.Diff.pools(&w.diff, w.differences, 1, &w.convolved, w.pools, row[half:])
	})
	return out, nil
}

// pool is what the steps seen so far say about one bias. Steps count from the first that a kernel is seen at.
type pool struct {
	above   int32   // steps above
	last    int32   // the latest step below, or the first
	longest int32   // distance of two steps below
	index   int64   // sum of the steps above
	sum     float64 // of the convolution at them
}

// pools fills the features of one series on one representation.
func (k *RocketKernels) pools(b *rocketBuffer, series []float32, late int, w *convolved, pools []pool, out []float64) {
	clear(pools)
	k.walk(b, series, late, func(j, _, first, low, from int, u, v []float32) {
		last := first + k.PerDilation[j]
		w.pooled(u, v, k.Biases[first:last], pools[first:last], from-low)
	})
	features := len(k.Biases)
	at := 0
	for j, n := range k.PerDilation {
		for kernel := range rocketKernels {
			long := k.T
			if (j+kernel)%2 == 1 {
				long -= 8 * k.Dilations[j]
			}
			for range n {
				p := &pools[at]
				mean, index := 0.0, -1.0
				if p.above > 0 {
					mean = p.sum/float64(p.above) + float64(k.Biases[at])
					index = float64(p.index) / float64(p.above)
				}
				out[at] = float64(float32(p.above) / float32(long))
				out[features+at] = float64(max(p.longest, int32(long)-1-p.last))
				out[2*features+at] = float64(float32(mean))
				out[3*features+at] = float64(float32(index))
				at++
			}
		}
	}
}

// convolved is a stretch of one convolution and what its steps are to a bias.
type convolved struct {
	c            [rocketStretch + 64]float32
	above, below [rocketStretch/64 + 1]uint64
	sum          [16]float32 // of those above, by step modulo 16: every processor adds in the same order
}

// pooled adds the steps from step from on, at which the convolution is u + v, to the pool of each bias.
func (w *convolved) pooled(u, v, biases []float32, pools []pool, from int) {
	words := (len(u) + 63) / 64
	sum(w.c[:len(u)], u, v)
	for t := len(u); t < 64*words; t++ {
		w.c[t] = float32(math.NaN()) // neither above nor below
	}
	for i, bias := range biases {
		w.split(words, bias)
		p := &pools[i]
		for q := range words {
			p.steps(w.above[q], w.below[q], int32(from+64*q))
		}
		total := float32(0)
		for _, v := range w.sum {
			total += v
		}
		p.sum += float64(total)
	}
}

// split fills above, below and sum for one bias and so many times 64 steps.
func (w *convolved) split(words int, bias float32) {
	switch {
	case simd && simd512:
		rocketPool5(&w.c[0], words, bias, &w.above[0], &w.below[0], &w.sum)
		return
	case simd:
		rocketPool2(&w.c[0], words, bias, &w.above[0], &w.below[0], &w.sum)
		return
	}
	clear(w.sum[:])
	for q := range words {
		var above, below uint64
		for t, c := range w.c[64*q : 64*q+64] {
			if c > bias {
				above |= 1 << t
				w.sum[t&15] += c
			} else if c < bias {
				below |= 1 << t
			}
		}
		w.above[q], w.below[q] = above, below
	}
}

// steps adds 64 steps, the first of which is step from: bits of those above and those below the bias.
func (p *pool) steps(above, below uint64, from int32) {
	n := int32(mathbits.OnesCount64(above))
	p.above += n
	places := mathbits.OnesCount64(above&0xaaaaaaaaaaaaaaaa) + 2*mathbits.OnesCount64(above&0xcccccccccccccccc) + 4*mathbits.OnesCount64(above&0xf0f0f0f0f0f0f0f0) +
		8*mathbits.OnesCount64(above&0xff00ff00ff00ff00) + 16*mathbits.OnesCount64(above&0xffff0000ffff0000) + 32*mathbits.OnesCount64(above&0xffffffff00000000)
	p.index += int64(n)*int64(from) + int64(places)
	if below == 0 {
		return
	}
	low, high := mathbits.TrailingZeros64(below), 63-mathbits.LeadingZeros64(below)
	p.longest = max(p.longest, from+int32(low)-p.last)
	p.last = from + int32(high)
	if int(p.longest) >= high-low {
		return // no room inside for a longer distance
	}
	p.longest = max(p.longest, 1)
	// bit t of run says that the steps t to t+longest-1 lie inside and are not below
	run := ^below & (1<<high - 1<<low)
	width := int32(1)
	for ; 2*width <= p.longest; width *= 2 {
		run &= run >> width
	}
	for run &= run >> (p.longest - width); run != 0; run &= run >> 1 {
		p.longest++
	}
}
