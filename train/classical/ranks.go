package classical

import (
	"math"
	"slices"
)

// ranks is a matrix prepared for trees: every column sorted once. All trees of a forest, and all forests on the same
// rows, share it: a node sorts its rows by their places in the column, whole numbers below N, and never by values.
// Values are float32, as in scikit-learn's trees.
type ranks struct {
	n, f  int
	place []uint32  // (F, N): place of row i in sorted column j at j*n+i; of equal values the earlier row comes first
	order []uint32  // (F, N): the row at each place
	vals  []float32 // (F, N): its value

	// unsorted: the place of a row is floatKey of its value, and there is no order: thresholds that are drawn, not searched for,
	// need no more.
	unsorted bool
}

func newRanks(x Matrix, threads int) *ranks {
	r := &ranks{n: x.N, f: x.F, place: make([]uint32, x.N*x.F), order: make([]uint32, x.N*x.F), vals: make([]float32, x.N*x.F)}
	type buffers struct{ keys, spare []uint64 }
	bufs := make([]buffers, workers(threads, x.F))
	parallel(threads, x.F, func(w, j int) {
		b := &bufs[w]
		if b.keys == nil {
			b.keys, b.spare = make([]uint64, x.N), make([]uint64, x.N)
		}
		for i := range b.keys {
			b.keys[i] = uint64(floatKey(float32(x.X[i*x.F+j])))<<32 | uint64(i)
		}
		sorted := sortHigh(b.keys, b.spare)
		place, order, vals := r.column(j)
		for p, key := range sorted {
			i := uint32(key)
			order[p], place[i], vals[p] = i, uint32(p), keyFloat(uint32(key>>32))
		}
	})
	return r
}

// newKeys is a matrix for trees whose thresholds are drawn.
func newKeys(x Matrix) *ranks {
	r := &ranks{n: x.N, f: x.F, place: make([]uint32, x.N*x.F), unsorted: true}
	for i := range x.N {
		for j, v := range x.X[i*x.F : (i+1)*x.F] {
			r.place[j*x.N+i] = floatKey(float32(v))
		}
	}
	return r
}

// sharedRanks is newRanks or, for drawn thresholds, newKeys, once for all points on a fold.
func sharedRanks(s *shared, x Matrix, drawn bool, threads int) *ranks {
	type ranksOf struct{ drawn bool }
	return share(s, ranksOf{drawn}, 12*len(x.X), func() *ranks {
		if drawn {
			return newKeys(x)
		}
		return newRanks(x, threads)
	})
}

// column returns places, rows and values of a column.
func (r *ranks) column(j int) (place, order []uint32, vals []float32) {
	lo, hi := j*r.n, (j+1)*r.n
	if r.unsorted {
		return r.place[lo:hi], nil, nil
	}
	return r.place[lo:hi], r.order[lo:hi], r.vals[lo:hi]
}

// floatKey maps floats to whole numbers in the same order; both zeros are one.
func floatKey(v float32) uint32 {
	b := math.Float32bits(v + 0)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

func keyFloat(k uint32) float32 {
	if k>>31 != 0 {
		return math.Float32frombits(k &^ (1 << 31))
	}
	return math.Float32frombits(^k)
}

// sortHigh sorts keys by their upper halves, equal ones left in their order, and returns them in keys or in spare.
func sortHigh(keys, spare []uint64) []uint64 {
	if len(keys) < 128 { // the lower halves, rows, rise
		slices.Sort(keys)
		return keys
	}
	const digit = 11 // three passes of a radix sort
	var count [3][1 << digit]uint32
	for _, k := range keys {
		count[0][k>>32&(1<<digit-1)]++
		count[1][k>>43&(1<<digit-1)]++
		count[2][k>>54]++
	}
	for pass := range count {
		c, shift := &count[pass], 32+digit*pass
		at := uint32(0)
		for i, n := range c {
			c[i], at = at, at+n
		}
		for _, k := range keys {
			d := k >> shift & (1<<digit - 1)
			spare[c[d]] = k
			c[d]++
		}
		keys, spare = spare, keys
	}
	return keys
}
