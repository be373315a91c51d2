package metrics

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"testing"
)

// number is a float64 of golden.json: null is NaN, "inf" and "-inf" are the infinities.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*n = number(math.NaN())
	case `"inf"`:
		*n = number(math.Inf(1))
	case `"-inf"`:
		*n = number(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}

// golden is testdata/golden.json, written by testdata/gen_scipy.py.
type golden struct {
	Intervals, Tails, McNemar, Points, Detectable [][]float64
	Confusions                                    []struct {
		K                 int
		Truth, Pred       []int
		Confusion         Confusion
		Accuracy          float64
		MacroF1           float64 `json:"macro_f1"`
		Precision, Recall []float64
	}
	Resampled []struct {
		Acc                             []float64
		Train, Test                     int
		Level, Mu0, Mean, SD, Lo, Hi, P float64
	}
	Compare []struct {
		A, B  []float64
		Level float64
		Tests map[string][5]number
	}
	Large struct {
		A, B         []float64
		Statistic, P float64
	} `json:"wilcoxon_large"`
	Holm struct{ P, Adjusted []float64 }
}

func load(t *testing.T) (g golden) {
	b, err := os.ReadFile("testdata/golden.json")
	if err == nil {
		err = json.Unmarshal(b, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// near compares with scipy: a relative 1e-9, because both sides iterate to about 1e-12.
func near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0) {
		return a == b || math.IsNaN(a) && math.IsNaN(b)
	}
	return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(b), 1e-6)
}

func check(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !near(got, want) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

func TestBinomial(t *testing.T) {
	g := load(t)
	for _, r := range g.Intervals {
		lo, hi := ClopperPearson(int(r[0]), int(r[1]), r[2])
		check(t, "Clopper-Pearson low", lo, r[3])
		check(t, "Clopper-Pearson high", hi, r[4])
		lo, hi = Wilson(int(r[0]), int(r[1]), r[2])
		check(t, "Wilson low", lo, r[5])
		check(t, "Wilson high", hi, r[6])
	}
	for _, r := range g.Tails {
		check(t, "tail", BinomialTail(int(r[0]), int(r[1]), r[2]), r[3])
	}
	for _, r := range g.McNemar {
		check(t, "McNemar", McNemarExact(int(r[0]), int(r[1])), r[2])
	}
}

func TestConfusion(t *testing.T) {
	for _, c := range load(t).Confusions {
		m := NewConfusion(c.Truth, c.Pred, c.K)
		if !reflect.DeepEqual(m, c.Confusion) {
			t.Errorf("confusion %v, want %v", m, c.Confusion)
		}
		check(t, "accuracy", m.Accuracy(), c.Accuracy)
		check(t, "macro-F1", m.MacroF1(), c.MacroF1)
		for i := range c.K {
			check(t, "precision", m.Precision()[i], c.Precision[i])
			check(t, "recall", m.Recall()[i], c.Recall[i])
		}
		if m.Total() != len(c.Truth) {
			t.Errorf("total %d of %d", m.Total(), len(c.Truth))
		}
	}
}

func TestResampled(t *testing.T) {
	for _, r := range load(t).Resampled {
		mean, sd, lo, hi := CorrectedResampledT(r.Acc, r.Train, r.Test, r.Level)
		check(t, "mean", mean, r.Mean)
		check(t, "sd", sd, r.SD)
		check(t, "low", lo, r.Lo)
		check(t, "high", hi, r.Hi)
		check(t, "p", CorrectedResampledP(r.Acc, r.Mu0, r.Train, r.Test), r.P)
	}
}

func TestCompare(t *testing.T) {
	g := load(t)
	for i, r := range g.Compare {
		for name, f := range map[string]func(a, b []float64, level float64) (Test, error){
			"student": StudentT, "welch": Welch, "paired": PairedT, "wilcoxon": Wilcoxon, "sign": Sign,
			"corrected": func(a, b []float64, level float64) (Test, error) { return Corrected(a, b, 89, 22, level) },
		} {
			got, err := f(r.A, r.B, r.Level)
			if err != nil {
				t.Fatal(err)
			}
			w := r.Tests[name]
			for j, v := range []float64{got.Statistic, got.DF, got.P, got.CILow, got.CIHigh} {
				if name == "wilcoxon" && j > 2 && math.IsNaN(float64(w[j])) {
					continue // no interval from scipy: with ties, and for many pairs
				}
				if !near(v, float64(w[j])) {
					t.Errorf("comparison %d, %s: %+v, want %v", i, name, got, w)
					break
				}
			}
		}
	}
	got, err := Wilcoxon(g.Large.A, g.Large.B, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "statistic of 400 pairs", got.Statistic, g.Large.Statistic)
	check(t, "p of 400 pairs", got.P, g.Large.P)
	if !(got.CILow < got.CIHigh && got.CILow < 0.03 && got.CIHigh > -0.01) {
		t.Errorf("interval of 400 pairs: %+v", got)
	}
}

func TestPower(t *testing.T) {
	g := load(t)
	for _, r := range g.Points {
		n := TestPoints(r[0], r[1], r[2], r[3])
		if n != int(r[4]) || CriticalCorrect(r[0], r[2], n) != int(r[5]) {
			t.Errorf("TestPoints(%v) = %d with %d right, want %v with %v", r[:4], n, CriticalCorrect(r[0], r[2], n), r[4], r[5])
		}
	}
	for _, r := range g.Detectable {
		n := int(r[3])
		if k := CriticalCorrect(r[0], r[1], n); k != int(r[4]) {
			t.Errorf("critical number of %d points %d, want %v", n, k, r[4])
		}
		check(t, "detectable accuracy", DetectableAccuracy(r[0], r[1], r[2], n), r[5])
	}
}

func TestHolm(t *testing.T) {
	g := load(t)
	for i, p := range Holm(g.Holm.P) {
		check(t, "Holm", p, g.Holm.Adjusted[i])
	}
	withNaN := Holm([]float64{0.02, math.NaN(), 0.01})
	if withNaN[0] != 0.02 || !math.IsNaN(withNaN[1]) || withNaN[2] != 0.02 {
		t.Errorf("Holm with NaN: %v", withNaN)
	}
}
