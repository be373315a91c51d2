package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Rules are the conventions that a profile applies to every layer.
type Rules struct {
	BNEps      float32
	BNMomentum float32 // share of the new batch in the running statistics
	BNDebias   bool    // what they start from does not count; see share
	BNShift    float32 // initial shift

	// Conv draws the filters (F, C, K) of a convolution; relu says that batch norm and ReLU follow. Biases of
	// convolutions start like Linear's.
	Conv func(c, f, k int, relu bool) Draw
	// Linear draws weights (F, C) and biases (F).
	Linear func(c, f int) (w, b Draw)
	// LSTM draws (4H, C), (4H, H), (4H) and (4H), gates in the order input, forget, cell, output.
	LSTM func(c, h int) (wih, whh, bih, bhh Draw)
}

// Draw fills a parameter with its initial values.
type Draw func(r *rand.Rand, dst []float32)

// Tsai is how tsai 0.3.1 sets up its networks: PyTorch's rules, with He-uniform filters before a ReLU and fastai's
// small positive shift in batch norm.
var Tsai = Rules{
	BNEps: 1e-5, BNMomentum: 0.1, BNShift: 1e-3,
	Conv: func(c, _, k int, relu bool) Draw {
		fanIn := float64(c * k)
		if relu {
			return uniform(math.Sqrt(6 / fanIn))
		}
		return uniform(1 / math.Sqrt(fanIn))
	},
	Linear: func(c, _ int) (Draw, Draw) {
		d := uniform(1 / math.Sqrt(float64(c)))
		return d, d
	},
	LSTM: func(_, h int) (Draw, Draw, Draw, Draw) {
		d := uniform(1 / math.Sqrt(float64(h)))
		return d, d, d, d
	},
}

// share is how much batch t, counted from 1, counts in the running statistics. Without BNDebias they still hold
// (1-BNMomentum)^t of the mean 0 and variance 1 that they start from: a third after 100 batches at 0.01. With it they are a
// mean of the batches alone, as the averages of Adam are (Kingma and Ba 2015, section 3), and the first batch counts all.
func (r Rules) share(t int64) float32 {
	if !r.BNDebias {
		return r.BNMomentum
	}
	m := float64(r.BNMomentum)
	return float32(m / (1 - math.Pow(1-m, float64(t))))
}

// Keras is how the authors' code of the original networks starts, written in Keras 2 (InceptionTime: 2.2.4): Glorot-uniform
// weights, zero biases (one for the forget gate), orthogonal recurrent weights; batch norm with eps 1e-3 and momentum 0.99,
// whose averages Keras frees of their first values from 2.1.3 on (zero_debias of its TensorFlow backend).
var Keras = Rules{
	BNEps: 1e-3, BNMomentum: 0.01, BNDebias: true,
	Conv: func(c, f, k int, _ bool) Draw { return glorot(c*k, f*k) },
	Linear: func(c, f int) (Draw, Draw) {
		return glorot(c, f), constant(0)
	},
	LSTM: func(c, h int) (Draw, Draw, Draw, Draw) {
		return glorot(c, 4*h), orthogonal(4*h, h), forgetGate(h), constant(0)
	},
}

// Tsai1 is Tsai but for the LSTM, which tsai from 0.4.1 on starts nearly as Keras does: Xavier-normal input weights.
var Tsai1 = func() Rules {
	r := Tsai
	r.LSTM = func(c, h int) (Draw, Draw, Draw, Draw) {
		return normal(math.Sqrt(2 / float64(c+4*h))), orthogonal(4*h, h), forgetGate(h), constant(0)
	}
	return r
}()

// Sklearn is how scikit-learn's MLPClassifier starts a layer, biases included: uniform on the bound of Glorot and Bengio
// (2010), with the smaller variance of its logistic networks. It knows no other layers; theirs are Keras'.
func Sklearn(c Curve) Rules {
	r, factor := Keras, 6.0
	if c == Logistic {
		factor = 2
	}
	r.Linear = func(c, f int) (Draw, Draw) {
		d := uniform(math.Sqrt(factor / float64(c+f)))
		return d, d
	}
	return r
}

// stream is the random stream of one parameter.
func stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func constant(v float32) Draw {
	return func(_ *rand.Rand, dst []float32) {
		for i := range dst {
			dst[i] = v
		}
	}
}

// uniform draws from [-bound, bound).
func uniform(bound float64) Draw {
	return func(r *rand.Rand, dst []float32) {
		for i := range dst {
			dst[i] = float32(bound * (2*r.Float64() - 1))
		}
	}
}

func glorot(fanIn, fanOut int) Draw { return uniform(math.Sqrt(6 / float64(fanIn+fanOut))) }

func normal(sd float64) Draw {
	return func(r *rand.Rand, dst []float32) {
		for i := range dst {
			dst[i] = float32(sd * r.NormFloat64())
		}
	}
}

// forgetGate is a bias of 1 for the forget gate, 0 for the others.
func forgetGate(h int) Draw {
	return func(_ *rand.Rand, dst []float32) {
		clear(dst)
		for i := h; i < 2*h; i++ {
			dst[i] = 1
		}
	}
}

// orthogonal draws a (rows, cols) matrix, rows >= cols, whose columns are orthonormal: Gram-Schmidt on normal draws,
// twice, since once loses orthogonality to rounding.
func orthogonal(rows, cols int) Draw {
	return func(r *rand.Rand, dst []float32) {
		q := make([][]float64, cols)
		for j := range q {
			v := make([]float64, rows)
			for i := range v {
				v[i] = r.NormFloat64()
			}
			for range 2 {
				for _, u := range q[:j] {
					d := dot(u, v)
					for i := range v {
						v[i] -= d * u[i]
					}
				}
			}
			norm := math.Sqrt(dot(v, v))
			for i := range v {
				v[i] /= norm
				dst[i*cols+j] = float32(v[i])
			}
			q[j] = v
		}
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
