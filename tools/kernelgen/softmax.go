package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// softmax is the softmax of rows, in vectors of eight.
func softmax(a isa) {
	a.function("softmax", "func(prob, sums, tops, logits *float32, rows, full, tail int, columns float32)",
		fmt.Sprintf("softmax%s writes, for rows of 8*full+tail logits, the largest to tops, the sum of exp(logit-largest) to sums and those", a.name),
		"exponentials over their sum to prob. columns is tail.")
	prob, sums, tops, logits := param("prob"), param("sums"), param("tops"), param("logits")
	rows, full := param("rows"), param("full")
	low, high := a.vec(), a.vec()
	VMOVUPS(a.float(-69), low) // as for a sigmoid, far below what a sum can see
	VMOVUPS(a.float(math.Log2E), high)
	keep, floor, top, sum := a.vec(), a.vec(), a.vec(), a.vec()
	x, f, r, p := a.vec(), a.vec(), a.vec(), a.vec()
	// The lanes of the tail: keep where there is a logit, floor -Inf where there is none.
	VBROADCASTSS(address("columns"), floor)
	VMOVUPS(a.iota(), keep)
	VCMPPS(Imm(1), floor, keep, keep)
	VXORPS(a.bits(math.MaxUint32), keep, floor)
	VANDPS(a.float(math.Inf(-1)), floor, floor)
	size, bytes := GP64(), GP64() // of the full vectors of a row; of the tail
	MOVQ(full, size)
	SHLQ(Imm(5), size)
	MOVQ(param("tail"), bytes)
	SHLQ(Imm(2), bytes)
	at := GP64()
	each := func(name string, vector, rest func()) {
		XORQ(at, at)
		TESTQ(size, size)
		JE(LabelRef(name + "Rest"))
		Label(name)
		vector()
		ADDQ(Imm(32), at)
		CMPQ(at, size)
		JL(LabelRef(name))
		Label(name + "Rest")
		TESTQ(bytes, bytes)
		JE(LabelRef(name + "Done"))
		rest()
		Label(name + "Done")
	}
	across := func(v reg.VecVirtual, op func(ops ...Op)) { // the same in every lane
		VEXTRACTF128(Imm(1), v, x.AsX())
		op(x.AsX(), v.AsX(), v.AsX())
		for _, order := range []uint64{0b01_00_11_10, 0b10_11_00_01} {
			VSHUFPS(Imm(order), v.AsX(), v.AsX(), x.AsX())
			op(x.AsX(), v.AsX(), v.AsX())
		}
		VBROADCASTSS(v.AsX(), v)
	}
	in := Mem{Base: logits, Index: at, Scale: 1}
	out := Mem{Base: prob, Index: at, Scale: 1}
	exponential := func() {
		VSUBPS(top, x, x)
		a.exps(low, high, x, f, r, p)
	}
	// Rows of less than a vector stay in registers. As long as a whole vector of values is left, what a row loads and
	// stores beyond its end is the next row's and comes right when that is done; a masked store is slow on some processors.
	TESTQ(size, size)
	JNE(LabelRef("row"))
	left := GP64()
	MOVQ(rows, left)
	IMULQ(bytes, left)
	short := func(name string, load func(), store func()) {
		Label(name)
		load()
		VORPS(floor, x, x)
		VMOVAPS(x, sum)
		VMOVAPS(x, top)
		across(top, VMAXPS)
		VMOVSS(top.AsX(), Mem{Base: tops})
		VMOVAPS(sum, x)
		exponential()
		VANDPS(keep, p, p)
		VMOVAPS(p, sum)
		across(sum, VADDPS)
		VMOVSS(sum.AsX(), Mem{Base: sums})
		VDIVPS(sum, p, p)
		store()
		ADDQ(bytes, logits)
		ADDQ(bytes, prob)
		ADDQ(Imm(4), tops)
		ADDQ(Imm(4), sums)
	}
	CMPQ(left, Imm(32))
	JL(LabelRef("few"))
	short("short", func() {
		VMOVUPS(Mem{Base: logits}, x)
		VANDPS(keep, x, x)
	}, func() { VMOVUPS(p, Mem{Base: prob}) })
	DECQ(rows)
	JE(LabelRef("done"))
	SUBQ(bytes, left)
	CMPQ(left, Imm(32))
	JGE(LabelRef("short"))
	short("few", func() { VMASKMOVPS(Mem{Base: logits}, keep, x) }, func() { VMASKMOVPS(p, keep, Mem{Base: prob}) })
	DECQ(rows)
	JNE(LabelRef("few"))
	Label("done")
	end()
	Label("row")
	VMOVUPS(a.float(math.Inf(-1)), top)
	each("largest", func() { VMAXPS(in, top, top) }, func() {
		VMASKMOVPS(in, keep, x)
		VORPS(floor, x, x)
		VMAXPS(x, top, top)
	})
	across(top, VMAXPS)
	VMOVSS(top.AsX(), Mem{Base: tops})
	a.zero(sum)
	each("exp", func() {
		VMOVUPS(in, x)
		exponential()
		VMOVUPS(p, out)
		VADDPS(p, sum, sum)
	}, func() {
		VMASKMOVPS(in, keep, x)
		VORPS(floor, x, x)
		exponential()
		VANDPS(keep, p, p)
		VMASKMOVPS(p, keep, out)
		VADDPS(p, sum, sum)
	})
	across(sum, VADDPS)
	VMOVSS(sum.AsX(), Mem{Base: sums})
	each("share", func() {
		VMOVUPS(out, x)
		VDIVPS(sum, x, x)
		VMOVUPS(x, out)
	}, func() {
		VMASKMOVPS(out, keep, x)
		VDIVPS(sum, x, x)
		VMASKMOVPS(x, keep, out)
	})
	ADDQ(size, logits)
	ADDQ(bytes, logits)
	ADDQ(size, prob)
	ADDQ(bytes, prob)
	ADDQ(Imm(4), tops)
	ADDQ(Imm(4), sums)
	DECQ(rows)
	JNE(LabelRef("row"))
	end()
}

// sumSquares leaves a sum for every lane of four vectors.
func sumSquares(a isa) {
	a.function("sumSquares", "func(sums, x *float32, n int)",
		fmt.Sprintf("sumSquares%s writes %d partial sums of the squares of n values.", a.name, 4*a.lanes))
	sums, x, n := param("sums"), param("x"), param("n")
	const count = 4
	s, v := a.vecs(count), a.vecs(count)
	for i := range s {
		a.zero(s[i])
	}
	a.sweep(n, count, []reg.GPVirtual{x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, v[i])
			VFMADD231PS(v[i], v[i], s[i])
		}
	})
	for i := range s {
		VMOVUPS(s[i], Mem{Base: sums, Disp: i * a.bytes()})
	}
	end()
}
