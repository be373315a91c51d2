package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gemmFamily writes the kernels of small matrix products, and the curves behind them. A tile of three vectors is the best
// of each instruction set; the others are for what is left at the edges. With 512 bits, a half vector serves edges of up
// to eight columns: some processors take two cycles for a whole one.
func gemmFamily(a isa) {
	for _, rows := range []int{8, 4, 2, 1} {
		if a.masks || rows < 8 {
			gemm(a, "", rows, 3, false)
			gemm(a, "", rows, 2, false)
		}
		gemm(a, "Part", rows, 1, true)
		if a.masks {
			half := a
			half.half = true
			gemm(half, "Half", rows, 1, true)
		}
	}
	for _, c := range []struct {
		name string
		curve
	}{{"logistic", sigmoid}, {"tanh", hyperbolic}} {
		curveOf(a, c.name, c.curve)
		slopeOf(a, c.name, c.tanh)
	}
	few := avx2 // the rows are short, half vectors serve them better
	few.name = a.name
	sumSquares(a)
	softmax(few) // last: its constants are half as long
}

// gemm is the product of a few rows with a few vectors of columns. Each element is one sum in the order of k, so that no
// choice of tiles changes a bit.
func gemm(a isa, kind string, rows, vecs int, part bool) {
	name, columns := fmt.Sprintf("gemm%d%s", rows, kind), ", columns float32"
	if !part {
		name, columns = fmt.Sprintf("gemm%dx%d", rows, vecs), ""
	}
	lanes := vecs * a.width()
	what := fmt.Sprintf("%d columns", lanes)
	if part {
		what = fmt.Sprintf("the first of %d columns, as many as columns says,", lanes)
	}
	a.function(name, "func(dst *float32, ds uintptr, a *float32, ar, ak uintptr, b *float32, bs uintptr, from *float32, fs uintptr, floor float32, k, groups int"+columns+")",
		fmt.Sprintf("%s%s writes dst[r][c] = max(floor, from[r][c] + the sum over k of a[r][k] * b[k][c]) for %s", name, a.name, what),
		fmt.Sprintf("and groups times %d rows. ds, ar, ak, bs and fs are the strides of dst[r], a[r], a[][k], b[k] and from[r] in bytes;", rows),
		"from nil is zeros. Both counts are at least 1.")
	dst, ds, start, ar, ak := param("dst"), param("ds"), param("a"), param("ar"), param("ak")
	bs, from, groups := param("bs"), param("from"), param("groups")
	var keep reg.Register
	if part {
		count, limit := a.wide(), a.wide()
		VBROADCASTSS(address("columns"), limit)
		VMOVUPS(a.iota(), count)
		if a.masks {
			k := K()
			VCMPPS(Imm(1), limit, count, k)
			keep = k
		} else {
			VCMPPS(Imm(1), limit, count, count)
			keep = count
		}
	}
	load := func(m Mem, v reg.Register) {
		switch {
		case !part:
			VMOVUPS(m, v)
		case a.masks:
			VMOVUPS_Z(m, keep, v)
		default:
			VMASKMOVPS(m, keep, v)
		}
	}
	store := func(v reg.Register, m Mem) {
		switch {
		case !part:
			VMOVUPS(v, m)
		case a.masks:
			VMOVUPS(v, keep, m)
		default:
			VMASKMOVPS(v, keep, m)
		}
	}
	sums := make([][]reg.VecVirtual, rows)
	for r := range sums {
		sums[r] = make([]reg.VecVirtual, vecs)
		for v := range sums[r] {
			sums[r][v] = a.wide()
		}
	}
	in := make([]reg.VecVirtual, vecs)
	for v := range in {
		in[v] = a.wide()
	}
	free := a.regs - rows*vecs - vecs
	if part && !a.masks {
		free--
	}
	values := make([]reg.VecVirtual, min(free, rows, 4))
	for i := range values {
		values[i] = a.wide()
	}
	bases := make([]reg.GPVirtual, (rows+2)/3) // rows 0, 3 and 6; an index reaches the two after each
	for i := range bases {
		bases[i] = GP64()
	}
	row := func(r int) Mem {
		m := Mem{Base: bases[r/3]}
		if r%3 > 0 {
			m.Index, m.Scale = ar, uint8(r%3)
		}
		return m
	}
	Label("group")
	MOVQ(start, bases[0])
	for i := 1; i < len(bases); i++ {
		LEAQ(Mem{Base: bases[i-1], Index: ar, Scale: 2}, bases[i])
		ADDQ(ar, bases[i])
	}
	for r := range sums {
		for v := range sums[r] {
			a.zero(sums[r][v])
		}
	}
	b, k := param("b"), param("k")
	Label("loop")
	for v := range in {
		load(Mem{Base: b, Disp: 4 * a.width() * v}, in[v])
	}
	for r := range rows {
		x := values[r%len(values)]
		VBROADCASTSS(row(r), x)
		for v := range in {
			VFMADD231PS(in[v], x, sums[r][v])
		}
	}
	for _, p := range bases {
		ADDQ(ak, p)
	}
	ADDQ(bs, b)
	DECQ(k)
	JNE(LabelRef("loop"))
	TESTQ(from, from)
	JE(LabelRef("end"))
	fs := param("fs")
	for r := range sums {
		for v := range sums[r] {
			load(Mem{Base: from, Disp: 4 * a.width() * v}, in[v])
			VADDPS(in[v], sums[r][v], sums[r][v])
		}
		ADDQ(fs, from)
	}
	Label("end")
	VBROADCASTSS(address("floor"), in[0])
	for r := range sums {
		for v := range sums[r] {
			VMAXPS(sums[r][v], in[0], sums[r][v]) // NaN stays
			store(sums[r][v], Mem{Base: dst, Disp: 4 * a.width() * v})
		}
		ADDQ(ds, dst)
	}
	if rows == 1 {
		ADDQ(ar, start)
	} else {
		LEAQ(Mem{Base: start, Index: ar, Scale: uint8(rows)}, start)
	}
	DECQ(groups)
	JNE(LabelRef("group"))
	end()
}

// curveOf is a curve over values.
func curveOf(a isa, name string, c curve) {
	a.function(name, "func(y, x *float32, n int)", fmt.Sprintf("%s%s writes the %s function of n values. y may be x.", name, a.name, name))
	y, x, n := param("y"), param("x"), param("n")
	l := a.limits()
	const count = 2
	v, scratch := a.vecs(count), a.vecs(2*count)
	a.sweep(n, count, []reg.GPVirtual{y, x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, v[i])
		}
		kinds := []curve{c, c}
		a.curves(l, kinds[:w.count], v[:w.count], scratch[:2*w.count])
		for i := range w.count {
			w.store(v[i], y, i)
		}
	})
	end()
}

// slopeOf multiplies by the derivative of a curve.
func slopeOf(a isa, name string, tanh bool) {
	what := "y*(1-y)"
	if tanh {
		what = "(1-y*y)"
	}
	a.function(name+"Slope", "func(dx, dy, y *float32, n int)",
		fmt.Sprintf("%sSlope%s writes dx = dy*%s for n values: y is the curve's value. dx may be dy.", name, a.name, what))
	dx, dy, y, n := param("dx"), param("dy"), param("y"), param("n")
	one := a.vec()
	VMOVUPS(a.float(1), one)
	const count = 2
	v, d, s := a.vecs(count), a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{dx, dy, y}, func(w sweep) {
		for i := range w.count {
			w.load(y, i, v[i])
			w.load(dy, i, d[i])
			if tanh {
				VMOVAPS(v[i], s[i])
				VFNMADD213PS(one, v[i], s[i])
			} else {
				VSUBPS(v[i], one, s[i])
				VMULPS(v[i], s[i], s[i])
			}
			VMULPS(s[i], d[i], d[i])
		}
		for i := range w.count {
			w.store(d[i], dx, i)
		}
	})
	end()
}
