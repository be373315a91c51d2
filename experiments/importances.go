package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"earshot/plots"
)

// importance of a feature over the trials of a group.
type importance struct {
	feature             string
	mdi, mdiSD          float64
	permuted, permutedS float64
	trials              int
}

// importances are the means over the cells that measured them, in the order of the columns.
func (g Group) importances() (out []importance) {
	var cells []*Cell
	for _, c := range g.Cells {
		if len(c.Importances) > 0 {
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return nil
	}
	for i, first := range cells[0].Importances {
		var mdi, permuted []float64
		for _, c := range cells {
			mdi, permuted = append(mdi, c.Importances[i].MDI), append(permuted, c.Importances[i].Permutation)
		}
		q := importance{feature: first.Feature, trials: len(cells)}
		q.mdi, q.mdiSD = meanSD(mdi)
		q.permuted, q.permutedS = meanSD(permuted)
		out = append(out, q)
	}
	return out
}

func meanSD(v []float64) (m, sd float64) {
	m = mean(v)
	if len(v) < 2 {
		return m, nan
	}
	for _, x := range v {
		sd += (x - m) * (x - m)
	}
	return m, math.Sqrt(sd / float64(len(v)-1))
}

var importanceSummary = []string{"protocol", "split", "set", "model", "feature", "mdi", "mdi_sd", "permutation", "permutation_sd", "trials"}

func meanImportancesCSV(folds []featureFold) []byte {
	return writeCSV(importanceSummary, func(add func(...string)) {
		for _, f := range folds {
			for _, g := range f.groups {
				for _, q := range g.importances() {
					add(g.Protocol, g.SplitSpec, g.Representation, g.Net, q.feature, number(q.mdi), number(q.mdiSD), number(q.permuted), number(q.permutedS), integer(q.trials))
				}
			}
		}
	})
}

// families are the groups of features that the study speaks of (EC-61), by the beginnings of their names.
var families = []struct {
	name   string
	prefix []string
}{
	{"window advertisements", []string{"max_win_adv", "min_win_adv", "avg_win_adv"}},
	{"amount of data", []string{"total_packets", "unique_bytes_sent", "actual_data_pkts", "actual_data_bytes"}},
	{"acknowledgements", []string{"ack_pkts_sent", "pure_acks_sent"}},
	{"retransmissions", []string{"rexmt_", "outoforder_pkts"}},
	{"segment sizes", []string{"mss_requested", "max_segm_size", "min_segm_size", "avg_segm_size"}},
	{"pushed data, initial window", []string{"pushed_data_pkts", "initial_window"}},
	{"times of the connection", []string{"data_xmit_time", "idletime_max", "throughput"}},
	{"histogram of sizes", []string{"size_"}},
	{"histogram of inter-arrival times", []string{"iat_"}},
}

func family(feature string) int {
	return slices.IndexFunc(families, func(f struct {
		name   string
		prefix []string
	}) bool {
		return slices.ContainsFunc(f.prefix, func(p string) bool { return strings.HasPrefix(feature, p) })
	})
}

// importanceTables are EC-60, of the forest with a search on random splits of the first protocol: by feature for each set,
// and by family.
func (r *Run) importanceTables(folds []featureFold) (out []Table) {
	sum := Table{Name: "importances_families", Title: "What a forest's features are worth, by family",
		Columns: []Column{{Name: "Features", Left: true}, {Name: "Family", Left: true}, {Name: "Columns"}, {Name: "MDI %"}, {Name: "MDI % per column"}, {Name: "Least MDI %"}, {Name: "Permutation, points"}},
		Notes:   []string{"MDI: mean decrease in impurity, all columns of a set adding up to 100 %. Permutation: accuracy lost on the test captures when a column is shuffled, added up over the family's columns; columns that say the same cover for each other and lose little."}}
	f, ok := r.importanceFold(folds)
	if !ok {
		return nil
	}
	for _, set := range r.setNames() {
		g, _ := f.find("", set, "forest", "")
		list := g.importances()
		if len(list) == 0 {
			continue
		}
		t := Table{Name: "importances_" + set, Title: fmt.Sprintf("What the forest's features are worth: %s, protocol %s, %s", setTitle(set), f.protocol, specTitle(f.split)),
			Columns: []Column{{Name: "Feature", Left: true}, {Name: "MDI %"}, {Name: "SD"}, {Name: "Permutation, points"}, {Name: "SD of it"}, {Name: "Family", Left: true}},
			Notes: []string{fmt.Sprintf("Means over %d splits. MDI: mean decrease in impurity in training, adding up to 100 %%. Permutation: accuracy lost on the test captures when the feature is shuffled %d times.", list[0].trials, g.Shuffles),
				r.view()}}
		slices.SortStableFunc(list, func(a, b importance) int { return cmp.Compare(b.mdi, a.mdi) })
		type total struct {
			n             int
			mdi, permuted float64
			least         float64
		}
		totals := make([]total, len(families))
		for _, q := range list {
			k := family(q.feature)
			name := ""
			if k >= 0 {
				name = families[k].name
				least := q.mdi
				if totals[k].n > 0 {
					least = min(least, totals[k].least)
				}
				totals[k] = total{totals[k].n + 1, totals[k].mdi + q.mdi, totals[k].permuted + q.permuted, least}
			}
			t.add(q.feature, percent(q.mdi), percent(q.mdiSD), percent(q.permuted), percent(q.permutedS), name)
		}
		out = append(out, t)
		var rows []Row
		for k, v := range totals {
			if v.n > 0 {
				rows = append(rows, Row{Fields: []string{setTitle(set), families[k].name, integer(v.n), percent(v.mdi), percent(v.mdi / float64(v.n)), percent(v.least), percent(v.permuted)}})
			}
		}
		sum.rule(rows)
	}
	if len(sum.Rows) == 0 {
		return nil
	}
	return append([]Table{sum}, out...)
}

// importanceFold is the fold that importances are shown of: the first that has a forest with a search.
func (r *Run) importanceFold(folds []featureFold) (featureFold, bool) {
	for _, f := range folds {
		for _, set := range r.setNames() {
			if g, ok := f.find("", set, "forest", ""); ok && len(g.importances()) > 0 {
				return f, true
			}
		}
	}
	return featureFold{}, false
}

// mostBars is the number of features that a figure of importances shows.
const mostBars = 15

// importanceFigures are a figure for each set: the features that matter most, by both measures.
func (r *Run) importanceFigures(folds []featureFold) (out []Figure) {
	f, ok := r.importanceFold(folds)
	if !ok {
		return nil
	}
	for _, set := range r.setNames() {
		g, _ := f.find("", set, "forest", "")
		list := g.importances()
		if len(list) == 0 {
			continue
		}
		slices.SortStableFunc(list, func(a, b importance) int { return cmp.Compare(b.mdi, a.mdi) })
		mdi := plots.DotPanel{Title: "impurity", XLabel: "Mean decrease in impurity (%)", Series: []plots.DotSeries{{}}}
		lost := plots.DotPanel{Title: "permutation", XLabel: "Accuracy lost (points)", Series: []plots.DotSeries{{}}}
		for _, q := range list[:min(mostBars, len(list))] {
			mdi.Rows, lost.Rows = append(mdi.Rows, q.feature), append(lost.Rows, q.feature)
			mdi.Series[0].Points = append(mdi.Series[0].Points, spread(q.mdi, q.mdiSD))
			lost.Series[0].Points = append(lost.Series[0].Points, spread(q.permuted, q.permutedS))
		}
		out = append(out, Figure{"importances_" + set,
			fmt.Sprintf("What the features of %s are worth to a random forest, protocol %s, %s: the %d with the largest decrease in impurity, and the accuracy lost on test captures when each is shuffled. Bars: one standard deviation over the splits.",
				setTitle(set), f.protocol, specTitle(f.split), len(mdi.Rows)), plots.Dots(mdi, lost)})
	}
	return out
}

// spread is a value in percent with one standard deviation on both sides.
func spread(v, sd float64) plots.DotPoint {
	return plots.DotPoint{Mean: 100 * v, Low: 100 * (v - sd), High: 100 * (v + sd)}
}
