package classical

import (
	"errors"
	"fmt"
	"math"
)

// Metric is a distance of rows.
type Metric uint8

const (
	Euclidean Metric = iota // sqrt(sum (a-b)²)
	Manhattan               // sum |a-b|
)

// Vote is the weight of a neighbor.
type Vote uint8

const (
	Uniform  Vote = iota // 1
	Distance             // 1/distance; neighbors at distance 0, when there are any, decide alone
)

// KNN answers with the classes of the nearest training rows (Cover and Hart, 1967). The zero value is scikit-learn's
// KNeighborsClassifier: 5 neighbors, Euclidean, every vote alike. Of rows at the same distance the earlier is nearer.
type KNN struct {
	Neighbors int // 0: 5
	Metric    Metric
	Votes     Vote
	Threads   int // 0: all processors

	K int
	X Matrix
	Y []int

	fold *shared
}

func (m *KNN) on(s *shared) { m.fold = s }

// Fit keeps the rows.
func (m *KNN) Fit(x Matrix, y []int, k int) error {
	if err := check("knn", x, y, k); err != nil {
		return err
	}
	if m.neighbors() > x.N {
		return fmt.Errorf("knn: %d neighbors among %d rows", m.neighbors(), x.N)
	}
	m.K, m.X, m.Y = k, x, y
	return nil
}

func (m *KNN) neighbors() int {
	if m.Neighbors == 0 {
		return 5
	}
	return m.Neighbors
}

// Nearest returns the numbers of each row's neighbors, nearest first, and their distances, both (N, Neighbors).
func (m *KNN) Nearest(x Matrix) (rows []int, dist []float64) {
	n := m.neighbors()
	if m.fold.asks(x) {
		return m.sharedNearest(n)
	}
	rows, dist = make([]int, x.N*n), make([]float64, x.N*n)
	// A block of queries shares each stretch of training rows while it is in the cache. Squared distances come from inner
	// products first, |a|² + |b|² - 2ab; only rows that could be nearer than the farthest neighbor are looked at again, so
	// that rounding in that formula decides nothing.
	const stretch = 144
	queries := min(192, max(24, x.N/2/workers(m.Threads, x.N+1)))
	var norm []float64
	if m.Metric == Euclidean {
		norm = norms(m.X)
	}
	type worker struct {
		products, norm []float64
		panels         panelProducts
	}
	ws := make([]worker, workers(m.Threads, (x.N+queries-1)/queries))
	parallel(m.Threads, (x.N+queries-1)/queries, func(k, b int) {
		w := &ws[k]
		if w.products == nil {
			w.products, w.norm = make([]float64, queries*stretch), make([]float64, queries)
		}
		lo, hi := b*queries, min(x.N, (b+1)*queries)
		for i := lo * n; i < hi*n; i++ {
			dist[i] = math.Inf(1)
		}
		if m.Metric == Euclidean && simd {
			w.panels.rows(x.X[lo*x.F:hi*x.F], hi-lo, x.F)
		}
		for from := 0; from < m.X.N; from += stretch {
			to := min(m.X.N, from+stretch)
			found, stride := w.products, to-from
			if m.Metric == Euclidean {
				if simd {
					found, stride = w.panels.with(m.X.X[from*x.F:to*x.F], to-from)
				} else {
					products(x.X[lo*x.F:hi*x.F], hi-lo, m.X.X[from*x.F:to*x.F], to-from, x.F, w.products)
				}
			}
			for q := lo; q < hi; q++ {
				if m.Metric == Manhattan {
					d := w.products[:to-from]
					rowDistances(Manhattan, x.Row(q), m.X.X[from*x.F:to*x.F], dist[(q+1)*n-1], d)
					merge(d, from, rows[q*n:(q+1)*n], dist[q*n:(q+1)*n])
					continue
				}
				if from == 0 {
					w.norm[q-lo] = dot(x.Row(q), x.Row(q))
				}
				m.sift(x.Row(q), w.norm[q-lo], norm[from:to], found[(q-lo)*stride:(q-lo)*stride+to-from], from, rows[q*n:(q+1)*n], dist[q*n:(q+1)*n])
			}
		}
		if m.Metric == Euclidean {
			for i := lo * n; i < hi*n; i++ {
				dist[i] = math.Sqrt(dist[i])
			}
		}
	})
	return rows, dist
}

// sharedNearest takes the first n of the neighbors that all points on a fold share.
func (m *KNN) sharedNearest(n int) (rows []int, dist []float64) {
	type nearestOf struct{ metric Metric }
	type found struct {
		rows []int
		dist []float64
	}
	s := m.fold
	all := share(s, nearestOf{m.Metric}, 16*s.test.N*s.neighbors, func() found {
		alone := *m
		alone.Neighbors, alone.fold = s.neighbors, nil
		rows, dist := alone.Nearest(s.test)
		return found{rows, dist}
	})
	for i := range s.test.N {
		rows, dist = append(rows, all.rows[i*s.neighbors:][:n]...), append(dist, all.dist[i*s.neighbors:][:n]...)
	}
	return rows, dist
}

// merge puts rows from from on, at the distances d, into a query's sorted list.
func merge(d []float64, from int, rows []int, dist []float64) {
	limit := dist[len(dist)-1]
	for i, v := range d {
		if v < limit {
			insert(rows, dist, from+i, v)
			limit = dist[len(dist)-1]
		}
	}
}

// sift is merge for squared Euclidean distances, given the inner products with the rows from from on and the rows' norms.
func (m *KNN) sift(q []float64, own float64, norm, products []float64, from int, rows []int, dist []float64) {
	last := len(dist) - 1
	products = products[:len(norm)]
	limit := dist[last]
	for i, v := range norm {
		s := own + v
		if s-2*products[i] > limit+1e-12*s { // rounding is of the order of F * 2^-53 * s
			continue
		}
		if d := squares(q, m.X.Row(from+i), limit); d < limit {
			insert(rows, dist, from+i, d)
			limit = dist[last]
		}
	}
}

// insert puts row i at distance d into a full sorted list, after rows at the same distance.
func insert(rows []int, dist []float64, i int, d float64) {
	j := len(dist) - 1
	for ; j > 0 && dist[j-1] > d; j-- {
		dist[j], rows[j] = dist[j-1], rows[j-1]
	}
	dist[j], rows[j] = d, i
}

// Proba returns each class's share of the votes, (N, K).
func (m *KNN) Proba(x Matrix) []float64 {
	n := m.neighbors()
	rows, dist := m.Nearest(x)
	p := make([]float64, x.N*m.K)
	for i := range x.N {
		out, sum := p[i*m.K:(i+1)*m.K], 0.0
		r, d := rows[i*n:(i+1)*n], dist[i*n:(i+1)*n]
		for j, row := range r {
			w := 1.0
			switch {
			case m.Votes == Uniform:
			case d[0] > 0:
				w = 1 / d[j]
			case d[j] > 0:
				w = 0
			}
			out[m.Y[row]] += w
			sum += w
		}
		for c := range out {
			out[c] /= sum
		}
	}
	return p
}

// Predict returns the class with the most votes; of equal ones the first.
func (m *KNN) Predict(x Matrix) []int { return argmaxRows(m.Proba(x), m.K) }

func (m *KNN) settings(s *settings) {
	s.integer("n_neighbors", &m.Neighbors, 1)
	choice(s, "metric", &m.Metric, "euclidean", "manhattan")
	choice(s, "weights", &m.Votes, "uniform", "distance")
	s.threads(&m.Threads)
}

func (m *KNN) state(s *state) {
	s.ints("shape", &m.K)
	s.matrix("x", &m.X)
	whole(s, "y", &m.Y, m.X.N, 0, int64(m.K))
	if s.loading() && s.err == nil && m.neighbors() > m.X.N {
		s.err = errors.New("fewer rows than neighbors")
	}
}
