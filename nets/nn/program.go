package nn

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// mode says what a program computes.
type mode uint8

const (
	evaluate  mode = iota // logits, normalized by the running statistics
	batchwise             // logits, normalized by the batch; no state changes
	settle                // the same; sets the running statistics to those of the batch
	train                 // logits, loss and gradients; updates the running statistics
)

// program is a network as the tape machine runs it: for one number of rows, in one mode.
type program struct {
	be   kernel.Backend
	n    int
	mode mode
	salt int

	graph  *gorgonia.ExprGraph
	ops    []*op                   // in order of creation, which is the order of execution
	nodes  gorgonia.Nodes          // of ops
	needs  map[*gorgonia.Node]bool // depends on a parameter
	params map[*gorgonia.Node]*Param
	x      *gorgonia.Node
	input  *block // the batch
	logits *gorgonia.Node

	blocks []*block
	slab   int // values in the slab
	vm     gorgonia.VM

	direct bool  // later runs repeat the tape
	tape   []*op // in the order of the machine's first run, once that is complete

	// Of one run.
	ctx    context.Context
	err    error // the cause, which the machine's error hides
	pos    int
	labels []int32
	loss   float64
}

// building guards Gorgonia's global constants and type pools while graphs are made and compiled; running them needs no
// lock.
var building sync.Mutex

func newProgram(be kernel.Backend, n int, m mode, salt int) *program {
	return &program{
		be: be, n: n, mode: m, salt: salt,
		graph:  gorgonia.NewGraph(),
		needs:  make(map[*gorgonia.Node]bool),
		params: make(map[*gorgonia.Node]*Param),
	}
}

// newInput makes the batch x (N, C, T) an input of the graph.
func (p *program) newInput(c, t int) *gorgonia.Node {
	p.x = gorgonia.NewTensor(p.graph, tensor.Float32, 3, gorgonia.WithShape(p.n, c, t), gorgonia.WithName("x"))
	return p.x
}

// param makes q an input of the graph.
func (p *program) param(q *Param) *gorgonia.Node {
	n := gorgonia.NewTensor(p.graph, tensor.Float32, len(q.Shape),
		gorgonia.WithShape(q.Shape...), gorgonia.WithName(q.Name))
	p.needs[n], p.params[n] = true, q
	return n
}

// channels returns n values outside the slab: the private state of an op, small.
func (p *program) channels(n int) kernel.Buf {
	if p.be == nil {
		return kernel.Buf{}
	}
	b, err := p.be.Alloc(n)
	if err != nil {
		p.fail(err)
	}
	return b
}

// compile checks and plans the finished graph. It allocates nothing.
func (p *program) compile() error {
	if p.err != nil {
		return p.err
	}
	seen := make(map[uint32]*gorgonia.Node)
	for _, n := range p.graph.AllNodes() {
		if other := seen[n.Hashcode()]; other != nil {
			return fmt.Errorf("nn: %v and %v have one hash: %w", n, other, errHash)
		}
		seen[n.Hashcode()] = n
	}
	return p.plan()
}

// bind gives every value its place in the slab and compiles the graph for the tape machine.
func (p *program) bind(slab kernel.Buf) error {
	building.Lock()
	defer building.Unlock()
	for _, b := range p.blocks {
		b.buf = part(slab, b.off, b.size)
	}
	for _, o := range p.ops {
		switch {
		case o.gradOf != nil:
			o.out, o.buf = o.gradOf.grad, o.gradOf.gradBuf()
		case o.scalar != nil:
			o.out = o.scalar
		default:
			o.buf = part(o.block.buf, 0, o.size())
			o.out = valueOf(o.buf, o.shape)
		}
	}
	for n, q := range p.params {
		if err := gorgonia.Let(n, q.Value); err != nil {
			return fmt.Errorf("nn: %s: %w", q.Name, err)
		}
	}
	if err := gorgonia.Let(p.x, valueOf(part(p.input.buf, 0, p.x.Shape().TotalSize()), p.x.Shape())); err != nil {
		return fmt.Errorf("nn: input: %w", err)
	}
	vm := gorgonia.NewTapeMachine(p.graph)
	runtime.SetFinalizer(vm, nil) // it frees nothing without CUDA, and would keep the slab from the collector
	p.vm = vm
	return nil
}

// valueOf is a value in the memory of b.
func valueOf(b kernel.Buf, s tensor.Shape) gorgonia.Value {
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(b.Host))
}

// run executes the program on the batch that lies in its input. labels is nil unless the program has a loss.
func (p *program) run(ctx context.Context, labels []int32) error {
	p.ctx, p.err, p.pos, p.labels = ctx, nil, none, labels
	var err error
	if p.direct && p.tape != nil {
		err = p.repeat()
	} else {
		err = p.vm.RunAll()
		p.vm.Reset() // a machine runs again only after a reset, after an error too
		if err == nil && p.err == nil {
			p.tape = slices.SortedFunc(slices.Values(p.ops), func(a, b *op) int { return a.pos - b.pos })
		}
	}
	p.ctx, p.labels = nil, nil
	if p.err != nil {
		return p.err
	}
	return err
}

// repeat runs the ops as the tape machine did, on the same values, without it.
func (p *program) repeat() (err error) {
	var at *op
	defer func() {
		if r := recover(); r != nil {
			err = p.fail(fmt.Errorf("nn: %s: %v", at.name, r))
		}
	}()
	for _, at = range p.tape {
		if err := at.exec(); err != nil {
			return err
		}
	}
	return nil
}

// enter is called by each op before it runs: it stops a canceled run, and holds the machine to the planned order, on
// which every block of the slab depends.
func (p *program) enter(o *op) error {
	if err := p.ctx.Err(); err != nil {
		return p.fail(fmt.Errorf("nn: %s: %w", o.name, err))
	}
	if o.pos <= p.pos {
		return p.fail(fmt.Errorf("nn: %s: runs at place %d after place %d, against the plan", o.name, o.pos, p.pos))
	}
	p.pos = o.pos
	return nil
}

// fail keeps the first cause of a failed run.
func (p *program) fail(err error) error {
	if p.err == nil {
		p.err = err
	}
	return err
}
