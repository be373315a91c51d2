package synth

import "math"

// SimplexAccuracy is the accuracy of the best possible rule for K equally likely classes whose observation is Gaussian
// with unit variance in every direction around K means that are all sqrt(2)*d apart (a regular simplex).
//
// Derivation. Only distances matter, so put the means at d*e_k on K orthogonal axes. With equal priors and equal
// covariances the best rule names the axis with the largest coordinate. Given the true class, its coordinate z is
// N(d, 1), the K-1 others are N(0, 1), and all are independent, so that
//
//	P(right) = integral of phi(z-d) * Phi(z)^(K-1) dz
//
// which is 1/K at d = 0 and grows to 1. The integral is taken by the trapezoid rule over ±10 standard deviations around
// d: for a smooth integrand that vanishes at both ends its error falls faster than any power of the step, here to about
// 1e-15.
func SimplexAccuracy(k int, d float64) float64 {
	const reach, n = 10.0, 1000
	h := 2 * reach / n
	sum := 0.0
	for i := 0; i <= n; i++ {
		u := -reach + float64(i)*h // z - d
		sum += math.Exp(-u*u/2) * math.Pow(math.Erfc(-(u+d)/math.Sqrt2)/2, float64(k-1))
	}
	return min(1, sum*h/math.Sqrt(2*math.Pi))
}

// SimplexDistance is the d at which SimplexAccuracy(k, d) equals accuracy: 0 for 1/k or less, +Inf for 1 or more.
func SimplexDistance(k int, accuracy float64) float64 {
	if accuracy >= 1 {
		return math.Inf(1)
	}
	lo, hi := 0.0, 12.0 // at 12 the accuracy differs from 1 by less than a float64 can show
	for range 60 {
		if mid := (lo + hi) / 2; SimplexAccuracy(k, mid) < accuracy {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
