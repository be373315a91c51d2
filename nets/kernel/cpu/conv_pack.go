package cpu

import (
	"math"

	"earshot/nets/kernel"
)

// pending is a checked kernel.Act.
type pending struct {
	scale, shift []float32 // (C); nil: none
	relu         bool
}

func newPending(method string, a kernel.Act, channels int) pending {
	p := pending{relu: a.ReLU}
	if !a.Scale.None() {
		p.scale = values(method, "scale", a.Scale, channels)
		p.shift = values(method, "shift", a.Shift, channels)
	}
	return p
}

func (p pending) identity() bool { return p.scale == nil && !p.relu }

// of is the activation of one channel: max(floor, scale*x + shift). The identity leaves every bit, that of -0 too.
func (p pending) of(channel int) (scale, shift, floor float32) {
	scale, shift, floor = 1, float32(math.Copysign(0, -1)), float32(math.Inf(-1))
	if p.scale != nil {
		scale, shift = p.scale[channel], p.shift[channel]
	}
	if p.relu {
		floor = 0
	}
	return scale, shift, floor
}

// pack fills row with steps lo to hi of src, read through the activation of the channel; zeros stand for steps outside
// src, and behind hi.
func (p pending) pack(k *convTier, row, src []float32, lo, hi, channel int) {
	from, to := max(lo, 0), min(hi, len(src))
	if from >= to {
		clear(row)
		return
	}
	clear(row[:from-lo])
	clear(row[to-lo:])
	scale, shift, floor := p.of(channel)
	k.pack(&row[from-lo], &src[from], scale, shift, floor, to-from, uintptr(4*len(src)))
}
