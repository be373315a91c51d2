package dataset

import (
	"fmt"
	"strings"
)

// Conflict is a pair of captures with the same packets under different labels.
type Conflict struct {
	A, B   *Capture // copies; A came first
	Axes   []string // those in which they differ
	Agreed bool     // another axis is the same in both
}

func (c Conflict) Error() string {
	var labels []string
	for _, a := range c.Axes {
		labels = append(labels, fmt.Sprintf("%s %q and %q", a, c.A.Labels[a], c.B.Labels[a]))
	}
	return fmt.Sprintf("%s and %s: the same packets under two labels (%s); one of them is wrong, leave it out", c.A.Source, c.B.Source, strings.Join(labels, ", "))
}

// conflict compares two captures with the same packets; ok when they contradict each other on an axis.
func conflict(a, b Capture, axes []string) (x Conflict, ok bool) {
	x = Conflict{A: &a, B: &b}
	for _, axis := range axes {
		switch va, vb := a.Labels[axis], b.Labels[axis]; {
		case va == "" || vb == "": // not labelled: no contradiction
		case va == vb:
			x.Agreed = true
		default:
			x.Axes = append(x.Axes, axis)
		}
	}
	return x, len(x.Axes) > 0
}
