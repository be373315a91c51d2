package metrics

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// CorrectedResampledT summarizes the accuracies of repeated random splits: mean, standard deviation (n - 1) and the
// two-sided interval of the mean by the corrected resampled t test (Nadeau and Bengio, Machine Learning 2003). Splits
// share training data, so the variance of the mean is s^2 (1/n + nTest/nTrain), not s^2/n. One repeat has no sd and no
// interval (NaN). The interval is not cut to [0, 1].
func CorrectedResampledT(acc []float64, nTrain, nTest int, level float64) (mean, sd, lo, hi float64) {
	mustLevel(level)
	mean, sd, se := resampled(acc, nTrain, nTest)
	if len(acc) < 2 {
		return mean, sd, math.NaN(), math.NaN()
	}
	half := 0.0
	if se > 0 {
		half = se * studentT(len(acc)-1).Quantile(1-(1-level)/2)
	}
	return mean, sd, mean - half, mean + half
}

// CorrectedResampledP is the one-sided p of the corrected resampled t test that the mean accuracy is larger than mu0.
// Repeats that are all equal give 0, 0.5 or 1 as they lie above, on or below mu0; one repeat gives NaN.
func CorrectedResampledP(acc []float64, mu0 float64, nTrain, nTest int) float64 {
	mean, _, se := resampled(acc, nTrain, nTest)
	switch {
	case len(acc) < 2:
		return math.NaN()
	case mean == mu0:
		return 0.5
	}
	return studentT(len(acc) - 1).Survival((mean - mu0) / se) // se = 0: the survival function at an infinity
}

// resampled gives the mean, the sd (n - 1) and the corrected standard error of the mean.
func resampled(x []float64, nTrain, nTest int) (mean, sd, se float64) {
	if nTrain <= 0 || nTest < 0 {
		panic(fmt.Sprintf("metrics: corrected resampled t: %d training and %d test points", nTrain, nTest))
	}
	switch len(x) {
	case 0:
		return math.NaN(), math.NaN(), math.NaN()
	case 1:
		return x[0], math.NaN(), math.NaN()
	}
	mean, sd = stat.MeanStdDev(x, nil)
	if slices.Max(x) == slices.Min(x) { // rounding in the mean must not make a spread of nothing
		mean, sd = x[0], 0
	}
	return mean, sd, sd * math.Sqrt(1/float64(len(x))+float64(nTest)/float64(nTrain))
}

func studentT(df int) distuv.StudentsT { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)} }

// Holm corrects the p values of one table for their number by Holm's step-down method (Scandinavian Journal of
// Statistics 1979). The result is in the order of p. NaN stays NaN and is not counted.
func Holm(p []float64) []float64 {
	var order []int
	out := make([]float64, len(p))
	for i, v := range p {
		if out[i] = v; !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, float64(len(order)-rank)*p[i]))
		out[i] = largest
	}
	return out
}
