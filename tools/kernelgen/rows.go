package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowsFamily writes the kernels that go through rows of values once: bound by memory, not by arithmetic.
func rowsFamily(a isa) {
	bnMoments(a)
	bnSums(a)
	bnApply(a)
	addAct(a)
	sumAct(a)
	accumulate(a)
	keepPositive(a)
	poolMax(a)
	poolArg(a)
	poolBack(a)
	adam(a)
}

// sweep is one round of a loop over values: count vectors, or what is left. That is, with opmasks, all values that are
// left at once; without, one value. Lanes that hold no value are 0.
type sweep struct {
	isa
	count int
	last  bool
	keep  reg.OpmaskVirtual // with opmasks: the lanes that hold a value of the last round
}

// reg is the part of a vector register that the round works on.
func (s sweep) reg(v reg.VecVirtual) reg.Register {
	if s.last && !s.masks {
		return v.AsX()
	}
	return v
}

func (s sweep) load(p reg.Register, i int, v reg.VecVirtual) {
	m := Mem{Base: p, Disp: s.bytes() * i}
	switch {
	case !s.last:
		VMOVUPS(m, v)
	case s.masks:
		VMOVUPS_Z(m, s.keep, v)
	default:
		VMOVSS(m, v.AsX())
	}
}

func (s sweep) store(v reg.VecVirtual, p reg.Register, i int) {
	m := Mem{Base: p, Disp: s.bytes() * i}
	switch {
	case !s.last:
		VMOVUPS(v, m)
	case s.masks:
		VMOVUPS(v, s.keep, m)
	default:
		VMOVSS(v.AsX(), m)
	}
}

// positive clears the lanes of v where what is not above 0.
func (s sweep) positive(what, v reg.VecVirtual, zero reg.VecVirtual) {
	if s.masks {
		k := K()
		VCMPPS(Imm(1), what, zero, k) // 0 < what
		VMOVAPS_Z(v, k, v)
		return
	}
	VCMPPS(Imm(1), s.reg(what), s.reg(zero), s.reg(what))
	VANDPS(s.reg(what), s.reg(v), s.reg(v))
}

// label makes a label that differs between the rounds of a sweep.
func (s sweep) label(name string) string { return fmt.Sprintf("%s%d%t", name, s.count, s.last) }

// sweep emits the loops over n values behind pointers: count vectors at a time, then one, then what is left. Every value
// is formed by the same operations wherever it lies, so that cutting a row differently changes no bit.
func (a isa) sweep(n reg.GPVirtual, count int, pointers []reg.GPVirtual, round func(s sweep)) {
	block := func(label, after string, s sweep, size int) {
		SUBQ(U32(uint32(size)), n)
		JL(LabelRef(after))
		Label(label)
		round(s)
		for _, p := range pointers {
			ADDQ(U32(uint32(4*size)), p)
		}
		SUBQ(U32(uint32(size)), n)
		JGE(LabelRef(label))
		Label(after)
		ADDQ(U32(uint32(size)), n)
	}
	if count > 1 {
		block("vectors", "fewer", sweep{isa: a, count: count}, count*a.lanes)
	}
	block("vector", "less", sweep{isa: a, count: 1}, a.lanes)
	last := sweep{isa: a, count: 1, last: true}
	if !a.masks {
		block("value", "done", last, 1)
		return
	}
	TESTQ(n, n)
	JE(LabelRef("done"))
	bits := GP64()
	XORQ(bits, bits)
	DECQ(bits)
	BZHIQ(n, bits, bits)
	last.keep = K()
	KMOVW(bits.As32(), last.keep)
	round(last)
	Label("done")
}

// spread loads a float32 parameter into every lane.
func (a isa) spread(name string) reg.VecVirtual {
	v := a.vec()
	VBROADCASTSS(Load(Param(name), XMM()), v)
	return v
}
