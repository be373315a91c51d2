package features

import "slices"

// All are the sets, in the order of the documentation.
var All = []Set{
	{"tcptrace", tcptracePaper, "the 35 fields that tcptrace prints of each direction of a connection without SYN", []Setting{mergeSetting}, openTcptrace(tcptraceFields, 0, 1)},
	{"tcptrace22", tcptracePaper, "the 22 of them that the Echo study keeps, from service to speaker", []Setting{mergeSetting}, openTcptrace(kept(), 1)},
	{"tcptrace_extra", tcptracePaper, "tcptrace's fields of connections with SYN, of outstanding data (-W) and of round-trip times (-r)", []Setting{mergeSetting}, openTcptrace(tcptraceExtra, 0, 1)},
	{"histogram", histogramPaper, "shares of packet sizes and inter-arrival times in bins of equal width", histogramSettings, openHistogram},
	{"combined", histogramPaper, "tcptrace22 and histogram, by default without ACKs as in the study", combinedSettings(), openCombined},
	{"cicflowmeter", cicPaper, "CICFlowMeter's columns by their definitions", nil, openCIC},
	{"nfstream", nfstreamPaper, "NFStream's post-mortem statistics", nil, openNFStream},
	{"sequence", "Deep Fingerprinting (Sirinam et al., CCS 2018); NFStream splt_analysis", "direction, size and inter-arrival time of the first n packets",
		[]Setting{{"n", "30", "packets"}, acksSetting}, openSequence},
	{"tam", "Robust Fingerprinting (Shen et al., USENIX Security 2023)", "traffic aggregation matrix: packets per time slot and direction",
		[]Setting{{"slots", "1800", "time slots"}, {"duration", "80s", "time that they cover"}, {"values", "packets", "packets or bytes"}, acksSetting}, openTAM},
	{"cumulative", "CUMUL (Panchenko et al., NDSS 2016)", "totals and points of the curve of cumulative sizes", []Setting{{"n", "100", "points"}, acksSetting}, openCumulative},
	{"bursts", "Peek-a-Boo (Dyer et al., IEEE S&P 2012), VNG++: bursts", "runs of packets in one direction", []Setting{{"n", "20", "bursts of which the size is a column"}, acksSetting}, openBursts},
	{"totals", "baseline", "what the length of a capture alone says", nil, openTotals},
}

func combinedSettings() []Setting {
	s := append([]Setting{mergeSetting}, slices.Clone(histogramSettings)...)
	for i := range s {
		if s[i].Name == "acks" {
			s[i].Default = "no"
		}
	}
	return s
}
