package classical

import "math"

// scan walks a feature's values upward and keeps the best cut, for weights of any kind and several outputs.
type scan struct {
	g      *grower
	t      *Tree
	vals   []float32
	out    split
	last   uint32  // place of the last row on the left
	n      int     // rows of the node
	rows   int     // of them on the left
	sum    float64 // weight of the node
	wl     float64 // of it on the left
	sl, sr float64 // Gini: sums of squared class weights; entropy: sums of c log2 c
}

func (g *grower) newScan(t *Tree, vals []float32, first uint32, n int, sum float64, out split) scan {
	s := scan{g: g, t: t, vals: vals, last: first, n: n, sum: sum, out: out}
	clear(g.left)
	for _, v := range g.total {
		if t.Criterion == Gini {
			s.sr += v * v
		} else {
			s.sr += s.xlogx(v)
		}
	}
	return s
}

// xlogx is v log2 v, for whole weights from the table.
func (s *scan) xlogx(v float64) float64 {
	if s.g.counts {
		return float64(s.g.xlogx[int(v)]) * s.g.perUnit
	}
	return xlog2x(v)
}

// move takes weight w of class k from the right to the left.
func (s *scan) move(k int32, w float64) {
	l, r := s.g.left[k], s.g.total[k]-s.g.left[k]
	if s.t.Criterion == Gini {
		s.sl += w * (2*l + w)
		s.sr += w * (w - 2*r)
	} else {
		s.sl += s.xlogx(l+w) - s.xlogx(l)
		s.sr += s.xlogx(max(r-w, 0)) - s.xlogx(r)
	}
	s.g.left[k] = l + w
}

// moveRow takes row i to the left.
func (s *scan) moveRow(i uint32) {
	for _, c := range s.g.classes(i) {
		s.move(c, s.g.w[i])
	}
	s.wl += s.g.w[i]
	s.rows++
}

// classes are row i's, one for each output.
func (g *grower) classes(i uint32) []int32 {
	return g.y[int(i)*g.outputs : (int(i)+1)*g.outputs]
}

// reach says that the next row is at place p: between it and the left may lie a cut to judge.
func (s *scan) reach(p uint32) {
	from := s.last
	s.last = p
	if s.vals[p] <= s.vals[from]+least {
		return // too near to be told apart
	}
	if ml := max(1, s.t.MinLeaf); s.rows < ml || s.n-s.rows < ml {
		return
	}
	if v := s.score(); v > s.out.score {
		s.out.score = v
		s.out.between([]uint32{from, p}, s.vals, 0)
	}
}

// score is larger for purer sides: what of the weighted impurity depends on the cut.
func (s *scan) score() float64 {
	wr := s.sum - s.wl
	if s.t.Criterion == Gini {
		return s.sl/s.wl + s.sr/wr
	}
	n := float64(s.g.outputs)
	return s.sl - n*s.xlogx(s.wl) + s.sr - n*s.xlogx(wr)
}

func xlog2x(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return v * math.Log2(v)
}

// impurity of the node in total: the mean over the outputs.
func (g *grower) impurity(c Criterion, sum float64) float64 {
	v := 0.0
	for o := range g.outputs {
		v += impurity(c, g.total[g.first[o]:g.first[o+1]], sum)
	}
	return v / float64(g.outputs)
}

func impurity(c Criterion, class []float64, sum float64) float64 {
	if c == Gini {
		sq := 0.0
		for _, v := range class {
			sq += v * v
		}
		return 1 - sq/(sum*sum)
	}
	h := 0.0
	for _, v := range class {
		if v > 0 {
			h -= v / sum * math.Log2(v/sum)
		}
	}
	return h
}
