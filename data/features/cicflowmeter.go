package features

import "earshot/data/trace"

// The columns of CICFlowMeter under the names of the CIC-IDS2017 tables, by their definitions instead of by what its
// releases print: no packet counts twice, flags count in every packet, ratios are not cut to whole numbers, Ethernet
// padding is not payload, a flow does not end at the first FIN.
const (
	cicPaper = "CICFlowMeter (Lashkari et al., ICISSP 2017; Engelen et al., WTMC 2021 on its faults)"

	subflowGap  = 1e6 // microseconds of silence that begin a subflow
	activityGap = 5e6 // that end an active period
	bulkGap     = 1e6 // that end a bulk
	bulkPackets = 4   // packets with payload that make a bulk
)

// cicColumn is a column and how it is read off the statistics of a row.
type cicColumn struct {
	name, unit, formula string
	value               func(c *cic) float64
}

// cic is what the columns need of a row. Index 0 is forward (up), 1 backward (down).
type cic struct {
	flow, all  summary // inter-arrival times, lengths of all packets
	length     [2]summary
	gap        [2]summary
	header     [2]summary
	data       [2]int // packets with payload
	flags      [2][9]int
	allFlags   [9]int
	window     [2]float64
	bulk       [2]bulk
	subflows   int
	active     summary
	idle       summary
	duration   float64 // microseconds
	lastOf     [2]int64
	seen       [2]bool
	windowSeen [2]bool
}

// bulk follows runs of packets with payload in one direction.
type bulk struct {
	n, bytes     int // of the run at hand
	first, last  int64
	count        int // of finished runs that are bulks
	packets, sum float64
	time         float64
}

func (b *bulk) end() {
	if b.n >= bulkPackets {
		b.count++
		b.packets += float64(b.n)
		b.sum += float64(b.bytes)
		b.time += elapsed(b.first, b.last)
	}
	b.n, b.bytes = 0, 0
}

func (b *bulk) add(bytes int, now int64) {
	if b.n > 0 && elapsed(b.last, now) > bulkGap {
		b.end()
	}
	if b.n == 0 {
		b.first = now
	}
	b.n++
	b.bytes += bytes
	b.last = now
}

// perBulk is a mean over bulks, 0 without any.
func (b *bulk) perBulk(v float64) float64 {
	if b.count == 0 {
		return 0
	}
	return v / float64(b.count)
}

func (b *bulk) rate() float64 {
	if b.time == 0 {
		return 0
	}
	return b.sum / (b.time / 1e6)
}

func flagAt(bit uint16) int {
	for i := range 9 {
		if bit == 1<<i {
			return i
		}
	}
	return -1
}

// measure reads the packets of known direction.
func (c *cic) measure(u *Unit, f filter) {
	c.window = [2]float64{nan, nan}
	var first, last, begun int64
	started := false
	for i := range u.Packets {
		p := &u.Packets[i]
		if p.Direction == trace.Unknown {
			continue
		}
		d := int(p.Direction - trace.Up)
		n := f.bytes(p)
		if !started {
			first, begun, started, c.subflows = p.Time, p.Time, true, 1
		} else {
			gap := elapsed(last, p.Time)
			c.flow.add(gap)
			if gap > subflowGap {
				c.subflows++
			}
			if gap > activityGap {
				c.idle.add(gap)
				c.activity(begun, last)
				begun = p.Time
			}
		}
		last = p.Time
		c.all.add(n)
		c.length[d].add(n)
		c.header[d].add(float64(p.IPBytes - p.PayloadBytes))
		if c.seen[d] {
			c.gap[d].add(elapsed(c.lastOf[d], p.Time))
		}
		c.seen[d], c.lastOf[d] = true, p.Time
		for b := range 9 {
			if p.TCPFlags>>b&1 != 0 {
				c.flags[d][b]++
				c.allFlags[b]++
			}
		}
		if p.Protocol == 6 && !c.windowSeen[d] {
			c.windowSeen[d], c.window[d] = true, float64(p.TCPWindow)
		}
		if p.PayloadBytes > 0 {
			c.data[d]++
			c.bulk[1-d].end()
			c.bulk[d].add(int(n), p.Time)
		}
	}
	if started {
		c.activity(begun, last)
	}
	c.bulk[0].end()
	c.bulk[1].end()
	c.duration = elapsed(first, last)
}

func (c *cic) activity(from, to int64) {
	if to > from {
		c.active.add(elapsed(from, to))
	}
}

func (c *cic) perSecond(v float64) float64 { return ratio(v, c.duration/1e6) }

func (c *cic) perSubflow(v float64) float64 {
	if c.subflows == 0 {
		return 0
	}
	return v / float64(c.subflows)
}

type cicflowmeter struct {
	filter
	columns []cicColumn
}

func openCIC(s *settings) computer { return &cicflowmeter{s.filter(), cicColumns()} }

func (c *cicflowmeter) fields() []Field {
	out := make([]Field, len(c.columns))
	for i, f := range c.columns {
		out[i] = Field{Name: f.name, Unit: f.unit, Formula: f.formula}
	}
	return out
}

func (c *cicflowmeter) row(u *Unit, dst []float64) {
	var m cic
	m.measure(u, c.filter)
	for i, f := range c.columns {
		dst[i] = f.value(&m)
	}
}

// cicColumns are the columns in the order of the tables, without names, addresses, ports and times of day, and without
// the second "Fwd Header Length".
func cicColumns() []cicColumn {
	var out []cicColumn
	add := func(name, unit, formula string, value func(c *cic) float64) {
		out = append(out, cicColumn{name, unit, formula, value})
	}
	stats := func(names [4]string, unit, of string, s func(c *cic) *summary) {
		for i, what := range []string{"mean", "sd", "max", "min"} {
			add(names[i], unit, what+" of "+of+"; 0 without any", func(c *cic) float64 {
				m := s(c)
				return [4]float64{m.mean, m.sd(), m.max, m.min}[i]
			})
		}
	}
	sides := [2]string{"Fwd", "Bwd"}
	words := [2]string{"up", "down"}

	add("Flow Duration", "us", "last - first packet", func(c *cic) float64 { return c.duration })
	add("Total Fwd Packets", "packets", "packets up", func(c *cic) float64 { return float64(c.length[0].n) })
	add("Total Backward Packets", "packets", "packets down", func(c *cic) float64 { return float64(c.length[1].n) })
	add("Total Length of Fwd Packets", "bytes", "bytes up", func(c *cic) float64 { return c.length[0].sum })
	add("Total Length of Bwd Packets", "bytes", "bytes down", func(c *cic) float64 { return c.length[1].sum })
	for d, side := range sides {
		for i, what := range []string{"Max", "Min", "Mean", "Std"} {
			add(side+" Packet Length "+what, "bytes", what+" of packet lengths "+words[d]+"; sd with n - 1; 0 without packets", func(c *cic) float64 {
				m := &c.length[d]
				return [4]float64{m.max, m.min, m.mean, m.sd()}[i]
			})
		}
	}
	add("Flow Bytes/s", "bytes/s", "bytes / duration", func(c *cic) float64 { return c.perSecond(c.all.sum) })
	add("Flow Packets/s", "packets/s", "packets / duration", func(c *cic) float64 { return c.perSecond(float64(c.all.n)) })
	stats([4]string{"Flow IAT Mean", "Flow IAT Std", "Flow IAT Max", "Flow IAT Min"}, "us", "times between packets", func(c *cic) *summary { return &c.flow })
	for d, side := range sides {
		add(side+" IAT Total", "us", "last - first packet "+words[d], func(c *cic) float64 { return c.gap[d].sum })
		stats([4]string{side + " IAT Mean", side + " IAT Std", side + " IAT Max", side + " IAT Min"}, "us", "times between packets "+words[d], func(c *cic) *summary { return &c.gap[d] })
	}
	for _, bit := range []struct {
		name string
		flag uint16
	}{{"PSH", trace.PSH}, {"URG", trace.URG}} {
		for d, side := range sides {
			add(side+" "+bit.name+" Flags", "packets", "packets "+words[d]+" with "+bit.name, func(c *cic) float64 { return float64(c.flags[d][flagAt(bit.flag)]) })
		}
	}
	for d, side := range sides {
		add(side+" Header Length", "bytes", "IP and transport headers "+words[d]+": sum of IP length - payload", func(c *cic) float64 { return c.header[d].sum })
	}
	for d, side := range sides {
		add(side+" Packets/s", "packets/s", "packets "+words[d]+" / duration", func(c *cic) float64 { return c.perSecond(float64(c.length[d].n)) })
	}
	add("Min Packet Length", "bytes", "smallest", func(c *cic) float64 { return c.all.min })
	add("Max Packet Length", "bytes", "largest", func(c *cic) float64 { return c.all.max })
	add("Packet Length Mean", "bytes", "mean", func(c *cic) float64 { return c.all.mean })
	add("Packet Length Std", "bytes", "standard deviation (n - 1)", func(c *cic) float64 { return c.all.sd() })
	add("Packet Length Variance", "bytes^2", "variance (n - 1)", func(c *cic) float64 { return c.all.variance() })
	for _, bit := range []struct {
		name string
		flag uint16
	}{{"FIN", trace.FIN}, {"SYN", trace.SYN}, {"RST", trace.RST}, {"PSH", trace.PSH}, {"ACK", trace.ACK}, {"URG", trace.URG}, {"CWE", trace.CWR}, {"ECE", trace.ECE}} {
		add(bit.name+" Flag Count", "packets", "packets with "+bit.name+", both directions", func(c *cic) float64 { return float64(c.allFlags[flagAt(bit.flag)]) })
	}
	add("Down/Up Ratio", "ratio", "packets down / packets up; does not exist without packets up", func(c *cic) float64 { return ratio(float64(c.length[1].n), float64(c.length[0].n)) })
	add("Average Packet Size", "bytes", "mean of packet lengths, equal to Packet Length Mean", func(c *cic) float64 { return c.all.mean })
	for d, side := range sides {
		add("Avg "+side+" Segment Size", "bytes", "mean of packet lengths "+words[d], func(c *cic) float64 { return c.length[d].mean })
	}
	for d, side := range sides {
		run := "runs of at least 4 packets with payload " + words[d] + ", none of the other direction between, none more than 1 s behind the last"
		add(side+" Avg Bytes/Bulk", "bytes", "bytes per bulk; bulks are "+run, func(c *cic) float64 { return c.bulk[d].perBulk(c.bulk[d].sum) })
		add(side+" Avg Packets/Bulk", "packets", "packets per bulk", func(c *cic) float64 { return c.bulk[d].perBulk(c.bulk[d].packets) })
		add(side+" Avg Bulk Rate", "bytes/s", "bytes of bulks / their time; 0 without bulks", func(c *cic) float64 { return c.bulk[d].rate() })
	}
	for d, side := range sides {
		add("Subflow "+side+" Packets", "packets", "packets "+words[d]+" / subflows; a silence of more than 1 s begins a subflow", func(c *cic) float64 { return c.perSubflow(float64(c.length[d].n)) })
		add("Subflow "+side+" Bytes", "bytes", "bytes "+words[d]+" / subflows", func(c *cic) float64 { return c.perSubflow(c.length[d].sum) })
	}
	add("Init_Win_bytes_forward", "bytes", "window of the first TCP packet up, unscaled", func(c *cic) float64 { return c.window[0] })
	add("Init_Win_bytes_backward", "bytes", "window of the first TCP packet down, unscaled", func(c *cic) float64 { return c.window[1] })
	add("act_data_pkt_fwd", "packets", "packets up with payload", func(c *cic) float64 { return float64(c.data[0]) })
	add("min_seg_size_forward", "bytes", "smallest IP length - payload of the packets up", func(c *cic) float64 { return c.header[0].min })
	stats([4]string{"Active Mean", "Active Std", "Active Max", "Active Min"}, "us", "times of activity, which a silence of more than 5 s ends", func(c *cic) *summary { return &c.active })
	stats([4]string{"Idle Mean", "Idle Std", "Idle Max", "Idle Min"}, "us", "silences of more than 5 s", func(c *cic) *summary { return &c.idle })
	return out
}
