package cpu

import "earshot/nets/kernel"

// Linear implements kernel.Backend. The weights are transposed first, so that a vector holds neighboring outputs.
func (be *Backend) Linear(p kernel.Linear, y, x, w, b kernel.Buf) {
	const name = "Linear"
	ys, xs := values(name, "y", y, p.N*p.F), values(name, "x", x, p.N*p.C)
	ws, bs := values(name, "w", w, p.F*p.C), values(name, "b", b, p.F)
	stride := roundUp(p.F, lineValues)
	be.shared.reset(p.C*stride, 1)
	turned := be.shared.take(p.C * stride) // (C, F)
	be.turn(turned, stride, ws, p.F, p.C)
	floor := noFloor
	if p.Curve == kernel.ReLU {
		floor = 0
	}
	be.multiply(product{
		rows: p.N, cols: p.F, k: p.C, dst: ys, dstStride: p.F, a: xs, aRow: p.C, aK: 1,
		b: turned, bStride: stride, from: bs, floor: floor,
	})
	if c := p.Curve; c == kernel.Logistic || c == kernel.Tanh {
		f := be.tier.gemm.curve[c-kernel.Logistic]
		be.eachSpan(len(ys), func(i, n int) { f(&ys[i], &ys[i], n) })
	}
}

// LinearBackward implements kernel.Backend.
func (be *Backend) LinearBackward(p kernel.Linear, dx, dw, db, dy, y, x, w kernel.Buf) {
	const name = "LinearBackward"
	dws, dbs := values(name, "dw", dw, p.F*p.C), values(name, "db", db, p.F)
	dz, xs, ws := values(name, "dy", dy, p.N*p.F), values(name, "x", x, p.N*p.C), values(name, "w", w, p.F*p.C)
	if p.Curve != kernel.Identity {
		dys, ys := dz, values(name, "y", y, p.N*p.F)
		be.shared.reset(p.N*p.F, 1)
		dz = be.shared.take(p.N * p.F)
		f := be.tier.rows.positive
		if p.Curve != kernel.ReLU {
			f = be.tier.gemm.slope[p.Curve-kernel.Logistic]
		}
		be.eachSpan(len(dz), func(i, n int) { f(&dz[i], &dys[i], &ys[i], n) })
	}
	be.multiply(product{
		rows: p.F, cols: p.C, k: p.N, dst: dws, dstStride: p.C, a: dz, aRow: 1, aK: p.F,
		b: xs, bStride: p.C, floor: noFloor, depth: outerDepth,
	})
	be.multiply(product{ // column sums: ones times dz
		rows: 1, cols: p.F, k: p.N, dst: dbs, dstStride: p.F, a: be.one, b: dz, bStride: p.F, floor: noFloor,
	})
	if !dx.None() {
		be.multiply(product{
			rows: p.N, cols: p.C, k: p.F, dst: values(name, "dx", dx, p.N*p.C), dstStride: p.C, a: dz, aRow: p.F, aK: 1,
			b: ws, bStride: p.C, floor: noFloor,
		})
	}
}

// turn writes src (rows, cols) transposed to dst, whose rows have the given stride. Blocks of a vector each way at the end
// overlap those before.
func (be *Backend) turn(dst []float32, stride int, src []float32, rows, cols int) {
	lanes := be.tier.conv.lanes
	if rows < lanes || cols < lanes {
		for r := range rows {
			for c := range cols {
				dst[c*stride+r] = src[r*cols+c]
			}
		}
		return
	}
	full := cols / lanes
	be.pool.Run(ceilDiv(rows, turnRows), func(_, i int) {
		for r := i * turnRows; r < min(rows, (i+1)*turnRows); r += lanes {
			r := min(r, rows-lanes)
			for c := 0; c < full; c += turnBlocks {
				be.tier.conv.transpose(&dst[c*lanes*stride+r], uintptr(4*stride), &src[r*cols+c*lanes], uintptr(4*cols), min(turnBlocks, full-c))
			}
			if cols%lanes > 0 {
				c := cols - lanes
				be.tier.conv.transpose(&dst[c*stride+r], uintptr(4*stride), &src[r*cols+c], uintptr(4*cols), 1)
			}
		}
	})
}

const (
	turnRows   = 256     // rows of an item of turn, a multiple of every vector
	turnBlocks = 1 << 12 // blocks of one call of a kernel
)
