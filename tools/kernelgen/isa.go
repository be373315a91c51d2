package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is one level of the instruction set: a tier of nets/kernel/cpu.
type isa struct {
	name  string // suffix of the functions' names
	lanes int    // float32 values in a vector
	regs  int    // vector registers
	masks bool   // opmask registers: a store may leave lanes out
	half  bool   // a kernel works on half vectors
	ymm   bool   // the registers are half as wide as the tier's
}

var (
	avx2   = isa{name: "AVX2", lanes: 8, regs: 16}
	avx512 = isa{name: "AVX512", lanes: 16, regs: 32, masks: true}
)

// bytes is the size of a vector.
func (a isa) bytes() int { return 4 * a.lanes }

// vec allocates a vector register.
func (a isa) vec() reg.VecVirtual {
	if a.masks && !a.ymm {
		return ZMM()
	}
	return YMM()
}

// halved is the same tier on registers of half its width, which some processors work through in half the time.
func (a isa) halved() isa {
	a.lanes /= 2
	a.ymm = true
	return a
}

// vecs allocates n vector registers.
func (a isa) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = a.vec()
	}
	return v
}

// width is the number of values in a vector of this kernel.
func (a isa) width() int {
	if a.half {
		return a.lanes / 2
	}
	return a.lanes
}

// wide allocates a vector of this kernel.
func (a isa) wide() reg.VecVirtual {
	if a.half {
		return YMM()
	}
	return a.vec()
}

// zero clears a vector.
func (a isa) zero(v reg.VecVirtual) {
	if a.masks {
		VPXORD(v, v, v) // VXORPS on 512 bits would ask for AVX512DQ
		return
	}
	VXORPS(v, v, v)
}

// masked makes, from a bit per value, the opmasks of n consecutive vectors. It destroys bits.
func (a isa) masked(bits reg.GPVirtual, n int) []reg.OpmaskVirtual {
	k := make([]reg.OpmaskVirtual, n)
	for i := range k {
		k[i] = K()
		KMOVW(bits.As32(), k[i])
		if i < n-1 {
			SHRQ(Imm(uint64(a.lanes)), bits)
		}
	}
	return k
}

// param loads an integer or pointer parameter into a register.
func param(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// address is a parameter as a memory operand: loads of single values reach only the lower half of the registers.
func address(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// function starts the assembly function NAME+tier with a Go signature and its documentation.
func (a isa) function(name, signature string, doc ...string) {
	TEXT(name+a.name, NOSPLIT, signature)
	Doc(doc...)
}

// end leaves a function: no caller pays for the upper halves of the vectors.
func end() {
	VZEROUPPER()
	RET()
}
