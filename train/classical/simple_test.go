package classical

import (
	"fmt"
	"math"
	"reflect"
	"testing"
)

// TestSimple compares every model whose answer is one value with scikit-learn's: nearest neighbors and naive Bayes to
// the last digits, optimized models to what their tolerance leaves.
func TestSimple(t *testing.T) {
	var cases []struct {
		Model                 string
		N, F, K               int
		Settings              map[string]string
		Pred                  []int
		Proba, Decision, Coef [][]float64
		Intercept             []float64
		Alpha                 float64
	}
	golden(t, "sklearn_simple", &cases)
	for _, c := range cases {
		t.Run(fmt.Sprint(c.Model, c.Settings), func(t *testing.T) {
			x, y := formula(c.N, c.F, c.K, 31, 1, 0)
			if c.Settings["class_weight"] != "" {
				x, y = thin(x, y)
			}
			xt, _ := formula(20, c.F, c.K, 31, 1, c.N)
			if c.Model == "knn" {
				xt.N, xt.X = 23, append(xt.X, x.X[:3*c.F]...)
			}
			tol := 1e-8
			if c.Model == "logistic" {
				tol = 5e-5 // both stop where the loss no longer falls in double precision
			}
			m := fitted(t, c.Model, c.Settings, x, y, c.K)
			if c.Pred != nil && !reflect.DeepEqual(m.Predict(xt), c.Pred) {
				t.Errorf("predictions %v, want %v", m.Predict(xt), c.Pred)
			}
			if c.Proba != nil {
				near(t, "proba", m.Proba(xt), flat(c.Proba), tol)
			}
			if c.Decision != nil {
				d, columns := m.(Decider).Decision(xt)
				if columns != len(c.Decision[0]) {
					t.Errorf("%d columns, want %d", columns, len(c.Decision[0]))
				}
				near(t, "decision", d, flat(c.Decision), tol)
			}
			switch m := m.(type) {
			case *Ridge:
				near(t, "weights", m.W, flat(c.Coef), tol)
				near(t, "intercepts", m.B, c.Intercept, tol)
				if c.Alpha != 0 && m.Chosen != c.Alpha {
					t.Errorf("penalty %v, want %v", m.Chosen, c.Alpha)
				}
			case *Logistic:
				near(t, "weights", m.W, flat(c.Coef), tol)
				near(t, "intercepts", m.B, c.Intercept, tol)
			}
		})
	}
}

// TestStratified: a stratified dummy draws the classes by their shares, the same ones for the same seed.
func TestStratified(t *testing.T) {
	y := make([]int, 100)
	for i := range 70 {
		y[i] = 2
	}
	x := Matrix{N: 100, F: 1, X: make([]float64, 100)}
	d := fitted(t, "dummy", map[string]string{"strategy": "stratified", "random_state": "4"}, x, y, 3)
	many := Matrix{N: 10000, F: 1, X: make([]float64, 10000)}
	n := make([]float64, 3)
	pred := d.Predict(many)
	for _, c := range pred {
		n[c] += 1e-4
	}
	if math.Abs(n[0]-0.3) > 0.02 || n[1] != 0 {
		t.Errorf("shares %v, want 0.3, 0, 0.7", n)
	}
	if !reflect.DeepEqual(pred, d.Predict(many)) || !reflect.DeepEqual(pred, argmaxRows(d.Proba(many), 3)) {
		t.Error("the draws change from call to call")
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		model, key, value, want string
	}{
		{"spam", "", "", "spam: no such model; there are tree, "},
		{"knn", "k", "3", "knn: setting k: no such setting; there are n_neighbors, metric, weights"},
		{"knn", "n_neighbors", "-3", `knn: setting n_neighbors: "-3": not a whole number from 1 on`},
		{"tree", "criterion", "log", `tree: setting criterion: "log": not one of gini, entropy`},
		{"forest", "max_features", "half", `forest: setting max_features: "half": not sqrt, log2, None or a number of features`},
		{"logistic", "C", "x", `logistic: setting C: "x": not a number from 0 on`},
		{"ridge", "class_weight", "1:0", `ridge: setting class_weight: "1:0": not balanced, None or weights above 0 such as 1:2:1`},
	} {
		_, err := New(c.model, map[string]string{c.key: c.value})
		if err == nil || len(err.Error()) < len(c.want) || err.Error()[:len(c.want)] != c.want {
			t.Errorf("%s %s=%s: error %v, want %s", c.model, c.key, c.value, err, c.want)
		}
	}
}
