package ref

import (
	"math"

	"earshot/nets/kernel"
)

// BatchNormStats computes the batch's mean and 1/sqrt(variance+eps) per channel, moves the running statistics, and
// writes the pending activation of the normalized tensor (Ioffe & Szegedy 2015, algorithm 1). With a single value per
// channel the unbiased variance does not exist; the running variance then takes the biased one, which is 0.
func (b *Backend) BatchNormStats(p kernel.BN, x, gamma, beta, runMean, runVar, mean, rstd, scale, shift kernel.Buf) {
	const name = "batch norm"
	xs := values(name, "x", x, p.N*p.C*p.T) // (N, C, T)
	gs, bs := values(name, "gamma", gamma, p.C), values(name, "beta", beta, p.C)
	rm, rv := values(name, "running mean", runMean, p.C), values(name, "running variance", runVar, p.C)
	ms, rs := values(name, "mean", mean, p.C), values(name, "rstd", rstd, p.C)
	sc, sh := values(name, "scale", scale, p.C), values(name, "shift", shift, p.C)
	count := float64(p.N * p.T)
	b.parallel(p.C, func(c int) {
		var sum float64
		for n := range p.N {
			for _, v := range xs[(n*p.C+c)*p.T:][:p.T] {
				sum += float64(v)
			}
		}
		m := sum / count
		var squares float64
		for n := range p.N {
			for _, v := range xs[(n*p.C+c)*p.T:][:p.T] {
				d := float64(v) - m
				squares += d * d
			}
		}
		variance := squares / count
		r := 1 / math.Sqrt(variance+float64(p.Eps))
		ms[c], rs[c] = float32(m), float32(r)
		sc[c] = float32(float64(gs[c]) * r)
		sh[c] = float32(float64(bs[c]) - m*float64(gs[c])*r)
		keep := 1 - float64(p.Momentum)
		rm[c] = float32(keep*float64(rm[c]) + float64(p.Momentum)*m)
		rv[c] = float32(keep*float64(rv[c]) + float64(p.Momentum)*squares/max(count-1, 1))
	})
}

// BatchNormFold writes the pending activation of evaluation mode.
func (b *Backend) BatchNormFold(p kernel.BN, gamma, beta, runMean, runVar, scale, shift kernel.Buf) {
	const name = "batch norm fold"
	gs, bs := values(name, "gamma", gamma, p.C), values(name, "beta", beta, p.C)
	rm, rv := values(name, "running mean", runMean, p.C), values(name, "running variance", runVar, p.C)
	sc, sh := values(name, "scale", scale, p.C), values(name, "shift", shift, p.C)
	for c := range p.C {
		s := float64(gs[c]) / math.Sqrt(float64(rv[c])+float64(p.Eps))
		sc[c], sh[c] = float32(s), float32(float64(bs[c])-float64(rm[c])*s)
	}
}

// BatchNormBackward differentiates z = act(x) in training mode, where mean and variance depend on x too. With
// u = dz under the ReLU's mask, xhat = (x-mean)*rstd and M = N*T:
//
//	dbeta = sum u;  dgamma = sum u*xhat;  dx = gamma*rstd * (u - dbeta/M - xhat*dgamma/M)
func (b *Backend) BatchNormBackward(p kernel.BN, dx, dz, x, gamma, mean, rstd, scale, shift, dgamma, dbeta kernel.Buf) {
	const name = "batch norm backward"
	xs, dzs, dxs := values(name, "x", x, p.N*p.C*p.T), values(name, "dz", dz, p.N*p.C*p.T), values(name, "dx", dx, p.N*p.C*p.T)
	gs, ms, rs := values(name, "gamma", gamma, p.C), values(name, "mean", mean, p.C), values(name, "rstd", rstd, p.C)
	sc, sh := values(name, "scale", scale, p.C), values(name, "shift", shift, p.C)
	dg, db := values(name, "dgamma", dgamma, p.C), values(name, "dbeta", dbeta, p.C)
	count := float64(p.N * p.T)
	b.parallel(p.C, func(c int) {
		var sumU, sumUX float64
		for n := range p.N {
			row, drow := xs[(n*p.C+c)*p.T:][:p.T], dzs[(n*p.C+c)*p.T:][:p.T]
			for t, v := range row {
				if p.ReLU && !(sc[c]*v+sh[c] > 0) {
					continue
				}
				sumU += float64(drow[t])
				sumUX += float64(drow[t]) * float64((v-ms[c])*rs[c])
			}
		}
		dg[c], db[c] = float32(sumUX), float32(sumU)
		a, meanU, meanUX := gs[c]*rs[c], float32(sumU/count), float32(sumUX/count)
		for n := range p.N {
			row, drow, out := xs[(n*p.C+c)*p.T:][:p.T], dzs[(n*p.C+c)*p.T:][:p.T], dxs[(n*p.C+c)*p.T:][:p.T]
			for t, v := range row {
				u := drow[t]
				if p.ReLU && !(sc[c]*v+sh[c] > 0) {
					u = 0
				}
				out[t] = a * (u - meanU - (v-ms[c])*rs[c]*meanUX)
			}
		}
	})
}
