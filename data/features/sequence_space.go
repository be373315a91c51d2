package features

import "sort"

// segment is a run of sequence numbers that one side sent.
type segment struct {
	first, last uint32
	retrans     uint8 // times it was sent again
	acked       uint32
	time        int64 // of the latest transmission
}

// quadrant holds the segments of a quarter of the sequence space, in order and without overlap. The linked ones are the
// neighbors of the latest quadrant in use; the one across is forgotten, so that numbers can come around.
type quadrant struct {
	segs       []segment
	prev, next *quadrant
}

type sequenceSpace [4]*quadrant

func quadrantOf(seq uint32) uint32 { return seq >> 30 }

// at returns the quadrant of a sequence number, with neighbors.
func (s *sequenceSpace) at(seq uint32) *quadrant {
	i := quadrantOf(seq)
	if q := s[i]; q != nil && q.next != nil && q.prev != nil {
		return q
	}
	next, across, prev := (i+1)%4, (i+2)%4, (i+3)%4
	for _, j := range []uint32{i, next, prev} {
		if s[j] == nil {
			s[j] = &quadrant{}
		}
	}
	s[across] = nil
	s[i].prev, s[i].next = s[prev], s[next]
	s[next].prev, s[next].next = s[i], nil
	s[prev].next, s[prev].prev = s[i], nil
	return s[i]
}

// send records length bytes from seq on. It returns how many of them were sent before, and whether the segment fills a
// hole left by a later one.
func (s *side) send(seq, length uint32, now int64) (again int, outOfOrder bool) {
	last := seq + length - 1
	q := s.space.at(seq)
	if quadrantOf(seq) == quadrantOf(last) {
		return s.add(q, seq, last, now)
	}
	end := (quadrantOf(seq)+1)<<30 - 1
	again, outOfOrder = s.add(q, seq, end, now)
	more, late := s.add(q.next, quadrantOf(last)<<30, last, now)
	return again + more, outOfOrder || late
}

func (s *side) add(q *quadrant, first, last uint32, now int64) (again int, outOfOrder bool) {
	split := false
	i := sort.Search(len(q.segs), func(i int) bool { return first <= q.segs[i].last })
	for ; i < len(q.segs); i++ {
		g := &q.segs[i]
		if first < g.first {
			outOfOrder = outOfOrder || last < g.last
			q.segs = append(q.segs, segment{})
			copy(q.segs[i+1:], q.segs[i:])
			q.segs[i] = segment{first: first, last: last, time: now}
			i++
			g = &q.segs[i]
			if last < g.first {
				return again, outOfOrder
			}
			q.segs[i-1].last = g.first - 1
			first = g.first
		}
		g.retrans++
		if !split {
			s.resent(g, now)
		}
		if last <= g.last {
			return again + int(last-first+1), outOfOrder
		}
		split = true
		again += int(g.last - first + 1)
		first = g.last + 1
	}
	q.segs = append(q.segs, segment{first: first, last: last, time: now})
	return again, outOfOrder
}

// resent notes that a segment was sent again.
func (s *side) resent(g *segment, now int64) {
	if g.acked == 0 { // acknowledged ones are merged, their counts mean nothing
		s.retransMax = max(s.retransMax, uint64(g.retrans))
		s.retrans.add(elapsed(g.time, now))
	}
	g.time = now
}

// acknowledge handles an ACK for what s sent. by is the other side, as it was before the packet; payload and window are
// the packet's.
func (s *side) acknowledge(by *side, ack uint32, payload int32, window uint64, now int64) {
	q := s.space.at(ack)
	newest := int64(0)
	changed := false
	for i := range q.prev.segs {
		if g := &q.prev.segs[i]; g.acked == 0 {
			g.acked++
			changed = true
			s.cumAcked++
			newest = max(newest, g.time)
		}
	}
	if changed {
		q.prev.merge()
	}
	changed = false
	for i := range q.segs {
		g := &q.segs[i]
		if ack <= g.first {
			break
		}
		newest = max(newest, g.time)
		if g.acked > 0 {
			// A duplicate, as BSD counts it: the same ACK again, without payload, without a new window, with data under way.
			if ack == g.last+1 && ack == by.ack && payload == 0 && window == by.winLast && s.owinSum > 0 {
				s.dupAcks++
				g.acked++
				if g.acked == 4 {
					s.tripleDups++
				}
			} else {
				g.acked = 1
			}
			continue
		}
		g.acked++
		changed = true
		if ack == g.last+1 {
			s.sample(g, newest > g.time, now)
		} else {
			s.cumAcked++
		}
	}
	if changed {
		q.merge()
	}
}

// merge joins acknowledged neighbors from the front.
func (q *quadrant) merge() {
	if len(q.segs) == 0 {
		return
	}
	w := 0 // segs[:w+1] are done
	for i := 1; i < len(q.segs); i++ {
		g, n := &q.segs[w], q.segs[i]
		if g.acked == 0 {
			w += copy(q.segs[w+1:], q.segs[i:])
			break
		}
		if n.acked > 0 && g.last+1 == n.first {
			g.last, g.acked, g.time = n.last, n.acked, max(g.time, n.time)
			continue
		}
		w++
		q.segs[w] = n
	}
	q.segs = q.segs[:w+1]
}

// sample takes a round-trip time from the ACK of exactly this segment. late: an earlier segment was sent after it.
func (s *side) sample(g *segment, late bool, now int64) {
	t := elapsed(g.time, now)
	switch {
	case late:
		s.rttLast = 0
		s.postLoss++
	case g.retrans == 0:
		s.rttLast = t
		s.rtt.add(t)
		// The program's size of a segment of one byte, such as a SYN: 2^32, above all others.
		size := uint64(g.last) - uint64(g.first) + 1
		if g.last <= g.first {
			size = 1<<32 - uint64(g.first) + uint64(g.last)
		}
		if size > s.fullSize {
			s.fullSize, s.full = size, moments{}
			s.full.add(t)
		} else if size == s.fullSize {
			s.full.add(t)
		}
	default:
		s.rttLast = 0
		s.ambiguous.add(t)
	}
}

// moments sums times in microseconds. A minimum of 0 counts as none yet.
type moments struct {
	n         uint64
	min, max  float64
	sum, sum2 float64
}

func (m *moments) add(t float64) {
	if m.min == 0 || m.min > t {
		m.min = t
	}
	m.max = max(m.max, t)
	m.sum += t
	m.sum2 += t * t
	m.n++
}

// elapsed is b - a in microseconds, 0 when the clock stepped back.
func elapsed(a, b int64) float64 { return float64(max(0, b-a)) }
