package classical

import (
	"errors"
	"fmt"
	"math"
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
}

// kernel is a Kernel with its gamma.
type kernel struct {
	linear bool
	gamma  float64
}

// pair is a two-class problem: rows of class a (+1), then of class b (-1).
type pair struct {
	a, b  int // positions in Present
	rows  []int
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
	byClass := make([][]int, k)
	for i, c := range y {
		byClass[c] = append(byClass[c], i)
	}
	m.K, m.Present = k, nil
	for c, rows := range byClass {
		if len(rows) > 0 {
			m.Present = append(m.Present, c)
		}
	}
	if len(m.Present) < 2 {
		return errors.New("svm: rows of one class only; two or more are needed")
	}
	m.GammaIs = m.gamma(x)
	var pairs []pair
	for i, a := range m.Present {
		for j := i + 1; j < len(m.Present); j++ {
			rows := append(append([]int{}, byClass[a]...), byClass[m.Present[j]]...)
			pairs = append(pairs, pair{a: i, b: j, rows: rows})
		}
	}
	bytes := m.CacheMB << 20
	if bytes == 0 {
		bytes = 200 << 20
	}
	bytes /= workers(m.Threads, len(pairs))
	parallel(m.Threads, len(pairs), func(_, p int) {
		t := &pairs[p]
		n := len(byClass[m.Present[t.a]])
		t.alpha, t.rho = m.train(x, t.rows, n, m.weights(class, t), bytes)
		if m.Probability {
			rng := rand.New(rand.NewPCG(m.Seed, uint64(p)))
			t.A, t.B = sigmoid(m.crossValues(x, t.rows, n, m.weights(class, t), bytes, rng), n)
		}
	})
	m.collect(x, byClass, pairs)
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
func (m *SVM) train(x Matrix, rows []int, n int, c [2]float64, bytes int) ([]float64, float64) {
	sub := x.Rows(rows)
	y, cs := make([]float64, len(rows)), make([]float64, len(rows))
	for i := range y {
		y[i], cs[i] = 1, c[0]
		if i >= n {
			y[i], cs[i] = -1, c[1]
		}
	}
	s := smo{q: newKernelRows(kernel{m.Kernel == Linear, m.GammaIs}, sub, y, bytes), y: append([]float64{}, y...), c: cs, diag: make([]float64, len(rows)), eps: m.Tol}
	if s.eps == 0 {
		s.eps = 1e-3
	}
	for i := range s.diag {
		s.diag[i] = 1
		if m.Kernel == Linear {
			s.diag[i] = s.q.norm[i]
		}
	}
	alpha, rho := s.solve(!m.NoShrinking)
	for i := range alpha {
		alpha[i] *= y[i]
	}
	return alpha, rho
}

// crossValues returns the decision value of each row of a pair from a machine that did not see it (5 folds).
func (m *SVM) crossValues(x Matrix, rows []int, n int, c [2]float64, bytes int, rng *rand.Rand) []float64 {
	perm := rng.Perm(len(rows))
	dec := make([]float64, len(rows))
	const folds = 5
	for f := range folds {
		lo, hi := f*len(rows)/folds, (f+1)*len(rows)/folds
		out := make([]bool, len(rows))
		for _, p := range perm[lo:hi] {
			out[p] = true
		}
		var train []int
		pos := 0
		for p, r := range rows {
			if !out[p] {
				train = append(train, r)
				if p < n {
					pos++
				}
			}
		}
		var alpha []float64
		var rho float64
		switch pos { // a fold without one of the classes answers with the other
		case 0:
			rho = 1
		case len(train):
			rho = -1
		default:
			alpha, rho = m.train(x, train, pos, c, bytes)
		}
		if pos == 0 && len(train) == 0 {
			rho = 0
		}
		for _, p := range perm[lo:hi] {
			v := -rho
			q := x.Row(rows[p])
			for i, a := range alpha {
				if a != 0 {
					v += a * m.value(x.Row(train[i]), q)
				}
			}
			dec[p] = v
		}
	}
	return dec
}

// value is the kernel of two rows.
func (m *SVM) value(a, b []float64) float64 {
	if m.Kernel == Linear {
		return dot(a, b)
	}
	return math.Exp(-m.GammaIs * squares(a, b, math.Inf(1)))
}

// collect keeps the rows that are a support vector of some pair.
func (m *SVM) collect(x Matrix, byClass [][]int, pairs []pair) {
	used := make([]bool, x.N)
	for _, t := range pairs {
		for i, r := range t.rows {
			used[r] = used[r] || t.alpha[i] != 0
		}
	}
	var sv []int
	at := make([]int, x.N) // number among the support vectors
	m.Count = make([]int, len(m.Present))
	for p, c := range m.Present {
		for _, r := range byClass[c] {
			if used[r] {
				at[r] = len(sv)
				sv = append(sv, r)
				m.Count[p]++
			}
		}
	}
	m.SV = x.Rows(sv)
	m.Coef = make([]float64, (len(m.Present)-1)*len(sv))
	m.Rho, m.A, m.B = nil, nil, nil
	for _, t := range pairs {
		n := len(byClass[m.Present[t.a]])
		for i, r := range t.rows {
			if t.alpha[i] == 0 {
				continue
			}
			against := t.b - 1 // a vector of class a
			if i >= n {
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
