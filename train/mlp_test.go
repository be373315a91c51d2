package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"earshot/train/classical"
)

// formula is the data of testdata/gen_sklearn_mlp.py: n rows of f features, k classes in turn.
func formula(n, f, k int, sep float64, name string) (classical.Matrix, []int) {
	a, b, c := uniform(name+" a", n*f), uniform(name+" b", n*f), uniform(name+" c", k*f)
	x, y := classical.Matrix{N: n, F: f, X: make([]float64, n*f)}, make([]int, n)
	for i := range x.X {
		y[i/f] = i / f % k
		x.X[i] = a[i] + b[i]
		if j := i % f; j < (f+1)/2 {
			x.X[i] += sep * c[y[i/f]*f+j]
		}
		x.X[i] = float64(float32(x.X[i]))
	}
	return x, y
}

// setSklearn gives a network the first weights of the goldens.
func setSklearn(m *MLP) {
	for i, l := range m.layers() {
		in, out := l[0].Shape[1], l[0].Shape[0]
		factor := 6.0
		if m.Activation == "logistic" {
			factor = 2
		}
		bound := math.Sqrt(factor / float64(in+out))
		w, b := uniform(fmt.Sprintf("coefs %d", i), in*out), uniform(fmt.Sprintf("intercepts %d", i), out)
		for f := range out {
			float32s(l[1])[f] = float32(bound * b[f])
			for c := range in {
				float32s(l[0])[f*in+c] = float32(bound * w[c*out+f])
			}
		}
	}
}

func newMLP(t testing.TB, set map[string]string) *MLP {
	t.Helper()
	m, err := NewMLP(set)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// within fails where values differ by more than tol times the larger of 1 and the value.
func within(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol*max(1, math.Abs(want[i]))) {
			t.Errorf("%s[%d] = %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// TestMLPAgreesWithSklearn holds whole trainings from given weights, rows in order, against scikit-learn in double
// precision: the loss of every epoch, the epoch of the stop, the final weights, the answers.
func TestMLPAgreesWithSklearn(t *testing.T) {
	b, err := os.ReadFile("testdata/sklearn_mlp.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name          string
			N, F, K, Held int
			Sep           float64
			Settings      map[string]string
			Loss, Scores  []float64
			Proba         [][]float64
			Pred          []int
			Drift         float64
			Coefs         [][][]float64
			Intercepts    [][]float64
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			x, y := formula(c.N, c.F, c.K, c.Sep, c.Name)
			m := newMLP(t, c.Settings)
			if err := m.build(c.F, c.K); err != nil {
				t.Fatal(err)
			}
			setSklearn(m)
			rows := make([]int, c.N)
			for i := range rows {
				rows[i] = i
			}
			m.Shuffle = false
			if err := m.train(table(x, y, rows[c.Held:]), x.Rows(rows[:c.Held]), y[:c.Held]); err != nil {
				t.Fatal(err)
			}
			// Single precision moves scikit-learn's own curve by up to 2.4e-6 (drift); ours may move otherwise.
			const tol = 2e-5
			within(t, "loss", m.Curve, c.Loss, tol)
			for i := range min(len(m.Curve), len(c.Loss)) {
				if math.Abs(m.Curve[i]-c.Loss[i]) > 1e-4*c.Loss[i] {
					t.Errorf("loss[%d] = %v, want %v", i, m.Curve[i], c.Loss[i])
				}
			}
			within(t, "validation score", m.Scores, c.Scores, 1e-8)
			if maxIter := m.MaxIter; m.Converged != (len(c.Loss) < maxIter) {
				t.Errorf("converged %t after %d of %d epochs", m.Converged, len(c.Loss), maxIter)
			}
			xt, _ := formula(20, c.F, c.K, c.Sep, c.Name+" test")
			within(t, "proba", m.Proba(xt), slices.Concat(c.Proba...), tol)
			if got := m.Predict(xt); !slices.Equal(got, c.Pred) {
				t.Errorf("predictions %v, want %v", got, c.Pred)
			}
			for i, w := range c.Coefs {
				l := m.layers()[i]
				in := l[0].Shape[1]
				for f := range l[0].Shape[0] {
					within(t, fmt.Sprintf("intercepts_%d", i), []float64{float64(float32s(l[1])[f])}, c.Intercepts[i][f:f+1], 1e-4)
					for k := range in {
						within(t, fmt.Sprintf("coefs_%d[%d,%d]", i, k, f), []float64{float64(float32s(l[0])[f*in+k])}, []float64{w[k][f]}, 1e-4)
					}
				}
			}
		})
	}
}

// TestMLPLearns: shuffled, from its own weights, on any number of threads the same.
func TestMLPLearns(t *testing.T) {
	x, y := formula(450, 20, 3, 1.5, "learn")
	train, rest := classical.Matrix{N: 300, F: 20, X: x.X[:300*20]}, classical.Matrix{N: 150, F: 20, X: x.X[300*20:]}
	for _, set := range []map[string]string{nil, {"activation": "logistic", "hidden_layer_sizes": "30:20", "learning_rate_init": "0.01"},
		{"early_stopping": "True", "learning_rate_init": "0.01"}, {"batch_size": "7", "max_iter": "20"}} {
		var want []float64
		for _, threads := range []string{"1", "2", "1"} {
			with := map[string]string{"n_jobs": threads, "random_state": "3"}
			for k, v := range set {
				with[k] = v
			}
			m := newMLP(t, with)
			if err := m.Fit(train, y[:300], 3); err != nil {
				t.Fatal(err)
			}
			p := append(m.Proba(rest), m.Curve...)
			if want == nil {
				want = p
				if a := classical.Accuracy(y[300:], m.Predict(rest), 3); a < 0.9 {
					t.Errorf("%v: accuracy %.3f", set, a)
				}
			} else if !slices.Equal(p, want) {
				t.Errorf("%v: other bits on %s threads, or the second time", set, threads)
			}
		}
		m := newMLP(t, set)
		m.Seed = 4
		if err := m.Fit(train, y[:300], 3); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(append(m.Proba(rest), m.Curve...), want) {
			t.Errorf("%v: the seed changes nothing", set)
		}
	}
}

// TestFitIsMLP: Fit in profile sklearn is the same training with the default settings, but for the order of the rows.
func TestFitIsMLP(t *testing.T) {
	x, y := formula(60, 6, 3, 2, "fit")
	m := newMLP(t, map[string]string{"random_state": "1", "hidden_layer_sizes": "100"})
	if err := m.Fit(x, y, 3); err != nil {
		t.Fatal(err)
	}
	rows := make([]int, 60)
	for i := range rows {
		rows[i] = i
	}
	d := table(x, y, rows)
	d.Classes = []string{"a", "b", "c"}
	cfg, err := Recipe("mlp", ProfileSklearn, 60)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Seed = 1
	h, err := Fit(context.Background(), model(t, lookup(t, "mlp", ProfileSklearn), 1, 1, 6, 3), d, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(h) != len(m.Curve) {
		t.Fatalf("%d epochs, MLP takes %d", len(h), len(m.Curve))
	}
	for i, e := range h {
		if e.Loss != m.Curve[i] {
			t.Fatalf("epoch %d: loss %v, MLP has %v", i+1, e.Loss, m.Curve[i])
		}
	}
}

func TestStall(t *testing.T) {
	s := Stall{Tol: 0.1, Patience: 2}
	for i, e := range []struct {
		v             float64
		highest, stop bool
	}{{1, true, false}, {1.05, true, false}, {1.2, true, false}, {1.25, true, false}, {1.1, false, false}, {1.26, true, true}} {
		if highest, stop := s.Epoch(e.v); highest != e.highest || stop != e.stop {
			t.Errorf("epoch %d: highest %t, stop %t; want %t, %t", i, highest, stop, e.highest, e.stop)
		}
	}
}

// TestMLPSideBySide: fits and predictions on several goroutines. For -race.
func TestMLPSideBySide(t *testing.T) {
	x, y := formula(60, 5, 3, 1, "side")
	one := newMLP(t, map[string]string{"max_iter": "5"})
	if err := one.Fit(x, y, 3); err != nil {
		t.Fatal(err)
	}
	want := one.Proba(x)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			m, _ := NewMLP(map[string]string{"max_iter": "5", "n_jobs": "1"})
			if err := m.Fit(x, y, 3); err != nil || !slices.Equal(m.Proba(x), want) || !slices.Equal(one.Proba(x), want) {
				t.Errorf("side by side: %v, or other answers", err)
			}
		})
	}
	wg.Wait()
}

func TestMLPMistakes(t *testing.T) {
	x, y := formula(30, 4, 3, 1, "mistakes")
	fit := func(set map[string]string, change func(x *classical.Matrix, y []int)) error {
		m := newMLP(t, set)
		x := classical.Matrix{N: x.N, F: x.F, X: slices.Clone(x.X)}
		y := slices.Clone(y)
		change(&x, y)
		return m.Fit(x, y, 3)
	}
	none := func(*classical.Matrix, []int) {}
	for want, err := range map[string]error{
		"mlp: row 1, feature 2 is NaN":         fit(nil, func(x *classical.Matrix, _ []int) { x.X[6] = math.NaN() }),
		"mlp: row 0, feature 0 is 1e+39":       fit(nil, func(x *classical.Matrix, _ []int) { x.X[0] = 1e39 }),
		"mlp: row 2 has class 3 of 3":          fit(nil, func(_ *classical.Matrix, y []int) { y[2] = 3 }),
		"mlp: 0 rows of 4 features":            fit(nil, func(x *classical.Matrix, _ []int) { x.N = 0 }),
		"mlp: 120 values and 30 classes":       fit(nil, func(x *classical.Matrix, _ []int) { x.F = 5 }),
		"mlp: 1 of 30 rows held out":           fit(map[string]string{"early_stopping": "true", "validation_fraction": "0.01"}, none),
		"mlp: epoch 2: loss NaN: the training": fit(map[string]string{"learning_rate_init": "1e38"}, none),
		"mlp: 0 epochs at rate 0: both":        (&MLP{Activation: "relu"}).Fit(x, y, 3),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, tt := range []struct{ name, value, want string }{
		{"hidden_layer_sizes", "100,50", `"100,50": not sizes from 1 on`},
		{"hidden_layer_sizes", "0", "not sizes"}, {"hidden_layer_sizes", "5:x", "not sizes"},
		{"activation", "gelu", "not one of identity, logistic, tanh, relu"}, {"solver", "lbfgs", "not one of adam"},
		{"alpha", "-1", "not a number"}, {"batch_size", "0", "not a whole number from 1 on"}, {"beta_1", "1", "not a number"},
		{"shuffle", "maybe", "not True or False"}, {"random_state", "-3", "not a whole number"}, {"momentum", "0.9", "no such setting; there are hidden_layer_sizes, activation"},
	} {
		if _, err := NewMLP(map[string]string{tt.name: tt.value}); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "mlp: setting "+tt.name) {
			t.Errorf("%s=%s: error %v, want %s", tt.name, tt.value, err, tt.want)
		}
	}
}

func TestMLPSettings(t *testing.T) {
	set := map[string]string{
		"hidden_layer_sizes": "10:5", "activation": "tanh", "alpha": "0.5", "batch_size": "auto", "learning_rate_init": "0.01", "max_iter": "7", "shuffle": "False",
		"tol": "0", "early_stopping": "True", "validation_fraction": "0.2", "beta_1": "0.8", "beta_2": "0.9", "epsilon": "1e-07", "n_iter_no_change": "3", "random_state": "9"}
	if got := newMLP(t, set).Settings(); !reflect.DeepEqual(got, set) {
		t.Errorf("settings %v come back as %v", set, got)
	}
	for _, m := range []*MLP{newMLP(t, nil), newMLP(t, map[string]string{"hidden_layer_sizes": "", "batch_size": "32", "solver": "adam", "n_jobs": "-1"})} {
		again := newMLP(t, m.Settings())
		if !reflect.DeepEqual(again.Settings(), m.Settings()) || again.Batch != m.Batch || len(again.Hidden) != len(m.Hidden) {
			t.Errorf("%v is read as %v", m.Settings(), again.Settings())
		}
	}
}

// TestClassifierFolder: any model goes to a folder and back; damage is an error.
func TestClassifierFolder(t *testing.T) {
	for _, k := range []int{2, 3} {
		x, y := formula(60, 5, k, 1, "folder")
		for _, name := range []string{"mlp", "tree"} {
			for _, scale := range []bool{false, true} {
				set := map[string]string{"random_state": "2"}
				if name == "mlp" {
					set["hidden_layer_sizes"], set["max_iter"] = "6:4", "10"
				}
				c, err := NewClassifier(name, set)
				if err != nil {
					t.Fatal(err)
				}
				if scale {
					c = &classical.Pipeline{Model: c}
				}
				if err := c.Fit(x, y, k); err != nil {
					t.Fatal(err)
				}
				dir := filepath.Join(t.TempDir(), "model")
				if err := SaveClassifier(dir, classical.Info{Classes: []string{"a", "b", "c"}[:k], Rows: 60}, c); err != nil {
					t.Fatal(err)
				}
				info, back, err := LoadClassifier(dir)
				if err != nil {
					t.Fatal(err)
				}
				if info.Model != name || info.Rows != 60 || !slices.Equal(back.Proba(x), c.Proba(x)) {
					t.Errorf("%s of %d classes, scaled %t: %+v, or other probabilities", name, k, scale, info)
				}
				for _, damage := range [][2]string{{`"6:4"`, `"6:5"`}, {`"6:4"`, `"6"`}, {`"format": 1`, `"format": 2`}, {`"scaler": "`, `"scaler": "x`}, {`"alpha"`, `"alfa"`}} {
					if name != "mlp" {
						break
					}
					path := filepath.Join(dir, "model.json")
					b, _ := os.ReadFile(path)
					bad := strings.Replace(string(b), damage[0], damage[1], 1)
					if bad == string(b) {
						t.Fatalf("no %s in model.json", damage[0])
					}
					if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
						t.Fatal(err)
					}
					if _, _, err := LoadClassifier(dir); err == nil || !strings.HasPrefix(err.Error(), "train: "+dir) {
						t.Errorf("%s: error %v", damage[1], err)
					}
					if err := os.WriteFile(path, b, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if _, _, err := LoadClassifier(t.TempDir()); err == nil {
		t.Error("an empty folder is no model")
	}
	if err := SaveClassifier(t.TempDir(), classical.Info{}, newMLP(t, nil)); err == nil {
		t.Error("an unfitted model was saved")
	}
	if _, err := NewClassifier("bush", nil); err == nil || !strings.Contains(err.Error(), "no such model") {
		t.Errorf("error %v", err)
	}
	if !slices.Contains(ClassifierNames(), "mlp") || !slices.Contains(ClassifierNames(), "svm") {
		t.Errorf("names %v", ClassifierNames())
	}
}
