package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"earshot/train/metrics"
)

// comparison is two groups on the same splits, with every test of EC-50 and EC-51.
type comparison struct {
	fold  featureFold
	why   string
	a, b  Group
	x, y  []float64 // accuracies on the common splits
	tests []namedTest
}

type namedTest struct {
	name string
	metrics.Test
}

// testNames are the tests of every comparison, in the order of comparisons.csv. McNemar's is on the captures of the first
// common split, the others are on the accuracies of all of them; student and welch take the two as independent, which they
// are not: they are what the study printed.
var testNames = []string{"student", "welch", "paired", "corrected", "wilcoxon", "sign", "mcnemar"}

// paired are the accuracies of two groups on the splits that both have, in the order of a.
func paired(a, b Group) (x, y []float64, n int) {
	for _, c := range a.Cells {
		if d := twin(c, b); d != nil {
			x, y = append(x, c.Accuracy), append(y, d.Accuracy)
		}
	}
	return x, y, len(x)
}

// twin is the cell of b on the same split with the same seed.
func twin(c *Cell, b Group) *Cell {
	i := slices.IndexFunc(b.Cells, func(d *Cell) bool { return d.Split == c.Split && d.Seed == c.Seed })
	if i < 0 {
		return nil
	}
	return b.Cells[i]
}

// compareGroups runs all tests of a against b that their splits allow.
func compareGroups(f featureFold, why string, a, b Group) comparison {
	c := comparison{fold: f, why: why, a: a, b: b}
	c.x, c.y, _ = paired(a, b)
	for _, name := range testNames {
		var t metrics.Test
		var err error
		switch name {
		case "student":
			t, err = metrics.StudentT(c.x, c.y, level)
		case "welch":
			t, err = metrics.Welch(c.x, c.y, level)
		case "paired":
			t, err = metrics.PairedT(c.x, c.y, level)
		case "corrected":
			t, err = metrics.Corrected(c.x, c.y, a.NTrain, a.NTest, level)
		case "wilcoxon":
			t, err = metrics.Wilcoxon(c.x, c.y, level)
		case "sign":
			t, err = metrics.Sign(c.x, c.y, level)
		case "mcnemar":
			t, err = mcnemar(a, b)
		}
		if err != nil { // one split has no spread
			t = metrics.Test{Statistic: nan, DF: nan, P: nan, CILow: nan, CIHigh: nan}
		}
		c.tests = append(c.tests, namedTest{name, t})
	}
	return c
}

// mcnemar compares the answers on the first split that both groups have.
func mcnemar(a, b Group) (metrics.Test, error) {
	for _, c := range a.Cells {
		d := twin(c, b)
		if d == nil {
			continue
		}
		onlyA, onlyB := 0, 0
		for i, p := range c.Predictions {
			switch x, y := p.Predicted == p.True, d.Predictions[i].Predicted == p.True; {
			case x && !y:
				onlyA++
			case y && !x:
				onlyB++
			}
		}
		return metrics.McNemar(onlyA, onlyB, len(c.Predictions), level)
	}
	return metrics.Test{}, fmt.Errorf("experiments: no common split")
}

// comparisons are those of EC-50 in every fold: in each set the best model against the second, the forest between sets, and
// some of the features against all.
func (r *Run) comparisons(folds []featureFold) (out []comparison) {
	names := r.setNames()
	for _, f := range folds {
		for _, set := range names {
			if best := f.best(set); len(best) > 1 {
				out = append(out, compareGroups(f, "best against second", best[0], best[1]))
			}
		}
		for i, b := range names {
			for _, a := range names[i+1:] {
				x, ok := f.find("", a, "forest", "")
				y, ok2 := f.find("", b, "forest", "")
				if ok && ok2 {
					out = append(out, compareGroups(f, "sets", x, y))
				}
			}
		}
		for _, pair := range [][2]string{{"sizes", "histogram"}, {"times", "histogram"}, {"windows", "tcptrace"}, {"amounts", "tcptrace"}} {
			x, ok := f.find(PartAblation, pair[0], "", "")
			y, ok2 := f.find(PartAblation, pair[1], "", "")
			if ok && ok2 {
				out = append(out, compareGroups(f, "some features", x, y))
			}
		}
	}
	return out
}

var comparisonColumns = []string{"protocol", "split", "comparison", "a_set", "a_model", "b_set", "b_model", "trials", "mean_a", "mean_b", "test",
	"statistic", "df", "p", "ci_low", "ci_high"}

func comparisonsCSV(list []comparison) []byte {
	return writeCSV(comparisonColumns, func(add func(...string)) {
		for _, c := range list {
			for _, t := range c.tests {
				add(c.fold.protocol, c.fold.split, c.why, c.a.Representation, c.a.Net, c.b.Representation, c.b.Net, integer(len(c.x)), number(mean(c.x)), number(mean(c.y)),
					t.name, number(t.Statistic), number(t.DF), number(t.P), number(t.CILow), number(t.CIHigh))
			}
		}
	})
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// comparisonTable has one row per comparison, a column for the p of each test.
func (r *Run) comparisonTable(folds []featureFold) Table {
	t := Table{Name: "comparisons", Title: "Comparisons of models and of features",
		Columns: []Column{{Name: "Protocol", Left: true, Wide: true}, {Name: "Splits", Left: true}, {Name: "A", Left: true}, {Name: "B", Left: true}, {Name: "A - B"},
			{Name: "95 % low"}, {Name: "95 % high"}},
		Notes: []string{"Differences in points; their interval is that of the corrected resampled t test. Two-sided p by the test at the head of the column: student and welch treat the two rows of accuracies as independent samples, as the study did; paired, wilcoxon and sign use that the splits are the same, but not that they overlap; corrected does. mcnemar looks at the captures of one split. The best and the second were picked by these same numbers. Where the splits hold groups apart, overlap is less and the tests are rough.",
			r.view()}}
	for _, n := range testNames {
		t.Columns = append(t.Columns, Column{Name: "p " + n, Wide: n == "welch" || n == "wilcoxon"})
	}
	last := ""
	for _, c := range r.comparisons(folds) {
		row := []string{c.fold.protocol, specTitle(c.fold.split), setTitle(c.a.Representation) + ", " + netTitle(c.a.Net), setTitle(c.b.Representation) + ", " + netTitle(c.b.Net),
			fixed(100*(mean(c.x)-mean(c.y)), 2), "", ""}
		for _, test := range c.tests {
			if test.name == "corrected" {
				row[5], row[6] = fixed(100*test.CILow, 2), fixed(100*test.CIHigh, 2)
			}
			row = append(row, pvalue(test.P))
		}
		key := c.fold.name()
		t.Rows = append(t.Rows, Row{Fields: row, Ruled: last != "" && key != last})
		last = key
	}
	return t
}

// publishedRequests are the study's own comparisons with what its printed means and deviations imply (EC-50).
func (r *Run) publishedRequests() []Table {
	p := r.Manifest.Settings.Published.Requests
	if p == nil {
		return nil
	}
	t := Table{Name: "published_tests", Title: "The study's own comparisons of feature sets (forest), and which test they are",
		Columns: []Column{{Name: "A", Left: true}, {Name: "B", Left: true}, {Name: "A %"}, {Name: "B %"}, {Name: "Printed p"}, {Name: "Printed low"}, {Name: "Printed high"},
			{Name: "Unpaired p"}, {Name: "Unpaired low"}, {Name: "Unpaired high"}},
		Notes: []string{"Unpaired: Student's t test of two independent samples of 100 with the printed means and standard deviations. It gives the printed intervals, so this is the test that the study ran; it ignores that the two rows come from the same 100 splits and that the splits overlap. Differences in points."}}
	for _, test := range p.Tests {
		a, ok := p.ablation(test.A)
		b, ok2 := p.ablation(test.B)
		if !ok || !ok2 {
			continue
		}
		const trials = 100
		d, err := metrics.StudentT(sample(a.Mean, a.SD, trials), sample(b.Mean, b.SD, trials), level)
		if err != nil {
			continue
		}
		row := []string{setTitle(test.A), setTitle(test.B), percent(a.Mean), percent(b.Mean), "", "", "", fixed(d.P, 3), fixed(100*d.CILow, 4), fixed(100*d.CIHigh, 4)}
		if d.P < 0.0001 {
			row[7] = "<0.0001"
		}
		switch {
		case test.Below:
			row[4] = fmt.Sprintf("<%g", test.P)
		case test.P > 0:
			row[4] = fixed(test.P, 3)
		}
		if test.Low != 0 || test.High != 0 {
			row[5], row[6] = fmt.Sprint(test.Low), fmt.Sprint(test.High)
		}
		t.add(row...)
	}
	return []Table{t}
}

func (p *RequestsPublished) ablation(set string) (PublishedAblation, bool) {
	i := slices.IndexFunc(p.Ablations, func(a PublishedAblation) bool { return a.Set == set })
	if i < 0 {
		return PublishedAblation{}, false
	}
	return p.Ablations[i], true
}

// sample is n values (an even number) with this mean and this standard deviation (n - 1).
func sample(mean, sd float64, n int) []float64 {
	out := make([]float64, n)
	half := sd * math.Sqrt(float64(n-1)/float64(n))
	for i := range out {
		out[i] = mean + half*float64(1-2*(i%2))
	}
	return out
}

// chosenTable is EC-43: how often a value of a setting won the inner search.
func (r *Run) chosenTable(folds []featureFold) Table {
	t := Table{Name: "chosen", Title: "Settings that the inner search chose, by number of random splits",
		Columns: []Column{{Name: "Protocol", Left: true}, {Name: "Features", Left: true}, {Name: "Model", Left: true}, {Name: "Setting", Left: true}, {Name: "Chosen", Left: true}, {Name: "Splits"}, {Name: "Study, of 100", Left: true}},
		Notes:   []string{"Each split counts once; of points that are equally good the first of the grid is taken. p is the number of features."}}
	pub := r.Published().Requests
	if pub == nil {
		t.Columns = t.Columns[:6]
	}
	for _, f := range folds {
		if splitAxis(f.split) != "" {
			continue
		}
		var rows []Row
		for _, g := range f.groups {
			if g.Part != "" || g.Control != "" || g.Folds == 0 {
				continue
			}
			for _, setting := range sortedKeys(g.Grid) {
				values := strings.Split(g.Grid[setting], "|")
				if len(values) < 2 {
					continue
				}
				counts := map[string]int{}
				for _, c := range g.Cells {
					counts[c.Chosen[setting]]++
				}
				slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
				var won, study []string
				for _, v := range values {
					if counts[v] > 0 {
						won = append(won, fmt.Sprintf("%s: %d", v, counts[v]))
					}
				}
				if pub != nil {
					for _, p := range pub.Chosen {
						if p.Set == g.Representation && p.Model == g.Net && p.Setting == setting {
							study = append(study, fmt.Sprintf("%s: %d", p.Value, p.Trials))
						}
					}
				}
				rows = append(rows, Row{Fields: []string{g.Protocol, setTitle(g.Representation), netTitle(g.Net), setting, strings.Join(won, ", "), integer(g.Repeats), strings.Join(study, ", ")}[:len(t.Columns)]})
			}
		}
		t.rule(rows)
	}
	return t
}
