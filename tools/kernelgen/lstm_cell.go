package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

// ahead points to the cell states before the rows of these: the step that comes next lies in memory that no cache holds.
func (a isa) ahead(cells, rows reg.GPVirtual) reg.GPVirtual {
	p, cs := GP64(), param("cs")
	IMULQ(rows, cs)
	MOVQ(cells, p)
	SUBQ(cs, p)
	return p
}

// vectors are the registers that the block works in, and the limits in such.
func (u units) vectors(l limits) (isa, limits) {
	if u.a.ymm {
		return u.a, l.halved()
	}
	return u.a, l
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
	SHLQ(Imm(2), tail) // units to bytes: in the tail a gate takes as many
	IMUL3Q(U32(uint32(a.bytes())), full, full)
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
	gate := func(base reg.Register, i int) Mem {
		if !a.masks {
			return Mem{Base: base, Index: off, Scale: 4, Disp: i * 16}
		}
		LEAQ(Mem{Base: base, Index: off, Scale: 4}, at)
		if i == 0 {
			return Mem{Base: at}
		}
		if i == 3 {
			ADDQ(tail, at)
		}
		return Mem{Base: at, Index: tail, Scale: uint8(min(i, 2))}
	}
	if a.masks { // half a vector is enough, as a rule
		CMPQ(tail, Imm(uint64(a.bytes()/2)))
		JG(LabelRef("wide"))
		narrow := u
		narrow.a = a.halved()
		block(narrow, gate)
		JMP(LabelRef("next"))
		Label("wide")
	}
	block(u, gate)
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
	rows, off := param("rows"), GP64()
	l := a.limits()
	eachUnit(a, off, rows, func(u units, gate func(reg.Register, int) Mem) {
		a, l := u.vectors(l)
		v, c, scratch := a.vecs(4), a.vec(), a.vecs(8) // v: i, f, g, o
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
		zs, gs, cs, hs := param("zs"), param("gs"), param("cs"), param("hs")
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
	rows, off := param("rows"), GP64()
	ahead := a.ahead(before, rows)
	l := a.limits()
	unit := func(base reg.Register) Mem { return Mem{Base: base, Index: off, Scale: 1} }
	eachUnit(a, off, rows, func(u units, gate func(reg.Register, int) Mem) {
		a, l := u.vectors(l)
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
		PREFETCHT0(unit(ahead))
		VSUBPS(f, one, v)
		VMULPS(v, s, s)
		VMULPS(d, s, s)
		u.store(s, gate(gates, 1)) // d*before*f*(1-f)
	}, func() {
		gs, dhs, cs, hs := param("gs"), param("dhs"), param("cs"), param("hs")
		ADDQ(gs, gates)
		ADDQ(cs, ahead)
		ADDQ(dhs, dh)
		ADDQ(cs, c)
		ADDQ(cs, before)
		ADDQ(cs, dc)
		ADDQ(hs, h)
	})
	end()
}
