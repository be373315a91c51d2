package classical

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"
)

// Logistic is multinomial logistic regression with an L2 penalty, scikit-learn's LogisticRegression: it minimizes
// C * sum of losses + |W|²/2, the intercepts free, by L-BFGS. Two classes share one linear function.
type Logistic struct {
	C           float64 // 0: 1
	MaxIter     int     // 0: 100
	Tol         float64 // largest gradient of the mean loss at the end; 0: 1e-4
	ClassWeight ClassWeight

	linear
	Iterations int
	Converged  bool // false: MaxIter came first
}

// Fit minimizes.
func (m *Logistic) Fit(x Matrix, y []int, k int) error {
	if err := check("logistic", x, y, k); err != nil {
		return err
	}
	class, err := m.ClassWeight.of("logistic", y, k)
	if err != nil {
		return err
	}
	if k < 2 {
		return fmt.Errorf("logistic: %d class; two or more are needed", k)
	}
	c, tol, iter := m.C, m.Tol, m.MaxIter
	if c == 0 {
		c = 1
	}
	if tol == 0 {
		tol = 1e-4
	}
	if iter == 0 {
		iter = 100
	}
	m.K, m.F = k, x.F
	cols := m.columns()
	w := rowWeights(class, y)
	total := floats.Sum(w)
	l2 := 1 / (c * total)
	p := make([]float64, x.N*cols)
	nw := cols * x.F
	// Parameters: W (cols, F), then B. eval leaves (probability - truth) * weight / total in p.
	eval := func(v []float64) float64 {
		for i := range x.N {
			copy(p[i*cols:(i+1)*cols], v[nw:])
		}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, x.general(), general(cols, x.F, v[:nw]), 1, general(x.N, cols, p))
		loss := 0.0
		for i, t := range y {
			scale := w[i] / total
			row := p[i*cols : (i+1)*cols]
			if cols == 1 {
				z := row[0]
				loss += scale * (max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - float64(t)*z)
				row[0] = scale * (1/(1+math.Exp(-z)) - float64(t))
				continue
			}
			top, sum, own := floats.Max(row), 0.0, row[t]
			for j, z := range row {
				row[j] = math.Exp(z - top)
				sum += row[j]
			}
			loss += scale * (math.Log(sum) + top - own)
			for j := range row {
				row[j] *= scale / sum
			}
			row[t] -= scale
		}
		return loss + l2/2*dot(v[:nw], v[:nw])
	}
	var at []float64 // point of the last eval
	var value float64
	both := func(v []float64) {
		if at == nil || !floats.Equal(at, v) {
			value, at = eval(v), append(at[:0], v...)
		}
	}
	problem := optimize.Problem{
		Func: func(v []float64) float64 { both(v); return value },
		Grad: func(g, v []float64) {
			both(v)
			floats.ScaleTo(g[:nw], l2, v[:nw])
			blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(x.N, cols, p), x.general(), 1, general(cols, x.F, g[:nw]))
			clear(g[nw:])
			for i := range x.N {
				floats.Add(g[nw:], p[i*cols:(i+1)*cols])
			}
		},
	}
	res, err := optimize.Minimize(problem, make([]float64, nw+cols), &optimize.Settings{GradientThreshold: tol, MajorIterations: iter, Converger: optimize.NeverTerminate{}},
		&optimize.LBFGS{Linesearcher: &optimize.MoreThuente{CurvatureFactor: 0.9, DecreaseFactor: 1e-4}, Store: 10})
	if res == nil {
		return fmt.Errorf("logistic: %w", err)
	}
	// A line search that cannot improve the last digits ends with an error at the optimum: the result is the answer.
	m.W, m.B = res.X[:nw:nw], res.X[nw:]
	m.Iterations, m.Converged = res.MajorIterations, res.Status == optimize.GradientThreshold
	return nil
}

func (m *Logistic) settings(s *settings) {
	s.number("C", &m.C)
	s.integer("max_iter", &m.MaxIter, 1)
	s.number("tol", &m.Tol)
	s.classWeight(&m.ClassWeight)
}
