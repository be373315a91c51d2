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
	f, err := m.transform(x, n)
	return f.wide(), err
}

func (m *MultiRocket) transform(x []float32, n int) (singles, error) {
	c, t := m.Base.C, m.Base.T
	if len(x) != n*c*t {
		return singles{}, fmt.Errorf("multirocket: %d values for %d series; it was fitted on %d channels and %d steps", len(x), n, c, t)
	}
	out := singles{n, m.Made(), make([]float32, n*m.Made())}
	ws := make([]struct {
		base, diff  rocketBuffer
		convolved   convolved
		pools       []pool
		differences []float32
	}, workers(m.Threads, n))
	base, diff := m.Base.groups(), m.Diff.groups()
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
		row := out.row(i)
		m.Base.pools(&w.base, base, series, 0, &w.convolved, w.pools, row[:half])
		m.Diff.pools(&w.diff, diff, w.differences, 1, &w.convolved, w.pools, row[half:])
	})
	return out, nil
}

// pool is what the steps seen so far say about one bias. Steps count from the first that a kernel is seen at.
type pool struct {
	above      int32   // steps above
	run, large int32   // steps not below: the latest in a row, and most in a row
	index      int64   // sum of the steps above
	sum        float64 // of the convolution at them
}

// pools fills the features of one series on one representation.
func (k *RocketKernels) pools(b *rocketBuffer, groups [][]rocketGroup, series []float32, late int, w *convolved, pools []pool, out []float32) {
	clear(pools)
	k.walk(b, groups, series, late, func(j, first, low, from int, u, v []float32) {
		last := first + k.PerDilation[j]
		w.pooled(u, v, k.Biases[first:last], pools[first:last], from-low, k.T-2*low)
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
				out[at] = float32(p.above) / float32(long)
				out[features+at] = float32(min(int32(long)-1, p.large+1))
				out[2*features+at] = float32(mean)
				out[3*features+at] = float32(index)
				at++
			}
		}
	}
}

// convolved is a stretch of one convolution and what its steps are to a bias.
type convolved struct {
	c     [rocketStretch + 64]float32
	below [rocketStretch/64 + 1]uint64 // a bit for each step
	rocketLanes
}

// rocketLanes is about the steps above a bias, by step modulo 16, so that every processor adds in the same order.
type rocketLanes struct {
	sum   [16]float32
	count [16]int32
	ahead [16]int32 // the counts after each sixteen steps, added up: a step counts as often as there are steps of its lane from it on
}

// pooled adds the steps from step from on of long, at which the convolution is u + v, to the pool of each bias.
func (w *convolved) pooled(u, v, biases []float32, pools []pool, from, long int) {
	words := (len(u) + 63) / 64
	sum(w.c[:len(u)], u, v)
	for t := len(u); t < 64*words; t++ {
		w.c[t] = float32(math.NaN()) // neither above nor below
	}
	turns := int32(4 * words) // of the lanes
	for i, bias := range biases {
		w.split(words, bias)
		p := &pools[i]
		count, index := int32(0), int32(0)
		for l, n := range w.count {
			count += n
			index += 16*(turns*n-w.ahead[l]) + int32(l)*n
		}
		p.above += count
		p.index += int64(count)*int64(from) + int64(index)
		s := &w.sum
		p.sum += float64(((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + (((s[8] + s[9]) + (s[10] + s[11])) + ((s[12] + s[13]) + (s[14] + s[15]))))
		// The distance is that of two steps below, of which the first and the last step always count as one.
		if from == 0 {
			w.below[0] |= 1
		}
		if from+len(u) == long {
			w.below[words-1] |= ^uint64(0) << ((len(u) - 1) & 63)
		}
		p.runs(w.below[:words], 64*words-len(u))
	}
}

// split fills below and the lanes for one bias and so many times 64 steps.
func (w *convolved) split(words int, bias float32) {
	switch {
	case simd && simd512:
		rocketPool5(&w.c[0], words, bias, &w.below[0], &w.rocketLanes)
		return
	case simd:
		rocketPool2(&w.c[0], words, bias, &w.below[0], &w.rocketLanes)
		return
	}
	w.rocketLanes = rocketLanes{}
	for q := range words {
		w.below[q] = 0
		for t, c := range w.c[64*q : 64*q+64] {
			if c > bias {
				w.sum[t&15] += c
				w.count[t&15]++
				w.ahead[t&15] += int32(4*(words-q) - t/16)
			} else if c < bias {
				w.below[q] |= 1 << t
			}
		}
	}
}

// runs adds steps, a bit for each that is below, to the runs of steps that are not. The last word lacks so many.
func (p *pool) runs(below []uint64, lack int) {
	run, large := p.run, p.large
	for i, b := range below {
		valid := ^uint64(0)
		if i == len(below)-1 { // move its steps to the upper end, as if others came before them
			b, valid = b<<lack, valid<<lack
			run -= int32(lack)
		}
		if b == 0 {
			run += 64
			continue
		}
		end := int32(mathbits.LeadingZeros64(b))
		large = max(large, run+int32(mathbits.TrailingZeros64(b)), end)
		run = end
		if large >= 62 {
			continue // no room inside for a longer run
		}
		// bit t of r says that the steps t to t+large are not below
		r, width := ^b&valid, int32(1)
		for ; 2*width <= large+1; width *= 2 {
			r &= r >> width
		}
		for r &= r >> (large + 1 - width); r != 0; r &= r >> 1 {
			large++
		}
	}
	p.run, p.large = run, max(large, run)
}
