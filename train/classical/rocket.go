package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
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
