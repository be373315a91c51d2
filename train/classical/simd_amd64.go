package classical

import "golang.org/x/sys/cpu"

// simd says whether the processor has what simd_amd64.s and vectors_amd64.s need. Tests turn it off.
var simd = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64)

//go:noescape
func smoMove(v, up *float64, ki, kj *float32, n int, ei, ej float64, best *[4]float64, at *[4]int64)

//go:noescape
func smoSecond(v, low, diag *float64, ki *float32, n int, top, kii float64, best *[4]float64, at *[4]int64, least *[4]float64)

//go:noescape
func exp4(x *float64, n int, s float64)

//go:noescape
func absolutes4(q, b0, b1, b2, b3 *float64, k int, out *[4]float64)

//go:noescape
func squares4(q, b0, b1, b2, b3 *float64, k int, out *[4]float64)

//go:noescape
func tile4x12(a *float64, lda int, panel *float64, k int, c *float64, ldc int)
