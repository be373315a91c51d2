package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Bootstrap is the percentile interval of a statistic of n independent items (Efron and Tibshirani, An Introduction to the
// Bootstrap, section 13.3): b times n items are drawn with replacement, and statistic is given their numbers. It is for
// what has no exact interval: macro-F1, a median, the difference of two models on the same points. Draws whose statistic
// is NaN are left out. With fewer than two items or without draws both ends are NaN. Items that belong together need
// ClopperPearsonClustered, and a share of right answers has ClopperPearson.
func Bootstrap(n int, statistic func(items []int) float64, b int, seed uint64, level float64) (lo, hi float64) {
	mustLevel(level)
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	rng := rand.New(rand.NewPCG(seed, 0x706c61696e)) // the second word spells "plain"
	items := make([]int, n)
	var values []float64
	for range b {
		for i := range items {
			items[i] = rng.IntN(n)
		}
		if v := statistic(items); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return quantile(values, (1-level)/2), quantile(values, 1-(1-level)/2)
}

// quantile interpolates linearly between the sorted values, as numpy does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
