package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// openGolden is testdata/openworld.json, written by testdata/gen_openworld.py.
type openGolden struct {
	Bases     []float64
	Clustered []struct {
		Trials, Successes []float64
		Level, Lo, Hi     float64
	}
	Cases []struct {
		K, Other         int
		Truth            []int
		Scores           [][]float32
		Argmax           struct{ Monitored, Right, Wrong, Others, False int }
		Precision, Macro []number
		Sklearn          struct{ Precision, Recall, Thresholds []float64 }
		Curve            [][]number // right, wrong, false, then precision and macro precision for each base; thresholds rising
		Best             [][3]float64
	}
}

func loadOpen(t *testing.T) (g openGolden) {
	b, err := os.ReadFile("testdata/openworld.json")
	if err == nil {
		err = json.Unmarshal(b, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestClustered(t *testing.T) {
	for _, c := range loadOpen(t).Clustered {
		lo, hi := ClopperPearsonClustered(c.Successes, c.Trials, c.Level)
		check(t, "clustered low", lo, c.Lo)
		check(t, "clustered high", hi, c.Hi)
	}
	// Clusters that do not differ more than chance: about the interval of independent trials; whole clusters: far wider.
	lo, hi := ClopperPearsonClustered([]float64{12, 12, 0, 0, 0, 0, 0, 0, 0}, slices.Repeat([]float64{12}, 9), 0.95)
	low, high := ClopperPearson(24, 108, 0.95)
	if hi-lo < 2*(high-low) {
		t.Errorf("whole clusters: %g to %g, independent captures %g to %g", lo, hi, low, high)
	}
	if lo, hi := ClopperPearsonClustered([]float64{3}, []float64{9}, 0.95); lo != 0 || hi != 1 {
		t.Errorf("one cluster: %g to %g", lo, hi)
	}
}

// The interval covers: clusters whose chances differ, drawn many times, hold the true mean in 19 of 20 or nearly so.
func TestClusteredCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const draws, clusters, size = 2000, 12, 10
	held, plain := 0, 0
	for range draws {
		var k, n [clusters]float64
		all := 0
		for i := range clusters {
			chance := 0.0
			if rng.Float64() < 0.25 { // the mean chance is 0.2
				chance = 0.8
			}
			for range size {
				if rng.Float64() < chance {
					k[i]++
					all++
				}
			}
			n[i] = size
		}
		if lo, hi := ClopperPearsonClustered(k[:], n[:], 0.95); lo <= 0.2 && 0.2 <= hi {
			held++
		}
		if lo, hi := ClopperPearson(all, clusters*size, 0.95); lo <= 0.2 && 0.2 <= hi {
			plain++
		}
	}
	if share := ratio(held, draws); share < 0.93 || ratio(plain, draws) > 0.8 {
		t.Errorf("the clustered interval covers %.3f, that of independent trials %.3f", share, ratio(plain, draws))
	}
}

func TestOpenWorldGolden(t *testing.T) {
	g := loadOpen(t)
	for i, c := range g.Cases {
		said := make([]int, len(c.Truth))
		for j, row := range c.Scores {
			said[j] = slices.Index(row, slices.Max(row))
		}
		w := NewConfusion(c.Truth, said, c.K).OpenWorld(c.Other)
		if got := (struct{ Monitored, Right, Wrong, Others, False int }{w.Monitored, w.Right, w.Wrong, w.Others, w.False}); got != c.Argmax {
			t.Errorf("case %d: argmax counts %+v, want %+v", i, got, c.Argmax)
		}
		for j, base := range g.Bases {
			check(t, "precision", w.Rates().Precision(base), float64(c.Precision[j]))
			check(t, "macro precision", w.MacroPrecision(base), float64(c.Macro[j]))
		}
		curve := OpenCurve(c.Scores, c.Truth, c.Other)
		if len(curve) != len(c.Curve) || len(curve) != len(c.Sklearn.Thresholds) {
			t.Fatalf("case %d: %d points, want %d", i, len(curve), len(c.Curve))
		}
		for j, p := range curve {
			at := len(curve) - 1 - j // the golden curve rises
			want := c.Curve[at]
			if p.Right != int(want[0]) || p.Wrong != int(want[1]) || p.False != int(want[2]) || float32(p.Threshold) != float32(c.Sklearn.Thresholds[at]) {
				t.Errorf("case %d, threshold %g: %d right, %d wrong, %d false, want %v at %g", i, p.Threshold, p.Right, p.Wrong, p.False, want[:3], c.Sklearn.Thresholds[at])
			}
			for n, base := range g.Bases {
				check(t, "precision on the curve", p.Rates().Precision(base), float64(want[3+n]))
				check(t, "macro precision on the curve", p.MacroPrecision(base), float64(want[3+len(g.Bases)+n]))
			}
			// scikit-learn's collapse: any alarm for a monitored capture is right.
			check(t, "collapsed precision", ratio(p.Right+p.Wrong, p.Right+p.Wrong+p.False), c.Sklearn.Precision[at])
			check(t, "collapsed recall", ratio(p.Right+p.Wrong, p.Monitored), c.Sklearn.Recall[at])
		}
		for _, want := range c.Best {
			got := -1.0
			if p, ok := BestRecall(curve, want[0], want[1]); ok {
				got = p.Rates().TPR
			}
			check(t, "best recall", got, want[2])
		}
	}
}

// A stream with base captures of other for every monitored one gives the precision that the rates foretell, and the bound of
// no false alarm holds.
func TestOpenWorldStream(t *testing.T) {
	// Rows: two monitored classes and other; columns: what is answered how often.
	rates := [][]float64{{0.7, 0.1, 0.2}, {0.05, 0.8, 0.15}, {0.002, 0.018, 0.98}}
	c := make(Confusion, 3)
	for i, row := range rates {
		for _, p := range row {
			c[i] = append(c[i], int(math.Round(1000*p)))
		}
	}
	w := c.OpenWorld(2)
	if w.Monitored != 2000 || w.Right != 1500 || w.Wrong != 150 || w.Others != 1000 || w.False != 20 {
		t.Fatalf("%+v", w)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const base, visits = 20, 200_000 // of monitored classes
	var named, right [2]float64
	for i := range visits * (1 + base) {
		truth := 2
		if i < visits {
			truth = i % 2
		}
		u, said := rng.Float64(), 0
		for u -= rates[truth][0]; u >= 0 && said < 2; u -= rates[truth][said] {
			said++
		}
		if said == 2 {
			continue
		}
		named[said]++
		if said == truth {
			right[said]++
		}
	}
	pooled, macro := (right[0]+right[1])/(named[0]+named[1]), (right[0]/named[0]+right[1]/named[1])/2
	// Some 245,000 alarms: three standard deviations are 0.003.
	if got := w.Rates().Precision(base); math.Abs(got-pooled) > 0.003 || math.Abs(got-0.75/1.225) > 1e-12 {
		t.Errorf("precision %g, the stream has %g", got, pooled)
	}
	if got := w.MacroPrecision(base); math.Abs(got-macro) > 0.003 {
		t.Errorf("macro precision %g, the stream has %g", got, macro)
	}
	// The count formula: base 20 over counts is base 20 x, x others for every monitored capture.
	sum := 0.0
	for k := range 2 {
		sum += float64(c[k][k]) / (float64(c[k][k]+c[1-k][k]) + 20*float64(c[2][k])) / 2
	}
	check(t, "by counts", w.MacroPrecision(20*float64(w.Others)/float64(w.Monitored)), sum)
}

func TestOpenWorldOdd(t *testing.T) {
	nan := float32(math.NaN())
	curve := OpenCurve([][]float32{{nan, 1, nan}, {0.2, 0, 0.2}, {0.1, 1, nan}}, []int{0, 2, 0}, 1)
	if len(curve) != 2 || curve[0].Wrong != 1 || curve[1].Right != 1 || curve[1].Monitored != 3 || curve[1].Others != 0 {
		t.Errorf("%+v", curve)
	}
	if OpenCurve(nil, nil, 0) != nil {
		t.Error("a curve of nothing")
	}
	quiet := Confusion{{0, 3}, {0, 5}}.OpenWorld(1)
	if p := quiet.Rates().Precision(20); !math.IsNaN(p) || quiet.MacroPrecision(20) != 0 {
		t.Errorf("without alarms the precision is %g", p)
	}
	if _, ok := BestRecall(nil, 1, 0); ok {
		t.Error("a best point of nothing")
	}
	defer func() {
		if recover() == nil {
			t.Error("class 2 of 2 is other")
		}
	}()
	Confusion{{0, 0}, {0, 0}}.OpenWorld(2)
}
