#include "textflag.h"

DATA index<>+0(SB)/8, $0
DATA index<>+8(SB)/8, $1
DATA index<>+16(SB)/8, $2
DATA index<>+24(SB)/8, $3
GLOBL index<>(SB), RODATA|NOPTR, $32

// func smoMove(v, up *float64, ki, kj *float32, n int, ei, ej float64, best *[4]float64, at *[4]int64)
// v[t] += ki[t] ei + kj[t] ej; lane l keeps the last largest v[t] + up[t] of its t = l, l+4, … and that t. n is a multiple of
// 4 above 0; best holds what to beat.
TEXT ·smoMove(SB), NOSPLIT, $0-72
	MOVQ         v+0(FP), AX
	MOVQ         up+8(FP), BX
	MOVQ         ki+16(FP), CX
	MOVQ         kj+24(FP), DX
	MOVQ         n+32(FP), R8
	VBROADCASTSD ei+40(FP), Y0
	VBROADCASTSD ej+48(FP), Y1
	MOVQ         best+56(FP), R9
	MOVQ         at+64(FP), R10
	VMOVUPD      (R9), Y2
	VMOVDQU      (R10), Y3
	VMOVDQU      index<>(SB), Y4
	MOVQ         $4, R11
	MOVQ         R11, X5
	VPBROADCASTQ X5, Y5
	XORQ         R11, R11

move:
	VMOVUPD     (AX)(R11*8), Y6
	VCVTPS2PD   (CX)(R11*4), Y7
	VFMADD231PD Y0, Y7, Y6
	VCVTPS2PD   (DX)(R11*4), Y8
	VFMADD231PD Y1, Y8, Y6
	VMOVUPD     Y6, (AX)(R11*8)
	VADDPD      (BX)(R11*8), Y6, Y6
	VCMPPD      $0x1d, Y2, Y6, Y9
	VMAXPD      Y6, Y2, Y2
	VBLENDVPD   Y9, Y4, Y3, Y3
	VPADDQ      Y5, Y4, Y4
	ADDQ        $4, R11
	CMPQ        R11, R8
	JLT         move
	VMOVUPD     Y2, (R9)
	VMOVDQU     Y3, (R10)
	VZEROUPPER
	RET

// func smoSecond(v, low, diag *float64, ki *float32, n int, top, kii float64, best *[4]float64, at *[4]int64, least *[4]float64)
// With b = top - v[t] - low[t], where it is above 0: lane l keeps the last largest b² / max(kii + diag[t] - 2 ki[t], 1e-12)
// and its t, and in least the smallest v[t] + low[t]. n is a multiple of 4 above 0; best and least hold what to beat.
TEXT ·smoSecond(SB), NOSPLIT, $0-80
	MOVQ         v+0(FP), AX
	MOVQ         low+8(FP), BX
	MOVQ         diag+16(FP), CX
	MOVQ         ki+24(FP), DX
	MOVQ         n+32(FP), R8
	VBROADCASTSD top+40(FP), Y0
	VBROADCASTSD kii+48(FP), Y1
	MOVQ         best+56(FP), R9
	MOVQ         at+64(FP), R10
	MOVQ         least+72(FP), R12
	VMOVUPD      (R9), Y2
	VMOVDQU      (R10), Y3
	VMOVUPD      (R12), Y10
	VMOVDQU      index<>(SB), Y4
	MOVQ         $4, R11
	MOVQ         R11, X5
	VPBROADCASTQ X5, Y5
	MOVQ         $0x3d719799812dea11, R11 // 1e-12
	MOVQ         R11, X11
	VPBROADCASTQ X11, Y11
	VXORPD       Y12, Y12, Y12
	XORQ         R11, R11

second:
	VMOVUPD   (AX)(R11*8), Y6
	VADDPD    (BX)(R11*8), Y6, Y6
	VCVTPS2PD (DX)(R11*4), Y7
	VMINPD    Y6, Y10, Y10
	VSUBPD    Y6, Y0, Y6
	VADDPD    Y7, Y7, Y7
	VADDPD    (CX)(R11*8), Y1, Y8
	VMAXPD    Y12, Y6, Y6
	VSUBPD    Y7, Y8, Y8
	VMULPD    Y6, Y6, Y6
	VMAXPD    Y11, Y8, Y8
	VDIVPD    Y8, Y6, Y6
	VCMPPD    $0x1d, Y2, Y6, Y9
	VMAXPD    Y6, Y2, Y2
	VBLENDVPD Y9, Y4, Y3, Y3
	VPADDQ    Y5, Y4, Y4
	ADDQ      $4, R11
	CMPQ      R11, R8
	JLT       second
	VMOVUPD   Y2, (R9)
	VMOVDQU   Y3, (R10)
	VMOVUPD   Y10, (R12)
	VZEROUPPER
	RET

#define FOUR(name, off, val) \
	DATA name<>+(off+0)(SB)/8, val  \
	DATA name<>+(off+8)(SB)/8, val  \
	DATA name<>+(off+16)(SB)/8, val \
	DATA name<>+(off+24)(SB)/8, val

FOUR(expc, 0, $-700.0)
FOUR(expc, 32, $1.4426950408889634)       // 1 / ln 2
FOUR(expc, 64, $0.6931471803691238)       // ln 2 with 20 zeros at its end
FOUR(expc, 96, $1.9082149292705877e-10)   // the rest of ln 2
FOUR(expc, 128, $1023)
FOUR(expc, 160, $2.08767569878681e-09)    // 1/12!
FOUR(expc, 192, $2.505210838544172e-08)   // 1/11!
FOUR(expc, 224, $2.755731922398589e-07)   // 1/10!
FOUR(expc, 256, $2.7557319223985893e-06)  // 1/9!
FOUR(expc, 288, $2.48015873015873e-05)    // 1/8!
FOUR(expc, 320, $0.0001984126984126984)   // 1/7!
FOUR(expc, 352, $0.001388888888888889)    // 1/6!
FOUR(expc, 384, $0.008333333333333333)    // 1/5!
FOUR(expc, 416, $0.041666666666666664)    // 1/4!
FOUR(expc, 448, $0.16666666666666666)     // 1/3!
FOUR(expc, 480, $0.5)
FOUR(expc, 512, $1.0)
GLOBL expc<>(SB), RODATA|NOPTR, $544

// func exp4(x *float64, n int, s float64)
// x[t] = exp(s x[t]), with s x[t] at most 700 and no less than -700 counted. n is a multiple of 4 above 0.
// exp(x) = 2^k exp(r), |r| <= ln 2 / 2, the latter by 13 terms of its series: off by less than 1e-15 of the value.
TEXT ·exp4(SB), NOSPLIT, $0-24
	MOVQ         x+0(FP), AX
	MOVQ         n+8(FP), R8
	VBROADCASTSD s+16(FP), Y0
	LEAQ         expc<>(SB), BX
	VMOVUPD      0(BX), Y10
	VMOVUPD      32(BX), Y11
	VMOVUPD      64(BX), Y12
	VMOVUPD      96(BX), Y13
	VMOVDQU      128(BX), Y14
	VMOVUPD      160(BX), Y15

expo:
	VMULPD       (AX), Y0, Y1
	VMAXPD       Y10, Y1, Y1
	VMULPD       Y11, Y1, Y2
	VROUNDPD     $8, Y2, Y2
	VFNMADD231PD Y12, Y2, Y1
	VFNMADD231PD Y13, Y2, Y1
	VCVTPD2DQY   Y2, X3
	VPMOVSXDQ    X3, Y3
	VPADDQ       Y14, Y3, Y3
	VPSLLQ       $52, Y3, Y3
	VMOVAPD      Y15, Y4
	VFMADD213PD  192(BX), Y1, Y4
	VFMADD213PD  224(BX), Y1, Y4
	VFMADD213PD  256(BX), Y1, Y4
	VFMADD213PD  288(BX), Y1, Y4
	VFMADD213PD  320(BX), Y1, Y4
	VFMADD213PD  352(BX), Y1, Y4
	VFMADD213PD  384(BX), Y1, Y4
	VFMADD213PD  416(BX), Y1, Y4
	VFMADD213PD  448(BX), Y1, Y4
	VFMADD213PD  480(BX), Y1, Y4
	VFMADD213PD  512(BX), Y1, Y4
	VFMADD213PD  512(BX), Y1, Y4
	VMULPD       Y3, Y4, Y4
	VMOVUPD      Y4, (AX)
	ADDQ         $32, AX
	SUBQ         $4, R8
	JNZ          expo
	VZEROUPPER
	RET

// func absolutes4(q, b0, b1, b2, b3 *float64, k int, out *[4]float64)
// Writes the sums of |q - b| over k values, a multiple of 4 above 0, for four rows b.
TEXT ·absolutes4(SB), NOSPLIT, $0-56
	MOVQ     q+0(FP), AX
	MOVQ     b0+8(FP), BX
	MOVQ     b1+16(FP), CX
	MOVQ     b2+24(FP), DX
	MOVQ     b3+32(FP), SI
	MOVQ     k+40(FP), R8
	MOVQ     out+48(FP), R9
	VXORPD   Y0, Y0, Y0
	VXORPD   Y1, Y1, Y1
	VXORPD   Y2, Y2, Y2
	VXORPD   Y3, Y3, Y3
	VPCMPEQD Y4, Y4, Y4
	VPSRLQ   $1, Y4, Y4 // all but the sign
	XORQ     R11, R11

abs:
	VMOVUPD (AX)(R11*8), Y5
	VSUBPD  (BX)(R11*8), Y5, Y6
	VSUBPD  (CX)(R11*8), Y5, Y7
	VSUBPD  (DX)(R11*8), Y5, Y8
	VSUBPD  (SI)(R11*8), Y5, Y9
	VANDPD  Y4, Y6, Y6
	VANDPD  Y4, Y7, Y7
	VANDPD  Y4, Y8, Y8
	VANDPD  Y4, Y9, Y9
	VADDPD  Y6, Y0, Y0
	VADDPD  Y7, Y1, Y1
	VADDPD  Y8, Y2, Y2
	VADDPD  Y9, Y3, Y3
	ADDQ    $4, R11
	CMPQ    R11, R8
	JLT     abs
	VHADDPD    Y1, Y0, Y0
	VHADDPD    Y3, Y2, Y2
	VPERM2F128 $0x21, Y2, Y0, Y1
	VBLENDPD   $12, Y2, Y0, Y0
	VADDPD     Y1, Y0, Y0
	VMOVUPD    Y0, (R9)
	VZEROUPPER
	RET

// func squares4(q, b0, b1, b2, b3 *float64, k int, out *[4]float64)
// Writes the sums of (q - b)² over k values, a multiple of 4 above 0, for four rows b.
TEXT ·squares4(SB), NOSPLIT, $0-56
	MOVQ     q+0(FP), AX
	MOVQ     b0+8(FP), BX
	MOVQ     b1+16(FP), CX
	MOVQ     b2+24(FP), DX
	MOVQ     b3+32(FP), SI
	MOVQ     k+40(FP), R8
	MOVQ     out+48(FP), R9
	VXORPD   Y0, Y0, Y0
	VXORPD   Y1, Y1, Y1
	VXORPD   Y2, Y2, Y2
	VXORPD   Y3, Y3, Y3
	XORQ     R11, R11

sqr:
	VMOVUPD (AX)(R11*8), Y5
	VSUBPD  (BX)(R11*8), Y5, Y6
	VSUBPD  (CX)(R11*8), Y5, Y7
	VSUBPD  (DX)(R11*8), Y5, Y8
	VSUBPD  (SI)(R11*8), Y5, Y9
	VFMADD231PD Y6, Y6, Y0
	VFMADD231PD Y7, Y7, Y1
	VFMADD231PD Y8, Y8, Y2
	VFMADD231PD Y9, Y9, Y3
	ADDQ    $4, R11
	CMPQ    R11, R8
	JLT     sqr
	VHADDPD    Y1, Y0, Y0
	VHADDPD    Y3, Y2, Y2
	VPERM2F128 $0x21, Y2, Y0, Y1
	VBLENDPD   $12, Y2, Y0, Y0
	VADDPD     Y1, Y0, Y0
	VMOVUPD    Y0, (R9)
	VZEROUPPER
	RET

#define ROW(src, c0, c1, c2) \
	VBROADCASTSD (src)(R11*8), Y15 \
	VFMADD231PD  Y12, Y15, c0      \
	VFMADD231PD  Y13, Y15, c1      \
	VFMADD231PD  Y14, Y15, c2

// func tile4x12(a *float64, lda int, panel *float64, k int, c *float64, ldc int)
// Writes the inner products of four rows of k values, lda apart, with the twelve columns of panel (k, 12) to four rows of c,
// ldc apart. k is above 0.
TEXT ·tile4x12(SB), NOSPLIT, $0-48
	MOVQ   a+0(FP), AX
	MOVQ   lda+8(FP), R8
	MOVQ   panel+16(FP), SI
	MOVQ   k+24(FP), R9
	MOVQ   c+32(FP), DI
	MOVQ   ldc+40(FP), R10
	SHLQ   $3, R8
	SHLQ   $3, R10
	LEAQ   (AX)(R8*1), BX
	LEAQ   (BX)(R8*1), CX
	LEAQ   (CX)(R8*1), DX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPD Y8, Y8, Y8
	VXORPD Y9, Y9, Y9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11
	XORQ   R11, R11

tile:
	VMOVUPD (SI), Y12
	VMOVUPD 32(SI), Y13
	VMOVUPD 64(SI), Y14
	ROW(AX, Y0, Y1, Y2)
	ROW(BX, Y3, Y4, Y5)
	ROW(CX, Y6, Y7, Y8)
	ROW(DX, Y9, Y10, Y11)
	ADDQ    $96, SI
	INCQ    R11
	CMPQ    R11, R9
	JLT     tile
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	ADDQ    R10, DI
	VMOVUPD Y3, (DI)
	VMOVUPD Y4, 32(DI)
	VMOVUPD Y5, 64(DI)
	ADDQ    R10, DI
	VMOVUPD Y6, (DI)
	VMOVUPD Y7, 32(DI)
	VMOVUPD Y8, 64(DI)
	ADDQ    R10, DI
	VMOVUPD Y9, (DI)
	VMOVUPD Y10, 32(DI)
	VMOVUPD Y11, 64(DI)
	VZEROUPPER
	RET
