package classical

import "math/rand/v2"

// crossValues returns the decision value of each row of a pair from a machine that did not see it (5 folds).
func (m *SVM) crossValues(d *svmRows, rows []int, n int, c [2]float64, bytes int, buf *[]float32, rng *rand.Rand) []float64 {
	perm := rng.Perm(len(rows))
	dec := make([]float64, len(rows))
	const folds = 5
	for f := range folds {
		lo, hi := f*len(rows)/folds, (f+1)*len(rows)/folds
		out := make([]bool, len(rows))
		for _, p := range perm[lo:hi] {
			out[p] = true
		}
		var train []int
		pos := 0
		for p, r := range rows {
			if !out[p] {
				train = append(train, r)
				if p < n {
					pos++
				}
			}
		}
		var alpha []float64
		var rho float64
		switch pos { // a fold without one of the classes answers with the other
		case 0:
			rho = 1
		case len(train):
			rho = -1
		default:
			alpha, rho = m.train(d, train, pos, c, bytes, buf)
		}
		if pos == 0 && len(train) == 0 {
			rho = 0
		}
		var sv []int
		var coef []float64
		for i, a := range alpha {
			if a != 0 {
				sv, coef = append(sv, train[i]), append(coef, a)
			}
		}
		x := d.x.Rows(sv)
		norm, value := pickFloats(d.norm, sv), make([]float64, len(sv))
		for _, p := range perm[lo:hi] {
			r := rows[p]
			d.k.values(d.x.Row(r), d.norm[r:r+1], x.X, norm, x.F, value)
			dec[p] = dot(value, coef) - rho
		}
	}
	return dec
}

func pickFloats(v []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}
