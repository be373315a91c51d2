package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// ClopperPearson is the exact two-sided interval for the chance of success after k successes in n trials (Clopper and
// Pearson, Biometrika 1934). With n = 0 nothing is known and it is [0, 1]. It panics unless 0 <= k <= n and 0 < level < 1.
func ClopperPearson(k, n int, level float64) (lo, hi float64) {
	mustCount(k, n)
	mustLevel(level)
	lo, hi = 0, 1
	alpha := (1 - level) / 2
	if k > 0 {
		lo = mathext.InvRegIncBeta(float64(k), float64(n-k+1), alpha)
	}
	if k < n {
		hi = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-alpha)
	}
	return lo, hi
}

// Wilson is the score interval for the chance of success after k successes in n trials (Wilson, JASA 1927), without
// continuity correction: narrower than ClopperPearson, its level holds on average only. With n = 0 it is [0, 1].
func Wilson(k, n int, level float64) (lo, hi float64) {
	mustCount(k, n)
	mustLevel(level)
	if n == 0 {
		return 0, 1
	}
	z := distuv.UnitNormal.Quantile(1 - (1-level)/2)
	m, p := float64(n), float64(k)/float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	lo, hi = max(0, center-half), min(1, center+half)
	if k == 0 { // exactly the bound, not a rounding error beside it
		lo = 0
	}
	if k == n {
		hi = 1
	}
	return lo, hi
}

// BinomialTail is P(X >= k) for X successes in n trials of chance p: the one-sided p of k right answers against
// guessing. k <= 0 gives 1, k > n gives 0.
func BinomialTail(k, n int, p float64) float64 {
	switch {
	case n < 0 || math.IsNaN(p) || p < 0 || p > 1:
		panic(fmt.Sprintf("metrics: binomial tail of n = %d, p = %g", n, p))
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

// McNemarExact is the two-sided exact p of McNemar's test: of the points on which two classifiers disagree, the first
// alone was right on b and the second alone on c. Without a disagreement it is 1.
func McNemarExact(b, c int) float64 {
	if b < 0 || c < 0 {
		panic(fmt.Sprintf("metrics: McNemar counts %d and %d", b, c))
	}
	if b == c {
		return 1
	}
	n := b + c
	if n > 60 {
		return min(1, 2*BinomialTail(max(b, c), n, 0.5))
	}
	// With so few the sum of the binomial coefficients is a whole number that fits, and p is exact to the last bit.
	sum, choose := uint64(0), uint64(1)
	for k := range min(b, c) + 1 {
		sum += choose
		choose = choose * uint64(n-k) / uint64(k+1)
	}
	return min(1, math.Ldexp(float64(sum), 1-n))
}

// CriticalCorrect is the smallest number of right answers among n whose one-sided exact p against chance p0 is at most
// alpha; n + 1 when not even n of n are enough.
func CriticalCorrect(p0, alpha float64, n int) int {
	lo, hi := 0, n+1 // the tail falls with k and is 0 at n+1
	for lo < hi {
		if k := (lo + hi) / 2; BinomialTail(k, n, p0) <= alpha {
			hi = k
		} else {
			lo = k + 1
		}
	}
	return lo
}

// DetectableAccuracy is the smallest true accuracy that a one-sided exact test of n points against chance p0 at level
// alpha finds with the given power; NaN when n points can never be significant.
func DetectableAccuracy(p0, alpha, power float64, n int) float64 {
	k := CriticalCorrect(p0, alpha, n)
	if k > n {
		return math.NaN()
	}
	if k == 0 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(k), float64(n-k+1), power)
}

// TestPoints is the smallest number of test points with which a one-sided exact binomial test against chance p0 at
// level alpha finds a true accuracy p1 with the given power. A slightly larger number can have slightly less power,
// because right answers are whole. It is 0 when no number is enough: p1 <= p0, alpha <= 0 or power >= 1.
func TestPoints(p0, p1, alpha, power float64) int {
	if !(p0 >= 0 && p1 > p0 && p1 <= 1 && alpha > 0 && power < 1) {
		return 0
	}
	if power <= 0 || alpha >= 1 {
		return 1
	}
	// The normal approximation says where to begin; below 4000 points the search from 1 costs nothing.
	za, zb := distuv.UnitNormal.Quantile(1-alpha), distuv.UnitNormal.Quantile(power)
	guess := math.Pow((za*math.Sqrt(p0*(1-p0))+zb*math.Sqrt(p1*(1-p1)))/(p1-p0), 2)
	n := 1
	if guess > 4000 {
		n = int(min(guess, 1e12) * 0.8)
	}
	for k := CriticalCorrect(p0, alpha, n); ; n++ {
		for BinomialTail(k, n, p0) > alpha { // the critical number never falls as n grows
			k++
		}
		if BinomialTail(k, n, p1) >= power {
			return n
		}
	}
}

func mustCount(k, n int) {
	if k < 0 || k > n {
		panic(fmt.Sprintf("metrics: %d right answers of %d", k, n))
	}
}

func mustLevel(level float64) {
	if !(level > 0 && level < 1) {
		panic(fmt.Sprintf("metrics: confidence level %g is not between 0 and 1", level))
	}
}
