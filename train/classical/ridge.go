package classical

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// Ridge is least squares on targets -1 and +1 with an L2 penalty, scikit-learn's RidgeClassifier; the intercept is free.
// With Alphas it is RidgeClassifierCV: the penalty is the one with the smallest squared leave-one-out error, found
// without refitting. Its probabilities are a softmax of the decision values and not calibrated; scikit-learn has none.
type Ridge struct {
	Alpha       float64   // 0: 1
	Alphas      []float64 // candidates, all above 0; nil: Alpha
	ClassWeight ClassWeight
	Threads     int // 0: all processors

	linear
	Chosen float64 // the penalty used
}

// Fit solves the normal equations in features or, when there are fewer rows than features, in rows.
func (m *Ridge) Fit(x Matrix, y []int, k int) error {
	if err := check("ridge", x, y, k); err != nil {
		return err
	}
	class, err := m.ClassWeight.of("ridge", y, k)
	if err != nil {
		return err
	}
	if k < 2 {
		return fmt.Errorf("ridge: %d class; two or more are needed", k)
	}
	for _, a := range m.Alphas {
		if !(a > 0) {
			return fmt.Errorf("ridge: penalty %v; penalties are above 0", a)
		}
	}
	m.K, m.F = k, x.F
	p := newRidgeProblem(x, y, rowWeights(class, y), m.columns(), m.Threads, m.Alphas != nil)
	m.Chosen = m.Alpha
	if m.Chosen == 0 {
		m.Chosen = 1
	}
	if m.Alphas != nil {
		m.W, m.Chosen = p.choose(m.Alphas)
	} else if m.W, err = p.solve(m.Chosen); err != nil {
		return err
	}
	m.B = p.ymean
	for c := range m.B {
		m.B[c] -= dot(m.W[c*x.F:(c+1)*x.F], p.xmean)
	}
	return nil
}

// ridgeProblem is the normal equations, of rows and targets that are centered and scaled by the root of their weight.
type ridgeProblem struct {
	n, f, c      int
	x, y         []float64 // (N, F), (N, C); x is nil when nothing needs it
	share        []float64 // (N) of the weight: the intercept's leverage
	root         []float64 // (N) of the weight
	xmean, ymean []float64
	dual         bool
	size         int            // of gram
	gram         blas64.General // (F, F) or, dual, (N, N); upper triangle
	right        []float64      // X'Y, or Y when dual, (size, C)
}

// newRidgeProblem keeps x when keep is set.
func newRidgeProblem(x Matrix, y []int, w []float64, columns, threads int, keep bool) *ridgeProblem {
	p := &ridgeProblem{n: x.N, f: x.F, c: columns, y: make([]float64, x.N*columns), share: make([]float64, x.N), root: make([]float64, x.N), ymean: make([]float64, columns)}
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	p.xmean, _ = moments(x, w)
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
	for i := range x.N {
		for c := range columns {
			p.y[i*columns+c] = (p.y[i*columns+c] - p.ymean[c]) * p.root[i]
		}
	}
	p.dual = x.N < x.F
	p.size = min(x.N, x.F)
	p.gram = general(p.size, p.size, make([]float64, p.size*p.size))
	few := x.F <= 256 // small partial sums
	if p.dual || keep || !few {
		p.x = make([]float64, len(x.X))
		for i := range x.N {
			for j, v := range x.Row(i) {
				p.x[i*x.F+j] = (v - p.xmean[j]) * p.root[i]
			}
		}
	}
	switch {
	case p.dual:
		gramRows(p.x, x.N, x.F, p.gram.Data, threads)
		p.right = slices.Clone(p.y)
	case few:
		p.normal(x, threads)
	default:
		blas64.Syrk(blas.Trans, 1, general(x.N, x.F, p.x), 0, blas64.Symmetric{N: p.size, Stride: p.size, Data: p.gram.Data, Uplo: blas.Upper})
		p.right = make([]float64, p.f*p.c)
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(p.n, p.f, p.x), general(p.n, p.c, p.y), 0, general(p.f, p.c, p.right))
	}
	return p
}

// normal computes X'X and X'Y over blocks of rows whose sums are added in order.
func (p *ridgeProblem) normal(x Matrix, threads int) {
	const rows, together = 512, 16 // blocks, and how many of them wait for their sum
	wide := p.f + p.c
	type worker struct{ t []float64 }
	ws := make([]worker, workers(threads, together))
	var part [together][]float64
	p.right = make([]float64, p.f*p.c)
	blocks := (x.N + rows - 1) / rows
	for first := 0; first < blocks; first += together {
		n := min(together, blocks-first)
		parallel(threads, n, func(w, b int) {
			if ws[w].t == nil {
				ws[w].t = make([]float64, wide*rows)
			}
			if part[b] == nil {
				part[b] = make([]float64, p.f*wide)
			}
			lo := (first + b) * rows
			m := min(rows, x.N-lo)
			t := ws[w].t[:wide*m] // columns of X and Y
			for i := range m {
				root := p.root[lo+i]
				for j, v := range x.Row(lo + i) {
					t[j*m+i] = (v - p.xmean[j]) * root
				}
				for c := range p.c {
					t[(p.f+c)*m+i] = p.y[(lo+i)*p.c+c]
				}
			}
			products(t[:p.f*m], p.f, t, wide, m, part[b])
		})
		for _, s := range part[:n] {
			for i := range p.f {
				row := s[i*wide : (i+1)*wide]
				to := p.gram.Data[i*p.f : (i+1)*p.f]
				for j, v := range row[:p.f] {
					to[j] += v
				}
				for c, v := range row[p.f:] {
					p.right[i*p.c+c] += v
				}
			}
		}
	}
}

// weights turns a solution (size, C) into W (C, F).
func (p *ridgeProblem) weights(z []float64) []float64 {
	w := make([]float64, p.c*p.f)
	if p.dual {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(p.n, p.c, z), general(p.n, p.f, p.x), 0, general(p.c, p.f, w))
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
	z := mat.NewDense(p.size, p.c, slices.Clone(p.right))
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
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, Q, general(n, p.c, p.right), 0, general(n, p.c, rhs))
	least := math.Inf(1)
	var bestZ []float64
	z := make([]float64, n*p.c)
	prev, diag, fit := make([]float64, p.n), make([]float64, p.n), make([]float64, p.n*p.c)
	for _, alpha := range alphas {
		clear(prev)
		clear(diag)
		pivot := make([]float64, n)
		lower := make([]float64, n) // lower[j] is L[j][j-1]
		for j := range n {
			pivot[j] = d[j] + alpha
			if j > 0 {
				lower[j] = e[j-1] / pivot[j-1]
				pivot[j] -= lower[j] * e[j-1]
			}
			l, row := lower[j], basis.Data[j*p.n:(j+1)*p.n]
			for i, b := range row {
				v := b - l*prev[i]
				prev[i] = v
				diag[i] += v * v / pivot[j]
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
			}
		}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, basis, general(n, p.c, z), 0, general(p.n, p.c, fit))
		loss := 0.0
		for i := range p.n {
			// 1 - leverage, of the penalized part and of the intercept
			free := 1 - diag[i]
			if p.dual {
				free = alpha * diag[i]
			}
			free -= p.share[i]
			for c := range p.c {
				r := p.y[i*p.c+c] - fit[i*p.c+c]
				if p.dual {
					r = alpha * fit[i*p.c+c]
				}
				r /= free
				loss += r * r
			}
		}
		if loss < least {
			least, best, bestZ = loss, alpha, slices.Clone(z)
		}
	}
	out := make([]float64, n*p.c)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, Q, general(n, p.c, bestZ), 0, general(n, p.c, out))
	return p.weights(out), best
}

func (m *Ridge) settings(s *settings) {
	s.number("alpha", &m.Alpha)
	var t []string
	for _, a := range m.Alphas {
		t = append(t, strconv.FormatFloat(a, 'g', -1, 64))
	}
	now := "None"
	if t != nil {
		now = strings.Join(t, ":")
	}
	s.value("alphas", now, func(v string) error {
		m.Alphas = nil
		if v == "None" {
			return nil
		}
		for _, w := range strings.Split(v, ":") {
			a, err := strconv.ParseFloat(w, 64)
			if err != nil || !(a > 0 && a < 1e300) {
				return errors.New("not penalties above 0 such as 0.1:1:10")
			}
			m.Alphas = append(m.Alphas, a)
		}
		return nil
	})
	s.classWeight(&m.ClassWeight)
	s.threads(&m.Threads)
}
