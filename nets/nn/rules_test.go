package nn

import (
	"math"
	"slices"
	"testing"
)

// TestRules holds what each rule draws against its bound or its moments.
func TestRules(t *testing.T) {
	const c, f, k, h = 16, 32, 5, 20
	draw := func(d Draw, n int) []float64 {
		dst := make([]float32, n)
		d(stream(1, "w"), dst)
		out := make([]float64, n)
		for i, v := range dst {
			out[i] = float64(v)
		}
		return out
	}
	conv := func(r Rules, relu bool) Draw { return r.Conv(c, f, k, relu) }
	lin := func(r Rules, i int) Draw {
		w, b := r.Linear(c, f)
		return []Draw{w, b}[i]
	}
	lstm := func(r Rules, i int) Draw {
		a, b, d, e := r.LSTM(c, h)
		return []Draw{a, b, d, e}[i]
	}
	for _, tt := range []struct {
		name  string
		draw  Draw
		bound float64 // of a uniform distribution
	}{
		{"tsai, before ReLU", conv(Tsai, true), math.Sqrt(6.0 / (c * k))},
		{"tsai, bare", conv(Tsai, false), 1 / math.Sqrt(c*k)},
		{"tsai, linear", lin(Tsai, 0), 1 / math.Sqrt(c)},
		{"tsai, linear bias", lin(Tsai, 1), 1 / math.Sqrt(c)},
		{"tsai, LSTM", lstm(Tsai, 0), 1 / math.Sqrt(h)},
		{"tsai, LSTM recurrent bias", lstm(Tsai, 3), 1 / math.Sqrt(h)},
		{"Keras, convolution", conv(Keras, true), math.Sqrt(6.0 / (c*k + f*k))},
		{"Keras, linear", lin(Keras, 0), math.Sqrt(6.0 / (c + f))},
		{"Keras, LSTM", lstm(Keras, 0), math.Sqrt(6.0 / (c + 4*h))},
		{"Keras, linear bias", lin(Keras, 1), 0},
		{"Keras, LSTM recurrent bias", lstm(Keras, 3), 0},
		{"sklearn, linear", lin(Sklearn(ReLU), 0), math.Sqrt(6.0 / (c + f))},
		{"sklearn, linear bias", lin(Sklearn(Tanh), 1), math.Sqrt(6.0 / (c + f))},
		{"sklearn, logistic", lin(Sklearn(Logistic), 0), math.Sqrt(2.0 / (c + f))},
		{"tsai 1, LSTM recurrent bias", lstm(Tsai1, 3), 0},
	} {
		v := draw(tt.draw, 20000)
		if m := max(slices.Max(v), -slices.Min(v)); m > tt.bound*(1+1e-6) || m < 0.99*tt.bound {
			t.Errorf("%s: values up to %v, want %v", tt.name, m, tt.bound)
		}
		if want := tt.bound / math.Sqrt(3); math.Abs(spread(v)-want) > 0.02*want {
			t.Errorf("%s: standard deviation %v, want %v", tt.name, spread(v), want)
		}
	}
	if got, want := spread(draw(lstm(Tsai1, 0), 20000)), math.Sqrt(2.0/(c+4*h)); math.Abs(got-want) > 0.02*want {
		t.Errorf("tsai 1, LSTM: standard deviation %v, want %v", got, want)
	}
	q := draw(lstm(Keras, 1), 4*h*h)
	for i := range h {
		for j := range h {
			d, want := 0.0, 0.0
			for r := range 4 * h {
				d += q[r*h+i] * q[r*h+j]
			}
			if i == j {
				want = 1
			}
			if math.Abs(d-want) > 1e-6 {
				t.Errorf("orthogonal: columns %d and %d have product %v", i, j, d)
			}
		}
	}
	for i, v := range draw(lstm(Keras, 2), 4*h) {
		want := 0.0
		if i/h == 1 {
			want = 1
		}
		if v != want {
			t.Errorf("bias of gate %d is %v", i/h, v)
		}
	}
}

func spread(v []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return math.Sqrt(sum / float64(len(v)))
}
