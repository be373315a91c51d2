package classical

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
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

// pairwise returns the values of all pairs, (N, pairs): above 0 for the pair's first class.
func (m *SVM) pairwise(x Matrix) []float64 {
	np, nsv, p := len(m.Rho), m.SV.N, len(m.Present)
	start := make([]int, p+1)
	for i, n := range m.Count {
		start[i+1] = start[i] + n
	}
	d := make([]float64, x.N*np)
	if nsv == 0 {
		for i := range d {
			d[i] = -m.Rho[i%np]
		}
		return d
	}
	if m.Kernel == Linear { // one weight vector for each pair
		w := make([]float64, np*x.F)
		at := 0
		for a := range p {
			for b := a + 1; b < p; b++ {
				row := blas64.Vector{N: x.F, Inc: 1, Data: w[at*x.F : (at+1)*x.F]}
				for _, s := range [2][3]int{{start[a], start[a+1], b - 1}, {start[b], start[b+1], a}} {
					for v := s[0]; v < s[1]; v++ {
						if c := m.Coef[s[2]*nsv+v]; c != 0 {
							blas64.Axpy(c, blas64.Vector{N: x.F, Inc: 1, Data: m.SV.Row(v)}, row)
						}
					}
				}
				at++
			}
		}
		for i := range x.N {
			for j, r := range m.Rho {
				d[i*np+j] = -r
			}
		}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, x.general(), general(np, x.F, w), 1, general(x.N, np, d))
		return d
	}
	norm := norms(m.SV)
	const block = 24
	bufs := make([][]float64, workers(m.Threads, (x.N+block-1)/block))
	parallel(m.Threads, (x.N+block-1)/block, func(w, b int) {
		lo, hi := b*block, min(x.N, (b+1)*block)
		if bufs[w] == nil {
			bufs[w] = make([]float64, block*nsv)
		}
		ks := bufs[w][:(hi-lo)*nsv]
		products(x.X[lo*x.F:hi*x.F], hi-lo, m.SV.X, nsv, x.F, ks)
		for i := lo; i < hi; i++ {
			row, n := ks[(i-lo)*nsv:(i-lo+1)*nsv], dot(x.Row(i), x.Row(i))
			for v, s := range row {
				row[v] = math.Exp(-m.GammaIs * (n + norm[v] - 2*s))
			}
			at := 0
			for a := range p {
				for b := a + 1; b < p; b++ {
					d[i*np+at] = dot(row[start[a]:start[a+1]], m.Coef[(b-1)*nsv+start[a]:(b-1)*nsv+start[a+1]]) +
						dot(row[start[b]:start[b+1]], m.Coef[a*nsv+start[b]:a*nsv+start[b+1]]) - m.Rho[at]
					at++
				}
			}
		}
	})
	return d
}

// Decision returns the machines' values: for two classes one column, above 0 for class 1; otherwise a column for each
// pair, above 0 for its first class. This is SVC.decision_function with decision_function_shape "ovo".
func (m *SVM) Decision(x Matrix) ([]float64, int) {
	d := m.pairwise(x)
	if len(m.Rho) == 1 {
		for i := range d {
			d[i] = -d[i]
		}
	}
	return d, len(m.Rho)
}

// votes returns each class's share of the pairs that it wins, (N, K).
func (m *SVM) votes(x Matrix) []float64 {
	d, np := m.pairwise(x), len(m.Rho)
	v := make([]float64, x.N*m.K)
	for i := range x.N {
		at := i * np
		for a, ca := range m.Present {
			for _, cb := range m.Present[a+1:] {
				if d[at] > 0 {
					v[i*m.K+ca] += 1 / float64(np)
				} else {
					v[i*m.K+cb] += 1 / float64(np)
				}
				at++
			}
		}
	}
	return v
}

// Predict returns the class that wins most pairs; of equal ones the first.
func (m *SVM) Predict(x Matrix) []int {
	v := m.votes(x)
	for i := range v { // shares of whole votes: equal ones must compare equal
		v[i] = math.Round(v[i] * float64(len(m.Rho)))
	}
	return argmaxRows(v, m.K)
}

// Proba returns, with Probability, the coupled probabilities of the pairs' sigmoids, else the shares of the votes, (N, K).
// Like SVC's, they can favor another class than Predict.
func (m *SVM) Proba(x Matrix) []float64 {
	if m.A == nil {
		return m.votes(x)
	}
	d, np := m.pairwise(x), len(m.Rho)
	p := make([]float64, x.N*m.K)
	for i := range x.N {
		for j, v := range couple(d[i*np:(i+1)*np], m.A, m.B, len(m.Present)) {
			p[i*m.K+m.Present[j]] = v
		}
	}
	return p
}

func (m *SVM) settings(s *settings) {
	choice(s, "kernel", &m.Kernel, "rbf", "linear")
	s.number("C", &m.C)
	now := strconv.FormatFloat(m.Gamma, 'g', -1, 64)
	switch m.Gamma {
	case ScaleGamma:
		now = "scale"
	case AutoGamma:
		now = "auto"
	}
	s.value("gamma", now, func(v string) error {
		switch v {
		case "scale":
			m.Gamma = ScaleGamma
			return nil
		case "auto":
			m.Gamma = AutoGamma
			return nil
		}
		g, err := strconv.ParseFloat(v, 64)
		if err != nil || !(g > 0 && g < 1e300) {
			return errors.New("not scale, auto or a number above 0")
		}
		m.Gamma = g
		return nil
	})
	s.number("tol", &m.Tol)
	s.boolean("probability", &m.Probability)
	shrinking := !m.NoShrinking
	s.boolean("shrinking", &shrinking)
	m.NoShrinking = !shrinking
	s.integer("cache_size", &m.CacheMB, 1)
	s.classWeight(&m.ClassWeight)
	s.seed(&m.Seed)
	s.threads(&m.Threads)
}

func (m *SVM) state(s *state) {
	s.ints("shape", &m.K)
	whole(s, "present", &m.Present, -1, 0, int64(m.K))
	g := []float64{m.GammaIs}
	s.floats("gamma", &g, 0, 1)
	s.matrix("sv", &m.SV)
	whole(s, "count", &m.Count, len(m.Present), 0, int64(m.SV.N)+1)
	p := len(m.Present)
	s.floats("coef", &m.Coef, 0, (p-1)*m.SV.N)
	s.floats("rho", &m.Rho, 0, p*(p-1)/2)
	n := len(m.A)
	s.ints("sigmoids", &n)
	if n > 0 {
		s.floats("a", &m.A, 0, len(m.Rho))
		s.floats("b", &m.B, 0, len(m.Rho))
	}
	if !s.loading() || s.err != nil {
		return
	}
	m.GammaIs = g[0]
	sum := 0
	for _, c := range m.Count {
		sum += c
	}
	if sum != m.SV.N || p < 2 {
		s.fail("%d support vectors for counts %v", m.SV.N, m.Count)
	}
}
