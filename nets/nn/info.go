package nn

// Info describes a model; work and memory are those of one sample.
type Info struct {
	Parameters       int          // trainable values
	FieldOfViewSteps int          // time steps that a value before the global pooling depends on; 0: all
	ForwardFlops     int64        // of convolutions, linear layers and LSTMs; a multiply-add counts 2
	ActivationBytes  int64        // memory of a training step beyond weights
	Tensors          []TensorInfo // in the order of Params
}

// TensorInfo names one tensor of the state.
type TensorInfo struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// Info describes the model.
func (m *Model) Info() Info {
	i := Info{FieldOfViewSteps: m.view, ForwardFlops: 2 * m.macs, ActivationBytes: m.PlanBytes(1).Activations}
	for _, p := range m.params {
		if p.Trainable {
			i.Parameters += p.size()
		}
		i.Tensors = append(i.Tensors, TensorInfo{p.Name, append([]int{}, p.Shape...)})
	}
	return i
}

// Bytes is the memory of training with one batch size.
type Bytes struct {
	Weights     int64 `json:"weights"`     // values and gradients
	Optimizer   int64 `json:"optimizer"`   // Adam's two averages
	Activations int64 `json:"activations"` // the slab: every result of a step, the batch included
	Workspace   int64 `json:"workspace"`   // packed operands in the kernels, an estimate
	Total       int64 `json:"total"`
}

// workspacePerThread is about what the kernels of one thread pack into.
const workspacePerThread = 2 << 20

// PlanBytes computes the memory of training with n rows, allocating none of it.
func (m *Model) PlanBytes(n int) Bytes {
	p, _, _, err := build(m.be, m.arch, m.c, m.t, m.classes, n, train, m.params)
	if err != nil {
		panic(err) // NewModel has built the same
	}
	var b Bytes
	largest := 0
	for _, q := range m.params {
		b.Weights += 4 * int64(q.size())
		if q.Trainable {
			b.Weights += 4 * int64(q.size())
			b.Optimizer += 8 * int64(q.size())
			largest = max(largest, q.size())
		}
	}
	b.Activations = 4 * int64(p.slab)
	b.Workspace = int64(m.be.Threads())*workspacePerThread + 2*4*int64(largest)
	b.Total = b.Weights + b.Optimizer + b.Activations + b.Workspace
	return b
}
