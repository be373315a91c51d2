//go:build !amd64

package classical

var simd512 = false

func rocketAlpha(out, at *float32, d, late, n int) { panic("no SIMD here") }

func rocketSum(to, a, b *float32, n int) { panic("no SIMD here") }

func rocketAbove2(u, v *float32, n int, bias *float32, k int, count *[4]int32) { panic("no SIMD here") }

func rocketAbove5(u, v *float32, n int, bias *float32, k int, count *[4]int32) { panic("no SIMD here") }

func rocketPool2(c *float32, words int, bias float32, below *uint64, out *rocketLanes) {
	panic("no SIMD here")
}

func rocketPool5(c *float32, words int, bias float32, below *uint64, out *rocketLanes) {
	panic("no SIMD here")
}
