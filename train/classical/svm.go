package classical

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// Kernel is a similarity of two rows.
type Kernel uint8

const (
	RBF    Kernel = iota // exp(-gamma |a-b|²)
	Linear               // a·b
)

// Gamma rules for SVM; values above 0 are gamma itself.
const (
	ScaleGamma = 0.0  // 1 / (F * variance of all values of X)
	AutoGamma  = -1.0 // 1 / F
)

// SVM is a support vector machine (Cortes and Vapnik, 1995), LIBSVM's C-SVC as in scikit-learn's SVC: one machine for
// each pair of classes, and the class that wins most pairs. The zero value is SVC's default: RBF, C 1, gamma "scale".
type SVM struct {
	Kernel      Kernel
	C           float64 // 0: 1
	Gamma       float64 // ScaleGamma, AutoGamma or a number
	Tol         float64 // of the stopping rule; 0: 1e-3
	Probability bool    // fit Platt's sigmoids by 5-fold cross-validation
	NoShrinking bool
	CacheMB     int // for kernel rows, shared by the threads; 0: 200
	ClassWeight ClassWeight
	Seed        uint64 // of the folds of Probability
	Threads     int    // 0: all processors

	K       int
	Present []int     // (P) classes that had rows; pairs run over these
	GammaIs float64   // the number used
	SV      Matrix    // support vectors, class by class
	Count   []int     // (P) support vectors of each class
	Coef    []float64 // (P-1, SV.N): a vector's coefficients against the other classes in order
	Rho     []float64 // one for each pair: 01, 02, …, 12, …
	A, B    []float64 // sigmoids, one for each pair; nil without Probability

	fold *shared
	rows *svmRows // with a fold
	sv   []int    // among them
}

func (m *SVM) on(s *shared) { m.fold = s }

// pair is a two-class problem: rows of class a (+1), then of class b (-1).
type pair struct {
	a, b  int       // positions in Present
	rows  []int     // of svmRows
	n     int       // of class a
	alpha []float64 // signed
	rho   float64
	A, B  float64
}

// Fit trains the machines of all pairs.
func (m *SVM) Fit(x Matrix, y []int, k int) error {
	if err := check("svm", x, y, k); err != nil {
		return err
	}
	class, err := m.ClassWeight.of("svm", y, k)
	if err != nil {
		return err
	}
	if m.C < 0 {
		return fmt.Errorf("svm: C %v; it is above 0", m.C)
	}
	m.K, m.Present, m.Count = k, nil, nil
	order, starts := classOrder(y, k)
	var start []int // of the present classes in order
	for c := range k {
		if starts[c] < starts[c+1] {
			m.Present, start = append(m.Present, c), append(start, starts[c])
		}
	}
	start = append(start, x.N)
	if len(m.Present) < 2 {
		return errors.New("svm: rows of one class only; two or more are needed")
	}
	m.GammaIs = m.gamma(x)
	bytes := m.CacheMB << 20
	if bytes == 0 {
		bytes = 200 << 20
	}
	d := m.prepare(x, order, bytes)
	var pairs []pair
	for a := range m.Present {
		for b := a + 1; b < len(m.Present); b++ {
			t := pair{a: a, b: b, n: start[a+1] - start[a]}
			for _, c := range [2]int{a, b} {
				for r := start[c]; r < start[c+1]; r++ {
					t.rows = append(t.rows, r)
				}
			}
			pairs = append(pairs, t)
		}
	}
	bytes /= workers(m.Threads, len(pairs))
	bufs := make([][]float32, workers(m.Threads, len(pairs)))
	parallel(m.Threads, len(pairs), func(w, p int) {
		t, c := &pairs[p], m.weights(class, &pairs[p])
		t.alpha, t.rho = m.train(d, t.rows, t.n, c, bytes, &bufs[w])
		if m.Probability {
			rng := rand.New(rand.NewPCG(m.Seed, uint64(p)))
			t.A, t.B = sigmoid(m.crossValues(d, t.rows, t.n, c, bytes, &bufs[w], rng), t.n)
		}
	})
	m.collect(d, start, pairs)
	if m.fold != nil {
		m.rows = d
	}
	return nil
}

func (m *SVM) gamma(x Matrix) float64 {
	switch {
	case m.Gamma == AutoGamma:
		return 1 / float64(x.F)
	case m.Gamma > 0:
		return m.Gamma
	}
	mean, sq := 0.0, 0.0
	for _, v := range x.X {
		mean += v
	}
	mean /= float64(len(x.X))
	for _, v := range x.X {
		sq += (v - mean) * (v - mean)
	}
	if sq == 0 {
		return 1
	}
	return float64(len(x.X)) / (float64(x.F) * sq)
}

// weights are the C of the pair's two classes.
func (m *SVM) weights(class []float64, t *pair) [2]float64 {
	c := m.C
	if c == 0 {
		c = 1
	}
	w := [2]float64{c, c}
	if class != nil {
		w[0], w[1] = c*class[m.Present[t.a]], c*class[m.Present[t.b]]
	}
	return w
}

// train solves one pair: the first n rows are class +1. Coefficients are signed and in the order of rows.
func (m *SVM) train(d *svmRows, rows []int, n int, c [2]float64, bytes int, buf *[]float32) ([]float64, float64) {
	s := smo{rows: d.kernelRows(rows, bytes, buf), y: make([]float64, len(rows)), c: make([]float64, len(rows)), diag: make([]float64, len(rows)), eps: m.Tol}
	for i := range s.y {
		s.y[i], s.c[i], s.diag[i] = 1, c[0], 1
		if i >= n {
			s.y[i], s.c[i] = -1, c[1]
		}
		if d.k.linear {
			s.diag[i] = d.norm[rows[i]]
		}
	}
	if s.eps == 0 {
		s.eps = 1e-3
	}
	alpha, rho := s.solve(!m.NoShrinking)
	for i := range alpha {
		alpha[i] *= s.y[i]
	}
	return alpha, rho
}

// collect keeps the rows that are a support vector of some pair.
func (m *SVM) collect(d *svmRows, start []int, pairs []pair) {
	used := make([]bool, d.x.N)
	for _, t := range pairs {
		for i, r := range t.rows {
			used[r] = used[r] || t.alpha[i] != 0
		}
	}
	var sv []int
	at := make([]int, d.x.N) // number among the support vectors
	m.Count = make([]int, len(m.Present))
	for p := range m.Present {
		for r := start[p]; r < start[p+1]; r++ {
			if used[r] {
				at[r] = len(sv)
				sv = append(sv, r)
				m.Count[p]++
			}
		}
	}
	m.SV, m.sv = d.x.Rows(sv), sv
	m.Coef = make([]float64, (len(m.Present)-1)*len(sv))
	m.Rho, m.A, m.B = nil, nil, nil
	for _, t := range pairs {
		for i, r := range t.rows {
			if t.alpha[i] == 0 {
				continue
			}
			against := t.b - 1 // a vector of class a
			if i >= t.n {
				against = t.a
			}
			m.Coef[against*len(sv)+at[r]] = t.alpha[i]
		}
		m.Rho = append(m.Rho, t.rho)
		if m.Probability {
			m.A, m.B = append(m.A, t.A), append(m.B, t.B)
		}
	}
}
