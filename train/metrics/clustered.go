package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ClopperPearsonClustered is the interval of Korn and Graubard (Survey Methodology 24, 1998) for the chance of success when
// trials come in M clusters: k[i] successes in n[i] trials, not necessarily whole (means over repeats). It is Clopper and
// Pearson's with the number of trials that would be as precise if they were independent,
//
//	p (1 - p) / v, v = M/(M-1) sum (k[i] - p n[i])^2 / (sum n)^2,
//
// times the squared quotient of Student's t quantiles at (sum n) - 1 and M - 1 degrees of freedom, and never more than there are.
// Where v is 0, as with no success at all, only that quotient is left. Unlike a bootstrap of few clusters it never has zero width. With
// fewer than two clusters it is [0, 1]. It panics unless the lengths agree, 0 <= k[i] <= n[i] and 0 < level < 1.
func ClopperPearsonClustered(k, n []float64, level float64) (lo, hi float64) {
	mustLevel(level)
	if len(k) != len(n) {
		panic(fmt.Sprintf("metrics: clustered interval: %d counts, %d clusters", len(k), len(n)))
	}
	m := float64(len(n))
	sumK, sumN := 0.0, 0.0
	for i := range n {
		if !(k[i] >= 0 && k[i] <= n[i]) {
			panic(fmt.Sprintf("metrics: clustered interval: cluster %d: %g of %g", i, k[i], n[i]))
		}
		sumK, sumN = sumK+k[i], sumN+n[i]
	}
	if m < 2 || sumN <= 1 {
		return 0, 1
	}
	p, v := sumK/sumN, 0.0
	for i := range n {
		v += (k[i] - p*n[i]) * (k[i] - p*n[i]) / (sumN * sumN) * m / (m - 1)
	}
	trials := sumN
	if v > 0 {
		trials = p * (1 - p) / v
	}
	alpha := (1 - level) / 2
	t := func(df float64) float64 { return StudentQuantile(1-alpha, df) }
	trials = min(sumN, trials*math.Pow(t(sumN-1)/t(m-1), 2))
	right := trials * p
	lo, hi = 0, 1
	if sumK > 0 {
		lo = mathext.InvRegIncBeta(right, trials-right+1, alpha)
	}
	if sumK < sumN {
		hi = mathext.InvRegIncBeta(right+1, trials-right, 1-alpha)
	}
	return lo, hi
}
