// Package nn makes networks out of fused operators on Gorgonia's graph and virtual machine.
package nn

import (
	"context"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Param is one tensor of a model's state, under the name that tsai's state_dict gives it.
type Param struct {
	Name      string
	Shape     []int
	Value     *tensor.Dense // float32; int64 scalar for num_batches_tracked
	Trainable bool          // false: running statistics and num_batches_tracked
	Decay     bool          // weight decay applies (fastai's rule)
	Grad      []float32     // of the last Step; nil where Trainable is false
	init      func(dst []float32, seed uint64)
}

// Weight is a trainable Param as Gorgonia's solvers see it; a solver may read Param for the name and the Decay flag.
type Weight struct{ *Param }

// Arch is one network in one profile.
type Arch struct {
	Name    string // "fcn"
	Profile string // "tsai" or "paper"
	Paper   string // where the network was published
	Build   func(b *Builder, x Tensor, classes int) Tensor
	Rules
}

// Rules are the conventions that a profile applies to every layer.
type Rules struct {
	BNEps      float32
	BNMomentum float32 // share of the new batch in the running statistics
}

// View returns the number of time steps that one value before the global pooling depends on; 0 means all.
func (a Arch) View(c, t int) int { return 0 }

// Builder makes the graph of a network layer by layer.
type Builder struct{}

// Tensor is a value of the graph under construction.
type Tensor struct{}

// Model is a network with weights, ready to run.
type Model struct{}

// Info describes a model; work and memory are for one sample.
type Info struct {
	Parameters       int   `json:"parameters"`
	FieldOfViewSteps int   `json:"field_of_view_steps"` // 0: global
	ForwardFlops     int64 `json:"forward_flops"`
	ActivationBytes  int64 `json:"activation_bytes"`
	Tensors          []TensorInfo
}

// TensorInfo names one tensor of the state.
type TensorInfo struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// Bytes is the memory of one training step.
type Bytes struct {
	Weights     int64 `json:"weights"`     // values and gradients
	Optimizer   int64 `json:"optimizer"`   // Adam's two averages
	Activations int64 `json:"activations"` // the planned slab
	Workspace   int64 `json:"workspace"`   // the batch, packed operands
	Total       int64 `json:"total"`
}

// NewModel makes a network for inputs of c channels and t steps with fresh weights by the profile's rules.
func NewModel(be kernel.Backend, a Arch, c, t, classes int, seed uint64) (*Model, error) {
	return &Model{}, nil
}

// Arch returns what the model was made from, and the sizes.
func (m *Model) Arch() (a Arch, c, t, classes int) { return }

// Backend returns the kernels in use.
func (m *Model) Backend() kernel.Backend { return nil }

// Params returns the state in the order of tsai's state_dict.
func (m *Model) Params() []*Param { return nil }

// SetContext makes every later call stop between two operators, with ctx's error, once ctx is done.
func (m *Model) SetContext(ctx context.Context) {}

// Forward writes the logits (n, K) of x (n, C, T).
func (m *Model) Forward(x []float32, n int, train bool, logits []float32) error { return nil }

// Step runs one batch x (len(y), C, T) forward and backward in training mode.
func (m *Model) Step(x []float32, y []int32) (loss float64, err error) { return 0, nil }

// Logits returns the logits (n, K) of the last Step; valid until the next call.
func (m *Model) Logits() []float32 { return nil }

// Solve hands every trainable parameter (as a Weight) with its gradient to the solver.
func (m *Model) Solve(s gorgonia.Solver) error { return nil }

// Info describes the model.
func (m *Model) Info() Info { return Info{} }

// PlanBytes computes the memory of a training step with n rows without allocating it.
func (m *Model) PlanBytes(n int) Bytes { return Bytes{} }

// Close releases the graphs and their memory.
func (m *Model) Close() {}

// Value implements gorgonia.Valuer.
func (w Weight) Value() gorgonia.Value { return w.Param.Value }

// Grad implements gorgonia.ValueGrad.
func (w Weight) Grad() (gorgonia.Value, error) { return nil, nil }
