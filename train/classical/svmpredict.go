package classical

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// pairwise returns the values of all pairs, (N, pairs): above 0 for the pair's first class.
func (m *SVM) pairwise(x Matrix) []float64 {
	np, nsv, p := len(m.Rho), m.SV.N, len(m.Present)
	start := make([]int, p+1)
	for i, n := range m.Count {
		start[i+1] = start[i] + n
	}
	d := make([]float64, x.N*np)
	if nsv == 0 {
		for i := range d {
			d[i] = -m.Rho[i%np]
		}
		return d
	}
	if m.Kernel == Linear { // one weight vector for each pair
		w := make([]float64, np*x.F)
		at := 0
		for a := range p {
			for b := a + 1; b < p; b++ {
				row := blas64.Vector{N: x.F, Inc: 1, Data: w[at*x.F : (at+1)*x.F]}
				for _, s := range [2][3]int{{start[a], start[a+1], b - 1}, {start[b], start[b+1], a}} {
					for v := s[0]; v < s[1]; v++ {
						if c := m.Coef[s[2]*nsv+v]; c != 0 {
							blas64.Axpy(c, blas64.Vector{N: x.F, Inc: 1, Data: m.SV.Row(v)}, row)
						}
					}
				}
				at++
			}
		}
		for i := range x.N {
			for j, r := range m.Rho {
				d[i*np+j] = -r
			}
		}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, x.general(), general(np, x.F, w), 1, general(x.N, np, d))
		return d
	}
	norm := norms(m.SV)
	all := m.shareTest(x)
	const block = 24
	bufs := make([][]float64, workers(m.Threads, (x.N+block-1)/block))
	parallel(m.Threads, (x.N+block-1)/block, func(w, b int) {
		lo, hi := b*block, min(x.N, (b+1)*block)
		if bufs[w] == nil {
			bufs[w] = make([]float64, block*nsv)
		}
		ks := bufs[w][:(hi-lo)*nsv]
		if all == nil {
			own := norms(Matrix{N: hi - lo, F: x.F, X: x.X[lo*x.F : hi*x.F]})
			kernel{gamma: m.GammaIs}.values(x.X[lo*x.F:hi*x.F], own, m.SV.X, norm, x.F, ks)
		} else {
			for i := lo; i < hi; i++ {
				row, from := ks[(i-lo)*nsv:(i-lo+1)*nsv], all[i*m.rows.x.N:]
				for v, s := range m.sv {
					row[v] = from[s]
				}
			}
		}
		for i := lo; i < hi; i++ {
			row := ks[(i-lo)*nsv : (i-lo+1)*nsv]
			at := 0
			for a := range p {
				for b := a + 1; b < p; b++ {
					d[i*np+at] = dot(row[start[a]:start[a+1]], m.Coef[(b-1)*nsv+start[a]:(b-1)*nsv+start[a+1]]) +
						dot(row[start[b]:start[b+1]], m.Coef[a*nsv+start[b]:a*nsv+start[b+1]]) - m.Rho[at]
					at++
				}
			}
		}
	})
	return d
}

// shareTest returns the RBF kernel of a fold's test rows with its training rows, or nil when x is not those.
func (m *SVM) shareTest(x Matrix) []float64 {
	if m.rows == nil || !m.fold.asks(x) {
		return nil
	}
	d := m.rows
	return share(m.fold, testKernel{d.k}, 8*x.N*d.x.N, func() []float64 {
		k := slices.Clone(share(m.fold, testSquares{}, 8*x.N*d.x.N, func() []float64 {
			s := make([]float64, x.N*d.x.N)
			squaredDistances(x.X, norms(x), d.x.X, d.norm, x.F, s)
			return s
		}))
		exps(k, -d.k.gamma)
		return k
	})
}

// Decision returns the machines' values: for two classes one column, above 0 for class 1; otherwise a column for each
// pair, above 0 for its first class. This is SVC.decision_function with decision_function_shape "ovo".
func (m *SVM) Decision(x Matrix) ([]float64, int) {
	d := m.pairwise(x)
	if len(m.Rho) == 1 {
		for i := range d {
			d[i] = -d[i]
		}
	}
	return d, len(m.Rho)
}

// votes returns each class's share of the pairs that it wins, (N, K).
func (m *SVM) votes(x Matrix) []float64 {
	d, np := m.pairwise(x), len(m.Rho)
	v := make([]float64, x.N*m.K)
	for i := range x.N {
		at := i * np
		for a, ca := range m.Present {
			for _, cb := range m.Present[a+1:] {
				if d[at] > 0 {
					v[i*m.K+ca] += 1 / float64(np)
				} else {
					v[i*m.K+cb] += 1 / float64(np)
				}
				at++
			}
		}
	}
	return v
}

// Predict returns the class that wins most pairs; of equal ones the first.
func (m *SVM) Predict(x Matrix) []int {
	v := m.votes(x)
	for i := range v { // shares of whole votes: equal ones must compare equal
		v[i] = math.Round(v[i] * float64(len(m.Rho)))
	}
	return argmaxRows(v, m.K)
}

// Proba returns, with Probability, the coupled probabilities of the pairs' sigmoids, else the shares of the votes, (N, K).
// Like SVC's, they can favor another class than Predict.
func (m *SVM) Proba(x Matrix) []float64 {
	if m.A == nil {
		return m.votes(x)
	}
	d, np := m.pairwise(x), len(m.Rho)
	p := make([]float64, x.N*m.K)
	for i := range x.N {
		for j, v := range couple(d[i*np:(i+1)*np], m.A, m.B, len(m.Present)) {
			p[i*m.K+m.Present[j]] = v
		}
	}
	return p
}
