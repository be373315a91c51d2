package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Ranks ranks the models of one data set: 1 is the highest score, equal scores share the mean of their ranks.
func Ranks(scores []float64) []float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(scores))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+1+j) / 2
		}
		i = j
	}
	return out
}

// FriedmanTest is the result of Friedman: whether K models differ over N data sets.
type FriedmanTest struct {
	N, K  int
	Ranks []float64 // (K), mean over the data sets; 1 is best

	ChiSquare float64 // K - 1 degrees of freedom
	P         float64
	Ties      float64 // what ChiSquare was divided by for ties: 1 without any; 0, and P = 1, when all scores are equal

	F        float64 // Iman and Davenport's; infinite when all data sets give one order
	DF1, DF2 float64
	PF       float64
}

// Friedman tests whether models differ, from the scores (N, K) of K >= 3 models on N >= 2 data sets, higher being better:
// the chi-square of the ranks, corrected for ties (Friedman, JASA 1937; Conover, Practical Nonparametric Statistics,
// section 5.8), and the F of Iman and Davenport (Communications in Statistics A, 1980), which is less conservative.
// Scores that differ by rounding alone are told apart: round them first.
func Friedman(scores [][]float64) (FriedmanTest, error) {
	t, err := newFriedman(scores)
	if err != nil {
		return t, err
	}
	n, k := float64(t.N), float64(t.K)
	tied := 0.0 // sum of t^3 - t over groups of equal scores
	t.Ranks = make([]float64, t.K)
	for _, row := range scores {
		ranks := Ranks(row)
		for j, r := range ranks {
			t.Ranks[j] += r
		}
		slices.Sort(ranks)
		for len(ranks) > 0 {
			same := 1
			for same < len(ranks) && ranks[same] == ranks[0] {
				same++
			}
			s := float64(same)
			tied += s*s*s - s
			ranks = ranks[same:]
		}
	}
	spread := 0.0
	for j := range t.Ranks {
		t.Ranks[j] /= n
		spread += (t.Ranks[j] - (k+1)/2) * (t.Ranks[j] - (k+1)/2)
	}
	t.Ties = 1 - tied/(n*k*(k*k-1))
	t.DF1, t.DF2 = k-1, (k-1)*(n-1)
	t.P, t.PF = 1, 1
	if t.Ties == 0 {
		return t, nil
	}
	t.ChiSquare = 12 * n / (k * (k + 1)) * spread / t.Ties
	t.P = distuv.ChiSquared{K: k - 1}.Survival(t.ChiSquare)
	// At the greatest chi-square the F is infinite; rounding must not make it a large number of any sign.
	if rest := n*(k-1) - t.ChiSquare; rest > 1e-9*n*(k-1) {
		t.F = (n - 1) * t.ChiSquare / rest
		t.PF = distuv.F{D1: t.DF1, D2: t.DF2}.Survival(t.F)
	} else {
		t.F, t.PF = math.Inf(1), 0
	}
	return t, nil
}

func newFriedman(scores [][]float64) (t FriedmanTest, err error) {
	if len(scores) < 2 {
		return t, fmt.Errorf("metrics: friedman: %d data sets; at least 2 are needed", len(scores))
	}
	t.N, t.K = len(scores), len(scores[0])
	if t.K < 3 {
		return t, fmt.Errorf("metrics: friedman: %d models; at least 3 are needed, two are compared by Wilcoxon's test", t.K)
	}
	return t, rectangle("friedman", scores)
}

// rectangle checks that every data set has a finite score of every model.
func rectangle(test string, scores [][]float64) error {
	if len(scores) == 0 || len(scores[0]) == 0 {
		return errors.New("metrics: " + test + ": no scores")
	}
	for i, row := range scores {
		if len(row) != len(scores[0]) {
			return fmt.Errorf("metrics: %s: data set %d has scores of %d models, data set 1 of %d; all models must have run on all data sets", test, i+1, len(row), len(scores[0]))
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metrics: %s: data set %d, model %d: score %g", test, i+1, j+1, v)
			}
		}
	}
	return nil
}
