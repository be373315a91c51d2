package train

import (
	"context"
	"fmt"

	"earshot/nets/nn"
)

// Curve holds one value for each optimizer step.
type Curve struct {
	Loss     []float64 `json:"loss"`
	LR       []float64 `json:"lr"`
	Momentum []float64 `json:"momentum"`
}

// FitBatches runs the recipe of cfg.Profile on given batches instead of shuffled ones, as one epoch: batch s trains on
// the rows batches[s] of d, which all have the same length. lr is the highest rate. on may be nil.
func FitBatches(ctx context.Context, m *nn.Model, d Data, batches [][]int, profile string, lr float64, on func(Event)) (Curve, error) {
	var order []int
	if len(batches) == 0 || len(batches[0]) == 0 {
		return Curve{}, fmt.Errorf("train: batches: none given")
	}
	for s, rows := range batches {
		if len(rows) != len(batches[0]) {
			return Curve{}, fmt.Errorf("train: batches: batch %d has %d rows, the first has %d", s, len(rows), len(batches[0]))
		}
		for _, i := range rows {
			if i < 0 || i >= d.N {
				return Curve{}, fmt.Errorf("train: batches: batch %d: row %d of %d", s, i, d.N)
			}
		}
		order = append(order, rows...)
	}
	arch, _, _, _ := m.Arch()
	cfg, err := Recipe(arch.Name, profile, d.N)
	if err != nil {
		return Curve{}, err
	}
	cfg.Epochs, cfg.LR, cfg.Normalize = 1, lr, NormalizeNone
	r, err := newRun(m, d, cfg)
	if err != nil {
		return Curve{}, err
	}
	r.cut(len(batches[0]), len(batches))
	m.SetContext(ctx)
	defer m.SetContext(context.Background())
	var c Curve
	for range batches {
		e, err := r.step(ctx, order)
		if err != nil {
			return c, fmt.Errorf("train: step %d: %w", r.pos.Batch, err)
		}
		c.Loss, c.LR, c.Momentum = append(c.Loss, e.Loss), append(c.LR, e.LR), append(c.Momentum, e.Momentum)
		if on != nil {
			on(e)
		}
	}
	return c, nil
}
