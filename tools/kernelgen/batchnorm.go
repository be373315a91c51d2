package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bnMoments sums in double precision, from a value near the mean on: a mean far from 0 costs no digits of the variance.
func bnMoments(a isa) {
	half := a.lanes / 2
	a.function("bnMoments", "func(sums *float64, x *float32, from float32, n int)",
		fmt.Sprintf("bnMoments%s adds n values of x-from to sums[0:%d] and their squares to sums[%d:%d], lane by lane. n is a multiple of %d.",
			a.name, half, half, 2*half, a.lanes))
	sums, x, n := param("sums"), param("x"), param("n")
	from := a.spread("from")
	if a.masks {
		VCVTPS2PD(from.AsY(), from)
	} else {
		VCVTPS2PD(from.AsX(), from)
	}
	const sets = 2
	s, q := a.vecs(sets), a.vecs(sets)
	for i := range sets {
		a.zero(s[i])
		a.zero(q[i])
	}
	TESTQ(n, n)
	JE(LabelRef("done"))
	Label("loop")
	for i := range sets {
		v := a.vec()
		VCVTPS2PD(Mem{Base: x, Disp: a.bytes() / 2 * i}, v)
		VSUBPD(from, v, v)
		VADDPD(v, s[i], s[i])
		VFMADD231PD(v, v, q[i])
	}
	ADDQ(U32(uint32(a.bytes())), x)
	SUBQ(U32(uint32(a.lanes)), n)
	JNE(LabelRef("loop"))
	Label("done")
	for i, v := range [][]reg.VecVirtual{s, q} {
		VADDPD(v[1], v[0], v[0])
		m := Mem{Base: sums, Disp: a.bytes() * i}
		VADDPD(m, v[0], v[0])
		VMOVUPD(v[0], m)
	}
	end()
}

// bnSums is the first pass of the backward direction.
func bnSums(a isa) {
	a.function("bnSums", "func(sums, dz, x *float32, scale, shift, mean float32, n int)",
		fmt.Sprintf("bnSums%s writes to sums[0:%d] the sums over n values of u = dz where scale*x+shift > 0, lane by lane, and to", a.name, a.lanes),
		fmt.Sprintf("sums[%d:%d] those of u*(x-mean).", a.lanes, 2*a.lanes))
	dz, x, n := param("dz"), param("x"), param("n")
	scale, shift, mean, zero := a.spread("scale"), a.spread("shift"), a.spread("mean"), a.vec()
	a.zero(zero)
	const count = 2
	// A set for each vector of a round; the last round has its own, since a short operation clears the lanes above.
	s, q := a.vecs(count+1), a.vecs(count+1)
	for i := range s {
		a.zero(s[i])
		a.zero(q[i])
	}
	v, u := a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{dz, x}, func(w sweep) {
		for i := range w.count {
			set := i
			if w.last {
				set = count
			}
			z := a.vec()
			w.load(x, i, v[i])
			w.load(dz, i, u[i])
			VMOVAPS(w.reg(v[i]), w.reg(z))
			VFMADD213PS(w.reg(shift), w.reg(scale), w.reg(z))
			w.positive(z, u[i], zero)
			VSUBPS(w.reg(mean), w.reg(v[i]), w.reg(v[i]))
			VADDPS(w.reg(u[i]), w.reg(s[set]), w.reg(s[set]))
			VFMADD231PS(w.reg(u[i]), w.reg(v[i]), w.reg(q[set]))
		}
	})
	sums := param("sums")
	for i, set := range [][]reg.VecVirtual{s, q} {
		for _, other := range set[1:] {
			VADDPS(other, set[0], set[0])
		}
		VMOVUPS(set[0], Mem{Base: sums, Disp: a.bytes() * i})
	}
	end()
}

// bnApply is the second pass of the backward direction.
func bnApply(a isa) {
	a.function("bnApply", "func(dx, dz, x *float32, scale, shift, mean, p, q, r float32, n int)",
		fmt.Sprintf("bnApply%s writes dx = p*u + q*(x-mean) + r for n values, u = dz where scale*x+shift > 0 and 0 elsewhere. dx may be dz.", a.name))
	dx, dz, x, n := param("dx"), param("dz"), param("x"), param("n")
	scale, shift, mean, zero := a.spread("scale"), a.spread("shift"), a.spread("mean"), a.vec()
	p, q, r := a.spread("p"), a.spread("q"), a.spread("r")
	a.zero(zero)
	const count = 2
	v, u, z := a.vecs(count), a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{dx, dz, x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, v[i])
			w.load(dz, i, u[i])
			VMOVAPS(w.reg(v[i]), w.reg(z[i]))
			VFMADD213PS(w.reg(shift), w.reg(scale), w.reg(z[i]))
			w.positive(z[i], u[i], zero)
			VSUBPS(w.reg(mean), w.reg(v[i]), w.reg(v[i]))
			VFMADD213PS(w.reg(r), w.reg(q), w.reg(v[i]))
			VFMADD213PS(w.reg(v[i]), w.reg(p), w.reg(u[i]))
		}
		for i := range w.count {
			w.store(u[i], dx, i)
		}
	})
	end()
}
