package classical

import "math"

// sigmoid fits P(first class) = 1 / (1 + exp(A d + B)) to decision values d, the first n of which belong to the first
// class (Platt, 1999), by Newton's method with backtracking (Lin, Lin and Weng, 2007): LIBSVM's sigmoid_train.
func sigmoid(d []float64, n int) (a, b float64) {
	pos, neg := float64(n), float64(len(d)-n)
	hi, lo := (pos+1)/(pos+2), 1/(neg+2) // targets, kept off 0 and 1
	target := func(i int) float64 {
		if i < n {
			return hi
		}
		return lo
	}
	loss := func(a, b float64) float64 {
		f := 0.0
		for i, v := range d {
			t, z := target(i), v*a+b
			if z >= 0 {
				f += t*z + math.Log1p(math.Exp(-z))
			} else {
				f += (t-1)*z + math.Log1p(math.Exp(z))
			}
		}
		return f
	}
	const ridge, small, steps = 1e-12, 1e-5, 100
	a, b = 0, math.Log((neg+1)/(pos+1))
	f := loss(a, b)
	for range steps {
		h11, h22, h21, g1, g2 := ridge, ridge, 0.0, 0.0, 0.0
		for i, v := range d {
			z := v*a + b
			var p, q float64
			if z >= 0 {
				p, q = math.Exp(-z)/(1+math.Exp(-z)), 1/(1+math.Exp(-z))
			} else {
				p, q = 1/(1+math.Exp(z)), math.Exp(z)/(1+math.Exp(z))
			}
			h11 += v * v * p * q
			h22 += p * q
			h21 += v * p * q
			g1 += v * (target(i) - p)
			g2 += target(i) - p
		}
		if math.Abs(g1) < small && math.Abs(g2) < small {
			break
		}
		det := h11*h22 - h21*h21
		da, db := -(h22*g1-h21*g2)/det, -(-h21*g1+h11*g2)/det
		slope := g1*da + g2*db
		step := 1.0
		for ; step >= 1e-10; step /= 2 {
			if next := loss(a+step*da, b+step*db); next < f+0.0001*step*slope {
				a, b, f = a+step*da, b+step*db, next
				break
			}
		}
		if step < 1e-10 {
			break
		}
	}
	return a, b
}

// couple turns the decision values of all pairs of k classes into class probabilities (Wu, Lin and Weng, Probability
// estimates for multi-class classification by pairwise coupling, 2004, section 4.1): LIBSVM's multiclass_probability,
// with the stopping rule (0.005 / k) that scikit-learn's copy has for two classes as well.
func couple(d, a, b []float64, k int) []float64 {
	r := make([]float64, k*k)
	at := 0
	for i := range k {
		for j := i + 1; j < k; j++ {
			z := d[at]*a[at] + b[at]
			p := 0.0
			if z >= 0 {
				p = math.Exp(-z) / (1 + math.Exp(-z))
			} else {
				p = 1 / (1 + math.Exp(z))
			}
			p = min(max(p, 1e-7), 1-1e-7)
			r[i*k+j], r[j*k+i] = p, 1-p
			at++
		}
	}
	p, q, qp := make([]float64, k), make([]float64, k*k), make([]float64, k)
	for t := range k {
		p[t] = 1 / float64(k)
		for j := range k {
			if j != t {
				q[t*k+t] += r[j*k+t] * r[j*k+t]
				q[t*k+j] = -r[j*k+t] * r[t*k+j]
			}
		}
	}
	eps := 0.005 / float64(k)
	for range max(100, k) {
		pqp := 0.0
		for t := range k {
			qp[t] = 0
			for j := range k {
				qp[t] += q[t*k+j] * p[j]
			}
			pqp += p[t] * qp[t]
		}
		worst := 0.0
		for t := range k {
			worst = max(worst, math.Abs(qp[t]-pqp))
		}
		if worst < eps {
			break
		}
		for t := range k {
			diff := (-qp[t] + pqp) / q[t*k+t]
			p[t] += diff
			pqp = (pqp + diff*(diff*q[t*k+t]+2*qp[t])) / (1 + diff) / (1 + diff)
			for j := range k {
				qp[j] = (qp[j] + diff*q[t*k+j]) / (1 + diff)
				p[j] /= 1 + diff
			}
		}
	}
	return p
}
