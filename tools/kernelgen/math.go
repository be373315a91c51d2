package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constants are the vectors of the file at hand, by their bits: every kernel of a file shares them.
// The vectors are as wide as the tier's.
var constants = map[uint32]Mem{}

// bits is a vector constant in memory with the same 32 bits in every lane.
func (a isa) bits(b uint32) Mem {
	if m, ok := constants[b]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("lanes_%08x", b), RODATA|NOPTR)
	lanes := a.lanes
	if a.ymm {
		lanes *= 2
	}
	for i := range lanes {
		DATA(4*i, U32(b))
	}
	constants[b] = m
	return m
}

// float is a vector constant with the same value in every lane.
func (a isa) float(v float64) Mem { return a.bits(math.Float32bits(float32(v))) }

// counting is the vector constant 0, 1, 2, ... once it is made.
var counting *Mem

func (a isa) iota() Mem {
	if counting == nil {
		m := GLOBL("iota", RODATA|NOPTR)
		for i := range a.lanes {
			DATA(4*i, F32(i))
		}
		counting = &m
	}
	return *counting
}

// round rounds to the nearest whole number, ties to even.
func (a isa) round(src, dst reg.VecVirtual) {
	if a.masks {
		VRNDSCALEPS(Imm(0), src, dst)
		return
	}
	VROUNDPS(Imm(0), src, dst)
}

// curve is a function of the exponential: what it multiplies its argument by before 2^x, and its end.
type curve struct {
	scale float64
	tanh  bool
}

var (
	sigmoid    = curve{scale: -math.Log2E}
	hyperbolic = curve{scale: 2 * math.Log2E, tanh: true}
)

// maxExponent bounds t. A sigmoid then ends at 2^-100: far below what a float32 sum can see, and far enough above the
// subnormal numbers, which some processors compute with a hundred times slower.
const maxExponent = 100

// limits holds the exponent's bounds in registers: as first sources of minimum and maximum they let a NaN through.
type limits struct{ low, high Op }

func (a isa) limits() limits {
	l := limits{a.vec(), a.vec()}
	VMOVUPS(a.float(-maxExponent), l.low)
	VMOVUPS(a.float(maxExponent), l.high)
	return l
}

// halved is the same in half the registers.
func (l limits) halved() limits {
	return limits{l.low.(reg.VecVirtual).AsY(), l.high.(reg.VecVirtual).AsY()}
}

// curves emits x[i] <- curve[i](x[i]), interleaved so that the processor overlaps them. With t = x*scale = r + f, r
// whole and |f| <= 1/2, and m = 2^t - 1 = 2^r*(2^f-1) + (2^r-1), which keeps its relative precision near t = 0:
//
//	sigmoid(x) = 1/(m+2), t = -x*log2(e);  tanh(x) = m/(m+2), t = 2x*log2(e)
//
// 2^f - 1 = f*q(f) with the minimax polynomial q below (relative error 1.1e-8). Only instructions whose result the
// architecture defines to the bit: no VRCP, no VRSQRT. scratch has two registers per x.
func (a isa) curves(l limits, kinds []curve, xs, scratch []reg.VecVirtual) {
	r, p := scratch[:len(xs)], scratch[len(xs):]
	a.powers(xs, r, p, func(i int) {
		x := xs[i]
		VMULPS(a.float(kinds[i].scale), x, x)
		VMINPS(x, l.high, x)
		VMAXPS(x, l.low, x)
		a.round(x, r[i])
		VSUBPS(r[i], x, x)
	})
	for i, x := range xs {
		VMULPS(x, p[i], p[i])
		VSUBPS(a.float(1), r[i], x)
		VFMADD213PS(x, r[i], p[i])
		VADDPS(a.float(2), p[i], x)
		if !kinds[i].tanh {
			VMOVUPS(a.float(1), p[i])
		}
		VDIVPS(x, p[i], x)
	}
}

// powers emits r <- 2^r and p = (2^f-1)/f, where reduce leaves an exponent's whole part in r[i] and the rest in f[i].
func (a isa) powers(f, r, p []reg.VecVirtual, reduce func(i int)) {
	for i := range f {
		reduce(i)
		VCVTPS2DQ(r[i], r[i])
		VPADDD(a.bits(127), r[i], r[i]) // the bits of 2^r
		VPSLLD(Imm(23), r[i], r[i])
		VMOVUPS(a.float(0.000154035128), p[i])
	}
	for _, c := range []float64{0.00133907355, 0.00961823749, 0.0555035743, 0.240226498, 0.693147188} {
		for i, x := range f {
			VFMADD213PS(a.float(c), x, p[i])
		}
	}
}

// exps emits p <- exp(x) for x <= 0, to about an ulp: the product with log2(e) has two parts, of which high holds the
// first, and low the smallest x. It destroys x, and f and r.
func (a isa) exps(low, high, x, f, r, p reg.VecVirtual) {
	a.powers([]reg.VecVirtual{f}, []reg.VecVirtual{r}, []reg.VecVirtual{p}, func(int) {
		VMAXPS(x, low, x)
		VMULPS(high, x, r)
		a.round(r, r)
		VMOVAPS(x, f)
		VFMSUB213PS(r, high, f)
		VFMADD231PS(a.float(math.Log2E-float64(float32(math.Log2E))), x, f)
	})
	VMULPS(f, p, p)
	VFMADD213PS(r, r, p)
}
