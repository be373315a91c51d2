package synth

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// The best possible rule, which correlates with each shape, is right as often as the problem says, and its shapes are what
// the formula supposes.
func TestSeriesBayes(t *testing.T) {
	for _, s := range []Series{
		{Name: "burst", Shape: ShapeBurst, Classes: 3, Channels: 1, Steps: 100, Train: 10, Test: 3000, Bayes: 0.9, Seed: 1},
		{Name: "wave", Shape: ShapeWave, Classes: 5, Channels: 2, Steps: 96, Train: 10, Test: 2000, Bayes: 0.6, Seed: 2},
		{Name: "link", Shape: ShapeLink, Classes: 2, Channels: 3, Steps: 64, Train: 10, Test: 4000, Bayes: 0.97, Seed: 3},
	} {
		shapes, err := s.shapes()
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range shapes {
			for c := range s.Channels {
				sum := 0.0
				for _, v := range a[c*s.Steps : (c+1)*s.Steps] {
					sum += v
				}
				if math.Abs(sum) > 1e-9 {
					t.Errorf("%s: shape %d, channel %d sums to %g", s.Name, i, c, sum)
				}
			}
			for j, b := range shapes {
				dot := 0.0
				for n := range a {
					dot += a[n] * b[n]
				}
				if want := map[bool]float64{true: 1, false: 0}[i == j]; math.Abs(dot-want) > 1e-9 {
					t.Errorf("%s: shapes %d and %d have product %g", s.Name, i, j, dot)
				}
			}
		}
		train, test, err := s.Generate()
		if err != nil {
			t.Fatal(err)
		}
		if train.N != s.Train*s.Classes || len(train.X) != train.N*s.Channels*s.Steps || len(test.Y) != s.Test*s.Classes {
			t.Errorf("%s: %d training and %d test series, %d values", s.Name, train.N, len(test.Y), len(train.X))
		}
		right := 0
		each := s.Channels * s.Steps
		for i, y := range test.Y {
			best, at := math.Inf(-1), 0
			for k, shape := range shapes {
				dot := 0.0
				for n, v := range test.X[i*each : (i+1)*each] {
					dot += shape[n] * float64(v)
				}
				if dot > best {
					best, at = dot, k
				}
			}
			if at == y {
				right++
			}
		}
		n := float64(test.N)
		if acc := float64(right) / n; math.Abs(acc-s.Bayes) > 4*math.Sqrt(s.Bayes*(1-s.Bayes)/n) {
			t.Errorf("%s: the best rule is right on %.4f, the problem says %.4f", s.Name, acc, s.Bayes)
		}
		again, _, _ := s.Generate()
		s.Seed++
		other, _, _ := s.Generate()
		if !slices.Equal(train.X, again.X) || slices.Equal(train.X, other.X) || slices.Equal(train.X[:each], test.X[:each]) {
			t.Errorf("%s: seeds do not decide the series", s.Name)
		}
	}
}

func TestSeriesMistakes(t *testing.T) {
	ok := Series{Name: "a", Shape: ShapeWave, Classes: 2, Channels: 1, Steps: 64, Train: 1, Test: 1, Bayes: 0.9}
	if _, _, err := ok.Generate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Series){
		"at least 2 classes": func(s *Series) { s.Classes = 1 },
		"best accuracy 0.5":  func(s *Series) { s.Bayes = 0.5 },
		"2 channels":         func(s *Series) { s.Shape = ShapeLink },
		`shape "saw"`:        func(s *Series) { s.Shape = "saw" },
	} {
		s := ok
		change(&s)
		if _, _, err := s.Generate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
