package cpu

import "earshot/nets/kernel"

// Conv1DBackwardFilter implements kernel.Backend: outer products over time of pairs (channel, tap) with filters, from
// dy turned to (time, filter). db is the pair whose input is 1.
//
// The chunks of all rows are dealt to a fixed number of parts, each with its own sums, which are added in order at the
// end; filters and channels are shared out too where that leaves too few items. All of it follows from the shapes, so
// the number of threads changes no bit.
func (be *Backend) Conv1DBackwardFilter(p kernel.Conv, dw, db, dy, x kernel.Buf, a kernel.Act) {
	const name = "Conv1DBackwardFilter"
	p = fill(p)
	f := &be.filterPlan // kept, so that a call leaves no garbage
	*f = planFilter(&be.tier.conv, p, db.None())
	defer func() { *f = filterPlan{} }() // but holds no one's memory
	f.x = values(name, "x", x, spread(p.N, p.C, p.XStride, p.T))
	f.dy = values(name, "dy", dy, spread(p.N, p.F, p.YStride, p.T))
	f.dw = values(name, "dw", dw, p.F*p.C*p.K)
	f.db = optional(name, "db", db, p.F)
	f.act = newPending(name, a, p.C)
	if p.N == 0 || p.T == 0 {
		clear(f.dw)
		clear(f.db)
		return
	}
	be.shared.reset(f.parts*f.partLen, 1)
	f.sums = be.shared.take(f.parts * f.partLen)
	be.offsets = f.offsets(be.offsets)
	f.off = be.offsets
	be.pool.Run(f.parts*f.panelGroups*f.channelGroups, func(worker, item int) {
		s := &be.scratch[worker]
		rows, panels, turn := (f.channels+1)*f.rowLen, f.panels*f.chunk*f.k.filters, f.k.lanes*f.chunk
		s.reset(rows+panels+turn, 3)
		w := filterWorker{filterPlan: f, rows: s.take(rows), dyt: s.take(panels), turn: s.take(turn)}
		w.run(item/(f.panelGroups*f.channelGroups), item/f.channelGroups%f.panelGroups, item%f.channelGroups)
	})
	be.pool.Run(f.allPanels*f.channelGroups, func(_, item int) { f.reduce(item/f.channelGroups, item%f.channelGroups) })
}

// filterPlan is the partition of one gradient of the weights.
type filterPlan struct {
	kernel.Conv
	k               *convTier
	x, dy, dw, db   []float32
	act             pending
	sums            []float32 // (parts, allPanels, channelGroups, pairs, filters)
	off             []int64   // of a pair's row in the packed input, in bytes
	chunk, chunks   int       // of one row's time
	parts           int       // of all chunks of all rows
	partLen         int
	allPanels       int // of filters
	panelGroups     int
	panels          int // in a group
	channelGroups   int
	channels, pairs int // in a group; pairs with bias and rounded up
	rowLen          int
}

const (
	filterParts  = 32      // at most: enough for many cores
	filterItems  = 8       // at least: filters and channels are shared out below it, at the price of packing twice
	filterValues = 1 << 20 // of partial sums: 4 MiB, unless the weights themselves are more
	partSteps    = 512     // with less time, a part costs too much to add
	groupTiles   = 4       // tiles of pairs in a group of channels, at least: the last one is only partly used
)

func planFilter(k *convTier, p kernel.Conv, noBias bool) filterPlan {
	f := filterPlan{Conv: p, k: k, allPanels: ceilDiv(p.F, k.filters)}
	steps := min(max(chunkValues/p.C, chunkSteps/2), chunkSteps)
	f.chunks = max(ceilDiv(p.T, steps), 1)
	f.chunk = roundUp(max(ceilDiv(p.T, f.chunks), 1), k.lanes)
	f.chunks = max(ceilDiv(p.T, f.chunk), 1)
	f.rowLen = roundUp(f.chunk+(p.K-1)*p.Dilation, lineValues) + lineValues

	f.parts = min(filterParts, p.N*f.chunks, p.N*p.T/partSteps, filterValues/(f.allPanels*k.filters*p.C*p.K))
	for _, even := range []int{4, 2, 1} { // a number that threads can share evenly
		if f.parts >= even {
			f.parts -= f.parts % even
			break
		}
	}
	f.parts = max(f.parts, 1)
	f.panels = ceilDiv(f.allPanels, min(f.allPanels, ceilDiv(filterItems, f.parts)))
	f.panelGroups = ceilDiv(f.allPanels, f.panels)
	f.channelGroups = max(1, min(p.C*p.K/(groupTiles*k.pairs), p.C, ceilDiv(filterItems, f.parts*f.panelGroups)))
	f.channels = ceilDiv(p.C, f.channelGroups)
	f.channelGroups = ceilDiv(p.C, f.channels)
	f.pairs = roundUp(f.channels*p.K+flag(!noBias), k.pairs)
	f.partLen = f.allPanels * f.channelGroups * f.pairs * k.filters
	return f
}

// offsets lists where the rows of the pairs begin in a group's packed input: first the row of ones behind the channels,
// which the bias reads, then channel by channel the taps; the last pair again for what fills the last tile.
func (f *filterPlan) offsets(table []int64) []int64 {
	table = append(table[:0], int64(4*f.channels*f.rowLen))
	for c := range f.channels {
		for k := range f.K {
			table = append(table, int64(4*(c*f.rowLen+k*f.Dilation)))
		}
	}
	for range f.k.pairs {
		table = append(table, table[len(table)-1])
	}
	return table
}

// sumsOf is where the sums of one part, panel and channel group lie.
func (f *filterPlan) sumsOf(part, panel, group int) []float32 {
	n := f.pairs * f.k.filters
	return f.sums[part*f.partLen+(panel*f.channelGroups+group)*n:][:n]
}

// biasPairs is the number of pairs before those of the channels: the bias is the first group's.
func (f *filterPlan) biasPairs(group int) int { return flag(f.db != nil && group == 0) }

type filterWorker struct {
	*filterPlan
	rows []float32 // packed channels, and the row of ones
	dyt  []float32 // (panel, step, filter)
	turn []float32 // rows of dy that do not fill a block to be transposed
}

// run forms the sums of one item: its part's chunks, its panels of filters, its group of channels.
func (f *filterWorker) run(part, panelGroup, group int) {
	p0, p1 := panelGroup*f.panels, min((panelGroup+1)*f.panels, f.allPanels)
	c0, c1 := group*f.channels, min((group+1)*f.channels, f.C)
	bias := f.biasPairs(group)
	pairs := (c1-c0)*f.K + bias
	for p := p0; p < p1; p++ {
		clear(f.sumsOf(part, p, group))
	}
	ones := f.rows[f.channels*f.rowLen:][:f.rowLen]
	for i := range ones {
		ones[i] = 1
	}
	all := f.N * f.chunks
	for i := part * all / f.parts; i < (part+1)*all/f.parts; i++ {
		n, t0 := i/f.chunks, i%f.chunks*f.chunk
		t1 := min(t0+f.chunk, f.T)
		for c := c0; c < c1; c++ {
			row := f.x[(n*f.XStride+c)*f.T:][:f.T]
			f.act.pack(f.k, f.rows[(c-c0)*f.rowLen:][:f.rowLen], row, t0-f.PadLeft, t1-f.PadLeft+(f.K-1)*f.Dilation, c)
		}
		for p := p0; p < p1; p++ {
			dyt := f.dyt[(p-p0)*f.chunk*f.k.filters:]
			f.transpose(dyt, n, p, t0, t1)
			sums := f.sumsOf(part, p, group)
			for j := 0; j < pairs; j += f.k.pairs {
				f.k.outer(&sums[j*f.k.filters], &f.rows[0], &f.off[1-bias+j], &dyt[0], roundUp(t1-t0, 2))
			}
		}
	}
}

// transpose turns steps t0 to t1 of a panel of dy to (step, filter); filters and steps that do not exist are 0.
func (f *filterWorker) transpose(dst []float32, n, panel, t0, t1 int) {
	lanes, filters := f.k.lanes, f.k.filters
	blocks := ceilDiv(t1-t0, lanes)
	for r := 0; r < filters; r += lanes {
		first := panel*filters + r
		if first+lanes <= f.F && (t1-t0)%lanes == 0 {
			f.k.transpose(&dst[r], uintptr(4*filters), &f.dy[(n*f.YStride+first)*f.T+t0], uintptr(4*f.T), blocks)
			continue
		}
		for i := range lanes {
			row := f.turn[i*f.chunk:][:f.chunk]
			have := 0
			if first+i < f.F {
				have = copy(row, f.dy[(n*f.YStride+first+i)*f.T+t0:][:t1-t0])
			}
			clear(row[have:])
		}
		f.k.transpose(&dst[r], uintptr(4*filters), &f.turn[0], uintptr(4*f.chunk), blocks)
	}
}

// reduce adds the parts of one panel and channel group in order and writes them to dw and db.
func (f *filterPlan) reduce(panel, group int) {
	const block = 16 // pairs whose sums stay in the nearest cache while they are turned
	filters, bias := f.k.filters, f.biasPairs(group)
	c0, c1 := group*f.channels, min((group+1)*f.channels, f.C)
	pairs := (c1-c0)*f.K + bias
	total := f.sumsOf(0, panel, group)
	for j0 := 0; j0 < pairs; j0 += block {
		j1 := min(j0+block, pairs)
		sum := total[j0*filters : j1*filters]
		for part := 1; part < f.parts; part++ {
			for i, v := range f.sumsOf(part, panel, group)[j0*filters : j1*filters] {
				sum[i] += v
			}
		}
		for r := 0; r < filters && panel*filters+r < f.F; r++ {
			row := f.dw[(panel*filters+r)*f.C*f.K+c0*f.K:]
			for j := j0; j < j1; j++ {
				if j < bias {
					f.db[panel*filters+r] = sum[r]
					continue
				}
				row[j-bias] = sum[(j-j0)*filters+r]
			}
		}
	}
}
