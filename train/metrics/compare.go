package metrics

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Test is the result of a two-sided comparison of a with b. The interval is of a - b: of the means for the t tests, of the
// pseudo-median or median of the differences for Wilcoxon and Sign, of the accuracies for McNemar. What does not exist
// is NaN; an end that the data cannot bound at the level is infinite.
type Test struct {
	Statistic, DF, P, CILow, CIHigh float64
}

// StudentT compares the means of two independent samples of equal variance.
func StudentT(a, b []float64, level float64) (Test, error) {
	if err := samples("student", a, b, false); err != nil {
		return Test{}, err
	}
	na, nb := float64(len(a)), float64(len(b))
	ma, va := stat.MeanVariance(a, nil)
	mb, vb := stat.MeanVariance(b, nil)
	df := na + nb - 2
	pooled := ((na-1)*va + (nb-1)*vb) / df
	return tTest(ma-mb, math.Sqrt(pooled*(1/na+1/nb)), df, level), nil
}

// Welch compares the means of two independent samples whose variances may differ (Biometrika 1947).
func Welch(a, b []float64, level float64) (Test, error) {
	if err := samples("welch", a, b, false); err != nil {
		return Test{}, err
	}
	na, nb := float64(len(a)), float64(len(b))
	ma, va := stat.MeanVariance(a, nil)
	mb, vb := stat.MeanVariance(b, nil)
	sa, sb := va/na, vb/nb
	df := (sa + sb) * (sa + sb) / (sa*sa/(na-1) + sb*sb/(nb-1))
	return tTest(ma-mb, math.Sqrt(sa+sb), df, level), nil
}

// PairedT compares the means of pairs. Pairs from random splits of one data set are not independent: see Corrected.
func PairedT(a, b []float64, level float64) (Test, error) {
	if err := samples("paired", a, b, true); err != nil {
		return Test{}, err
	}
	d := differences(a, b)
	mean, sd := stat.MeanStdDev(d, nil)
	if slices.Min(d) == slices.Max(d) {
		mean, sd = d[0], 0
	}
	n := float64(len(d))
	return tTest(mean, sd/math.Sqrt(n), n-1, level), nil
}

// Corrected is the corrected resampled t test of pairs of accuracies from random splits with nTrain training and nTest
// test points (Nadeau and Bengio, Machine Learning 2003).
func Corrected(a, b []float64, nTrain, nTest int, level float64) (Test, error) {
	if err := samples("corrected", a, b, true); err != nil {
		return Test{}, err
	}
	if nTrain < 1 || nTest < 1 {
		return Test{}, fmt.Errorf("metrics: corrected: %d training and %d test points; both are needed", nTrain, nTest)
	}
	mean, _, se := resampled(differences(a, b), nTrain, nTest)
	return tTest(mean, se, float64(len(a)-1), level), nil
}

// tTest is the two-sided t test of a difference with its standard error. Without any spread p is 1 for no difference,
// else 0.
func tTest(diff, se, df, level float64) Test {
	mustLevel(level)
	if se == 0 {
		t := Test{DF: df, P: 1, CILow: diff, CIHigh: diff}
		if diff != 0 {
			t.Statistic, t.P = math.Inf(int(math.Copysign(1, diff))), 0
		}
		return t
	}
	dist := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	half := se * dist.Quantile(1-(1-level)/2)
	return Test{Statistic: diff / se, DF: df, P: min(1, 2*dist.Survival(math.Abs(diff/se))), CILow: diff - half, CIHigh: diff + half}
}

// exactPairs is up to how many pairs Wilcoxon computes the exact distribution; beyond it is normal for every purpose.
const exactPairs = 300

// Wilcoxon is the signed-rank test of pairs (Biometrics Bulletin 1945). Pairs without a difference are left out; tied
// differences share their mean rank. The p is exact, given the ties, up to 300 pairs, and from the normal approximation
// with tie correction beyond. The statistic is the smaller of the two rank sums. The interval is that of the
// pseudo-median, by Walsh averages of all differences (Hollander and Wolfe, section 3.3).
func Wilcoxon(a, b []float64, level float64) (Test, error) {
	mustLevel(level)
	if err := samples("wilcoxon", a, b, true); err != nil {
		return Test{}, err
	}
	d := rounded(differences(a, b))
	ranks, plus, total := signedRanks(d)
	t := Test{Statistic: min(plus, total-plus) / 2, DF: math.NaN(), P: 1}
	switch {
	case len(ranks) == 0:
	case len(ranks) <= exactPairs:
		t.P = min(1, 2*rankSums(ranks)[int(min(plus, total-plus))])
	default:
		variance := 0.0
		for _, r := range ranks {
			variance += float64(r) * float64(r) / 4
		}
		t.P = min(1, 2*distuv.UnitNormal.Survival(math.Abs(plus-total/2)/math.Sqrt(variance)))
	}
	t.CILow, t.CIHigh = walsh(d, level)
	return t, nil
}

// signedRanks ranks the sizes of the differences that are not 0. Ranks are doubled, so that mean ranks are whole. plus is
// the sum of the positive ones.
func signedRanks(d []float64) (ranks []int, plus, total float64) {
	d = slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 })
	slices.SortFunc(d, func(x, y float64) int {
		switch {
		case math.Abs(x) < math.Abs(y):
			return -1
		case math.Abs(x) > math.Abs(y):
			return 1
		}
		return 0
	})
	for i := 0; i < len(d); {
		j := i
		for j < len(d) && math.Abs(d[j]) == math.Abs(d[i]) {
			j++
		}
		rank := i + 1 + j // twice the mean of i+1 ... j
		for ; i < j; i++ {
			ranks = append(ranks, rank)
			total += float64(rank)
			if d[i] > 0 {
				plus += float64(rank)
			}
		}
	}
	return ranks, plus, total
}

// rankSums is P(sum <= s), for each s, of the ranks that a fair coin chooses.
func rankSums(ranks []int) []float64 {
	total := 0
	p := []float64{1} // probability of each sum of the ranks so far
	for _, r := range ranks {
		p = append(p, make([]float64, r)...)
		total += r
		for s := total; s >= 0; s-- {
			p[s] /= 2
			if s >= r {
				p[s] += p[s-r] / 2
			}
		}
	}
	for s := 1; s <= total; s++ {
		p[s] += p[s-1]
	}
	return p
}

// walsh is the interval of the pseudo-median: order statistics of the means of all pairs of differences.
func walsh(d []float64, level float64) (lo, hi float64) {
	n := len(d)
	drop := 0 // averages to leave out at each end
	if alpha := (1 - level) / 2; n <= exactPairs {
		ranks := make([]int, n)
		for i := range ranks {
			ranks[i] = i + 1
		}
		for _, p := range rankSums(ranks) {
			if p > alpha {
				break
			}
			drop++
		}
	} else {
		m := float64(n)
		drop = int(math.Floor(m*(m+1)/4 - distuv.UnitNormal.Quantile(1-alpha)*math.Sqrt(m*(m+1)*(2*m+1)/24)))
	}
	if drop == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	means := make([]float64, 0, n*(n+1)/2)
	for i := range d {
		for j := i; j < n; j++ {
			means = append(means, (d[i]+d[j])/2)
		}
	}
	slices.Sort(means)
	return means[drop-1], means[len(means)-drop]
}

// Sign is the exact sign test of pairs; pairs without a difference are left out. The statistic is the number of pairs in
// which a is larger. The interval is that of the median difference, by order statistics of all differences.
func Sign(a, b []float64, level float64) (Test, error) {
	mustLevel(level)
	if err := samples("sign", a, b, true); err != nil {
		return Test{}, err
	}
	d := rounded(differences(a, b))
	var plus, minus int
	for _, v := range d {
		switch {
		case v > 0:
			plus++
		case v < 0:
			minus++
		}
	}
	t := Test{Statistic: float64(plus), DF: math.NaN(), P: McNemarExact(plus, minus), CILow: math.Inf(-1), CIHigh: math.Inf(1)}
	slices.Sort(d)
	drop := 0
	for 1-BinomialTail(drop+1, len(d), 0.5) <= (1-level)/2 { // P(X <= drop)
		drop++
	}
	if drop > 0 {
		t.CILow, t.CIHigh = d[drop-1], d[len(d)-drop]
	}
	return t, nil
}

// McNemar compares two classifiers on the same n points, of which a alone got onlyA right and b alone onlyB. P is exact
// (McNemarExact), the statistic the number onlyA. The interval of the difference in accuracy is Wald's with half a point
// added to each cell (Agresti and Min, Statistics in Medicine 2005).
func McNemar(onlyA, onlyB, n int, level float64) (Test, error) {
	mustLevel(level)
	if onlyA < 0 || onlyB < 0 || n < 1 || onlyA+onlyB > n {
		return Test{}, fmt.Errorf("metrics: mcnemar: %d and %d points that one classifier alone got right, of %d", onlyA, onlyB, n)
	}
	x, y, m := float64(onlyA)+0.5, float64(onlyB)+0.5, float64(n)+2
	diff := (x - y) / m
	half := distuv.UnitNormal.Quantile(1-(1-level)/2) * math.Sqrt(x+y-(x-y)*(x-y)/m) / m
	return Test{Statistic: float64(onlyA), DF: math.NaN(), P: McNemarExact(onlyA, onlyB), CILow: diff - half, CIHigh: diff + half}, nil
}

func samples(test string, a, b []float64, paired bool) error {
	if paired && len(a) != len(b) {
		return fmt.Errorf("metrics: %s: %d and %d trials; pairs are needed", test, len(a), len(b))
	}
	if len(a) < 2 || len(b) < 2 {
		return fmt.Errorf("metrics: %s: %d and %d trials; at least 2 of each are needed", test, len(a), len(b))
	}
	for _, x := range [][]float64{a, b} {
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metrics: %s: trial %d is %g", test, i+1, v)
			}
		}
	}
	return nil
}

func differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

// rounded takes the noise of subtraction off differences, so that 0.3 - 0.2 and 0.2 - 0.1 are tied.
func rounded(d []float64) []float64 {
	for i := range d {
		if v := math.Round(d[i]*1e12) / 1e12; !math.IsInf(v, 0) {
			d[i] = v
		}
	}
	return d
}

// StudentQuantile is the p quantile of Student's t distribution with df degrees of freedom, for intervals from printed means
// and standard deviations.
func StudentQuantile(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}
