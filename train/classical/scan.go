package classical

import (
	"math"
	"slices"
)

// scan walks a feature's values upward and keeps the best cut.
type scan struct {
	g      *grower
	t      *Tree
	vals   []float32
	out    split
	last   uint32  // rank of the rows on the left so far
	n      int     // rows of the node
	rows   int     // of them on the left
	sum    float64 // weight of the node
	wl     float64 // of it on the left
	sl, sr float64 // Gini: sums of squared class weights; entropy: sums of c log2 c
}

func (s *scan) start() {
	for _, v := range s.g.total {
		if s.t.Criterion == Gini {
			s.sr += v * v
		} else {
			s.sr += s.xlogx(v)
		}
	}
}

func (s *scan) xlogx(v float64) float64 {
	if s.g.integer {
		return s.g.xlogx[int(v)]
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

// moveRow takes row i with weight w to the left.
func (s *scan) moveRow(i uint32, w float64) {
	if s.g.outputs == 1 {
		s.move(s.g.y[i], w)
	} else {
		for _, c := range s.g.classes(int32(i)) {
			s.move(c, w)
		}
	}
	s.wl += w
	s.rows++
}

// classes are row i's, one for each output.
func (g *grower) classes(i int32) []int32 {
	return g.y[int(i)*g.outputs : (int(i)+1)*g.outputs]
}

// reach says that the next rows have rank c: between them and the left lies a cut to judge.
func (s *scan) reach(c uint32) {
	if c == s.last || s.rows == 0 {
		s.last = c
		return
	}
	from := s.last
	s.last = c
	if s.vals[c] <= s.vals[from]+least {
		return // too near to be told apart
	}
	if ml := max(1, s.t.MinLeaf); s.rows < ml || s.n-s.rows < ml {
		return
	}
	if v := s.score(); v > s.out.score {
		s.out.score, s.out.rank = v, from
		s.out.cut = float64(s.vals[from])/2 + float64(s.vals[c])/2
		if s.out.cut == float64(s.vals[c]) || math.IsInf(s.out.cut, 0) {
			s.out.cut = float64(s.vals[from])
		}
	}
}

// score is larger for purer sides: what of the weighted impurity depends on the cut.
func (s *scan) score() float64 {
	wr := s.sum - s.wl
	if s.t.Criterion == Gini {
		return s.sl/s.wl + s.sr/wr
	}
	n := float64(s.g.outputs)
	if s.g.integer {
		return s.sl - n*s.g.xlogx[int(s.wl)] + s.sr - n*s.g.xlogx[int(wr)]
	}
	return s.sl - n*xlog2x(s.wl) + s.sr - n*xlog2x(wr)
}

// random judges one threshold drawn uniformly between the feature's extremes.
func (s *scan) random(rows []int32, code []uint32, a, b uint32) {
	lo, hi := float64(s.vals[a]), float64(s.vals[b])
	cut := lo + (hi-lo)*s.g.rng.Float64()
	if cut == hi {
		cut = lo
	}
	at := uint32(0)
	for _, i := range rows {
		if c := code[i]; float64(s.vals[c]) <= cut {
			s.moveRow(uint32(i), s.g.w[i])
			at = max(at, c)
		}
	}
	if ml := max(1, s.t.MinLeaf); s.rows < ml || s.n-s.rows < ml {
		return
	}
	s.out.score, s.out.rank, s.out.cut = s.score(), at, cut
}

// sortKeys sorts small nodes by insertion.
func sortKeys(k []uint64) {
	if len(k) > 24 {
		slices.Sort(k)
		return
	}
	for i := 1; i < len(k); i++ {
		v, j := k[i], i
		for ; j > 0 && k[j-1] > v; j-- {
			k[j] = k[j-1]
		}
		k[j] = v
	}
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
