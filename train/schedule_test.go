package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// golden is testdata/fastai.json, written by testdata/gen_fastai.py.
type goldenCurve struct {
	Curve
	Seed       int       `json:"seed"`
	Suggestion float64   `json:"suggestion"`
	Smooth     []float64 `json:"smooth"`
}

func golden(t *testing.T) map[string]goldenCurve {
	t.Helper()
	b, err := os.ReadFile("testdata/fastai.json")
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]goldenCurve{}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tol*math.Abs(want[i])) {
			t.Errorf("%s: step %d: %v, want %v (relative %.1e)", what, i, got[i], want[i], math.Abs(got[i]/want[i]-1))
		}
	}
}

// curveOf runs the schedule alone.
func curveOf(epochs, perEpoch int) (lr, mom []float64) {
	p := Position{Epochs: epochs, PerEpoch: perEpoch}
	for e := range epochs {
		p.Epoch(e)
		for range perEpoch {
			l, m := OneCycle{Max: 1e-3}.At(p.At)
			lr, mom = append(lr, l), append(mom, m)
			p.Next()
		}
	}
	return lr, mom
}

func TestOneCycleAgreesWithFastai(t *testing.T) {
	for _, c := range []struct {
		name             string
		epochs, perEpoch int
	}{{"fcn 1x30", 1, 30}, {"fcn 3x10", 3, 10}} {
		g := golden(t)[c.name]
		lr, mom := curveOf(c.epochs, c.perEpoch)
		near(t, c.name+" rate", lr, g.LR, 1e-6) // fastai finds its place in float32
		near(t, c.name+" momentum", mom, g.Momentum, 1e-6)
	}
}

func TestOneCycleEnds(t *testing.T) {
	lr, mom := curveOf(4, 25)
	if lr[0] != 1e-3/25 || mom[0] != 0.95 {
		t.Errorf("starts at rate %v momentum %v, want %v and 0.95", lr[0], mom[0], 1e-3/25)
	}
	if lr[25] != 1e-3 || mom[25] != 0.85 {
		t.Errorf("a quarter in: rate %v momentum %v, want 1e-3 and 0.85", lr[25], mom[25])
	}
	if last := lr[99]; last <= 1e-8 {
		t.Errorf("the last batch stands at (n-1)/n, so its rate must stay above the end value; got %v", last)
	}
}

func TestPlateau(t *testing.T) {
	p := Plateau{LR: 1e-3}
	p.Epoch(1)
	for i := range 50 {
		if p.LR != 1e-3 {
			t.Fatalf("rate fell after %d epochs without progress, want 50", i)
		}
		p.Epoch(1 - 0.5e-4) // less than min_delta is no progress
	}
	if p.LR != 5e-4 {
		t.Fatalf("rate %v after 50 epochs without progress, want 5e-4", p.LR)
	}
	for range 500 {
		p.Epoch(1)
	}
	if p.LR != 1e-4 {
		t.Errorf("rate %v in the end, want the floor 1e-4", p.LR)
	}
	p.Epoch(0.5)
	if p.Wait != 0 || p.Best != 0.5 {
		t.Errorf("progress not seen: %+v", p)
	}
}
