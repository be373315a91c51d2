package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"earshot/plots"
	"earshot/train/metrics"
)

// Standing compares K models over N data sets by their accuracies, as Demsar (JMLR 2006) advises.
type Standing struct {
	Nets, Datasets []string
	Scores         [][]float64 // (N, K)
	Ranks          []float64   // (K), mean over the data sets, 1 is best
	Wilcoxon, Holm [][]float64 // (K, K) p of each pair; nil for fewer than two data sets or models

	Friedman metrics.FriedmanTest // from three models on
	Nemenyi  [][]float64          // (K, K); nil for fewer than three models
	Distance float64              // the critical difference of mean ranks at RanksLevel
}

// RanksLevel is the level of the tests of a Standing.
const RanksLevel = 0.05

// Stand compares models by their scores (N, K). Scores are rounded to nine digits first, so that means of equal counts are
// equal however they were added.
func Stand(nets, datasets []string, scores [][]float64) (s Standing, err error) {
	s = Standing{Nets: nets, Datasets: datasets, Ranks: make([]float64, len(nets))}
	n, k := len(datasets), len(nets)
	for _, row := range scores {
		row = slices.Clone(row)
		for j, v := range row {
			row[j] = math.Round(1e9*v) / 1e9
		}
		s.Scores = append(s.Scores, row)
		for j, v := range metrics.Ranks(row) {
			s.Ranks[j] += v / float64(n)
		}
	}
	if n < 2 || k < 2 {
		return s, nil
	}
	if s.Wilcoxon, s.Holm, err = metrics.PairwiseWilcoxon(s.Scores); err != nil || k < 3 {
		return s, err
	}
	if s.Friedman, err = metrics.Friedman(s.Scores); err != nil {
		return s, err
	}
	s.Nemenyi, s.Distance = metrics.Nemenyi(s.Ranks, n), metrics.CriticalDifference(k, n, RanksLevel)
	return s, nil
}

// Pair is the comparison of two models of a Standing.
type Pair struct {
	A, B               int // numbers of the models
	Wins, Ties, Losses int // data sets on which A is better, equal, worse
	Difference         float64
	P, PHolm           float64
	PNemenyi           float64 // NaN for fewer than three models
}

// Pairs compares every two models.
func (s Standing) Pairs() (out []Pair) {
	if s.Wilcoxon == nil {
		return nil
	}
	for a := range s.Nets {
		for b := a + 1; b < len(s.Nets); b++ {
			p := Pair{A: a, B: b, P: s.Wilcoxon[a][b], PHolm: s.Holm[a][b], PNemenyi: math.NaN()}
			if s.Nemenyi != nil {
				p.PNemenyi = s.Nemenyi[a][b]
			}
			for _, row := range s.Scores {
				p.Difference += (row[a] - row[b]) / float64(len(s.Scores))
				switch {
				case row[a] > row[b]:
					p.Wins++
				case row[a] < row[b]:
					p.Losses++
				default:
					p.Ties++
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// Order is the models from the best mean rank to the worst.
func (s Standing) Order() []int {
	order := make([]int, len(s.Nets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Ranks[a], s.Ranks[b]) })
	return order
}

// Mean is the mean score of a model.
func (s Standing) Mean(net int) (mean float64) {
	for _, row := range s.Scores {
		mean += row[net] / float64(len(s.Scores))
	}
	return mean
}

// Figure is the critical-difference diagram, which three models and two data sets are needed for.
func (s Standing) Figure() (Figure, error) {
	if s.Nemenyi == nil {
		return Figure{}, fmt.Errorf("experiments: ranks: %d models with results on %d data sets; at least 3 and 2 are needed", len(s.Nets), len(s.Datasets))
	}
	var models []plots.Ranked
	for i, net := range s.Nets {
		models = append(models, plots.Ranked{Name: netTitle(net), Rank: s.Ranks[i]})
	}
	groups := metrics.Cliques(s.Ranks, s.Nemenyi, RanksLevel)
	return Figure{"ranks", fmt.Sprintf("Mean ranks of %d models over %d data sets, best on the left. A bar joins models that Nemenyi's test does not tell apart at %g %%: their ranks differ by less than the critical difference (CD).",
		len(s.Nets), len(s.Datasets), 100*RanksLevel), plots.CriticalDifference(models, groups, s.Distance)}, nil
}

// ReadScores reads a table with the columns dataset, net and accuracy, one row for each result, as archive.csv is: results
// of one model on one data set are averaged. Data sets that lack a model are left out.
func ReadScores(path string) (Standing, error) {
	head, rows, err := readTable(path)
	if err != nil {
		return Standing{}, err
	}
	var at [3]int
	for i, name := range []string{"dataset", "net", "accuracy"} {
		if at[i] = slices.Index(head, name); at[i] < 0 {
			return Standing{}, fmt.Errorf("experiments: %s: no column %s; dataset, net and accuracy are needed", path, name)
		}
	}
	var nets, datasets []string
	sums := map[[2]string][]float64{}
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		d, net, v := f[at[0]], f[at[1]], p.float(at[2], 64)
		if p.err == nil && !(v >= 0 && v <= 1) {
			p.fail(at[2], "an accuracy from 0 to 1; give fractions, not percent")
		}
		if p.err != nil {
			return Standing{}, p.err
		}
		if !slices.Contains(datasets, d) {
			datasets = append(datasets, d)
		}
		if !slices.Contains(nets, net) {
			nets = append(nets, net)
		}
		sums[[2]string{d, net}] = append(sums[[2]string{d, net}], v)
	}
	var kept []string
	var scores [][]float64
	for _, d := range datasets {
		var row []float64
		for _, net := range nets {
			if v := sums[[2]string{d, net}]; v != nil {
				row = append(row, stat.Mean(v, nil))
			}
		}
		if len(row) == len(nets) {
			kept, scores = append(kept, d), append(scores, row)
		}
	}
	if len(kept) < 2 || len(nets) < 2 {
		return Standing{}, fmt.Errorf("experiments: %s: %d models, %d data sets on which all of them have results; at least 2 of each are needed", path, len(nets), len(kept))
	}
	return Stand(nets, kept, scores)
}
