// Package binning turns traces into the series that networks read: (C, T) values, one per channel and time step.
//
// Time is counted in whole microseconds from the first packet that remains after the choice of a direction. With step s a
// packet at t belongs to step floor((t + s/2) / s), the nearest one, so that step 0 is half as wide as the others; this is
// what the song study did (Spotify, 2022, section on preprocessing). Every rule where a study could have done
// otherwise is a field of Config, and Touched counts the packets that the rule decided about.
package binning

import (
	"fmt"
	"time"

	"earshot/data/trace"
)

// Config says how a trace becomes a (C, T) series.
type Config struct {
	Step      time.Duration // width of a step, whole microseconds
	Duration  time.Duration // T = Duration / Step; later packets are cut
	Channels  []Channel
	Direction Select     // which packets the plain channels count
	Size      trace.Size // which length the byte channels sum
	Assign    Assign
	Ties      Ties
	Edge      Edge
}

// Default is the song study's own choice at 0.1 s: received payload bytes of the first 60 s, 600 steps.
func Default() Config {
	return Config{Step: 100 * time.Millisecond, Duration: 60 * time.Second, Channels: []Channel{Bytes}, Direction: Down}
}

// Steps returns T. Step and Duration must be whole, positive numbers of microseconds, and Step must divide Duration.
func (c Config) Steps() (int, error) {
	if c.Step <= 0 || c.Step%time.Microsecond != 0 {
		return 0, fmt.Errorf("binning: step %v: must be a positive whole number of microseconds", c.Step)
	}
	if c.Duration <= 0 || c.Duration%time.Microsecond != 0 {
		return 0, fmt.Errorf("binning: duration %v: must be a positive whole number of microseconds", c.Duration)
	}
	if c.Duration%c.Step != 0 {
		return 0, fmt.Errorf("binning: step %v does not divide the duration %v; take a step that does%s", c.Step, c.Duration, suggest(c.Step, c.Duration))
	}
	return int(c.Duration / c.Step), nil
}

// suggest names the largest step up to s that divides d, where one is near.
func suggest(s, d time.Duration) string {
	us := d.Microseconds()
	for n := int64((d + s - 1) / s); n <= us && n < 1<<20; n++ {
		if us%n == 0 {
			return fmt.Sprintf(", such as %v", d/time.Duration(n))
		}
	}
	return ""
}

func (c Config) check() (steps int, err error) {
	if steps, err = c.Steps(); err != nil {
		return 0, err
	}
	if len(c.Channels) == 0 {
		return 0, fmt.Errorf("binning: no channel; name at least one of %v", channelNames)
	}
	for _, ch := range c.Channels {
		if int(ch) >= len(channelNames) {
			return 0, fmt.Errorf("binning: channel %d is unknown", ch)
		}
	}
	return steps, nil
}

// Touched counts the packets that a rule decided about, so that a reader can see how little (or how much) hangs on it.
type Touched struct {
	Ties int64 // exactly between two steps
	Edge int64 // before the end of the duration, but nearest to the step behind the last one
}

// Bin writes the (C, T) series of t to dst, which must hold C times T values; they are zeroed first. Sums are exact up
// to 2^24 per step and rounded once beyond, as float32 goes.
//
// Time 0 is the first packet that the direction leaves, packets without payload included; when a channel names a
// direction, it is the first packet of either direction, so that the channels stay aligned.
func Bin(c Config, t *trace.Trace, dst []float32) (Touched, error) {
	steps, err := c.check()
	if err != nil {
		return Touched{}, err
	}
	if len(dst) != len(c.Channels)*steps {
		return Touched{}, fmt.Errorf("binning: %d values for %d channels of %d steps", len(dst), len(c.Channels), steps)
	}
	clear(dst)
	b := binner{
		dst: dst, steps: int64(steps), step: c.Step.Microseconds(), end: c.Duration.Microseconds(),
		size: c.Size, assign: c.Assign, ties: c.Ties, edge: c.Edge, sum: make([]int64, len(c.Channels)),
	}
	starts := b.plan(c)
	pk := t.Packets
	for len(pk) > 0 && !starts[pk[0].Direction] {
		pk = pk[1:]
	}
	b.run(pk)
	return b.touched, nil
}

// binner is one call of Bin. Packets come in order of time, so sums are kept for the step at hand and written when the
// next one begins.
type binner struct {
	dst              []float32
	steps, step, end int64
	size             trace.Size
	assign           Assign
	ties             Ties
	edge             Edge

	// counts[d] lists the channels that count packets of direction d: an index, and whether it counts packets, not bytes.
	counts [3][]counter

	at      int64 // the step at hand
	sum     []int64
	touched Touched
}

type counter struct {
	channel int
	packets bool
}

// plan fills counts and returns the directions whose first packet is time 0.
func (b *binner) plan(c Config) (starts [3]bool) {
	for i, ch := range c.Channels {
		sel, packets := ch.parts(c.Direction)
		for d := trace.Unknown; d <= trace.Down; d++ {
			if sel.takes(d) {
				b.counts[d] = append(b.counts[d], counter{i, packets})
				starts[d] = true
			}
		}
		if ch >= BytesUp {
			starts[trace.Up], starts[trace.Down] = true, true
		}
	}
	return starts
}

func (b *binner) run(pk []trace.Packet) {
	if len(pk) == 0 {
		return
	}
	first := pk[0].Time
	for i := range pk {
		p := &pk[i]
		if p.Direction > trace.Down {
			continue
		}
		to := b.counts[p.Direction]
		if len(to) == 0 {
			continue
		}
		k, ok := b.index(p.Time - first)
		if !ok {
			continue
		}
		if k != b.at {
			b.flush()
			b.at = k
		}
		bytes := int64(p.Bytes(b.size))
		for _, c := range to {
			if c.packets {
				b.sum[c.channel]++
			} else {
				b.sum[c.channel] += bytes
			}
		}
	}
	b.flush()
}

// index is the step of a packet at t microseconds; false when it belongs to none.
func (b *binner) index(t int64) (int64, bool) {
	if t >= b.end {
		return 0, false
	}
	k, rest := t/b.step, t%b.step
	if rest < 0 { // a clock that ran backwards: floor, as for every other time
		k, rest = k-1, rest+b.step
	}
	if b.assign == Nearest {
		switch {
		case 2*rest > b.step:
			k++
		case 2*rest == b.step:
			b.touched.Ties++
			if b.ties == TiesUp || k&1 == 1 {
				k++
			}
		}
	}
	if k == b.steps {
		b.touched.Edge++
		if b.edge == Drop {
			return 0, false
		}
		k--
	}
	return k, k >= 0
}

// flush adds the sums to their step and clears them. A step that is met again (packets out of order) is added to.
func (b *binner) flush() {
	for i, v := range b.sum {
		if v != 0 {
			at := &b.dst[int64(i)*b.steps+b.at]
			*at = float32(int64(*at) + v)
			b.sum[i] = 0
		}
	}
}

// Order writes the study's first encoding: the sizes of the first T packets in order of arrival, without time, 0 behind the
// last one. T is len(dst) / C; packet channels hold 1 per packet. Duration, step and their rules play no part.
func Order(c Config, t *trace.Trace, dst []float32) {
	clear(dst)
	if len(c.Channels) == 0 {
		return
	}
	steps := len(dst) / len(c.Channels)
	for i, ch := range c.Channels {
		row := dst[i*steps : (i+1)*steps]
		sel, packets := ch.parts(c.Direction)
		for j := range t.Packets {
			p := &t.Packets[j]
			if len(row) == 0 {
				break
			}
			if !sel.takes(p.Direction) {
				continue
			}
			row[0] = float32(p.Bytes(c.Size))
			if packets {
				row[0] = 1
			}
			row = row[1:]
		}
	}
}
