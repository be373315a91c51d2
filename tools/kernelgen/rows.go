package main

import (
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

// sweep is one round of a loop over values: count vectors, or a single value in the lowest lane of a register whose
// other lanes are 0.
type sweep struct {
	isa
	count  int
	single bool
}

// reg is the part of a vector register that the round works on.
func (s sweep) reg(v reg.VecVirtual) reg.Register {
	if s.single {
		return v.AsX()
	}
	return v
}

func (s sweep) load(p reg.Register, i int, v reg.VecVirtual) {
	m := Mem{Base: p, Disp: s.bytes() * i}
	if s.single {
		VMOVSS(m, v.AsX())
		return
	}
	VMOVUPS(m, v)
}

func (s sweep) store(v reg.VecVirtual, p reg.Register, i int) {
	if s.single {
		VMOVSS(v.AsX(), Mem{Base: p})
		return
	}
	VMOVUPS(v, Mem{Base: p, Disp: s.bytes() * i})
}

// positive clears the lanes of v where what is not above 0.
func (s sweep) positive(what, v reg.VecVirtual, zero reg.VecVirtual) {
	if s.masks {
		k := K()
		VCMPPS(Imm(1), s.reg(what), s.reg(zero), k) // 0 < what
		VMOVAPS_Z(s.reg(v), k, s.reg(v))
		return
	}
	VCMPPS(Imm(1), s.reg(what), s.reg(zero), s.reg(what))
	VANDPS(s.reg(what), s.reg(v), s.reg(v))
}

// sweep emits the loops over n values behind pointers: count vectors at a time, then one, then single values. Every
// value is formed by the same operations wherever it lies, so that cutting a row differently changes no bit.
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
		block("vectors", "fewer", sweep{a, count, false}, count*a.lanes)
	}
	block("vector", "less", sweep{a, 1, false}, a.lanes)
	block("value", "done", sweep{a, 1, true}, 1)
}

// spread loads a float32 parameter into every lane.
func (a isa) spread(name string) reg.VecVirtual {
	v := a.vec()
	VBROADCASTSS(Load(Param(name), XMM()), v)
	return v
}
