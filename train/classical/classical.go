// Package classical holds the baselines that a network must beat: trees, forests, support vectors, neighbors, Bayes,
// linear models, k-means. Plain slices and gonum, no graph. Each model follows scikit-learn where both have it: the same
// names, defaults and answers, checked against goldens that scikit-learn wrote.
//
// Letters: N rows, F features, K classes. A model is fitted on a Matrix and class numbers 0..K-1, answers with class
// numbers and with probabilities (N, K), and has the same bits for the same seed at any number of threads.
//
//	f := classical.Forest{Trees: 400, Seed: 1}
//	err := f.Fit(x, y, k)
//	p := f.Proba(x2) // (N, K)
//
// New makes any of them from its name and scikit-learn's settings; Pipeline puts a scaler in front; Search and its Nested
// choose settings on folds; Save and Load keep a fitted model in a folder. MiniRocket and MultiRocket turn time series into
// features, and Rocket is either of them with a ridge. Left out: missing values and sparse input.
package classical

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Matrix is N rows of F features, row-major.
type Matrix struct {
	N, F int
	X    []float64
}

// Row returns row i; it shares the matrix's memory.
func (m Matrix) Row(i int) []float64 { return m.X[i*m.F : (i+1)*m.F : (i+1)*m.F] }

// Rows copies the rows of idx into a new matrix.
func (m Matrix) Rows(idx []int) Matrix {
	r := Matrix{N: len(idx), F: m.F, X: make([]float64, 0, len(idx)*m.F)}
	for _, i := range idx {
		r.X = append(r.X, m.Row(i)...)
	}
	return r
}

// singles is a Matrix in single precision, for features of which there are very many.
type singles struct {
	n, f int
	x    []float32
}

func (s singles) row(i int) []float32 { return s.x[i*s.f : (i+1)*s.f] }

func (s singles) wide() Matrix {
	m := Matrix{N: s.n, F: s.f, X: make([]float64, len(s.x))}
	for i, v := range s.x {
		m.X[i] = float64(v)
	}
	return m
}

// single returns the nearest values of single precision.
func single(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// table is rows that are read a few features at a time: read writes features from to to-1 of row i.
type table struct {
	n, f int
	read func(i, from, to int, out []float64)
}

func (m Matrix) table() table {
	return table{m.N, m.F, func(i, from, to int, out []float64) { copy(out, m.X[i*m.F+from:i*m.F+to]) }}
}

func (s singles) table() table {
	return table{s.n, s.f, func(i, from, to int, out []float64) {
		for j, v := range s.x[i*s.f+from : i*s.f+to] {
			out[j] = float64(v)
		}
	}}
}

// Classifier is what every baseline can do.
type Classifier interface {
	// Fit learns from the rows of x with class numbers y in 0..k-1. Classes without a row are allowed.
	Fit(x Matrix, y []int, k int) error
	// Predict returns the class of each row.
	Predict(x Matrix) []int
	// Proba returns the probability of each class, (N, K) row-major.
	Proba(x Matrix) []float64
}

// check refuses what no model here can learn from.
func check(model string, x Matrix, y []int, k int) error {
	if x.N == 0 || x.F == 0 {
		return fmt.Errorf("%s: %d rows of %d features: nothing to learn from", model, x.N, x.F)
	}
	if len(x.X) != x.N*x.F || len(y) != x.N {
		return fmt.Errorf("%s: %d values and %d classes for %d rows of %d features", model, len(x.X), len(y), x.N, x.F)
	}
	for i, v := range x.X {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: row %d, feature %d is %v; fill or drop missing values first", model, i/x.F, i%x.F, v)
		}
	}
	for i, c := range y {
		if c < 0 || c >= k {
			return fmt.Errorf("%s: row %d has class %d of %d", model, i, c, k)
		}
	}
	return nil
}

// argmaxRows returns the first largest column of each row of p (N, K).
func argmaxRows(p []float64, k int) []int {
	out := make([]int, len(p)/k)
	for i := range out {
		row := p[i*k : (i+1)*k]
		for c, v := range row {
			if v > row[out[i]] {
				out[i] = c
			}
		}
	}
	return out
}

// workers is the number of goroutines for n independent pieces; threads 0 means all processors.
func workers(threads, n int) int {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return max(1, min(threads, n))
}

// parallel runs f(worker, i) for i in 0..n-1 on a bounded pool. What f writes must depend on i alone.
func parallel(threads, n int, f func(worker, i int)) {
	w := workers(threads, n)
	if w == 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for k := range w {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(k, i)
			}
		})
	}
	wg.Wait()
}
