package train

import (
	"fmt"
	"math"
)

// Ways to normalize; the names of --normalize.
const (
	NormalizeNone   = "none"
	NormalizeTrain  = "train"
	NormalizeSample = "sample"
)

// stdFloor keeps a constant series finite; tsai's TSStandardize has the same floor.
const stdFloor = 1e-8

// Normalizer maps raw tensors to what the network reads. Mode "none" changes nothing; "train" subtracts one mean and
// divides by one standard deviation (n - 1) of the whole training set; "sample" does so with each row's own.
type Normalizer struct {
	Mode string    `json:"mode"`
	Mean []float64 `json:"mean,omitempty"` // one value in mode "train", else empty
	Std  []float64 `json:"std,omitempty"`
}

// CheckNormalize says whether a mode exists.
func CheckNormalize(mode string) error {
	switch mode {
	case NormalizeNone, NormalizeTrain, NormalizeSample:
		return nil
	}
	return fmt.Errorf("train: normalize %q: unknown; use none, train or sample", mode)
}

// FitNormalizer learns a normalizer from the training set, and from nothing else. The mode must be one that
// CheckNormalize accepts.
func FitNormalizer(mode string, d Data) Normalizer {
	n := Normalizer{Mode: mode}
	if mode == NormalizeTrain {
		mean, std := moments(d.X)
		n.Mean, n.Std = []float64{mean}, []float64{std}
	}
	return n
}

// Apply normalizes rows of c channels and t steps in place; x may hold any number of them.
func (n Normalizer) Apply(x []float32, c, t int) {
	switch n.Mode {
	case NormalizeTrain:
		standardize(x, n.Mean[0], n.Std[0])
	case NormalizeSample:
		for row := c * t; len(x) >= row && row > 0; x = x[row:] {
			mean, std := moments(x[:row])
			standardize(x[:row], mean, std)
		}
	}
}

func standardize(x []float32, mean, std float64) {
	for i, v := range x {
		x[i] = float32((float64(v) - mean) / std)
	}
}

// moments returns mean and standard deviation (n - 1), summed twice in double precision in a fixed order: byte counts of
// a long capture would lose their variance in a single pass.
func moments(x []float32) (mean, std float64) {
	if len(x) == 0 {
		return 0, 1
	}
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	var sum float64
	for _, v := range x {
		d := float64(v) - mean
		sum += d * d
	}
	if len(x) > 1 {
		sum /= float64(len(x) - 1)
	}
	return mean, max(math.Sqrt(sum), stdFloor)
}
