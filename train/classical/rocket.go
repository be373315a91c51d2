package classical

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// RocketKernels are the convolutions that MiniRocket and MultiRocket share and what was fixed for them on training series:
// 84 kernels of nine taps, three of weight 2 and six of -1, at exponentially spaced dilations. At every other combination
// of dilation and kernel the series is padded with zeros.
type RocketKernels struct {
	C, T        int
	Dilations   []int
	PerDilation []int     // biases of each kernel at each dilation
	Count       []int     // channels of each combination of dilation and kernel, whose convolutions are added
	Channels    []int     // numbers of those channels, combination after combination
	Biases      []float32 // dilation after dilation, kernel after kernel
}

const rocketKernels = 84

// RocketAlphas are the penalties that the ridge behind MiniRocket and MultiRocket chooses from: ten from 1e-3 to 1e3.
var RocketAlphas = func() (a []float64) {
	for i := range 10 {
		a = append(a, math.Pow(10, -3+6*float64(i)/9))
	}
	return a
}()

// rocketTriples are the positions of the three larger weights, in lexical order.
var rocketTriples = func() (t [][3]int) {
	for a := range 9 {
		for b := a + 1; b < 9; b++ {
			for c := b + 1; c < 9; c++ {
				t = append(t, [3]int{a, b, c})
			}
		}
	}
	return t
}()

// rocketShape refuses what kernels cannot be fitted on.
func rocketShape(model string, values, n, c, t, least int) error {
	if n < 1 || c < 1 || values != n*c*t {
		return fmt.Errorf("%s: %d values for %d series of %d channels and %d steps", model, values, n, c, t)
	}
	if t < least {
		return fmt.Errorf("%s: %d steps; it needs %d, pad shorter series with zeros", model, t, least)
	}
	return nil
}

// fit chooses dilations, channels and biases for x, (n, c, t); features are those asked for and threads those of all.
func (k *RocketKernels) fit(x []float32, n, c, t, features, maxDilations int, rng *rand.Rand, threads int) {
	k.C, k.T = c, t
	k.plan(features, maxDilations)
	combos := rocketKernels * len(k.Dilations)
	k.Count, k.Channels = make([]int, combos), nil
	most := math.Log2(float64(min(c, 9)) + 1)
	for i := range k.Count {
		k.Count[i] = int(math.Pow(2, rng.Float64()*most))
		k.Channels = append(k.Channels, rng.Perm(c)[:k.Count[i]]...)
	}
	rows := make([]int, combos)
	for i := range rows {
		rows[i] = rng.IntN(n)
	}
	k.fitBiases(x, rows, threads)
}

// plan spreads the features of a kernel over dilations up to (T-1)/8.
func (k *RocketKernels) plan(features, maxDilations int) {
	per := max(rocketKernels, features) / rocketKernels
	most := min(per, cmp0(maxDilations, 32))
	top := math.Log2(float64(k.T-1) / 8)
	k.Dilations, k.PerDilation = nil, nil
	for i := range most {
		e := 0.0
		if most > 1 {
			e = top * float64(i) / float64(most-1)
		}
		d := int(math.Pow(2, e))
		if n := len(k.Dilations); n > 0 && k.Dilations[n-1] == d {
			k.PerDilation[n-1]++
		} else {
			k.Dilations, k.PerDilation = append(k.Dilations, d), append(k.PerDilation, 1)
		}
	}
	rest := per
	for i, n := range k.PerDilation {
		k.PerDilation[i] = int(float64(n) * float64(per) / float64(most))
		rest -= k.PerDilation[i]
	}
	for i := 0; rest > 0; i, rest = (i+1)%len(k.PerDilation), rest-1 {
		k.PerDilation[i]++
	}
}

// fitBiases takes quantiles of the convolution of one series for each combination.
func (k *RocketKernels) fitBiases(x []float32, rows []int, threads int) {
	total := 0
	for _, n := range k.PerDilation {
		total += n * rocketKernels
	}
	k.Biases = make([]float32, total)
	start, first := make([]int, len(rows)), make([]int, len(rows)) // a combination's first bias and first channel
	at, ch := 0, 0
	for i := range rows {
		start[i], first[i] = at, ch
		at, ch = at+k.PerDilation[i/rocketKernels], ch+k.Count[i]
	}
	ws := make([]rocketBuffer, workers(threads, len(rows)))
	parallel(threads, len(rows), func(w, i int) {
		b := &ws[w]
		b.room(k)
		d := k.Dilations[i/rocketKernels]
		b.load(k, x[rows[i]*k.C*k.T:(rows[i]+1)*k.C*k.T], k.Channels[first[i]:first[i]+k.Count[i]])
		p := rocketTriples[i%rocketKernels]
		values := b.sum
		b.alpha(values, 0, d, 0)
		for _, g := range p {
			add(values, b.view(g, 0, k.T, d, 0))
		}
		b.sort(values)
		for f := range k.PerDilation[i/rocketKernels] {
			// Fractions of the golden ratio cover (0, 1) evenly however many are taken.
			_, q := math.Modf(float64(start[i]+f+1) * (math.Sqrt(5) + 1) / 2)
			rank := float64(k.T-1) * float64(float32(q))
			lo := int(rank)
			part := rank - float64(lo)
			k.Biases[start[i]+f] = float32(float64(values[lo])*(1-part) + float64(values[min(lo+1, k.T-1)])*part)
		}
	})
}

// rocketSlack is how far vectors may reach behind a buffer's values.
const rocketSlack = 16

// rocketBuffer is a worker's: a series once and three times, with zeros on both sides as far as the kernels reach.
type rocketBuffer struct {
	pad        int
	one, three []float32
	sum        []float32    // (T) of channels, or a whole convolution
	keys       []uint32     // to sort
	pair       [3][]float32 // a stretch of minus the nine taps; with one; with two larger taps
}

const rocketStretch = 1536 // steps that all kernels of a dilation see before the next, so that they stay in the first cache

func (b *rocketBuffer) room(k *RocketKernels) {
	if b.sum == nil {
		b.pad = 4 * slices.Max(k.Dilations)
		padded := k.T + 2*b.pad
		b.one, b.three, b.sum = slack(padded), slack(padded), slack(k.T)
		for i := range b.pair {
			b.pair[i] = slack(rocketStretch)
		}
	}
}

func slack(n int) []float32 { return make([]float32, n, n+rocketSlack) }

// load takes the sum of some channels of one series.
func (b *rocketBuffer) load(k *RocketKernels, series []float32, channels []int) {
	one, three := b.one[b.pad:b.pad+k.T], b.three[b.pad:b.pad+k.T]
	copy(one, series[channels[0]*k.T:(channels[0]+1)*k.T])
	for _, c := range channels[1:] {
		add(one, series[c*k.T:(c+1)*k.T])
	}
	sum(three, one, one)
	add(three, one) // rounds once, as 3x does
}

// view is three times what tap g of dilation d sees at steps from to to; the taps before the middle are late by so many.
func (b *rocketBuffer) view(g, from, to, d, late int) []float32 {
	at := b.pad + (g-4)*d
	if g < 4 {
		at += late
	}
	return b.three[at+from : at+to]
}

// alpha writes minus the sum of the nine taps for len(out) steps from step from.
func (b *rocketBuffer) alpha(out []float32, from, d, late int) {
	at := b.pad + from
	if simd {
		rocketAlpha(&out[0], &b.one[at], d, late, len(out))
		return
	}
	for t, v := range b.one[at : at+len(out)] {
		out[t] = -v
	}
	for _, g := range [8]int{0, 1, 2, 3, 5, 6, 7, 8} {
		s := at + (g-4)*d
		if g < 4 {
			s += late
		}
		for t, v := range b.one[s : s+len(out)] {
			out[t] -= v
		}
	}
}

// rocketGroup is the kernels of one dilation that see the sum of the same channels.
type rocketGroup struct{ channels, kernels []int }

// groups are those of each dilation; what a walk does to the series is done once for each.
func (k *RocketKernels) groups() [][]rocketGroup {
	out := make([][]rocketGroup, len(k.Dilations))
	at, key := 0, []byte(nil)
	for j := range out {
		of := map[string]int{}
		for kernel := range rocketKernels {
			n := k.Count[j*rocketKernels+kernel]
			channels := k.Channels[at : at+n]
			at += n
			if n > 1 {
				channels = slices.Sorted(slices.Values(channels))
			}
			key = key[:0]
			for _, c := range channels {
				key = binary.AppendUvarint(key, uint64(c))
			}
			g, ok := of[string(key)]
			if !ok {
				g = len(out[j])
				of[string(key)] = g
				out[j] = append(out[j], rocketGroup{channels: channels})
			}
			out[j][g].kernels = append(out[j][g].kernels, kernel)
		}
	}
	return out
}

// walk hands out all convolutions of one series, a stretch of them at a time, as two parts whose sum they are: that of
// dilation j at the steps from step from on. first is the kernel's first bias and low its first step: 0, or the middle of
// the first whole kernel where there is no padding. Stretches of a kernel come in order. Kernels that share their first
// two larger taps share the sum up to those.
func (k *RocketKernels) walk(b *rocketBuffer, groups [][]rocketGroup, series []float32, late int, f func(j, first, low, from int, u, v []float32)) {
	at := 0
	for j, d := range k.Dilations {
		for _, g := range groups[j] {
			if k.C > 1 || j == 0 {
				b.load(k, series, g.channels)
			}
			for begin := 0; begin < k.T; begin += rocketStretch {
				end := min(k.T, begin+rocketStretch)
				base, single, double := b.pair[0][:end-begin], b.pair[1][:end-begin], b.pair[2][:end-begin]
				b.alpha(base, begin, d, late)
				last := [2]int{-1, -1}
				for _, kernel := range g.kernels {
					low := 0
					if (j+kernel)%2 == 1 {
						low = 4 * d
					}
					from, to := max(begin, low), min(end, k.T-low)
					if from >= to {
						continue
					}
					p := rocketTriples[kernel]
					if p[0] != last[0] {
						sum(single, base, b.view(p[0], begin, end, d, late))
					}
					if p[0] != last[0] || p[1] != last[1] {
						sum(double, single, b.view(p[1], begin, end, d, late))
					}
					last = [2]int{p[0], p[1]}
					f(j, at+kernel*k.PerDilation[j], low, from, double[from-begin:to-begin], b.view(p[2], from, to, d, late))
				}
			}
		}
		at += rocketKernels * k.PerDilation[j]
	}
}

func add(to, v []float32) { sum(to, to, v) }

func sum(to, a, b []float32) {
	a, b = a[:len(to)], b[:len(to)]
	t := 0
	if n := len(to) &^ 7; simd && n > 0 {
		rocketSum(&to[0], &a[0], &b[0], n)
		t = n
	}
	for ; t < len(to); t++ {
		to[t] = a[t] + b[t]
	}
}

// sort puts values in rising order, eleven bits of them at a time.
func (b *rocketBuffer) sort(values []float32) {
	n := len(values)
	if cap(b.keys) < 2*n {
		b.keys = make([]uint32, 2*n)
	}
	from, to := b.keys[:n], b.keys[n:2*n]
	for i, v := range values { // bits in the order of the numbers: negative ones turned over
		k := math.Float32bits(v)
		from[i] = k ^ (uint32(int32(k)>>31) | 1<<31)
	}
	for shift := 0; shift < 32; shift += 11 {
		var at [2049]int32
		for _, k := range from {
			at[k>>shift&2047+1]++
		}
		for i := range 2048 {
			at[i+1] += at[i]
		}
		for _, k := range from {
			d := k >> shift & 2047
			to[at[d]] = k
			at[d]++
		}
		from, to = to, from
	}
	for i, k := range from {
		values[i] = math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
	}
}
