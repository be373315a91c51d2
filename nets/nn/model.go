package nn

import (
	"context"
	"fmt"
	"runtime/debug"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// Model is a network with weights, ready to run. Its whole state is in Params: what is written there is what the next
// call computes with. A Model is for one goroutine at a time.
type Model struct {
	be            kernel.Backend
	arch          Arch
	c, t, classes int
	params        []*Param
	solved        []gorgonia.ValueGrad
	macs          int64
	view          int

	direct   bool
	ctx      context.Context
	programs []*program // most recently used first; all share the slab
	slab     kernel.Buf
	logits   []float32 // of the last Step
}

// maxPrograms bounds the programs that a model keeps: training and evaluation, each with full and partial batches, and
// as many again.
const maxPrograms = 8

// NewModel makes network a for inputs of c channels and t steps, with fresh weights by the profile's rules. One seed
// always gives the same weights.
func NewModel(be kernel.Backend, a Arch, c, t, classes int, seed uint64) (*Model, error) {
	if c < 1 || t < 1 || classes < 1 {
		return nil, fmt.Errorf("nn: %s: %d channels, %d steps, %d classes; each must be at least 1", a.Name, c, t, classes)
	}
	_, b, y, err := build(nil, a, c, t, classes, 1, evaluate, nil)
	if err != nil {
		return nil, err
	}
	m := &Model{be: be, arch: a, c: c, t: t, classes: classes, params: b.params, macs: b.macs, ctx: context.Background()}
	if y.view < everything {
		m.view = y.view
	}
	sortState(m.params)
	for _, p := range m.params {
		if err := p.alloc(be, seed); err != nil {
			return nil, fmt.Errorf("nn: %s: %w", p.Name, err)
		}
		if p.Trainable {
			m.solved = append(m.solved, Weight{p})
		}
	}
	return m, nil
}

// Arch returns what the model was made from.
func (m *Model) Arch() (a Arch, c, t, classes int) { return m.arch, m.c, m.t, m.classes }

// Backend returns the kernels in use.
func (m *Model) Backend() kernel.Backend { return m.be }

// Params returns the state in the order of tsai's state_dict, running statistics included.
func (m *Model) Params() []*Param { return m.params }

// SetContext makes every later call stop between two operators once ctx is done, with ctx's error as the cause. A Step
// that was stopped may have updated some of the running statistics.
func (m *Model) SetContext(ctx context.Context) { m.ctx = ctx }

// SetDirect makes every program run on the tape machine once and after that without it: the same operators in the same
// order on the same values. The machine's own work, some 20 us and 60 allocations a step, counts only where a step is
// that short.
func (m *Model) SetDirect(on bool) {
	m.direct = on
	for _, p := range m.programs {
		p.direct = on
	}
}

// Forward writes the logits (n, K) of x (n, C, T). Where train is false it normalizes by the running statistics, and n is
// cut into parts of limited memory; where it is true, all n rows are one batch that normalizes itself. It changes no
// state either way.
func (m *Model) Forward(x []float32, n int, train bool, logits []float32) error {
	if n < 1 || len(x) != n*m.c*m.t || len(logits) != n*m.classes {
		return fmt.Errorf("nn: %s: forward: %d input values and %d logits for %d rows of %d x %d and %d classes",
			m.arch.Name, len(x), len(logits), n, m.c, m.t, m.classes)
	}
	mode, rows := evaluate, min(n, m.evalRows())
	if train {
		mode, rows = batchwise, n
	}
	for i := 0; i < n; i += rows {
		k := min(rows, n-i)
		if err := m.forward(mode, x[i*m.c*m.t:(i+k)*m.c*m.t], k, logits[i*m.classes:(i+k)*m.classes]); err != nil {
			return err
		}
	}
	return nil
}

// forward runs n rows as one batch.
func (m *Model) forward(mode mode, x []float32, n int, logits []float32) error {
	load := func(p *program) error { return p.be.Upload(part(p.input.buf, 0, len(x)), x) }
	return m.run(mode, n, load, nil, logits)
}

// evalRows is the number of rows that Forward evaluates at a time: about as many steps as 16 rows of 6000.
func (m *Model) evalRows() int { return min(256, max(8, 16*6000/m.t)) }

// Step runs the batch x (N, C, T) with classes y (N) forward and backward in training mode. It returns the mean
// cross-entropy, leaves the gradients in Params, and updates the running statistics.
func (m *Model) Step(x []float32, y []int32) (loss float64, err error) {
	n := len(y)
	if n < 1 || len(x) != n*m.c*m.t {
		return 0, fmt.Errorf("nn: %s: step: %d input values for %d rows of %d x %d", m.arch.Name, len(x), n, m.c, m.t)
	}
	return m.step(y, func(p *program) error { return p.be.Upload(part(p.input.buf, 0, len(x)), x) })
}

// StepRows is Step on the given rows of a table x (M, C, T); y holds their classes.
func (m *Model) StepRows(x []float32, rows []int, y []int32) (loss float64, err error) {
	size := m.c * m.t
	for _, r := range rows {
		if r < 0 || (r+1)*size > len(x) {
			return 0, fmt.Errorf("nn: %s: step: row %d of %d", m.arch.Name, r, len(x)/size)
		}
	}
	if len(rows) < 1 || len(rows) != len(y) {
		return 0, fmt.Errorf("nn: %s: step: %d rows with %d classes", m.arch.Name, len(rows), len(y))
	}
	return m.step(y, func(p *program) error {
		in := p.input.buf.Host
		for i, r := range rows {
			copy(in[i*size:(i+1)*size], x[r*size:(r+1)*size])
		}
		return nil
	})
}

// step is Step once load has put the batch in place.
func (m *Model) step(y []int32, load func(p *program) error) (loss float64, err error) {
	n := len(y)
	for i, k := range y {
		if k < 0 || int(k) >= m.classes {
			return 0, fmt.Errorf("nn: %s: step: row %d has class %d of %d", m.arch.Name, i, k, m.classes)
		}
	}
	if len(m.logits) != n*m.classes {
		m.logits = make([]float32, n*m.classes)
	}
	if err := m.run(train, n, load, y, m.logits); err != nil {
		return 0, err
	}
	return m.programs[0].loss, nil
}

// Logits returns the logits (N, K) of the last Step, valid until the next.
func (m *Model) Logits() []float32 { return m.logits }

// Solve hands every trainable parameter, as a Weight, to the solver.
func (m *Model) Solve(s gorgonia.Solver) error { return s.Step(m.solved) }

// Close releases programs and memory. The parameters stay readable.
func (m *Model) Close() { m.programs, m.slab = nil, kernel.Buf{} }

func (m *Model) run(mode mode, n int, load func(p *program) error, y []int32, logits []float32) error {
	p, err := m.program(mode, n)
	if err != nil {
		return err
	}
	if err := load(p); err != nil {
		return fmt.Errorf("nn: %s: input: %w", m.arch.Name, err)
	}
	if err := p.run(m.ctx, y); err != nil {
		return fmt.Errorf("%s: %w", m.arch.Name, err)
	}
	return m.be.Download(logits, opOf(p.logits).buf)
}

// program finds or builds the program for n rows and brings it to the front.
func (m *Model) program(mode mode, n int) (*program, error) {
	for i, p := range m.programs {
		if p.n == n && p.mode == mode {
			copy(m.programs[1:i+1], m.programs[:i])
			m.programs[0] = p
			return p, nil
		}
	}
	p, _, _, err := build(m.be, m.arch, m.c, m.t, m.classes, n, mode, m.params)
	if err != nil {
		return nil, err
	}
	if mode == train {
		for _, q := range m.params {
			if err := q.allocGrad(m.be); err != nil {
				return nil, fmt.Errorf("nn: %s: %w", q.Name, err)
			}
		}
	}
	if p.slab > m.slab.Len {
		// Let go of the old slab before there is a new one. Programs that lie in it are built again when needed.
		if m.slab.Len > 0 {
			m.Close()
			debug.FreeOSMemory()
		}
		if m.slab, err = m.be.Alloc(p.slab); err != nil {
			return nil, fmt.Errorf("nn: %s: %d rows of %d steps: %w", m.arch.Name, n, m.t, err)
		}
	}
	p.direct = m.direct
	m.programs = append([]*program{p}, m.programs[:min(len(m.programs), maxPrograms-1)]...)
	return p, p.bind(m.slab)
}
