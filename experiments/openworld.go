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
	Values []openValue

	value map[int64]string // of World.Axis, by capture
}

// openValue is one value of World.Axis among the tested others: their captures and false alarms, sums over the repeats.
type openValue struct {
	name          string
	others, false int
}

// loud counts the values with a false alarm.
func (o openResult) loud() (n int) {
	for _, v := range o.Values {
		if v.false > 0 {
			n++
		}
	}
	return n
}

// openResult counts the answers of a group.
func (r *Run) openResult(g Group) openResult {
	o := openResult{Group: g, value: map[int64]string{}}
	other := slices.Index(g.Classes, dataset.Other)
	for _, c := range r.Captures {
		o.value[c.ID] = c.Labels[g.World.Axis]
	}
	sum := metrics.NewConfusion(nil, nil, len(g.Classes))
	seen := 0
	for _, c := range g.Cells {
		training := map[string]bool{}
		for _, id := range r.Splits[c.Split].Train {
			training[o.value[id]] = true
		}
		for i, row := range c.Confusion {
			for j, n := range row {
				sum[i][j] += n
			}
		}
		for _, p := range c.Predictions {
			if p.True == other {
				v := o.value[p.CaptureID]
				o.meet(v, p.Predicted != other)
				if training[v] {
					seen++
				}
			} else if best := monitoredBest(p.Scores, other); best == p.True {
				o.Closed++
			}
		}
	}
	o.OpenWorld, o.Sets, o.Seen = sum.OpenWorld(other), testSets(g.Cells), share(seen, sum.OpenWorld(other).Others)
	return o
}

// meet counts a capture of other.
func (o *openResult) meet(value string, alarm bool) {
	i := slices.IndexFunc(o.Values, func(v openValue) bool { return v.name == value })
	if i < 0 {
		i = len(o.Values)
		o.Values = append(o.Values, openValue{name: value})
	}
	o.Values[i].others++
	if alarm {
		o.Values[i].false++
	}
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

// falseInterval is that of the false alarm rate. Unseen others of one value are alike, and what is to be known is the rate among
// values that are not here: their captures are clusters.
func (o openResult) falseInterval() (lo, hi float64) {
	if o.Seen != 0 {
		return o.interval(o.False, o.Others)
	}
	var k, n []float64
	for _, v := range o.Values {
		k, n = append(k, float64(v.false)/float64(o.Sets)), append(n, float64(v.others)/float64(o.Sets))
	}
	return metrics.ClopperPearsonClustered(k, n, level)
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
	_, rates.FPR = o.falseInterval()
	return estimate, rates.Precision(base)
}

// curve is the same result at every threshold of the highest monitored score, of all repeats together: its rates are means
// over the repeats, which have as many captures each.
func (o openResult) curve() []openResult {
	other := slices.Index(o.Settings.Classes, dataset.Other)
	var scores [][]float32
	var truth []int
	type met struct {
		value string
		score float64
	}
	var others []met
	for _, c := range o.Cells {
		for _, p := range c.Predictions {
			scores, truth = append(scores, p.Scores), append(truth, p.True)
			if p.True == other {
				others = append(others, met{o.value[p.CaptureID], float64(p.Scores[monitoredBest(p.Scores, other)])})
			}
		}
	}
	var out []openResult
	for _, p := range metrics.OpenCurve(scores, truth, other) {
		at := o
		at.OpenWorld, at.Threshold, at.Values = p.OpenWorld, p.Threshold, nil
		for _, m := range others {
			at.meet(m.value, m.score >= p.Threshold)
		}
		out = append(out, at)
	}
	return out
}

// others says in words what the tested others are to the model.
func (o openResult) others() string {
	switch {
	case o.Others == 0:
		return "none"
	case o.Seen == 0:
		return "unseen"
	case o.Seen == 1:
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
