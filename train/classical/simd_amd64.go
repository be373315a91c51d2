package classical

import "golang.org/x/sys/cpu"

// simd says whether the processor has what the .s files need, simd512 whether it also has what their AVX-512 routines
// need. Tests turn them off.
var (
	simd    = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	simd512 = simd && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL
)

//go:noescape
func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64)

//go:noescape
func rocketAlpha(out, at *float32, d, late, n int)

//go:noescape
func rocketSum(to, a, b *float32, n int)

//go:noescape
func rocketAbove2(u, v *float32, n int, bias *float32, k int, count *[4]int32)

//go:noescape
func rocketAbove5(u, v *float32, n int, bias *float32, k int, count *[4]int32)

//go:noescape
func rocketPool2(c *float32, words int, bias float32, below *uint64, out *rocketLanes)

//go:noescape
func rocketPool5(c *float32, words int, bias float32, below *uint64, out *rocketLanes)

//go:noescape
func smoMove(v, up *float64, ki, kj *float32, n int, ei, ej float64, best *[4]float64, at *[4]int64)

//go:noescape
func smoSecond(v, low, diag *float64, ki *float32, n int, top, kii float64, best *[4]float64, at *[4]int64, least *[4]float64)

//go:noescape
func exp4(x *float64, n int, s float64)

//go:noescape
func absolutes4(q, b0, b1, b2, b3 *float64, k int, out *[4]float64)
