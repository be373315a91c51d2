package train

import (
	"errors"
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"earshot/nets/kernel/ref"
)

// pair is a value with its gradient, as a solver receives it.
type pair struct{ w, g *tensor.Dense }

func (p pair) Value() gorgonia.Value         { return p.w }
func (p pair) Grad() (gorgonia.Value, error) { return p.g, nil }

type noGrad struct{ pair }

func (noGrad) Grad() (gorgonia.Value, error) { return nil, errors.New("none") }

func dense(v ...float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))
}

// TestAdamAgainstFormula holds both solvers against their papers' formula in float64 over a few steps.
func TestAdamAgainstFormula(t *testing.T) {
	grads := [][]float64{{0.5, -2}, {0.1, 3}, {-0.7, 1e-4}, {0.2, 0}}
	rates := []float64{1e-3, 5e-3, 2e-3, 1e-4}
	moms := []float64{0.95, 0.9, 0.85, 0.93}
	for _, keras := range []bool{false, true} {
		for _, decay := range []bool{false, true} {
			slots := []Slot{{Name: "w", Len: 2, Decay: decay}}
			a, err := NewFastAdam(ref.New(1), slots)
			if keras {
				a, err = NewKerasAdam(ref.New(1), slots)
			}
			if err != nil {
				t.Fatal(err)
			}
			p := pair{dense(1, -1), dense(0, 0)}
			w, m, v := []float64{1, -1}, []float64{0, 0}, []float64{0, 0}
			for s, g := range grads {
				a.LR = rates[s]
				if !keras {
					a.Beta1 = moms[s]
				}
				p.g = dense(float32(g[0]), float32(g[1]))
				if err := a.Step([]gorgonia.ValueGrad{p}); err != nil {
					t.Fatal(err)
				}
				d1, d2 := 1-math.Pow(a.Beta1, float64(s+1)), 1-math.Pow(a.Beta2, float64(s+1))
				for i := range w {
					m[i] = a.Beta1*m[i] + (1-a.Beta1)*g[i]
					v[i] = a.Beta2*v[i] + (1-a.Beta2)*g[i]*g[i]
					if keras { // keras/optimizers.py: p_t = p - lr_t * m_t / (sqrt(v_t) + epsilon)
						w[i] -= a.LR * math.Sqrt(d2) / d1 * m[i] / (math.Sqrt(v[i]) + 1e-7)
						continue
					}
					if decay {
						w[i] *= 1 - a.LR*0.01
					}
					w[i] -= a.LR * (m[i] / d1) / (math.Sqrt(v[i]/d2) + 1e-5)
				}
			}
			for i, got := range p.w.Float32s() {
				if math.Abs(float64(got)-w[i]) > 2e-7 {
					t.Errorf("keras=%v decay=%v: weight %d is %v, want %v", keras, decay, i, got, w[i])
				}
			}
			if a.Steps != len(grads) {
				t.Errorf("%d steps counted, want %d", a.Steps, len(grads))
			}
		}
	}
}

func TestAdamRefusesWhatDoesNotFit(t *testing.T) {
	a, err := NewFastAdam(ref.New(1), []Slot{{Name: "w", Len: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for name, model := range map[string][]gorgonia.ValueGrad{
		"too few":       {},
		"wrong length":  {pair{dense(1), dense(1)}},
		"no gradient":   {noGrad{pair{dense(1, 2), nil}}},
		"short of grad": {pair{dense(1, 2), dense(1)}},
	} {
		if err := a.Step(model); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
