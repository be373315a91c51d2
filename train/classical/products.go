package classical

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// products writes the inner products of the n rows of a with the m rows of b, both of k values, to c (n, m). This is where
// distances, kernels and Gram matrices spend their time.
func products(a []float64, n int, b []float64, m, k int, c []float64) {
	if !simd || k < 8 {
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, general(n, k, a), general(m, k, b), 0, general(n, m, c))
		return
	}
	var out [12]float64
	even := k &^ 3
	for i := 0; i < n; i += 3 {
		i1, i2 := min(i+1, n-1), min(i+2, n-1) // rows past the end are the last one again
		for j := 0; j < m; j += 4 {
			j1, j2, j3 := min(j+1, m-1), min(j+2, m-1), min(j+3, m-1)
			tile34(&a[i*k], &a[i1*k], &a[i2*k], &b[j*k], &b[j1*k], &b[j2*k], &b[j3*k], even, &out)
			for p := range min(3, n-i) {
				for q := range min(4, m-j) {
					v := out[4*p+q]
					for t := even; t < k; t++ {
						v += a[(i+p)*k+t] * b[(j+q)*k+t]
					}
					c[(i+p)*m+j+q] = v
				}
			}
		}
	}
}

// gramRows writes X X' of n rows of k values to c (n, n); on and above the diagonal is enough for its users.
func gramRows(x []float64, n, k int, c []float64, threads int) {
	const block = 48
	blocks := (n + block - 1) / block
	const depth = 1024 // values of a row that are used while they are in the cache
	parallel(threads, blocks*blocks, func(_, t int) {
		bi, bj := t/blocks, t%blocks
		if bj < bi {
			return
		}
		i0, i1, j0, j1 := bi*block, min(n, (bi+1)*block), bj*block, min(n, (bj+1)*block)
		ni, nj := i1-i0, j1-j0
		a, b, part := make([]float64, ni*depth), make([]float64, nj*depth), make([]float64, ni*nj)
		sum := make([]float64, ni*nj)
		for from := 0; from < k; from += depth {
			d := min(depth, k-from)
			for i := range ni {
				copy(a[i*d:(i+1)*d], x[(i0+i)*k+from:])
			}
			for j := range nj {
				copy(b[j*d:(j+1)*d], x[(j0+j)*k+from:])
			}
			products(a[:ni*d], ni, b[:nj*d], nj, d, part)
			for i, v := range part {
				sum[i] += v
			}
		}
		for i := range ni {
			copy(c[(i0+i)*n+j0:(i0+i)*n+j1], sum[i*nj:(i+1)*nj])
		}
	})
}

// panelProducts is products for blocks that meet many others: it keeps the columns of b in panels of twelve.
type panelProducts struct {
	a, panels, c []float64
	n, m, k      int
}

// rows takes the n rows of a.
func (p *panelProducts) rows(a []float64, n, k int) {
	p.n, p.k = (n+3)&^3, k
	p.a = resize(p.a, p.n*k)
	clear(p.a[copy(p.a, a[:n*k]):])
}

// with returns the inner products with the m rows of b, (n, stride).
func (p *panelProducts) with(b []float64, m int) (c []float64, stride int) {
	panels := (m + 11) / 12
	stride = 12 * panels
	p.panels, p.c = resize(p.panels, stride*p.k), resize(p.c, p.n*stride)
	for q := range panels {
		panel := p.panels[12*q*p.k : 12*(q+1)*p.k]
		for j := range 12 {
			if 12*q+j >= m {
				for t := range p.k {
					panel[12*t+j] = 0
				}
				continue
			}
			for t, v := range b[(12*q+j)*p.k : (12*q+j+1)*p.k] {
				panel[12*t+j] = v
			}
		}
		for i := 0; i < p.n; i += 4 {
			tile4x12(&p.a[i*p.k], p.k, &panel[0], p.k, &p.c[i*stride+12*q], stride)
		}
	}
	return p.c, stride
}
