package nn

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Param is one tensor of a model's state, under the name that tsai's state_dict gives it.
type Param struct {
	Name      string
	Shape     []int
	Value     *tensor.Dense // float32; num_batches_tracked: an int64 scalar
	Trainable bool          // false for running statistics and num_batches_tracked
	Decay     bool          // weight decay applies: not to batch norm, nor to what is called bias, as in fastai
	Grad      []float32     // of the last Step, valid until the next; nil before, and where Trainable is false

	grad *tensor.Dense // Grad with a shape
	draw Draw
}

// Weight is a trainable Param as Gorgonia's solvers see it. A solver of ours reads the Param for Decay.
type Weight struct{ *Param }

var _ gorgonia.ValueGrad = Weight{}

// Value implements gorgonia.Valuer.
func (w Weight) Value() gorgonia.Value { return w.Param.Value }

// Grad implements gorgonia.ValueGrad.
func (w Weight) Grad() (gorgonia.Value, error) {
	if w.Param.grad == nil {
		return nil, fmt.Errorf("nn: %s: no gradient; call Step first", w.Param.Name)
	}
	return w.Param.grad, nil
}

// counts reports whether p is num_batches_tracked, the only integer.
func (p *Param) counts() bool { return strings.HasSuffix(p.Name, "num_batches_tracked") }

// size is the number of values.
func (p *Param) size() int { return tensor.Shape(p.Shape).TotalSize() }

// alloc makes the value and draws it: from a stream of its own, so that no parameter depends on another.
func (p *Param) alloc(be kernel.Backend, seed uint64) error {
	if p.counts() {
		p.Value = tensor.New(tensor.FromScalar(int64(0)))
		return nil
	}
	var err error
	if p.Value, err = newDense(be, p.Shape); err == nil {
		p.draw(stream(seed, p.Name), p.Value.Float32s())
	}
	return err
}

// allocGrad makes room for the gradient.
func (p *Param) allocGrad(be kernel.Backend) (err error) {
	if p.grad != nil || !p.Trainable {
		return nil
	}
	if p.grad, err = newDense(be, p.Shape); err == nil {
		p.Grad = p.grad.Float32s()
	}
	return err
}

func newDense(be kernel.Backend, shape []int) (*tensor.Dense, error) {
	b, err := be.Alloc(tensor.Shape(shape).TotalSize())
	if err == nil && b.Host == nil {
		err = errors.New("nn: parameters need a backend in the program's memory")
	}
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(b.Host)), nil
}

func (p *Param) buf() kernel.Buf { return kernel.Host(p.Value.Float32s()) }

// gradBuf is the memory of the gradient; none for the bias that a layer does not have.
func (p *Param) gradBuf() kernel.Buf {
	if p == nil {
		return kernel.Buf{}
	}
	return kernel.Host(p.Grad)
}

// sortState brings parameters into the order of a PyTorch state_dict, which walks modules depth first: what shares a
// prefix stays together, at the place of the first of them.
func sortState(params []*Param) {
	first := map[string]int{}
	prefixes := func(name string) []string {
		var p []string
		for i, r := range name {
			if r == '.' {
				p = append(p, name[:i])
			}
		}
		return append(p, name)
	}
	for i, q := range params {
		for _, p := range prefixes(q.Name) {
			if _, ok := first[p]; !ok {
				first[p] = i
			}
		}
	}
	slices.SortStableFunc(params, func(a, b *Param) int {
		pa, pb := prefixes(a.Name), prefixes(b.Name)
		for i := range min(len(pa), len(pb)) {
			if c := cmp.Compare(first[pa[i]], first[pb[i]]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(pa), len(pb))
	})
}
