package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// MiniRocket turns a time series into the shares of time that 84 fixed convolutions spend above some of their own
// quantiles (Dempster, Schmidt and Webb, MiniRocket, 2021), as aeon's MiniRocket does: kernels of length 9 with three
// weights of 2 and six of -1, dilations spaced exponentially, every other combination without padding. Nothing is
// learned but the biases, which are quantiles on series drawn by Seed.
type MiniRocket struct {
	Features     int // asked for; made are 84 for each whole 84. 0: 10,000
	MaxDilations int // 0: 32
	Seed         uint64
	Threads      int // 0: all processors

	C, T        int
	Dilations   []int
	PerDilation []int // features of each kernel at each dilation
	Count       []int // channels of each combination of dilation and kernel
	Channels    []int // numbers of those channels, combination after combination
	Biases      []float32
}

const rocketKernels = 84

// RocketAlphas are the penalties that the ridge behind MiniRocket chooses from: ten from 1e-3 to 1e3.
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

// Fit finds dilations and biases for x, (n, c, t) series of at least nine steps.
func (m *MiniRocket) Fit(x []float32, n, c, t int) error {
	if n < 1 || c < 1 || len(x) != n*c*t {
		return fmt.Errorf("minirocket: %d values for %d series of %d channels and %d steps", len(x), n, c, t)
	}
	if t < 9 {
		return fmt.Errorf("minirocket: %d steps; the kernels are nine long, pad shorter series with zeros", t)
	}
	m.C, m.T = c, t
	m.plan()
	rng := rand.New(rand.NewPCG(m.Seed, 0x6d696e69))
	combos := rocketKernels * len(m.Dilations)
	m.Count, m.Channels = make([]int, combos), nil
	most := math.Log2(float64(min(c, 9)) + 1)
	for i := range m.Count {
		m.Count[i] = int(math.Pow(2, rng.Float64()*most))
		m.Channels = append(m.Channels, rng.Perm(c)[:m.Count[i]]...)
	}
	rows := make([]int, combos)
	for i := range rows {
		rows[i] = rng.IntN(n)
	}
	m.fitBiases(x, rows)
	return nil
}

// plan spreads the features of a kernel over dilations up to (T-1)/8.
func (m *MiniRocket) plan() {
	per := max(rocketKernels, cmp0(m.Features, 10000)) / rocketKernels
	most := min(per, cmp0(m.MaxDilations, 32))
	top := math.Log2(float64(m.T-1) / 8)
	m.Dilations, m.PerDilation = nil, nil
	for i := range most {
		e := 0.0
		if most > 1 {
			e = top * float64(i) / float64(most-1)
		}
		d := int(math.Pow(2, e))
		if n := len(m.Dilations); n > 0 && m.Dilations[n-1] == d {
			m.PerDilation[n-1]++
		} else {
			m.Dilations, m.PerDilation = append(m.Dilations, d), append(m.PerDilation, 1)
		}
	}
	rest := per
	for i, n := range m.PerDilation {
		m.PerDilation[i] = int(float64(n) * float64(per) / float64(most))
		rest -= m.PerDilation[i]
	}
	for i := 0; rest > 0; i, rest = (i+1)%len(m.PerDilation), rest-1 {
		m.PerDilation[i]++
	}
}

// Made is the number of features.
func (m *MiniRocket) Made() int { return len(m.Biases) }

// fitBiases takes quantiles of the convolution of one series for each combination.
func (m *MiniRocket) fitBiases(x []float32, rows []int) {
	total := 0
	for _, n := range m.PerDilation {
		total += n * rocketKernels
	}
	m.Biases = make([]float32, total)
	start, first := make([]int, len(rows)), make([]int, len(rows)) // a combination's first bias and first channel
	at, ch := 0, 0
	for i := range rows {
		start[i], first[i] = at, ch
		at, ch = at+m.PerDilation[i/rocketKernels], ch+m.Count[i]
	}
	ws := make([]rocketBuffer, workers(m.Threads, len(rows)))
	parallel(m.Threads, len(rows), func(w, i int) {
		b := &ws[w]
		b.room(m)
		d := m.Dilations[i/rocketKernels]
		series := x[rows[i]*m.C*m.T : (rows[i]+1)*m.C*m.T]
		b.pad(m, series, m.Channels[first[i]:first[i]+m.Count[i]], d)
		p := rocketTriples[i%rocketKernels]
		values := b.sum[:m.T] // alpha and three hold what it held
		for t := range values {
			values[t] = b.alpha[t] + b.three[t+p[0]*d] + b.three[t+p[1]*d] + b.three[t+p[2]*d]
		}
		b.sort(values)
		for f := range m.PerDilation[i/rocketKernels] {
			// Fractions of the golden ratio cover (0, 1) evenly however many are taken.
			_, q := math.Modf(float64(start[i]+f+1) * (math.Sqrt(5) + 1) / 2)
			rank := float64(m.T-1) * float64(float32(q))
			lo := int(rank)
			part := rank - float64(lo)
			m.Biases[start[i]+f] = float32(float64(values[lo])*(1-part) + float64(values[min(lo+1, m.T-1)])*part)
		}
	})
}

// rocketBuffer is a worker's: three times the series with 4 dilations of zeros on both sides, and minus the sum of the
// nine taps.
type rocketBuffer struct {
	three, alpha, sum []float32
	keys              []uint32
	count             [][4]int32 // of each kernel's features, by fours
}

func (b *rocketBuffer) room(m *MiniRocket) {
	if b.alpha == nil {
		b.alpha, b.sum = make([]float32, m.T), make([]float32, m.T)
		b.three = make([]float32, m.T+8*slices.Max(m.Dilations))
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

// pad prepares the sum of some channels of one series for dilation d.
func (b *rocketBuffer) pad(m *MiniRocket, series []float32, channels []int, d int) {
	in := series[channels[0]*m.T : (channels[0]+1)*m.T]
	if len(channels) > 1 {
		copy(b.sum, in)
		for _, c := range channels[1:] {
			for t, v := range series[c*m.T : (c+1)*m.T] {
				b.sum[t] += v
			}
		}
		in = b.sum
	}
	three := b.three[:m.T+8*d]
	clear(three[:4*d])
	clear(three[4*d+m.T:])
	for t, v := range in {
		three[4*d+t] = 3 * v
	}
	alpha := b.alpha[:m.T]
	for t, v := range in {
		alpha[t] = -v
	}
	for g := range 9 {
		if g == 4 {
			continue
		}
		shift := (g - 4) * d
		lo, hi := max(0, -shift), min(m.T, m.T-shift)
		src := in[lo+shift : hi+shift]
		for t, v := range src {
			alpha[lo+t] -= v
		}
	}
}

// Transform returns the features of n series, (n, Made), each between 0 and 1.
func (m *MiniRocket) Transform(x []float32, n int) (Matrix, error) {
	if len(x) != n*m.C*m.T {
		return Matrix{}, fmt.Errorf("minirocket: %d values for %d series; it was fitted on %d channels and %d steps", len(x), n, m.C, m.T)
	}
	out := Matrix{N: n, F: m.Made(), X: make([]float64, n*m.Made())}
	ws := make([]rocketBuffer, workers(m.Threads, n))
	parallel(m.Threads, n, func(w, i int) {
		ws[w].room(m)
		m.series(&ws[w], x[i*m.C*m.T:(i+1)*m.C*m.T], out.Row(i))
	})
	return out, nil
}

// series fills the features of one series. All kernels of a dilation pass over a stretch of time before the next stretch
// is taken, so that the nine shifted views of it stay in the first cache.
func (m *MiniRocket) series(b *rocketBuffer, x []float32, out []float64) {
	const stretch = 512
	at, ch := 0, 0
	for j, d := range m.Dilations {
		n := m.PerDilation[j]
		groups := (n + 3) / 4
		if len(b.count) < rocketKernels*groups {
			b.count = make([][4]int32, rocketKernels*groups)
		}
		clear(b.count)
		kernel := func(k, from, to int) {
			if (j+k)%2 == 1 { // without padding
				from, to = max(from, 4*d), min(to, m.T-4*d)
			}
			if from >= to {
				return
			}
			p := rocketTriples[k]
			u, v, w := b.three[p[0]*d+from:p[0]*d+to], b.three[p[1]*d+from:p[1]*d+to], b.three[p[2]*d+from:p[2]*d+to]
			for g := range groups {
				bias := [4]float32{}
				copy(bias[:], m.Biases[at+k*n+4*g:at+k*n+n])
				above(b.alpha[from:to], u, v, w, &bias, &b.count[k*groups+g])
			}
		}
		if m.C == 1 {
			b.pad(m, x, m.Channels[:1], d)
			for from := 0; from < m.T; from += stretch {
				for k := range rocketKernels {
					kernel(k, from, min(m.T, from+stretch))
				}
			}
		} else {
			for k := range rocketKernels {
				channels := m.Channels[ch : ch+m.Count[j*rocketKernels+k]]
				ch += len(channels)
				b.pad(m, x, channels, d)
				kernel(k, 0, m.T)
			}
		}
		for k := range rocketKernels {
			long := m.T
			if (j+k)%2 == 1 {
				long -= 8 * d
			}
			for f := range n {
				out[at+k*n+f] = float64(float32(b.count[k*groups+f/4][f%4]) / float32(long))
			}
		}
		at += n * rocketKernels
	}
}

// above adds to count the positions where the sum of the four slices is above each bias.
func above(alpha, a, b, c []float32, bias *[4]float32, count *[4]int32) {
	t := 0
	if n := len(alpha) &^ 7; simd && n > 0 {
		var found [4]int32
		above4(&alpha[0], &a[0], &b[0], &c[0], n, bias, &found)
		for q, v := range found {
			count[q] += v
		}
		t = n
	}
	a, b, c = a[:len(alpha)], b[:len(alpha)], c[:len(alpha)]
	for ; t < len(alpha); t++ {
		v := alpha[t] + a[t] + b[t] + c[t]
		for q, l := range bias {
			if v > l {
				count[q]++
			}
		}
	}
}
