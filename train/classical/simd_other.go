//go:build !amd64

package classical

var simd = false

func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64) { panic("no SIMD here") }
