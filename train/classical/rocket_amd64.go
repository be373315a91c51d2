package classical

import "golang.org/x/sys/cpu"

// simd512 says whether the processor has what the AVX-512 routines of rocket_amd64.s need. Tests turn it off.
var simd512 = simd && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL

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
