package features

import (
	"math"
	"slices"
)

// merged is the field over all connections of a capture. A single connection's is the program's number; without a
// connection there is none.
func (f *tcpField) merged(conns []*connection, dir int) float64 {
	switch len(conns) {
	case 0:
		return nan
	case 1:
		return f.value(conns[0], &conns[0].sides[dir])
	}
	switch f.merge {
	case mergeSpan:
		var first, last int64
		for _, c := range conns {
			if s := &c.sides[dir]; s.firstData != 0 && (first == 0 || s.firstData < first) {
				first = s.firstData
			}
			last = max(last, c.sides[dir].lastData)
		}
		return printed(elapsed(first, last)/1e6, 3)
	case mergeRate:
		var bytes uint64
		first, last := conns[0].first, conns[0].last
		for _, c := range conns {
			bytes += c.sides[dir].unique
			first, last = min(first, c.first), max(last, c.last)
		}
		return rate(bytes, elapsed(first, last))
	}
	var values, weights []float64
	for _, c := range conns {
		s := &c.sides[dir]
		v := f.value(c, s)
		if math.IsNaN(v) && f.merge != mergeSum { // a sum of which a part is not known is not known
			continue
		}
		values, weights = append(values, v), append(weights, f.weight(s))
	}
	if len(values) == 0 {
		return nan
	}
	switch f.merge {
	case mergeMax:
		return slices.Max(values)
	case mergeMin:
		least := 0.0
		for _, v := range values {
			if v > 0 && (least == 0 || v < least) {
				least = v
			}
		}
		return least
	case mergeSum, mergeKnown:
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum
	}
	var sum, total float64
	for i, v := range values {
		sum, total = sum+v*weights[i], total+weights[i]
	}
	if total == 0 { // nobody sent data: windows still count, each connection alike
		for _, v := range values {
			sum += v
		}
		total = float64(len(values))
	}
	return sum / total
}

// weight of a side in a mean.
func (f *tcpField) weight(s *side) float64 {
	switch f.merge {
	case mergeRTT:
		return float64(s.rtt.n)
	case mergeFull:
		return float64(s.full.n)
	case mergeAmbiguous:
		return float64(s.ambiguous.n)
	case mergeRetrans:
		return float64(s.retrans.n)
	}
	return float64(s.dataPackets)
}

// largest is the connection with the most payload, the first of equals.
func largest(conns []*connection) []*connection {
	if len(conns) < 2 {
		return conns
	}
	bytes := func(c *connection) uint64 { return c.sides[0].dataBytes + c.sides[1].dataBytes }
	best := conns[0]
	for _, c := range conns {
		if bytes(c) > bytes(best) {
			best = c
		}
	}
	return []*connection{best}
}
