package classical

import (
	"math"
)

// gini finds the best cut between the rows at the places keys, rising, of a column, for whole weights. Squared counts of
// both sides are then whole numbers, so that splits that are equally good have equal scores.
func (g *grower) gini(keys, order []uint32, vals []float32, minLeaf int, out *split) {
	clear(g.nl)
	nl, nt, info := g.nl, g.nt, g.info
	var n, square int64
	for _, v := range nt {
		n += v
		square += v * v
	}
	var wl, sl, cross int64 // of the left side: weight, squares, products with nt
	last, best, from := vals[keys[0]], math.Inf(-1), -1
	most := len(keys) - minLeaf
	for j, p := range keys {
		v := vals[p]
		if v > last+least && j >= minLeaf && j <= most {
			a, b := float64(wl), float64(n-wl)
			if score := (float64(sl)*b + float64(square-2*cross+sl)*a) / (a * b); score > best {
				best, from = score, j-1
			}
		}
		last = v
		i := info[order[p]]
		c, w := i>>16, int64(i&(1<<16-1))
		l := nl[c]
		nl[c] = l + w
		sl += w * (2*l + w)
		cross += w * nt[c]
		wl += w
	}
	if from >= 0 {
		out.between(keys, vals, from)
		out.score = best
	}
}

// entropy is gini for that criterion.
func (g *grower) entropy(keys, order []uint32, vals []float32, minLeaf int, out *split) {
	clear(g.nl)
	nl, nt, info, x := g.nl, g.nt, g.info, g.xlogx
	var n, both int64 // both: sum of c log c over the classes of both sides
	for _, v := range nt {
		n += v
		both += x[v]
	}
	wl, best, from := int64(0), int64(math.MinInt64), -1
	last := vals[keys[0]]
	most := len(keys) - minLeaf
	for j, p := range keys {
		v := vals[p]
		if v > last+least && j >= minLeaf && j <= most {
			if score := both - x[wl] - x[n-wl]; score > best {
				best, from = score, j-1
			}
		}
		last = v
		i := info[order[p]]
		c, w := i>>16, int64(i&(1<<16-1))
		l := nl[c]
		r := nt[c] - l
		nl[c] = l + w
		both += (x[l+w] - x[l]) + (x[r-w] - x[r])
		wl += w
	}
	if from >= 0 {
		out.between(keys, vals, from)
		out.score = float64(best)
	}
}

// between cuts half way between the values at keys j and j+1.
func (s *split) between(keys []uint32, vals []float32, j int) {
	a, b := vals[keys[j]], vals[keys[j+1]]
	s.at, s.cut = keys[j], float64(a)/2+float64(b)/2
	if s.cut == float64(b) || math.IsInf(s.cut, 0) {
		s.cut = float64(a)
	}
}

// random judges one threshold drawn uniformly between the feature's extremes, of which a and b are the keys.
func (g *grower) random(t *Tree, rows, keys []uint32, a, b uint32, sum float64, out *split) {
	lo, hi := float64(keyFloat(a)), float64(keyFloat(b))
	cut := lo + (hi-lo)*g.rng.Float64()
	if cut == hi {
		cut = lo
	}
	at := floatKey(floor32(cut))
	n, score := 0, 0.0
	if g.whole {
		n, score = g.countUpTo(t.Criterion, rows, keys, at)
	} else {
		s := g.newScan(t, nil, a, len(rows), sum, *out)
		for j, i := range rows {
			if keys[j] <= at {
				s.moveRow(i)
			}
		}
		n, score = s.rows, s.score()
	}
	if ml := max(1, t.MinLeaf); n >= ml && len(rows)-n >= ml {
		out.score, out.at, out.cut = score, at, cut
	}
}

// countUpTo returns the rows with places up to at and the score of the cut behind them.
func (g *grower) countUpTo(c Criterion, rows, keys []uint32, at uint32) (n int, score float64) {
	clear(g.nl)
	nl, info := g.nl, g.info
	for j, i := range rows {
		v := info[i]
		left := (int64(keys[j]) - int64(at) - 1) >> 63 // all ones or none: no branch to guess
		nl[v>>16] += int64(v&(1<<16-1)) & left
		n -= int(left)
	}
	var wl, wr, l, r int64
	for k, v := range nl {
		u := g.nt[k] - v
		wl, wr = wl+v, wr+u
		if c == Gini {
			l, r = l+v*v, r+u*u
		} else {
			l, r = l+g.xlogx[v], r+g.xlogx[u]
		}
	}
	if c == Entropy {
		return n, float64(l + r - g.xlogx[wl] - g.xlogx[wr])
	}
	a, b := float64(wl), float64(wr)
	return n, (float64(l)*b + float64(r)*a) / (a * b)
}
