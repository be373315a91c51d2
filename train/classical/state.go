package classical

import "fmt"

// array is one named value of a fitted model: whole numbers or real ones.
type array struct {
	name  string
	shape []int
	f64   []float64
	i64   []int64
}

// state goes through what a fitted model holds: it appends to list, or fills the model from byName when that is set.
// The same lines of a model's state method therefore save and load, in the same order and under the same names.
type state struct {
	prefix string
	list   []array
	byName map[string]array
	err    error // the first
}

func (s *state) loading() bool { return s.byName != nil }

func (s *state) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// take returns an array of n values, n < 0 for any number.
func (s *state) take(name string, n int) array {
	a, ok := s.byName[s.prefix+name]
	if got := len(a.f64) + len(a.i64); !ok {
		s.fail("array %s%s is missing", s.prefix, name)
	} else if n >= 0 && got != n {
		s.fail("array %s%s has %d values instead of %d", s.prefix, name, got, n)
	}
	return a
}

// ints are whole numbers of any type, each a value of its own.
func (s *state) ints(name string, p ...*int) {
	if !s.loading() {
		a := array{name: s.prefix + name, shape: []int{len(p)}}
		for _, v := range p {
			a.i64 = append(a.i64, int64(*v))
		}
		s.list = append(s.list, a)
		return
	}
	a := s.take(name, len(p))
	for i := range p {
		if i < len(a.i64) && a.i64[i] >= 0 && a.i64[i] < 1<<31 {
			*p[i] = int(a.i64[i])
		} else {
			s.fail("array %s%s: %v", s.prefix, name, a.i64)
		}
	}
}

// floats is a slice of real numbers; rows > 0 shapes it as a matrix of so many rows. n is its length when loading.
func (s *state) floats(name string, p *[]float64, rows int, n int) {
	if !s.loading() {
		shape := []int{len(*p)}
		if rows > 0 {
			shape = []int{rows, len(*p) / rows}
		}
		s.list = append(s.list, array{name: s.prefix + name, shape: shape, f64: *p})
		return
	}
	*p = s.take(name, n).f64
	if n > 0 && len(*p) != n {
		s.fail("array %s%s holds no real numbers", s.prefix, name)
	}
}

// whole is a slice of whole numbers. n is its length when loading, lo and hi what its values may be.
func whole[T int | int32](s *state, name string, p *[]T, n int, lo, hi int64) {
	if !s.loading() {
		a := array{name: s.prefix + name, shape: []int{len(*p)}, i64: make([]int64, len(*p))}
		for i, v := range *p {
			a.i64[i] = int64(v)
		}
		s.list = append(s.list, a)
		return
	}
	a := s.take(name, n)
	*p = make([]T, len(a.i64))
	for i, v := range a.i64 {
		if v < lo || v >= hi {
			s.fail("array %s%s: value %d at %d, outside %d to %d", s.prefix, name, v, i, lo, hi-1)
			return
		}
		(*p)[i] = T(v)
	}
	if n > 0 && len(*p) != n {
		s.fail("array %s%s holds no whole numbers", s.prefix, name)
	}
}

// matrix is a Matrix of any number of rows.
func (s *state) matrix(name string, m *Matrix) {
	s.ints(name+"_shape", &m.N, &m.F)
	if s.err == nil {
		s.floats(name, &m.X, m.N, m.N*m.F)
	}
}
