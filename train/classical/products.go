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

// gram adds X X' of n rows of f values to c (n, n), of which on and above the diagonal is enough for its users. block writes
// the values from to to-1 of row i: all of X is never in memory.
func gram(n, f int, block func(i, from, to int, out []float64), c []float64, threads int) {
	const (
		rows  = 48  // of a tile
		depth = 256 // values of each row at a time
	)
	tiles := (n + rows - 1) / rows
	x := make([]float64, n*min(f, depth))
	parts := make([][rows * rows]float64, workers(threads, tiles*tiles))
	for from := 0; from < f; from += depth {
		d := min(depth, f-from)
		parallel(threads, tiles, func(_, b int) {
			for i := b * rows; i < min(n, (b+1)*rows); i++ {
				block(i, from, from+d, x[i*d:(i+1)*d])
			}
		})
		parallel(threads, tiles*tiles, func(w, t int) {
			i0, j0 := t/tiles*rows, t%tiles*rows
			if j0 < i0 {
				return
			}
			ni, nj := min(rows, n-i0), min(rows, n-j0)
			part := parts[w][:ni*nj]
			products(x[i0*d:(i0+ni)*d], ni, x[j0*d:(j0+nj)*d], nj, d, part)
			for i := range ni {
				to := c[(i0+i)*n+j0:][:nj]
				for j, v := range part[i*nj : (i+1)*nj] {
					to[j] += v
				}
			}
		})
	}
}

// panelProducts is products for blocks that meet many others: it keeps the columns of b in panels of twelve.
type panelProducts struct {
	a, panels, c []float64
	n, k         int
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
