package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func adam(a isa) {
	a.function("adam", "func(w, d, m, v *float32, keep, l2, beta1, rest1, beta2, rest2, rate, eps float32, n int)",
		fmt.Sprintf("adam%s makes one step of n weights w with gradients d: g = d + l2*w, m = beta1*m + rest1*g, v = beta2*v +", a.name),
		"rest2*g*g, w = keep*w - rate*m/(sqrt(v)+eps).")
	w, d, m, v, n := param("w"), param("d"), param("m"), param("v"), param("n")
	keep, l2, beta1, rest1, beta2, rest2 := a.spread("keep"), a.spread("l2"), a.spread("beta1"), a.spread("rest1"), a.spread("beta2"), a.spread("rest2")
	rate, eps := a.spread("rate"), a.spread("eps")
	grad, first, second, weight := a.vec(), a.vec(), a.vec(), a.vec()
	a.sweep(n, 1, []reg.GPVirtual{w, d, m, v}, func(s sweep) {
		s.load(d, 0, grad)
		s.load(m, 0, first)
		s.load(v, 0, second)
		s.load(w, 0, weight)
		VFMADD231PS(s.reg(l2), s.reg(weight), s.reg(grad))
		VMULPS(s.reg(beta1), s.reg(first), s.reg(first))
		VFMADD231PS(s.reg(rest1), s.reg(grad), s.reg(first))
		VMULPS(s.reg(beta2), s.reg(second), s.reg(second))
		VMULPS(s.reg(grad), s.reg(grad), s.reg(grad))
		VFMADD231PS(s.reg(rest2), s.reg(grad), s.reg(second))
		s.store(first, m, 0)
		s.store(second, v, 0)
		VSQRTPS(s.reg(second), s.reg(second))
		VADDPS(s.reg(eps), s.reg(second), s.reg(second))
		VMULPS(s.reg(rate), s.reg(first), s.reg(first))
		VDIVPS(s.reg(second), s.reg(first), s.reg(first))
		VMULPS(s.reg(keep), s.reg(weight), s.reg(weight))
		VSUBPS(s.reg(first), s.reg(weight), s.reg(weight))
		s.store(weight, w, 0)
	})
	end()
}
