package classical

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// blobs is k Gaussian clouds in f features, the first half of which tell them apart.
func blobs(n, f, k int, seed uint64) (Matrix, []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	centers := make([]float64, k*f)
	for i := range centers {
		if i%f < f/2 {
			centers[i] = rng.NormFloat64()
		}
	}
	x, y := Matrix{N: n, F: f, X: make([]float64, n*f)}, make([]int, n)
	for i := range n {
		y[i] = i % k
		for j := range f {
			x.X[i*f+j] = centers[y[i]*f+j] + 1.5*rng.NormFloat64()
		}
	}
	return x, y
}

// benchModels are the rows of testdata/bench_sklearn.py's table.
var benchModels = []struct {
	name, model string
	set         map[string]string
	big         int // rows at the big size
}{
	{"forest_gini", "forest", map[string]string{"n_estimators": "400"}, 10000},
	{"forest_entropy", "forest", map[string]string{"n_estimators": "400", "criterion": "entropy"}, 10000},
	{"extratrees", "extratrees", map[string]string{"n_estimators": "400"}, 10000},
	{"tree_gini", "tree", nil, 100000},
	{"tree_entropy", "tree", map[string]string{"criterion": "entropy"}, 100000},
	{"svm_linear", "svm", map[string]string{"kernel": "linear"}, 10000},
	{"svm_rbf", "svm", nil, 10000},
	{"svm_rbf_probability", "svm", map[string]string{"probability": "True"}, 10000},
	{"gnb", "gnb", nil, 100000},
	{"knn_euclidean", "knn", nil, 20000},
	{"knn_manhattan", "knn", map[string]string{"metric": "manhattan", "weights": "distance"}, 20000},
	{"logistic", "logistic", map[string]string{"max_iter": "1000"}, 100000},
	{"ridge", "ridge", nil, 100000},
	{"kmeans", "kmeans", map[string]string{"n_clusters": "6", "n_init": "10"}, 100000},
}

// BenchmarkModels fits on N rows and predicts N/5 others.
func BenchmarkModels(b *testing.B) {
	for _, c := range benchModels {
		for _, n := range []int{780, c.big} {
			x, y := blobs(n+n/5, 52, 6, 1)
			train, test := Matrix{N: n, F: 52, X: x.X[:n*52]}, Matrix{N: n / 5, F: 52, X: x.X[n*52:]}
			m, err := New(c.model, c.set)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("model=%s/N=%d/F=52/K=6/op=fit", c.name, n), func(b *testing.B) {
				for b.Loop() {
					if err := m.Fit(train, y[:n], 6); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("model=%s/N=%d/F=52/K=6/op=predict", c.name, n), func(b *testing.B) {
				if err := m.Fit(train, y[:n], 6); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					m.Predict(test)
				}
			})
		}
	}
}

// BenchmarkProtocol is a trial of the smart-speaker study (EC-40): a stratified 80/20 split, scaling, a stratified 3-fold
// grid search on the 80 %, a fit on them, one answer for the 20 %.
func BenchmarkProtocol(b *testing.B) {
	p := 52.0
	c := []string{"0.1", "0.5", "1", "5", "10"}
	var gamma []string
	for _, g := range []float64{0.1 / p, 1 / p, 10 / p, 0.01, 0.1, 1} {
		gamma = append(gamma, fmt.Sprint(g))
	}
	for _, m := range []struct {
		name  string
		base  Point
		grids map[string][]string
	}{
		{"tree", Point{Model: "tree"}, map[string][]string{"criterion": {"gini", "entropy"}}},
		{"forest", Point{Model: "forest", Settings: map[string]string{"n_estimators": "400"}}, map[string][]string{"criterion": {"gini", "entropy"}, "max_features": {"sqrt", "log2"}}},
		{"svm_linear", Point{Model: "svm", Settings: map[string]string{"kernel": "linear"}}, map[string][]string{"C": c}},
		{"svm_rbf", Point{Model: "svm"}, map[string][]string{"C": c, "gamma": gamma}},
		{"knn", Point{Model: "knn"}, map[string][]string{"n_neighbors": {"1", "3", "5", "7", "9", "11"}, "weights": {"uniform", "distance"}, "metric": {"manhattan", "euclidean"}}},
	} {
		m.base.Scale = true
		b.Run(fmt.Sprintf("model=%s/N=780/F=52/K=6", m.name), func(b *testing.B) {
			x, y := blobs(780, 52, 6, 1)
			outer, err := StratifiedShuffle(y, 1, 0.2, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				b.Fatal(err)
			}
			s := Search{Points: Grid(m.base, m.grids)}
			for b.Loop() {
				_, err := s.Nested(x, y, 6, outer, func(rows []int, rng *rand.Rand) ([]Fold, error) { return StratifiedKFold(pick(y, rows), 3, rng) })
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
