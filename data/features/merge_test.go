package features

import (
	"fmt"
	"math"
	"net/netip"
	"testing"

	"earshot/data/trace"
)

// TestMerge: the rule for several connections, one field of each kind.
func TestMerge(t *testing.T) {
	a := &connection{first: 1e6, last: 3e6}
	a.sides[1] = side{packets: 10, dataPackets: 4, dataBytes: 400, unique: 400, segMin: 100, segMax: 100, winMin: 0, winMax: 500, winSum: 5000,
		firstData: 1e6, lastData: 2e6, last: 3e6, idleMax: 2000, syns: 1, fins: 1, syn: 10, fin: 411, initBytes: 300}
	b := &connection{first: 2e6, last: 11e6}
	b.sides[1] = side{packets: 5, dataPackets: 1, dataBytes: 600, unique: 500, segMin: 600, segMax: 600, winMin: 80, winMax: 90, winSum: 450,
		firstData: 5e6, lastData: 5e6, last: 11e6, idleMax: 7000, initBytes: 600}
	both := []*connection{a, b}
	for _, c := range []struct {
		field        string
		sum, largest float64
	}{
		{"total_packets", 15, 5},
		{"unique_bytes_sent", 900, 500},
		{"max_segm_size", 600, 600},
		{"min_segm_size", 100, 600},
		{"min_win_adv", 80, 80}, // the smallest above 0
		{"avg_segm_size", (99*4 + 599*1) / 5., 599},
		{"avg_win_adv", (500*4 + 90*1) / 5., 90},
		{"initial_window_bytes", 600, 600},
		{"ttl_stream_length", 400, nan}, // of those that have one
		{"truncated_data", nan, nan},
		{"data_xmit_time", 4, 0},
		{"idletime_max", 7, 7},
		{"throughput", 90, 56},
	} {
		for i := range tcptraceFields {
			if f := &tcptraceFields[i]; f.name == c.field {
				if got := f.merged(both, 1); got != c.sum && !(math.IsNaN(got) && math.IsNaN(c.sum)) {
					t.Errorf("%s: %v, want %v", c.field, got, c.sum)
				}
				if got := f.merged(largest(both), 1); got != c.largest && !(math.IsNaN(got) && math.IsNaN(c.largest)) {
					t.Errorf("%s of the largest: %v, want %v", c.field, got, c.largest)
				}
			}
		}
	}
}

// TestStreaming: what is measured does not depend on where the packets of other connections lie between.
func TestStreaming(t *testing.T) {
	apart, mixed := &trace.Trace{Start: 1e15}, &trace.Trace{Start: 1e15}
	single := formulaTrace()
	for i, p := range single.Packets {
		p.TCPSeq, p.TCPAck = uint32(i*1000), uint32(i*500)
		q := p
		p.Flow, q.Flow = 0, 1
		mixed.Packets = append(mixed.Packets, p, q)
		apart.Packets = append(apart.Packets, p)
	}
	one, two := Capture(apart).tcp(), Capture(mixed).tcp()
	if len(one) != 1 || len(two) != 2 {
		t.Fatalf("%d and %d connections", len(one), len(two))
	}
	for i := range allTcptrace {
		f := &allTcptrace[i]
		for dir := range 2 {
			want := f.value(one[0], &one[0].sides[dir])
			for _, c := range two {
				if got := f.value(c, &c.sides[dir]); got != want && !math.IsNaN(want) {
					t.Errorf("%s: %v, alone %v", f.name, got, want)
				}
			}
		}
	}
}

// Two data segments of 200 bytes and one ACK down; the average is the program's, a little below.
func Example() {
	t := &trace.Trace{Start: 1_600_000_000_000_000, Flows: []trace.Flow{{
		Client: netip.MustParseAddrPort("10.0.0.2:40000"), Server: netip.MustParseAddrPort("192.0.2.1:443"), Protocol: 6}}}
	for i, payload := range []int32{200, 200, 0} {
		t.Packets = append(t.Packets, trace.Packet{Time: int64(i) * 500_000, Direction: trace.Down, Protocol: 6, IPBytes: payload + 40, PayloadBytes: payload,
			TCPFlags: trace.ACK, TCPSeq: uint32(1 + 200*i), TCPAck: 1, TCPWindow: 500, WindowScale: -1})
	}
	x, err := New("tcptrace22", Options{})
	if err != nil {
		panic(err)
	}
	m, err := x.Extract(func(f func(Item, *trace.Trace) error) error { return f(Item{Source: "a.pcap"}, t) })
	if err != nil {
		panic(err)
	}
	for i, f := range m.Fields {
		switch f.Name {
		case "total_packets_down", "avg_segm_size_down", "throughput_down":
			fmt.Println(f.Name, m.X[i], f.Unit)
		}
	}
	// Output:
	// total_packets_down 3 packets
	// avg_segm_size_down 199 bytes
	// throughput_down 400 bytes/s
}

// BenchmarkTcptrace reports the state machine's time per packet.
func BenchmarkTcptrace(b *testing.B) {
	t := formulaTrace()
	for i := range t.Packets {
		t.Packets[i].TCPSeq = uint32(i * 1000)
	}
	for b.Loop() {
		Capture(t).tcp()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(t.Packets)), "ns/packet")
}
