package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"earshot/nets/nn"
)

// Predict returns the scores (N, K) of n raw rows x (n, C, T): the softmax of the network's logits in evaluation mode,
// each row summing to 1. x is normalized in a copy, batch rows at a time (0: 64).
func Predict(m *nn.Model, norm Normalizer, x []float32, n, batch int) ([]float32, error) {
	_, c, t, k := m.Arch()
	if len(x) != n*c*t {
		return nil, fmt.Errorf("train: predict: %d values for %d rows of %d x %d", len(x), n, c, t)
	}
	if batch < 1 {
		batch = 64
	}
	m.SetContext(context.Background())
	batch = max(1, min(batch, n))
	in, scores := make([]float32, batch*c*t), make([]float32, n*k)
	for from := 0; from < n; from += batch {
		rows := min(batch, n-from)
		part := in[:rows*c*t]
		copy(part, x[from*c*t:])
		norm.Apply(part, c, t)
		out := scores[from*k : (from+rows)*k]
		if err := m.Forward(part, rows, false, out); err != nil {
			return nil, fmt.Errorf("train: predict: row %d: %w", from, err)
		}
		for i := range rows {
			softmax(out[i*k : (i+1)*k])
		}
	}
	return scores, nil
}

// Settle sets the running statistics of batch norm to those of the whole training set d under the weights of m. A network
// that was trained for few steps needs it before Predict: the running ones still hold batches of much earlier weights.
func Settle(m *nn.Model, norm Normalizer, d Data) error {
	x := slices.Clone(d.X)
	norm.Apply(x, d.C, d.T)
	m.SetContext(context.Background())
	if err := m.Settle(x, d.N); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// softmax replaces logits by probabilities, in double precision, from the largest down so that nothing overflows.
func softmax(v []float32) {
	top := float64(v[Argmax(v)])
	var sum float64
	for _, l := range v {
		sum += math.Exp(float64(l) - top)
	}
	for i, l := range v {
		v[i] = float32(math.Exp(float64(l)-top) / sum)
	}
}
