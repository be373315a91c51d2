package nn

import (
	"errors"
	"fmt"
	"slices"

	"earshot/nets/kernel"
)

// Arch is one network in one profile.
type Arch struct {
	Name    string // "fcn"
	Profile string // "tsai": as in the library of that name; "paper": as first published
	Paper   string // where the network was published
	// Build declares the network: from x (N, C, T) to logits (N, classes).
	Build func(b *Builder, x Tensor, classes int) Tensor
	Rules
}

// Normalizes reports whether the network has batch norm: then it is evaluated by statistics that training has gathered.
func (a Arch) Normalizes() bool {
	_, b, _, err := build(nil, a, 1, 8, 2, 1, evaluate, nil)
	return err == nil && slices.ContainsFunc(b.params, (*Param).counts)
}

// errHash is the cause of a build that gave two nodes one 32-bit hash.
var errHash = errors.New("hash collision")

// build declares a network for n rows in one mode. Without known parameters it collects them.
func build(be kernel.Backend, a Arch, c, t, classes, n int, m mode, known []*Param) (*program, *Builder, Tensor, error) {
	building.Lock()
	defer building.Unlock()
	for salt := 0; ; salt++ {
		p := newProgram(be, n, m, salt)
		b := newBuilder(p, a.Rules, known)
		y := a.Build(b, Tensor{p.newInput(c, t), c, t, 1}, classes)
		if b.err == nil && (y.node == nil || y.t != 0 || y.c != classes) {
			b.fail(a.Name, "the network returns %s, want (N, %d)", y.shape(), classes)
		}
		if b.err != nil {
			return nil, nil, Tensor{}, fmt.Errorf("%w (network %s, profile %s)", b.err, a.Name, a.Profile)
		}
		p.logits = y.node
		if m == train {
			p.backward(p.crossEntropy(y.node, classes))
		}
		err := p.compile()
		if errors.Is(err, errHash) && salt < 8 {
			continue // another salt gives other hashes
		}
		return p, b, y, err
	}
}
