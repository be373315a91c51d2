package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"earshot/data/binning"
)

// binFlags are the flags that say how captures become series; bin, train and others share them.
type binFlags struct {
	label   string
	classes []string
	rule    binRule

	flags *pflag.FlagSet // that add made them flags of
}

// binFlagNames are the flags that say how captures become series.
var binFlagNames = []string{"label", "classes", "step", "duration", "channels", "direction", "size", "assign", "ties", "edge"}

// binRule is a binning.Config in words, as flags and as JSON (preprocessing in model.json).
type binRule struct {
	StepUS     int64    `json:"step_us"`
	DurationUS int64    `json:"duration_us"`
	Channels   []string `json:"channels"`
	Direction  string   `json:"direction"`
	Size       string   `json:"size"`
	Assign     string   `json:"assign"`
	Ties       string   `json:"ties"`
	Edge       string   `json:"edge"`

	step, duration time.Duration // of the flags
}

func (b *binFlags) add(f *pflag.FlagSet) {
	b.flags = f
	d := binning.Default()
	r := ruleOf(d)
	f.StringVar(&b.label, "label", "", "label axis that names the classes")
	f.StringSliceVar(&b.classes, "classes", nil, "only these classes (default all)")
	f.DurationVar(&b.rule.step, "step", d.Step, "width of a time step")
	f.DurationVar(&b.rule.duration, "duration", d.Duration, "length of a series; later packets are cut")
	f.StringSliceVar(&b.rule.Channels, "channels", r.Channels, "of bytes, packets, bytes_up, bytes_down, packets_up, packets_down")
	f.StringVar(&b.rule.Direction, "direction", r.Direction, "packets of the plain channels: down, up or both")
	f.StringVar(&b.rule.Size, "size", r.Size, "bytes that count: payload, ip or frame")
	f.StringVar(&b.rule.Assign, "assign", r.Assign, "step of a packet: nearest or floor")
	f.StringVar(&b.rule.Ties, "ties", r.Ties, "packet exactly between two steps: up or even")
	f.StringVar(&b.rule.Edge, "edge", r.Edge, "packet of the last half step: drop or clamp")
}

// refuseSet refuses the flags for an array, whose series are made already: a step that is passed over in silence would
// be believed.
func (b *binFlags) refuseSet(path string) error {
	for _, name := range binFlagNames {
		if b.flags.Changed(name) {
			return usagef("--%s: %s is no data set folder; an array is binned already: leave --%s out, or bin it anew", name, path, name)
		}
	}
	return nil
}

// config checks the flags; every mistake is wrong usage.
func (b *binFlags) config() (binning.Config, error) {
	r := b.rule
	r.StepUS, r.DurationUS = r.step.Microseconds(), r.duration.Microseconds()
	c, err := r.config()
	c.Step, c.Duration = r.step, r.duration // a part of a microsecond must not vanish unseen
	if err == nil {
		_, err = c.Steps()
	}
	if err != nil {
		return c, usagef("%w", err)
	}
	return c, nil
}

func (r binRule) config() (c binning.Config, err error) {
	c.Step, c.Duration = time.Duration(r.StepUS)*time.Microsecond, time.Duration(r.DurationUS)*time.Microsecond
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	c.Channels, err = binning.ParseChannels(strings.Join(r.Channels, ","))
	var e error
	c.Direction, e = binning.ParseSelect(r.Direction)
	keep(e)
	c.Size, e = binning.ParseSize(r.Size)
	keep(e)
	c.Assign, e = binning.ParseAssign(r.Assign)
	keep(e)
	c.Ties, e = binning.ParseTies(r.Ties)
	keep(e)
	c.Edge, e = binning.ParseEdge(r.Edge)
	keep(e)
	return c, err
}

func ruleOf(c binning.Config) binRule {
	r := binRule{
		StepUS: c.Step.Microseconds(), DurationUS: c.Duration.Microseconds(), Direction: c.Direction.String(),
		Size: binning.SizeName(c.Size), Assign: c.Assign.String(), Ties: c.Ties.String(), Edge: c.Edge.String(),
	}
	for _, ch := range c.Channels {
		r.Channels = append(r.Channels, ch.String())
	}
	return r
}
