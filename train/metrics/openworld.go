package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// OpenWorld counts the answers of a classifier that knows some monitored classes and one class, other, for everything
// else. An answer that names a monitored class is an alarm. Confusion.OpenWorld and OpenAt make one.
type OpenWorld struct {
	Monitored int // captures of monitored classes
	Right     int // named right: TP of Wang
	Wrong     int // named as another monitored class: wrong positives, WP
	Others    int // captures of other
	False     int // of them, named as a monitored class: false positives, FP

	Classes []OpenClass // the monitored ones, in their order
}

// OpenClass is one monitored class of an OpenWorld.
type OpenClass struct {
	Captures int
	Right    int
	Wrong    int     // named as another monitored class
	False    int     // captures of other named as this class
	Mistaken float64 // captures of the other monitored classes named as this class: the sum of their rates
}

// OpenWorld counts an open world in which class other stands for what is not monitored. It panics when there is no
// such class.
func (c Confusion) OpenWorld(other int) OpenWorld {
	mustOther(other, len(c))
	var w OpenWorld
	n := c.Actual()
	for k := range c {
		if k == other {
			w.Others = n[k]
			continue
		}
		q := OpenClass{Captures: n[k], Right: c[k][k], Wrong: n[k] - c[k][k] - c[k][other], False: c[other][k]}
		for j := range c {
			if j != k && j != other {
				q.Mistaken += ratio(c[j][k], n[j])
			}
		}
		w.Monitored, w.Right, w.Wrong, w.False = w.Monitored+q.Captures, w.Right+q.Right, w.Wrong+q.Wrong, w.False+q.False
		w.Classes = append(w.Classes, q)
	}
	return w
}

// Rates are the shares that do not depend on how often monitored captures occur.
func (w OpenWorld) Rates() OpenRates {
	return OpenRates{ratio(w.Right, w.Monitored), ratio(w.Wrong, w.Monitored), ratio(w.False, w.Others)}
}

// MacroPrecision is the mean over the M monitored classes of each one's precision among base captures of other for every
// monitored capture, all monitored classes being equally frequent: the share of right ones among the alarms that name the class,
//
//	TPR_c / (TPR_c + sum of the rates at which the other monitored classes are named c + base M FPR_c),
//
// FPR_c being the share of other that is named c, TPR_c that of its own captures. A class that is never named counts 0. Where
// the test set has as many captures of each class and x captures of other for every monitored one, it is the mean of
// TP/(TP + WP + b FP) with b = base/x over counts, as evaluations print that do not look at x.
func (w OpenWorld) MacroPrecision(base float64) float64 {
	m := float64(len(w.Classes))
	sum := 0.0
	for _, q := range w.Classes {
		right := ratio(q.Right, q.Captures)
		if all := right + q.Mistaken + base*m*ratio(q.False, w.Others); all > 0 {
			sum += right / all
		}
	}
	return sum / m
}

// OpenRates are what an eavesdropper's alarms are made of: of the monitored captures, TPR are named right and WPR as another
// monitored class; of the others, FPR are named as a monitored class. All are fractions.
type OpenRates struct{ TPR, WPR, FPR float64 }

// Precision is Wang's r-precision (High Precision Open-World Website Fingerprinting, IEEE S&P 2020), pooled over the
// monitored classes: the share of right alarms where base captures of other are met for every monitored one,
//
//	TPR / (TPR + WPR + base FPR).
//
// It is NaN without alarms.
func (r OpenRates) Precision(base float64) float64 {
	all := r.TPR + r.WPR + base*r.FPR
	if all == 0 {
		return math.NaN()
	}
	return r.TPR / all
}

// OpenPoint is one threshold of OpenCurve.
type OpenPoint struct {
	Threshold float64
	OpenWorld
}

// OpenCurve counts an open world at every threshold: a capture is an alarm, named as the monitored class with the highest
// score (the first of equal ones), when that score is at least the threshold; the score of class other is not looked at. scores are
// (N, K), truth (N). The points are the distinct highest monitored scores, falling, so that alarms only grow. NaN scores
// never alarm.
func OpenCurve(scores [][]float32, truth []int, other int) []OpenPoint {
	if len(scores) != len(truth) {
		panic(fmt.Sprintf("metrics: open world: %d rows of scores, %d true classes", len(scores), len(truth)))
	}
	if len(scores) == 0 {
		return nil
	}
	k := len(scores[0])
	mustOther(other, k)
	type answer struct {
		score float32
		class int
		truth int
	}
	var answers []answer
	c := NewConfusion(nil, nil, k)
	for i, row := range scores {
		best := -1
		for j, v := range row {
			if j != other && v == v && (best < 0 || v > row[best]) {
				best = j
			}
		}
		c[truth[i]][other]++ // until the threshold falls to its score
		if best >= 0 {
			answers = append(answers, answer{row[best], best, truth[i]})
		}
	}
	slices.SortStableFunc(answers, func(a, b answer) int { return cmp.Compare(b.score, a.score) })
	var out []OpenPoint
	for i, a := range answers {
		c[a.truth][other]--
		c[a.truth][a.class]++
		if i+1 == len(answers) || answers[i+1].score < a.score {
			out = append(out, OpenPoint{float64(a.score), c.OpenWorld(other)})
		}
	}
	return out
}

// BestRecall is the point of a curve with the highest TPR among those whose precision at base captures of other for every
// monitored one is at least target; of equal ones that with the highest threshold. ok is false when there is none. A point
// that was chosen on test captures is no result: choose it on captures that are neither trained on nor tested.
func BestRecall(curve []OpenPoint, base, target float64) (best OpenPoint, ok bool) {
	for _, p := range curve {
		if p.Rates().Precision(base) >= target && (!ok || p.Rates().TPR > best.Rates().TPR) {
			best, ok = p, true
		}
	}
	return best, ok
}

func mustOther(other, k int) {
	if other < 0 || other >= k {
		panic(fmt.Sprintf("metrics: open world: class %d of %d", other, k))
	}
}
