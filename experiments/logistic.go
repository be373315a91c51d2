package experiments

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// logistic is multinomial logistic regression with an L2 penalty of 1/2 |w|^2 against the summed loss (scikit-learn's
// C = 1; intercepts are free), on standardized features. It is the whole model behind the controls that see two numbers
// of a capture: with so little input a straight line is all that is needed, and nothing has to be tuned.
type logistic struct {
	mean, sd []float64   // (F)
	w        [][]float64 // (K, F+1), intercept last
}

// fitLogistic learns from x (N, F) and classes y < k. Standardization is fitted on x.
func fitLogistic(x [][]float64, y []int, k int) (*logistic, error) {
	f := len(x[0])
	l := &logistic{mean: make([]float64, f), sd: make([]float64, f)}
	for j := range f {
		for _, row := range x {
			l.mean[j] += row[j] / float64(len(x))
		}
		for _, row := range x {
			l.sd[j] += (row[j] - l.mean[j]) * (row[j] - l.mean[j]) / float64(len(x))
		}
		if l.sd[j] = math.Sqrt(l.sd[j]); l.sd[j] <= 1e-12*math.Abs(l.mean[j]) {
			l.sd[j] = 1 // a constant says nothing
		}
	}
	z := make([][]float64, len(x))
	for i, row := range x {
		z[i] = l.standardize(row)
	}
	p := make([]float64, k)
	problem := optimize.Problem{
		Func: func(w []float64) float64 {
			loss := penalty(w, f)
			for i, row := range z {
				probabilities(p, w, row)
				loss -= math.Log(max(p[y[i]], 1e-300))
			}
			return loss
		},
		Grad: func(grad, w []float64) {
			for i := range grad {
				grad[i] = 0
				if i%(f+1) < f {
					grad[i] = w[i]
				}
			}
			for i, row := range z {
				probabilities(p, w, row)
				p[y[i]]--
				for c, d := range p {
					for j, v := range row {
						grad[c*(f+1)+j] += d * v
					}
				}
			}
		},
	}
	res, err := optimize.Minimize(problem, make([]float64, k*(f+1)), &optimize.Settings{GradientThreshold: 1e-6, MajorIterations: 500}, &optimize.LBFGS{})
	if res == nil {
		return nil, fmt.Errorf("experiments: logistic regression: %w", err)
	}
	// A line search that cannot improve the last digits ends with an error at the optimum: the result is the answer.
	for c := range k {
		l.w = append(l.w, res.X[c*(f+1):(c+1)*(f+1)])
	}
	return l, nil
}

// scores are the probabilities of the K classes.
func (l *logistic) scores(x []float64) []float32 {
	var w []float64
	for _, row := range l.w {
		w = append(w, row...)
	}
	p := make([]float64, len(l.w))
	probabilities(p, w, l.standardize(x))
	out := make([]float32, len(p))
	for i, v := range p {
		out[i] = float32(v)
	}
	return out
}

// standardize returns the row with a 1 behind it for the intercept.
func (l *logistic) standardize(x []float64) []float64 {
	out := make([]float64, len(x), len(x)+1)
	for j, v := range x {
		out[j] = (v - l.mean[j]) / l.sd[j]
	}
	return append(out, 1)
}

func penalty(w []float64, f int) float64 {
	sum := 0.0
	for i, v := range w {
		if i%(f+1) < f {
			sum += v * v / 2
		}
	}
	return sum
}

// probabilities writes the softmax of the K linear functions w (K, len(x)) of x.
func probabilities(p, w, x []float64) {
	top := math.Inf(-1)
	for c := range p {
		p[c] = 0
		for j, v := range x {
			p[c] += w[c*len(x)+j] * v
		}
		top = max(top, p[c])
	}
	sum := 0.0
	for c := range p {
		p[c] = math.Exp(p[c] - top)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}
