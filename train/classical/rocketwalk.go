package classical

import (
	"encoding/binary"
	"slices"
)

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

const rocketStretch = 1536 // steps that all kernels of a dilation see before the next, so that they stay in the near caches

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
