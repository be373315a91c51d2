package classical

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// kernelRows computes rows of Q when they are needed and keeps the latest ones, single precision as in LIBSVM.
type kernelRows struct {
	k          kernel
	x          Matrix
	y          []float64
	norm       []float64 // |x|²
	rows       [][]float32
	room       int     // rows that may still be made before the oldest goes
	next, prev []int32 // list of the kept rows, latest first; l is its head
	product    []float64
}

// newKernelRows keeps rows in at most bytes, and two at least.
func newKernelRows(k kernel, x Matrix, y []float64, bytes int) *kernelRows {
	l := x.N
	q := &kernelRows{k: k, x: x, y: y, norm: norms(x), rows: make([][]float32, l), room: max(2, bytes/(4*l)), next: make([]int32, l+1), prev: make([]int32, l+1), product: make([]float64, l)}
	q.next[l], q.prev[l] = int32(l), int32(l)
	return q
}

func (q *kernelRows) row(i int) []float32 {
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
	blas64.Gemv(blas.NoTrans, 1, q.x.general(), blas64.Vector{N: q.x.F, Inc: 1, Data: q.x.Row(i)}, 0, blas64.Vector{N: q.x.N, Inc: 1, Data: q.product})
	yi, ni := q.y[i], q.norm[i]
	if q.k.linear {
		for j, p := range q.product {
			row[j] = float32(yi * q.y[j] * p)
		}
	} else {
		for j, p := range q.product {
			row[j] = float32(yi * q.y[j] * math.Exp(-q.k.gamma*(ni+q.norm[j]-2*p)))
		}
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

func norms(x Matrix) []float64 {
	n := make([]float64, x.N)
	for i := range n {
		n[i] = dot(x.Row(i), x.Row(i))
	}
	return n
}
