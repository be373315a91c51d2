package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func addAct(a isa) {
	a.function("addAct", "func(y, x1, x2 *float32, scale1, shift1, floor1, scale2, shift2, floor2, floor float32, n int)",
		fmt.Sprintf("addAct%s writes y = max(floor, max(floor1, scale1*x1+shift1) + max(floor2, scale2*x2+shift2)) for n values; NaN stays", a.name),
		"NaN. y may be x1 or x2.")
	y, x1, x2, n := param("y"), param("x1"), param("x2"), param("n")
	scale1, shift1, floor1 := a.spread("scale1"), a.spread("shift1"), a.spread("floor1")
	scale2, shift2, floor2, floor := a.spread("scale2"), a.spread("shift2"), a.spread("floor2"), a.spread("floor")
	const count = 4
	v, u := a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{y, x1, x2}, func(w sweep) {
		for i := range w.count {
			w.load(x1, i, v[i])
			w.load(x2, i, u[i])
			VFMADD213PS(w.reg(shift1), w.reg(scale1), w.reg(v[i]))
			VFMADD213PS(w.reg(shift2), w.reg(scale2), w.reg(u[i]))
			VMAXPS(w.reg(v[i]), w.reg(floor1), w.reg(v[i]))
			VMAXPS(w.reg(u[i]), w.reg(floor2), w.reg(u[i]))
			VADDPS(w.reg(u[i]), w.reg(v[i]), w.reg(v[i]))
			VMAXPS(w.reg(v[i]), w.reg(floor), w.reg(v[i]))
		}
		for i := range w.count {
			w.store(v[i], y, i)
		}
	})
	end()
}

func accumulate(a isa) {
	a.function("accumulate", "func(dst, src *float32, n int)",
		fmt.Sprintf("accumulate%s adds n values of src to dst.", a.name))
	dst, src, n := param("dst"), param("src"), param("n")
	const count = 4
	v, u := a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{dst, src}, func(w sweep) {
		for i := range w.count {
			w.load(dst, i, v[i])
			w.load(src, i, u[i])
			VADDPS(w.reg(u[i]), w.reg(v[i]), w.reg(v[i]))
		}
		for i := range w.count {
			w.store(v[i], dst, i)
		}
	})
	end()
}

func keepPositive(a isa) {
	a.function("keepPositive", "func(dx, dy, y *float32, n int)",
		fmt.Sprintf("keepPositive%s writes dx = dy where y > 0 and 0 elsewhere for n values. dx may be dy.", a.name))
	dx, dy, y, n := param("dx"), param("dy"), param("y"), param("n")
	zero := a.vec()
	a.zero(zero)
	const count = 4
	v, u := a.vecs(count), a.vecs(count)
	a.sweep(n, count, []reg.GPVirtual{dx, dy, y}, func(w sweep) {
		for i := range w.count {
			w.load(y, i, v[i])
			w.load(dy, i, u[i])
			w.positive(v[i], u[i], zero)
		}
		for i := range w.count {
			w.store(u[i], dx, i)
		}
	})
	end()
}
