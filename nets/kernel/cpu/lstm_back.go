package cpu

import "earshot/nets/kernel"

// LSTMBackward implements kernel.Backend.
func (be *Backend) LSTMBackward(p kernel.LSTM, dx, dwih, dwhh, dbih, dbhh, dy, saved, x, wih, whh, bih, bhh kernel.Buf) {
	const name = "LSTMBackward"
	s := be.lstmShape(p, !dx.None())
	s.check(name, x, wih, whh, bih, bhh)
	values(name, "dy", dy, p.N*p.H)
	values(name, "saved", saved, be.LSTMSaved(p))
	values(name, "dwih", dwih, 4*p.H*p.C)
	values(name, "dwhh", dwhh, 4*p.H*p.H)
	values(name, "dbih", dbih, 4*p.H)
	values(name, "dbhh", dbhh, 4*p.H)
	if !dx.None() {
		values(name, "dx", dx, p.N*p.C*p.T)
	}

	groups, sum := s.groups(), 4*s.units*s.row
	shares := min(groups, max(1, sumBudget/sum))
	gateSize, backSize := 4*s.units*s.depth, s.backCols*4*s.units
	be.shared.reset(gateSize+backSize+shares*sum, 2+shares)
	wGates, wBack := be.shared.take(gateSize), be.shared.take(backSize)
	if p.SaveEvery > 0 {
		be.packGates(&s, wGates, wih.Host, whh.Host, bih.Host, bhh.Host)
	}
	be.packBack(&s, wBack, wih.Host, whh.Host, !dx.None())
	sums := make([][]float32, shares)
	for i := range sums {
		sums[i] = be.shared.take(sum)
	}
	be.pool.Run(shares, func(worker, share int) {
		clear(sums[share])
		for i := share * groups / shares; i < (share+1)*groups/shares; i++ {
			g := s.group(i)
			b := s.newBacker(&be.scratch[worker], g, x.Host, wGates, wBack)
			b.dx, b.sum = dx.Host, sums[share]
			copyRows(b.dh, s.back, dy.Host[g.first*p.H:], p.H, g.n, p.H)
			b.run(s.saved(g, saved.Host))
		}
	})
	be.pool.Run(4, func(_, q int) {
		for u := range p.H {
			at, row := s.column(q, u)*s.row, q*p.H+u
			total := sums[0][at:][:s.depth]
			for _, other := range sums[1:] {
				for k, v := range other[at:][:s.depth] {
					total[k] += v
				}
			}
			copy(dwhh.Host[row*p.H:][:p.H], total)
			copy(dwih.Host[row*p.C:][:p.C], total[s.units:])
			dbih.Host[row] = total[s.units+p.C]
			dbhh.Host[row] = total[s.units+p.C]
		}
	})
}

// lstmBacker is the backward pass of one group on one worker.
type lstmBacker struct {
	*lstmRunner
	wBack  []float32
	dx     []float32 // (N, C, T) or nil
	sum    []float32 // gradient of the weights, (gates, row)
	dh, dc []float32 // (rows, back) as [dh | dx], (rows, cell)
	block  int       // steps between two outer products
	hist   []float32 // inputs [h | x | 1] of a block: step i of the segment in place i % block
	mem    []float32 // records of a segment that is computed again
	zero   []float32 // cell state before the first step
}

func (s *lstmShape) newBacker(a *arena, g lstmGroup, x, wGates, wBack []float32) *lstmBacker {
	size, pieces := s.runnerSize()
	mem := 0
	if s.SaveEvery > 0 {
		mem = g.rows * s.steps * (s.gates + s.cell)
	}
	a.reset(size+maxGroupRows*(s.back+2*s.cell)+outerRows*s.row+mem, pieces+5)
	b := &lstmBacker{lstmRunner: s.newRunner(a, g, x, wGates), wBack: wBack, block: outerRows / g.rows}
	b.dh, b.dc = a.take(g.rows*s.back), a.take(g.rows*s.cell)
	b.hist, b.mem, b.zero = a.take(outerRows*s.row), a.take(mem), a.take(g.rows*s.cell)
	clear(b.dh)
	clear(b.dc)
	clear(b.zero)
	s.clearRows(b.hist)
	return b
}

// run goes through the segments from the last to the first.
func (b *lstmBacker) run(saved []float32) {
	g, s := b.g, b.lstmShape
	if s.SaveEvery <= 0 {
		gates, cells := s.records(g, s.T, saved)
		b.segment(0, s.T, b.zero, b.zero, gates, cells)
		return
	}
	for seg := s.segments - 1; seg >= 0; seg-- {
		t0, steps := seg*s.steps, min(s.steps, s.T-seg*s.steps)
		h, c := s.state(g, seg, saved)
		gates, cells := s.records(g, steps, b.mem)
		copyRows(b.rows[0], s.row, h, s.cell, g.rows, s.units)
		b.lstmRunner.run(t0, steps, c, gates, cells)
		b.segment(t0, steps, h, c, gates, cells)
	}
}

// segment walks back over steps [t0, t0+steps), whose first starts from h and c, (rows, cell) each.
func (b *lstmBacker) segment(t0, steps int, h, c, gates, cells []float32) {
	g, s := b.g, b.lstmShape
	left, t := s.units-s.full*s.tier.lanes, s.backTiles()
	place := func(i int) []float32 { return b.hist[i%b.block*g.rows*s.row:][:g.rows*s.row] }
	for i := steps - 1; i >= 0; i-- {
		before := c
		if i > 0 {
			before = cells[(i-1)*g.rows*s.cell:]
		}
		dz := gates[i*g.rows*s.gates:]
		s.tier.back(&dz[0], uintptr(s.gates)*4, &b.dh[0], uintptr(s.back)*4, &cells[i*g.rows*s.cell], &before[0], uintptr(s.cell)*4,
			&b.dc[0], &place(i + 1)[0], uintptr(s.row)*4, g.rows, s.full, left, 1<<left-1)
		if next := i + 1; next < steps && next%b.block == 0 {
			b.outer(t0, next, min(b.block, steps-next), gates)
		}
		if t0+i == 0 && b.dx == nil {
			break
		}
		s.product(b.dh, s.back, dz, s.gates, b.wBack, t, g.rows, gates[max(0, i-1)*g.rows*s.gates:][:g.rows*s.gates])
		for n := range g.n {
			if b.dx != nil {
				for k, v := range b.dh[n*s.back+s.units:][:s.C] {
					b.dx[((g.first+n)*s.C+k)*s.T+t0+i] = v
				}
			}
		}
	}
	copyRows(place(0), s.row, h, s.cell, g.rows, s.units)
	b.outer(t0, 0, min(b.block, steps), gates)
}

// outer adds steps [from, from+n) of the segment, whose inputs are in hist, to the gradient of the weights.
func (b *lstmBacker) outer(t0, from, n int, gates []float32) {
	g, s := b.g, b.lstmShape
	for i := range n {
		s.input(g, b.hist[i*g.rows*s.row:], b.x, t0+from+i)
	}
	d := &gates[from*g.rows*s.gates]
	outer := func(t *lstmTier, v, w int) { // w vectors from column v on
		t.outer[w-1](&b.sum[v], uintptr(s.row)*4, d, uintptr(s.gates)*4, &b.hist[v], uintptr(s.row)*4,
			n*g.rows, 4*s.units/t.outerTile[w-1])
	}
	lanes, cols := s.tier.lanes, s.columns(s.depth)
	narrow := cols % lanes
	for v := 0; v < cols-narrow; v += 3 * lanes {
		outer(s.tier, v, min(3, (cols-narrow-v)/lanes))
	}
	if narrow > 0 {
		outer(s.tier.narrow, cols-narrow, 1)
	}
}
