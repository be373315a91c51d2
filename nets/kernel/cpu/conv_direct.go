package cpu

import "earshot/nets/kernel/internal/parallel"

// direct computes a convolution by its definition, in tiles of a few output channels by up to three vectors of time.
//
// A work item is a chunk of one row's time, packed with its margins and read through its activation on the way. The
// sum of an output runs over channels, then taps, whatever the tile and the chunk: no partition changes a bit, so the
// partition may follow the number of threads.
func (be *Backend) direct(c convolution) {
	k := &be.tier.conv
	d := &be.directPlan // kept, so that a call leaves no garbage
	*d = plan(k, c, be.pool.Threads())
	defer func() { *d = directPlan{} }() // but holds no one's memory
	be.shared.reset(d.blocks*k.rows*(c.in*c.taps+1), 2)
	d.packed = be.shared.take(d.blocks * k.rows * c.in * c.taps)
	d.biases = be.shared.take(d.blocks * k.rows)
	clear(d.biases[copy(d.biases, c.bias):])
	d.packWeights(be.pool)
	be.pool.Run(c.n*d.chunks*d.groups, func(worker, item int) {
		s := &be.scratch[worker]
		s.reset(d.in*d.rowLen+k.rows*3*k.lanes, 2)
		w := directWorker{directPlan: d, rows: s.take(d.in * d.rowLen), edge: s.take(k.rows * 3 * k.lanes)}
		n, chunk, group := item/(d.chunks*d.groups), item/d.groups%d.chunks, item%d.groups
		t0 := chunk * d.chunk
		w.run(n, t0, min(t0+d.chunk, d.t), group*d.groupBlocks, min((group+1)*d.groupBlocks, d.blocks))
	})
}

// directPlan is the blocking of one direct convolution.
type directPlan struct {
	convolution
	k      *convTier
	packed []float32 // w as (blocks, in, taps, rows)
	biases []float32 // (blocks*rows)

	blocks              int // of output channels
	chunk, chunks       int // of time
	groups, groupBlocks int // of blocks: a chunk's outputs are shared out where there are few chunks
	rowLen              int // of a packed channel
	channelBlock        int
	timeOuter, unpacked bool
}

const (
	chunkSteps   = 480     // a chunk of 128 channels fills half of a 512 KiB cache
	chunkMost    = 1920    // for few channels: more work per item
	chunkValues  = 65536   // what a packed chunk should not exceed
	tileProducts = 1 << 15 // channels*taps of one call: at most 0.3 ms
	itemsPerCore = 6
)

func plan(k *convTier, c convolution, threads int) directPlan {
	width := 3 * k.lanes
	d := directPlan{convolution: c, k: k, blocks: ceilDiv(c.out, k.rows)}
	d.unpacked = c.taps == 1 && c.pad == 0 && c.act.identity()
	d.timeOuter = c.taps <= k.timeOuter
	steps := min(max(chunkSteps, chunkValues/c.in), chunkMost)
	if c.taps == 1 {
		steps = 2 * chunkSteps
	}
	d.chunks = ceilDiv(c.t, steps)
	d.chunk = roundUp(ceilDiv(c.t, d.chunks), width)
	d.chunks = ceilDiv(c.t, d.chunk)
	d.groups = min(d.blocks, ceilDiv(itemsPerCore*threads, c.n*d.chunks))
	if threads == 1 {
		d.groups = 1
	}
	d.groupBlocks = ceilDiv(d.blocks, d.groups)
	d.groups = ceilDiv(d.blocks, d.groupBlocks)
	d.rowLen = roundUp(d.chunk+(c.taps-1)*c.dilation, lineValues) + lineValues
	if d.rowLen%512 == 0 {
		d.rowLen += lineValues // rows of one tile must not meet in one cache set
	}
	if d.unpacked {
		d.rowLen = lineValues // less than a vector is packed
	}
	d.channelBlock = max(1, tileProducts/c.taps)
	if !d.timeOuter && k.channelBlock > 0 {
		d.channelBlock = min(d.channelBlock, k.channelBlock)
	}
	d.channelBlock = min(d.channelBlock, c.in)
	return d
}

// packWeights lays the weights out in the order in which tiles read them; channels beyond the last are 0.
func (d *directPlan) packWeights(pool *parallel.Pool) {
	rows, taps := d.k.rows, d.taps
	pool.Run(d.blocks, func(_, block int) {
		dst := d.packed[block*rows*d.in*taps:][:rows*d.in*taps]
		for r := range rows {
			out := block*rows + r
			if out >= d.out {
				for j := r; j < len(dst); j += rows {
					dst[j] = 0
				}
				continue
			}
			at := r
			for in := range d.in {
				src := d.w[out*d.pullOut+in*d.pullIn:][:taps]
				if d.reversed {
					for tap := taps - 1; tap >= 0; tap-- {
						dst[at] = src[tap]
						at += rows
					}
					continue
				}
				for _, v := range src {
					dst[at] = v
					at += rows
				}
			}
		}
	})
}

// directWorker is one worker's view of a direct convolution.
type directWorker struct {
	*directPlan
	rows []float32 // packed channels of the item
	edge []float32 // a tile that does not fit into y
}

// run computes output blocks b0 to b1 of row n at steps t0 to t1.
func (d *directWorker) run(n, t0, t1, b0, b1 int) {
	if d.unpacked {
		// Tiles read whole vectors: what is left of the last one is packed, so that nothing behind x is touched.
		whole := t0 + (t1-t0)/d.k.lanes*d.k.lanes
		if whole > t0 {
			d.tiles(n, t0, whole, b0, b1, d.x[n*d.inStride*d.t+t0:], d.t)
		}
		if t0 = whole; t0 == t1 {
			return
		}
	}
	for c := range d.in {
		row := d.x[(n*d.inStride+c)*d.t:][:d.t]
		d.act.pack(d.k, d.rows[c*d.rowLen:][:d.rowLen], row, t0-d.pad, t1-d.pad+(d.taps-1)*d.dilation, c)
	}
	d.tiles(n, t0, t1, b0, b1, d.rows, d.rowLen)
}

// tiles goes through the tiles of an item in the order that keeps what is read most in the nearest cache. x holds the
// input from step t0-pad on, a channel every stride values.
func (d *directWorker) tiles(n, t0, t1, b0, b1 int, x []float32, stride int) {
	width := 3 * d.k.lanes
	for c0 := 0; c0 < d.in; c0 += d.channelBlock {
		if d.timeOuter {
			for t := t0; t < t1; t += width {
				for b := b0; b < b1; b++ {
					d.tile(n, t, min(t+width, t1), b, c0, &x[c0*stride+t-t0], stride)
				}
			}
			continue
		}
		for b := b0; b < b1; b++ {
			for t := t0; t < t1; t += width {
				d.tile(n, t, min(t+width, t1), b, c0, &x[c0*stride+t-t0], stride)
			}
		}
	}
}

// tile adds input channels from c0 on to the outputs of block b at steps t to end.
func (d *directWorker) tile(n, t, end, b, c0 int, x *float32, stride int) {
	k := d.k
	steps := end - t
	vecs := ceilDiv(steps, k.lanes)
	f := k.tiles[vecs-1]
	channels, taps, step := min(d.channelBlock, d.in-c0), d.taps, uintptr(4*d.dilation)
	if taps == 1 { // the channels take the place of the taps: one inner loop
		channels, taps, step = 1, channels, uintptr(4*stride)
		if d.unpacked && vecs == 3 {
			f = k.far
		}
	}
	w := &d.packed[(b*d.in+c0)*d.taps*k.rows]
	bias := &d.biases[b*k.rows]
	acc := d.acc || c0 > 0
	mask := uint64(1)<<steps - 1
	out := (n*d.outStride + b*k.rows) * d.t
	if rows := d.out - b*k.rows; rows < k.rows || steps < vecs*k.lanes && !k.masks {
		rows = min(rows, k.rows)
		width := vecs * k.lanes
		for r := 0; r < rows && acc; r++ {
			copy(d.edge[r*width:], d.y[out+r*d.t+t:out+r*d.t+end])
		}
		f(&d.edge[0], uintptr(4*width), x, uintptr(4*stride), w, channels, taps, step, bias, flag(acc), mask)
		for r := range rows {
			copy(d.y[out+r*d.t+t:out+r*d.t+end], d.edge[r*width:])
		}
		return
	}
	f(&d.y[out+t], uintptr(4*d.t), x, uintptr(4*stride), w, channels, taps, step, bias, flag(acc), mask)
}
