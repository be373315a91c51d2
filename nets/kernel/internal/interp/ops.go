package interp

import "math"

// laneOps work on each 32-bit lane alone; old is the destination before.
var laneOps = map[string]func(x, y, old uint32) uint32{
	"VMOVUPS":      func(x, _, _ uint32) uint32 { return x },
	"VMOVAPS":      func(x, _, _ uint32) uint32 { return x },
	"VMOVNTPS":     func(x, _, _ uint32) uint32 { return x },
	"VMASKMOVPS":   func(x, _, _ uint32) uint32 { return x },
	"VMOVSS":       func(x, _, _ uint32) uint32 { return x },
	"VBROADCASTSS": func(x, _, _ uint32) uint32 { return x },

	"VXORPS": func(x, y, _ uint32) uint32 { return x ^ y },
	"VPXORD": func(x, y, _ uint32) uint32 { return x ^ y },
	"VANDPS": func(x, y, _ uint32) uint32 { return x & y },
	"VORPS":  func(x, y, _ uint32) uint32 { return x | y },
	"VPADDD": func(x, y, _ uint32) uint32 { return x + y },
	"VPSUBD": func(x, y, _ uint32) uint32 { return y - x },

	"VADDPS": func(x, y, _ uint32) uint32 { return bits(f32(y) + f32(x)) },
	"VADDSS": func(x, y, _ uint32) uint32 { return bits(f32(y) + f32(x)) },
	"VSUBPS": func(x, y, _ uint32) uint32 { return bits(f32(y) - f32(x)) },
	"VMULPS": func(x, y, _ uint32) uint32 { return bits(f32(y) * f32(x)) },
	"VDIVPS": func(x, y, _ uint32) uint32 { return bits(f32(y) / f32(x)) },
	"VMINPS": minimum,
	"VMINSS": minimum,
	"VMAXPS": maximum,
	"VMAXSS": maximum,

	"VSQRTPS": func(x, _, _ uint32) uint32 { return bits(float32(math.Sqrt(float64(f32(x))))) },

	"VFMADD132PS":  func(x, y, old uint32) uint32 { return bits(fma(f32(old), f32(x), f32(y))) },
	"VFMADD213PS":  func(x, y, old uint32) uint32 { return bits(fma(f32(y), f32(old), f32(x))) },
	"VFMADD213SS":  func(x, y, old uint32) uint32 { return bits(fma(f32(y), f32(old), f32(x))) },
	"VFMADD231PS":  func(x, y, old uint32) uint32 { return bits(fma(f32(y), f32(x), f32(old))) },
	"VFMADD231SS":  func(x, y, old uint32) uint32 { return bits(fma(f32(y), f32(x), f32(old))) },
	"VFNMADD213PS": func(x, y, old uint32) uint32 { return bits(fma(-f32(y), f32(old), f32(x))) },
	"VFNMADD231PS": func(x, y, old uint32) uint32 { return bits(fma(-f32(y), f32(x), f32(old))) },
	"VFMSUB213PS":  func(x, y, old uint32) uint32 { return bits(fma(f32(y), f32(old), -f32(x))) },

	"VCVTPS2DQ":  func(x, _, _ uint32) uint32 { return toInt32(math.RoundToEven(float64(f32(x)))) },
	"VCVTTPS2DQ": func(x, _, _ uint32) uint32 { return toInt32(math.Trunc(float64(f32(x)))) },
	"VCVTDQ2PS":  func(x, _, _ uint32) uint32 { return bits(float32(int32(x))) },
}

// minimum and maximum give the second operand of Intel's order (x) where either is NaN or both are zero.
func minimum(x, y, _ uint32) uint32 {
	if f32(y) < f32(x) {
		return y
	}
	return x
}

func maximum(x, y, _ uint32) uint32 {
	if f32(y) > f32(x) {
		return y
	}
	return x
}

// wideOps work on each 64-bit lane alone.
var wideOps = map[string]func(x, y, old uint64) uint64{
	"VMOVUPD":     func(x, _, _ uint64) uint64 { return x },
	"VXORPD":      func(x, y, _ uint64) uint64 { return x ^ y },
	"VADDPD":      func(x, y, _ uint64) uint64 { return math.Float64bits(f64(y) + f64(x)) },
	"VSUBPD":      func(x, y, _ uint64) uint64 { return math.Float64bits(f64(y) - f64(x)) },
	"VMULPD":      func(x, y, _ uint64) uint64 { return math.Float64bits(f64(y) * f64(x)) },
	"VFMADD231PD": func(x, y, old uint64) uint64 { return math.Float64bits(math.FMA(f64(y), f64(x), f64(old))) },
}

// shuffleOps move or convert lanes; n is the number of lanes of the destination (of the source, for a store).
var shuffleOps = map[string]func(out, x, y *vec, imm int64, n int){
	"VUNPCKLPS": quads(func(x, y []uint32) [4]uint32 { return [4]uint32{y[0], x[0], y[1], x[1]} }),
	"VUNPCKHPS": quads(func(x, y []uint32) [4]uint32 { return [4]uint32{y[2], x[2], y[3], x[3]} }),
	"VUNPCKLPD": quads(func(x, y []uint32) [4]uint32 { return [4]uint32{y[0], y[1], x[0], x[1]} }),
	"VUNPCKHPD": quads(func(x, y []uint32) [4]uint32 { return [4]uint32{y[2], y[3], x[2], x[3]} }),
	"VSHUFPS": func(out, x, y *vec, imm int64, n int) {
		for i := range n {
			s := y
			if i&3 > 1 {
				s = x
			}
			out[i] = s[i&^3+int(imm>>(2*(i&3))&3)]
		}
	},
	"VSHUFF32X4": blocks,
	"VSHUFF64X2": blocks,
	"VINSERTF128": func(out, x, y *vec, imm int64, _ int) {
		*out = *y
		copy(out[4*imm:4*imm+4], x[:4])
	},
	"VEXTRACTF128": func(out, x, _ *vec, imm int64, _ int) { copy(out[:4], x[4*imm:4*imm+4]) },
	"VPSLLD": func(out, x, _ *vec, imm int64, n int) {
		for i := range n {
			out[i] = x[i] << uint(imm)
		}
	},
	"VPSRLD": func(out, x, _ *vec, imm int64, n int) {
		for i := range n {
			out[i] = x[i] >> uint(imm)
		}
	},
	"VROUNDPS":    rounding,
	"VRNDSCALEPS": rounding,
	"VCMPPS": func(out, x, y *vec, imm int64, n int) {
		for i := range n {
			out[i] = 0
			if compare(imm, f32(y[i]), f32(x[i])) {
				out[i] = ^uint32(0)
			}
		}
	},
	"VCVTPS2PD": func(out, x, _ *vec, _ int64, n int) {
		for i := 0; i < n; i += 2 {
			v := math.Float64bits(float64(f32(x[i/2])))
			out[i], out[i+1] = uint32(v), uint32(v>>32)
		}
	},
	"VCVTPD2PS":  narrow,
	"VCVTPD2PSY": narrow,
}

// compare is the predicate numbered imm of VCMPPS; the numbers above 15 differ in signalling only.
func compare(imm int64, a, b float32) bool {
	switch imm & 15 {
	case 0:
		return a == b
	case 1:
		return a < b
	case 2:
		return a <= b
	case 4:
		return a != b
	case 13:
		return a >= b
	case 14:
		return a > b
	}
	panic("interp: VCMPPS: unknown predicate")
}

func rounding(out, x, _ *vec, imm int64, n int) {
	mode := []func(float64) float64{math.RoundToEven, math.Floor, math.Ceil, math.Trunc}[imm&3]
	for i := range n {
		out[i] = bits(float32(mode(float64(f32(x[i])))))
	}
}

// narrow converts n float64 to float32.
func narrow(out, x, _ *vec, _ int64, n int) {
	for i := range n {
		out[i] = bits(float32(f64(wide(x, 2*i))))
	}
}

// quads applies f to each 128-bit lane of the sources.
func quads(f func(x, y []uint32) [4]uint32) func(out, x, y *vec, imm int64, n int) {
	return func(out, x, y *vec, _ int64, n int) {
		for b := 0; b < n; b += 4 {
			q := f(x[b:b+4], y[b:b+4])
			copy(out[b:b+4], q[:])
		}
	}
}

// blocks picks 128-bit lanes: two of y below two of x.
func blocks(out, x, y *vec, imm int64, n int) {
	if n != 16 {
		panic("interp: VSHUFF32X4: 256-bit form")
	}
	for b := range 4 {
		s := y
		if b > 1 {
			s = x
		}
		at := 4 * int(imm>>(2*b)&3)
		copy(out[4*b:4*b+4], s[at:at+4])
	}
}
