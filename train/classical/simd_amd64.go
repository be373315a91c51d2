package classical

import "golang.org/x/sys/cpu"

// simd says whether the processor has what simd_amd64.s needs. Tests turn it off.
var simd = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64)
