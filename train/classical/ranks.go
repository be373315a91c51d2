package classical

import (
	"cmp"
	"slices"
)

// ranks is a matrix prepared for trees: every value replaced by its rank among the distinct values of its column. All
// trees of a forest, and all forests on the same rows, share it, so that sorting happens once and not at every node.
// Values are float32, as in scikit-learn's trees.
type ranks struct {
	n, f   int
	code   []uint32    // (F, N): rank of row i in column j at j*n+i
	values [][]float32 // (F): the distinct values, rising
	most   int         // largest number of distinct values of a column
}

func newRanks(x Matrix, threads int) *ranks {
	r := &ranks{n: x.N, f: x.F, code: make([]uint32, x.N*x.F), values: make([][]float32, x.F)}
	type pair struct {
		v float32
		i int32
	}
	bufs := make([][]pair, workers(threads, x.F))
	parallel(threads, x.F, func(w, j int) {
		if bufs[w] == nil {
			bufs[w] = make([]pair, x.N)
		}
		col := bufs[w]
		for i := range col {
			col[i] = pair{float32(x.X[i*x.F+j]), int32(i)}
		}
		slices.SortFunc(col, func(a, b pair) int { return cmp.Compare(a.v, b.v) })
		code := r.code[j*x.N : (j+1)*x.N]
		var vals []float32
		for k, p := range col {
			if k == 0 || p.v != vals[len(vals)-1] {
				vals = append(vals, p.v)
			}
			code[p.i] = uint32(len(vals) - 1)
		}
		r.values[j] = vals
	})
	for _, v := range r.values {
		r.most = max(r.most, len(v))
	}
	return r
}
