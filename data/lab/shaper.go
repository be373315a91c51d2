package lab

import (
	"math/rand/v2"
	"time"
)

// shaper decides when a packet that enters a Lane comes out of it. It keeps no packets, so that it can be tested with a
// clock of its own; relay moves them.
type shaper struct {
	lane   Lane
	rng    *rand.Rand
	offset time.Duration // into the log at time 0

	free    time.Duration // when the line has sent everything that waits
	last    time.Duration // when the latest packet reached the line, so that jitter never reorders
	waiting []waiting     // packets that have not left the line, first to leave first
	bytes   int           // of them

	burst     time.Duration // end of the current burst of cross traffic
	nextCross time.Duration
}

type waiting struct {
	leaves time.Duration
	bytes  int
}

// Cross traffic comes in bursts: crossOn on average at crossShare times the mean rate, silent in between.
const (
	crossOn    = 500 * time.Millisecond
	crossShare = 2
	crossBytes = 1200
)

func newShaper(l Lane, seed uint64) *shaper {
	s := &shaper{lane: l, rng: rand.New(rand.NewPCG(seed, 0x6c616e65))}
	total := time.Duration(0)
	for _, p := range l.Log {
		total += p.Length
	}
	if total > 0 {
		s.offset = time.Duration(s.rng.Int64N(int64(total)))
	}
	if l.Cross > 0 {
		s.nextCross = s.exp(crossOn)
	}
	return s
}

// start says when the shaper's time begins; what it draws counts from there.
func (s *shaper) start(now time.Duration) {
	s.offset -= now
	s.nextCross += now
}

func (s *shaper) exp(mean time.Duration) time.Duration {
	return time.Duration(s.rng.ExpFloat64() * float64(mean))
}

// enter takes a packet at time now, which never steps back; ok is false when it is lost.
func (s *shaper) enter(now time.Duration, bytes int) (leaves time.Duration, ok bool) {
	lost := s.lane.Loss > 0 && s.rng.Float64() < s.lane.Loss
	jitter := time.Duration(0)
	if s.lane.Jitter > 0 {
		jitter = time.Duration(s.rng.NormFloat64() * float64(s.lane.Jitter))
	}
	if lost {
		return 0, false
	}
	s.last = max(s.last, now, now+s.lane.Delay+jitter)
	s.cross(s.last)
	return s.line(s.last, bytes)
}

// cross puts the other people's packets in line that came before now.
func (s *shaper) cross(now time.Duration) {
	if s.lane.Cross == 0 {
		return
	}
	gap := time.Duration(crossBytes * 8 * float64(time.Second) / (crossShare * float64(s.lane.Cross)))
	for s.nextCross <= now {
		at := s.nextCross
		if at >= s.burst { // a new burst begins
			s.burst = at + s.exp(crossOn)
		}
		s.line(at, crossBytes)
		s.nextCross = at + s.exp(gap)
		if s.nextCross >= s.burst {
			s.nextCross = s.burst + s.exp(crossOn*(crossShare-1))
		}
	}
}

// line sends a packet over the line of limited rate, behind those that wait.
func (s *shaper) line(now time.Duration, bytes int) (sent time.Duration, ok bool) {
	n := 0
	for n < len(s.waiting) && s.waiting[n].leaves <= now {
		s.bytes -= s.waiting[n].bytes
		n++
	}
	s.waiting = s.waiting[n:]
	if s.lane.Rate == 0 && s.lane.Log == nil {
		return now, true
	}
	if s.bytes+bytes > s.lane.Queue {
		return 0, false
	}
	s.free = s.transmit(max(now, s.free), bytes)
	s.waiting = append(s.waiting, waiting{s.free, bytes})
	s.bytes += bytes
	return s.free, true
}

// transmit is when the last bit has left if the first one leaves at from.
func (s *shaper) transmit(from time.Duration, bytes int) time.Duration {
	bits := float64(bytes) * 8
	if s.lane.Log == nil {
		return from + time.Duration(bits/float64(s.lane.Rate)*float64(time.Second))
	}
	total := time.Duration(0)
	for _, p := range s.lane.Log {
		total += p.Length
	}
	at := ((s.offset+from)%total + total) % total
	i := 0
	for at >= s.lane.Log[i].Length {
		at -= s.lane.Log[i].Length
		i++
	}
	for {
		p := s.lane.Log[i]
		left := p.Length - at
		if can := float64(p.Rate) * left.Seconds(); can >= bits {
			return from + time.Duration(bits/float64(p.Rate)*float64(time.Second))
		} else {
			bits -= can
		}
		from, at = from+left, 0
		i = (i + 1) % len(s.lane.Log)
	}
}
