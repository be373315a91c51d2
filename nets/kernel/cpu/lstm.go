package cpu

import "earshot/nets/kernel"

// The layer runs over groups of sequences, a group on one worker from its first step to its last. A step is a product
// of the group's rows [h | x | 1] with the packed weights, whose last columns are the input weights and the biases, and
// a pass over the gates. Backward, a step is a pass over the gates, which turns them into the gradients of their
// arguments, and a product that carries those to the step before; the gradients of the weights are summed by outer
// products over a block of steps at a time, while those are still in the cache. Each group (each share of groups where
// the weights are many) has its own sum; the sums are added in order.
//
// The hidden state is not kept: the backward pass has o and tanh(c) in its hands and computes it again.

type (
	lstmMul   func(dst *float32, ds uintptr, src *float32, ss uintptr, w *float32, k, tiles, groups int, ahead *float32)
	lstmOuter func(acc *float32, as uintptr, d *float32, ds uintptr, x *float32, xs uintptr, n, tiles int)
)

// lstmTier holds the micro-kernels of the LSTM in one tier; the generated declarations say what each does.
type lstmTier struct {
	lanes     int
	rows      int        // sequences of a group: 4, or 8 where that saves reading the weights twice
	mul4      [3]lstmMul // 4 rows by 1 to 3 vectors
	mul8      [3]lstmMul // 8 rows, where the tier has registers for them
	outer     [3]lstmOuter
	outerTile [3]int    // gates of a tile
	narrow    *lstmTier // half as wide, for a last vector that would be half empty; nil: there is none
	cell      func(z *float32, zs uintptr, gates *float32, gs uintptr, before, after *float32, cs uintptr, h *float32, hs uintptr, rows, full, tail int, mask uint64)
	back      func(gates *float32, gs uintptr, dh *float32, dhs uintptr, c, before *float32, cs uintptr, dc, h *float32, hs uintptr, rows, full, tail int, mask uint64)
}

const (
	maxGroupRows = 8       // sequences of a group, at most
	outerRows    = 128     // rows that an outer product sums: the steps of a block times the rows of the group
	sumBudget    = 1 << 25 // values that the groups' sums of weight gradients may take
	mulBudget    = 1 << 22 // multiply-adds of one call of a micro-kernel, which cannot be preempted
)

// lstmShape is the layout of one layer in one tier. Sizes are in values.
type lstmShape struct {
	kernel.LSTM
	tier  *lstmTier
	units int // H rounded up to 4: what lies beyond H stays 0
	full  int // whole vectors of units
	depth int // values of a row that the gates read: [h | x | 1], rounded up to 2
	// Strides of rows: of inputs [h | x | 1], of gates, of cell states, of gradients [dh | dx].
	row, gates, cell, back int
	backCols               int // columns of the gradients, rounded up to a vector
	steps, segments        int // steps between stored states
}

func (be *Backend) lstmShape(p kernel.LSTM, dx bool) lstmShape {
	t := &be.tier.lstm
	s := lstmShape{LSTM: p, tier: t, units: roundUp(p.H, 4), steps: p.T, segments: 1}
	s.full = s.units / t.lanes
	s.depth = roundUp(s.units+p.C+1, 2)
	s.row = oddLines(s.depth)
	s.gates = oddLines(4 * s.units)
	s.cell = roundUp(s.units, t.lanes)
	s.backCols = s.units
	if dx {
		s.backCols += p.C
	}
	s.backCols = s.columns(s.backCols)
	s.back = oddLines(s.backCols)
	if p.SaveEvery > 0 {
		s.steps = min(p.SaveEvery, p.T)
		s.segments = ceilDiv(p.T, s.steps)
	}
	return s
}

// columns rounds a number of columns up to vectors, the last of which may be a narrow one.
func (s *lstmShape) columns(n int) int {
	if t := s.tier.narrow; t != nil {
		return roundUp(n, t.lanes)
	}
	return roundUp(n, s.tier.lanes)
}

// oddLines rounds a row up to an odd number of cache lines: rows at a power of two would fight for the same places in
// the cache.
func oddLines(n int) int { return roundUp(n, lineValues) | lineValues }

// lstmGroup is a run of sequences.
type lstmGroup struct {
	first, n int
	rows     int // n rounded up to 4: the rows beyond n run on zero input and carry no gradient
}

// groupSize depends on the shape alone: the order of every sum does too.
func (s *lstmShape) groupSize() int {
	if s.N <= s.tier.rows {
		return 4 // two workers share a small batch
	}
	return s.tier.rows
}

func (s *lstmShape) groups() int { return ceilDiv(s.N, s.groupSize()) }

func (s *lstmShape) group(i int) lstmGroup {
	first := i * s.groupSize()
	n := min(s.groupSize(), s.N-first)
	return lstmGroup{first, n, roundUp(n, 4)}
}

// column is where gate q (i, f, g, o) of a unit lies among a row's gates.
func (s *lstmShape) column(q, unit int) int {
	lanes, width := s.tier.lanes, s.tier.lanes
	block := unit / lanes
	if block == s.full {
		width = s.units - s.full*lanes
	}
	return block*4*lanes + q*width + unit%lanes
}

// tiles is where the matrix w of a product lies: tiles of three vectors of columns, then one of the rest, then one of
// the columns of a narrow vector; in a tile a row of columns per k.
type tiles struct{ cols, k, lanes int }

// at returns the offset of column c for k = 0 and the stride from one k to the next.
func (t tiles) at(c int) (offset, stride int) {
	narrow := t.cols % t.lanes
	cols := t.cols - narrow
	if c >= cols {
		return cols*t.k + c - cols, narrow
	}
	wide := 3 * t.lanes
	tile := c / wide
	return tile*wide*t.k + c%wide, min(wide, cols-tile*wide)
}

// product computes dst = src w for rows rows. Meanwhile it fetches ahead, what the next pass over the gates reads or writes.
func (s *lstmShape) product(dst []float32, ds int, src []float32, ss int, w []float32, t tiles, rows int, ahead []float32) {
	mul, times := &s.tier.mul4, rows/4
	if rows == 8 && s.tier.mul8[0] != nil {
		mul, times = &s.tier.mul8, 1
	}
	call := func(mul lstmMul, at, n, times int) {
		mul(&dst[at], uintptr(ds)*4, &src[0], uintptr(ss)*4, &w[at*t.k], t.k, n, times, &ahead[0])
		ahead = ahead[min(len(ahead)-1, n*times*t.k/2*lineValues):]
	}
	wide := 3 * t.lanes
	full, rest := t.cols/wide, t.cols%wide/t.lanes
	atOnce := max(1, mulBudget/(wide*t.k*rows))
	for i := 0; i < full; i += atOnce {
		call(mul[2], i*wide, min(atOnce, full-i), times)
	}
	if rest > 0 {
		call(mul[rest-1], full*wide, 1, times)
	}
	if narrow := t.cols % t.lanes; narrow > 0 {
		call(s.tier.narrow.mul4[0], t.cols-narrow, 1, rows/4)
	}
}

// gateTiles is the layout of the forward weights, backTiles of the backward ones.
func (s *lstmShape) gateTiles() tiles { return tiles{4 * s.units, s.depth, s.tier.lanes} }
func (s *lstmShape) backTiles() tiles { return tiles{s.backCols, 4 * s.units, s.tier.lanes} }

// packGates lays out the weights of the forward product: column = gate, k over [h | x | 1].
func (be *Backend) packGates(s *lstmShape, w, wih, whh, bih, bhh []float32) {
	clear(w)
	t := s.gateTiles()
	be.pool.Run(4, func(_, q int) {
		for u := range s.H {
			at, stride := t.at(s.column(q, u))
			row := q*s.H + u
			for k, v := range whh[row*s.H:][:s.H] {
				w[at+k*stride] = v
			}
			at += s.units * stride
			for c, v := range wih[row*s.C:][:s.C] {
				w[at+c*stride] = v
			}
			w[at+s.C*stride] = bih[row] + bhh[row]
		}
	})
}

// packBack lays out the weights of the backward product: column = hidden unit or input, k over the gates.
func (be *Backend) packBack(s *lstmShape, w, wih, whh []float32, dx bool) {
	clear(w)
	t := s.backTiles()
	be.pool.Run(4, func(_, q int) {
		for u := range s.H {
			k, row := s.column(q, u), q*s.H+u
			for c, v := range whh[row*s.H:][:s.H] {
				at, stride := t.at(c)
				w[at+k*stride] = v
			}
			for c, v := range wih[row*s.C:][:s.C] {
				if dx {
					at, stride := t.at(s.units + c)
					w[at+k*stride] = v
				}
			}
		}
	})
}

// LSTMSaved implements kernel.Backend. Per group: the gates and the cell state after every step; with SaveEvery the
// hidden and the cell state before every segment.
func (be *Backend) LSTMSaved(p kernel.LSTM) int {
	s := be.lstmShape(p, false)
	return roundUp(p.N, 4) * s.savedPerRow()
}

func (s *lstmShape) savedPerRow() int {
	if s.SaveEvery > 0 {
		return s.segments * 2 * s.cell
	}
	return s.T * (s.gates + s.cell)
}

// saved returns the part of group g of what the forward pass keeps.
func (s *lstmShape) saved(g lstmGroup, all []float32) []float32 {
	return all[g.first*s.savedPerRow():][:g.rows*s.savedPerRow()]
}

// records splits memory for the given number of steps into gates (steps, rows, gates) and cell states (steps, rows, cell).
func (s *lstmShape) records(g lstmGroup, steps int, mem []float32) (gates, cells []float32) {
	n := steps * g.rows * s.gates
	return mem[:n], mem[n:][:steps*g.rows*s.cell]
}

// state splits a stored state into hidden and cell state, (rows, cell) each.
func (s *lstmShape) state(g lstmGroup, seg int, mem []float32) (h, c []float32) {
	n := g.rows * s.cell
	return mem[2*seg*n:][:n], mem[(2*seg+1)*n:][:n]
}

// check panics where an operand does not fit the shape.
func (s *lstmShape) check(name string, x, wih, whh, bih, bhh kernel.Buf) {
	values(name, "x", x, s.N*s.C*s.T)
	values(name, "wih", wih, 4*s.H*s.C)
	values(name, "whh", whh, 4*s.H*s.H)
	values(name, "bih", bih, 4*s.H)
	values(name, "bhh", bhh, 4*s.H)
}
