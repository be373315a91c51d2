#include "textflag.h"

// func above4(alpha, a, b, c *float32, n int, bias *[4]float32, count *[4]int32)
// Counts, for each of four biases, the t < n with alpha[t] + a[t] + b[t] + c[t] > bias. n is a multiple of 8 above 0.
TEXT ·above4(SB), NOSPLIT, $0-56
	MOVQ alpha+0(FP), AX
	MOVQ a+8(FP), BX
	MOVQ b+16(FP), CX
	MOVQ c+24(FP), DX
	MOVQ n+32(FP), R8
	MOVQ bias+40(FP), R9
	MOVQ count+48(FP), R10
	VBROADCASTSS 0(R9), Y4
	VBROADCASTSS 4(R9), Y5
	VBROADCASTSS 8(R9), Y6
	VBROADCASTSS 12(R9), Y7
	VPXOR Y8, Y8, Y8
	VPXOR Y9, Y9, Y9
	VPXOR Y10, Y10, Y10
	VPXOR Y11, Y11, Y11
	XORQ R11, R11
	SHRQ $3, R8

loop:
	VMOVUPS (AX)(R11*1), Y0
	VADDPS  (BX)(R11*1), Y0, Y0
	VADDPS  (CX)(R11*1), Y0, Y0
	VADDPS  (DX)(R11*1), Y0, Y0
	VCMPPS  $0x1e, Y4, Y0, Y1
	VCMPPS  $0x1e, Y5, Y0, Y2
	VCMPPS  $0x1e, Y6, Y0, Y3
	VCMPPS  $0x1e, Y7, Y0, Y12
	VPSUBD  Y1, Y8, Y8
	VPSUBD  Y2, Y9, Y9
	VPSUBD  Y3, Y10, Y10
	VPSUBD  Y12, Y11, Y11
	ADDQ    $32, R11
	DECQ    R8
	JNZ     loop

	// (8), (9), (10), (11) to their four sums
	VPHADDD      Y9, Y8, Y8
	VPHADDD      Y11, Y10, Y10
	VPHADDD      Y10, Y8, Y8
	VEXTRACTI128 $1, Y8, X9
	VPADDD       X9, X8, X8
	VMOVDQU      X8, (R10)
	VZEROUPPER
	RET

// func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64)
// Writes the inner products of three rows with four rows over k values, a multiple of 4 above 0.
TEXT ·tile34(SB), NOSPLIT, $0-72
	MOVQ  a0+0(FP), AX
	MOVQ  a1+8(FP), BX
	MOVQ  a2+16(FP), CX
	MOVQ  b0+24(FP), DX
	MOVQ  b1+32(FP), SI
	MOVQ  b2+40(FP), DI
	MOVQ  b3+48(FP), R8
	MOVQ  k+56(FP), R9
	MOVQ  out+64(FP), R10
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
	XORQ  R11, R11
	SHRQ  $2, R9

loop:
	VMOVUPD     (AX)(R11*1), Y12
	VMOVUPD     (BX)(R11*1), Y13
	VMOVUPD     (CX)(R11*1), Y14
	VMOVUPD     (DX)(R11*1), Y15
	VFMADD231PD Y15, Y12, Y0
	VFMADD231PD Y15, Y13, Y4
	VFMADD231PD Y15, Y14, Y8
	VMOVUPD     (SI)(R11*1), Y15
	VFMADD231PD Y15, Y12, Y1
	VFMADD231PD Y15, Y13, Y5
	VFMADD231PD Y15, Y14, Y9
	VMOVUPD     (DI)(R11*1), Y15
	VFMADD231PD Y15, Y12, Y2
	VFMADD231PD Y15, Y13, Y6
	VFMADD231PD Y15, Y14, Y10
	VMOVUPD     (R8)(R11*1), Y15
	VFMADD231PD Y15, Y12, Y3
	VFMADD231PD Y15, Y13, Y7
	VFMADD231PD Y15, Y14, Y11
	ADDQ        $32, R11
	DECQ        R9
	JNZ         loop

	// each group of four accumulators to its four sums
	VHADDPD    Y1, Y0, Y0
	VHADDPD    Y3, Y2, Y2
	VPERM2F128 $0x21, Y2, Y0, Y1
	VBLENDPD   $12, Y2, Y0, Y0
	VADDPD     Y1, Y0, Y0
	VMOVUPD    Y0, (R10)
	VHADDPD    Y5, Y4, Y4
	VHADDPD    Y7, Y6, Y6
	VPERM2F128 $0x21, Y6, Y4, Y5
	VBLENDPD   $12, Y6, Y4, Y4
	VADDPD     Y5, Y4, Y4
	VMOVUPD    Y4, 32(R10)
	VHADDPD    Y9, Y8, Y8
	VHADDPD    Y11, Y10, Y10
	VPERM2F128 $0x21, Y10, Y8, Y9
	VBLENDPD   $12, Y10, Y8, Y8
	VADDPD     Y9, Y8, Y8
	VMOVUPD    Y8, 64(R10)
	VZEROUPPER
	RET
