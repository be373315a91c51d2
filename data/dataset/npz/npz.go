// Package npz reads and writes NumPy's array files: .npy (one array) and .npz (a zip of them).
//
// It covers what traffic data sets are kept in: booleans, signed and unsigned integers, half, single and double
// precision, fixed-width unicode, both byte orders, C and Fortran order, stored and compressed zips. Object arrays
// (pickles) are refused, since reading them runs code. Files come from outside: a header's claim is checked against the bytes
// that are there before anything of that size is allocated.
package npz

import (
	"fmt"
	"math"
)

// Array is one array in C order. Exactly one of the slices holds the elements, chosen by the kind of DType:
//
//	F32  f2, f4         F64  f8
//	I32  i1 i2 i4 u1 u2 I64  i8 u4 u8 (u8 beyond int64 is an error)
//	Bool b1             Str  U
type Array struct {
	Shape []int  // empty for a scalar
	DType string // as in the file: "<f4", ">i8", "|b1", "<U12"; ignored on writing

	F32  []float32
	F64  []float64
	I32  []int32
	I64  []int64
	Bool []bool
	Str  []string
}

// Named is an array and the name that it has in a .npz.
type Named struct {
	Name string
	Array
}

// Float32 returns a (shape) array of single precision.
func Float32(v []float32, shape ...int) Array { return Array{Shape: shapeOr(shape, len(v)), F32: v} }

// Float64 returns a (shape) array of double precision.
func Float64(v []float64, shape ...int) Array { return Array{Shape: shapeOr(shape, len(v)), F64: v} }

// Int64 returns a (shape) array of 64-bit integers.
func Int64(v []int64, shape ...int) Array { return Array{Shape: shapeOr(shape, len(v)), I64: v} }

// Int32 returns a (shape) array of 32-bit integers.
func Int32(v []int32, shape ...int) Array { return Array{Shape: shapeOr(shape, len(v)), I32: v} }

// Strings returns a (shape) array of fixed-width unicode, as wide as the longest of v.
func Strings(v []string, shape ...int) Array { return Array{Shape: shapeOr(shape, len(v)), Str: v} }

// Scalar returns a 0-dimensional 64-bit integer.
func Scalar(v int64) Array { return Array{Shape: []int{}, I64: []int64{v}} }

// shapeOr makes a vector of n elements where no shape is given.
func shapeOr(shape []int, n int) []int {
	if len(shape) == 0 {
		return []int{n}
	}
	return shape
}

// Len is the number of elements that Shape asks for; 1 for a scalar.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// AsFloat32 returns the elements as single precision, whatever number type they have. The slice is the array's own
// where it can be.
func (a *Array) AsFloat32() ([]float32, error) {
	switch {
	case a.F32 != nil:
		return a.F32, nil
	case a.F64 != nil:
		return convert[float64, float32](a.F64), nil
	case a.I32 != nil:
		return convert[int32, float32](a.I32), nil
	case a.I64 != nil:
		return convert[int64, float32](a.I64), nil
	}
	return a.none("numbers")
}

// AsFloat64 returns the elements as double precision.
func (a *Array) AsFloat64() ([]float64, error) {
	switch {
	case a.F64 != nil:
		return a.F64, nil
	case a.F32 != nil:
		return convert[float32, float64](a.F32), nil
	case a.I32 != nil:
		return convert[int32, float64](a.I32), nil
	case a.I64 != nil:
		return convert[int64, float64](a.I64), nil
	}
	_, err := a.none("numbers")
	return nil, err
}

// AsInt64 returns the elements as integers; a float that is not a whole number is an error.
func (a *Array) AsInt64() ([]int64, error) {
	switch {
	case a.I64 != nil:
		return a.I64, nil
	case a.I32 != nil:
		return convert[int32, int64](a.I32), nil
	}
	f, err := a.AsFloat64()
	if err != nil {
		return nil, err
	}
	v := make([]int64, len(f))
	for i, x := range f {
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return nil, fmt.Errorf("npz: element %d: %v is not a whole number", i, x)
		}
		v[i] = int64(x)
	}
	return v, nil
}

// AsStrings returns the elements as text: strings as they are, integers and booleans printed.
func (a *Array) AsStrings() ([]string, error) {
	if a.Str != nil {
		return a.Str, nil
	}
	var v []string
	for _, b := range a.Bool {
		v = append(v, fmt.Sprint(b))
	}
	if a.Bool != nil {
		return v, nil
	}
	n, err := a.AsInt64()
	for _, x := range n {
		v = append(v, fmt.Sprint(x))
	}
	return v, err
}

func (a *Array) none(what string) ([]float32, error) {
	if a.Len() == 0 {
		return nil, nil
	}
	return nil, fmt.Errorf("npz: array of type %s holds no %s", a.DType, what)
}

func convert[S, D int32 | int64 | float32 | float64](s []S) []D {
	d := make([]D, len(s))
	for i, x := range s {
		d[i] = D(x)
	}
	return d
}

// size checks that the one filled slice has as many elements as Shape, and returns its kind letter and item size.
func (a *Array) size() (kind string, item int, err error) {
	type have struct {
		kind string
		n    int
		set  bool
		item int
	}
	wide := 1
	for _, s := range a.Str {
		n := 0
		for range s {
			n++
		}
		wide = max(wide, n)
	}
	found := have{"<f4", 0, false, 4} // nothing filled: an empty float32 array
	for _, h := range []have{
		{"<f4", len(a.F32), a.F32 != nil, 4}, {"<f8", len(a.F64), a.F64 != nil, 8},
		{"<i4", len(a.I32), a.I32 != nil, 4}, {"<i8", len(a.I64), a.I64 != nil, 8},
		{"|b1", len(a.Bool), a.Bool != nil, 1}, {fmt.Sprintf("<U%d", wide), len(a.Str), a.Str != nil, 4 * wide},
	} {
		if h.set && found.set {
			return "", 0, fmt.Errorf("npz: array with two kinds of elements, %s and %s", found.kind, h.kind)
		}
		if h.set {
			found = h
		}
	}
	if found.n != a.Len() {
		return "", 0, fmt.Errorf("npz: %d elements for shape %v", found.n, a.Shape)
	}
	return found.kind, found.item, nil
}
