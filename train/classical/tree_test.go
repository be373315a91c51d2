package classical

import (
	"fmt"
	"math"
	"reflect"
	"testing"
)

// TestTree compares trees node by node with scikit-learn's. The generator chose data on which no two splits tie, since a
// tie is broken at random.
func TestTree(t *testing.T) {
	var cases []struct {
		N, F, K             int
		Seed                uint64
		Sep                 float64
		Settings            map[string]string
		Feature, Left       []int32
		Right, Rows         []int32
		Threshold, Impurity []float64
		Proba               [][]float64
		Importances         []float64
	}
	golden(t, "sklearn_tree", &cases)
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d", i), func(t *testing.T) {
			x, y := formula(c.N, c.F, c.K, c.Seed, c.Sep, 0)
			if c.Settings["class_weight"] != "" {
				x, y = thin(x, y)
			}
			tree := fitted(t, "tree", c.Settings, x, y, c.K).(*Tree)
			if len(tree.Nodes) != len(c.Feature) {
				t.Fatalf("%d nodes, want %d", len(tree.Nodes), len(c.Feature))
			}
			for j, n := range tree.Nodes {
				if n.Feature != c.Feature[j] || n.Left != c.Left[j] || n.Right != c.Right[j] || n.Rows != c.Rows[j] || n.Threshold != c.Threshold[j] || math.Abs(n.Impurity-c.Impurity[j]) > 1e-9 {
					t.Fatalf("node %d is %+v; want feature %d, children %d %d, rows %d, threshold %v, impurity %v", j, n, c.Feature[j], c.Left[j], c.Right[j], c.Rows[j], c.Threshold[j], c.Impurity[j])
				}
			}
			xt, _ := formula(50, c.F, c.K, c.Seed, c.Sep, c.N)
			near(t, "proba", tree.Proba(xt), flat(c.Proba), 1e-9)
			near(t, "importances", tree.Importances(), c.Importances, 1e-9)
		})
	}
}

// TestForest compares forests with scikit-learn's in distribution: the mean over 30 seeds of every test row's
// probabilities, every importance, the nodes of a tree and its depth must lie within 5 standard errors of scikit-learn's
// mean over 30 seeds. (Some 150 comparisons a case: by chance alone one beyond 5 would occur once in 10,000 runs.)
func TestForest(t *testing.T) {
	var cases []struct {
		Model    string
		Settings map[string]string
		Mean, SD []float64
	}
	golden(t, "sklearn_forest", &cases)
	for _, c := range cases {
		t.Run(fmt.Sprint(c.Model, c.Settings), func(t *testing.T) {
			x, y := formula(200, 9, 3, 21, 1, 0)
			if c.Settings["class_weight"] != "" {
				x, y = thin(x, y)
			}
			xt, _ := formula(40, 9, 3, 21, 1, 200)
			const seeds = 30
			sum, sq := make([]float64, len(c.Mean)), make([]float64, len(c.Mean))
			for s := range seeds {
				m, err := New(c.Model, c.Settings)
				if err != nil {
					t.Fatal(err)
				}
				f := m.(*Forest)
				f.Trees, f.Seed = 50, uint64(s)
				if err := f.Fit(x, y, 3); err != nil {
					t.Fatal(err)
				}
				v := append(f.Proba(xt), f.Importances()...)
				nodes, depth := 0.0, 0.0
				for i := range f.Forest {
					nodes += float64(len(f.Forest[i].Nodes)) / 50
					depth += float64(f.Forest[i].Depth()) / 50
				}
				for i, p := range append(v, nodes, depth) {
					sum[i] += p / seeds
					sq[i] += p * p / seeds
				}
			}
			for i, want := range c.Mean {
				variance := (sq[i] - sum[i]*sum[i]) * seeds / (seeds - 1)
				se := math.Sqrt((max(variance, 0) + c.SD[i]*c.SD[i]) / seeds)
				if d := math.Abs(sum[i] - want); d > 5*se+1e-6 {
					t.Errorf("value %d of %d: mean %.5f, want %.5f: %.1f standard errors", i, len(c.Mean), sum[i], want, d/se)
				}
			}
		})
	}
}

// TestForestThreads: the same seed gives the same trees at any number of threads, another seed others.
func TestForestThreads(t *testing.T) {
	x, y := formula(150, 6, 3, 5, 1, 0)
	fit := func(seed uint64, threads int, extra bool) []Tree {
		f := Forest{Trees: 20, Seed: seed, Threads: threads, Extra: extra}
		if err := f.Fit(x, y, 3); err != nil {
			t.Fatal(err)
		}
		return f.Forest
	}
	for _, extra := range []bool{false, true} {
		one := fit(1, 1, extra)
		for _, threads := range []int{2, 5} {
			if !reflect.DeepEqual(one, fit(1, threads, extra)) {
				t.Errorf("extra %v: %d threads grow other trees than one", extra, threads)
			}
		}
		if reflect.DeepEqual(one, fit(2, 1, extra)) {
			t.Errorf("extra %v: seeds 1 and 2 grow the same trees", extra)
		}
	}
}

// TestTreeEdges: one class, one row, constant features, a class without rows.
func TestTreeEdges(t *testing.T) {
	for _, c := range []struct {
		name  string
		x     []float64
		y     []int
		nodes int
	}{
		{"one row", []float64{1}, []int{1}, 1},
		{"one class", []float64{1, 2, 3}, []int{2, 2, 2}, 1},
		{"constant", []float64{7, 7, 7}, []int{0, 1, 2}, 1},
		{"nearer than 1e-7", []float64{1e-9, 2e-9, 3e-9}, []int{0, 1, 2}, 1},
		{"two", []float64{1, 1, 5}, []int{0, 0, 2}, 3},
	} {
		tree := Tree{}
		if err := tree.Fit(Matrix{N: len(c.y), F: 1, X: c.x}, c.y, 3); err != nil {
			t.Fatal(err)
		}
		if len(tree.Nodes) != c.nodes {
			t.Errorf("%s: %d nodes, want %d", c.name, len(tree.Nodes), c.nodes)
		}
	}
	if err := (&Tree{}).Fit(Matrix{N: 1, F: 1, X: []float64{math.NaN()}}, []int{0}, 1); err == nil {
		t.Error("NaN was learned from")
	}
}

// TestNarrow: trees are the same whether deep nodes have their rows put together or not.
func TestNarrow(t *testing.T) {
	x, y := formula(1500, 7, 4, 23, 1, 0)
	for i := range x.N { // few values, and one alone
		x.X[i*7+2], x.X[i*7+3] = math.Floor(4*x.X[i*7+2]), 1
	}
	both := make([]int, 2*x.N)
	for i, c := range y {
		both[2*i], both[2*i+1] = c/2, 2+c%2
	}
	for _, c := range []Tree{{}, {Criterion: Entropy, MaxFeatures: SqrtFeatures}, {Random: true}, {Random: true, Criterion: Entropy, MinLeaf: 3}, {MaxFeatures: 2, MinLeaf: 2}} {
		for _, class := range [][]float64{nil, {1, 0.5, 2, 0.3}} {
			for _, outputs := range []int{1, 2} {
				if outputs == 2 && class != nil {
					continue
				}
				var trees [2]Tree
				for i, from := range []int{40, math.MaxInt} {
					answers, first := y, []int{0, 4}
					if outputs == 2 {
						answers, first = both, []int{0, 2, 4}
					}
					g := newGrower(sharedRanks(nil, x, c.Random, 1), answers, first, class)
					g.from = from
					trees[i] = c
					g.grow(&trees[i], rowWeights(nil, y))
					g.grow(&trees[i], rowWeights(nil, y)) // again, with what is left of the first time
					if narrowed := len(g.levels) > 1; narrowed != (from == 40) {
						t.Fatalf("from %d: %d levels", from, len(g.levels))
					}
				}
				if !reflect.DeepEqual(trees[0], trees[1]) {
					t.Errorf("%+v, class weights %v, %d outputs: another tree when narrowed", c, class, outputs)
				}
			}
		}
	}
}

// TestWalk: rows that go down together end in the leaves where each goes alone; values that are no numbers go right.
func TestWalk(t *testing.T) {
	x, y := formula(400, 5, 3, 29, 0.5, 0)
	tree := fitted(t, "tree", nil, x, y, 3).(*Tree)
	test, _ := formula(203, 5, 3, 29, 0.5, 400)
	for i := range 20 { // on a threshold, next to it, far away, nowhere
		n := tree.Nodes[i%len(tree.Nodes)]
		if n.Feature >= 0 {
			test.X[i*5+int(n.Feature)] = n.Threshold
			test.X[(20+i)*5+int(n.Feature)] = math.Nextafter(n.Threshold, math.Inf(1-2*(i%2)))
		}
		test.X[(40+i)*5+i%5] = []float64{1e300, -1e300, math.NaN(), math.Inf(-1)}[i%4]
	}
	var w walker
	w.load(test, 0, test.N)
	if test.N < len(tree.Nodes)/16 {
		t.Fatalf("%d nodes are too many", len(tree.Nodes))
	}
	for i, l := range w.walk(tree) {
		if alone := tree.leaf(w.x[i*5 : i*5+5]); l != alone {
			t.Errorf("row %d, %v, ends at %d, alone at %d", i, test.Row(i), l, alone)
		}
	}
}
