package classical

import "math"

// smo solves the dual problem of a two-class support vector machine as LIBSVM does (Fan, Chen and Lin, Working set
// selection using second order information, 2005; Chang and Lin, LIBSVM, 2011, sections 4 and 5): the same working sets,
// shrinking and stopping rule, so that its answer is LIBSVM's to more digits than the tolerance says.
//
//	min a'Qa/2 - sum a,  0 <= a_i <= C_i,  y'a = 0,  Q_ij = y_i y_j K_ij
//
// All slices are in the order of active, which shrinking permutes: position p holds row active[p], positions from size on
// are shrunk.
type smo struct {
	q        *kernelRows
	y        []float64 // +1, -1
	c        []float64
	alpha    []float64
	grad     []float64
	bar      []float64 // gradient's part from the rows at their upper bound
	diag     []float64
	at       []uint8 // lower, upper or free
	active   []int32
	size     int
	moved    bool // active is no longer the identity
	unshrunk bool
	eps      float64
}

const (
	lower uint8 = iota
	upper
	free
)

const tau = 1e-12 // stands in for a curvature that is not positive

// solve returns alpha in the order of the rows, and rho, the decision function's negative constant.
func (s *smo) solve(shrinking bool) (alpha []float64, rho float64) {
	l := len(s.y)
	s.alpha, s.grad, s.bar, s.at, s.active, s.size = make([]float64, l), make([]float64, l), make([]float64, l), make([]uint8, l), make([]int32, l), l
	for i := range l {
		s.grad[i], s.active[i] = -1, int32(i)
	}
	most := max(10_000_000, 100*l)
	counter := min(l, 1000) + 1
	for range most {
		if counter--; counter == 0 {
			counter = min(l, 1000)
			if shrinking {
				s.shrink()
			}
		}
		i, j := s.choose()
		if j < 0 {
			s.unshrink()
			if i, j = s.choose(); j < 0 {
				break
			}
			counter = 1
		}
		s.step(i, j)
	}
	rho = s.rho()
	alpha = make([]float64, l)
	for p, i := range s.active {
		alpha[i] = s.alpha[p]
	}
	return alpha, rho
}

// choose returns the working set, or j = -1 at the optimum: i violates its condition most, j promises the largest
// decrease together with i.
func (s *smo) choose() (int, int) {
	gmax, i := math.Inf(-1), -1
	for t, g := range s.grad[:s.size] {
		if s.y[t] > 0 {
			if s.at[t] != upper && -g >= gmax {
				gmax, i = -g, t
			}
		} else if s.at[t] != lower && g >= gmax {
			gmax, i = g, t
		}
	}
	if i < 0 {
		return -1, -1
	}
	row := s.q.row(int(s.active[i]))
	gmax2, j, least := math.Inf(-1), -1, math.Inf(1)
	di, yi := s.diag[i], s.y[i]
	n := s.size
	grad, at, y, diag, active := s.grad[:n], s.at[:n], s.y[:n], s.diag[:n], s.active[:n]
	for t, g := range grad {
		yt := y[t]
		if yt > 0 {
			if at[t] == lower {
				continue
			}
		} else {
			if at[t] == upper {
				continue
			}
			g = -g
		}
		if g >= gmax2 {
			gmax2 = g
		}
		if d := gmax + g; d > 0 {
			curve := di + diag[t] - 2*yi*yt*float64(row[active[t]])
			if curve <= 0 {
				curve = tau
			}
			if v := -(d * d) / curve; v <= least {
				j, least = t, v
			}
		}
	}
	if gmax+gmax2 < s.eps {
		return i, -1
	}
	return i, j
}

// step minimizes over alpha i and j and updates the gradient.
func (s *smo) step(i, j int) {
	qi, qj := s.q.row(int(s.active[i])), s.q.row(int(s.active[j]))
	ci, cj := s.c[i], s.c[j]
	ai, aj := s.alpha[i], s.alpha[j]
	oldI, oldJ := ai, aj
	qij := float64(qi[s.active[j]])
	if s.y[i] != s.y[j] {
		curve := s.diag[i] + s.diag[j] + 2*qij
		if curve <= 0 {
			curve = tau
		}
		delta, diff := (-s.grad[i]-s.grad[j])/curve, ai-aj
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
		curve := s.diag[i] + s.diag[j] - 2*qij
		if curve <= 0 {
			curve = tau
		}
		delta, sum := (s.grad[i]-s.grad[j])/curve, ai+aj
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
	di, dj := ai-oldI, aj-oldJ
	grad := s.grad[:s.size]
	if s.moved {
		for t, p := range s.active[:s.size] {
			grad[t] += float64(qi[p])*di + float64(qj[p])*dj
		}
	} else {
		qi, qj := qi[:len(grad)], qj[:len(grad)]
		for t := range grad {
			grad[t] += float64(qi[t])*di + float64(qj[t])*dj
		}
	}
	s.bound(i, qi)
	s.bound(j, qj)
}

// bound notes where alpha i is now; entering or leaving the upper bound changes bar.
func (s *smo) bound(i int, row []float32) {
	was := s.at[i] == upper
	switch {
	case s.alpha[i] >= s.c[i]:
		s.at[i] = upper
	case s.alpha[i] <= 0:
		s.at[i] = lower
	default:
		s.at[i] = free
	}
	if is := s.at[i] == upper; is != was {
		c := s.c[i]
		if was {
			c = -c
		}
		for t, p := range s.active {
			s.bar[t] += c * float64(row[p])
		}
	}
}

// shrink sets rows aside that will probably stay at their bound.
func (s *smo) shrink() {
	g1, g2 := math.Inf(-1), math.Inf(-1) // largest -yG of rows that can go up, yG of rows that can go down
	for t, g := range s.grad[:s.size] {
		if s.y[t] > 0 {
			if s.at[t] != upper {
				g1 = max(g1, -g)
			}
			if s.at[t] != lower {
				g2 = max(g2, g)
			}
		} else {
			if s.at[t] != upper {
				g2 = max(g2, -g)
			}
			if s.at[t] != lower {
				g1 = max(g1, g)
			}
		}
	}
	if !s.unshrunk && g1+g2 <= s.eps*10 {
		s.unshrunk = true
		s.unshrink()
	}
	idle := func(t int) bool {
		up, down := g1, g2
		if s.y[t] < 0 {
			up, down = g2, g1
		}
		switch s.at[t] {
		case upper:
			return -s.grad[t] > up
		case lower:
			return s.grad[t] > down
		}
		return false
	}
	for i := 0; i < s.size; i++ {
		if !idle(i) {
			continue
		}
		for s.size--; s.size > i; s.size-- {
			if !idle(s.size) {
				s.swap(i, s.size)
				break
			}
		}
	}
}

func (s *smo) swap(i, j int) {
	s.moved = true
	s.y[i], s.y[j] = s.y[j], s.y[i]
	s.c[i], s.c[j] = s.c[j], s.c[i]
	s.alpha[i], s.alpha[j] = s.alpha[j], s.alpha[i]
	s.grad[i], s.grad[j] = s.grad[j], s.grad[i]
	s.bar[i], s.bar[j] = s.bar[j], s.bar[i]
	s.diag[i], s.diag[j] = s.diag[j], s.diag[i]
	s.at[i], s.at[j] = s.at[j], s.at[i]
	s.active[i], s.active[j] = s.active[j], s.active[i]
}

// unshrink brings every row back and makes up the gradients that were left behind.
func (s *smo) unshrink() {
	l := len(s.y)
	if s.size == l {
		return
	}
	for t := s.size; t < l; t++ {
		s.grad[t] = s.bar[t] - 1
	}
	n := 0
	for _, a := range s.at[:s.size] {
		if a == free {
			n++
		}
	}
	if n*l > 2*s.size*(l-s.size) {
		for i := s.size; i < l; i++ {
			row := s.q.row(int(s.active[i]))
			for t := range s.size {
				if s.at[t] == free {
					s.grad[i] += s.alpha[t] * float64(row[s.active[t]])
				}
			}
		}
	} else {
		for i := range s.size {
			if s.at[i] != free {
				continue
			}
			row, a := s.q.row(int(s.active[i])), s.alpha[i]
			for t := s.size; t < l; t++ {
				s.grad[t] += a * float64(row[s.active[t]])
			}
		}
	}
	s.size = l
}

func (s *smo) rho() float64 {
	hi, lo := math.Inf(1), math.Inf(-1)
	sum, n := 0.0, 0
	for t, g := range s.grad[:s.size] {
		v := s.y[t] * g
		switch {
		case s.at[t] == free:
			sum, n = sum+v, n+1
		case (s.at[t] == upper) == (s.y[t] < 0):
			hi = min(hi, v)
		default:
			lo = max(lo, v)
		}
	}
	if n > 0 {
		return sum / float64(n)
	}
	return (hi + lo) / 2
}
