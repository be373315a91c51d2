package ref

import (
	"math"

	"earshot/nets/kernel"
)

// What one step of one sequence leaves behind, H values each: the gates after their nonlinearity (in PyTorch's order),
// then the new cell and hidden state.
//
//	i = sigmoid(.)  f = sigmoid(.)  g = tanh(.)  o = sigmoid(.)
//	c = f*c' + i*g  h = o*tanh(c)      (c' and h': the step before)
const recordParts = 6

// lstmNet is an LSTM with its operands checked.
type lstmNet struct {
	kernel.LSTM
	x                  []float32 // (N, C, T)
	wih, whh, bih, bhh []float32 // (4H, C), (4H, H), (4H), (4H)
}

func newLSTM(name string, p kernel.LSTM, x, wih, whh, bih, bhh kernel.Buf) lstmNet {
	return lstmNet{
		p, values(name, "x", x, p.N*p.C*p.T),
		values(name, "wih", wih, 4*p.H*p.C), values(name, "whh", whh, 4*p.H*p.H),
		values(name, "bih", bih, 4*p.H), values(name, "bhh", bhh, 4*p.H),
	}
}

// segment is how many steps lie between two stored states.
func segment(p kernel.LSTM) int {
	if p.SaveEvery <= 0 {
		return p.T
	}
	return min(p.SaveEvery, p.T)
}

// LSTMSaved: with SaveEvery = 0 the records of all steps, (N, T, 6H). Otherwise hidden and cell state before each
// segment, (N, segments, 2H).
func (b *Backend) LSTMSaved(p kernel.LSTM) int {
	if p.SaveEvery <= 0 {
		return p.N * p.T * recordParts * p.H
	}
	s := segment(p)
	return p.N * ((p.T + s - 1) / s) * 2 * p.H
}

// LSTM runs the layer over the whole sequences and writes the last hidden state (Hochreiter & Schmidhuber 1997, with
// the forget gate of Gers et al. 2000). saved may be None: then nothing is kept.
func (b *Backend) LSTM(p kernel.LSTM, y, saved, x, wih, whh, bih, bhh kernel.Buf) {
	const name = "lstm"
	net := newLSTM(name, p, x, wih, whh, bih, bhh)
	ys := values(name, "y", y, p.N*p.H)
	var keep []float32
	if !saved.None() {
		keep = values(name, "saved", saved, b.LSTMSaved(p))
	}
	s := segment(p)
	segments := (p.T + s - 1) / s
	b.parallel(p.N, func(n int) {
		state := make([]float32, 2*p.H) // h, c
		record := make([]float32, recordParts*p.H)
		for t := range p.T {
			if keep != nil && p.SaveEvery <= 0 {
				record = keep[(n*p.T+t)*recordParts*p.H:][:recordParts*p.H]
			} else if keep != nil && t%s == 0 {
				copy(keep[(n*segments+t/s)*2*p.H:][:2*p.H], state)
			}
			net.step(n, t, state, record)
		}
		copy(ys[n*p.H:][:p.H], state[:p.H])
	})
}

// step advances the state (h, c) of sequence n over step t and fills the step's record.
func (l lstmNet) step(n, t int, state, record []float32) {
	h, c := state[:l.H], state[l.H:]
	for j := range 4 * l.H { // row j of the stacked gate matrices
		z := l.bih[j] + l.bhh[j] + inner(l.whh[j*l.H:][:l.H], h)
		for k := range l.C {
			z += l.wih[j*l.C+k] * l.x[(n*l.C+k)*l.T+t]
		}
		if j/l.H == 2 {
			record[j] = float32(math.Tanh(float64(z)))
		} else {
			record[j] = float32(1 / (1 + math.Exp(-float64(z))))
		}
	}
	i, f, g, o := record[:l.H], record[l.H:2*l.H], record[2*l.H:3*l.H], record[3*l.H:4*l.H]
	for k := range l.H {
		c[k] = f[k]*c[k] + i[k]*g[k]
		h[k] = o[k] * float32(math.Tanh(float64(c[k])))
	}
	copy(record[4*l.H:], c)
	copy(record[5*l.H:], h)
}

// inner is the inner product. It has four running sums, which the processor overlaps.
func inner(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	k := 0
	for ; k+4 <= len(a); k += 4 {
		s0 += a[k] * b[k]
		s1 += a[k+1] * b[k+1]
		s2 += a[k+2] * b[k+2]
		s3 += a[k+3] * b[k+3]
	}
	for ; k < len(a); k++ {
		s0 += a[k] * b[k]
	}
	return (s0 + s1) + (s2 + s3)
}

// LSTMBackward goes through the segments from the last to the first. In a segment it first has the records (kept, or
// computed again from the stored state), then walks back in time turning each record's gates into the gradients of
// their arguments, and then sums those into the weight gradients, row by row.
func (b *Backend) LSTMBackward(p kernel.LSTM, dx, dwih, dwhh, dbih, dbhh, dy, saved, x, wih, whh, bih, bhh kernel.Buf) {
	const name = "lstm backward"
	net := newLSTM(name, p, x, wih, whh, bih, bhh)
	dys, keep := values(name, "dy", dy, p.N*p.H), values(name, "saved", saved, b.LSTMSaved(p))
	grads := [][]float32{
		values(name, "dwih", dwih, 4*p.H*p.C), values(name, "dwhh", dwhh, 4*p.H*p.H),
		values(name, "dbih", dbih, 4*p.H), values(name, "dbhh", dbhh, 4*p.H),
	}
	var dxs []float32
	if !dx.None() {
		dxs = values(name, "dx", dx, p.N*p.C*p.T)
	}
	for _, g := range grads {
		clear(g)
	}

	s := segment(p)
	segments := (p.T + s - 1) / s
	records := keep // (N, s, 6H)
	if p.SaveEvery > 0 {
		records = make([]float32, p.N*s*recordParts*p.H)
	}
	first := make([]float32, p.N*2*p.H) // h and c before the segment, (N, 2H)
	back := make([]float32, p.N*2*p.H)  // gradients of h and c after the step at hand, (N, 2H)
	for n := range p.N {
		copy(back[n*2*p.H:][:p.H], dys[n*p.H:][:p.H])
	}
	for seg := segments - 1; seg >= 0; seg-- {
		t0, steps := seg*s, min(s, p.T-seg*s)
		b.parallel(p.N, func(n int) {
			state, recs := first[n*2*p.H:][:2*p.H], records[n*s*recordParts*p.H:][:steps*recordParts*p.H]
			if p.SaveEvery > 0 {
				copy(state, keep[(n*segments+seg)*2*p.H:])
				run := append([]float32(nil), state...)
				for t := range steps {
					net.step(n, t0+t, run, recs[t*recordParts*p.H:][:recordParts*p.H])
				}
			}
			net.back(n, t0, state, recs, back[n*2*p.H:][:2*p.H], dxs)
		})
		b.parallel(4*p.H, func(j int) { net.weightGrads(j, t0, steps, s, first, records, grads) })
	}
}

// back walks over the records of sequence n from the last to the first, whose step is t0. In each record the four
// gates are replaced by the gradients of their arguments. d holds the gradients of h and c and is carried along; dx
// may be nil.
func (l lstmNet) back(n, t0 int, first, records, d, dx []float32) {
	dh, dc, size := d[:l.H], d[l.H:], recordParts*l.H
	for t := len(records)/size - 1; t >= 0; t-- {
		r := records[t*size:][:size]
		before := first[l.H:] // cell state of the step before
		if t > 0 {
			before = records[(t-1)*size+4*l.H:][:l.H]
		}
		for k := range l.H {
			i, f, g, o, c := r[k], r[l.H+k], r[2*l.H+k], r[3*l.H+k], r[4*l.H+k]
			tc := float32(math.Tanh(float64(c)))
			dck := dc[k] + dh[k]*o*(1-tc*tc)
			r[k] = dck * g * i * (1 - i)
			r[l.H+k] = dck * before[k] * f * (1 - f)
			r[2*l.H+k] = dck * i * (1 - g*g)
			r[3*l.H+k] = dh[k] * tc * o * (1 - o)
			dc[k] = dck * f
		}
		clear(dh)
		for j, dz := range r[:4*l.H] {
			for k, w := range l.whh[j*l.H:][:l.H] {
				dh[k] += dz * w
			}
		}
		if dx == nil {
			continue
		}
		for c := range l.C {
			var sum float32
			for j, dz := range r[:4*l.H] {
				sum += dz * l.wih[j*l.C+c]
			}
			dx[(n*l.C+c)*l.T+t0+t] = sum
		}
	}
}

// weightGrads adds one segment's part of row j of all four weight gradients. s is the stride of records in steps.
func (l lstmNet) weightGrads(j, t0, steps, s int, first, records []float32, grads [][]float32) {
	size := recordParts * l.H
	dwih, dwhh := make([]float64, l.C), make([]float64, l.H)
	var db float64
	for n := range l.N {
		for t := range steps {
			r := records[(n*s+t)*size:][:size]
			h := first[n*2*l.H:][:l.H]
			if t > 0 {
				h = records[(n*s+t-1)*size+5*l.H:][:l.H]
			}
			dz := float64(r[j])
			db += dz
			for k, v := range h {
				dwhh[k] += dz * float64(v)
			}
			for c := range l.C {
				dwih[c] += dz * float64(l.x[(n*l.C+c)*l.T+t0+t])
			}
		}
	}
	for c, v := range dwih {
		grads[0][j*l.C+c] += float32(v)
	}
	for k, v := range dwhh {
		grads[1][j*l.H+k] += float32(v)
	}
	grads[2][j] += float32(db)
	grads[3][j] += float32(db)
}
