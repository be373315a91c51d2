package nn

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Program exposes what tests check of a program.
type Program struct{ p *program }

// TrainProgram builds the training program for n rows and lays it into memory of its own.
func (m *Model) TrainProgram(n int) (Program, error) {
	p, err := m.program(train, n)
	return Program{p}, err
}

// Nodes calls f with every node: ours reports whether its operator is one of this package.
func (p Program) Nodes(f func(n *gorgonia.Node, ours bool)) {
	for _, n := range p.p.graph.AllNodes() {
		f(n, opOf(n) != nil)
	}
}

// Slab is the size of the slab, and the largest sum of blocks that are alive at one place, in values.
func (p Program) Slab() (planned, atLeast int) { return p.p.slab, mostAlive(p.p.blocks) }

// mostAlive is the largest sum of sizes of blocks that are alive at one place: no placement can do with less.
func mostAlive(blocks []*block) int {
	most := 0
	for _, b := range blocks {
		sum := 0
		for _, d := range blocks {
			if d.first <= b.first && b.first <= d.last {
				sum += d.size
			}
		}
		most = max(most, sum)
	}
	return most
}

// CheckPlan reports two blocks that are alive at one time in one place, or lie outside the slab.
func (p Program) CheckPlan() error {
	for i, a := range p.p.blocks {
		if a.off < 0 || a.off+a.size > p.p.slab || a.off%line != 0 {
			return fmt.Errorf("block %d: values %d to %d in a slab of %d", i, a.off, a.off+a.size, p.p.slab)
		}
		for _, b := range p.p.blocks[:i] {
			if a.first <= b.last && b.first <= a.last && a.off < b.off+b.size && b.off < a.off+a.size {
				return fmt.Errorf("blocks (%d, %d) at %d and (%d, %d) at %d overlap", a.first, a.last, a.off, b.first, b.last, b.off)
			}
		}
	}
	return nil
}

// StockGradients computes the gradients of one batch with gorgonia.Grad in the place of backward, every result in
// memory of its own, and returns them in the order of Params.
func (m *Model) StockGradients(x []float32, y []int32) ([][]float32, error) {
	building.Lock()
	p := newProgram(m.be, len(y), train, 0)
	b := newBuilder(p, m.arch.Rules, m.params)
	out := m.arch.Build(b, Tensor{p.newInput(m.c, m.t), m.c, m.t, 1}, m.classes)
	p.logits = out.node
	var wrt gorgonia.Nodes
	for n := range p.params {
		wrt = append(wrt, n)
	}
	_, err := gorgonia.Grad(p.crossEntropy(out.node, m.classes), wrt...)
	building.Unlock()
	if err != nil {
		return nil, err
	}
	for _, o := range p.ops {
		o.over = none // what Gorgonia's additions read must stay
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	p.slab = 0
	for _, b := range p.blocks {
		b.off = p.slab
		p.slab += b.size
	}
	slab, err := m.be.Alloc(p.slab)
	if err != nil {
		return nil, err
	}
	for _, q := range m.params {
		if err := q.allocGrad(m.be); err != nil {
			return nil, err
		}
	}
	if err := p.bind(slab); err != nil {
		return nil, err
	}
	if err := m.be.Upload(part(p.input.buf, 0, len(x)), x); err != nil {
		return nil, err
	}
	if err := p.run(m.ctx, y); err != nil {
		return nil, err
	}
	var grads [][]float32
	for _, q := range m.params {
		grads = append(grads, append([]float32(nil), q.Grad...))
	}
	return grads, nil
}
