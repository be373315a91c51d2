package nn

import (
	"cmp"
	"fmt"
	"slices"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// The planner knows the order in which the tape machine runs a program, hence when each result is last read, and lays
// all of them into one slab so that what is alive at one time never overlaps. Gorgonia itself would keep every result of
// a step, and allocate it anew each time.

// block is a run of values in the slab that is needed from the op at place first to the op at place last.
type block struct {
	size        int
	first, last int
	off         int
	buf         kernel.Buf
}

// line is the alignment of blocks: 16 values are a cache line and an AVX-512 vector.
const line = 16

// hold returns a block for values that ops keep outside the graph; it lives from its first user to its last.
func (p *program) hold(size int) *block {
	b := &block{size: roundUp(size), first: none, last: none}
	p.blocks = append(p.blocks, b)
	return b
}

func roundUp(n int) int { return (n + line - 1) / line * line }

// plan fills in every op's block, every block's place and the size of the slab.
func (p *program) plan() error {
	order, err := gorgonia.Sort(p.graph)
	if err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	slices.Reverse(order) // the order of the tape machine
	at := make(map[*gorgonia.Node]int, len(order))
	for i, n := range order {
		at[n] = i
	}

	// last[n] is the place of the last reader of n's values, through shared memory too.
	last := make(map[*gorgonia.Node]int, len(order))
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		o := opOf(n)
		last[n] = max(last[n], i)
		if n == p.logits {
			last[n] = len(order)
		}
		if o == nil {
			continue
		}
		o.pos = i
		for k, c := range o.in {
			last[c] = max(last[c], i)
			if k == o.share {
				last[c] = max(last[c], last[n])
			}
		}
	}

	p.input = p.hold(p.x.Shape().TotalSize())
	p.input.first, p.input.last = none, last[p.x]
	blockOf := map[*gorgonia.Node]*block{p.x: p.input}
	for i, n := range order {
		o := opOf(n)
		if o == nil {
			continue
		}
		for _, b := range o.uses {
			if b.first == none {
				b.first = i
			}
			b.last = max(b.last, i)
		}
		if o.gradOf != nil || o.scalar != nil {
			continue
		}
		switch {
		case o.share != none:
			o.block = blockOf[o.in[o.share]]
		case o.over != none && p.dies(blockOf[o.in[o.over]], i, o.size()):
			o.block = blockOf[o.in[o.over]]
		default:
			o.block = p.hold(o.size())
			o.block.first = i
		}
		if o.block == nil {
			return fmt.Errorf("nn: %s: shares the memory of a parameter", o.name)
		}
		o.block.last = max(o.block.last, last[n])
		blockOf[n] = o.block
	}
	p.slab = pack(p.blocks)
	return nil
}

// dies reports whether block b is read for the last time at place i and can hold size values.
func (p *program) dies(b *block, i, size int) bool {
	return b != nil && b != p.input && b.last == i && b.size == roundUp(size)
}

// pack places blocks, first fit, and returns the size of the slab. It tries several orders and keeps the best: none of
// them is best for every network.
func pack(blocks []*block) int {
	span := func(b *block) int { return b.last - b.first + 1 }
	orders := []func(a, b *block) int{
		func(a, b *block) int { return cmp.Or(b.size-a.size, a.first-b.first) },
		func(a, b *block) int { return cmp.Or(b.size*span(b)-a.size*span(a), a.first-b.first) },
		func(a, b *block) int { return cmp.Or(span(b)-span(a), b.size-a.size) },
		func(a, b *block) int { return cmp.Or(a.first-b.first, b.size-a.size) },
	}
	best, chosen := 0, 0
	for i, order := range orders {
		if total := place(blocks, order); i == 0 || total < best {
			best, chosen = total, i
		}
	}
	return place(blocks, orders[chosen])
}

func place(blocks []*block, order func(a, b *block) int) int {
	todo := slices.Clone(blocks)
	slices.SortStableFunc(todo, order)
	total := 0
	var done, alive []*block
	for _, b := range todo {
		alive = alive[:0]
		for _, d := range done {
			if d.first <= b.last && b.first <= d.last {
				alive = append(alive, d)
			}
		}
		slices.SortFunc(alive, func(a, b *block) int { return a.off - b.off })
		b.off = 0
		for _, d := range alive {
			if b.off+b.size <= d.off {
				break
			}
			b.off = max(b.off, d.off+d.size)
		}
		total = max(total, b.off+b.size)
		done = append(done, b)
	}
	return total
}
