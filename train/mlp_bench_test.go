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

// BenchmarkProtocol is a trial of the smart-speaker study (EC-34, EC-40) on one thread: a stratified 80/20 split, scaling, a
// stratified 3-fold grid search on the 80 %, a fit on them, one answer for the 20 %.
func BenchmarkProtocol(b *testing.B) {
	for _, f := range []int{22, 30, 52} {
		b.Run(fmt.Sprintf("model=mlp/N=780/F=%d/K=6", f), func(b *testing.B) {
			x, y := blobs(780, f, 6, 1)
			outer, err := classical.StratifiedShuffle(y, 1, 0.2, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				b.Fatal(err)
			}
			pick := func(rows []int) []int {
				out := make([]int, len(rows))
				for i, r := range rows {
					out[i] = y[r]
				}
				return out
			}
			rows := outer[0].Train
			cv, err := classical.StratifiedKFold(pick(rows), 3, rand.New(rand.NewPCG(1, 3)))
			if err != nil {
				b.Fatal(err)
			}
			fit := func(point map[string]string, train, test []int) float64 {
				c := &classical.Pipeline{Model: newMLP(b, point)}
				if err := c.Fit(x.Rows(train), pick(train), 6); err != nil {
					b.Fatal(err)
				}
				return classical.Accuracy(pick(test), c.Predict(x.Rows(test)), 6)
			}
			at := func(idx []int) []int {
				out := make([]int, len(idx))
				for i, r := range idx {
					out[i] = rows[r]
				}
				return out
			}
			for b.Loop() {
				var best map[string]string
				score := -1.0
				for _, activation := range []string{"logistic", "relu"} {
					for _, hidden := range []string{"100", "300", "100:100"} {
						point, sum := map[string]string{"activation": activation, "hidden_layer_sizes": hidden, "n_jobs": "1"}, 0.0
						for _, fold := range cv {
							sum += fit(point, at(fold.Train), at(fold.Test))
						}
						if sum > score {
							best, score = point, sum
						}
					}
				}
				fit(best, rows, outer[0].Test)
			}
		})
	}
}
