package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// convFamily writes the kernels of convolution. The tiles are the measured best of each instruction set: 12 of 16 or
// 24 of 32 registers accumulate, 3 hold inputs, the rest weights.
func convFamily(a isa) {
	rows, pairs := 4, 6
	if a.masks {
		rows, pairs = 8, 12
	}
	for vecs := 1; vecs <= 3; vecs++ {
		convTile(a, rows, vecs, 2, 0)
	}
	convTile(a, rows, 3, 1, 384)
	convOuter(a, pairs, 2)
	convPack(a)
	if a.masks {
		transpose16(a)
	} else {
		transpose8(a)
	}
	fmaPeak(a)
}

// convTile is the kernel of the forward pass and of the gradient of the input: rows output channels by vecs vectors of
// time, unrolled over unroll taps. ahead > 0 prefetches the input that many bytes ahead, for input that was not packed.
func convTile(a isa, rows, vecs, unroll, ahead int) {
	name := fmt.Sprintf("convTile%d", vecs)
	if ahead > 0 {
		name = "convTileFar"
	}
	a.function(name, "func(y *float32, ys uintptr, x *float32, xs uintptr, w *float32, channels, taps int, step uintptr, bias *float32, acc int, mask uint64)",
		fmt.Sprintf("%s%s computes %d output channels at %d steps: y[r][t] = bias[r] (acc != 0: y[r][t]) plus the sum over", name, a.name, rows, vecs*a.lanes),
		fmt.Sprintf("channels c and taps k of w[c][k][r] * x[c][t+k*step]. Strides ys, xs and step are in bytes; w is (channels, taps, %d).", rows),
		"Both counts are at least 1. mask has a bit per step to store; AVX2 stores all.")
	y, ys, x, xs, w := param("y"), param("ys"), param("x"), param("xs"), param("w")
	channels, taps, step := param("channels"), param("taps"), param("step")
	var keep []reg.OpmaskVirtual
	if a.masks {
		keep = a.masked(param("mask"), vecs)
	}
	sums := make([][]reg.VecVirtual, rows)
	for r := range sums {
		sums[r] = a.vecs(vecs)
	}
	acc := param("acc")
	TESTQ(acc, acc)
	JNE(LabelRef("accumulate"))
	bias := param("bias")
	for r := range sums {
		VBROADCASTSS(Mem{Base: bias, Disp: 4 * r}, sums[r][0])
		for v := 1; v < vecs; v++ {
			VMOVAPS(sums[r][0], sums[r][v])
		}
	}
	JMP(LabelRef("start"))
	Label("accumulate")
	yp := GP64()
	MOVQ(y, yp)
	for r := range sums {
		for v := range sums[r] {
			m := Mem{Base: yp, Disp: a.bytes() * v}
			if a.masks {
				VMOVUPS_Z(m, keep[v], sums[r][v])
			} else {
				VMOVUPS(m, sums[r][v])
			}
		}
		if r < rows-1 {
			ADDQ(ys, yp)
		}
	}
	Label("start")
	in := a.vecs(vecs)
	weights := a.vecs(min(a.regs-rows*vecs-vecs, rows, 4))
	tap := func(xm Mem, disp int) {
		for v := range in {
			m := xm.Offset(a.bytes() * v)
			VMOVUPS(m, in[v])
			if ahead > 0 && a.bytes()*v%64 == 0 {
				PREFETCHT0(m.Offset(ahead))
			}
		}
		for r := range sums {
			wr := weights[r%len(weights)]
			VBROADCASTSS(Mem{Base: w, Disp: disp + 4*r}, wr)
			for v := range sums[r] {
				VFMADD231PS(in[v], wr, sums[r][v])
			}
		}
	}
	left, xp := GP64(), GP64()
	Label("channel")
	MOVQ(taps, left)
	MOVQ(x, xp)
	if unroll > 1 {
		SUBQ(Imm(uint64(unroll)), left)
		JL(LabelRef("rest"))
		Label("unrolled")
		for u := range unroll {
			m := Mem{Base: xp}
			if u > 0 {
				m.Index, m.Scale = step, uint8(u)
			}
			tap(m, 4*rows*u)
		}
		LEAQ(Mem{Base: xp, Index: step, Scale: uint8(unroll)}, xp)
		ADDQ(U32(4*rows*unroll), w)
		SUBQ(Imm(uint64(unroll)), left)
		JGE(LabelRef("unrolled"))
		Label("rest")
		ADDQ(Imm(uint64(unroll)), left)
		JE(LabelRef("next"))
	}
	Label("one")
	tap(Mem{Base: xp}, 0)
	ADDQ(step, xp)
	ADDQ(U32(4*rows), w)
	DECQ(left)
	JNE(LabelRef("one"))
	Label("next")
	ADDQ(xs, x)
	DECQ(channels)
	JNE(LabelRef("channel"))
	for r := range sums {
		for v := range sums[r] {
			m := Mem{Base: y, Disp: a.bytes() * v}
			if a.masks {
				VMOVUPS(sums[r][v], keep[v], m)
			} else {
				VMOVUPS(sums[r][v], m)
			}
		}
		if r < rows-1 {
			ADDQ(ys, y)
		}
	}
	end()
}

// convOuter is the kernel of the gradient of the weights: an outer product over time of pairs (channel, tap) rows with
// vecs vectors of filters. The rows may lie anywhere, so no combination of channels and taps wastes work.
func convOuter(a isa, pairs, vecs int) {
	a.function("convOuter", "func(acc, x *float32, off *int64, dy *float32, steps int)",
		fmt.Sprintf("convOuter%s adds to acc[p][f] the sum over t of x[off[p]/4+t] * dy[t][f], %d pairs p by %d filters f.", a.name, pairs, vecs*a.lanes),
		"off is in bytes; steps is even and not 0.")
	x, off, dy, steps := param("x"), param("off"), param("dy"), param("steps")
	SHLQ(Imm(2), steps)
	ADDQ(steps, x)
	ptr := make([]reg.GPVirtual, pairs)
	for i := range ptr {
		ptr[i] = GP64()
		MOVQ(Mem{Base: off, Disp: 8 * i}, ptr[i])
		ADDQ(x, ptr[i])
	}
	NEGQ(steps) // ptr[i]+steps runs from the first value of the row to its end
	acc := param("acc")
	at := func(p, v int) Mem { return Mem{Base: acc, Disp: (p*vecs + v) * a.bytes()} }
	sums := make([][]reg.VecVirtual, pairs)
	for p := range sums {
		sums[p] = a.vecs(vecs)
		for v := range sums[p] {
			VMOVUPS(at(p, v), sums[p][v])
		}
	}
	g := a.vecs(vecs)
	values := a.vecs(min(a.regs-pairs*vecs-vecs, 4))
	Label("loop")
	for u := range 2 {
		for v := range g {
			VMOVUPS(Mem{Base: dy, Disp: a.bytes() * (u*vecs + v)}, g[v])
		}
		for p := range sums {
			xv := values[p%len(values)]
			VBROADCASTSS(Mem{Base: ptr[p], Index: steps, Scale: 1, Disp: 4 * u}, xv)
			for v := range g {
				VFMADD231PS(g[v], xv, sums[p][v])
			}
		}
	}
	ADDQ(U32(2*a.bytes()*vecs), dy)
	ADDQ(Imm(8), steps)
	JNE(LabelRef("loop"))
	acc = param("acc") // again: it does not fit into a register through the loop
	for p := range sums {
		for v := range sums[p] {
			VMOVUPS(sums[p][v], at(p, v))
		}
	}
	end()
}

// convPack reads a row through a pending activation. Every value is formed by the same operations wherever it lies in
// the row, so that cutting the row differently never changes a bit.
func convPack(a isa) {
	a.function("convPack", "func(dst, src *float32, scale, shift, floor float32, n int, ahead uintptr)",
		fmt.Sprintf("convPack%s writes dst[i] = max(floor, scale*src[i]+shift), rounded once before the maximum; NaN stays NaN.", a.name),
		"It prefetches what lies ahead bytes behind src: the next row, whose first lines no stream detector foresees.")
	dst, src, n, ahead := param("dst"), param("src"), param("n"), param("ahead")
	scale, shift, floor := a.vec(), a.vec(), a.vec()
	VBROADCASTSS(Load(Param("scale"), XMM()), scale)
	VBROADCASTSS(Load(Param("shift"), XMM()), shift)
	VBROADCASTSS(Load(Param("floor"), XMM()), floor)
	v := a.vecs(4)
	block := func(label, after string, count int) {
		size := count * a.lanes
		SUBQ(U32(size), n)
		JL(LabelRef(after))
		Label(label)
		for i := range count {
			VMOVUPS(Mem{Base: src, Disp: a.bytes() * i}, v[i])
			if a.bytes()*i%64 == 0 {
				PREFETCHT0(Mem{Base: src, Index: ahead, Scale: 1, Disp: a.bytes() * i})
			}
		}
		for i := range count {
			VFMADD213PS(shift, scale, v[i])
			VMAXPS(v[i], floor, v[i])
		}
		for i := range count {
			VMOVUPS(v[i], Mem{Base: dst, Disp: a.bytes() * i})
		}
		ADDQ(U32(4*size), src)
		ADDQ(U32(4*size), dst)
		SUBQ(U32(size), n)
		JGE(LabelRef(label))
		Label(after)
		ADDQ(U32(size), n)
	}
	block("four", "fewer", 4)
	block("vector", "single", 1)
	TESTQ(n, n)
	JE(LabelRef("done"))
	Label("value")
	x := v[0].AsX()
	VMOVSS(Mem{Base: src}, x)
	VFMADD213SS(shift.AsX(), scale.AsX(), x)
	VMAXSS(x, floor.AsX(), x)
	VMOVSS(x, Mem{Base: dst})
	ADDQ(Imm(4), src)
	ADDQ(Imm(4), dst)
	DECQ(n)
	JNE(LabelRef("value"))
	Label("done")
	end()
}

// fmaPeak measures the processor: independent multiplications in registers, as many as can be in flight.
func fmaPeak(a isa) {
	const chains = 12
	a.function("fmaPeak", "func(n int)",
		fmt.Sprintf("fmaPeak%s runs n rounds of %d independent vector multiply-adds: the limit that kernels are compared with.", a.name, 2*chains))
	n := param("n")
	v := a.vecs(chains)
	for i := range v {
		a.zero(v[i])
	}
	x := a.vec()
	a.zero(x)
	Label("loop")
	for i := range 2 * chains {
		VFMADD231PS(x, x, v[i%chains])
	}
	DECQ(n)
	JNE(LabelRef("loop"))
	end()
}
