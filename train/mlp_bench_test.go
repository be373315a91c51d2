package train

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"earshot/train/classical"
)

// blobs is k Gaussian clouds in f features, the first half of which tell them apart, standardized.
func blobs(n, f, k int, seed uint64) (classical.Matrix, []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	centers := make([]float64, k*f)
	for i := range centers {
		if i%f < f/2 {
			centers[i] = rng.NormFloat64()
		}
	}
	x, y := classical.Matrix{N: n, F: f, X: make([]float64, n*f)}, make([]int, n)
	for i := range n {
		y[i] = i % k
		for j := range f {
			x.X[i*f+j] = centers[y[i]*f+j] + 1.5*rng.NormFloat64()
		}
	}
	var s classical.Scaler
	s.Fit(x)
	return s.Apply(x), y
}

// BenchmarkMLP fits on N rows; tol is so low that all epochs are run, as they are on the study's data.
func BenchmarkMLP(b *testing.B) {
	for _, c := range []struct {
		n, f, epochs       int
		hidden, activation string
	}{
		{780, 52, 200, "100", "relu"}, {780, 52, 200, "300", "relu"}, {780, 52, 200, "100:100", "relu"}, {780, 52, 200, "100", "logistic"},
		{416, 52, 200, "100", "relu"}, {416, 30, 200, "100:100", "logistic"}, {416, 22, 200, "300", "logistic"}, {100000, 52, 2, "100", "relu"},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("N=%d/F=%d/K=6/hidden=%s/activation=%s/epochs=%d/threads=%d", c.n, c.f, strings.ReplaceAll(c.hidden, ":", "x"), c.activation, c.epochs, threads), func(b *testing.B) {
				x, y := blobs(c.n, c.f, 6, 1)
				m := newMLP(b, map[string]string{"hidden_layer_sizes": c.hidden, "activation": c.activation, "max_iter": strconv.Itoa(c.epochs), "tol": "0", "n_iter_no_change": "1000", "n_jobs": strconv.Itoa(threads)})
				for b.Loop() {
					if err := m.Fit(x, y, 6); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
