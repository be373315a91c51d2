package classical

import (
	"fmt"
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
	return m.fit(x.table(), y, k, nil)
}

// fit is Fit on what a scaler makes of x, without a copy of it; nil: on x.
func (m *Ridge) fit(x table, y []int, k int, s *Scaler) error {
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
	m.K, m.F = k, x.f
	p := newRidgeProblem(x, s, y, rowWeights(class, y), m.columns(), m.Threads, m.Alphas != nil)
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
		for j, w := range m.W[c*x.f : (c+1)*x.f] {
			mean := p.xmean[j]
			if s != nil && !s.KeepMean {
				mean -= s.Mean[j]
			}
			m.B[c] -= w * mean * p.scale(j)
		}
	}
	return nil
}

func (m *Ridge) settings(s *settings) {
	s.number("alpha", &m.Alpha)
	s.penalties("alphas", &m.Alphas)
	s.classWeight(&m.ClassWeight)
	s.threads(&m.Threads)
}
