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
}

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
	rows, dist = make([]int, x.N*n), make([]float64, x.N*n)
	// A block of queries shares each stretch of training rows while it is in the cache.
	const queries, stretch = 16, 128
	parallel(m.Threads, (x.N+queries-1)/queries, func(_, b int) {
		lo, hi := b*queries, min(x.N, (b+1)*queries)
		for i := lo * n; i < hi*n; i++ {
			dist[i] = math.Inf(1)
		}
		for from := 0; from < m.X.N; from += stretch {
			to := min(m.X.N, from+stretch)
			for q := lo; q < hi; q++ {
				m.scan(x.Row(q), from, to, rows[q*n:(q+1)*n], dist[q*n:(q+1)*n])
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

// scan merges training rows [from, to) into a query's sorted list. dist holds squares for the Euclidean metric.
func (m *KNN) scan(q []float64, from, to int, rows []int, dist []float64) {
	last := len(dist) - 1
	for i := from; i < to; i++ {
		var d float64
		if m.Metric == Euclidean {
			d = squares(q, m.X.Row(i), dist[last])
		} else {
			d = absolutes(q, m.X.Row(i), dist[last])
		}
		if !(d < dist[last]) {
			continue
		}
		j := last
		for ; j > 0 && dist[j-1] > d; j-- {
			dist[j], rows[j] = dist[j-1], rows[j-1]
		}
		dist[j], rows[j] = d, i
	}
}

// squares is the squared distance of a and b, or something above limit once that is certain.
func squares(a, b []float64, limit float64) float64 {
	s := 0.0
	b = b[:len(a)]
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		d4, d5, d6, d7 := x[4]-y[4], x[5]-y[5], x[6]-y[6], x[7]-y[7]
		s += ((d0*d0 + d1*d1) + (d2*d2 + d3*d3)) + ((d4*d4 + d5*d5) + (d6*d6 + d7*d7))
		if s > limit {
			return s
		}
		a, b = a[8:], b[8:]
	}
	for i, v := range a {
		s += (v - b[i]) * (v - b[i])
	}
	return s
}

// absolutes is squares for the Manhattan distance.
func absolutes(a, b []float64, limit float64) float64 {
	s := 0.0
	b = b[:len(a)]
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		s += ((math.Abs(x[0]-y[0]) + math.Abs(x[1]-y[1])) + (math.Abs(x[2]-y[2]) + math.Abs(x[3]-y[3]))) +
			((math.Abs(x[4]-y[4]) + math.Abs(x[5]-y[5])) + (math.Abs(x[6]-y[6]) + math.Abs(x[7]-y[7])))
		if s > limit {
			return s
		}
		a, b = a[8:], b[8:]
	}
	for i, v := range a {
		s += math.Abs(v - b[i])
	}
	return s
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
