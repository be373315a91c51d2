package classical

import "fmt"

// MultiLabel is a forest that answers several yes-or-no questions at once: every tree splits by the mean impurity of all
// labels, as scikit-learn's forests do for several outputs. Fit and Proba of the embedded Forest are not used.
type MultiLabel struct {
	Forest
	Labels int
}

// Fit learns y (N, labels), each 0 or 1.
func (m *MultiLabel) Fit(x Matrix, y []int, labels int) error {
	if labels < 1 || len(y) != x.N*labels {
		return fmt.Errorf("multilabel: %d answers for %d rows of %d labels", len(y), x.N, labels)
	}
	if err := check("multilabel", x, make([]int, x.N), 1); err != nil {
		return err
	}
	if m.ClassWeight.Balanced || m.ClassWeight.W != nil {
		return fmt.Errorf("multilabel: class weights have no meaning for several labels")
	}
	codes, first := make([]int, len(y)), make([]int, labels+1)
	for i, v := range y {
		if v != 0 && v != 1 {
			return fmt.Errorf("multilabel: row %d, label %d is %d; it is 0 or 1", i/labels, i%labels, v)
		}
		codes[i] = 2*(i%labels) + v
	}
	for l := range first {
		first[l] = 2 * l
	}
	m.Labels = labels
	m.grow(x, codes, first, nil)
	return nil
}

// Proba returns the probability that each label is 1, (N, labels).
func (m *MultiLabel) Proba(x Matrix) []float64 {
	both := m.Forest.Proba(x)
	p := make([]float64, len(both)/2)
	for i := range p {
		p[i] = both[2*i+1]
	}
	return p
}

// Predict returns the labels whose probability is above one half, (N, labels).
func (m *MultiLabel) Predict(x Matrix) []int {
	p := m.Proba(x)
	out := make([]int, len(p))
	for i, v := range p {
		if v > 0.5 {
			out[i] = 1
		}
	}
	return out
}
