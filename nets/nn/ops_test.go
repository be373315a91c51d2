package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/ref"
	"earshot/nets/nn"
)

// nets of a few layers that bring every operator, and every way in which operators meet, into a gradient.
var operators = []struct {
	name  string
	build func(b *nn.Builder, x nn.Tensor) nn.Tensor // to (N, C)
}{
	{"linear", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.GAP(x) }},
	{"convolution with bias", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.Conv1D("a", x, 4, 3, nn.WithBias)
		return b.GAP(b.BatchNorm("bn", b.Conv1D("b", x, 5, 1, nn.WithBias), true))
	}},
	{"even kernel, dilation, kernel longer than the series", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.ConvBlock("a", x, 4, 4, true)
		x = b.BatchNorm("bn", b.Conv1D("b", x, 3, 3, nn.Dilated(2), nn.BeforeReLU), true)
		return b.GAP(b.ConvBlock("c", x, 3, 40, true))
	}},
	{"batch norm without ReLU", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.ConvBlock("a", x, 4, 3, false)
		return b.GAP(b.ConvBlock("b", x, 4, 3, true))
	}},
	{"batch norm of the input", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		return b.GAP(b.ConvBlock("a", b.BatchNorm("in", x, true), 4, 3, true))
	}},
	{"residual", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.AddReLU(b.ConvBlock("a", x, 4, 3, false), b.ConvBlock("short", x, 4, 1, false))
		return b.GAP(b.AddReLU(b.ConvBlock("b", x, 4, 3, false), b.BatchNorm("bn", x, false)))
	}},
	{"identity shortcut", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.ConvBlock("a", x, 4, 3, true)
		y := b.ConvBlock("b", x, 4, 3, false)
		return b.GAP(b.AddReLU(b.AddReLU(y, x), x))
	}},
	{"one tensor twice", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.ConvBlock("a", x, 4, 3, false)
		return b.GAP(b.AddReLU(x, x))
	}},
	{"pooling", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.MaxPool3(b.ConvBlock("a", x, 4, 3, false))
		return b.GAP(b.ConvBlock("b", b.MaxPool3(x), 4, 1, true))
	}},
	{"branches", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.ConvBlock("a", x, 4, 3, true)
		p := b.MaxPool3(x)
		n := b.Conv1D("n", x, 3, 1)
		y := b.ConcatConvs(
			nn.Branch{Name: "y0", X: n, Filters: 2, K: 5}, nn.Branch{Name: "y1", X: p, Filters: 3, K: 1},
			nn.Branch{Name: "y2", X: n, Filters: 2, K: 3, Options: []nn.ConvOption{nn.WithBias}},
			nn.Branch{Name: "y3", X: x, Filters: 1, K: 2})
		y = b.BatchNorm("bn", y, true)
		return b.GAP(b.AddReLU(b.ConvBlock("c", y, 4, 3, false), x))
	}},
	{"branches of the input", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		y := b.ConcatConvs(nn.Branch{Name: "y0", X: x, Filters: 2, K: 5}, nn.Branch{Name: "y1", X: b.MaxPool3(x), Filters: 3, K: 1})
		return b.GAP(b.BatchNorm("bn", y, true))
	}},
	{"two ends", func(b *nn.Builder, x nn.Tensor) nn.Tensor { // the mean cannot add to a gradient: a sum is made
		x = b.ConvBlock("a", x, 4, 3, true)
		y := b.ConvBlock("b", x, 4, 3, false)
		return b.GAP(b.MaxPool3(b.AddReLU(b.BatchNorm("bn", b.MaxPool3(x), false), y)))
	}},
	{"perceptron", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		x = b.Dense("a", b.Flatten(x), 7, nn.ReLU)
		return b.Dense("c", b.Dense("b", x, 6, nn.Logistic), 5, nn.Tanh)
	}},
	{"flattened convolution", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		return b.Dense("c", b.Flatten(b.Conv1D("a", x, 3, 3, nn.WithBias)), 5, nn.Logistic)
	}},
	{"single logit", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		return b.Versus(b.Dense("a", b.GAP(x), 1, nn.Tanh))
	}},
	{"LSTM", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.LSTM("rnn", x, 5) }},
	{"LSTM of a convolution", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
		return b.LSTM("rnn", b.Conv1D("a", x, 3, 3, nn.WithBias), 5)
	}},
}

func arch(build func(b *nn.Builder, x nn.Tensor) nn.Tensor) nn.Arch {
	return nn.Arch{Name: "test", Profile: "tsai", Rules: nn.Tsai,
		Build: func(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor { return b.Linear("fc", build(b, x), classes) }}
}

// crossEntropy is the mean loss in double precision.
func crossEntropy(logits []float32, y []int32) float64 {
	k, sum := len(logits)/len(y), 0.0
	for i, c := range y {
		s := 0.0
		for _, v := range logits[i*k : i*k+k] {
			s += math.Exp(float64(v))
		}
		sum += math.Log(s) - float64(logits[i*k+int(c)])
	}
	return sum / float64(len(y))
}

// TestGradients compares every gradient with central differences, along itself and along a random direction.
func TestGradients(t *testing.T) {
	const n, c, steps, classes = 8, 2, 37, 3
	for _, tt := range operators {
		t.Run(tt.name, func(t *testing.T) {
			m := model(t, backend(t, 2), arch(tt.build), c, steps, classes)
			x, y := batch(11, n, c, steps, classes)
			loss := step(t, m, x, y)
			logits := make([]float32, n*classes)
			at := func() float64 {
				if err := m.Forward(x, n, true, logits); err != nil {
					t.Fatal(err)
				}
				return crossEntropy(logits, y)
			}
			if l := at(); math.Abs(l-loss) > 1e-5 {
				t.Fatalf("loss %v, want %v", loss, l)
			}
			r := rand.New(rand.NewPCG(1, 1))
			for _, p := range m.Params() {
				if !p.Trainable {
					continue
				}
				w := p.Value.Float32s()
				own, noise := make([]float64, len(w)), make([]float64, len(w))
				for i := range w {
					own[i], noise[i] = float64(p.Grad[i]), r.NormFloat64()
				}
				for _, d := range [][]float64{own, noise} {
					norm, want := 0.0, 0.0
					for i, v := range d {
						norm += v * v
						want += v * float64(p.Grad[i])
					}
					if norm = math.Sqrt(norm); norm < 1e-6 {
						continue // a bias before a batch norm has no gradient
					}
					want /= norm
					move := func(by float64) float64 {
						old := append([]float32(nil), w...)
						for i := range w {
							w[i] = float32(float64(old[i]) + by*d[i]/norm)
						}
						defer copy(w, old)
						return at()
					}
					// A long step may cross the kink of a ReLU, a short one drowns in rounding: one of them must agree.
					var got []float64
					for _, eps := range []float64{1e-2, 3e-3, 1e-3, 3e-4} {
						got = append(got, (move(eps)-move(-eps))/(2*eps))
					}
					if !slices.ContainsFunc(got, func(g float64) bool { return math.Abs(g-want) < 0.02*math.Abs(want)+3e-4 }) {
						t.Errorf("%s: derivative %.5f, differences give %.5f", p.Name, want, got)
					}
				}
			}
		})
	}
}

// TestOperatorsAgainstGorgonia: the same nets, differentiated by gorgonia.Grad.
func TestOperatorsAgainstGorgonia(t *testing.T) {
	for _, tt := range operators {
		t.Run(tt.name, func(t *testing.T) {
			m := model(t, backend(t, 1), arch(tt.build), 2, 9, 3)
			x, y := batch(12, 3, 2, 9, 3)
			want, err := m.StockGradients(x, y)
			if err != nil {
				t.Fatal(err)
			}
			step(t, m, x, y)
			for i, p := range m.Params() {
				for k, v := range p.Grad {
					if d := math.Abs(float64(v - want[i][k])); d > 1e-6 {
						t.Fatalf("%s[%d]: %v, gorgonia.Grad gives %v", p.Name, k, v, want[i][k])
					}
				}
			}
			p, err := m.TrainProgram(3)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.CheckPlan(); err != nil {
				t.Error(err)
			}
		})
	}
}

// sparing makes every LSTM look too large for keeping all of its steps.
type sparing struct{ kernel.Backend }

func (b sparing) LSTMSaved(p kernel.LSTM) int {
	if p.SaveEvery == 0 {
		return 1 << 30
	}
	return b.Backend.LSTMSaved(p)
}

// TestLSTMRecomputes: above some size the LSTM keeps some states only, and gives the same gradients.
func TestLSTMRecomputes(t *testing.T) {
	a := arch(func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.LSTM("rnn", x, 6) })
	x, y := batch(13, 3, 2, 50, 3)
	all, some := model(t, ref.New(1), a, 2, 50, 3), model(t, sparing{ref.New(1)}, a, 2, 50, 3)
	if k, s := all.PlanBytes(3).Activations, some.PlanBytes(3).Activations; s > k/2 {
		t.Errorf("%d bytes planned, %d where all is kept", s, k)
	}
	step(t, all, x, y)
	step(t, some, x, y)
	for i, p := range all.Params() {
		for k, v := range p.Grad {
			if d := math.Abs(float64(v - some.Params()[i].Grad[k])); d > 1e-6 {
				t.Fatalf("%s[%d]: %v, where all is kept %v", p.Name, k, some.Params()[i].Grad[k], v)
			}
		}
	}
}

func TestMistakesInDeclarations(t *testing.T) {
	for _, tt := range []struct {
		want  string
		build func(b *nn.Builder, x nn.Tensor) nn.Tensor
	}{
		{"nn: a: 0 filters of 3 taps", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.GAP(b.Conv1D("a", x, 0, 3)) }},
		{"nn: a.weight: two tensors of one name", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
			return b.GAP(b.Conv1D("a", b.Conv1D("a", x, 2, 3), 2, 3))
		}},
		{"nn: add: shapes (N, 3, 9) and (N, 2, 9)", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
			return b.GAP(b.AddReLU(b.Conv1D("a", x, 3, 3), x))
		}},
		{"nn: a: input has shape (N, 2), want (N, C, T)", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
			return b.GAP(b.Conv1D("a", b.GAP(x), 3, 3))
		}},
		{"nn: fc: input has shape (N, 2, 9), want (N, C)", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return x }},
		{"nn: b: batch norm directly after a batch norm", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
			return b.GAP(b.BatchNorm("b", b.BatchNorm("a", x, true), true))
		}},
		{"nn: rnn: LSTM directly after a batch norm", func(b *nn.Builder, x nn.Tensor) nn.Tensor {
			return b.LSTM("rnn", b.BatchNorm("a", x, true), 3)
		}},
		{"nn: rnn: 0 hidden units", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.LSTM("rnn", x, 0) }},
		{"nn: flatten: directly after a batch norm", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.Flatten(b.BatchNorm("a", x, true)) }},
		{"nn: flatten: input has shape (N, 2), want (N, C, T)", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.Flatten(b.GAP(x)) }},
		{"nn: versus: 2 logits, want 1", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.Versus(b.GAP(x)) }},
		{"nn: concat: no branches", func(b *nn.Builder, x nn.Tensor) nn.Tensor { return b.GAP(b.ConcatConvs()) }},
	} {
		_, err := nn.NewModel(ref.New(1), arch(tt.build), 2, 9, 3, 1)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	_, err := nn.NewModel(ref.New(1), nn.Arch{Name: "odd", Profile: "tsai", Rules: nn.Tsai,
		Build: func(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor { return x }}, 2, 9, 3, 1)
	if want := "nn: odd: the network returns (N, 2, 9), want (N, 3) (network odd, profile tsai)"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
