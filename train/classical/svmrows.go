package classical

import "slices"

// svmRows is the training rows, class by class.
type svmRows struct {
	x    Matrix
	norm []float64 // |x|²
	k    kernel
	gram []float32 // (N, N); nil when it does not fit
}

// What the points of a search share on a fold: the rows class by class, their squared distances, their kernel; squared
// distances and kernel of the test rows with them.
type (
	sortedRows  struct{}
	squaresOf   struct{}
	gramOf      struct{ kernel }
	testSquares struct{}
	testKernel  struct{ kernel }
)

// classOrder returns the rows class by class, in their order, and where each class starts, (K+1).
func classOrder(y []int, k int) (rows, start []int) {
	start = make([]int, k+1)
	for _, c := range y {
		start[c+1]++
	}
	for c := range k {
		start[c+1] += start[c]
	}
	rows = make([]int, len(y))
	at := slices.Clone(start)
	for i, c := range y {
		rows[at[c]] = i
		at[c]++
	}
	return rows, start
}

// prepare takes the rows in the given order, and their kernel when it fits in bytes.
func (m *SVM) prepare(x Matrix, order []int, bytes int) *svmRows {
	d := share(m.fold, sortedRows{}, 8*len(x.X), func() svmRows {
		s := svmRows{x: x.Rows(order)}
		s.norm = norms(s.x)
		return s
	})
	d.k.linear = m.Kernel == Linear
	if !d.k.linear {
		d.k.gamma = m.GammaIs
	}
	n := x.N
	if n*n > bytes/4 {
		return &d
	}
	d.gram = share(m.fold, gramOf{d.k}, 4*n*n, func() []float32 {
		g := make([]float32, n*n)
		if m.fold == nil || d.k.linear {
			d.k.gram(d.x, d.norm, m.Threads, g)
			return g
		}
		d.k.gramOf(share(m.fold, squaresOf{}, 8*n*n, func() []float64 {
			s := make([]float64, n*n)
			allPairs(d.x, d.norm, m.Threads, s, squaredDistances)
			return s
		}), g)
		return g
	})
	return &d
}

// kernelRows returns the kernel of some rows, which rise but for one fall.
func (d *svmRows) kernelRows(rows []int, bytes int, buf *[]float32) *kernelRows {
	if d.gram == nil {
		return newKernelRows(d.k, d.x.Rows(rows), bytes, buf)
	}
	type run struct{ from, to int } // rows that follow each other
	var runs []run
	for i, r := range rows {
		if i > 0 && r == rows[i-1]+1 {
			runs[len(runs)-1].to++
		} else {
			runs = append(runs, run{r, r + 1})
		}
	}
	*buf = resize(*buf, len(rows)*len(rows))
	g := (*buf)[:0]
	for _, r := range rows {
		row := d.gram[r*d.x.N : (r+1)*d.x.N]
		for _, s := range runs {
			g = append(g, row[s.from:s.to]...)
		}
	}
	return wholeKernel(g, len(rows), bytes)
}
