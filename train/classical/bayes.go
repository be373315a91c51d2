package classical

import (
	"fmt"
	"math"
)

// GaussianNB is naive Bayes with a normal distribution for each feature and class, scikit-learn's GaussianNB.
type GaussianNB struct {
	Smoothing float64 // share of the largest feature variance that is added to every variance; 0: 1e-9

	K, F      int
	Prior     []float64 // (K)
	Mean, Var []float64 // (K, F)
}

// Fit takes means and variances.
func (m *GaussianNB) Fit(x Matrix, y []int, k int) error {
	if err := check("gnb", x, y, k); err != nil {
		return err
	}
	m.K, m.F = k, x.F
	w := rowWeights(nil, y)
	n := counts(y, w, k)
	_, overall := moments(x.table(), w, 1)
	smooth := m.Smoothing
	if smooth == 0 {
		smooth = 1e-9
	}
	widest := 0.0
	for _, v := range overall {
		widest = max(widest, v)
	}
	m.Prior, m.Mean, m.Var = make([]float64, k), make([]float64, k*x.F), make([]float64, k*x.F)
	for i, c := range y {
		for j, v := range x.Row(i) {
			m.Mean[c*x.F+j] += v / n[c]
		}
	}
	for i, c := range y {
		for j, v := range x.Row(i) {
			d := v - m.Mean[c*x.F+j]
			m.Var[c*x.F+j] += d * d / n[c]
		}
	}
	for i := range m.Var {
		m.Var[i] = max(m.Var[i]+smooth*widest, math.SmallestNonzeroFloat64)
	}
	for c := range k {
		m.Prior[c] = n[c] / float64(x.N)
	}
	return nil
}

// moments returns weighted mean and variance of each column.
func moments(x table, w []float64, threads int) (mean, variance []float64) {
	mean, variance = make([]float64, x.f), make([]float64, x.f)
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	const block = 512 // features whose rows stay in the cache for the second pass
	parallel(threads, (x.f+block-1)/block, func(_, b int) {
		lo, hi := b*block, min(x.f, (b+1)*block)
		mean, variance := mean[lo:hi], variance[lo:hi]
		var row [block]float64
		for i := range x.n {
			x.read(i, lo, hi, row[:])
			for j := range mean {
				mean[j] += w[i] * row[j]
			}
		}
		for j := range mean {
			mean[j] /= sum
		}
		for i := range x.n {
			x.read(i, lo, hi, row[:])
			for j, v := range mean {
				variance[j] += w[i] * (row[j] - v) * (row[j] - v)
			}
		}
		for j := range variance {
			variance[j] /= sum
		}
	})
	return mean, variance
}

// Proba returns the posterior of each class, (N, K).
func (m *GaussianNB) Proba(x Matrix) []float64 {
	p := make([]float64, x.N*m.K)
	inv, base := make([]float64, len(m.Var)), make([]float64, m.K)
	for c := range m.K {
		base[c] = math.Log(m.Prior[c])
		for j := range m.F {
			v := m.Var[c*m.F+j]
			inv[c*m.F+j] = -0.5 / v
			base[c] -= 0.5 * math.Log(2*math.Pi*v)
		}
	}
	for i := range x.N {
		row, out := x.Row(i), p[i*m.K:(i+1)*m.K]
		for c := range out {
			mean, iv := m.Mean[c*m.F:(c+1)*m.F], inv[c*m.F:(c+1)*m.F]
			s := base[c]
			for j, v := range row {
				d := v - mean[j]
				s += d * d * iv[j]
			}
			out[c] = s
		}
		softmax(out)
	}
	return p
}

// Predict returns the most probable class.
func (m *GaussianNB) Predict(x Matrix) []int { return argmaxRows(m.Proba(x), m.K) }

// softmax turns logarithms into probabilities. Classes at -Inf get 0.
func softmax(v []float64) {
	top := math.Inf(-1)
	for _, s := range v {
		top = max(top, s)
	}
	sum := 0.0
	for c, s := range v {
		v[c] = math.Exp(s - top)
		sum += v[c]
	}
	for c := range v {
		v[c] /= sum
	}
}

// MultinomialNB is naive Bayes over counts: each class draws features with fixed chances. scikit-learn's MultinomialNB.
type MultinomialNB struct {
	Alpha float64 // added to every count; 0: 1

	K, F     int
	LogPrior []float64 // (K)
	LogProb  []float64 // (K, F)
}

// Fit counts. Values must not be negative.
func (m *MultinomialNB) Fit(x Matrix, y []int, k int) error {
	if err := check("mnb", x, y, k); err != nil {
		return err
	}
	for i, v := range x.X {
		if v < 0 {
			return fmt.Errorf("mnb: row %d, feature %d is %v; counts cannot be negative", i/x.F, i%x.F, v)
		}
	}
	m.K, m.F = k, x.F
	alpha := m.Alpha
	if alpha == 0 {
		alpha = 1
	}
	n := counts(y, rowWeights(nil, y), k)
	m.LogPrior, m.LogProb = make([]float64, k), make([]float64, k*x.F)
	for i, c := range y {
		for j, v := range x.Row(i) {
			m.LogProb[c*x.F+j] += v
		}
	}
	for c := range k {
		m.LogPrior[c] = math.Log(n[c] / float64(x.N))
		row, sum := m.LogProb[c*x.F:(c+1)*x.F], 0.0
		for j := range row {
			row[j] += alpha
			sum += row[j]
		}
		for j := range row {
			row[j] = math.Log(row[j]) - math.Log(sum)
		}
	}
	return nil
}

// Proba returns the posterior of each class, (N, K).
func (m *MultinomialNB) Proba(x Matrix) []float64 {
	p := make([]float64, x.N*m.K)
	for i := range x.N {
		out := p[i*m.K : (i+1)*m.K]
		for c := range out {
			out[c] = m.LogPrior[c] + dot(x.Row(i), m.LogProb[c*m.F:(c+1)*m.F])
		}
		softmax(out)
	}
	return p
}

// Predict returns the most probable class.
func (m *MultinomialNB) Predict(x Matrix) []int { return argmaxRows(m.Proba(x), m.K) }

func (m *GaussianNB) settings(s *settings) { s.number("var_smoothing", &m.Smoothing) }

func (m *GaussianNB) state(s *state) {
	s.ints("shape", &m.K, &m.F)
	s.floats("prior", &m.Prior, 0, m.K)
	s.floats("mean", &m.Mean, m.K, m.K*m.F)
	s.floats("var", &m.Var, m.K, m.K*m.F)
}

func (m *MultinomialNB) settings(s *settings) { s.number("alpha", &m.Alpha) }

func (m *MultinomialNB) state(s *state) {
	s.ints("shape", &m.K, &m.F)
	s.floats("log_prior", &m.LogPrior, 0, m.K)
	s.floats("log_prob", &m.LogProb, m.K, m.K*m.F)
}
