package nn

import (
	"fmt"
	"hash"
	"slices"

	"earshot/nets/kernel"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is one fused operator of a program: a Gorgonia operator whose result lies where the planner put it. What it
// computes is the closure run; how it is differentiated is the closure diff. Operators are declared by the methods of
// program in conv.go, batchnorm.go and so on, each next to its backward pass.
//
// The tape machine runs an op by Do and never allocates for it. Values that backward passes read are graph inputs of the
// backward op, so that the planner knows how long they live; per-channel statistics are the only private state.
type op struct {
	p     *program
	id    int
	name  string // layer and operator, for errors
	in    gorgonia.Nodes
	shape tensor.Shape

	run  func(in []kernel.Buf, out kernel.Buf)
	diff diffFunc
	adds bool // diff continues the sums that it is given
	wrt  []bool

	act   *kernel.Act                               // pending activation of the result, for those who read it
	again func(after *gorgonia.Node) *gorgonia.Node // computes the result once more, after another node has run

	// Where the result lies: outside the slab as a parameter's gradient or a scalar; else in the memory of input share
	// (nothing is written), in the memory of input over if that dies here, or in a block of its own.
	gradOf      *Param
	scalar      *gorgonia.F32
	share, over int
	block       *block
	uses        []*block // further blocks, which hold no node's value

	pos  int            // in program order
	out  gorgonia.Value // the result
	buf  kernel.Buf     // its values
	args []kernel.Buf
}

// diffFunc returns the gradient of each input of a node, nil for inputs that have none. sum[i], where not nil, is the
// gradient of input i so far; an op that declares adds returns a node which includes it.
type diffFunc func(in gorgonia.Nodes, out, dy *gorgonia.Node, sum gorgonia.Nodes) gorgonia.Nodes

const none = -1

// apply adds o to the graph. A shape that does not fit is a mistake of this package: the builder checks the user's.
func (p *program) apply(o *op, in ...*gorgonia.Node) *gorgonia.Node {
	o.p, o.id, o.in = p, len(p.ops), in
	o.args = make([]kernel.Buf, len(in))
	if o.wrt == nil {
		o.wrt = make([]bool, len(in))
		for i, n := range in {
			o.wrt[i] = o.diff != nil && p.needs[n]
		}
	}
	n := gorgonia.Must(gorgonia.ApplyOp(o, in...))
	p.needs[n] = slices.Contains(o.wrt, true)
	p.ops = append(p.ops, o)
	p.nodes = append(p.nodes, n)
	return n
}

// newOp returns an op with a block of its own.
func newOp(name string, shape ...int) *op {
	return &op{name: name, shape: append(tensor.ScalarShape(), shape...), share: none, over: none}
}

// side makes the gradient that the backward op dep has left in q's memory a node of the graph.
func (p *program) side(q *Param, dep *gorgonia.Node) *gorgonia.Node {
	o := newOp("gradient of "+q.Name, q.Shape...)
	o.gradOf = q
	return p.apply(o, dep)
}

// Do implements gorgonia.Op. It runs on a goroutine of the tape machine, where a panic would end the process.
func (o *op) Do(in ...gorgonia.Value) (v gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, o.p.fail(fmt.Errorf("nn: %s: %v", o.name, r))
		}
	}()
	for i, v := range in {
		o.args[i] = bufOf(v)
	}
	if err := o.exec(); err != nil {
		return nil, err
	}
	return o.out, nil
}

// exec runs the op on args.
func (o *op) exec() error {
	if err := o.p.enter(o); err != nil {
		return err
	}
	if o.run != nil {
		o.run(o.args, o.buf)
	}
	return nil
}

// SymDiff implements gorgonia.SDOp.
func (o *op) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.diff == nil {
		return nil, fmt.Errorf("nn: %s: not differentiable", o.name)
	}
	return o.diff(in, out, dy, make(gorgonia.Nodes, len(in))), nil
}

// Type implements gorgonia.Op. Gorgonia takes the result apart, so each call makes a new one.
func (o *op) Type() hm.Type {
	t := make([]hm.Type, 0, len(o.in)+1)
	for _, n := range o.in {
		t = append(t, typeOf(n.Shape()))
	}
	return hm.NewFnType(append(t, typeOf(o.shape))...)
}

func typeOf(s tensor.Shape) hm.Type {
	if s.Dims() == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: s.Dims(), Of: tensor.Float32}
}

// Arity implements gorgonia.Op.
func (o *op) Arity() int { return len(o.in) }

// InferShape implements gorgonia.Op.
func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }

// DiffWRT implements gorgonia.SDOp.
func (o *op) DiffWRT(int) []bool { return o.wrt }

// ReturnsPtr implements gorgonia.Op.
func (o *op) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op: true would make the machine allocate.
func (o *op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op: memory is shared by plan, never by the machine's registers.
func (o *op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op. The machine merges nodes of equal hash, so every op has its own.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "earshot/%d/%d", o.p.salt, o.id) }

// Hashcode implements gorgonia.Op.
func (o *op) Hashcode() uint32 { return uint32(o.id)*2654435761 + 1 }

// String names the op in graphs and errors.
func (o *op) String() string { return o.name }

// size is the number of values of the result.
func (o *op) size() int { return o.shape.TotalSize() }

// opOf returns the op behind a node, nil for inputs and parameters.
func opOf(n *gorgonia.Node) *op {
	o, _ := n.Op().(*op)
	return o
}

// pending is the activation that a reader of n must apply.
func pending(n *gorgonia.Node) *kernel.Act {
	if o := opOf(n); o != nil && o.act != nil {
		return o.act
	}
	return new(kernel.Act)
}

// bufOf is the memory of a value. A backend on a device would keep its own kind of value here.
func bufOf(v gorgonia.Value) kernel.Buf {
	if d, ok := v.(*tensor.Dense); ok {
		return kernel.Host(d.Float32s())
	}
	return kernel.Buf{} // the scalar loss
}

// part is n values of b from off on.
func part(b kernel.Buf, off, n int) kernel.Buf {
	if b.Host != nil {
		return kernel.Host(b.Host[off : off+n : off+n])
	}
	return kernel.Buf{Device: b.Device, Off: b.Off + off, Len: n}
}

// same reports whether two buffers start at one place.
func same(a, b kernel.Buf) bool {
	if len(a.Host) > 0 && len(b.Host) > 0 {
		return &a.Host[0] == &b.Host[0]
	}
	return a.Device == b.Device && a.Off == b.Off
}
