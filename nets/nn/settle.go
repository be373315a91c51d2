package nn

import (
	"fmt"
	"strings"
)

// Settle sets the running statistics to those of the rows x (n, C, T) under the weights as they are: the precise statistics
// of Wu and Johnson, "Rethinking 'Batch' in BatchNorm" (2021), section 3. Up to evalRows rows are one batch, and then the
// network evaluates x as Step would, but for n against n - 1. More are dealt out to equal parts, since a table may be sorted
// by class; means and variances are those of all rows, each part normalized by its own.
func (m *Model) Settle(x []float32, n int) error {
	size := m.c * m.t
	if n < 1 || len(x) != n*size {
		return fmt.Errorf("nn: %s: settle: %d input values for %d rows of %d x %d", m.arch.Name, len(x), n, m.c, m.t)
	}
	parts := (n + m.evalRows() - 1) / m.evalRows()
	sums := make([][]float64, len(m.params)) // of means, and of squares
	for i := range parts {
		var rows []float32
		for r := i; r < n; r += parts {
			rows = append(rows, x[r*size:(r+1)*size]...)
		}
		k := len(rows) / size
		if err := m.forward(settle, rows, k, make([]float32, k*m.classes)); err != nil {
			return err
		}
		share := float64(k) / float64(n)
		m.statistics(func(i int, mean, variance []float32) {
			if sums[i] == nil {
				sums[i], sums[i+1] = make([]float64, len(mean)), make([]float64, len(mean))
			}
			for c, v := range mean {
				sums[i][c] += share * float64(v)
				sums[i+1][c] += share * (float64(variance[c]) + float64(v)*float64(v))
			}
		})
	}
	if parts == 1 {
		return nil // they are where they belong
	}
	m.statistics(func(i int, mean, variance []float32) {
		for c, v := range sums[i] {
			mean[c], variance[c] = float32(v), float32(max(0, sums[i+1][c]-v*v))
		}
	})
	return nil
}

// statistics calls f with the running statistics of each batch norm and the number of the first of the two in Params.
func (m *Model) statistics(f func(i int, mean, variance []float32)) {
	for i, p := range m.params {
		if strings.HasSuffix(p.Name, ".running_mean") { // their order is that of a state_dict: the variance comes next
			f(i, p.Value.Float32s(), m.params[i+1].Value.Float32s())
		}
	}
}
