package classical

import "fmt"

// ClassWeight says how much the rows of each class count. The zero value lets every row count once.
type ClassWeight struct {
	Balanced bool      // N / (K * rows of the class): every class counts alike, as scikit-learn's "balanced"
	W        []float64 // (K), when not Balanced; nil: all 1
}

// of returns the weight of each class, (K), or nil when all are 1.
func (c ClassWeight) of(model string, y []int, k int) ([]float64, error) {
	if !c.Balanced {
		if c.W != nil && len(c.W) != k {
			return nil, fmt.Errorf("%s: %d class weights for %d classes", model, len(c.W), k)
		}
		for i, w := range c.W {
			if !(w > 0) {
				return nil, fmt.Errorf("%s: weight %v of class %d; weights are above 0", model, w, i)
			}
		}
		return c.W, nil
	}
	w, present := make([]float64, k), 0
	for _, v := range y {
		if w[v] == 0 {
			present++
		}
		w[v]++
	}
	for i, n := range w {
		w[i] = 1
		if n > 0 {
			w[i] = float64(len(y)) / (float64(present) * n)
		}
	}
	return w, nil
}

// rowWeights returns the weight of each row, (N); all 1 when class is nil.
func rowWeights(class []float64, y []int) []float64 {
	w := make([]float64, len(y))
	for i, c := range y {
		w[i] = 1
		if class != nil {
			w[i] = class[c]
		}
	}
	return w
}

// counts returns the summed weight of each class, (K).
func counts(y []int, w []float64, k int) []float64 {
	n := make([]float64, k)
	for i, c := range y {
		n[c] += w[i]
	}
	return n
}
