package experiments

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Correlations are the three maps of the song study's Figure 3 (SP-44), as numbers. A correlation with a constant series
// does not exist and is NaN.
type Correlations struct {
	Classes []string
	Order   []int // rows of the series, ordered by class, then as they were: the rows of Captures
	Ends    []int // (K) captures in the classes 0 to k

	// Pearson correlation at lag 0 of class with class: the captures of a class one after another, cut to the shortest
	// class. The diagonal is 1 by construction.
	Songs [][]float64
	Cut   int // values of each class that were used

	// Pearson correlation of capture with capture, in Order, and its means without the diagonal, over pairs of the same
	// class and of different classes: this is what can show that captures of a class resemble each other.
	Captures        [][]float64
	Within, Between float64

	// Max is the largest normalized cross-correlation of the series of Songs over all lags shorter than one capture, and
	// Lag the seconds by which row i then comes after column j. The sum at a lag runs over the overlap and is divided by
	// the norms of the whole series, so that short overlaps do not win.
	Max, Lag [][]float64
}

// Correlate computes the maps. Channels of a capture are taken one after another.
func Correlate(s *Series) Correlations {
	c := correlateCaptures(s)
	joined := make([][]float64, len(s.Classes))
	for _, r := range c.Order {
		joined[s.Y[r]] = append(joined[s.Y[r]], widen(s.Row(r))...)
	}
	c.Cut = math.MaxInt
	for _, j := range joined {
		c.Cut = min(c.Cut, len(j))
	}
	for k := range joined {
		joined[k] = standardize(joined[k][:c.Cut])
	}
	c.Songs = products(joined)
	c.Max, c.Lag = crossMax(joined, s.C*s.T-1, float64(s.StepUS)/1e6)
	return c
}

// correlateCaptures computes the map of captures alone.
func correlateCaptures(s *Series) Correlations {
	c := Correlations{Classes: s.Classes, Order: make([]int, s.N)}
	for i := range c.Order {
		c.Order[i] = i
	}
	slices.SortStableFunc(c.Order, func(a, b int) int { return s.Y[a] - s.Y[b] })
	rows := make([][]float64, s.N) // in Order, mean 0 and norm 1
	for i, r := range c.Order {
		rows[i] = standardize(widen(s.Row(r)))
	}
	c.Ends = make([]int, len(s.Classes))
	for _, y := range s.Y {
		c.Ends[y]++
	}
	for k := 1; k < len(c.Ends); k++ {
		c.Ends[k] += c.Ends[k-1]
	}

	c.Captures = products(rows)
	c.Within, c.Between = c.means()
	return c
}

// means returns the mean correlation within classes and between them, without the diagonal; NaN where there is no pair.
func (c *Correlations) means() (within, between float64) {
	class := make([]int, len(c.Order))
	for k := range c.Ends {
		for i := range class[:c.Ends[k]] {
			if k > 0 && i < c.Ends[k-1] {
				continue
			}
			class[i] = k
		}
	}
	var sum [2]float64
	var n [2]int
	for i := range c.Captures {
		for j, r := range c.Captures[i][:i] {
			if math.IsNaN(r) {
				continue
			}
			same := 0
			if class[i] == class[j] {
				same = 1
			}
			sum[same] += r
			n[same]++
		}
	}
	return sum[1] / float64(n[1]), sum[0] / float64(n[0])
}

func widen(x []float32) []float64 {
	v := make([]float64, len(x))
	for i, f := range x {
		v[i] = float64(f)
	}
	return v
}

// standardize returns v with mean 0 and norm 1; nil when v is constant.
func standardize(v []float64) []float64 {
	mean, norm := 0.0, 0.0
	for _, f := range v {
		mean += f
	}
	mean /= float64(len(v))
	for _, f := range v {
		norm += (f - mean) * (f - mean)
	}
	// Rounding leaves a constant series with a norm of about 1e-16 of its size, never exactly 0.
	if !(norm > 1e-24*mean*mean*float64(len(v))) {
		return nil
	}
	norm = math.Sqrt(norm)
	out := make([]float64, len(v))
	for i, f := range v {
		out[i] = (f - mean) / norm
	}
	return out
}

// products is the table of inner products; NaN beside a nil row.
func products(rows [][]float64) [][]float64 {
	z := square(len(rows))
	for i, a := range rows {
		for j, b := range rows[:i+1] {
			r := math.NaN()
			if a != nil && b != nil {
				r = 0
				for t := range a {
					r += a[t] * b[t]
				}
				r = math.Max(-1, math.Min(1, r)) // rounding
			}
			z[i][j], z[j][i] = r, r
		}
	}
	return z
}

// crossMax finds for each pair the lag, at most longest steps to either side, with the largest product sum over t of
// a[t+lag] b[t]. Of equal values the shortest lag counts.
func crossMax(rows [][]float64, longest int, step float64) (best, lag [][]float64) {
	best, lag = square(len(rows)), square(len(rows))
	n := 0
	for _, r := range rows {
		n = max(n, len(r))
	}
	longest = max(0, min(longest, n-1))
	size := 1
	for size < n+longest+1 { // zero padding: no lag wraps around
		size *= 2
	}
	fft := fourier.NewFFT(size)
	spectra := make([][]complex128, len(rows))
	padded := make([]float64, size)
	for i, r := range rows {
		if r != nil {
			clear(padded)
			copy(padded, r)
			spectra[i] = fft.Coefficients(nil, padded)
		}
	}
	product := make([]complex128, size/2+1)
	for i, a := range spectra {
		for j, b := range spectra[:i+1] {
			if a == nil || b == nil {
				best[i][j], best[j][i] = math.NaN(), math.NaN()
				continue
			}
			for k := range product {
				product[k] = a[k] * complex(real(b[k]), -imag(b[k]))
			}
			r := fft.Sequence(padded, product)
			at, top := 0, r[0]
			for l := 1; l <= longest; l++ {
				for _, k := range []int{l, -l} {
					// 1e-9 of the largest possible sum: what the transform's rounding may not decide.
					if v := r[(k+size)%size]; v > top+1e-9*float64(size) {
						at, top = k, v
					}
				}
			}
			v := math.Max(-1, math.Min(1, top/float64(size)))
			best[i][j], best[j][i] = v, v
			lag[i][j], lag[j][i] = float64(at)*step, float64(-at)*step+0
		}
	}
	return best, lag
}

func square(n int) [][]float64 {
	z := make([][]float64, n)
	for i := range z {
		z[i] = make([]float64, n)
	}
	return z
}
