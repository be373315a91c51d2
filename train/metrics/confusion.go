package metrics

import "fmt"

// Confusion counts answers: row = true class, column = predicted class, (K, K).
type Confusion [][]int

// NewConfusion counts N answers over k classes. It panics when the lengths differ or a class is outside 0 <= class < k.
func NewConfusion(truth, pred []int, k int) Confusion {
	if len(truth) != len(pred) {
		panic(fmt.Sprintf("metrics: confusion: %d true classes, %d predictions", len(truth), len(pred)))
	}
	c := make(Confusion, k)
	for i := range c {
		c[i] = make([]int, k)
	}
	for i, t := range truth {
		if p := pred[i]; t < 0 || t >= k || p < 0 || p >= k {
			panic(fmt.Sprintf("metrics: confusion: point %d: true %d, predicted %d, of %d classes", i, t, p, k))
		}
		c[t][pred[i]]++
	}
	return c
}

// Total is the number of answers.
func (c Confusion) Total() int {
	n := 0
	for _, row := range c {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// Correct is the number of right answers.
func (c Confusion) Correct() int {
	n := 0
	for i := range c {
		n += c[i][i]
	}
	return n
}

// Accuracy is the share of right answers; 0 without answers.
func (c Confusion) Accuracy() float64 { return ratio(c.Correct(), c.Total()) }

// Predicted counts the predictions of each class.
func (c Confusion) Predicted() []int {
	n := make([]int, len(c))
	for _, row := range c {
		for j, v := range row {
			n[j] += v
		}
	}
	return n
}

// Actual counts the points of each true class.
func (c Confusion) Actual() []int {
	n := make([]int, len(c))
	for i, row := range c {
		for _, v := range row {
			n[i] += v
		}
	}
	return n
}

// Collapsed reports whether every answer was the same class: the model has learned a constant (SP-48).
func (c Confusion) Collapsed() bool {
	used := 0
	for _, n := range c.Predicted() {
		if n > 0 {
			used++
		}
	}
	return used == 1
}

// Precision is, for each class, the share of its predictions that are right; 0 for a class that was never predicted.
func (c Confusion) Precision() []float64 {
	n := c.Predicted()
	out := make([]float64, len(c))
	for i := range c {
		out[i] = ratio(c[i][i], n[i])
	}
	return out
}

// Recall is, for each class, the share of its points that were found; 0 for a class without points.
func (c Confusion) Recall() []float64 {
	n := c.Actual()
	out := make([]float64, len(c))
	for i := range c {
		out[i] = ratio(c[i][i], n[i])
	}
	return out
}

// F1 is, for each class, the harmonic mean of precision and recall; 0 for a class that neither occurs nor is predicted.
func (c Confusion) F1() []float64 {
	pred, act := c.Predicted(), c.Actual()
	out := make([]float64, len(c))
	for i := range c {
		out[i] = ratio(2*c[i][i], pred[i]+act[i])
	}
	return out
}

// MacroF1 is the plain mean of F1 over all K classes, absent ones included, as scikit-learn computes it when it is
// given every label; 0 without classes.
func (c Confusion) MacroF1() float64 {
	if len(c) == 0 {
		return 0
	}
	sum := 0.0
	for _, f := range c.F1() {
		sum += f
	}
	return sum / float64(len(c))
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
