package classical

import (
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
)

// Decider is a model with decision values: one column for two classes, otherwise one for each class or, for SVM, one for
// each pair of classes.
type Decider interface {
	Decision(x Matrix) (d []float64, columns int)
}

// Importancer is a model that says how much each feature counts, (F).
type Importancer interface {
	Importances() []float64
}

func dot(a, b []float64) float64 { return floats.Dot(a, b) }

func general(rows, cols int, v []float64) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: v}
}

func (m Matrix) general() blas64.General { return general(m.N, m.F, m.X) }

// linear is W x + B, a row of W for each column of the decision: one for two classes (positive: class 1), else K.
type linear struct {
	K, F int
	W    []float64 // (columns, F)
	B    []float64 // (columns)
}

func (m *linear) columns() int {
	if m.K == 2 {
		return 1
	}
	return m.K
}

// Decision returns the linear functions' values, (N, 1 or K).
func (m *linear) Decision(x Matrix) ([]float64, int) {
	c := m.columns()
	d := make([]float64, x.N*c)
	products(x.X, x.N, m.W, c, x.F, d)
	for i := range x.N {
		floats.Add(d[i*c:(i+1)*c], m.B)
	}
	return d, c
}

// Predict returns the class of the largest decision value.
func (m *linear) Predict(x Matrix) []int {
	d, _ := m.Decision(x)
	return m.classes(d)
}

// classes are those of decision values.
func (m *linear) classes(d []float64) []int {
	if c := m.columns(); c > 1 {
		return argmaxRows(d, c)
	}
	out := make([]int, len(d))
	for i, v := range d {
		if v > 0 {
			out[i] = 1
		}
	}
	return out
}

// Proba returns the softmax of the decision values (of 0 and the value, for two classes), (N, K).
func (m *linear) Proba(x Matrix) []float64 {
	d, _ := m.Decision(x)
	return m.softmax(d)
}

// softmax is that of decision values.
func (m *linear) softmax(d []float64) []float64 {
	if m.columns() == 1 {
		p := make([]float64, 2*len(d))
		for i, v := range d {
			p[2*i+1] = v
		}
		d = p
	}
	for i := range len(d) / m.K {
		softmax(d[i*m.K : (i+1)*m.K])
	}
	return d
}

func (m *linear) state(s *state) {
	s.ints("shape", &m.K, &m.F)
	s.floats("weight", &m.W, m.columns(), m.columns()*m.F)
	s.floats("bias", &m.B, 0, m.columns())
}
