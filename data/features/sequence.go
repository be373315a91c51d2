package features

import (
	"math"

	"earshot/data/trace"
)

// sequence is the first n packets: direction, size, inter-arrival time.
type sequence struct {
	filter
	n int
}

func openSequence(s *settings) computer {
	return &sequence{s.withACKs(s.filter()), s.number("n", 1<<16)}
}

func (q *sequence) fields() (out []Field) {
	for i := range q.n {
		out = append(out, Field{Name: numbered("direction", i, q.n), Unit: "+1/-1", Formula: "+1 up, -1 down, 0 unknown or no packet"})
	}
	for i := range q.n {
		out = append(out, Field{Name: numbered("size", i, q.n), Unit: "bytes", Formula: "bytes of the packet, 0 when there is none"})
	}
	for i := range q.n {
		out = append(out, Field{Name: numbered("iat", i, q.n), Unit: "s", Formula: "time since the packet before, 0 for the first one and when there is none"})
	}
	return out
}

func (q *sequence) row(u *Unit, dst []float64) {
	last, at := int64(0), 0
	for i := range u.Packets {
		p := &u.Packets[i]
		if at == q.n {
			return
		}
		if !q.keep(p) {
			continue
		}
		dst[at], dst[q.n+at] = sign(p.Direction), q.bytes(p)
		if at > 0 {
			dst[2*q.n+at] = elapsed(last, p.Time) / 1e6
		}
		last = p.Time
		at++
	}
}

// tam is the traffic aggregation matrix of Robust Fingerprinting: packets (or bytes) per slot and direction.
type tam struct {
	filter
	slots  int
	length float64 // microseconds
	values string
}

func openTAM(s *settings) computer {
	return &tam{s.withACKs(s.filter()), s.number("slots", 1<<16), float64(s.duration("duration").Microseconds()), s.choice("values", "packets", "bytes")}
}

func (t *tam) fields() (out []Field) {
	for _, d := range sideNames {
		for i := range t.slots {
			out = append(out, Field{Name: numbered("tam", i, t.slots) + d, Unit: t.values,
				Formula: t.values + " in slot floor(t (slots - 1) / duration), t from the first packet; later ones in the last slot"})
		}
	}
	return out
}

func (t *tam) row(u *Unit, dst []float64) {
	first, started := int64(0), false
	for i := range u.Packets {
		p := &u.Packets[i]
		if !t.keep(p) {
			continue
		}
		if !started {
			first, started = p.Time, true
		}
		if p.Direction == trace.Unknown {
			continue
		}
		slot := t.slots - 1
		if at := elapsed(first, p.Time); at < t.length {
			slot = int(at * float64(t.slots-1) / t.length)
		}
		if p.Direction == trace.Down {
			slot += t.slots
		}
		if t.values == "bytes" {
			dst[slot] += t.bytes(p)
		} else {
			dst[slot]++
		}
	}
}

// cumulative is CUMUL: totals, and the curve of the running sum of signed sizes at n equally spaced points.
type cumulative struct {
	filter
	n int
}

func openCumulative(s *settings) computer {
	return &cumulative{s.withACKs(s.filter()), s.number("n", 1<<16)}
}

func (c *cumulative) fields() []Field {
	out := []Field{
		{Name: "packets_down", Unit: "packets", Formula: "packets down"},
		{Name: "packets_up", Unit: "packets", Formula: "packets up"},
		{Name: "bytes_down", Unit: "bytes", Formula: "bytes down"},
		{Name: "bytes_up", Unit: "bytes", Formula: "bytes up"},
	}
	for i := range c.n {
		out = append(out, Field{Name: numbered("cumul", i, c.n), Unit: "bytes",
			Formula: "sum of sizes, down positive and up negative, interpolated linearly over the sum of absolute sizes a at a_first + i (a_last - a_first) / n, i from 1; 0 without packets"})
	}
	return out
}

func (c *cumulative) row(u *Unit, dst []float64) {
	var total, curve []float64
	a, sum := 0.0, 0.0
	for i := range u.Packets {
		p := &u.Packets[i]
		if p.Direction == trace.Unknown || !c.keep(p) {
			continue
		}
		n := c.bytes(p)
		if p.Direction == trace.Down {
			dst[0]++
			dst[2] += n
			sum += n
		} else {
			dst[1]++
			dst[3] += n
			sum -= n
		}
		a += n
		total, curve = append(total, a), append(curve, sum)
	}
	if len(total) == 0 {
		return
	}
	first, last, j := total[0], total[len(total)-1], 0
	for i := 1; i <= c.n; i++ {
		x := first + float64(i)*(last-first)/float64(c.n)
		for j+1 < len(total)-1 && total[j+1] <= x {
			j++
		}
		y := curve[len(curve)-1]
		if i < c.n && j+1 < len(total) && total[j+1] > total[j] {
			y = curve[j] + (x-total[j])*(curve[j+1]-curve[j])/(total[j+1]-total[j])
		}
		dst[4+i-1] = y
	}
}

// bursts describes the maximal runs of packets in one direction.
type bursts struct {
	filter
	n int
}

func openBursts(s *settings) computer { return &bursts{s.withACKs(s.filter()), s.number("n", 1<<16)} }

func (b *bursts) fields() (out []Field) {
	for _, d := range sideNames {
		out = append(out, Field{Name: "bursts" + d, Unit: "bursts", Formula: "maximal runs of packets in the direction"})
		for _, of := range []string{"packets", "bytes"} {
			for _, s := range []string{"mean", "sd", "max"} {
				out = append(out, Field{Name: "burst_" + of + "_" + s + d, Unit: of, Formula: s + " of the bursts' " + of + "; sd with n - 1; 0 without bursts"})
			}
		}
	}
	for i := range b.n {
		out = append(out, Field{Name: numbered("burst", i, b.n), Unit: "bytes", Formula: "bytes of the burst, up positive and down negative, 0 when there is none"})
	}
	return out
}

func (b *bursts) row(u *Unit, dst []float64) {
	var packets, bytes [2]summary
	var direction trace.Direction
	var n, sum float64
	count := 0
	end := func() {
		if n == 0 {
			return
		}
		i := 0
		if direction == trace.Down {
			i = 1
		}
		packets[i].add(n)
		bytes[i].add(sum)
		if count < b.n {
			dst[14+count] = sign(direction) * sum
		}
		count++
	}
	for i := range u.Packets {
		p := &u.Packets[i]
		if p.Direction == trace.Unknown || !b.keep(p) {
			continue
		}
		if p.Direction != direction {
			end()
			direction, n, sum = p.Direction, 0, 0
		}
		n++
		sum += b.bytes(p)
	}
	end()
	for i := range packets {
		d := dst[7*i:]
		p, y := &packets[i], &bytes[i]
		d[0] = float64(p.n)
		d[1], d[2], d[3] = p.mean, p.sd(), p.max
		d[4], d[5], d[6] = y.mean, y.sd(), y.max
	}
}

// totals is what the length of a capture alone says.
type totals struct{ filter }

func openTotals(s *settings) computer { return &totals{s.filter()} }

func (t *totals) fields() []Field {
	return []Field{
		{Name: "packets_up", Unit: "packets", Formula: "packets up"},
		{Name: "packets_down", Unit: "packets", Formula: "packets down"},
		{Name: "bytes_up", Unit: "bytes", Formula: "bytes up"},
		{Name: "bytes_down", Unit: "bytes", Formula: "bytes down"},
		{Name: "duration", Unit: "s", Formula: "latest - first packet"},
	}
}

func (t *totals) row(u *Unit, dst []float64) {
	for i := range u.Packets {
		p := &u.Packets[i]
		switch p.Direction {
		case trace.Up:
			dst[0]++
			dst[2] += t.bytes(p)
		case trace.Down:
			dst[1]++
			dst[3] += t.bytes(p)
		}
		dst[4] = math.Max(dst[4], elapsed(u.Packets[0].Time, p.Time)/1e6)
	}
}
