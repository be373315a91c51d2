package classical

import (
	"fmt"
	"reflect"
	"testing"
)

// TestShares: fits that share a fold have the bits of fits by themselves, whichever point asks first, with and without
// room to keep anything, and with and without SIMD.
func TestShares(t *testing.T) {
	defer func(v bool) { simd = v }(simd)
	had := simd
	x, y := formula(170, 7, 3, 541, 1, 0)
	folds, err := StratifiedKFold(y, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	grids := map[string]map[string][]string{
		"tree":       {"criterion": {"gini", "entropy"}},
		"forest":     {"criterion": {"gini", "entropy"}, "max_features": {"sqrt", "3"}, "n_estimators": {"5"}},
		"extratrees": {"criterion": {"gini", "entropy"}, "n_estimators": {"5"}},
		"svm":        {"C": {"0.1", "1", "10"}, "gamma": {"0.1", "scale"}, "kernel": {"rbf", "linear"}, "probability": {"True", "False"}, "cache_size": {"1", "200"}},
		"knn":        {"n_neighbors": {"1", "4", "9"}, "weights": {"uniform", "distance"}, "metric": {"manhattan", "euclidean"}},
		"ridge":      {"alpha": {"1", "2"}},
	}
	learned := func(c Classifier) any { // what Fit found, without the fold
		switch m := c.(type) {
		case *SVM:
			return []any{m.SV, m.Coef, m.Rho, m.A, m.B, m.GammaIs}
		case *Tree:
			return []any{m.Nodes, m.Dist}
		case *Forest:
			return m.Forest
		}
		return nil
	}
	for _, fast := range []bool{false, had} {
		simd = fast
		for model, grid := range grids {
			for _, scale := range []bool{false, true} {
				for _, room := range []int{0, shareRoom} {
					s := Search{Points: Grid(Point{Model: model, Scale: scale}, grid), Seed: 7}
					h := s.shares(x, y, 3, folds)
					for i := range s.Points {
						p := s.Points[len(s.Points)-1-i]
						c, err := p.model(s.Seed, 2)
						if err != nil {
							t.Fatal(err)
						}
						c, scaled := shareScaled(c, scale)
						d, err := h.get(1, scaled)
						if err != nil {
							t.Fatal(err)
						}
						if i == 0 {
							d.room = room
						}
						if m, ok := c.(sharer); ok {
							m.on(d)
						}
						if err := c.Fit(d.x, d.y, 3); err != nil {
							t.Fatal(err)
						}
						alone, pred, err := s.fit(p, x, y, 3, folds[1], 1)
						if err != nil {
							t.Fatal(err)
						}
						what := fmt.Sprint(p, " room ", room, " simd ", fast)
						if got := c.Predict(d.test); !reflect.DeepEqual(got, pred) {
							t.Errorf("%s: answers %v, alone %v", what, got, pred)
						}
						test := x.Rows(folds[1].Test)
						if !reflect.DeepEqual(c.Proba(d.test), alone.Proba(test)) {
							t.Errorf("%s: other probabilities than alone", what)
						}
						if w, ok := alone.(*Pipeline); ok && scaled {
							alone = w.Model
						}
						if !reflect.DeepEqual(learned(c), learned(alone)) {
							t.Errorf("%s: learned something else than alone", what)
						}
					}
				}
			}
		}
	}
}

// TestShareForgets: a fold is gone after its last point, and the room for what its points share is bounded.
func TestShareForgets(t *testing.T) {
	x, y := formula(40, 3, 2, 551, 1, 0)
	folds, err := StratifiedKFold(y, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Search{Points: Grid(Point{Model: "svm"}, map[string][]string{"gamma": {"1", "2"}})}
	h := s.shares(x, y, 2, folds)
	d, err := h.get(0, false)
	if err != nil {
		t.Fatal(err)
	}
	d.room = 100
	for i, bytes := range []int{60, 60, 40} {
		made := 0
		for range 2 {
			share(d, i, bytes, func() int { made++; return i })
		}
		if want := []int{1, 2, 1}[i]; made != want {
			t.Errorf("value %d of %d bytes was made %d times, want %d", i, bytes, made, want)
		}
	}
	for i := range s.Points {
		if len(h.of) != 1 {
			t.Errorf("%d folds are kept before point %d is done", len(h.of), i)
		}
		h.done(0)
	}
	if len(h.of) != 0 {
		t.Errorf("%d folds are kept at the end", len(h.of))
	}
}
