package experiments

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"earshot/train/metrics"
)

// standing compares the models of an archive over the data sets on which all of them have numbers. Unsettled networks are
// not compared.
func (r *Run) standing(groups []Group) Standing {
	groups = settled(groups)
	var nets, datasets []string
	var scores [][]float64
	for _, net := range r.Manifest.Settings.Nets {
		if slices.ContainsFunc(groups, func(g Group) bool { return g.Control == "" && g.Net == net }) && !slices.Contains(nets, net) {
			nets = append(nets, net)
		}
	}
	for _, d := range r.Manifest.Settings.Archive.Datasets {
		var row []float64
		for _, net := range nets {
			if g, ok := ofProblem(groups, d, net, ""); ok {
				row = append(row, g.Mean)
			}
		}
		if len(row) == len(nets) && len(row) > 0 {
			datasets, scores = append(datasets, d), append(scores, row)
		}
	}
	s, err := Stand(nets, datasets, scores)
	if err != nil { // accuracies of equally many models are what the tests take
		panic(err)
	}
	return s
}

// ofProblem finds the group of a model, or with net "" of a control, on a data set.
func ofProblem(groups []Group, dataset, net, control string) (Group, bool) {
	i := slices.IndexFunc(groups, func(g Group) bool {
		return g.Dataset == dataset && g.Control == control && (net == "" || g.Net == net)
	})
	if i < 0 {
		return Group{}, false
	}
	return groups[i], true
}

// permutedLabels are the mean accuracy of models trained on permuted labels, that of the constant answer on the same test
// sets, and p that they are alike: Wilcoxon's test, two-sided, over all permutations. One permutation says little: where a
// model finds the groups of a data set by themselves, each group gets one of the permuted labels, right or wrong as a
// whole. With fewer than two permutations p is NaN.
func permutedLabels(groups []Group) (accuracy, constant, p float64) {
	var a, b []float64
	for _, g := range groups {
		if g.Control == ControlPermuted {
			for _, c := range g.Cells {
				a, b = append(a, c.Accuracy), append(b, c.MajorityShare)
			}
		}
	}
	t, err := metrics.Wilcoxon(a, b, level)
	if err != nil {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return stat.Mean(a, nil), stat.Mean(b, nil), t.P
}

// leastP is the smallest p that the two-sided signed-rank test can give for n data sets.
func leastP(n int) float64 { return min(1, math.Pow(2, 1-float64(n))) }

// unlikeBest says which models of one data set differ from the best one, by the exact McNemar test on the answers of the
// first run, with Holm's correction over the others. The best has the highest mean; of equals it is the first.
func unlikeBest(row []Group) (best int, unlike []bool) {
	for i, g := range row {
		if g.Mean > row[best].Mean {
			best = i
		}
	}
	p := make([]float64, len(row))
	for i, g := range row {
		p[i] = math.NaN()
		if i == best {
			continue
		}
		a, b := row[best].Cells[0].Predictions, g.Cells[0].Predictions
		onlyA, onlyB := 0, 0
		for j := range min(len(a), len(b)) {
			switch x, y := a[j].Predicted == a[j].True, b[j].Predicted == b[j].True; {
			case x && !y:
				onlyA++
			case y && !x:
				onlyB++
			}
		}
		p[i] = metrics.McNemarExact(onlyA, onlyB)
	}
	unlike = make([]bool, len(row))
	for i, v := range metrics.Holm(p) {
		unlike[i] = v < 0.05
	}
	return best, unlike
}

// The words for a result beside a published one.
const (
	withinNoise = "within noise"
	isHigher    = "higher"
	isLower     = "lower"
	isUnsettled = "unsettled" // nothing is said of it
)

// beside compares the mean over our runs with a published accuracy on the same test set. What both may differ by without
// meaning anything is the noise of training: for several runs on both sides Welch's interval of the difference, for a
// single published result the prediction interval of one more run of ours; for one run of ours, whose spread nobody
// knows, its exact interval. Half a digit of the printed number and one test series are always within noise. Of an
// unsettled network nothing is said.
func beside(g Group, p PublishedScore) string {
	if g.unsettled() {
		return isUnsettled
	}
	diff := g.Mean - p.Mean
	slack := max(0.0005, 1/float64(g.NTest)) + 1e-9
	if g.Repeats == 1 {
		if c := g.Cells[0]; p.Mean >= c.CILow-0.0005 && p.Mean <= c.CIHigh+0.0005 {
			return withinNoise
		}
	} else {
		n, m := float64(g.Repeats), float64(p.Runs)
		ours, theirs := g.SD*g.SD/n, p.SD*p.SD/m
		df := n - 1
		if p.Runs == 1 {
			theirs = g.SD * g.SD // as ours
		} else if ours+theirs > 0 {
			df = (ours + theirs) * (ours + theirs) / (ours*ours/(n-1) + theirs*theirs/(m-1))
		}
		slack = max(slack, metrics.StudentQuantile(0.975, df)*math.Sqrt(ours+theirs))
	}
	switch {
	case math.Abs(diff) <= slack:
		return withinNoise
	case diff > 0:
		return isHigher
	}
	return isLower
}
