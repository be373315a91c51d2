package classical

import (
	"math"
	"slices"
)

// smo solves the dual problem of a two-class support vector machine as LIBSVM does (Fan, Chen and Lin, Working set
// selection using second order information, 2005; Chang and Lin, LIBSVM, 2011, sections 4 and 5): the same rules for
// working sets, shrinking and stopping. Where rounding lets it take the same steps, its answer is LIBSVM's to nine digits,
// elsewhere within the tolerance.
//
//	min a'Qa/2 - sum a,  0 <= a_i <= C_i,  y'a = 0,  Q_ij = y_i y_j K_ij
//
// Shrunk rows are only never chosen, since a whole row in vectors costs less than picking values out of it, until there are
// so many of them that the others are worth moving together. All slices are in the order of active: position p holds row
// active[p] of the kernel; the positions from size on are out of sight.
type smo struct {
	rows     *kernelRows
	y        []float64 // +1, -1
	c        []float64
	diag     []float64 // K_ii
	alpha    []float64
	v        []float64 // -y times the gradient
	up, low  []float64 // 0 where y alpha can rise, else -Inf; 0 where it can fall, else +Inf
	shrunk   []bool
	active   []int32
	size     int
	pack     packing
	unshrunk bool // once
	eps      float64
}

const (
	tau      = 1e-12  // stands in for a curvature that is not positive
	tooSmall = 1e-300 // decrease that is none
)

// solve returns alpha and rho, the decision function's negative constant.
func (s *smo) solve(shrinking bool) (alpha []float64, rho float64) {
	l := len(s.y)
	s.alpha, s.v, s.up, s.low, s.shrunk, s.active, s.size = make([]float64, l), slices.Clone(s.y), make([]float64, l), make([]float64, l), make([]bool, l), make([]int32, l), l
	for i := range l {
		s.active[i] = int32(i)
		s.bound(i)
	}
	counter := min(l, 1000) + 1
	i := s.top()
	for range max(10_000_000, 100*l) {
		if counter--; counter == 0 {
			counter = min(l, 1000)
			if shrinking {
				s.shrink()
				i = s.top()
			}
		}
		j := s.second(i)
		if j < 0 {
			s.unshrink()
			i = s.top()
			if j = s.second(i); j < 0 {
				break
			}
			counter = 1
		}
		i = s.step(i, j)
	}
	s.unshrink()
	return s.alpha, s.rho()
}

// top returns the row that violates its condition most, the first of the working set, or -1.
func (s *smo) top() int {
	best, at := math.Inf(-1), -1
	for t, v := range s.v[:s.size] {
		if v += s.up[t]; v >= best && v > math.Inf(-1) {
			best, at = v, t
		}
	}
	return at
}

// second returns the row that promises the largest decrease together with i, or -1 at the optimum.
func (s *smo) second(i int) int {
	if i < 0 {
		return -1
	}
	n, row := s.size, s.row(i)
	v, low, diag := s.v[:n], s.low[:n], s.diag[:n]
	row = row[:n]
	top, kii := s.v[i], s.diag[i]
	best, j, least, from := tooSmall, -1, math.Inf(1), 0
	if simd && n >= 4 {
		bests, at, leasts := [4]float64{best, best, best, best}, [4]int64{-1, -1, -1, -1}, [4]float64{least, least, least, least}
		from = n &^ 3
		smoSecond(&v[0], &low[0], &diag[0], &row[0], from, top, kii, &bests, &at, &leasts)
		best, j = lanes(bests, at)
		least = min(leasts[0], leasts[1], leasts[2], leasts[3])
	}
	for t := from; t < n; t++ {
		z := v[t] + low[t]
		least = min(least, z)
		if b := top - z; b > 0 {
			if d := b * b / max(kii+diag[t]-2*float64(row[t]), tau); d >= best {
				best, j = d, t
			}
		}
	}
	if top-least < s.eps {
		return -1
	}
	return j
}

// lanes returns the largest value and, of equal ones, the largest number.
func lanes(v [4]float64, at [4]int64) (float64, int) {
	best, j := v[0], at[0]
	for l := 1; l < 4; l++ {
		if v[l] > best || (v[l] == best && at[l] > j) {
			best, j = v[l], at[l]
		}
	}
	return best, int(j)
}

// step minimizes over alpha i and j, updates v and returns the first row of the next working set.
func (s *smo) step(i, j int) int {
	ki, kj := s.row(i), s.row(j)
	ci, cj := s.c[i], s.c[j]
	ai, aj := s.alpha[i], s.alpha[j]
	oldI, oldJ := ai, aj
	gi, gj := -s.y[i]*s.v[i], -s.y[j]*s.v[j]
	curve := max(s.diag[i]+s.diag[j]-2*float64(ki[j]), tau)
	if s.y[i] != s.y[j] {
		delta, diff := (-gi-gj)/curve, ai-aj
		ai, aj = ai+delta, aj+delta
		if diff > 0 {
			if aj < 0 {
				ai, aj = diff, 0
			}
		} else if ai < 0 {
			ai, aj = 0, -diff
		}
		if diff > ci-cj {
			if ai > ci {
				ai, aj = ci, ci-diff
			}
		} else if aj > cj {
			ai, aj = cj+diff, cj
		}
	} else {
		delta, sum := (gi-gj)/curve, ai+aj
		ai, aj = ai-delta, aj+delta
		if sum > ci {
			if ai > ci {
				ai, aj = ci, sum-ci
			}
		} else if aj < 0 {
			ai, aj = sum, 0
		}
		if sum > cj {
			if aj > cj {
				ai, aj = sum-cj, cj
			}
		} else if ai < 0 {
			ai, aj = 0, sum
		}
	}
	s.alpha[i], s.alpha[j] = ai, aj
	s.bound(i)
	s.bound(j)
	return s.move(ki, kj, -s.y[i]*(ai-oldI), -s.y[j]*(aj-oldJ))
}

// move adds ki ei + kj ej to v and returns what top would.
func (s *smo) move(ki, kj []float32, ei, ej float64) int {
	n, from := s.size, 0
	v, up := s.v[:n], s.up[:n]
	ki, kj = ki[:n], kj[:n]
	best, top := math.Inf(-1), -1
	if simd && n >= 4 {
		bests, at := [4]float64{best, best, best, best}, [4]int64{}
		from = n &^ 3
		smoMove(&v[0], &up[0], &ki[0], &kj[0], from, ei, ej, &bests, &at)
		best, top = lanes(bests, at)
	}
	for t := from; t < n; t++ {
		v[t] += float64(ki[t])*ei + float64(kj[t])*ej
		if u := v[t] + up[t]; u >= best {
			best, top = u, t
		}
	}
	if math.IsInf(best, -1) {
		return -1
	}
	return top
}

// bound notes in which directions the alpha at p can go.
func (s *smo) bound(p int) {
	rise, fall := 0.0, 0.0
	if s.alpha[p] >= s.c[p] {
		rise = math.Inf(1)
	}
	if s.alpha[p] <= 0 {
		fall = math.Inf(1)
	}
	if s.y[p] < 0 {
		rise, fall = fall, rise
	}
	s.up[p], s.low[p] = -rise, fall
}

func (s *smo) rho() float64 {
	hi, lo := math.Inf(1), math.Inf(-1)
	sum, n := 0.0, 0
	for t, v := range s.v {
		switch {
		case s.up[t] == 0 && s.low[t] == 0:
			sum, n = sum-v, n+1
		case s.up[t] == 0:
			hi = min(hi, -v)
		default:
			lo = max(lo, -v)
		}
	}
	if n > 0 {
		return sum / float64(n)
	}
	return (hi + lo) / 2
}
