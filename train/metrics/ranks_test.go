package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// rankGolden is testdata/ranks.json, written by testdata/gen_ranks.py.
type rankGolden struct {
	Range, Quantiles [][3]float64
	Studies          []struct {
		Scores, Nemenyi   [][]float64
		Ranks             []float64
		Chi, P, F, PF, CD float64
		Wilcoxon, Holm    []float64
	}
	Bootstrap struct {
		X             []float64
		Level, Lo, Hi float64
	}
}

func loadRanks(t *testing.T) (g rankGolden) {
	b, err := os.ReadFile("testdata/ranks.json")
	if err == nil {
		err = json.Unmarshal(b, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// about compares with scipy's studentized range, whose adaptive integration is good to about 1e-10.
func about(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

func TestStudentizedRange(t *testing.T) {
	g := loadRanks(t)
	for _, r := range g.Range {
		about(t, fmt.Sprintf("P(range of %v > %v)", r[1], r[0]), StudentizedRange(r[0], int(r[1])), r[2])
	}
	for _, r := range g.Quantiles {
		about(t, fmt.Sprintf("quantile %v of %v", r[0], r[1]), StudentizedRangeQuantile(r[0], int(r[1])), r[2])
	}
	// The range of two values is a normal difference: P(|z| > q/sqrt(2)), far into the tail too.
	for _, q := range []float64{0.3, 2, 8, 20, 40} {
		if got, want := StudentizedRange(q, 2), math.Erfc(q/2); math.Abs(got-want) > 1e-11*want {
			t.Errorf("P(range of 2 > %g) = %g, want %g", q, got, want)
		}
	}
	if StudentizedRange(0, 3) != 1 || StudentizedRange(-1, 3) != 1 || StudentizedRange(math.Inf(1), 3) != 0 {
		t.Error("the ends of the range")
	}
}

func TestRanksOfStudies(t *testing.T) {
	for s, g := range loadRanks(t).Studies {
		f, err := Friedman(g.Scores)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("study %d: ", s)
		check(t, what+"chi-square", f.ChiSquare, g.Chi)
		check(t, what+"p", f.P, g.P)
		check(t, what+"F", f.F, g.F)
		check(t, what+"p of F", f.PF, g.PF)
		about(t, what+"critical difference", CriticalDifference(f.K, f.N, 0.05), g.CD)
		nemenyi := Nemenyi(f.Ranks, f.N)
		for i := range f.K {
			check(t, what+"rank", f.Ranks[i], g.Ranks[i])
			for j := range f.K {
				about(t, what+"Nemenyi", nemenyi[i][j], g.Nemenyi[i][j])
				if far := math.Abs(f.Ranks[i]-f.Ranks[j]) >= g.CD; far != (nemenyi[i][j] <= 0.05) {
					t.Errorf("%smodels %d and %d: p %g, but the critical difference says %t", what, i, j, nemenyi[i][j], far)
				}
			}
		}
		if g.Wilcoxon == nil {
			continue
		}
		p, holm, err := PairwiseWilcoxon(g.Scores)
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for i := range f.K {
			for j := i + 1; j < f.K; j++ {
				check(t, what+"Wilcoxon", p[i][j], g.Wilcoxon[at])
				check(t, what+"Holm", holm[j][i], g.Holm[at])
				at++
			}
		}
	}
}

// TestDemsar checks the worked example and the table of critical values of Demsar, "Statistical comparisons of classifiers
// over multiple data sets" (JMLR 2006): C4.5 and three variants on 14 data sets, by the ranks of Table 6. (One pair there
// has equal printed scores and different ranks, so that the ranks, not the scores, are the example.)
func TestDemsar(t *testing.T) {
	ranks := [][]float64{{4, 3, 2, 1}, {1, 2, 3, 4}, {4, 1, 2, 3}, {4, 1, 3, 2}, {4, 2, 3, 1}, {1, 2.5, 4, 2.5}, {3, 2, 4, 1}, {2.5, 2.5, 4, 1},
		{4, 3, 2, 1}, {2.5, 2.5, 2.5, 2.5}, {4, 2.5, 1, 2.5}, {3, 2, 4, 1}, {4, 1, 2, 3}, {3, 1, 4, 2}}
	scores := make([][]float64, len(ranks))
	for i, row := range ranks {
		for _, r := range row {
			scores[i] = append(scores[i], -r)
		}
	}
	f, err := Friedman(scores)
	if err != nil {
		t.Fatal(err)
	}
	chi := f.ChiSquare * f.Ties // the paper does not correct for ties
	imanDavenport := 13 * chi / (14*3 - chi)
	got := fmt.Sprintf("%.3f %.3f %.3f %.3f, chi2 %.2f, F(%g,%g) %.2f, CD %.2f and %.2f", f.Ranks[0], f.Ranks[1], f.Ranks[2], f.Ranks[3], chi, f.DF1, f.DF2, imanDavenport,
		CriticalDifference(4, 14, 0.05), CriticalDifference(4, 14, 0.10))
	if want := "3.143 2.000 2.893 1.964, chi2 9.28, F(3,39) 3.69, CD 1.25 and 1.12"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	// "the Nemenyi test at 0.05 is not powerful enough; at 0.10 C4.5 differs from C4.5+m and C4.5+m+cf"
	p := Nemenyi(f.Ranks, f.N)
	for i := range 4 {
		for j := range i {
			if p[i][j] <= 0.05 || (p[i][j] <= 0.10) != (j == 0 && i%2 == 1) {
				t.Errorf("models %d and %d: p %.3f", i, j, p[i][j])
			}
		}
	}
	if got := Cliques(f.Ranks, p, 0.10); !reflect.DeepEqual(got, [][]int{{3, 1, 2}, {2, 0}}) {
		t.Errorf("groups %v, want +m+cf, +m, +cf and +cf, C4.5", got)
	}
	if got := Cliques(f.Ranks, p, 0.05); !reflect.DeepEqual(got, [][]int{{3, 1, 2, 0}}) {
		t.Errorf("groups %v, want all", got)
	}
	// Table 5(a), which divides quantiles of three decimals by sqrt(2) and so is a unit off in the last here and there.
	for alpha, want := range map[float64][]float64{
		0.05: {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164},
		0.10: {1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920},
	} {
		for i, q := range want {
			if got := StudentizedRangeQuantile(alpha, i+2) / math.Sqrt2; math.Abs(got-q) > 0.001 {
				t.Errorf("critical value of %d models at %g: %.4f, want %.3f", i+2, alpha, got, q)
			}
		}
	}
}

func TestRanksLimits(t *testing.T) {
	if got := Ranks([]float64{0.5, 0.9, 0.5, 0.1, 0.5}); !reflect.DeepEqual(got, []float64{3, 1, 3, 5, 3}) {
		t.Errorf("ranks %v", got)
	}
	same := [][]float64{{1, 1, 1}, {2, 2, 2}}
	if f, err := Friedman(same); err != nil || f.P != 1 || f.PF != 1 || f.Ties != 0 || f.ChiSquare != 0 {
		t.Errorf("equal scores: %+v, %v", f, err)
	}
	if f, err := Friedman([][]float64{{3, 2, 1}, {30, 20, 10}, {9, 6, 5}}); err != nil || !math.IsInf(f.F, 1) || f.PF != 0 || f.ChiSquare != 6 {
		t.Errorf("one order everywhere: %+v, %v", f, err)
	}
	for want, scores := range map[string][][]float64{
		"1 data sets":                {{1, 2, 3}},
		"2 models":                   {{1, 2}, {1, 2}},
		"data set 2 has scores of 2": {{1, 2, 3}, {1, 2}},
		"data set 1, model 2":        {{1, math.NaN(), 3}, {1, 2, 3}},
	} {
		if _, err := Friedman(scores); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, _, err := PairwiseWilcoxon(nil); err == nil {
		t.Error("no scores, no error")
	}
	if _, _, err := PairwiseWilcoxon([][]float64{{1, 2}}); err == nil {
		t.Error("one data set, no error")
	}
	// 0 and 1 alike, 1 and 2 alike, 0 and 2 not; 3 apart from all.
	p := [][]float64{{1, 0.5, 0.01, 0}, {0.5, 1, 0.5, 0}, {0.01, 0.5, 1, 0}, {0, 0, 0, 1}}
	if got := Cliques([]float64{3, 2, 1, 4}, p, 0.05); !reflect.DeepEqual(got, [][]int{{2, 1}, {1, 0}}) {
		t.Errorf("groups %v", got)
	}
}

func TestBootstrap(t *testing.T) {
	g := loadRanks(t).Bootstrap
	mean := func(items []int) float64 {
		sum := 0.0
		for _, i := range items {
			sum += g.X[i]
		}
		return sum / float64(len(items))
	}
	lo, hi := Bootstrap(len(g.X), mean, 40000, 1, g.Level)
	check(t, "low", lo, g.Lo)
	check(t, "high", hi, g.Hi)
	if l, h := Bootstrap(len(g.X), mean, 300, 7, 0.9); true {
		if l2, h2 := Bootstrap(len(g.X), mean, 300, 7, 0.9); l != l2 || h != h2 {
			t.Error("the same seed gives other intervals")
		}
	}
	for n, b := range map[int]int{1: 100, 5: 0} {
		if lo, hi := Bootstrap(n, mean, b, 1, 0.9); !math.IsNaN(lo) || !math.IsNaN(hi) {
			t.Errorf("%d items, %d draws: %v, %v", n, b, lo, hi)
		}
	}
	// A share of draws has no value: the others give the interval.
	lo, hi = Bootstrap(2, func(items []int) float64 {
		if items[0] == items[1] {
			return math.NaN()
		}
		return 3
	}, 100, 1, 0.9)
	if lo != 3 || hi != 3 {
		t.Errorf("with NaN: %v, %v", lo, hi)
	}
}
