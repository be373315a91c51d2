package classical

import "math"

// kernel is a Kernel with its gamma.
type kernel struct {
	linear bool
	gamma  float64
}

// values writes the kernel of the rows of a with the rows of b, f values each, to c (rows of a, rows of b), given their
// squared norms. A value depends on its two rows alone and not on what else is asked for.
func (k kernel) values(a, an, b, bn []float64, f int, c []float64) {
	if k.linear {
		products(a, len(an), b, len(bn), f, c)
		return
	}
	squaredDistances(a, an, b, bn, f, c)
	exps(c, -k.gamma)
}

// squaredDistances is values for |a-b|² = |a|² + |b|² - 2ab.
func squaredDistances(a, an, b, bn []float64, f int, c []float64) {
	products(a, len(an), b, len(bn), f, c)
	for i, n := range an {
		row := c[i*len(bn) : (i+1)*len(bn)]
		for j, m := range bn {
			row[j] = n + m - 2*row[j]
		}
	}
}

// exps replaces each x by exp(s x), which is at most about 1.
func exps(x []float64, s float64) {
	if !simd {
		for i, v := range x {
			x[i] = math.Exp(s * v)
		}
		return
	}
	n := len(x) &^ 3
	if n > 0 {
		exp4(&x[0], n, s)
	}
	if n < len(x) {
		var rest [4]float64
		copy(rest[:], x[n:])
		exp4(&rest[0], 4, s)
		copy(x[n:], rest[:])
	}
}

// gram writes the kernel of all pairs of rows of x to g (N, N), single precision as in LIBSVM.
func (k kernel) gram(x Matrix, norm []float64, threads int, g []float32) {
	allPairs(x, norm, threads, g, k.values)
}

// gramOf writes the RBF kernel of squared distances to g.
func (k kernel) gramOf(squares []float64, g []float32) {
	var buf [512]float64
	for i := 0; i < len(squares); i += len(buf) {
		part := buf[:copy(buf[:], squares[i:])]
		exps(part, -k.gamma)
		for j, v := range part {
			g[i+j] = float32(v)
		}
	}
}

// allPairs writes the symmetric values of all pairs of rows to out (N, N).
func allPairs[T float32 | float64](x Matrix, norm []float64, threads int, out []T, values func(a, an, b, bn []float64, f int, c []float64)) {
	const block = 48
	n, f := x.N, x.F
	blocks := (n + block - 1) / block
	bufs := make([][]float64, workers(threads, blocks))
	parallel(threads, blocks, func(w, bi int) {
		if bufs[w] == nil {
			bufs[w] = make([]float64, block*block)
		}
		i0, i1 := bi*block, min(n, (bi+1)*block)
		for j0 := i0; j0 < n; j0 += block {
			j1 := min(n, j0+block)
			c := bufs[w][:(i1-i0)*(j1-j0)]
			values(x.X[i0*f:i1*f], norm[i0:i1], x.X[j0*f:j1*f], norm[j0:j1], f, c)
			for i := i0; i < i1; i++ {
				row := c[(i-i0)*(j1-j0) : (i-i0+1)*(j1-j0)]
				to := out[i*n+j0 : i*n+j1]
				for j, v := range row {
					to[j] = T(v)
				}
			}
			for j := j0; j < j1; j++ { // the other triangle
				to := out[j*n+i0 : j*n+i1]
				for i := range to {
					to[i] = T(c[i*(j1-j0)+j-j0])
				}
			}
		}
	})
}

func norms(x Matrix) []float64 {
	n := make([]float64, x.N)
	for i := range n {
		n[i] = dot(x.Row(i), x.Row(i))
	}
	return n
}
