package features

import "earshot/data/trace"

// The post-mortem statistics of NFStream under its names: src is the client, times are kept to the microsecond where
// the program cuts them to whole milliseconds first.
const nfstreamPaper = "NFStream (Aouini & Pekar, Computer Networks 2022)"

// nfstreamStats is one of "bidirectional", "src2dst", "dst2src".
type nfstreamStats struct {
	sizes, gaps summary
	first, last int64
	flags       [9]int
}

// nfstreamFlags in the program's order.
var nfstreamFlags = []struct {
	name string
	bit  uint16
}{{"syn", trace.SYN}, {"cwr", trace.CWR}, {"ece", trace.ECE}, {"urg", trace.URG}, {"ack", trace.ACK}, {"psh", trace.PSH}, {"rst", trace.RST}, {"fin", trace.FIN}}

var nfstreamSides = [3]struct{ name, words string }{
	{"bidirectional", "both directions"}, {"src2dst", "client to server"}, {"dst2src", "server to client"},
}

func (s *nfstreamStats) add(p *trace.Packet, bytes float64) {
	if s.sizes.n == 0 {
		s.first = p.Time
	} else {
		s.gaps.add(elapsed(s.last, p.Time) / 1e3)
	}
	s.last = p.Time
	s.sizes.add(bytes)
	for b := range 9 {
		s.flags[b] += int(p.TCPFlags >> b & 1)
	}
}

type nfstream struct{ filter }

func openNFStream(s *settings) computer { return &nfstream{s.filter()} }

func (n *nfstream) fields() (out []Field) {
	for _, s := range nfstreamSides {
		out = append(out,
			Field{Name: s.name + "_duration_ms", Unit: "ms", Formula: "last - first packet, " + s.words},
			Field{Name: s.name + "_packets", Unit: "packets", Formula: "packets, " + s.words},
			Field{Name: s.name + "_bytes", Unit: "bytes", Formula: "bytes, " + s.words})
	}
	for _, s := range nfstreamSides {
		for _, what := range []string{"min", "mean", "stddev", "max"} {
			out = append(out, Field{Name: s.name + "_" + what + "_ps", Unit: "bytes", Formula: what + " of packet sizes, " + s.words + "; stddev with n - 1; 0 without packets"})
		}
	}
	for _, s := range nfstreamSides {
		for _, what := range []string{"min", "mean", "stddev", "max"} {
			out = append(out, Field{Name: s.name + "_" + what + "_piat_ms", Unit: "ms", Formula: what + " of packet inter-arrival times, " + s.words + "; stddev with n - 1; 0 below two packets"})
		}
	}
	for _, s := range nfstreamSides {
		for _, f := range nfstreamFlags {
			out = append(out, Field{Name: s.name + "_" + f.name + "_packets", Unit: "packets", Formula: "packets with the flag, " + s.words})
		}
	}
	return out
}

func (n *nfstream) row(u *Unit, dst []float64) {
	var s [3]nfstreamStats
	for i := range u.Packets {
		p := &u.Packets[i]
		if p.IPBytes <= 0 { // not IP
			continue
		}
		s[0].add(p, n.bytes(p))
		if p.Direction != trace.Unknown {
			s[p.Direction].add(p, n.bytes(p))
		}
	}
	at := 0
	put := func(v ...float64) { at += copy(dst[at:], v) }
	for i := range s {
		put(elapsed(s[i].first, s[i].last)/1e3, float64(s[i].sizes.n), s[i].sizes.sum)
	}
	for i := range s {
		put(s[i].sizes.min, s[i].sizes.mean, s[i].sizes.sd(), s[i].sizes.max)
	}
	for i := range s {
		put(s[i].gaps.min, s[i].gaps.mean, s[i].gaps.sd(), s[i].gaps.max)
	}
	for i := range s {
		for _, f := range nfstreamFlags {
			put(float64(s[i].flags[flagAt(f.bit)]))
		}
	}
}
