package train

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Ways to normalize; the names of --normalize.
const (
	NormalizeNone   = "none"
	NormalizeTrain  = "train"
	NormalizeSample = "sample"
	NormalizeLog    = "log"
)

// Normalizations are the ways to normalize, the default first.
var Normalizations = []string{NormalizeNone, NormalizeTrain, NormalizeSample, NormalizeLog}

// stdFloor keeps a constant series finite; tsai's TSStandardize has the same floor.
const stdFloor = 1e-8

// Normalizer maps raw tensors to what the network reads. Mode "none" changes nothing; "train" subtracts one mean and
// divides by one standard deviation (n - 1) of the whole training set; "sample" does so with each row's own; "log" does what "train"
// does with sign(x) log(1 + |x|).
//
// Bytes per time step have heavy tails: a few bursts of a hundred standard deviations, and zeros. Batch norm, in training, divides by
// what its batch has, and in the test by an average over batches in which a few bursts weigh more than all else: a network of
// several such layers can answer the same to everything although its training loss is low. The logarithm takes the tails off.
type Normalizer struct {
	Mode string    `json:"mode"`
	Mean []float64 `json:"mean,omitempty"` // one value in modes "train" and "log", else empty
	Std  []float64 `json:"std,omitempty"`
}

// CheckNormalize says whether a mode exists.
func CheckNormalize(mode string) error {
	if slices.Contains(Normalizations, mode) {
		return nil
	}
	return fmt.Errorf("train: normalize %q: unknown; it is one of %s", mode, strings.Join(Normalizations, ", "))
}

// FitNormalizer learns a normalizer from the training set, and from nothing else. The mode must be one that
// CheckNormalize accepts.
func FitNormalizer(mode string, d Data) Normalizer {
	n := Normalizer{Mode: mode}
	if n.fitted() {
		mean, std := moments(d.X, mode == NormalizeLog)
		n.Mean, n.Std = []float64{mean}, []float64{std}
	}
	return n
}

// fitted says whether the mode has a mean and a deviation of the training set.
func (n Normalizer) fitted() bool { return n.Mode == NormalizeTrain || n.Mode == NormalizeLog }

// Apply normalizes rows of c channels and t steps in place; x may hold any number of them.
func (n Normalizer) Apply(x []float32, c, t int) {
	if n.Mode == NormalizeLog {
		logarithms(x, x)
	}
	switch {
	case n.fitted():
		standardize(x, n.Mean[0], n.Std[0])
	case n.Mode == NormalizeSample:
		for row := c * t; len(x) >= row && row > 0; x = x[row:] {
			mean, std := moments(x[:row], false)
			standardize(x[:row], mean, std)
		}
	}
}

// logarithms writes sign(x) log(1 + |x|) to dst.
func logarithms(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Copysign(math.Log1p(math.Abs(float64(v))), float64(v)))
	}
}

func standardize(x []float32, mean, std float64) {
	for i, v := range x {
		x[i] = float32((float64(v) - mean) / std)
	}
}

// moments returns mean and standard deviation (n - 1) of x or of its logarithms, summed twice in double precision in a fixed
// order: byte counts of a long capture would lose their variance in a single pass.
func moments(x []float32, log bool) (mean, std float64) {
	if len(x) == 0 {
		return 0, 1
	}
	var buf [4096]float32
	sum := func(add func(block []float32)) {
		for rest := x; len(rest) > 0; {
			block := rest[:min(len(rest), len(buf))]
			rest = rest[len(block):]
			if log {
				logarithms(buf[:], block)
				block = buf[:len(block)]
			}
			add(block)
		}
	}
	sum(func(block []float32) {
		for _, v := range block {
			mean += float64(v)
		}
	})
	mean /= float64(len(x))
	var squares float64
	sum(func(block []float32) {
		for _, v := range block {
			d := float64(v) - mean
			squares += d * d
		}
	})
	if len(x) > 1 {
		squares /= float64(len(x) - 1)
	}
	return mean, max(math.Sqrt(squares), stdFloor)
}
