package classical

import (
	"errors"
	"strconv"
)

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
