package features

import (
	"math"
	"strconv"
)

// tcpField is one column of tcptrace's separated output.
type tcpField struct {
	name, unit string // name: the program's, in lower case, every other sign as "_"
	formula    string
	kept       bool // one of the 22 of Echo 2018
	value      func(c *connection, s *side) float64
	merge      mergeRule
}

// mergeRule makes one number of those of several connections.
type mergeRule uint8

const (
	mergeSum   mergeRule = iota
	mergeKnown           // sum of those that exist
	mergeMax
	mergeMin       // smallest above 0
	mergeMean      // weighted by data packets
	mergeRTT       // mean weighted by RTT samples
	mergeFull      // by samples of full-size segments
	mergeAmbiguous // by ambiguous ACKs
	mergeRetrans   // by retransmissions
	mergeSpan      // first to last data packet of all
	mergeRate      // bytes of all by time of all
)

var nan = math.NaN()

func count[T ~uint8 | ~uint32 | ~uint64](v func(s *side) T) func(*connection, *side) float64 {
	return func(_ *connection, s *side) float64 { return float64(v(s)) }
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// printed rounds as the program prints: %.<digits>f.
func printed(v float64, digits int) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nan // "NA"
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', digits, 64), 64)
	return r
}

func millis(us float64) float64 { return printed(us/1000, 1) }

// mean is the program's average, with the 0.0001 that spares it a division by 0.
func (m *moments) mean() float64 { return millis(m.sum / (float64(m.n) + .0001)) }

func (m *moments) stdev() float64 {
	if m.n <= 2 {
		return 0
	}
	return millis(math.Sqrt((m.sum2 - m.sum*m.sum/float64(m.n)) / float64(m.n-1)))
}

func momentsOf(v func(s *side) *moments, stat func(m *moments) float64) func(*connection, *side) float64 {
	return func(_ *connection, s *side) float64 { return stat(v(s)) }
}

// streamLength is the stream's length by SYN and FIN; NaN without both.
func (s *side) streamLength() (uint64, bool) {
	if s.syns == 0 || s.fins == 0 {
		return 0, false
	}
	last, syn := uint64(s.fin), uint64(s.syn)
	if s.rsts > 0 {
		last = uint64(s.latest)
	}
	if last <= syn {
		last += 1 << 32
	}
	return last + s.wraps<<32 - syn - 1, true
}

func (c *connection) averageWindow(s *side) float64 {
	n := s.packets
	if c.sides[0].scaled && c.sides[1].scaled {
		n = s.scaledPackets
	}
	if n == 0 {
		return 0
	}
	return float64(s.winSum / n)
}

func span(s *side) float64 { return elapsed(s.firstData, s.lastData) / 1e6 }

func rate(bytes uint64, us float64) float64 { return printed(float64(bytes)/(us/1e6), 0) }

// tcptraceFields are the 35 fields that "tcptrace -l" prints of each direction of a connection without SYN.
var tcptraceFields = []tcpField{
	{"total_packets", "packets", "packets of the direction", true, count(func(s *side) uint64 { return s.packets }), mergeSum},
	{"ack_pkts_sent", "packets", "packets with ACK", true, count(func(s *side) uint64 { return s.acks }), mergeSum},
	{"pure_acks_sent", "packets", "ACK without payload, SYN, FIN, RST", true, count(func(s *side) uint64 { return s.pureAcks }), mergeSum},
	{"sack_pkts_sent", "packets", "ACKs with SACK blocks", false, count(func(s *side) uint64 { return s.sackPackets }), mergeSum},
	{"dsack_pkts_sent", "packets", "ACKs whose first SACK block repeats data; 0 without SACK blocks, else not known: traces hold the number of blocks, not their edges", false,
		func(_ *connection, s *side) float64 {
			if s.sackPackets > 0 {
				return nan
			}
			return 0
		}, mergeSum},
	{"max_sack_blks_ack", "blocks", "most SACK blocks of an ACK", false, count(func(s *side) uint64 { return s.sackBlocksMax }), mergeMax},
	{"unique_bytes_sent", "bytes", "payload without retransmissions and zero-window probes", true, count(func(s *side) uint64 { return s.unique }), mergeSum},
	{"actual_data_pkts", "packets", "packets with payload", true, count(func(s *side) uint64 { return s.dataPackets }), mergeSum},
	{"actual_data_bytes", "bytes", "payload with retransmissions", true, count(func(s *side) uint64 { return s.dataBytes }), mergeSum},
	{"rexmt_data_pkts", "packets", "packets of which a byte (SYN and FIN count as one each) was sent before", true, count(func(s *side) uint64 { return s.resentPackets }), mergeSum},
	{"rexmt_data_bytes", "bytes", "bytes sent before", true, count(func(s *side) uint64 { return s.resentBytes }), mergeSum},
	{"zwnd_probe_pkts", "packets", "packets with payload or FIN while the other side's window is 0", false, count(func(s *side) uint64 { return s.probes }), mergeSum},
	{"zwnd_probe_bytes", "bytes", "their payload", false, count(func(s *side) uint64 { return s.probeBytes }), mergeSum},
	{"outoforder_pkts", "packets", "segments that fill a hole left by a later one", true, count(func(s *side) uint64 { return s.outOfOrder }), mergeSum},
	{"pushed_data_pkts", "packets", "packets with payload and PSH", true, count(func(s *side) uint64 { return s.pushed }), mergeSum},
	{"syn_fin_pkts_sent", "packets", "SYNs + FINs; the program prints SYNs/FINs, see syn_pkts_sent and fin_pkts_sent", false,
		func(_ *connection, s *side) float64 { return float64(s.syns) + float64(s.fins) }, mergeSum},
	{"urgent_data_pkts", "packets", "packets with payload and URG", false, count(func(s *side) uint64 { return s.urgent }), mergeSum},
	{"urgent_data_bytes", "bytes", "sum of their urgent pointers; 0 without URG, else not known: traces do not hold the pointer", false,
		func(_ *connection, s *side) float64 {
			if s.urgent > 0 {
				return nan
			}
			return 0
		}, mergeSum},
	{"mss_requested", "bytes", "latest MSS option, as the program's signed 16-bit number", true, count(func(s *side) uint32 { return s.mss }), mergeMax},
	{"max_segm_size", "bytes", "largest payload", true, count(func(s *side) uint64 { return s.segMax }), mergeMax},
	{"min_segm_size", "bytes", "smallest payload above 0", true, count(func(s *side) uint64 { return s.segMin }), mergeMin},
	{"avg_segm_size", "bytes", "floor(actual_data_bytes / (actual_data_pkts + 0.001))", true, func(_ *connection, s *side) float64 {
		return math.Floor(float64(s.dataBytes) / (float64(s.dataPackets) + .001))
	}, mergeMean},
	{"max_win_adv", "bytes", "largest window; scaled when both SYNs were seen with the option", true, count(func(s *side) uint64 { return s.winMax }), mergeMax},
	{"min_win_adv", "bytes", "smallest window above 0", true, count(func(s *side) uint64 { return s.winMin }), mergeMin},
	{"zero_win_adv", "times", "ACKs with window 0, without RST", false, count(func(s *side) uint64 { return s.winZero }), mergeSum},
	{"avg_win_adv", "bytes", "floor(sum of windows / packets); over the scaled packets when both sides scale", true, (*connection).averageWindow, mergeMean},
	{"initial_window_bytes", "bytes", "payload before the other side's first ACK of data, without retransmissions", true, count(func(s *side) uint64 { return s.initBytes }), mergeMax},
	{"initial_window_pkts", "packets", "packets of it", true, count(func(s *side) uint64 { return s.initPackets }), mergeMax},
	{"ttl_stream_length", "bytes", "FIN - SYN - 1 in sequence numbers; does not exist without both", false, func(_ *connection, s *side) float64 {
		if n, ok := s.streamLength(); ok {
			return float64(n)
		}
		return nan
	}, mergeKnown},
	{"missed_data", "bytes", "ttl_stream_length - unique_bytes_sent", false, func(_ *connection, s *side) float64 {
		if n, ok := s.streamLength(); ok {
			return float64(n - s.unique) // wraps below 0 as the program's does
		}
		return nan
	}, mergeKnown},
	{"truncated_data", "bytes", "payload that the capture cut off; not known: traces do not hold captured lengths", false, unknown, mergeSum},
	{"truncated_packets", "packets", "packets cut; not known", false, unknown, mergeSum},
	{"data_xmit_time", "s", "last - first packet with payload, to 0.001", true, func(_ *connection, s *side) float64 { return printed(span(s), 3) }, mergeSpan},
	{"idletime_max", "ms", "longest silence of the direction, for connections without RST or both FINs up to the end of the capture; to 0.1", true,
		func(_ *connection, s *side) float64 {
			if s.last == 0 {
				return nan
			}
			return millis(s.idleMax)
		}, mergeMax},
	{"throughput", "bytes/s", "unique_bytes_sent / (last - first packet of both directions), to 1", true,
		func(c *connection, s *side) float64 { return rate(s.unique, elapsed(c.first, c.last)) }, mergeRate},
}

func unknown(*connection, *side) float64 { return nan }
