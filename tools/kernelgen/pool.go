package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumAct sums a row read through its activation, for the mean over time.
func sumAct(a isa) {
	a.function("sumAct", "func(sums, x *float32, scale, shift, floor float32, n int)",
		fmt.Sprintf("sumAct%s writes to sums[0:%d] the sums over n values of max(floor, scale*x+shift), lane by lane.", a.name, a.lanes))
	x, n := param("x"), param("n")
	scale, shift, floor := a.spread("scale"), a.spread("shift"), a.spread("floor")
	const count = 4
	v, s := a.vecs(count), a.vecs(count)
	for i := range s {
		a.zero(s[i])
	}
	one := a.vec() // the sum of the single values
	a.zero(one)
	a.sweep(n, count, []reg.GPVirtual{x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, v[i])
			VFMADD213PS(w.reg(shift), w.reg(scale), w.reg(v[i]))
			VMAXPS(w.reg(v[i]), w.reg(floor), w.reg(v[i]))
			switch { // an empty lane of the last round is not 0 any more
			case !w.last:
				VADDPS(v[i], s[i], s[i])
			case a.masks:
				VADDPS(v[i], s[i], w.keep, s[i])
			default:
				VADDSS(v[i].AsX(), one.AsX(), one.AsX())
			}
		}
	})
	VADDPS(s[1], s[0], s[0])
	VADDPS(s[3], s[2], s[2])
	VADDPS(s[2], s[0], s[0])
	VADDPS(one, s[0], s[0])
	VMOVUPS(s[0], Mem{Base: param("sums")})
	end()
}

// eachTap emits a loop over the k steps of a window, from the first on; at points to the window's current value.
func eachTap(p, at, k reg.GPVirtual, label string, tap func()) {
	MOVQ(p, at)
	left := GP64()
	MOVQ(k, left)
	Label(label)
	tap()
	ADDQ(Imm(4), at)
	DECQ(left)
	JNE(LabelRef(label))
}

func poolMax(a isa) {
	a.function("poolMax", "func(y, x *float32, k, n int)",
		fmt.Sprintf("poolMax%s writes y[t] = the maximum of x[t], ..., x[t+k-1] for n steps t; k >= 1.", a.name))
	y, x, k, n := param("y"), param("x"), param("k"), param("n")
	const count = 4
	best, v := a.vecs(count), a.vec()
	at := GP64()
	a.sweep(n, count, []reg.GPVirtual{y, x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, best[i])
		}
		eachTap(x, at, k, w.label("tap"), func() {
			for i := range w.count {
				w.load(at, i, v)
				VMAXPS(w.reg(best[i]), w.reg(v), w.reg(best[i]))
			}
		})
		for i := range w.count {
			w.store(best[i], y, i)
		}
	})
	end()
}

// poolArg counts instead of comparing positions: the first maximum is where the running maximum last grew.
func poolArg(a isa) {
	a.function("poolArg", "func(arg, x *float32, k, n int)",
		fmt.Sprintf("poolArg%s writes arg[t] = the number, as a float32, of the first maximum among x[t], ..., x[t+k-1] for n steps t; k >= 1.", a.name))
	arg, x, k, n := param("arg"), param("x"), param("k"), param("n")
	one := a.vec()
	VMOVUPS(a.float(1), one)
	const count = 2
	best, which := a.vecs(count), a.vecs(count)
	v, number, grew := a.vec(), a.vec(), a.vec()
	at := GP64()
	a.sweep(n, count, []reg.GPVirtual{arg, x}, func(w sweep) {
		for i := range w.count {
			w.load(x, i, best[i])
			a.zero(which[i])
		}
		a.zero(number)
		eachTap(x, at, k, w.label("tap"), func() {
			for i := range w.count {
				w.load(at, i, v)
				if a.masks {
					m := K()
					VCMPPS(Imm(1), w.reg(v), w.reg(best[i]), m) // best < v
					VMOVAPS(w.reg(number), m, w.reg(which[i]))
				} else {
					VCMPPS(Imm(1), w.reg(v), w.reg(best[i]), w.reg(grew))
					VANDPS(w.reg(grew), w.reg(number), w.reg(grew)) // numbers ascend
					VMAXPS(w.reg(grew), w.reg(which[i]), w.reg(which[i]))
				}
				VMAXPS(w.reg(best[i]), w.reg(v), w.reg(best[i]))
			}
			VADDPS(w.reg(one), w.reg(number), w.reg(number))
		})
		for i := range w.count {
			w.store(which[i], arg, i)
		}
	})
	end()
}

func poolBack(a isa) {
	a.function("poolBack", "func(dx, arg, dy *float32, k, n int)",
		fmt.Sprintf("poolBack%s adds to dx[s], for n steps s, each dy[s+j] with 0 <= j < k whose window has its maximum at s: arg[s+j] = k-1-j.", a.name))
	dx, arg, dy, k, n := param("dx"), param("arg"), param("dy"), param("k"), param("n")
	one, last := a.vec(), a.vec()
	VMOVUPS(a.float(1), one)
	a.zero(last)
	{ // last = k-1
		left := GP64()
		MOVQ(k, left)
		Label("count")
		DECQ(left)
		JE(LabelRef("counted"))
		VADDPS(one, last, last)
		JMP(LabelRef("count"))
		Label("counted")
	}
	const count = 2
	sum := a.vecs(count)
	v, u, number := a.vec(), a.vec(), a.vec()
	at, gap := GP64(), GP64()
	MOVQ(dy, gap)
	SUBQ(arg, gap) // dy lies this far behind arg
	a.sweep(n, count, []reg.GPVirtual{dx, arg}, func(w sweep) {
		for i := range w.count {
			w.load(dx, i, sum[i])
		}
		VMOVAPS(last, number)
		eachTap(arg, at, k, w.label("tap"), func() {
			d := GP64()
			LEAQ(Mem{Base: at, Index: gap, Scale: 1}, d)
			for i := range w.count {
				w.load(at, i, v)
				w.load(d, i, u)
				if a.masks {
					m := K()
					VCMPPS(Imm(0), w.reg(v), w.reg(number), m)
					VMOVAPS_Z(w.reg(u), m, w.reg(u))
				} else {
					VCMPPS(Imm(0), w.reg(v), w.reg(number), w.reg(v))
					VANDPS(w.reg(v), w.reg(u), w.reg(u))
				}
				VADDPS(w.reg(u), w.reg(sum[i]), w.reg(sum[i]))
			}
			VSUBPS(w.reg(one), w.reg(number), w.reg(number))
		})
		for i := range w.count {
			w.store(sum[i], dx, i)
		}
	})
	end()
}
