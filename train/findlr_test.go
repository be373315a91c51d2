package train

import (
	"context"
	"math"
	"slices"
	"testing"
)

func TestValleyAgreesWithFastai(t *testing.T) {
	g := golden(t)["lr_find"]
	got, err := valley(g.LR, g.Smooth)
	if err != nil || math.Abs(got/g.Suggestion-1) > 1e-6 {
		t.Errorf("suggests %v (%v), fastai %v", got, err, g.Suggestion)
	}
	if _, err := valley(g.LR[:12], g.Smooth[:12]); err == nil {
		t.Error("12 steps are too few for a suggestion")
	}
	// -1, 5, -2, 6, -3 has a falling subsequence with gaps; the head and the tail are dropped unseen.
	lr, loss := make([]float64, 25), make([]float64, 25)
	for i := range lr {
		lr[i] = float64(i)
	}
	copy(loss[10:], []float64{-1, 5, -2, 6, -3, 7, 7, 7, 7, 7})
	if got, _ := valley(lr, loss); got != 12 { // the fall ends at 14 and has 3 members: 14 - 3 + int(3/3) + int(1/2)
		t.Errorf("suggests step %v, want 12", got)
	}
	for i := 13; i < 25; i++ {
		loss[i] = math.NaN()
	}
	if got, _ := valley(lr, loss); got != 10 { // -1, 5, -2: ends at 12, 2 members: 12 - 2 + int(2/3) + int(0.33)
		t.Errorf("with losses that are no numbers: suggests step %v, want 10", got)
	}
}

// TestFindLRAgreesWithFastai follows fastai's search until rates at which two programs part ways, and its suggestion.
func TestFindLRAgreesWithFastai(t *testing.T) {
	g := golden(t)["lr_find"]
	m := model(t, lookup(t, "fcn", "tsai"), 2, 1, 16, 3)
	setFormula(m)
	before := state(m)
	cfg := Config{Profile: ProfileTsai, Epochs: 1, Batch: 8, LR: 1e-3, DropLast: true, Normalize: NormalizeNone}
	r, err := newRun(m, goldenData(0), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.cut(8, 30)
	var order []int
	for _, b := range goldenBatches(30) {
		order = append(order, b...)
	}
	s, err := r.findLR(context.Background(), func(int) []int { return order }, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := min(70, len(s.LR))
	near(t, "rate", s.LR[:n], g.LR[:n], 1e-6)
	near(t, "smoothed loss", s.Smooth[:n], g.Smooth[:n], 1e-3)
	if math.Abs(s.Best/g.Suggestion-1) > 0.5 { // a neighboring step is 1.2 times as far
		t.Errorf("suggests %v, fastai %v", s.Best, g.Suggestion)
	}
	if !slices.Equal(state(m), before) {
		t.Error("the search changed the model")
	}
}

func TestFindLR(t *testing.T) {
	d := toyData(9)
	m := model(t, toy(ProfileTsai), 1, d.C, d.T, 3)
	steps := 0
	s, err := FindLR(context.Background(), m, d, Config{Epochs: 1, Batch: 4, Normalize: NormalizeTrain}, func(Event) { steps++ })
	if err != nil || !(s.Best > 1e-7 && s.Best < 10) || steps != len(s.LR) {
		t.Errorf("%v after %d steps: %v", s.Best, steps, err)
	}
}
