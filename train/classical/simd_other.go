//go:build !amd64

package classical

var simd = false

func above4(alpha, a, b, c *float32, n int, bias *[4]float32, count *[4]int32) { panic("no SIMD here") }

func tile34(a0, a1, a2, b0, b1, b2, b3 *float64, k int, out *[12]float64) { panic("no SIMD here") }
