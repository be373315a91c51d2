package cpu

// rowsTier holds, in one tier, the micro-kernels that go through rows of values once: batch norm, elementwise operators,
// pooling, the optimizer. The generated declarations say what each does.
type rowsTier struct {
	lanes int

	moments func(sums *float64, x *float32, from float32, n int)
	bnSums  func(sums, dz, x *float32, scale, shift, mean float32, n int)
	bnApply func(dx, dz, x *float32, scale, shift, mean, p, q, r float32, n int)

	add        func(y, x1, x2 *float32, scale1, shift1, floor1, scale2, shift2, floor2, floor float32, n int)
	accumulate func(dst, src *float32, n int)
	positive   func(dx, dy, y *float32, n int)

	sum      func(sums, x *float32, scale, shift, floor float32, n int)
	poolMax  func(y, x *float32, k, n int)
	poolArg  func(arg, x *float32, k, n int)
	poolBack func(dx, arg, dy *float32, k, n int)

	adam func(w, d, m, v *float32, keep, l2, beta1, rest1, beta2, rest2, rate, eps float32, n int)
}

const (
	// itemValues is about how many values one work item covers: enough that handing it out costs nothing, few enough
	// that all workers finish together, and that one call of a micro-kernel stays far below a millisecond.
	itemValues = 1 << 14
	// blockValues is how many values a float32 partial sum covers, over all lanes, before it goes to double precision.
	blockValues = 1 << 11
	// maxLanes is the widest vector of any tier.
	maxLanes = 16
)

// eachRow calls f for every one of n rows of t values, several short rows to an item.
func (be *Backend) eachRow(n, t int, f func(worker, row int)) {
	each := max(1, itemValues/max(t, 1))
	be.pool.Run(ceilDiv(n, each), func(worker, i int) {
		for row := i * each; row < min(n, (i+1)*each); row++ {
			f(worker, row)
		}
	})
}

// eachSpan calls f for runs of [0, n).
func (be *Backend) eachSpan(n int, f func(from, count int)) {
	be.pool.Run(ceilDiv(n, itemValues), func(_, i int) { f(i*itemValues, min(itemValues, n-i*itemValues)) })
}

// lanes is room for the partial sums, of a worker, that a micro-kernel writes lane by lane.
func (be *Backend) lanes(worker int) []float32 {
	s := &be.scratch[worker]
	s.reset(2*maxLanes, 1)
	return s.take(2 * maxLanes)
}
