package features

import (
	"fmt"
	"math"

	"earshot/data/trace"
)

// Settings that several sets share.
var (
	acksSetting      = Setting{"acks", "yes", "yes, or no: leave out packets without payload"}
	directionSetting = Setting{"direction", "down", "down, up or both"}
)

// filter chooses the packets that a set looks at.
type filter struct {
	size      trace.Size
	acks      bool
	direction string // up, down or both
}

func (s *settings) filter() filter { return filter{size: s.Size, acks: true, direction: "both"} }

func (s *settings) withACKs(f filter) filter {
	f.acks = s.choice("acks", "yes", "no") == "yes"
	return f
}

func (s *settings) withDirection(f filter) filter {
	f.direction = s.choice("direction", "down", "up", "both")
	return f
}

// keep tells whether p counts. Both takes packets of unknown direction, too.
func (f filter) keep(p *trace.Packet) bool {
	if !f.acks && p.PayloadBytes == 0 {
		return false
	}
	switch f.direction {
	case "up":
		return p.Direction == trace.Up
	case "down":
		return p.Direction == trace.Down
	}
	return true
}

// bytes is the packet's length.
func (f filter) bytes(p *trace.Packet) float64 { return float64(p.Bytes(f.size)) }

// suffix of columns.
func (f filter) suffix() string {
	if f.direction == "both" {
		return ""
	}
	return "_" + f.direction
}

// sign is +1 up, -1 down, 0 unknown.
func sign(d trace.Direction) float64 {
	switch d {
	case trace.Up:
		return 1
	case trace.Down:
		return -1
	}
	return 0
}

// numbered is name_1 ... name_n, with as many digits as n has.
func numbered(name string, i, n int) string {
	return fmt.Sprintf("%s_%0*d", name, len(fmt.Sprint(n)), i+1)
}

// summary holds mean and spread of a stream of values (Welford's algorithm); all 0 without values.
type summary struct {
	n             int
	min, max, sum float64
	mean, m2      float64
}

func (s *summary) add(v float64) {
	if s.n == 0 || v < s.min {
		s.min = v
	}
	if s.n == 0 || v > s.max {
		s.max = v
	}
	s.n++
	s.sum += v
	d := v - s.mean
	s.mean += d / float64(s.n)
	s.m2 += d * (v - s.mean)
}

// variance has n - 1 below; 0 for a single value.
func (s *summary) variance() float64 {
	if s.n < 2 {
		return 0
	}
	return s.m2 / float64(s.n-1)
}

func (s *summary) sd() float64 { return math.Sqrt(s.variance()) }

// ratio is NaN when b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return nan
	}
	return a / b
}
