package features

func rttOf(s *side) *moments       { return &s.rtt }
func fullOf(s *side) *moments      { return &s.full }
func ambiguousOf(s *side) *moments { return &s.ambiguous }
func retransOf(s *side) *moments   { return &s.retrans }
func lowest(m *moments) float64    { return millis(m.min) }
func highest(m *moments) float64   { return millis(m.max) }

// tcptraceExtra are the fields that the program prints of some connections only, those of outstanding data (-W) and
// those of round-trip times (-r), in its order.
var tcptraceExtra = []tcpField{
	{"resets_sent", "packets", "packets with RST", false, count(func(s *side) uint8 { return s.rsts }), mergeSum},
	{"syn_pkts_sent", "packets", "packets with SYN", false, count(func(s *side) uint8 { return s.syns }), mergeSum},
	{"fin_pkts_sent", "packets", "packets with FIN", false, count(func(s *side) uint8 { return s.fins }), mergeSum},
	{"req_1323_ws_ts", "bits", "1: window scale option seen, 2: timestamps seen, 3: both (the program prints Y/N)", false,
		func(_ *connection, s *side) float64 { return flag(s.wsSeen) + 2*flag(s.tsSeen) }, mergeMax},
	{"adv_wind_scale", "bits", "shift of the window scale option; 0 unless both sides sent it", false, count(func(s *side) uint8 { return s.scale }), mergeMax},
	{"req_sack", "0/1", "SACK permitted option seen", false, func(_ *connection, s *side) float64 { return flag(s.sackPermit) }, mergeMax},
	{"sacks_sent", "packets", "packets with SACK blocks", false, count(func(s *side) uint64 { return s.sacksSent }), mergeSum},
	{"hardware_dups", "packets", "packets with the sequence number and IP ID of one of the eight before; not known: traces do not hold the IP ID", false, unknown, mergeSum},

	{"max_owin", "bytes", "largest outstanding data: end of a segment - latest ACK of the other side + 1", false, count(func(s *side) uint64 { return s.owinMax }), mergeMax},
	{"min_non_zero_owin", "bytes", "smallest above 0", false, count(func(s *side) uint64 { return s.owinMin }), mergeMin},
	{"avg_owin", "bytes", "floor(mean over segments that are not SYN, out of order or retransmitted)", false, func(_ *connection, s *side) float64 {
		if s.owinCount == 0 {
			return 0
		}
		return float64(s.owinSum / s.owinCount)
	}, mergeMean},
	{"wavg_owin", "bytes", "floor(sum of floor(sample * time to the next) / time of the connection)", false, func(c *connection, s *side) float64 {
		t := elapsed(c.first, c.last)
		if t == 0 {
			return nan
		}
		return float64(whole(float64(s.owinWeighted) / (t / 1e6)))
	}, mergeMean},

	{"rtt_samples", "ACKs", "ACKs that end exactly at a segment sent once, with nothing before it sent later", false, count(func(s *side) uint64 { return s.rtt.n }), mergeSum},
	{"rtt_min", "ms", "smallest", false, momentsOf(rttOf, lowest), mergeMin},
	{"rtt_max", "ms", "largest", false, momentsOf(rttOf, highest), mergeMax},
	{"rtt_avg", "ms", "sum / (samples + 0.0001)", false, momentsOf(rttOf, (*moments).mean), mergeRTT},
	{"rtt_stdev", "ms", "standard deviation (n - 1); 0 up to two samples", false, momentsOf(rttOf, (*moments).stdev), mergeRTT},
	{"rtt_from_3whs", "ms", "sample of the handshake", false, func(_ *connection, s *side) float64 { return millis(s.handshake) }, mergeMax},
	{"rtt_full_sz_smpls", "ACKs", "samples of segments of the largest size seen", false, count(func(s *side) uint64 { return s.full.n }), mergeSum},
	{"rtt_full_sz_min", "ms", "smallest", false, momentsOf(fullOf, lowest), mergeMin},
	{"rtt_full_sz_max", "ms", "largest", false, momentsOf(fullOf, highest), mergeMax},
	{"rtt_full_sz_avg", "ms", "sum / (samples + 0.0001)", false, momentsOf(fullOf, (*moments).mean), mergeFull},
	{"rtt_full_sz_stdev", "ms", "standard deviation (n - 1)", false, momentsOf(fullOf, (*moments).stdev), mergeFull},
	{"post_loss_acks", "ACKs", "ACKs of a segment before which a later transmission was acknowledged: no sample", false, count(func(s *side) uint64 { return s.postLoss }), mergeSum},
	{"ambiguous_acks", "ACKs", "ACKs of segments sent several times", false, count(func(s *side) uint64 { return s.ambiguous.n }), mergeSum},
	{"rtt_min__last_", "ms", "smallest time of ambiguous ACKs, from the last transmission", false, momentsOf(ambiguousOf, lowest), mergeMin},
	{"rtt_max__last_", "ms", "largest", false, momentsOf(ambiguousOf, highest), mergeMax},
	{"rtt_avg__last_", "ms", "sum / (ACKs + 0.0001)", false, momentsOf(ambiguousOf, (*moments).mean), mergeAmbiguous},
	{"rtt_sdv__last_", "ms", "standard deviation (n - 1)", false, momentsOf(ambiguousOf, (*moments).stdev), mergeAmbiguous},
	{"segs_cum_acked", "segments", "segments acknowledged by the ACK of a later one", false, count(func(s *side) uint64 { return s.cumAcked }), mergeSum},
	{"duplicate_acks", "ACKs", "same ACK and window, no payload, data outstanding", false, count(func(s *side) uint64 { return s.dupAcks }), mergeSum},
	{"triple_dupacks", "times", "third duplicates", false, count(func(s *side) uint64 { return s.tripleDups }), mergeSum},
	{"max___retrans", "times", "most retransmissions of a segment", false, count(func(s *side) uint64 { return s.retransMax }), mergeMax},
	{"min_retr_time", "ms", "shortest time to a retransmission", false, momentsOf(retransOf, lowest), mergeMin},
	{"max_retr_time", "ms", "longest", false, momentsOf(retransOf, highest), mergeMax},
	{"avg_retr_time", "ms", "sum / (retransmissions + 0.0001)", false, momentsOf(retransOf, (*moments).mean), mergeRetrans},
	{"sdv_retr_time", "ms", "standard deviation (n - 1)", false, momentsOf(retransOf, (*moments).stdev), mergeRetrans},
}
