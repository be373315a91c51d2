package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// KMeans clusters rows around K means: k-means++ starts with scikit-learn's greedy trials (Arthur and Vassilvitskii,
// 2007), then Lloyd's iterations with Hamerly's bounds (Hamerly, Making k-means even faster, 2010), which skip the rows
// that cannot have changed and end where Lloyd's end. It learns no classes: its answers are cluster numbers.
type KMeans struct {
	Clusters int     // 0: 8
	Starts   int     // runs, of which the one with the least inertia is kept; 0: 1
	MaxIter  int     // 0: 300
	Tol      float64 // squared movement of the centers, in mean variances of a feature, that counts as none; 0: 1e-4
	Seed     uint64
	Threads  int // 0: all processors

	K, F       int
	Centers    []float64 // (K, F)
	Inertia    float64   // summed squared distances to the nearest center
	Iterations int       // of the best run
}

// Fit clusters the rows of x; y and k are not looked at.
func (m *KMeans) Fit(x Matrix, y []int, k int) error {
	if err := check("kmeans", x, make([]int, x.N), 1); err != nil {
		return err
	}
	m.K, m.F = m.Clusters, x.F
	if m.K == 0 {
		m.K = 8
	}
	if m.K > x.N {
		return fmt.Errorf("kmeans: %d clusters of %d rows", m.K, x.N)
	}
	tol := m.Tol
	if tol == 0 {
		tol = 1e-4
	}
	_, variance := moments(x.table(), rowWeights(nil, make([]int, x.N)), m.Threads)
	mean := 0.0
	for _, v := range variance {
		mean += v / float64(x.F)
	}
	m.Inertia = math.Inf(1)
	for s := range max(1, m.Starts) {
		rng := rand.New(rand.NewPCG(m.Seed, uint64(s)))
		h := newHamerly(x, m.start(x, rng), m.Threads)
		n := h.run(max(1, cmp0(m.MaxIter, 300)), tol*mean)
		if inertia := h.inertia(); inertia < m.Inertia {
			m.Centers, m.Inertia, m.Iterations = h.centers, inertia, n
		}
	}
	return nil
}

// cmp0 is v, or def where v is 0.
func cmp0(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// start draws k-means++ centers: each is the best of 2 + ln K rows drawn by their squared distance to the centers so far.
func (m *KMeans) start(x Matrix, rng *rand.Rand) []float64 {
	c := make([]float64, 0, m.K*x.F)
	c = append(c, x.Row(rng.IntN(x.N))...)
	near := make([]float64, x.N)
	distances(x, c, math.Inf(1), near, m.Threads)
	trials := 2 + int(math.Log(float64(m.K)))
	trial, best := make([]float64, x.N), make([]float64, x.N)
	for range m.K - 1 {
		sum, least, pick := 0.0, math.Inf(1), 0
		for _, v := range near {
			sum += v
		}
		for range trials {
			u, row := rng.Float64()*sum, 0
			for ; row < x.N-1 && u >= near[row]; row++ {
				u -= near[row]
			}
			copy(trial, near)
			distances(x, x.Row(row), 0, trial, m.Threads)
			total := 0.0
			for _, v := range trial {
				total += v
			}
			if total < least {
				least, pick = total, row
				trial, best = best, trial
			}
		}
		c = append(c, x.Row(pick)...)
		copy(near, best)
	}
	return c
}

// distances lowers out to the squared distance of each row to one center; with a first of +Inf it sets it.
func distances(x Matrix, c []float64, first float64, out []float64, threads int) {
	parallel(threads, (x.N+rowBlock-1)/rowBlock, func(_, b int) {
		lo, hi := b*rowBlock, min(x.N, (b+1)*rowBlock)
		var d [64]float64
		for i := lo; i < hi; i += len(d) {
			part := out[i:min(hi, i+len(d))]
			rowDistances(Euclidean, c, x.X[i*x.F:(i+len(part))*x.F], math.Inf(1), d[:len(part)])
			for j, v := range d[:len(part)] {
				if first > 0 || v < part[j] {
					part[j] = v
				}
			}
		}
	})
}

// rowBlock is the rows of one piece of work. It is fixed so that sums are made in the same order at any number of threads.
const rowBlock = 1024

// Predict returns the number of the nearest center of each row.
func (m *KMeans) Predict(x Matrix) []int {
	d, k := m.Decision(x)
	for i := range d {
		d[i] = -d[i]
	}
	return argmaxRows(d, k)
}

// Proba is 1 for the nearest center, (N, K).
func (m *KMeans) Proba(x Matrix) []float64 {
	p := make([]float64, x.N*m.K)
	for i, c := range m.Predict(x) {
		p[i*m.K+c] = 1
	}
	return p
}

// Decision returns the distances to the centers, (N, K): KMeans.transform.
func (m *KMeans) Decision(x Matrix) ([]float64, int) {
	d := make([]float64, x.N*m.K)
	parallel(m.Threads, (x.N+rowBlock-1)/rowBlock, func(_, b int) {
		for i := b * rowBlock; i < min(x.N, (b+1)*rowBlock); i++ {
			row := d[i*m.K : (i+1)*m.K]
			rowDistances(Euclidean, x.Row(i), m.Centers, math.Inf(1), row)
			for c, v := range row {
				row[c] = math.Sqrt(v)
			}
		}
	})
	return d, m.K
}

func (m *KMeans) settings(s *settings) {
	s.integer("n_clusters", &m.Clusters, 1)
	s.integer("n_init", &m.Starts, 1)
	s.integer("max_iter", &m.MaxIter, 1)
	s.number("tol", &m.Tol)
	s.seed(&m.Seed)
	s.threads(&m.Threads)
}

func (m *KMeans) state(s *state) {
	s.ints("shape", &m.K, &m.F, &m.Iterations)
	s.floats("centers", &m.Centers, m.K, m.K*m.F)
	in := []float64{m.Inertia}
	s.floats("inertia", &in, 0, 1)
	if s.err == nil {
		m.Inertia = in[0]
	}
}
