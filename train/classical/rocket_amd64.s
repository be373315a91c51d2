#include "textflag.h"

// Sixteen lanes of zeros, sixteen of all bits: or-ed with a vector from lane 16-r on they leave its first r lanes and make
// the others NaN, which is neither above nor below anything.
DATA rocketTail<>+0(SB)/8, $0
DATA rocketTail<>+8(SB)/8, $0
DATA rocketTail<>+16(SB)/8, $0
DATA rocketTail<>+24(SB)/8, $0
DATA rocketTail<>+32(SB)/8, $0
DATA rocketTail<>+40(SB)/8, $0
DATA rocketTail<>+48(SB)/8, $0
DATA rocketTail<>+56(SB)/8, $0
DATA rocketTail<>+64(SB)/8, $-1
DATA rocketTail<>+72(SB)/8, $-1
DATA rocketTail<>+80(SB)/8, $-1
DATA rocketTail<>+88(SB)/8, $-1
DATA rocketTail<>+96(SB)/8, $-1
DATA rocketTail<>+104(SB)/8, $-1
DATA rocketTail<>+112(SB)/8, $-1
DATA rocketTail<>+120(SB)/8, $-1
GLOBL rocketTail<>(SB), RODATA|NOPTR, $128

DATA rocketSign<>+0(SB)/4, $0x80000000
GLOBL rocketSign<>(SB), RODATA|NOPTR, $4

// func rocketAlpha(out, at *float32, d, late, n int)
// out[t] = -at[t] - at[t-4d] - … - at[t+4d], in this order, for t < n; taps before the middle are late by so many steps.
// Rounds n up to a multiple of 8.
TEXT ·rocketAlpha(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), DI
	MOVQ at+8(FP), SI
	MOVQ d+16(FP), AX
	MOVQ late+24(FP), BX
	MOVQ n+32(FP), CX
	ADDQ $7, CX
	SHRQ $3, CX
	SHLQ $2, AX
	SHLQ $2, BX
	LEAQ (SI)(AX*1), R12
	LEAQ (R12)(AX*1), R13
	LEAQ (R13)(AX*1), R14
	LEAQ (R14)(AX*1), DX
	NEGQ AX
	LEAQ (SI)(BX*1), R11
	ADDQ AX, R11
	LEAQ (R11)(AX*1), R10
	LEAQ (R10)(AX*1), R9
	LEAQ (R9)(AX*1), R8
	VBROADCASTSS rocketSign<>(SB), Y1
	XORQ AX, AX

alpha:
	VXORPS  (SI)(AX*1), Y1, Y0
	VMOVUPS (R8)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R9)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R10)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R11)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R12)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R13)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (R14)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS (DX)(AX*1), Y2
	VSUBPS  Y2, Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ    $32, AX
	DECQ    CX
	JNZ     alpha
	VZEROUPPER
	RET

// func rocketSum(to, a, b *float32, n int)
// to = a + b; n is a multiple of 8 above 0.
TEXT ·rocketSum(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), BX
	MOVQ n+24(FP), CX
	SHRQ $3, CX
	XORQ AX, AX

plus:
	VMOVUPS (SI)(AX*1), Y0
	VADDPS  (BX)(AX*1), Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ    $32, AX
	DECQ    CX
	JNZ     plus
	VZEROUPPER
	RET

#define SUM2 \
	VMOVUPS (SI)(AX*1), Y0 \
	VADDPS  (BX)(AX*1), Y0, Y0

#define COUNT2(bias, mask, count) \
	VCMPPS $0x1e, bias, Y0, mask \
	VPSUBD mask, count, count

#define NEXT2(loop) \
	ADDQ $32, AX \
	DECQ CX \
	JNZ  loop

// func rocketAbove2(u, v *float32, n int, bias *float32, k int, count *[4]int32)
// Counts, for each of k biases, 1 to 4, the t < n with u[t] + v[t] above it. Reads up to 7 values behind both.
TEXT ·rocketAbove2(SB), NOSPLIT, $0-48
	MOVQ u+0(FP), SI
	MOVQ v+8(FP), BX
	MOVQ n+16(FP), CX
	MOVQ bias+24(FP), R9
	MOVQ k+32(FP), R8
	MOVQ count+40(FP), DI
	MOVQ CX, DX
	ANDQ $7, DX
	SHRQ $3, CX
	XORQ AX, AX
	VPXOR Y8, Y8, Y8
	VPXOR Y9, Y9, Y9
	VPXOR Y10, Y10, Y10
	VPXOR Y11, Y11, Y11
	VBROADCASTSS 0(R9), Y4
	CMPQ R8, $2
	JLT  begin1
	VBROADCASTSS 4(R9), Y5
	JEQ  begin2
	VBROADCASTSS 8(R9), Y6
	CMPQ R8, $4
	JLT  begin3
	VBROADCASTSS 12(R9), Y7
	TESTQ CX, CX
	JZ   tail

loop4:
	SUM2
	COUNT2(Y4, Y1, Y8)
	COUNT2(Y5, Y2, Y9)
	COUNT2(Y6, Y3, Y10)
	COUNT2(Y7, Y12, Y11)
	NEXT2(loop4)
	JMP  tail

begin3:
	TESTQ CX, CX
	JZ   tail

loop3:
	SUM2
	COUNT2(Y4, Y1, Y8)
	COUNT2(Y5, Y2, Y9)
	COUNT2(Y6, Y3, Y10)
	NEXT2(loop3)
	JMP  tail

begin2:
	TESTQ CX, CX
	JZ   tail

loop2:
	SUM2
	COUNT2(Y4, Y1, Y8)
	COUNT2(Y5, Y2, Y9)
	NEXT2(loop2)
	JMP  tail

begin1:
	TESTQ CX, CX
	JZ   tail

loop1:
	SUM2
	COUNT2(Y4, Y1, Y8)
	NEXT2(loop1)

tail:
	TESTQ DX, DX
	JZ    total
	LEAQ  rocketTail<>(SB), R10
	MOVQ  $16, R11
	SUBQ  DX, R11
	SUM2
	VORPS (R10)(R11*4), Y0, Y0
	COUNT2(Y4, Y1, Y8)
	COUNT2(Y5, Y2, Y9)
	COUNT2(Y6, Y3, Y10)
	COUNT2(Y7, Y12, Y11)

total:
	// (8), (9), (10), (11) to their four sums
	VPHADDD      Y9, Y8, Y8
	VPHADDD      Y11, Y10, Y10
	VPHADDD      Y10, Y8, Y8
	VEXTRACTI128 $1, Y8, X9
	VPADDD       X9, X8, X8
	VMOVDQU      X8, (DI)
	VZEROUPPER
	RET

#define SUM5 \
	VMOVUPS (SI)(AX*1), Z0 \
	VADDPS  (BX)(AX*1), Z0, Z0

#define COUNT5(bias, mask, count) \
	VCMPPS $0x1e, bias, Z0, mask \
	VPSUBD Z3, count, mask, count

#define NEXT5(loop) \
	ADDQ $64, AX \
	DECQ CX \
	JNZ  loop

// func rocketAbove5(u, v *float32, n int, bias *float32, k int, count *[4]int32)
// rocketAbove2 with AVX-512. Reads up to 15 values behind both.
TEXT ·rocketAbove5(SB), NOSPLIT, $0-48
	MOVQ u+0(FP), SI
	MOVQ v+8(FP), BX
	MOVQ n+16(FP), CX
	MOVQ bias+24(FP), R9
	MOVQ k+32(FP), R8
	MOVQ count+40(FP), DI
	MOVQ CX, DX
	ANDQ $15, DX
	SHRQ $4, CX
	XORQ AX, AX
	VPTERNLOGD $0xff, Z3, Z3, Z3
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	VBROADCASTSS 0(R9), Z4
	CMPQ R8, $2
	JLT  begin1
	VBROADCASTSS 4(R9), Z5
	JEQ  begin2
	VBROADCASTSS 8(R9), Z6
	CMPQ R8, $4
	JLT  begin3
	VBROADCASTSS 12(R9), Z7
	TESTQ CX, CX
	JZ   tail

loop4:
	SUM5
	COUNT5(Z4, K1, Z8)
	COUNT5(Z5, K2, Z9)
	COUNT5(Z6, K3, Z10)
	COUNT5(Z7, K4, Z11)
	NEXT5(loop4)
	JMP  tail

begin3:
	TESTQ CX, CX
	JZ   tail

loop3:
	SUM5
	COUNT5(Z4, K1, Z8)
	COUNT5(Z5, K2, Z9)
	COUNT5(Z6, K3, Z10)
	NEXT5(loop3)
	JMP  tail

begin2:
	TESTQ CX, CX
	JZ   tail

loop2:
	SUM5
	COUNT5(Z4, K1, Z8)
	COUNT5(Z5, K2, Z9)
	NEXT5(loop2)
	JMP  tail

begin1:
	TESTQ CX, CX
	JZ   tail

loop1:
	SUM5
	COUNT5(Z4, K1, Z8)
	NEXT5(loop1)

tail:
	TESTQ DX, DX
	JZ    total
	LEAQ  rocketTail<>(SB), R10
	MOVQ  $16, R11
	SUBQ  DX, R11
	SUM5
	VPORD (R10)(R11*4), Z0, Z0
	COUNT5(Z4, K1, Z8)
	COUNT5(Z5, K2, Z9)
	COUNT5(Z6, K3, Z10)
	COUNT5(Z7, K4, Z11)

total:
	VEXTRACTI64X4 $1, Z8, Y0
	VPADDD        Y0, Y8, Y8
	VEXTRACTI64X4 $1, Z9, Y0
	VPADDD        Y0, Y9, Y9
	VEXTRACTI64X4 $1, Z10, Y0
	VPADDD        Y0, Y10, Y10
	VEXTRACTI64X4 $1, Z11, Y0
	VPADDD        Y0, Y11, Y11
	VPHADDD       Y9, Y8, Y8
	VPHADDD       Y11, Y10, Y10
	VPHADDD       Y10, Y8, Y8
	VEXTRACTI128  $1, Y8, X9
	VPADDD        X9, X8, X8
	VMOVDQU       X8, (DI)
	VZEROUPPER
	RET

#define POOL2(sum, count, ahead) \
	VMOVUPS   (SI), Y0 \
	VCMPPS    $0x1e, Y4, Y0, Y1 \
	VCMPPS    $0x11, Y4, Y0, Y2 \
	VANDPS    Y1, Y0, Y0 \
	VPSUBD    Y1, count, count \
	VADDPS    Y0, sum, sum \
	VPADDD    count, ahead, ahead \
	VMOVMSKPS Y2, R11 \
	ADDQ      $32, SI \
	MOVB      R11, (R9) \
	INCQ      R9

// func rocketPool2(c *float32, words int, bias float32, below *uint64, out *rocketLanes)
// Bit t of below says whether c[t] is below the bias, for t < 64*words. Lane t%16 of out has what is above it: the sum, the
// count, and the counts after each sixteen steps, added up.
TEXT ·rocketPool2(SB), NOSPLIT, $0-40
	MOVQ c+0(FP), SI
	MOVQ words+8(FP), CX
	VBROADCASTSS bias+16(FP), Y4
	MOVQ below+24(FP), R9
	MOVQ out+32(FP), DI
	SHLQ $2, CX
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	VPXOR Y8, Y8, Y8
	VPXOR Y9, Y9, Y9
	VPXOR Y10, Y10, Y10

pool:
	POOL2(Y5, Y7, Y9)
	POOL2(Y6, Y8, Y10)
	DECQ CX
	JNZ  pool
	VMOVUPS Y5, (DI)
	VMOVUPS Y6, 32(DI)
	VMOVUPS Y7, 64(DI)
	VMOVUPS Y8, 96(DI)
	VMOVUPS Y9, 128(DI)
	VMOVUPS Y10, 160(DI)
	VZEROUPPER
	RET

// func rocketPool5(c *float32, words int, bias float32, below *uint64, out *rocketLanes)
// rocketPool2 with AVX-512.
TEXT ·rocketPool5(SB), NOSPLIT, $0-40
	MOVQ c+0(FP), SI
	MOVQ words+8(FP), CX
	VBROADCASTSS bias+16(FP), Z4
	MOVQ below+24(FP), R9
	MOVQ out+32(FP), DI
	SHLQ $2, CX
	VPTERNLOGD $0xff, Z3, Z3, Z3
	VPXORD Z5, Z5, Z5
	VPXORD Z7, Z7, Z7
	VPXORD Z9, Z9, Z9

pool:
	VMOVUPS (SI), Z0
	VCMPPS  $0x1e, Z4, Z0, K1
	VCMPPS  $0x11, Z4, Z0, K2
	VPSUBD  Z3, Z7, K1, Z7
	VADDPS  Z0, Z5, K1, Z5
	VPADDD  Z7, Z9, Z9
	KMOVW   K2, (R9)
	ADDQ    $64, SI
	ADDQ    $2, R9
	DECQ    CX
	JNZ     pool
	VMOVUPS Z5, (DI)
	VMOVUPS Z7, 64(DI)
	VMOVUPS Z9, 128(DI)
	VZEROUPPER
	RET
