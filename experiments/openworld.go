package experiments

import (
	"fmt"
	"slices"

	"earshot/data/dataset"
	"earshot/train/metrics"
)

// openBases are the base rates of the tables: captures of other for every monitored one. With 1 the two are as frequent as in
// many test sets, 20 is what Wang (2020) proposes for comparisons, 1000 is a listener who plays anything.
var openBases = []float64{1, 20, 1000}

// openResult is what a group of an open world says.
type openResult struct {
	Group
	metrics.OpenWorld     // sums over the repeats, of the answers as they are
	Sets              int // test sets that these are sums of; folds that test every capture once are one together

	Threshold float64 // of a point of curve

	Closed int     // monitored captures whose highest monitored score is the right one
	Seen   float64 // share of the tested others whose value of World.Axis training has
	Values int     // values of World.Axis among the tested others
	Loud   int     // of these, with a false alarm in any repeat
}

// openResult counts the answers of a group.
func (r *Run) openResult(g Group) openResult {
	o := openResult{Group: g}
	other := slices.Index(g.Classes, dataset.Other)
	value := map[int64]string{}
	for _, c := range r.Captures {
		value[c.ID] = c.Labels[g.World.Axis]
	}
	sum := metrics.NewConfusion(nil, nil, len(g.Classes))
	loud := map[string]bool{}
	seen := 0
	for _, c := range g.Cells {
		training := map[string]bool{}
		for _, id := range r.Splits[c.Split].Train {
			training[value[id]] = true
		}
		for i, row := range c.Confusion {
			for j, n := range row {
				sum[i][j] += n
			}
		}
		for _, p := range c.Predictions {
			if p.True == other {
				v := value[p.CaptureID]
				loud[v] = loud[v] || p.Predicted != other
				if training[v] {
					seen++
				}
			} else if monitoredBest(p.Scores, other) == p.True {
				o.Closed++
			}
		}
	}
	o.OpenWorld, o.Sets, o.Values = sum.OpenWorld(other), testSets(g.Cells), len(loud)
	o.Seen = share(seen, o.Others)
	for _, is := range loud {
		if is {
			o.Loud++
		}
	}
	return o
}

// monitoredBest is the monitored class with the highest score, the first of equal ones.
func monitoredBest(scores []float32, other int) int {
	best := -1
	for k, v := range scores {
		if k != other && (best < 0 || v > scores[best]) {
			best = k
		}
	}
	return best
}

// testSets counts the repeats of cells: those of one seed are one together when no capture is tested by two of them, as in
// the folds of a cross-validation.
func testSets(cells []*Cell) (n int) {
	of := map[uint64][]*Cell{}
	for _, c := range cells {
		of[c.Seed] = append(of[c.Seed], c)
	}
	for _, list := range of {
		tested := map[int64]bool{}
		captures := 0
		for _, c := range list {
			for _, p := range c.Predictions {
				tested[p.CaptureID] = true
				captures++
			}
		}
		if len(tested) == captures {
			n++
		} else {
			n += len(list)
		}
	}
	return n
}

func share(k, n int) float64 {
	if n == 0 {
		return nan
	}
	return float64(k) / float64(n)
}

// interval is the exact one of the mean count of the repeats among the captures of one: repeats share captures and are
// not added up. A mean between two whole numbers takes the lower end of the lower and the upper end of the upper.
func (o openResult) interval(k, n int) (lo, hi float64) {
	n /= o.Sets
	lo, _ = metrics.ClopperPearson(min(k/o.Sets, n), n, level)
	_, hi = metrics.ClopperPearson(min((k+o.Sets-1)/o.Sets, n), n, level)
	return lo, hi
}

// precision at a base rate: the estimate, which is NaN as long as no false alarm was seen, and the value that it has with the
// upper end of the false alarms' interval.
func (o openResult) precision(base float64) (estimate, atLeast float64) {
	rates := o.Rates()
	estimate = rates.Precision(base)
	if o.False == 0 {
		estimate = nan
	}
	if o.Right+o.Wrong+o.False == 0 {
		return nan, nan
	}
	_, rates.FPR = o.interval(o.False, o.Others)
	return estimate, rates.Precision(base)
}

// curve is the same result at every threshold of the highest monitored score, of all repeats together: its rates are means
// over the repeats, which have as many captures each.
func (o openResult) curve() []openResult {
	other := slices.Index(o.Settings.Classes, dataset.Other)
	var scores [][]float32
	var truth []int
	for _, c := range o.Cells {
		for _, p := range c.Predictions {
			scores, truth = append(scores, p.Scores), append(truth, p.True)
		}
	}
	var out []openResult
	for _, p := range metrics.OpenCurve(scores, truth, other) {
		at := o
		at.OpenWorld, at.Threshold = p.OpenWorld, p.Threshold
		out = append(out, at)
	}
	return out
}

// others says in words what the tested others are to the model.
func (o openResult) others() string {
	switch o.Seen {
	case 0:
		return "unseen"
	case 1:
		return "seen"
	}
	return fmt.Sprintf("%s %% seen", fixed(100*o.Seen, 1))
}

// openResults are the groups of an open world in the order of its table: by protocol, models in the order of the sweep, the
// splits of one model one after the other; controls behind all models.
func (r *Run) openResults(groups []Group) (out []openResult) {
	if r.Manifest.Settings.World == nil {
		return nil
	}
	done := make([]bool, len(groups))
	for _, controls := range []bool{false, true} {
		for _, p := range r.Manifest.Settings.Protocols {
			for i, g := range groups {
				if done[i] || g.Protocol != p.Name || (g.Control != "") != controls || g.Part != "" {
					continue
				}
				for j := i; j < len(groups); j++ {
					if h := groups[j]; !done[j] && sameModel(g.Settings, h.Settings) {
						done[j] = true
						out = append(out, r.openResult(h))
					}
				}
			}
		}
	}
	return out
}

// sameModel says that two settings differ in their split alone.
func sameModel(a, b Settings) bool {
	a.SplitSpec, b.SplitSpec = "", ""
	return settingsKey(a) == settingsKey(b)
}
