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
		"func(dst *float32, ds uintptr, src *float32, ss uintptr, w *float32, k, tiles, groups int, ahead *float32)",
		fmt.Sprintf("lstmMul%dx%d%s writes dst[r][c] = the sum over k of src[r][k] * w[c/%d][k][c%%%d], for tiles times %d columns c and",
			rows, vecs, a.name, vecs*a.lanes, vecs*a.lanes, vecs*a.lanes),
		fmt.Sprintf("groups times %d rows r. ds and ss are in bytes; k is even; every count is at least 1. It fetches", rows),
		"a cache line from ahead on for every two k: what comes next lies in memory that no cache holds.")
	dst, ds, src, ss := param("dst"), param("ds"), param("src"), param("ss")
	w, tiles, ahead := param("w"), param("tiles"), param("ahead")
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
			if a.masks {
				PREFETCHT0(Mem{Base: wp, Disp: a.bytes()*(u*vecs+v) + 1536})
			}
		}
		for r := range rows {
			x := values[r%len(values)]
			VBROADCASTSS(row(r).Offset(4*u), x)
			for v := range weights {
				VFMADD231PS(weights[v], x, sums[u%sets][r][v])
			}
		}
	}
	PREFETCHT0(Mem{Base: ahead})
	ADDQ(Imm(64), ahead)
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
