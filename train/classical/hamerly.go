package classical

import "math"

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
	dist         [][]float64 // (K) for a block
	changed      []int
}

func newHamerly(x Matrix, centers []float64, threads int) *hamerly {
	k := len(centers) / x.F
	h := &hamerly{x: x, k: k, threads: threads, centers: centers, of: make([]int32, x.N), upper: make([]float64, x.N), lower: make([]float64, x.N),
		half: make([]float64, k), moved: make([]float64, k), sum: make([]float64, k*x.F), count: make([]float64, k), blocks: (x.N + rowBlock - 1) / rowBlock}
	h.dsum, h.dcount, h.dist, h.changed = make([][]float64, h.blocks), make([][]float64, h.blocks), make([][]float64, h.blocks), make([]int, h.blocks)
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
			h.dsum[b], h.dcount[b], h.dist[b] = make([]float64, len(h.sum)), make([]float64, h.k), make([]float64, h.k)
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
		one := h.dist[b][:1]
		rowDistances(Euclidean, x, h.center(int(was)), math.Inf(1), one)
		if h.upper[i] = math.Sqrt(one[0]); h.upper[i] <= bound {
			return
		}
	}
	d1, d2, best := math.Inf(1), math.Inf(1), int32(0)
	all := h.dist[b]
	rowDistances(Euclidean, x, h.centers, math.Inf(1), all)
	for c, d := range all {
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
