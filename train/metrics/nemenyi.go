package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// StudentizedRange is P(Q > q) for the range Q of k >= 2 independent standard normal values: the studentized range
// distribution with infinite degrees of freedom, as tests on ranks need it. It is 1 for q <= 0.
func StudentizedRange(q float64, k int) float64 {
	if k < 2 || math.IsNaN(q) {
		panic(fmt.Sprintf("metrics: studentized range: q = %g of %d values", q, k))
	}
	if q <= 0 {
		return 1
	}
	// The largest value is at z, and not all others lie within q below it:
	//   P = k * integral of phi(z) (Phi(z)^(k-1) - (Phi(z) - Phi(z-q))^(k-1)) dz.
	// Written with the ratio of the Phis, small P keep their digits. The integrand is smooth and vanishes at both ends, so
	// the trapezoid rule is exact to rounding at this step. A wide range lies around z = q/2.
	const step, end = 1.0 / 32, 12.0
	sum := 0.0
	for z := -end; z <= end+min(q, 80)/2; z += step {
		top := distuv.UnitNormal.CDF(z)
		if top == 0 {
			continue
		}
		below := distuv.UnitNormal.CDF(z-q) / top
		m := float64(k - 1)
		sum -= distuv.UnitNormal.Prob(z) * math.Pow(top, m) * math.Expm1(m*math.Log1p(-min(1, below)))
	}
	return math.Min(1, float64(k)*sum*step)
}

// StudentizedRangeQuantile is the q with P(Q > q) = alpha for the range of k standard normal values.
func StudentizedRangeQuantile(alpha float64, k int) float64 {
	mustLevel(1 - alpha)
	lo, hi := 0.0, 1.0
	for StudentizedRange(hi, k) > alpha {
		lo, hi = hi, 2*hi
	}
	for range 200 {
		mid := (lo + hi) / 2
		if mid == lo || mid == hi {
			break
		}
		if StudentizedRange(mid, k) > alpha {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// CriticalDifference is how far the mean ranks of two of k models over n data sets must lie apart for the Nemenyi test to
// tell them apart at level alpha (Nemenyi 1963; Demsar, JMLR 2006, section 3.2.2).
func CriticalDifference(k, n int, alpha float64) float64 {
	return StudentizedRangeQuantile(alpha, k) / math.Sqrt2 * rankError(k, n)
}

// Nemenyi is the p of each pair of models, (K, K), corrected for all pairs, from the mean ranks of K models over n data
// sets. A pair has p <= alpha exactly when its ranks are CriticalDifference apart or more. The diagonal is 1.
func Nemenyi(ranks []float64, n int) [][]float64 {
	k := len(ranks)
	return pairs(k, func(i, j int) float64 {
		return StudentizedRange(math.Abs(ranks[i]-ranks[j])/rankError(k, n)*math.Sqrt2, k)
	})
}

// rankError is the standard error of the difference of two mean ranks.
func rankError(k, n int) float64 {
	if k < 2 || n < 1 {
		panic(fmt.Sprintf("metrics: nemenyi: %d models on %d data sets", k, n))
	}
	return math.Sqrt(float64(k*(k+1)) / float64(6*n))
}

// pairs fills a symmetric (k, k) matrix whose diagonal is 1.
func pairs(k int, f func(i, j int) float64) [][]float64 {
	out := make([][]float64, k)
	for i := range out {
		out[i] = make([]float64, k)
		out[i][i] = 1
		for j := range i {
			out[i][j] = f(i, j)
			out[j][i] = out[i][j]
		}
	}
	return out
}
