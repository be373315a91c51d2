package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lstmFamily writes the kernels of the LSTM. A row is one sequence. The gates of a row lie in blocks of one vector of
// units, [i f g o] each, and the last block holds the units that are left (a multiple of 4), [i f g o] again.
func lstmFamily(a isa) {
	rows := []int{4}
	if a.masks {
		rows = []int{4, 8}
	}
	for vecs := 1; vecs <= 3; vecs++ {
		for _, r := range rows {
			lstmMul(a, r, vecs)
		}
		outer := rows[len(rows)-1]
		if vecs == 1 {
			outer *= 2 // as many sums as a multiply-add takes cycles, twice
		}
		lstmOuter(a, outer, vecs)
	}
	lstmCell(a)
	lstmBack(a)
}

// lstmMul is the product of a few rows with a matrix, for the gates of a step and for the gradient that goes back.
func lstmMul(a isa, rows, vecs int) {
	a.function(fmt.Sprintf("lstmMul%dx%d", rows, vecs),
		"func(dst *float32, ds uintptr, src *float32, ss uintptr, w *float32, k, tiles, groups int)",
		fmt.Sprintf("lstmMul%dx%d%s writes dst[r][c] = the sum over k of src[r][k] * w[c/%d][k][c%%%d], for tiles times %d columns c and",
			rows, vecs, a.name, vecs*a.lanes, vecs*a.lanes, vecs*a.lanes),
		fmt.Sprintf("groups times %d rows r. ds and ss are in bytes; k is even; every count is at least 1.", rows))
	dst, ds, src, ss := param("dst"), param("ds"), param("src"), param("ss")
	w, tiles := param("w"), param("tiles")
	// Few sums: two sets, of even and of odd k, so that additions do not wait for each other.
	split := rows*vecs < 8
	sets := 1
	if split {
		sets = 2
	}
	sums := make([][][]reg.VecVirtual, sets)
	for s := range sums {
		sums[s] = make([][]reg.VecVirtual, rows)
		for r := range sums[s] {
			sums[s][r] = a.vecs(vecs)
		}
	}
	weights := a.vecs(vecs)
	values := a.vecs(min(a.regs-sets*rows*vecs-vecs, 4))
	bases := make([]reg.GPVirtual, (rows+2)/3) // rows 0, 3 and 6; an index reaches the two after each
	for i := range bases {
		bases[i] = GP64()
	}
	row := func(r int) Mem {
		m := Mem{Base: bases[r/3]}
		if r%3 > 0 {
			m.Index, m.Scale = ss, uint8(r%3)
		}
		return m
	}
	out, wp := GP64(), GP64()
	MOVQ(dst, out)
	Label("tile")
	MOVQ(src, bases[0])
	groups := param("groups")
	Label("group")
	for i := 1; i < len(bases); i++ {
		LEAQ(Mem{Base: bases[i-1], Index: ss, Scale: 2}, bases[i])
		ADDQ(ss, bases[i])
	}
	for _, set := range sums {
		for r := range set {
			for v := range set[r] {
				a.zero(set[r][v])
			}
		}
	}
	MOVQ(w, wp)
	k := param("k")
	Label("loop")
	for u := range 2 {
		for v := range weights {
			VMOVUPS(Mem{Base: wp, Disp: a.bytes() * (u*vecs + v)}, weights[v])
		}
		for r := range rows {
			x := values[r%len(values)]
			VBROADCASTSS(row(r).Offset(4*u), x)
			for v := range weights {
				VFMADD231PS(weights[v], x, sums[u%sets][r][v])
			}
		}
	}
	ADDQ(U32(2*vecs*a.bytes()), wp)
	for _, p := range bases {
		ADDQ(Imm(8), p)
	}
	SUBQ(Imm(2), k)
	JNE(LabelRef("loop"))
	for r := range rows {
		for v := range weights {
			if split {
				VADDPS(sums[1][r][v], sums[0][r][v], sums[0][r][v])
			}
			VMOVUPS(sums[0][r][v], Mem{Base: out, Disp: a.bytes() * v})
		}
		ADDQ(ds, out)
	}
	// The next rows: from row 0 at its end to row `rows` at its start.
	k = param("k")
	SHLQ(Imm(2), k)
	SUBQ(k, bases[0])
	LEAQ(Mem{Base: bases[0], Index: ss, Scale: 4}, bases[0])
	if rows == 8 {
		LEAQ(Mem{Base: bases[0], Index: ss, Scale: 4}, bases[0])
	}
	DECQ(groups)
	JNE(LabelRef("group"))
	MOVQ(wp, w)
	ADDQ(U32(vecs*a.bytes()), dst)
	MOVQ(dst, out)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	end()
}

// lstmOuter is the outer product over rows and steps that sums the gradient of the weights.
func lstmOuter(a isa, rows, vecs int) {
	a.function(fmt.Sprintf("lstmOuter%d", vecs),
		"func(acc *float32, as uintptr, d *float32, ds uintptr, x *float32, xs uintptr, n, tiles int)",
		fmt.Sprintf("lstmOuter%d%s adds to acc[r][c] the sum over n of d[n][r] * x[n][c], for tiles times %d rows r and %d columns c.",
			vecs, a.name, rows, vecs*a.lanes),
		"as, ds and xs are in bytes; both counts are at least 1.")
	acc, as, ds, xs := param("acc"), param("as"), param("ds"), param("xs")
	d0, tiles := param("d"), param("tiles")
	sums := make([][]reg.VecVirtual, rows)
	for r := range sums {
		sums[r] = a.vecs(vecs)
	}
	in := a.vecs(vecs)
	values := a.vecs(min(a.regs-rows*vecs-vecs, 4))
	p, d := GP64(), GP64()
	Label("tile")
	MOVQ(acc, p)
	for r := range sums {
		for v := range sums[r] {
			VMOVUPS(Mem{Base: p, Disp: a.bytes() * v}, sums[r][v])
		}
		ADDQ(as, p)
	}
	MOVQ(d0, d)
	x, n := param("x"), param("n")
	Label("loop")
	for v := range in {
		VMOVUPS(Mem{Base: x, Disp: a.bytes() * v}, in[v])
	}
	for r := range sums {
		b := values[r%len(values)]
		VBROADCASTSS(Mem{Base: d, Disp: 4 * r}, b)
		for v := range in {
			VFMADD231PS(in[v], b, sums[r][v])
		}
	}
	ADDQ(ds, d)
	ADDQ(xs, x)
	DECQ(n)
	JNE(LabelRef("loop"))
	for r := range sums {
		for v := range sums[r] {
			VMOVUPS(sums[r][v], Mem{Base: acc, Disp: a.bytes() * v})
		}
		ADDQ(as, acc)
	}
	ADDQ(U32(4*rows), d0)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	end()
}

// units emits a block of units: load and store move the operand at a byte offset of a pointer.
type units struct {
	a    isa
	tail bool              // the last block: fewer lanes than a vector
	mask reg.OpmaskVirtual // AVX-512: which
}

func (u units) load(m Mem, v reg.VecVirtual) {
	switch {
	case !u.tail:
		VMOVUPS(m, v)
	case u.a.masks:
		VMOVUPS_Z(m, u.mask, v)
	default:
		VMOVUPS(m, v.AsX())
	}
}

func (u units) store(v reg.VecVirtual, m Mem) {
	switch {
	case !u.tail:
		VMOVUPS(v, m)
	case u.a.masks:
		VMOVUPS(v, u.mask, m)
	default:
		VMOVUPS(v.AsX(), m)
	}
}

// eachUnit emits the loops over rows and blocks. off runs over the byte offsets of units; next advances all rows.
func eachUnit(a isa, off, rows reg.GPVirtual, block func(u units, gate func(base reg.Register, i int) Mem), next func()) {
	u := units{a: a}
	full, tail := param("full"), param("tail")
	if a.masks {
		mask := param("mask")
		u.mask = K()
		KMOVW(mask.As32(), u.mask)
	}
	SHLQ(Imm(2), tail)                                         // units to bytes: in the tail a gate takes as many
	SHLQ(Imm(uint64(map[int]int{8: 5, 16: 6}[a.lanes])), full) // blocks to bytes
	Label("row")
	XORQ(off, off)
	TESTQ(full, full)
	JE(LabelRef("rest"))
	Label("block")
	block(u, func(base reg.Register, i int) Mem {
		return Mem{Base: base, Index: off, Scale: 4, Disp: i * a.bytes()}
	})
	ADDQ(U32(a.bytes()), off)
	CMPQ(off, full)
	JL(LabelRef("block"))
	Label("rest")
	TESTQ(tail, tail)
	JE(LabelRef("next"))
	u.tail = true
	at := GP64()
	block(u, func(base reg.Register, i int) Mem {
		if !a.masks {
			return Mem{Base: base, Index: off, Scale: 4, Disp: i * 16}
		}
		LEAQ(Mem{Base: base, Index: off, Scale: 4}, at)
		m := Mem{Base: at}
		if i == 3 {
			LEAQ(Mem{Base: at, Index: tail, Scale: 2}, at)
		}
		if i > 0 {
			m.Index, m.Scale = tail, uint8(min(i, 2))
		}
		if i == 3 {
			m.Scale = 1
		}
		return m
	})
	Label("next")
	next()
	DECQ(rows)
	JNE(LabelRef("row"))
}

const unitsDoc = "full counts the whole blocks of units, tail the units of the last one (AVX2: 0 or 4); mask has a bit for each of those."

// lstmCell is the forward step after the product: gate curves, cell state, hidden state.
func lstmCell(a isa) {
	a.function("lstmCell", "func(z *float32, zs uintptr, gates *float32, gs uintptr, before, after *float32, cs uintptr, h *float32, hs uintptr, rows, full, tail int, mask uint64)",
		fmt.Sprintf("lstmCell%s reads the gates' arguments z and writes the gates, the cell state after and the hidden state h of rows", a.name),
		"sequences: after = f*before + i*g, h = o*tanh(after). gates may be z, after may be before. Strides are in bytes.", unitsDoc)
	z, gates, before, after, h := param("z"), param("gates"), param("before"), param("after"), param("h")
	zs, gs, cs, hs := param("zs"), param("gs"), param("cs"), param("hs")
	rows := param("rows")
	off := GP64()
	l := a.limits()
	v, c, scratch := a.vecs(4), a.vec(), a.vecs(8) // v: i, f, g, o
	eachUnit(a, off, rows, func(u units, gate func(reg.Register, int) Mem) {
		for i := range v {
			u.load(gate(z, i), v[i])
		}
		a.curves(l, []curve{sigmoid, sigmoid, hyperbolic, sigmoid}, v, scratch)
		for i := range v {
			u.store(v[i], gate(gates, i))
		}
		u.load(Mem{Base: before, Index: off, Scale: 1}, c)
		VMULPS(c, v[1], c)
		VFMADD231PS(v[0], v[2], c)
		u.store(c, Mem{Base: after, Index: off, Scale: 1})
		a.curves(l, []curve{hyperbolic}, []reg.VecVirtual{c}, scratch[:2])
		VMULPS(c, v[3], c)
		u.store(c, Mem{Base: h, Index: off, Scale: 1})
	}, func() {
		ADDQ(zs, z)
		ADDQ(gs, gates)
		ADDQ(cs, before)
		ADDQ(cs, after)
		ADDQ(hs, h)
	})
	end()
}

// lstmBack is the backward step before the product: it differentiates lstmCell.
func lstmBack(a isa) {
	a.function("lstmBack", "func(gates *float32, gs uintptr, dh *float32, dhs uintptr, c, before *float32, cs uintptr, dc, h *float32, hs uintptr, rows, full, tail int, mask uint64)",
		fmt.Sprintf("lstmBack%s replaces the gates of a step by the gradients of their arguments, from dh, the gradient of the hidden state,", a.name),
		"and dc, that of the cell state, which it turns into that of the step before (stride cs, as c and before). It writes the",
		"hidden state h. Strides are in bytes.", unitsDoc)
	gates, dh, c, before, dc, h := param("gates"), param("dh"), param("c"), param("before"), param("dc"), param("h")
	gs, dhs, cs := param("gs"), param("dhs"), param("cs")
	rows := param("rows")
	off := GP64()
	l := a.limits()
	unit := func(base reg.Register) Mem { return Mem{Base: base, Index: off, Scale: 1} }
	eachUnit(a, off, rows, func(u units, gate func(reg.Register, int) Mem) {
		tc, one, o, d, s, v := a.vec(), a.vec(), a.vec(), a.vec(), a.vec(), a.vec()
		u.load(unit(c), tc)
		a.curves(l, []curve{hyperbolic}, []reg.VecVirtual{tc}, []reg.VecVirtual{s, v})
		VMOVUPS(a.float(1), one)
		u.load(gate(gates, 3), o)
		VMULPS(tc, o, v)
		u.store(v, unit(h)) // h = o*tanh(c)
		u.load(unit(dh), s)
		u.load(unit(dc), d)
		VMULPS(o, s, s) // s = dh*o
		VMOVAPS(tc, v)
		VFNMADD213PS(one, tc, v)
		VFMADD231PS(s, v, d) // d = dc + dh*o*(1-tanh(c)^2)
		VMULPS(tc, s, s)
		VSUBPS(o, one, v)
		VMULPS(v, s, s)
		u.store(s, gate(gates, 3)) // dh*tanh(c)*o*(1-o)
		i, f, gg := a.vec(), a.vec(), a.vec()
		u.load(gate(gates, 0), i)
		u.load(gate(gates, 2), gg)
		VMULPS(i, d, s) // s = d*i
		VSUBPS(i, one, v)
		VMULPS(gg, v, v)
		VMULPS(s, v, v)
		u.store(v, gate(gates, 0)) // d*g*i*(1-i)
		VMOVAPS(gg, v)
		VFNMADD213PS(one, gg, v)
		VMULPS(s, v, v)
		u.store(v, gate(gates, 2)) // d*i*(1-g^2)
		u.load(gate(gates, 1), f)
		VMULPS(f, d, d)
		u.store(d, unit(dc)) // d*f, for the step before
		u.load(unit(before), s)
		VSUBPS(f, one, v)
		VMULPS(v, s, s)
		VMULPS(d, s, s)
		u.store(s, gate(gates, 1)) // d*before*f*(1-f)
	}, func() {
		ADDQ(gs, gates)
		ADDQ(dhs, dh)
		ADDQ(cs, c)
		ADDQ(cs, before)
		ADDQ(cs, dc)
		hs := param("hs")
		ADDQ(hs, h)
	})
	end()
}
