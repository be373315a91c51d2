package train

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"earshot/nets/kernel"
)

// Adam is a gorgonia.Solver over kernel.Backend.Adam. It is fastai's Adam (decoupled weight decay, both averages debiased
// with the momentum of the moment) or Keras' and scikit-learn's (another place for epsilon; no decay, or the coupled one);
// the constructors tell them apart.
//
// LR, Beta1 and L2 are set before each step by the schedule. Steps, M and V are the whole state: a solver that is given those
// of another goes on where that one stopped, bit for bit.
type Adam struct {
	LR, Beta1 float64
	Beta2     float64
	Eps       float64
	Decay     float64 // of the slots that decay
	L2        float64 // coupled decay of the slots that decay
	Steps     int     // taken so far

	M, V  []kernel.Buf // averages of gradient and squared gradient, one per slot
	slots []Slot
	be    kernel.Backend
	keras bool
}

// kerasBeta1 is the momentum of Keras' Adam; it does not move.
const kerasBeta1 = 0.9

// Slot describes one trainable tensor to the solver, in the order in which Step receives them.
type Slot struct {
	Name  string
	Len   int
	Decay bool // weight decay applies
}

// NewFastAdam returns fastai's Adam with the constants of fastai.optimizer.Adam (sqr_mom 0.99, eps 1e-5, wd 0.01).
// Learner keeps the decay from norm parameters and from what is called "bias"; who decays is the slots' word.
func NewFastAdam(be kernel.Backend, slots []Slot) (*Adam, error) {
	a := &Adam{LR: 1e-3, Beta1: momentumHigh, Beta2: 0.99, Eps: 1e-5, Decay: 0.01, be: be, slots: slots}
	return a, a.alloc()
}

// NewKerasAdam returns Keras' Adam with its defaults (beta 0.9 and 0.999, epsilon 1e-7), whose epsilon is added to the
// square root before the debiasing.
func NewKerasAdam(be kernel.Backend, slots []Slot) (*Adam, error) {
	a := &Adam{LR: 1e-3, Beta1: kerasBeta1, Beta2: 0.999, Eps: 1e-7, be: be, slots: slots, keras: true}
	return a, a.alloc()
}

// NewSklearnAdam returns scikit-learn's Adam with the defaults of MLPClassifier (beta 0.9 and 0.999, epsilon 1e-8). It is
// Keras' but for epsilon; L2 is the penalty over the rows of the batch.
func NewSklearnAdam(be kernel.Backend, slots []Slot) (*Adam, error) {
	a := &Adam{LR: 1e-3, Beta1: kerasBeta1, Beta2: 0.999, Eps: 1e-8, be: be, slots: slots, keras: true}
	return a, a.alloc()
}

func (a *Adam) alloc() error {
	a.M, a.V = make([]kernel.Buf, len(a.slots)), make([]kernel.Buf, len(a.slots))
	for i, s := range a.slots {
		for _, b := range []*kernel.Buf{&a.M[i], &a.V[i]} {
			var err error
			if *b, err = a.be.Alloc(s.Len); err != nil {
				return fmt.Errorf("train: optimizer: %s: %w", s.Name, err)
			}
		}
	}
	return nil
}

// Step updates every slot's value from its gradient; both are *tensor.Dense of float32 on a host backend.
func (a *Adam) Step(model []gorgonia.ValueGrad) error {
	if len(model) != len(a.slots) {
		return fmt.Errorf("train: optimizer: %d parameters given, %d expected", len(model), len(a.slots))
	}
	a.Steps++
	debias1, debias2 := 1-math.Pow(a.Beta1, float64(a.Steps)), 1-math.Pow(a.Beta2, float64(a.Steps))
	p := kernel.Adam{
		LR: a.LR, Beta1: a.Beta1, Beta2: a.Beta2, Debias1: debias1, Debias2: debias2, Eps: a.Eps,
	}
	if a.keras {
		// Keras and scikit-learn compute lr*sqrt(debias2)/debias1 * m/(sqrt(v)+eps), which is the kernel's form with this epsilon.
		p.Eps = a.Eps / math.Sqrt(debias2)
	}
	for i, vg := range model {
		s := a.slots[i]
		grad, err := vg.Grad()
		if err != nil {
			return fmt.Errorf("train: optimizer: %s: %w", s.Name, err)
		}
		w, g := floats(vg.Value()), floats(grad)
		if len(w) != s.Len || len(g) != s.Len {
			return fmt.Errorf("train: optimizer: %s: %d values and %d gradients, %d expected", s.Name, len(w), len(g), s.Len)
		}
		p.Decay, p.L2 = 0, 0
		if s.Decay {
			p.Decay, p.L2 = a.Decay, a.L2
		}
		a.be.Adam(p, kernel.Host(w), kernel.Host(g), a.M[i], a.V[i])
	}
	return nil
}

// floats is the memory behind a value, nil when it holds anything but float32.
func floats(v gorgonia.Value) []float32 {
	if v == nil {
		return nil
	}
	f, _ := v.Data().([]float32)
	return f
}
