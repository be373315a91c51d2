package metrics

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestSongStudy checks the intervals and p values against 1/3 that follow from the song study's table, its defenses, and
// the power that its test set has.
func TestSongStudy(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		lo, hi, p string
	}{
		{3, 4, "19.4", "99.4", "0.111"}, {12, 22, "32.2", "75.6", "0.033"}, {11, 22, "28.2", "71.8", "0.079"},
		{10, 22, "24.4", "67.8", "0.163"}, {9, 22, "20.7", "63.6", "0.293"}, {8, 22, "17.2", "59.3", "0.460"},
		{3, 7, "9.9", "81.6", "0.429"}, {5, 12, "15.2", "72.3", "0.368"},
		{1, 10, "0.3", "44.5", ""}, {2, 10, "2.5", "55.6", ""},
	} {
		lo, hi := ClopperPearson(c.k, c.n, 0.95)
		p := fmt.Sprintf("%.3f", BinomialTail(c.k, c.n, 1.0/3))
		if c.p == "" {
			p = ""
		}
		if l, h := fmt.Sprintf("%.1f", 100*lo), fmt.Sprintf("%.1f", 100*hi); l != c.lo || h != c.hi || p != c.p {
			t.Errorf("%d of %d: %s - %s %%, p %s; want %s - %s, %s", c.k, c.n, l, h, p, c.lo, c.hi, c.p)
		}
	}
	if k := CriticalCorrect(1.0/3, 0.05, 22); k != 12 {
		t.Errorf("22 points need %d right", k)
	}
	for n, want := range map[int]string{22: "61", 111: "45", 300: "41"} {
		if got := fmt.Sprintf("%.0f", 100*DetectableAccuracy(1.0/3, 0.05, 0.8, n)); got != want {
			t.Errorf("%d points find %s %%, want %s", n, got, want)
		}
	}
}

// TestLimits: the ends of every range.
func TestLimits(t *testing.T) {
	if lo, hi := ClopperPearson(0, 0, 0.95); lo != 0 || hi != 1 {
		t.Errorf("no points: %v - %v", lo, hi)
	}
	if lo, hi := Wilson(0, 0, 0.95); lo != 0 || hi != 1 {
		t.Errorf("no points: %v - %v", lo, hi)
	}
	if TestPoints(0.5, 0.5, 0.05, 0.8) != 0 || TestPoints(0.5, 0.9, 0, 0.8) != 0 || TestPoints(0.5, 0.9, 0.05, 1) != 0 || TestPoints(0.5, 0.9, 0.05, 0) != 1 {
		t.Error("points for what no number can show")
	}
	if n := TestPoints(1.0/3, 0.335, 0.05, 0.8); n < 400000 || n > 600000 {
		t.Errorf("a sixth of a percent needs %d points", n)
	}
	if v := DetectableAccuracy(0.9, 0.05, 0.8, 3); !math.IsNaN(v) {
		t.Errorf("three points against 0.9 find %v", v)
	}
	empty := NewConfusion(nil, nil, 2)
	if empty.Accuracy() != 0 || empty.MacroF1() != 0 || empty.Collapsed() {
		t.Error("no answers")
	}
	if c := NewConfusion([]int{0, 1, 2}, []int{1, 1, 1}, 3); !c.Collapsed() || c.Accuracy() != 1.0/3 {
		t.Errorf("a constant answer: %v", c)
	}
	mean, sd, lo, hi := CorrectedResampledT([]float64{0.5}, 80, 20, 0.95)
	if mean != 0.5 || !math.IsNaN(sd) || !math.IsNaN(lo) || !math.IsNaN(hi) || !math.IsNaN(CorrectedResampledP([]float64{0.5}, 0.4, 80, 20)) {
		t.Error("one repeat has no spread")
	}
	same := []float64{0.1, 0.1, 0.1}
	mean, sd, lo, hi = CorrectedResampledT(same, 80, 20, 0.95)
	if mean != 0.1 || sd != 0 || lo != 0.1 || hi != 0.1 {
		t.Errorf("equal repeats: %v, %v, %v - %v", mean, sd, lo, hi)
	}
	for mu0, want := range map[float64]float64{0.05: 0, 0.1: 0.5, 0.2: 1} {
		if p := CorrectedResampledP(same, mu0, 80, 20); p != want {
			t.Errorf("equal repeats against %v: p = %v, want %v", mu0, p, want)
		}
	}
	if p := BinomialTail(600, 1000, 0.3); !(p > 0 && p < 1e-80) {
		t.Errorf("a far tail is %v", p)
	}
}

func TestCompareLimits(t *testing.T) {
	a, b := []float64{0.3, 0.2, 0.5}, []float64{0.2, 0.1, 0.4} // every difference is 0.1, but not in binary
	for name, f := range map[string]func(a, b []float64, level float64) (Test, error){"paired": PairedT, "wilcoxon": Wilcoxon, "sign": Sign} {
		if r, err := f(a, a, 0.95); err != nil || r.P != 1 {
			t.Errorf("%s of equals: %+v, %v", name, r, err)
		}
		if _, err := f(a, b[:2], 0.95); err == nil || !strings.Contains(err.Error(), "pairs") {
			t.Errorf("%s of 3 and 2: %v", name, err)
		}
	}
	if r, _ := Wilcoxon(a, b, 0.95); r.P != 0.25 || r.Statistic != 0 || !math.IsInf(r.CILow, -1) { // 2 of 8 signs
		t.Errorf("three equal differences: %+v", r)
	}
	if r, err := PairedT([]float64{1, 2, 3}, []float64{0, 1, 2}, 0.95); err != nil || r.P != 0 || !math.IsInf(r.Statistic, 1) || r.CILow != 1 {
		t.Errorf("a constant difference: %+v, %v", r, err)
	}
	for _, f := range []func() error{
		func() error { _, err := StudentT([]float64{1}, a, 0.95); return err },
		func() error { _, err := Welch([]float64{1, math.NaN()}, a, 0.95); return err },
		func() error { _, err := Corrected(a, b, 0, 22, 0.95); return err },
		func() error { _, err := McNemar(5, 6, 10, 0.95); return err },
	} {
		if f() == nil {
			t.Error("no error")
		}
	}
	// By hand: x = 15.5, y = 5.5, m = 102; difference 10/102, half 1.959964 sqrt(21 - 100/102)/102.
	r, err := McNemar(15, 5, 100, 0.95)
	if err != nil || !near(r.CILow, 10.0/102-1.9599639845400545*math.Sqrt(21-100.0/102)/102) || r.P != McNemarExact(15, 5) || r.Statistic != 15 {
		t.Errorf("McNemar: %+v, %v", r, err)
	}
}
