package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose8 turns 8 rows of 8*n columns: loads in halves save the last of three shuffle stages.
func transpose8(a isa) {
	a.function("transpose", "func(dst *float32, ds uintptr, src *float32, ss uintptr, n int)",
		"transposeAVX2 writes dst[t][r] = src[r][t] for 8 rows r and 8*n steps t; ds and ss are row strides in bytes.")
	dst, ds, src, ss, n := param("dst"), param("ds"), param("src"), param("ss"), param("n")
	ss3, ds3, low := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: ss, Index: ss, Scale: 2}, ss3)
	LEAQ(Mem{Base: ds, Index: ds, Scale: 2}, ds3)
	row := func(base, stride, stride3 reg.Register, r int) Mem {
		m := Mem{Base: base}
		switch r {
		case 1, 2:
			m.Index, m.Scale = stride, uint8(r)
		case 3:
			m.Index, m.Scale = stride3, 1
		}
		return m
	}
	Label("loop")
	LEAQ(Mem{Base: src, Index: ss, Scale: 4}, low)
	z, t := a.vecs(8), a.vecs(8)
	for i := range 4 { // z[i]: columns 0-3 of rows i and i+4; z[4+i]: columns 4-7
		VMOVUPS(row(src, ss, ss3, i), z[i].AsX())
		VINSERTF128(Imm(1), row(low, ss, ss3, i), z[i], z[i])
		VMOVUPS(row(src, ss, ss3, i).Offset(16), z[4+i].AsX())
		VINSERTF128(Imm(1), row(low, ss, ss3, i).Offset(16), z[4+i], z[4+i])
	}
	for h := 0; h < 8; h += 4 {
		quarters(z[h:h+4], t[:4], z[h:h+4])
	}
	for h := 0; h < 8; h += 4 {
		for i := range 4 {
			VMOVUPS(z[h+i], row(dst, ds, ds3, i))
		}
		LEAQ(Mem{Base: dst, Index: ds, Scale: 4}, dst)
	}
	ADDQ(Imm(32), src)
	DECQ(n)
	JNE(LabelRef("loop"))
	end()
}

// quarters transposes the 4x4 block in each 128-bit lane of four vectors in to out, with temporaries t.
func quarters(in, t, out []reg.VecVirtual) {
	VUNPCKLPS(in[1], in[0], t[0])
	VUNPCKHPS(in[1], in[0], t[1])
	VUNPCKLPS(in[3], in[2], t[2])
	VUNPCKHPS(in[3], in[2], t[3])
	VUNPCKLPD(t[2], t[0], out[0])
	VUNPCKHPD(t[2], t[0], out[1])
	VUNPCKLPD(t[3], t[1], out[2])
	VUNPCKHPD(t[3], t[1], out[3])
}

// transpose16 turns 16 rows of 16*n columns.
func transpose16(a isa) {
	a.function("transpose", "func(dst *float32, ds uintptr, src *float32, ss uintptr, n int)",
		"transposeAVX512 writes dst[t][r] = src[r][t] for 16 rows r and 16*n steps t; ds and ss are row strides in bytes.")
	dst, ds, src, ss, n := param("dst"), param("ds"), param("src"), param("ss"), param("n")
	z, t := a.vecs(16), a.vecs(8)
	Label("loop")
	sp := GP64()
	MOVQ(src, sp)
	for i := range z {
		VMOVUPS(Mem{Base: sp}, z[i])
		if i < 15 {
			ADDQ(ss, sp)
		}
	}
	for i := 0; i < 16; i += 4 {
		quarters(z[i:i+4], t[:4], z[i:i+4])
	}
	// Lane l of z[4g+b] is now column 4l+b of rows 4g to 4g+3.
	for b := range 4 {
		VSHUFF32X4(Imm(0x88), z[4+b], z[b], t[0]) // lanes 0 and 2 of groups 0 and 1
		VSHUFF32X4(Imm(0xDD), z[4+b], z[b], t[1]) // lanes 1 and 3
		VSHUFF32X4(Imm(0x88), z[12+b], z[8+b], t[2])
		VSHUFF32X4(Imm(0xDD), z[12+b], z[8+b], t[3])
		VSHUFF32X4(Imm(0x88), t[2], t[0], t[4])
		VSHUFF32X4(Imm(0x88), t[3], t[1], t[5])
		VSHUFF32X4(Imm(0xDD), t[2], t[0], t[6])
		VSHUFF32X4(Imm(0xDD), t[3], t[1], t[7])
		for lane := range 4 {
			q := GP64()
			IMUL3Q(Imm(uint64(4*lane+b)), ds, q)
			ADDQ(dst, q)
			VMOVUPS(t[4+lane], Mem{Base: q})
		}
	}
	ADDQ(Imm(64), src)
	q := GP64()
	MOVQ(ds, q)
	SHLQ(Imm(4), q)
	ADDQ(q, dst)
	DECQ(n)
	JNE(LabelRef("loop"))
	end()
}
