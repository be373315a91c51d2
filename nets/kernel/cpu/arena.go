package cpu

import "unsafe"

// arena hands out scratch that is kept between calls: it grows to the largest need of the shapes seen and then
// allocates nothing. Its memory holds whatever the last user left.
type arena struct {
	mem []float32
	off int
}

// lineValues is the number of values in a cache line: scratch starts on one.
const lineValues = 16

// reset takes everything back and makes room for n values in up to parts pieces.
func (a *arena) reset(n, parts int) {
	if n += parts * lineValues; len(a.mem) < n {
		a.mem = aligned(n)
	}
	a.off = 0
}

// take returns n values that start on a cache line. The room was made by reset.
func (a *arena) take(n int) []float32 {
	s := a.mem[a.off : a.off+n : a.off+n]
	a.off += (n + lineValues - 1) / lineValues * lineValues
	return s
}

// aligned allocates n values that start on a cache line.
func aligned(n int) []float32 {
	b := make([]float32, n+lineValues)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b)))%64) / 4
	return b[skip : skip+n : skip+n]
}
