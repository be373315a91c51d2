package ref_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/ref"
)

// The forward pass of each kernel again, in float64 and by its definition. Backward passes are held against central
// differences of these.

const threads = 2

func newRand() *rand.Rand { return rand.New(rand.NewPCG(7, 11)) }

// normals returns n normal values, each a float32, in both precisions.
func normals(rng *rand.Rand, n int) ([]float64, kernel.Buf) {
	wide := make([]float64, n)
	for i := range wide {
		wide[i] = float64(float32(rng.NormFloat64()))
	}
	return wide, narrow(wide)
}

func narrow(wide []float64) kernel.Buf {
	v := make([]float32, len(wide))
	for i := range v {
		v[i] = float32(wide[i])
	}
	return kernel.Host(v)
}

func zeros(n int) kernel.Buf {
	b, err := ref.New(1).Alloc(n)
	if err != nil {
		panic(err)
	}
	return b
}

// slope is the gradient of f with respect to v by central differences.
func slope(v []float64, f func() float64) []float64 {
	const step = 1e-5
	d := make([]float64, len(v))
	for i, keep := range v {
		v[i] = keep + step
		up := f()
		v[i] = keep - step
		d[i] = (up - f()) / (2 * step)
		v[i] = keep
	}
	return d
}

// inner is the scalar whose gradient a backward pass computes when it is handed dy.
func inner(y, dy []float64) float64 {
	var sum float64
	for i := range y {
		sum += y[i] * dy[i]
	}
	return sum
}

// near compares with a tolerance relative to the largest value wanted.
func near(t *testing.T, what string, got kernel.Buf, want []float64, tol float64) {
	t.Helper()
	if len(got.Host) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got.Host), len(want))
	}
	var scale, worst float64
	at := 0
	for i, w := range want {
		scale = max(scale, math.Abs(w))
		if d := math.Abs(float64(got.Host[i]) - w); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol*max(scale, 1e-3)) {
		t.Errorf("%s[%d] = %v, want %v (largest %v)", what, at, got.Host[at], want[at], scale)
	}
}

// act64 is a pending activation in float64; scale is nil for none.
type act64 struct {
	scale, shift []float64
	relu         bool
}

func (a act64) narrow() kernel.Act {
	return kernel.Act{Scale: narrow(a.scale), Shift: narrow(a.shift), ReLU: a.relu}
}

func (a act64) apply(n, c, t int, x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		if a.scale != nil {
			v = a.scale[i/t%c]*v + a.shift[i/t%c]
		}
		if a.relu {
			v = max(v, 0)
		}
		y[i] = v
	}
	return y
}

// acts are the four kinds of pending activation over c channels.
func acts(rng *rand.Rand, c int) map[string]act64 {
	scale, _ := normals(rng, c)
	shift, _ := normals(rng, c)
	return map[string]act64{
		"identity": {}, "relu": {relu: true}, "affine": {scale, shift, false}, "affine+relu": {scale, shift, true},
	}
}

func batchNorm64(p kernel.BN, x, gamma, beta []float64) (y, mean, variance []float64) {
	y, mean, variance = make([]float64, len(x)), make([]float64, p.C), make([]float64, p.C)
	for i, v := range x {
		mean[i/p.T%p.C] += v / float64(p.N*p.T)
	}
	for i, v := range x {
		c := i / p.T % p.C
		variance[c] += (v - mean[c]) * (v - mean[c]) / float64(p.N*p.T)
	}
	for i, v := range x {
		c := i / p.T % p.C
		y[i] = gamma[c]*(v-mean[c])/math.Sqrt(variance[c]+float64(p.Eps)) + beta[c]
		if p.ReLU {
			y[i] = max(y[i], 0)
		}
	}
	return y, mean, variance
}

func maxPool64(p kernel.Pool, x []float64) []float64 {
	y := make([]float64, len(x))
	for i := range y {
		row, t := i/p.T*p.T, i%p.T
		y[i] = math.Inf(-1)
		for k := range p.K {
			if s := t + k - p.PadLeft; s >= 0 && s < p.T {
				y[i] = max(y[i], x[row+s])
			}
		}
	}
	return y
}

func linear64(p kernel.Linear, x, w, b []float64) []float64 {
	y := make([]float64, p.N*p.F)
	for i := range y {
		n, f := i/p.F, i%p.F
		y[i] = b[f]
		for c := range p.C {
			y[i] += x[n*p.C+c] * w[f*p.C+c]
		}
		switch p.Curve {
		case kernel.ReLU:
			y[i] = max(0, y[i])
		case kernel.Logistic:
			y[i] = 1 / (1 + math.Exp(-y[i]))
		case kernel.Tanh:
			y[i] = math.Tanh(y[i])
		}
	}
	return y
}

func crossEntropy64(n, k int, logits []float64, y []int32) (prob []float64, loss float64) {
	prob = make([]float64, n*k)
	for i := range n {
		var sum float64
		for _, v := range logits[i*k:][:k] {
			sum += math.Exp(v)
		}
		for j, v := range logits[i*k:][:k] {
			prob[i*k+j] = math.Exp(v) / sum
		}
		loss -= math.Log(prob[i*k+int(y[i])]) / float64(n)
	}
	return prob, loss
}

func lstm64(p kernel.LSTM, x, wih, whh, bih, bhh []float64) []float64 {
	y := make([]float64, p.N*p.H)
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	for n := range p.N {
		h, c, z := y[n*p.H:][:p.H], make([]float64, p.H), make([]float64, 4*p.H)
		for t := range p.T {
			for j := range z {
				z[j] = bih[j] + bhh[j]
				for k := range p.C {
					z[j] += wih[j*p.C+k] * x[(n*p.C+k)*p.T+t]
				}
				for k := range p.H {
					z[j] += whh[j*p.H+k] * h[k]
				}
			}
			for k := range p.H {
				c[k] = sigmoid(z[p.H+k])*c[k] + sigmoid(z[k])*math.Tanh(z[2*p.H+k])
				h[k] = sigmoid(z[3*p.H+k]) * math.Tanh(c[k])
			}
		}
	}
	return y
}
