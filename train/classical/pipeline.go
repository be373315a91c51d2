package classical

import "math"

// Scaler standardizes features with means and deviations of the rows it was fitted on, scikit-learn's StandardScaler.
type Scaler struct {
	KeepMean bool // divide only, as for features that are shares

	Mean, Scale []float64 // (F); Scale is 1 for a constant feature
}

// Fit takes mean and standard deviation (divisor N) of each feature.
func (s *Scaler) Fit(x Matrix) { s.fit(x.table(), 1) }

func (s *Scaler) fit(x table, threads int) {
	w := make([]float64, x.n)
	for i := range w {
		w[i] = 1
	}
	var variance []float64
	s.Mean, variance = moments(x, w, threads)
	s.Scale = make([]float64, x.f)
	const eps = 2.220446049250313e-16
	for j, v := range variance {
		// What rounding alone can make of a constant counts as constant.
		n := float64(x.n)
		s.Scale[j] = 1
		if v > n*eps*v+(n*s.Mean[j]*eps)*(n*s.Mean[j]*eps) {
			s.Scale[j] = math.Sqrt(v)
		}
	}
}

// Apply returns the standardized rows as a new matrix.
func (s *Scaler) Apply(x Matrix) Matrix {
	r := Matrix{N: x.N, F: x.F, X: make([]float64, len(x.X))}
	for i := range x.N {
		in, out := x.Row(i), r.Row(i)
		for j, v := range in {
			if !s.KeepMean {
				v -= s.Mean[j]
			}
			out[j] = v / s.Scale[j]
		}
	}
	return r
}

// Pipeline standardizes, then classifies: a Classifier whose scaler never sees a row that it is not fitted on.
type Pipeline struct {
	Scaler Scaler
	Model  Classifier
}

// Fit fits the scaler, then the model on what it gives.
func (p *Pipeline) Fit(x Matrix, y []int, k int) error {
	if err := check("pipeline", x, y, k); err != nil {
		return err
	}
	if r, ok := p.Model.(*Ridge); ok {
		p.Scaler.fit(x.table(), r.Threads)
		return r.fit(x.table(), y, k, &p.Scaler)
	}
	p.Scaler.Fit(x)
	return p.Model.Fit(p.Scaler.Apply(x), y, k)
}

// Predict returns the model's classes.
func (p *Pipeline) Predict(x Matrix) []int { return p.Model.Predict(p.Scaler.Apply(x)) }

// Proba returns the model's probabilities, (N, K).
func (p *Pipeline) Proba(x Matrix) []float64 { return p.Model.Proba(p.Scaler.Apply(x)) }
