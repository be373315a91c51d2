package classical

import "math/rand/v2"

// Strategy is how a Dummy guesses.
type Strategy uint8

const (
	Prior        Strategy = iota // the most frequent class; probabilities are the classes' shares
	MostFrequent                 // the most frequent class with probability 1
	Stratified                   // a class drawn by the shares
	AnyClass                     // a class drawn evenly
)

// Dummy looks at no feature: what it reaches, every model must beat. scikit-learn's DummyClassifier. The draws depend on
// Seed and the row's number alone, so that Predict and Proba agree.
type Dummy struct {
	Strategy Strategy
	Seed     uint64

	K     int
	Share []float64 // (K) of the training rows
}

// Fit counts the classes.
func (m *Dummy) Fit(x Matrix, y []int, k int) error {
	if err := check("dummy", x, y, k); err != nil {
		return err
	}
	m.K = k
	m.Share = counts(y, rowWeights(nil, y), k)
	for c := range m.Share {
		m.Share[c] /= float64(x.N)
	}
	return nil
}

// Proba returns the probabilities that the strategy gives each class, (N, K).
func (m *Dummy) Proba(x Matrix) []float64 {
	p := make([]float64, x.N*m.K)
	most := argmaxRows(m.Share, m.K)[0]
	rng := rand.New(rand.NewPCG(m.Seed, 0x64756d6d79))
	for i := range x.N {
		row := p[i*m.K : (i+1)*m.K]
		switch m.Strategy {
		case Prior:
			copy(row, m.Share)
		case MostFrequent:
			row[most] = 1
		case AnyClass:
			for c := range row {
				row[c] = 1 / float64(m.K)
			}
		case Stratified:
			u, c := rng.Float64(), 0
			for ; c < m.K-1 && u >= m.Share[c]; c++ {
				u -= m.Share[c]
			}
			row[c] = 1
		}
	}
	return p
}

// Predict returns the guesses.
func (m *Dummy) Predict(x Matrix) []int {
	if m.Strategy != AnyClass {
		return argmaxRows(m.Proba(x), m.K)
	}
	rng := rand.New(rand.NewPCG(m.Seed, 0x64756d6d79))
	out := make([]int, x.N)
	for i := range out {
		out[i] = rng.IntN(m.K)
	}
	return out
}

func (m *Dummy) settings(s *settings) {
	choice(s, "strategy", &m.Strategy, "prior", "most_frequent", "stratified", "uniform")
	s.seed(&m.Seed)
}

func (m *Dummy) state(s *state) {
	s.ints("shape", &m.K)
	s.floats("share", &m.Share, 0, m.K)
}
