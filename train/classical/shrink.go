package classical

import (
	"math"
	"slices"
)

// shrink sets rows aside that will probably stay at their bound.
func (s *smo) shrink() {
	up, low := math.Inf(-1), math.Inf(1) // largest v of rows that can rise, smallest of rows that can fall
	for t, v := range s.v[:s.size] {
		up, low = max(up, v+s.up[t]), min(low, v+s.low[t])
	}
	if !s.unshrunk && up-low <= s.eps*10 {
		s.unshrunk = true
		s.unshrink()
	}
	left := 0
	for t, v := range s.v[:s.size] {
		if (s.up[t] < 0 && v > up) || (s.low[t] > 0 && v < low) {
			s.shrunk[t], s.up[t], s.low[t] = true, math.Inf(-1), math.Inf(1)
		}
		if !s.shrunk[t] {
			left++
		}
	}
	if s.size > 500 && left < s.size/4*3 {
		var order []int32
		for _, is := range [2]bool{false, true} {
			for t := range s.size {
				if s.shrunk[t] == is {
					order = append(order, int32(t))
				}
			}
		}
		for t := s.size; t < len(s.v); t++ {
			order = append(order, int32(t))
		}
		s.size = left
		s.permute(order)
		s.pack.reset(len(s.v), s.size, s.rows.spare*len(s.v))
	}
}

// permute brings what is at position order[p] to position p.
func (s *smo) permute(order []int32) {
	for _, a := range [][]float64{s.y, s.c, s.diag, s.alpha, s.v, s.up, s.low} {
		permute(a, order)
	}
	permute(s.shrunk, order)
	permute(s.active, order)
}

func permute[T any](a []T, order []int32) {
	was := slices.Clone(a)
	for p, o := range order {
		a[p] = was[o]
	}
}

// unshrink brings every row back to its place; those out of sight make up what they missed.
func (s *smo) unshrink() {
	if l := len(s.v); s.size < l {
		sum := make([]float64, l)
		for p, i := range s.active {
			if a := s.alpha[p] * s.y[p]; a != 0 {
				for t, k := range s.rows.row(int(i)) {
					sum[t] += a * float64(k)
				}
			}
		}
		for p := s.size; p < l; p++ {
			s.v[p] = s.y[p] - sum[s.active[p]]
		}
		order := make([]int32, l)
		for p, i := range s.active {
			order[i] = int32(p)
		}
		s.size = l
		s.permute(order)
		s.pack.on = false
	}
	for t, is := range s.shrunk {
		if is {
			s.shrunk[t] = false
			s.bound(t)
		}
	}
}

// row returns the kernel of the row at position p with those in sight. The latest two stay valid.
func (s *smo) row(p int) []float32 {
	i := int(s.active[p])
	if !s.pack.on {
		return s.rows.row(i)
	}
	to, done := s.pack.row(i)
	if !done {
		from := s.rows.row(i)
		for t, a := range s.active[:s.size] {
			to[t] = from[a]
		}
	}
	return to
}

// packing keeps kernel rows in the order of the rows in sight.
type packing struct {
	on    bool
	size  int
	rows  [][]float32 // nil: not packed
	free  [][]float32 // of size values or more
	room  int         // values that may still be made
	loose [2][]float32
	turn  int
}

// reset forgets all rows of l; they have size values from now on, room in all at most.
func (k *packing) reset(l, size, room int) {
	if k.rows == nil {
		k.rows, k.loose = make([][]float32, l), [2][]float32{make([]float32, l), make([]float32, l)}
	}
	for i, r := range k.rows {
		if r != nil {
			k.free, k.rows[i] = append(k.free, r), nil
		}
	}
	k.free = slices.DeleteFunc(k.free, func(r []float32) bool { return len(r) < size })
	k.on, k.size, k.room = true, size, room
	for _, r := range k.free {
		k.room -= len(r)
	}
}

// row returns the room of row i, and whether the row is there already.
func (k *packing) row(i int) ([]float32, bool) {
	switch {
	case k.rows[i] != nil:
		return k.rows[i], true
	case len(k.free) > 0:
		k.rows[i], k.free = k.free[len(k.free)-1], k.free[:len(k.free)-1]
	case k.room >= k.size:
		k.rows[i] = make([]float32, k.size)
		k.room -= k.size
	default:
		k.turn ^= 1
		return k.loose[k.turn], false
	}
	return k.rows[i], false
}
