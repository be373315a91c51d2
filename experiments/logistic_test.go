package experiments

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// The probabilities are scikit-learn's to 1e-5: both stop at a gradient of about 1e-6.
func TestLogistic(t *testing.T) {
	var golden struct {
		Cases []struct {
			Name  string
			X     [][]float64
			Y     []int
			K     int
			Proba [][]float64
		}
	}
	b, err := os.ReadFile("testdata/logistic.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		l, err := fitLogistic(c.X, c.Y, c.K)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		worst := 0.0
		for i, x := range c.X {
			for k, p := range l.scores(x) {
				worst = math.Max(worst, math.Abs(float64(p)-c.Proba[i][k]))
			}
		}
		if worst > 1e-5 {
			t.Errorf("%s: probabilities differ by %.2g", c.Name, worst)
		}
	}
}
