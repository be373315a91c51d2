package capture

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"earshot/data/trace"
)

// packetsOf makes records from lines "SRC DST PROTO [FLAGS]" with addresses host:port and 10 payload bytes each.
func packetsOf(t *testing.T, lines ...string) []Record {
	out := make([]Record, len(lines))
	for i, line := range lines {
		f := strings.Fields(line)
		p := &out[i]
		p.UnixUS, p.PayloadBytes, p.IPBytes, p.FrameBytes = int64(i), 10, 50, 64
		p.Src, p.Dst = netip.MustParseAddrPort(f[0]), netip.MustParseAddrPort(f[1])
		p.Protocol = map[string]uint8{"tcp": 6, "udp": 17, "esp": 50}[f[2]]
		if len(f) > 3 {
			q, err := trace.Parse("0 >0 flags=" + f[3])
			if err != nil {
				t.Fatal(err)
			}
			p.TCPFlags = q.Packets[0].TCPFlags
		}
	}
	return out
}

func TestDirections(t *testing.T) {
	prefixes := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	private, service := prefixes("192.168.0.0/16", "172.16.0.0/12"), prefixes("203.0.113.0/24")
	for _, c := range []struct {
		name    string
		rule    Rule
		packets []string
		want    string // > < ?
		guessed bool
	}{
		{"clients", Rule{Clients: private}, []string{
			"192.168.1.5:4000 203.0.113.7:443 udp", "203.0.113.7:443 192.168.1.5:4000 udp",
			"192.168.1.5:4000 192.168.1.9:53 udp", "198.51.100.1:1 203.0.113.7:443 udp"}, "><??", false},
		{"servers", Rule{Servers: service}, []string{
			"192.168.1.5:4000 203.0.113.7:443 udp", "203.0.113.7:443 192.168.1.5:4000 udp",
			"192.168.1.5:4000 198.51.100.1:443 udp", "203.0.113.7:1 203.0.113.8:2 udp"}, "><??", false},
		{"both", Rule{Clients: private, Servers: service}, []string{
			"192.168.1.5:4000 203.0.113.7:443 udp", "203.0.113.7:9 198.51.100.1:9 udp", "198.51.100.1:9 192.168.1.5:9 udp"}, "><<", false},
		{"a list beats the SYN", Rule{Servers: service}, []string{"203.0.113.7:443 192.168.1.5:4000 tcp S"}, "<", false},
		{"guess: SYN", Rule{}, []string{"203.0.113.7:443 192.168.1.5:80 tcp S", "192.168.1.5:80 203.0.113.7:443 tcp SA"}, "><", true},
		{"guess: SYN and ACK", Rule{}, []string{"203.0.113.7:50000 192.168.1.5:80 tcp SA", "192.168.1.5:80 203.0.113.7:50000 tcp A"}, "<>", true},
		{"guess: well-known port", Rule{}, []string{"203.0.113.7:443 192.168.1.5:4000 udp", "192.168.1.5:4000 203.0.113.7:443 udp"}, "<>", true},
		{"guess: port below the clients'", Rule{}, []string{"203.0.113.7:9001 192.168.1.5:44000 tcp A"}, "<", true},
		{"guess: earlier connection", Rule{}, []string{"10.0.0.1:50000 10.0.0.2:80 tcp S", "10.0.0.2:0 10.0.0.1:0 esp", "10.0.0.1:0 10.0.0.2:0 esp"}, "><>", true},
		{"guess: private address", Rule{}, []string{"203.0.113.7:50000 192.168.1.5:50001 udp", "192.168.1.5:50001 203.0.113.7:50000 udp"}, "<>", true},
		{"guess: groups are no clients", Rule{}, []string{"203.0.113.7:5353 224.0.0.251:5353 udp", "10.0.0.1:68 255.255.255.255:67 udp"}, ">>", true},
		{"guess: first sender", Rule{}, []string{"203.0.113.7:50000 198.51.100.1:50001 udp", "198.51.100.1:50001 203.0.113.7:50000 udp"}, "><", true},
		{"ends alike", Rule{}, []string{"10.0.0.1:7 10.0.0.1:7 udp"}, ">", true},
	} {
		a := NewAssembler(c.rule)
		got := ""
		for _, r := range packetsOf(t, c.packets...) {
			got += string("?><"[a.Add(&r).Direction])
		}
		if got != c.want || a.Report.Guessed != c.guessed {
			t.Errorf("%s: directions %s, guessed %v; want %s, %v", c.name, got, a.Report.Guessed, c.want, c.guessed)
		}
		var want [3]int64
		for _, d := range c.want {
			want[strings.IndexRune("?><", d)] += 10
		}
		if rep := a.Report; [3]int64{rep.PayloadUnknown, rep.PayloadUp, rep.PayloadDown} != want {
			t.Errorf("%s: payload %+v, want %v", c.name, rep, want)
		}
	}
}

// TestFlows: one table for the whole capture, the same flow in both directions, found again past the short memory.
func TestFlows(t *testing.T) {
	a := NewAssembler(Rule{Clients: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}})
	numbers := map[int32]bool{}
	for round := range 2 {
		for i := range 2000 {
			src := netip.AddrPortFrom(hostA, uint16(i*256+i/256)) // all in few slots
			r := Record{Src: src, Dst: netip.AddrPortFrom(hostB, 443), Packet: trace.Packet{Protocol: 6, IPBytes: 1501}}
			if round == 1 {
				r.Src, r.Dst = r.Dst, r.Src
			}
			p := a.Add(&r)
			if f := a.Flows[p.Flow]; f.Client != src || f.Server.Port() != 443 || f.Protocol != 6 {
				t.Fatalf("packet of %v is in flow %+v", src, f)
			}
			numbers[p.Flow] = true
		}
	}
	want := map[uint16]bool{}
	for i := range 2000 {
		want[uint16(i*256+i/256)] = true
	}
	if len(a.Flows) != len(want) || len(numbers) != len(want) || a.Report.Oversize != 4000 {
		t.Errorf("%d flows, %d numbers, want %d; %d oversize", len(a.Flows), len(numbers), len(want), a.Report.Oversize)
	}
}

// TestReadTrace: times from the first record, a clock that steps back, packets that are not IP, a cut at the end.
func TestReadTrace(t *testing.T) {
	udp := ether(ip4(hostA, hostB, 17, 0, nil, udpBytes(5000, 443, 100)))
	reply := ether(ip4(hostB, hostA, 17, 0, nil, udpBytes(443, 5000, 2000)))
	arp := append(make([]byte, 12), 8, 6, 0, 1)
	file := pcapBytes(le, magicMicro, 0, linkEthernet, item{5e6, udp, 0}, item{4e6, reply, 0}, item{7e6, arp, 0}, item{9e6, udp, 0})
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, file[:len(file)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	tr, rep, err := ReadTrace(path, Rule{Clients: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}})
	if err != nil {
		t.Fatal(err)
	}
	want := "@5000000 0 >100/128/142 proto=17 flow=0, -1000000 <2000/2028/2042 proto=17 flow=0, 2000000 ?0/0/16"
	if tr.String() != want {
		t.Errorf("trace %s, want %s", tr, want)
	}
	problem := rep.Err
	rep.Err = nil
	if want := (Report{Link: "ethernet", Records: 3, Decoded: 2, PayloadUp: 100, PayloadDown: 2000, FirstUS: 4e6, LastUS: 7e6, Oversize: 1}); !reflect.DeepEqual(rep, want) {
		t.Errorf("report %+v, want %+v", rep, want)
	}
	if problem == nil || problem.Packet != 4 || problem.Source != path {
		t.Errorf("problem %+v", problem)
	}
	if tr.Flows[0] != (trace.Flow{Client: netip.AddrPortFrom(hostA, 5000), Server: netip.AddrPortFrom(hostB, 443), Protocol: 17}) {
		t.Errorf("flow %+v", tr.Flows[0])
	}
}
