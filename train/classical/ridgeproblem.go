package classical

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// ridgeProblem holds rows and targets, centered, the rows scaled, and both times the root of the row's weight. With fewer
// rows than features (dual) the rows are made from the given ones a few features at a time, when they are needed.
type ridgeProblem struct {
	n, f, c      int
	rows         table
	inverse      []float64 // (F) of the scale; nil: 1
	x, y         []float64 // (N, F), nil where nothing needs it; (N, C)
	share        []float64 // (N) of the weight: the intercept's leverage
	root         []float64 // (N) of the weight
	xmean, ymean []float64 // of the given rows
	dual         bool
	size         int            // of gram
	gram         blas64.General // (F, F) or, dual, (N, N); upper triangle
	rhs          []float64      // X'Y (F, C); nil when dual
	threads      int
}

// newRidgeProblem keeps the rows when keep is set and they are at least as many as features.
func newRidgeProblem(x table, s *Scaler, y []int, w []float64, columns, threads int, keep bool) *ridgeProblem {
	p := &ridgeProblem{n: x.n, f: x.f, c: columns, rows: x, y: make([]float64, x.n*columns), share: make([]float64, x.n), root: make([]float64, x.n), ymean: make([]float64, columns), threads: threads}
	if s != nil {
		p.inverse = make([]float64, x.f)
		for j, v := range s.Scale {
			p.inverse[j] = 1 / v
		}
	}
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	if s != nil && slices.Min(w) == 1 && slices.Max(w) == 1 {
		p.xmean = s.Mean
	} else {
		p.xmean, _ = moments(x, w, threads)
	}
	for i, t := range y {
		p.share[i], p.root[i] = w[i]/sum, math.Sqrt(w[i])
		for c := range columns {
			v := -1.0
			if (columns == 1 && t == 1) || (columns > 1 && t == c) {
				v = 1
			}
			p.y[i*columns+c] = v
			p.ymean[c] += v * p.share[i]
		}
	}
	for i := range x.n {
		for c := range columns {
			p.y[i*columns+c] = (p.y[i*columns+c] - p.ymean[c]) * p.root[i]
		}
	}
	p.dual = x.n < x.f
	p.size = min(x.n, x.f)
	p.gram = general(p.size, p.size, make([]float64, p.size*p.size))
	if p.dual {
		gram(x.n, x.f, p.block, p.gram.Data, threads)
		return p
	}
	few := x.f <= 256 // small partial sums
	if keep || !few {
		p.x = make([]float64, x.n*x.f)
		parallel(threads, x.n, func(_, i int) { p.block(i, 0, x.f, p.x[i*x.f:(i+1)*x.f]) })
	}
	p.rhs = make([]float64, p.f*p.c)
	if few {
		p.normal()
		return p
	}
	blas64.Syrk(blas.Trans, 1, general(x.n, x.f, p.x), 0, blas64.Symmetric{N: p.size, Stride: p.size, Data: p.gram.Data, Uplo: blas.Upper})
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(p.n, p.f, p.x), general(p.n, p.c, p.y), 0, general(p.f, p.c, p.rhs))
	return p
}

// normal computes X'X and X'Y over blocks of rows whose sums are added in order.
func (p *ridgeProblem) normal() {
	const rows, together = 512, 16 // of a block; blocks that wait for their sum
	wide := p.f + p.c
	columns := make([][]float64, workers(p.threads, together)) // of X and Y, (F+C, rows)
	row := make([][]float64, len(columns))
	var part [together][]float64
	blocks := (p.n + rows - 1) / rows
	for first := 0; first < blocks; first += together {
		n := min(together, blocks-first)
		parallel(p.threads, n, func(w, b int) {
			if columns[w] == nil {
				columns[w], row[w] = make([]float64, wide*rows), make([]float64, p.f)
			}
			if part[b] == nil {
				part[b] = make([]float64, p.f*wide)
			}
			lo := (first + b) * rows
			m := min(rows, p.n-lo)
			t := columns[w][:wide*m]
			for i := range m {
				p.block(lo+i, 0, p.f, row[w])
				for j, v := range row[w] {
					t[j*m+i] = v
				}
				for c := range p.c {
					t[(p.f+c)*m+i] = p.y[(lo+i)*p.c+c]
				}
			}
			products(t[:p.f*m], p.f, t, wide, m, part[b])
		})
		for _, s := range part[:n] {
			for i := range p.f {
				sum := s[i*wide : (i+1)*wide]
				to := p.gram.Data[i*p.f : (i+1)*p.f]
				for j, v := range sum[:p.f] {
					to[j] += v
				}
				for c, v := range sum[p.f:] {
					p.rhs[i*p.c+c] += v
				}
			}
		}
	}
}

// block writes the features from to to-1 of row i.
func (p *ridgeProblem) block(i, from, to int, out []float64) {
	p.rows.read(i, from, to, out)
	root, mean := p.root[i], p.xmean[from:to]
	if p.inverse == nil {
		for j, v := range mean {
			out[j] = (out[j] - v) * root
		}
		return
	}
	inverse := p.inverse[from:to]
	for j, v := range mean {
		out[j] = (out[j] - v) * inverse[j] * root
	}
}

// scale is what feature j is multiplied by.
func (p *ridgeProblem) scale(j int) float64 {
	if p.inverse == nil {
		return 1
	}
	return p.inverse[j]
}

// right is the right-hand side: X'Y, or Y when dual, (size, C).
func (p *ridgeProblem) right() []float64 {
	if p.dual {
		return slices.Clone(p.y)
	}
	return slices.Clone(p.rhs)
}

// weights turns a solution (size, C) into W (C, F).
func (p *ridgeProblem) weights(z []float64) []float64 {
	w := make([]float64, p.c*p.f)
	if p.dual {
		const features = 512
		parallel(p.threads, (p.f+features-1)/features, func(_, b int) {
			from, to := b*features, min(p.f, (b+1)*features)
			var row [features]float64
			for i := range p.n {
				x := row[:to-from]
				p.block(i, from, to, x)
				for c := range p.c {
					floats.AddScaled(w[c*p.f+from:c*p.f+to], z[i*p.c+c], x)
				}
			}
		})
		return w
	}
	for j := range p.f {
		for c := range p.c {
			w[c*p.f+j] = z[j*p.c+c]
		}
	}
	return w
}

// solve finds W (C, F) for one penalty.
func (p *ridgeProblem) solve(alpha float64) ([]float64, error) {
	g := slices.Clone(p.gram.Data)
	for i := range p.size {
		g[i*p.size+i] += alpha
	}
	var chol mat.Cholesky
	if !chol.Factorize(mat.NewSymDense(p.size, g)) {
		return nil, errors.New("ridge: the features depend on each other and the penalty is too small to tell them apart; raise alpha")
	}
	z := mat.NewDense(p.size, p.c, p.right())
	if err := chol.SolveTo(z, z); err != nil && !errors.As(err, new(mat.Condition)) {
		return nil, fmt.Errorf("ridge: %w", err)
	}
	return p.weights(z.RawMatrix().Data), nil
}

// choose returns W and the penalty with the smallest summed squared leave-one-out error.
//
// The Gram matrix is made tridiagonal once, G = Q T Q'. For each penalty T + alpha I = L D L' with a bidiagonal L, so that
// both the solution and the diagonal of the hat matrix cost only a recurrence over the columns of Q (dual) or X Q.
func (p *ridgeProblem) choose(alphas []float64) (w []float64, best float64) {
	n := p.size
	var lapack gonum.Implementation
	d, e, tau := make([]float64, n), make([]float64, max(n-1, 0)), make([]float64, max(n-1, 0))
	work := make([]float64, 1)
	lapack.Dsytrd(blas.Upper, n, p.gram.Data, n, d, e, tau, work, -1)
	work = make([]float64, max(int(work[0]), 34*n))
	q := slices.Clone(p.gram.Data)
	lapack.Dsytrd(blas.Upper, n, q, n, d, e, tau, work, len(work))
	if n > 1 {
		lapack.Dorgtr(blas.Upper, n, q, n, tau, work, len(work))
	} else {
		q[0] = 1
	}
	Q := general(n, n, q)
	// basis is Q' (n, n) or Q'X' (n, N): a row for each step of the recurrence, a column for each training row.
	basis := general(n, p.n, make([]float64, n*p.n))
	if p.dual {
		for i := range n {
			for j := range n {
				basis.Data[j*n+i] = q[i*n+j]
			}
		}
	} else {
		blas64.Gemm(blas.Trans, blas.Trans, 1, Q, general(p.n, p.f, p.x), 0, basis)
	}
	rhs := make([]float64, n*p.c) // Q'right
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, Q, general(n, p.c, p.right()), 0, general(n, p.c, rhs))
	losses, solutions := make([]float64, len(alphas)), make([][]float64, len(alphas))
	parallel(p.threads, len(alphas), func(_, i int) {
		losses[i], solutions[i] = p.leaveOneOut(alphas[i], d, e, basis.Data, rhs)
	})
	least := 0
	for i, l := range losses {
		if l < losses[least] {
			least = i
		}
	}
	out := make([]float64, n*p.c)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, Q, general(n, p.c, solutions[least]), 0, general(n, p.c, out))
	return p.weights(out), alphas[least]
}

// leaveOneOut solves for one penalty in the basis in which the Gram matrix has the diagonal d and e beside it, and returns
// the summed squared error of each row when it is left out, and the solution (size, C) in that basis.
func (p *ridgeProblem) leaveOneOut(alpha float64, d, e, basis, rhs []float64) (loss float64, z []float64) {
	n := p.size
	z = make([]float64, n*p.c)
	pivot, lower := make([]float64, n), make([]float64, n) // lower[j] is L[j][j-1]
	prev, diag, fit := make([]float64, p.n), make([]float64, p.n), make([]float64, p.n*p.c)
	for j := range n {
		pivot[j] = d[j] + alpha
		if j > 0 {
			lower[j] = e[j-1] / pivot[j-1]
			pivot[j] -= lower[j] * e[j-1]
		}
		l, row := lower[j], basis[j*p.n:(j+1)*p.n]
		inverse := 1 / pivot[j]
		for i, b := range row {
			v := b - l*prev[i]
			prev[i] = v
			diag[i] += v * v * inverse
		}
		for c := range p.c {
			z[j*p.c+c] = rhs[j*p.c+c]
			if j > 0 {
				z[j*p.c+c] -= l * z[(j-1)*p.c+c]
			}
		}
	}
	for j := n - 1; j >= 0; j-- {
		for c := range p.c {
			z[j*p.c+c] /= pivot[j]
			if j < n-1 {
				z[j*p.c+c] -= lower[j+1] * z[(j+1)*p.c+c]
			}
			floats.AddScaled(fit[c*p.n:(c+1)*p.n], z[j*p.c+c], basis[j*p.n:(j+1)*p.n])
		}
	}
	for i := range p.n {
		// 1 - leverage, of the penalized part and of the intercept
		free := 1 - diag[i]
		if p.dual {
			free = alpha * diag[i]
		}
		free -= p.share[i]
		for c := range p.c {
			r := p.y[i*p.c+c] - fit[c*p.n+i]
			if p.dual {
				r = alpha * fit[c*p.n+i]
			}
			r /= free
			loss += r * r
		}
	}
	return loss, z
}
