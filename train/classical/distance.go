package classical

import "math"

// rowDistances writes the distances of q to the rows of b, squared if Euclidean, or something above limit where they are,
// to d.
func rowDistances(metric Metric, q, b []float64, limit float64, d []float64) {
	f, m := len(q), len(d)
	if !simd || f < 4 {
		for i := range d {
			if metric == Manhattan {
				d[i] = absolutes(q, b[i*f:(i+1)*f], limit)
			} else {
				d[i] = squares(q, b[i*f:(i+1)*f], limit)
			}
		}
		return
	}
	var out [4]float64
	even := f &^ 3
	for i := 0; i < m; i += 4 { // rows past the end are the last one again
		b0, b1, b2, b3 := &b[i*f], &b[min(i+1, m-1)*f], &b[min(i+2, m-1)*f], &b[min(i+3, m-1)*f]
		if metric == Manhattan {
			absolutes4(&q[0], b0, b1, b2, b3, even, &out)
		} else {
			squares4(&q[0], b0, b1, b2, b3, even, &out)
		}
		for p := range min(4, m-i) {
			s := out[p]
			for t := even; t < f; t++ {
				v := math.Abs(q[t] - b[(i+p)*f+t])
				if metric == Euclidean {
					v *= v
				}
				s += v
			}
			d[i+p] = s
		}
	}
}

// squares is the squared distance of a and b, or something above limit once that is certain.
func squares(a, b []float64, limit float64) float64 {
	s := 0.0
	b = b[:len(a)]
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		d4, d5, d6, d7 := x[4]-y[4], x[5]-y[5], x[6]-y[6], x[7]-y[7]
		s += ((d0*d0 + d1*d1) + (d2*d2 + d3*d3)) + ((d4*d4 + d5*d5) + (d6*d6 + d7*d7))
		if s > limit {
			return s
		}
		a, b = a[8:], b[8:]
	}
	for i, v := range a {
		s += (v - b[i]) * (v - b[i])
	}
	return s
}

// absolutes is squares for the Manhattan distance.
func absolutes(a, b []float64, limit float64) float64 {
	s := 0.0
	b = b[:len(a)]
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		s += ((math.Abs(x[0]-y[0]) + math.Abs(x[1]-y[1])) + (math.Abs(x[2]-y[2]) + math.Abs(x[3]-y[3]))) +
			((math.Abs(x[4]-y[4]) + math.Abs(x[5]-y[5])) + (math.Abs(x[6]-y[6]) + math.Abs(x[7]-y[7])))
		if s > limit {
			return s
		}
		a, b = a[8:], b[8:]
	}
	for i, v := range a {
		s += math.Abs(v - b[i])
	}
	return s
}
