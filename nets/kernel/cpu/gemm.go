package cpu

import (
	"math"
	"math/bits"
)

type (
	gemmFunc  func(dst *float32, ds uintptr, a *float32, ar, ak uintptr, b *float32, bs uintptr, from *float32, fs uintptr, floor float32, k, groups int)
	gemmPart  func(dst *float32, ds uintptr, a *float32, ar, ak uintptr, b *float32, bs uintptr, from *float32, fs uintptr, floor float32, k, groups int, columns float32)
	curveFunc func(y, x *float32, n int)
	slopeFunc func(dx, dy, y *float32, n int)
)

// gemmTier holds the micro-kernels of small matrix products in one tier; the generated declarations say what each does.
type gemmTier struct {
	lanes int
	tiles [3][4]gemmFunc // by vectors less one, of 1, 2, 4 and 8 rows; nil: too many registers, or part's work
	part  [4]gemmPart    // one vector of columns or less, of 1, 2, 4 and 8 rows
	half  [4]gemmPart    // half a vector or less; nil where a whole one costs no more
	curve [2]curveFunc   // logistic, tanh
	slope [2]slopeFunc

	softmax func(prob, sums, tops, logits *float32, rows, full, tail int, columns float32)
	squares func(sums, x *float32, n int)
}

// product is dst (rows, cols) = max(floor, from + a b), a (rows, k) with any strides, b (k, cols). All strides are in
// values. from has stride fromStride, 0 where one row serves all; nil is zeros.
type product struct {
	rows, cols, k int
	dst           []float32
	dstStride     int
	a             []float32
	aRow, aK      int
	b             []float32
	bStride       int
	from          []float32
	fromStride    int
	floor         float32
	depth         int // of a sum that goes straight to float32; 0: gemmDepth
}

const (
	// gemmDepth is the length of a sum that goes straight to float32: longer ones are added up block by block, which
	// keeps rounding small.
	gemmDepth = 512
	// outerDepth is that of a sum over rows: what a block of them holds stays in the fastest cache.
	outerDepth = 104
	// gemmItem is about how many multiply-adds a work item has: some ten microseconds.
	gemmItem = 1 << 19
)

// noFloor lets every value pass.
var noFloor = float32(math.Inf(-1))

// multiply computes p on the backend's workers. An element is the same sequence of operations whatever tile and worker it
// falls to, so that how the rows are cut changes no bit.
func (be *Backend) multiply(p product) {
	if p.rows == 0 || p.cols == 0 {
		return
	}
	each := roundUp(max(1, gemmItem/max(1, p.cols*p.k)), 8)
	if be.pool.Threads() == 1 || each >= p.rows {
		each = roundUp(max(1, 8*gemmItem/max(1, p.cols*min(p.k, gemmDepth))), 8) // bounds one call of a kernel
	}
	be.pool.Run(ceilDiv(p.rows, each), func(_, i int) {
		be.tier.gemm.rows(p, i*each, min(each, p.rows-i*each))
	})
}

// rows computes n rows of p from the given one on.
func (t *gemmTier) rows(p product, row, n int) {
	last, most := p.floor, p.depth
	if most == 0 {
		most = gemmDepth
	}
	from, fromStride := p.from, p.fromStride
	for k := 0; k < p.k; k += most {
		depth := min(most, p.k-k)
		floor := last
		if k+depth < p.k {
			floor = noFloor
		}
		for c := 0; c < p.cols; {
			vecs := min(3, (p.cols-c)/t.lanes)
			if vecs < 2 {
				vecs = 0
			}
			for r, left := row, n; left > 0; {
				size := min(3, bits.Len(uint(left))-1)
				for size > 0 && vecs > 0 && t.tiles[vecs-1][size] == nil {
					size--
				}
				groups := left >> size
				dst, a := &p.dst[r*p.dstStride+c], &p.a[r*p.aRow+k*p.aK]
				var f *float32
				if from != nil {
					f = &from[r*fromStride+c]
				}
				b := &p.b[k*p.bStride+c]
				ds, ar, ak, bs, fs := uintptr(4*p.dstStride), uintptr(4*p.aRow), uintptr(4*p.aK), uintptr(4*p.bStride), uintptr(4*fromStride)
				columns := min(p.cols-c, t.lanes)
				switch {
				case vecs > 0:
					t.tiles[vecs-1][size](dst, ds, a, ar, ak, b, bs, f, fs, floor, depth, groups)
				case t.half[0] != nil && columns <= t.lanes/2:
					t.half[size](dst, ds, a, ar, ak, b, bs, f, fs, floor, depth, groups, float32(columns))
				default:
					t.part[size](dst, ds, a, ar, ak, b, bs, f, fs, floor, depth, groups, float32(columns))
				}
				r, left = r+groups<<size, left-groups<<size
			}
			c += max(1, vecs) * t.lanes
		}
		from, fromStride = p.dst, p.dstStride
	}
}
