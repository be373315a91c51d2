package interp

import (
	"math"
	"strings"
)

// vectorOp runs a vector instruction: sources, then perhaps an opmask, then the destination. x is the first source in
// Go's order (the last of Intel's), y the second.
func (m *machine) vectorOp(in *instruction) {
	dst := in.args[len(in.args)-1]
	src := in.args[:len(in.args)-1]
	keep := ^uint64(0)
	if k := len(src) - 1; k >= 0 && src[k].kind == mask {
		keep, src = m.masks[src[k].n], src[:k]
	}
	suffix := in.suffix
	if in.op == "VMASKMOVPS" { // the signs of the second source are the mask
		keep, suffix = 0, "Z"
		for i, v := range m.vectors[src[1].n] {
			keep |= uint64(v>>31) << i
		}
		src = src[:1]
	}
	var imm int64
	if src[0].kind == immediate {
		imm, src = src[0].value, src[1:]
	}
	n := dst.lanes
	for _, s := range src {
		if dst.kind != vector {
			n = max(n, s.lanes)
		}
	}
	single := strings.HasSuffix(in.op, "SS") && in.op != "VBROADCASTSS"
	if single {
		n = 1
	}
	if dst.kind == memory {
		m.store(dst, m.vectors[src[0].n], n, keep, in)
		return
	}
	var s [2]vec
	for i, o := range src {
		s[i] = m.load(o, n, i, keep, in)
	}
	var old vec
	if dst.kind == vector {
		old = m.vectors[dst.n]
	}
	out := old
	switch {
	case in.lane != nil:
		for i := range n {
			out[i] = in.lane(s[0][i], s[1][i], old[i])
		}
	case in.wideLane != nil:
		for i := 0; i < n; i += 2 {
			v := in.wideLane(wide(&s[0], i), wide(&s[1], i), wide(&old, i))
			out[i], out[i+1] = uint32(v), uint32(v>>32)
		}
	default:
		in.shuffle(&out, &s[0], &s[1], imm, n)
	}
	if dst.kind == mask {
		m.masks[dst.n] = 0
		for i := range n {
			m.masks[dst.n] |= uint64(out[i]&1) << i & keep
		}
		return
	}
	for i := range n {
		lane := i
		if in.wideLane != nil {
			lane = i / 2
		}
		if keep>>lane&1 == 0 {
			if out[i] = old[i]; suffix == "Z" {
				out[i] = 0
			}
		}
	}
	if single {
		n = 4
		for i := 1; i < 4; i++ {
			switch {
			case len(src) == 1 && src[0].kind == memory:
				out[i] = 0
			case !strings.HasPrefix(in.op, "VF"):
				out[i] = s[1][i]
			}
		}
	}
	clear(out[n:]) // VEX and EVEX clear what lies above
	m.vectors[dst.n] = out
}

// load reads the source numbered i as n lanes; memory lanes that keep leaves out are not touched.
func (m *machine) load(o operand, n, i int, keep uint64, in *instruction) (v vec) {
	if o.kind == vector {
		v = m.vectors[o.n]
		if in.op == "VBROADCASTSS" {
			for j := range n {
				v[j] = v[0]
			}
		}
		return v
	}
	if o.kind == parameter {
		x := uint32(m.parameter(o, 4))
		for j := range n {
			v[j] = x
		}
		return v
	}
	if in.suffix == "BCST" || in.op == "VBROADCASTSS" {
		x := *(*uint32)(m.address(o, 4, in))
		for j := range n {
			v[j] = x
		}
		return v
	}
	switch in.op {
	case "VINSERTF128":
		n = 4
	case "VCVTPS2PD":
		n /= 2
	case "VMOVAPS":
		m.aligned(o, n, in)
	}
	for j := range n {
		lane := j
		if in.wideLane != nil {
			lane = j / 2
		}
		if keep>>lane&1 == 1 {
			q := o
			q.value += int64(4 * j)
			v[j] = *(*uint32)(m.address(q, 4, in))
		}
	}
	return v
}

func (m *machine) store(o operand, v vec, n int, keep uint64, in *instruction) {
	if in.op == "VMOVAPS" || in.op == "VMOVNTPS" {
		m.aligned(o, n, in)
	}
	if in.shuffle != nil { // a part of the register
		imm := int64(0)
		if in.args[0].kind == immediate {
			imm = in.args[0].value
		}
		var part vec
		in.shuffle(&part, &v, &v, imm, n)
		v, n = part, n/2
	}
	for j := range n {
		if keep>>j&1 == 1 {
			q := o
			q.value += int64(4 * j)
			*(*uint32)(m.address(q, 4, in)) = v[j]
		}
	}
}

// aligned panics where a processor would fault.
func (m *machine) aligned(o operand, n int, in *instruction) {
	if m.effective(o)%int64(4*n) != 0 {
		panic("interp: " + in.text + ": address is not aligned")
	}
}

func wide(v *vec, i int) uint64 { return uint64(v[i]) | uint64(v[i+1])<<32 }

func f32(x uint32) float32  { return math.Float32frombits(x) }
func bits(x float32) uint32 { return math.Float32bits(x) }
func f64(x uint64) float64  { return math.Float64frombits(x) }

// fma is a*b+c with one rounding. The product is exact in float64; the sum is rounded to odd there, so that rounding
// it to float32 is the only rounding that counts.
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	t := s - p
	lost := (p - (s - t)) + (float64(c) - t)
	if u := math.Float64bits(s); lost != 0 && u&1 == 0 {
		if (lost > 0) == (s > 0) {
			u++
		} else {
			u--
		}
		s = math.Float64frombits(u)
	}
	return float32(s)
}

// toInt32 is the conversion of VCVTPS2DQ: what does not fit becomes the lowest number.
func toInt32(v float64) uint32 {
	if !(v >= math.MinInt32 && v <= math.MaxInt32) {
		return 1 << 31
	}
	return uint32(int32(v))
}
