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

func BenchmarkForest(b *testing.B) {
	for _, n := range []int{780, 10000} {
		for _, c := range []struct {
			name string
			f    Forest
		}{{"gini", Forest{Trees: 400}}, {"entropy", Forest{Trees: 400, Criterion: Entropy}}, {"extra", Forest{Trees: 400, Extra: true}}} {
			x, y := blobs(n, 52, 6, 1)
			b.Run(fmt.Sprintf("kind=%s/N=%d/F=52/K=6/trees=400", c.name, n), func(b *testing.B) {
				for b.Loop() {
					if err := c.f.Fit(x, y, 6); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
