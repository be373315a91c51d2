package classical

import (
	"fmt"
	"math"

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
	nw := cols * x.F
	l := newLogisticLoss(x, y, w, total, l2, cols)
	var at []float64 // point of the last value and gradient
	both := func(v []float64) {
		if at == nil || !floats.Equal(at, v) {
			l.at(v)
			at = append(at[:0], v...)
		}
	}
	problem := optimize.Problem{
		Func: func(v []float64) float64 { both(v); return l.value },
		Grad: func(g, v []float64) { both(v); copy(g, l.grad) },
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

// logisticLoss is the mean loss with its penalty and their gradient. Parameters: W (cols, F), then B (cols).
type logisticLoss struct {
	x         Matrix
	y         []int
	w         []float64
	total, l2 float64
	cols      int
	columns   []float64 // x in blocks of rows, each (F, rows): the gradient's products run over rows
	value     float64
	grad      []float64
	p, t, own []float64 // of a block: decision (rows, cols), its derivative (cols, rows), truth's decision (rows)
	part      []float64 // (cols, F)
}

const lossBlock = 512

func newLogisticLoss(x Matrix, y []int, w []float64, total, l2 float64, cols int) *logisticLoss {
	l := &logisticLoss{x: x, y: y, w: w, total: total, l2: l2, cols: cols, columns: make([]float64, len(x.X)), grad: make([]float64, cols*(x.F+1)),
		p: make([]float64, lossBlock*cols), t: make([]float64, lossBlock*cols), own: make([]float64, lossBlock), part: make([]float64, cols*x.F)}
	for lo := 0; lo < x.N; lo += lossBlock {
		n := min(lossBlock, x.N-lo)
		to := l.columns[lo*x.F:]
		for i := range n {
			for j, v := range x.Row(lo + i) {
				to[j*n+i] = v
			}
		}
	}
	return l
}

// at computes value and gradient at v.
func (l *logisticLoss) at(v []float64) {
	f, cols := l.x.F, l.cols
	nw := cols * f
	floats.ScaleTo(l.grad[:nw], l.l2, v[:nw])
	clear(l.grad[nw:])
	l.value = l.l2 / 2 * dot(v[:nw], v[:nw])
	for lo := 0; lo < l.x.N; lo += lossBlock {
		n := min(lossBlock, l.x.N-lo)
		p, t := l.p[:n*cols], l.t[:n*cols]
		products(l.x.X[lo*f:(lo+n)*f], n, v[:nw], cols, f, p)
		for i := range n {
			floats.Add(p[i*cols:(i+1)*cols], v[nw:])
		}
		if cols == 1 {
			l.two(lo, p)
		} else {
			l.many(lo, p)
		}
		for c := range cols {
			sum := 0.0
			for i := range n {
				d := p[i*cols+c]
				t[c*n+i] = d
				sum += d
			}
			l.grad[nw+c] += sum
		}
		products(t, cols, l.columns[lo*f:(lo+n)*f], f, n, l.part)
		floats.Add(l.grad[:nw], l.part)
	}
}

// two adds the loss of the rows from lo on with the decisions p of two classes, and replaces these by its derivative.
func (l *logisticLoss) two(lo int, p []float64) {
	for i, z := range p {
		t, scale := float64(l.y[lo+i]), l.w[lo+i]/l.total
		l.value += scale * (max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - t*z)
		p[i] = scale * (1/(1+math.Exp(-z)) - t)
	}
}

// many is two for decisions (rows, cols).
func (l *logisticLoss) many(lo int, p []float64) {
	cols := l.cols
	for i := range len(p) / cols {
		row := p[i*cols : (i+1)*cols]
		top := row[0]
		for _, z := range row {
			top = max(top, z)
		}
		for j := range row {
			row[j] -= top
		}
		l.own[i] = row[l.y[lo+i]]
	}
	exps(p, 1)
	for i := range len(p) / cols {
		row, scale, sum := p[i*cols:(i+1)*cols], l.w[lo+i]/l.total, 0.0
		for _, e := range row {
			sum += e
		}
		l.value += scale * (math.Log(sum) - l.own[i])
		for j := range row {
			row[j] *= scale / sum
		}
		row[l.y[lo+i]] -= scale
	}
}

func (m *Logistic) settings(s *settings) {
	s.number("C", &m.C)
	s.integer("max_iter", &m.MaxIter, 1)
	s.number("tol", &m.Tol)
	s.classWeight(&m.ClassWeight)
}
