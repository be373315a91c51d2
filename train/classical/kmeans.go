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
	_, variance := moments(x, rowWeights(nil, make([]int, x.N)))
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
		for i := b * rowBlock; i < min(x.N, (b+1)*rowBlock); i++ {
			limit := out[i]
			if first > 0 {
				limit = first
			}
			out[i] = min(limit, squares(x.Row(i), c, limit))
		}
	})
}

// rowBlock is the rows of one piece of work. It is fixed so that sums are made in the same order at any number of threads.
const rowBlock = 1024

// hamerly is one run.
type hamerly struct {
	x            Matrix
	k, threads   int
	centers      []float64
	of           []int32   // cluster of each row
	upper, lower []float64 // of the distance to its own center, to any other
	half         []float64 // (K) half the distance to the nearest other center
	moved        []float64 // (K)
	sum, count   []float64 // (K, F), (K)
	blocks       int
	dsum, dcount [][]float64 // a block's changes to sum and count
	changed      []int
}

func newHamerly(x Matrix, centers []float64, threads int) *hamerly {
	k := len(centers) / x.F
	h := &hamerly{x: x, k: k, threads: threads, centers: centers, of: make([]int32, x.N), upper: make([]float64, x.N), lower: make([]float64, x.N),
		half: make([]float64, k), moved: make([]float64, k), sum: make([]float64, k*x.F), count: make([]float64, k), blocks: (x.N + rowBlock - 1) / rowBlock}
	h.dsum, h.dcount, h.changed = make([][]float64, h.blocks), make([][]float64, h.blocks), make([]int, h.blocks)
	for i := range h.of {
		h.of[i], h.upper[i] = -1, math.Inf(1)
	}
	return h
}

func (h *hamerly) center(c int) []float64 { return h.centers[c*h.x.F : (c+1)*h.x.F] }

// run iterates until no row changes its cluster, the centers stand still or max is reached, and returns the iterations.
func (h *hamerly) run(most int, tol float64) int {
	for n := 1; ; n++ {
		changed := h.assign()
		shift := h.update()
		if changed == 0 || n == most {
			return n
		}
		if shift <= tol {
			h.assign() // the labels belong to the final centers
			return n
		}
	}
}

// assign gives every row its nearest center, and returns how many changed.
func (h *hamerly) assign() int {
	for c := range h.k {
		least := math.Inf(1)
		for o := range h.k {
			if o != c {
				least = min(least, squares(h.center(c), h.center(o), least))
			}
		}
		h.half[c] = math.Sqrt(least) / 2
	}
	parallel(h.threads, h.blocks, func(_, b int) {
		if h.dsum[b] == nil {
			h.dsum[b], h.dcount[b] = make([]float64, len(h.sum)), make([]float64, h.k)
		}
		clear(h.dsum[b])
		clear(h.dcount[b])
		h.changed[b] = 0
		for i := b * rowBlock; i < min(h.x.N, (b+1)*rowBlock); i++ {
			h.row(i, b)
		}
	})
	n := 0
	for b := range h.blocks {
		n += h.changed[b]
		if h.changed[b] == 0 {
			continue
		}
		for i, v := range h.dsum[b] {
			h.sum[i] += v
		}
		for c, v := range h.dcount[b] {
			h.count[c] += v
		}
	}
	return n
}

func (h *hamerly) row(i, b int) {
	x, was := h.x.Row(i), h.of[i]
	if was >= 0 {
		bound := max(h.half[was], h.lower[i])
		if h.upper[i] <= bound {
			return
		}
		if h.upper[i] = math.Sqrt(squares(x, h.center(int(was)), math.Inf(1))); h.upper[i] <= bound {
			return
		}
	}
	d1, d2, best := math.Inf(1), math.Inf(1), int32(0)
	for c := range h.k {
		d := squares(x, h.center(c), d2)
		if d < d1 {
			d1, d2, best = d, d1, int32(c)
		} else if d < d2 {
			d2 = d
		}
	}
	h.upper[i], h.lower[i] = math.Sqrt(d1), math.Sqrt(d2)
	if best == was {
		return
	}
	h.of[i] = best
	h.changed[b]++
	f := h.x.F
	if was >= 0 {
		s := h.dsum[b][int(was)*f : (int(was)+1)*f]
		for j, v := range x {
			s[j] -= v
		}
		h.dcount[b][was]--
	}
	s := h.dsum[b][int(best)*f : (int(best)+1)*f]
	for j, v := range x {
		s[j] += v
	}
	h.dcount[b][best]++
}

// update moves the centers to the means and the bounds with them; it returns the summed squared movement.
func (h *hamerly) update() float64 {
	h.fillEmpty()
	first, second, which, total := 0.0, 0.0, 0, 0.0
	for c := range h.k {
		old, d := h.center(c), 0.0
		for j := range old {
			v := h.sum[c*h.x.F+j] / h.count[c]
			d += (v - old[j]) * (v - old[j])
			old[j] = v
		}
		total += d
		h.moved[c] = math.Sqrt(d)
		if h.moved[c] > first {
			first, second, which = h.moved[c], first, c
		} else {
			second = max(second, h.moved[c])
		}
	}
	for i, c := range h.of {
		h.upper[i] += h.moved[c]
		if int(c) == which {
			h.lower[i] -= second
		} else {
			h.lower[i] -= first
		}
	}
	return total
}

// fillEmpty gives each cluster without rows the row that is farthest from its center.
func (h *hamerly) fillEmpty() {
	for c, n := range h.count {
		if n > 0 {
			continue
		}
		far, at := -1.0, 0
		for i := range h.x.N {
			if d := squares(h.x.Row(i), h.center(int(h.of[i])), math.Inf(1)); d > far && h.count[h.of[i]] > 1 {
				far, at = d, i
			}
		}
		was := int(h.of[at])
		for j, v := range h.x.Row(at) {
			h.sum[was*h.x.F+j] -= v
			h.sum[c*h.x.F+j] = v
		}
		h.count[was]--
		h.count[c] = 1
		h.of[at], h.upper[at], h.lower[at] = int32(c), math.Inf(1), 0
	}
}

func (h *hamerly) inertia() float64 {
	part := make([]float64, h.blocks)
	parallel(h.threads, h.blocks, func(_, b int) {
		for i := b * rowBlock; i < min(h.x.N, (b+1)*rowBlock); i++ {
			part[b] += squares(h.x.Row(i), h.center(int(h.of[i])), math.Inf(1))
		}
	})
	sum := 0.0
	for _, v := range part {
		sum += v
	}
	return sum
}

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
			for c := range m.K {
				d[i*m.K+c] = math.Sqrt(squares(x.Row(i), m.Centers[c*m.F:(c+1)*m.F], math.Inf(1)))
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
