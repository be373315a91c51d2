package classical

// kernelRows has the rows of a kernel matrix in single precision as in LIBSVM: all of them from the start when there is
// room, else it computes rows when they are needed and keeps the latest ones.
type kernelRows struct {
	k          kernel
	x          Matrix
	norm       []float64 // |x|²
	rows       [][]float32
	room       int     // rows that may still be made before the oldest goes
	spare      int     // rows for which there is room besides
	next, prev []int32 // list of the kept rows, latest first; l is its head; nil when all are there
	product    []float64
}

// newKernelRows keeps rows in at most bytes, and two at least; buf is memory to use again.
func newKernelRows(k kernel, x Matrix, bytes int, buf *[]float32) *kernelRows {
	l := x.N
	norm := norms(x)
	if l*l <= bytes/4 {
		*buf = resize(*buf, l*l)
		k.gram(x, norm, 1, *buf)
		return wholeKernel(*buf, l, bytes)
	}
	q := &kernelRows{k: k, x: x, norm: norm, rows: make([][]float32, l), room: max(2, bytes/(8*l)), spare: bytes / (8 * l), next: make([]int32, l+1), prev: make([]int32, l+1), product: make([]float64, l)}
	q.next[l], q.prev[l] = int32(l), int32(l)
	return q
}

// wholeKernel takes all rows of l values; bytes is the room for them and others.
func wholeKernel(g []float32, l, bytes int) *kernelRows {
	q := &kernelRows{rows: make([][]float32, l), spare: max(0, bytes/4-l*l) / l}
	for i := range q.rows {
		q.rows[i] = g[i*l : (i+1)*l : (i+1)*l]
	}
	return q
}

// row returns row i. The latest two stay valid.
func (q *kernelRows) row(i int) []float32 {
	if q.next == nil {
		return q.rows[i]
	}
	head := int32(q.x.N)
	if q.rows[i] != nil {
		if q.next[head] != int32(i) {
			q.unlink(int32(i))
			q.link(int32(i))
		}
		return q.rows[i]
	}
	var row []float32
	if q.room > 0 {
		q.room--
		row = make([]float32, q.x.N)
	} else {
		oldest := q.prev[head]
		q.unlink(oldest)
		row, q.rows[oldest] = q.rows[oldest], nil
	}
	q.k.values(q.x.Row(i), q.norm[i:i+1], q.x.X, q.norm, q.x.F, q.product)
	for j, v := range q.product {
		row[j] = float32(v)
	}
	q.rows[i] = row
	q.link(int32(i))
	return row
}

func (q *kernelRows) link(i int32) {
	head := int32(q.x.N)
	q.next[i], q.prev[i] = q.next[head], head
	q.prev[q.next[head]] = i
	q.next[head] = i
}

func (q *kernelRows) unlink(i int32) {
	q.next[q.prev[i]], q.prev[q.next[i]] = q.next[i], q.prev[i]
}

// resize returns memory for n values, that of buf when it is enough.
func resize[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}
