package cpu

import "earshot/nets/kernel"

// lstmRunner is the forward pass of one group on one worker.
type lstmRunner struct {
	*lstmShape
	g     lstmGroup
	x     []float32 // (N, C, T), all sequences
	w     []float32
	rows  [2][]float32 // inputs [h | x | 1] of this step and the next
	z     []float32    // arguments of the gates
	cells []float32    // cell state where no record is kept
}

// runnerSize is what newRunner takes from an arena, in as many pieces.
func (s *lstmShape) runnerSize() (values, pieces int) {
	return maxGroupRows * (2*s.row + s.gates + s.cell), 4
}

func (s *lstmShape) newRunner(a *arena, g lstmGroup, x, w []float32) *lstmRunner {
	r := &lstmRunner{lstmShape: s, g: g, x: x, w: w}
	for i := range r.rows {
		r.rows[i] = a.take(g.rows * s.row)
		s.clearRows(r.rows[i])
	}
	r.z = a.take(g.rows * s.gates)
	r.cells = a.take(g.rows * s.cell)
	clear(r.cells)
	return r
}

// clearRows makes rows of inputs [0 | 0 | 1].
func (s *lstmShape) clearRows(rows []float32) {
	clear(rows)
	for at := s.units + s.C; at < len(rows); at += s.row {
		rows[at] = 1
	}
}

// input copies step t of the group's sequences into rows.
func (s *lstmShape) input(g lstmGroup, rows, x []float32, t int) {
	for i := range g.n {
		row, from := rows[i*s.row+s.units:][:s.C], (g.first+i)*s.C*s.T+t
		for c := range row {
			row[c] = x[from+c*s.T]
		}
	}
}

// run advances over steps [t0, t0+steps) from the hidden state in rows[0] and the cell state before, and leaves the
// hidden state in rows[0]. It returns the cell state. gates and cells take the records; nil keeps none.
func (r *lstmRunner) run(t0, steps int, before, gates, cells []float32) []float32 {
	g, t := r.g, r.gateTiles()
	for i := range steps {
		r.input(g, r.rows[0], r.x, t0+i)
		to, after := r.z, r.cells
		if gates != nil {
			to, after = gates[i*g.rows*r.gates:], cells[i*g.rows*r.cell:][:g.rows*r.cell]
		}
		r.product(r.z, r.gates, r.rows[0], r.row, r.w, t, g.rows, r.z)
		left := r.units - r.full*r.tier.lanes
		r.tier.cell(&r.z[0], uintptr(r.gates)*4, &to[0], uintptr(r.gates)*4, &before[0], &after[0], uintptr(r.cell)*4,
			&r.rows[1][0], uintptr(r.row)*4, g.rows, r.full, left, 1<<left-1)
		before = after
		r.rows[0], r.rows[1] = r.rows[1], r.rows[0]
	}
	return before
}

// LSTM implements kernel.Backend.
func (be *Backend) LSTM(p kernel.LSTM, y, saved, x, wih, whh, bih, bhh kernel.Buf) {
	s := be.lstmShape(p, false)
	s.check("LSTM", x, wih, whh, bih, bhh)
	values("LSTM", "y", y, p.N*p.H)
	var keep []float32
	if !saved.None() {
		keep = values("LSTM", "saved", saved, be.LSTMSaved(p))
	}
	be.shared.reset(4*s.units*s.depth, 1)
	w := be.shared.take(4 * s.units * s.depth)
	be.packGates(&s, w, wih.Host, whh.Host, bih.Host, bhh.Host)
	be.pool.Run(s.groups(), func(worker, i int) {
		g := s.group(i)
		a := &be.scratch[worker]
		a.reset(s.runnerSize())
		r := s.newRunner(a, g, x.Host, w)
		c := r.cells
		for seg := range s.segments {
			var gates, cells []float32
			if keep != nil && s.SaveEvery > 0 {
				h, before := s.state(g, seg, s.saved(g, keep))
				copyRows(h, s.cell, r.rows[0], s.row, g.rows, s.units)
				copy(before, c)
			} else if keep != nil {
				gates, cells = s.records(g, s.T, s.saved(g, keep))
			}
			c = r.run(seg*s.steps, min(s.steps, s.T-seg*s.steps), c, gates, cells)
		}
		copyRows(y.Host[g.first*p.H:], p.H, r.rows[0], s.row, g.n, p.H)
	})
}

// copyRows copies the first n values of rows that lie at two strides.
func copyRows(dst []float32, ds int, src []float32, ss, rows, n int) {
	for i := range rows {
		copy(dst[i*ds:][:n], src[i*ss:][:n])
	}
}
