package metrics

import (
	"cmp"
	"slices"
)

// PairwiseWilcoxon compares every pair of K models by the signed-rank test over the N data sets of scores (N, K). p is
// (K, K), holm the same corrected by Holm's method for the number of pairs: what Benavoli, Corani and Mangili (JMLR 2016)
// ask for instead of Nemenyi's test, whose answer on two models depends on which others were compared.
func PairwiseWilcoxon(scores [][]float64) (p, holm [][]float64, err error) {
	if err := rectangle("wilcoxon", scores); err != nil {
		return nil, nil, err
	}
	k := len(scores[0])
	columns := make([][]float64, k)
	for _, row := range scores {
		for j, v := range row {
			columns[j] = append(columns[j], v)
		}
	}
	var list []float64
	p = pairs(k, func(i, j int) float64 {
		t, e := Wilcoxon(columns[i], columns[j], 0.95)
		if e != nil && err == nil {
			err = e
		}
		list = append(list, t.P)
		return t.P
	})
	if err != nil {
		return nil, nil, err
	}
	list = Holm(list)
	holm = pairs(k, func(i, j int) float64 { return list[i*(i-1)/2+j] })
	return p, holm, nil
}

// Cliques are the groups of models that a test does not tell apart, the bars of a critical-difference diagram: maximal runs
// of models in the order of their mean ranks in which no pair has p <= alpha. A group holds model numbers, best rank
// first; models that differ from both neighbors are in no group.
func Cliques(ranks []float64, p [][]float64, alpha float64) (groups [][]int) {
	order := make([]int, len(ranks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ranks[a], ranks[b]) })
	end := 0 // of the last run; one that ends no later lies inside it
	for i := range order {
		j := i + 1
		for j < len(order) && !slices.ContainsFunc(order[i:j], func(m int) bool { return p[m][order[j]] <= alpha }) {
			j++
		}
		if j-i > 1 && j > end {
			groups, end = append(groups, slices.Clone(order[i:j])), j
		}
	}
	return groups
}
