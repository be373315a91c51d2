package experiments

import (
	"fmt"
	"strconv"
)

// durationTable is the distribution of the captures' lengths per class (SP-54): where captures end early, length may be
// the label.
func (r *Run) durationTable() Table {
	window := r.Manifest.Settings.DurationUS
	t := Table{Name: "durations", Title: fmt.Sprintf("Length of the captures in seconds; the networks see the first %g s", float64(window)/1e6),
		Columns: []Column{{Name: "Class", Left: true}, {Name: "Captures"}, {Name: "Min"}, {Name: "25 %"}, {Name: "Median"}, {Name: "75 %"}, {Name: "Max"},
			{Name: "Padding %"}, {Name: "Packets, median", Wide: true}, {Name: "Bytes down, median", Wide: true}},
		Notes: []string{"Padding: mean share of the series behind the last packet."}}
	for k, class := range r.Manifest.Settings.Classes {
		var d, packets, down []float64
		padding := 0.0
		for _, c := range r.Captures {
			if c.Class != k {
				continue
			}
			d = append(d, float64(c.DurationUS)/1e6)
			packets, down = append(packets, float64(c.Packets)), append(down, float64(c.BytesDown))
			padding += 1 - min(1, float64(c.DurationUS)/float64(window))
		}
		row := []string{class, strconv.Itoa(len(d))}
		for _, q := range []float64{0, 0.25, 0.5, 0.75, 1} {
			row = append(row, fixed(quantile(d, q), 2))
		}
		t.add(append(row, percent(padding/float64(len(d))), fixed(median(packets), 0), fixed(median(down), 0))...)
	}
	return t
}

// packetTable is the study's Figure 2 (SP-45): the first packets of one capture.
func (r *Run) packetTable() (Table, error) {
	t := Table{Name: "packets", Columns: []Column{{Name: "No."}, {Name: "Time s"}, {Name: "Source", Left: true},
		{Name: "Destination", Left: true}, {Name: "Protocol", Left: true}, {Name: "Length"}, {Name: "Info", Left: true}}}
	bursts, err := r.Bursts()
	if err != nil || len(bursts) == 0 {
		return t, err
	}
	const rows = 16
	b := bursts[0]
	t.Title = fmt.Sprintf("The first packets of one capture of %s", b.Class)
	if b.Packets[0].Protocol == 0 { // from a table of sizes: neither headers nor addresses
		t.Notes = []string{"The captures are tables of times, sizes and directions; there is nothing else of a packet. Length: bytes, as the table counts them."}
	} else {
		t.Notes = []string{"Addresses are replaced. Length: bytes of the packet on the wire; where the system joined datagrams on receipt, larger than the network's MTU."}
	}
	for _, p := range b.Packets[:min(rows, len(b.Packets))] {
		t.add(strconv.Itoa(p.No), fixed(float64(p.TimeUS)/1e6, 6), p.Src, p.Dst, protocolName(p), strconv.Itoa(int(p.FrameBytes)),
			packetInfo(p))
	}
	return t, nil
}

func packetInfo(p PacketRow) string {
	size := fmt.Sprintf("Len=%d", p.PayloadBytes)
	switch {
	case p.SPort != 0 || p.DPort != 0:
		return fmt.Sprintf("%d → %d %s", p.SPort, p.DPort, size)
	case p.Protocol == 0 && p.Direction == 1:
		return "up " + size
	case p.Protocol == 0 && p.Direction == 2:
		return "down " + size
	}
	return size
}

func protocolName(p PacketRow) string {
	switch {
	case p.Protocol == 0 && p.Src == "": // not known
		return ""
	case p.Protocol == 17 && (p.SPort == 443 || p.DPort == 443):
		return "QUIC"
	case p.Protocol == 17:
		return "UDP"
	case p.Protocol == 6:
		return "TCP"
	case p.Protocol == 50:
		return "ESP"
	case p.Protocol == 1 || p.Protocol == 58:
		return "ICMP"
	}
	return strconv.Itoa(int(p.Protocol))
}
