package classical

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type selectGolden struct {
	Y               []int
	Group           []string
	Folds           map[string][][]int
	Proba           [][]float64
	LogLoss         float64 `json:"log_loss"`
	Brier, Balanced float64
	Grid            struct {
		Points []map[string]string
		Mean   []float64
		Best   int
	}
	Multi []struct {
		Criterion           string
		Seed                uint64
		Feature             []int32
		Threshold, Impurity []float64
		Proba               [][]float64
	}
}

// TestFolds: without a rng every division is scikit-learn's.
func TestFolds(t *testing.T) {
	var g selectGolden
	golden(t, "sklearn_select", &g)
	at := make([]int64, len(g.Y))
	for i := range at {
		at[i] = int64(i)
	}
	got := map[string][]Fold{}
	var err [5]error
	got["kfold"], err[0] = KFold(len(g.Y), 4, nil)
	got["stratified"], err[1] = StratifiedKFold(g.Y, 3, nil)
	got["grouped"], err[2] = Grouped(g.Group, 3)
	got["leave"], err[3] = LeaveOneGroupOut(g.Group)
	got["time"], err[4] = TimeOrdered(at, 4)
	if err != [5]error{} {
		t.Fatal(err)
	}
	for name, want := range g.Folds {
		var test [][]int
		for _, f := range got[name] {
			if err := f.check(len(g.Y)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if name != "time" && len(f.Train)+len(f.Test) != len(g.Y) {
				t.Errorf("%s: %d + %d rows of %d", name, len(f.Train), len(f.Test), len(g.Y))
			}
			test = append(test, f.Test)
		}
		if !reflect.DeepEqual(test, want) {
			t.Errorf("%s: %v, want %v", name, test, want)
		}
	}
	for _, f := range got["time"] {
		if slices.Max(f.Train) > slices.Min(f.Test) {
			t.Errorf("learned from row %d, tested on row %d", slices.Max(f.Train), slices.Min(f.Test))
		}
	}
	for _, bad := range []func() ([]Fold, error){
		func() ([]Fold, error) { return KFold(3, 4, nil) }, func() ([]Fold, error) { return StratifiedKFold(g.Y, 1, nil) },
		func() ([]Fold, error) { return Grouped(g.Group, 9) }, func() ([]Fold, error) { return LeaveOneGroupOut([]string{"a", "a"}) },
		func() ([]Fold, error) { return TimeOrdered(at[:3], 3) },
		func() ([]Fold, error) { return StratifiedShuffle(g.Y, 1, 1.5, rand.New(rand.NewPCG(1, 1))) },
	} {
		if f, err := bad(); err == nil {
			t.Errorf("no error, but %v", f)
		}
	}
}

// TestShuffledFolds: shuffled folds keep the shares of the classes and test every row once; random splits keep shares too.
func TestShuffledFolds(t *testing.T) {
	_, y := formula(130, 1, 3, 1, 0, 0)
	y = append(y, 2, 2, 2, 2)
	for _, seed := range []uint64{1, 2} {
		rng := rand.New(rand.NewPCG(seed, 0))
		folds, err := StratifiedKFold(y, 5, rng)
		if err != nil {
			t.Fatal(err)
		}
		times := make([]int, len(y))
		for _, f := range folds {
			for _, r := range f.Test {
				times[r]++
			}
			n := counts(pick(y, f.Test), rowWeights(nil, f.Test), 3)
			for c, v := range counts(y, rowWeights(nil, y), 3) {
				if math.Abs(n[c]-v/5) > 1 {
					t.Errorf("class %d: %v of %v rows in a fifth", c, n[c], v)
				}
			}
		}
		if slices.Min(times) != 1 || slices.Max(times) != 1 {
			t.Errorf("rows are tested %v times", times)
		}
	}
	splits, err := StratifiedShuffle(y, 3, 0.2, rand.New(rand.NewPCG(1, 0)))
	if err != nil || reflect.DeepEqual(splits[0], splits[1]) {
		t.Fatalf("%v, or two splits alike", err)
	}
	for _, f := range splits {
		if n := counts(pick(y, f.Test), rowWeights(nil, f.Test), 3); n[0] != 9 || n[1] != 9 || n[2] != 9 {
			t.Errorf("test classes %v", n)
		}
	}
}

// TestSearch: the grid search over a whole pipeline gives GridSearchCV's mean scores and choice.
func TestSearch(t *testing.T) {
	var g selectGolden
	golden(t, "sklearn_select", &g)
	x, y := formula(120, 5, 3, 501, 1, 0)
	folds, err := StratifiedKFold(y, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Search{Points: Grid(Point{Model: "svm", Scale: true}, map[string][]string{"kernel": {"linear", "rbf"}, "C": {"0.1", "1", "10"}})}
	for i, p := range s.Points {
		if !reflect.DeepEqual(p.Settings, g.Grid.Points[i]) {
			t.Fatalf("point %d is %v, want %v", i, p.Settings, g.Grid.Points[i])
		}
	}
	r, err := s.Run(x, y, 3, folds)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean scores", r.Mean, g.Grid.Mean, 1e-9)
	if r.Best != g.Grid.Best {
		t.Errorf("best point %d, want %d", r.Best, g.Grid.Best)
	}
	if _, err := s.Run(x, y, 3, []Fold{{Train: []int{1, 2}, Test: []int{2}}}); err == nil || !strings.Contains(err.Error(), "row 2 is learned from and tested on") {
		t.Errorf("overlap: %v", err)
	}
	s.Points[2].Settings["C"] = "much"
	if _, err := s.Run(x, y, 3, folds); err == nil || !strings.Contains(err.Error(), "point 2, fold 0: svm: setting C") {
		t.Errorf("bad setting: %v", err)
	}
}

// TestNested: the same trials at any number of threads; models never see their test rows, so that labels without meaning
// stay at chance even when many points compete.
func TestNested(t *testing.T) {
	x, _ := formula(120, 6, 3, 521, 0, 0)
	y := make([]int, 120)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range y {
		y[i] = rng.IntN(2)
	}
	outer, err := StratifiedShuffle(y, 8, 0.25, rng)
	if err != nil {
		t.Fatal(err)
	}
	run := func(threads int) (scores []float64) {
		s := Search{Points: Random(Point{Model: "svm", Scale: true}, map[string]Draw{"C": LogUniform(0.01, 100), "gamma": LogUniform(0.001, 10), "kernel": OneOf("rbf", "linear")}, 8, 3), Threads: threads}
		trials, err := s.Nested(x, y, 2, outer, func(rows []int, rng *rand.Rand) ([]Fold, error) { return StratifiedKFold(pick(y, rows), 3, rng) })
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range trials {
			scores = append(scores, r.Score)
		}
		return scores
	}
	one := run(1)
	if three := run(3); !reflect.DeepEqual(one, three) {
		t.Errorf("threads change scores: %v, %v", one, three)
	}
	mean := 0.0
	for _, v := range one {
		mean += v / 8
	}
	if mean > 0.65 {
		t.Errorf("%.3f on labels without meaning", mean)
	}
}

// TestHalve: halving ends with all rows and a point near the best.
func TestHalve(t *testing.T) {
	x, y := formula(300, 6, 3, 531, 2, 0)
	var ks []string
	for k := 1; k <= 20; k++ {
		ks = append(ks, fmt.Sprint(k))
	}
	s := Search{Points: Grid(Point{Model: "knn"}, map[string][]string{"n_neighbors": ks}), Seed: 2}
	best, rounds, err := s.Halve(x, y, 3, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rounds, [][2]int{{20, 33}, {7, 100}, {3, 300}}) {
		t.Errorf("rounds (points, rows) %v", rounds)
	}
	folds, _ := StratifiedKFold(y, 3, nil)
	all, err := s.Run(x, y, 3, folds)
	if err != nil {
		t.Fatal(err)
	}
	if all.Mean[best] < all.Mean[all.Best]-0.03 {
		t.Errorf("point %d has %.3f, the best %.3f", best, all.Mean[best], all.Mean[all.Best])
	}
}

// TestCalibration: losses are scikit-learn's, bins count every row once.
func TestCalibration(t *testing.T) {
	var g selectGolden
	golden(t, "sklearn_select", &g)
	_, y := formula(120, 5, 3, 501, 1, 0)
	p := flat(g.Proba)
	near(t, "log loss, Brier, balanced accuracy", []float64{LogLoss(p, y, 3), Brier(p, y, 3), BalancedAccuracy(y[7:], argmaxRows(p[21:], 3), 3)}, []float64{g.LogLoss, g.Brier, g.Balanced}, 1e-9)
	bins := Reliability([]float64{0.9, 0.1, 0.7, 0.3, 0.25, 0.75, 0.5, 0.5}, []int{0, 1, 1, 0}, 2, 10)
	want := []Bin{4: {0.4, 0.5, 1, 0.5, 1}, 6: {0.6, 0.7, 1, 0.7, 0}, 7: {0.7, 0.8, 1, 0.75, 1}, 8: {0.8, 0.9, 1, 0.9, 1}}
	for i, b := range bins {
		if w := (Bin{}); i < len(want) && b.N > 0 {
			if w = want[i]; b.N != w.N || math.Abs(b.Confidence-w.Confidence) > 1e-12 || b.Accuracy != w.Accuracy {
				t.Errorf("bin %d: %+v, want %+v", i, b, w)
			}
		}
	}
	near(t, "ECE", []float64{ECE(bins)}, []float64{(0.5 + 0.7 + 0.25 + 0.1) / 4}, 1e-12)
}

// TestMultiLabel: a tree of several outputs is scikit-learn's, and a forest of them learns.
func TestMultiLabel(t *testing.T) {
	var g selectGolden
	golden(t, "sklearn_select", &g)
	made := func(seed uint64, n, start int) (Matrix, []int) {
		x, a := formula(n, 4, 4, seed, 2, start)
		labels := make([]int, 3*n)
		for i, c := range a {
			labels[3*i], labels[3*i+1] = c%2, c/2
			if c == 3 {
				labels[3*i+2] = 1
			}
		}
		return x, labels
	}
	for _, c := range g.Multi {
		x, labels := made(c.Seed, 200, 0)
		bootstrap := false
		m := MultiLabel{Forest: Forest{Trees: 1, MaxDepth: 4, MinLeaf: 15, MaxFeatures: AllFeatures, Bootstrap: &bootstrap}}
		if c.Criterion == "entropy" {
			m.Criterion = Entropy
		}
		if err := m.Fit(x, labels, 3); err != nil {
			t.Fatal(err)
		}
		tree := m.Forest.Forest[0]
		if len(tree.Nodes) != len(c.Feature) {
			t.Fatalf("%s: %d nodes, want %d", c.Criterion, len(tree.Nodes), len(c.Feature))
		}
		for i, n := range tree.Nodes {
			if n.Feature != c.Feature[i] || n.Threshold != c.Threshold[i] || math.Abs(n.Impurity-c.Impurity[i]) > 1e-9 {
				t.Errorf("%s, node %d: %+v; want %d, %v, %v", c.Criterion, i, n, c.Feature[i], c.Threshold[i], c.Impurity[i])
			}
		}
		near(t, c.Criterion, m.Proba(x)[:60], flat(c.Proba), 1e-9)
	}
	m := MultiLabel{Forest: Forest{Trees: 30, Seed: 2}}
	x, labels := made(600, 200, 0)
	xt, want := made(600, 100, 200)
	if err := m.Fit(x, labels, 3); err != nil {
		t.Fatal(err)
	}
	if a := accuracy(m.Predict(xt), want); a < 0.8 {
		t.Errorf("%.3f of the labels are right", a)
	}
	if err := m.Fit(x, labels[:599], 3); err == nil {
		t.Error("599 answers for 600 labels")
	}
}

// TestPermutation: the feature that decides everything is the one whose shuffling costs, at any number of threads.
func TestPermutation(t *testing.T) {
	x, y := formula(200, 4, 2, 541, 0, 0)
	for i := range y {
		y[i] = 0
		if x.X[i*4+2] > 1.5 {
			y[i] = 1
		}
	}
	f := fitted(t, "forest", map[string]string{"n_estimators": "20"}, x, y, 2)
	mean, sd := Permutation(f, x, y, 2, 5, Accuracy, 1, 1)
	again, _ := Permutation(f, x, y, 2, 5, Accuracy, 1, 3)
	if !reflect.DeepEqual(mean, again) {
		t.Errorf("threads change importances: %v, %v", mean, again)
	}
	for j, v := range mean {
		if (j == 2) != (v > 0.3) {
			t.Errorf("feature %d: %.3f +- %.3f", j, v, sd[j])
		}
	}
}

func TestDOT(t *testing.T) {
	tree := Tree{}
	if err := tree.Fit(Matrix{N: 3, F: 1, X: []float64{1, 2, 8}}, []int{0, 0, 1}, 2); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tree.DOT(&b, []string{`size "ip"`}, []string{"music"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`n0 [label="size \"ip\" <= 5\n3 rows, Gini 0.444"];`, `n1 [label="music\n2 rows, Gini 0.000"];`, `n2 [label="class 1\n1 rows, Gini 0.000"];`, `n0 -> n1 [label="yes"];`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}
