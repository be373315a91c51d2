package capture

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

func prefixList(s string) (list []netip.Prefix, err error) {
	for _, f := range strings.Split(s, "+") {
		p, err := netip.ParsePrefix(f)
		if err != nil {
			a, err := netip.ParseAddr(f)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		list = append(list, p)
	}
	return list, nil
}

// filterFrames are packets of every kind that a filter has to tell apart.
func filterFrames() [][]byte {
	esp := append([]byte{0, 0, 1, 1, 0, 0, 0, 1}, make([]byte, 32)...)
	arp := append(make([]byte, 12), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	frames := [][]byte{
		append(arp, make([]byte, 20)...),
		ether(ip4(hostA, hostB, 1, 0, nil, []byte{8, 0, 0, 0, 0, 1, 0, 1})),
		ether(ip4(hostA, hostB, 50, 0, nil, esp)),
		ether(ip4(hostB, hostA, protoUDP, 0x2000, nil, udpBytes(443, 50000, 1400))),                            // a first fragment
		ether(ip4(hostB, hostA, protoUDP, 175, nil, append([]byte{1, 187}, make([]byte, 100)...))),             // a later one whose bytes look like port 443
		ether(ip4(hostA, hostB, protoTCP, 0, []byte{1, 1, 1, 1, 1, 1, 1, 1}, tcpBytes(40001, 443, 2, nil, 0))), // IP options
		ether(ip6(hostC, hostD, 58, []byte{128, 0, 0, 0, 0, 1, 0, 1})),
		ether(ip6(hostC, hostD, protoUDP, udpBytes(5353, 53, 40))),
		ether(ip6(hostD, hostC, protoTCP, tcpBytes(443, 40002, 0x10, nil, 10))),
	}
	for _, other := range []string{"192.168.2.5", "203.0.113.8", "203.0.112.7", "8.8.8.8"} {
		a := netip.MustParseAddr(other)
		frames = append(frames, ether(ip4(a, hostB, protoUDP, 0, nil, udpBytes(53, 443, 5))), ether(ip4(hostA, a, protoTCP, 0, nil, tcpBytes(80, 8080, 16, nil, 5))))
	}
	for _, it := range traffic(40, 3) {
		frames = append(frames, it.data)
	}
	return frames
}

// filters are those under test, with what tcpdump calls them.
var filters = []struct{ own, tcpdump string }{
	{"", ""},
	{"udp", "(ip or ip6) and udp"},
	{"tcp,udp", "tcp or udp"},
	{"icmp,icmp6", "icmp or icmp6"},
	{"proto=50", "ip proto 50 or ip6 proto 50"},
	{"esp,gre,sctp", "ip proto 50 or ip6 proto 50 or ip proto 47 or ip6 proto 47 or ip proto 132 or ip6 proto 132"},
	{"port=443", "(tcp or udp) and port 443"},
	{"udp,port=443,port=53", "udp and (port 443 or port 53)"},
	{"host=203.0.113.7", "host 203.0.113.7"},
	{"host=203.0.112.0/23", "net 203.0.112.0/23"},
	{"host=0.0.0.0/0", "ip"},
	{"host=2001:db8::/32", "net 2001:db8::/32"},
	{"host=2001:db8:1::7+192.168.1.5", "host 2001:db8:1::7 or host 192.168.1.5"},
	{"host=2001:db8:1::/50,port=443,tcp", "net 2001:db8:1::/50 and tcp and port 443"},
	{"tcp,port=8080,host=8.8.8.8+203.0.113.0/24", "tcp and port 8080 and (host 8.8.8.8 or net 203.0.113.0/24)"},
	{"host=10.0.0.0/8", "net 10.0.0.0/8"},
}

func parseFilter(t *testing.T, s string) Filter {
	t.Helper()
	f, err := ParseFilter(s, prefixList)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// passes runs a filter in x/net's virtual machine.
func passes(t *testing.T, f Filter, frames [][]byte, ip uint32) []bool {
	t.Helper()
	code, err := f.compile(ip)
	if err != nil {
		t.Fatal(err)
	}
	program, ok := bpf.Disassemble(code)
	if !ok {
		t.Fatal("not a program")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]bool, len(frames))
	for i, b := range frames {
		n, err := vm.Run(b)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = n > 0
	}
	return out
}

// TestFilterAgainstTcpdump: the same packets pass as through tcpdump's own compiler.
func TestFilterAgainstTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("no tcpdump here")
	}
	frames := filterFrames()
	items := make([]item, len(frames))
	for i, b := range frames {
		items[i] = item{ticks: uint64(i) * 1e6, data: b}
	}
	path := filepath.Join(t.TempDir(), "all.pcap")
	if err := os.WriteFile(path, pcapBytes(le, magicMicro, 0, linkEthernet, items...), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range filters[1:] {
		var stderr bytes.Buffer
		cmd := exec.Command(tcpdump, "-r", path, "-w", "-", c.tcpdump)
		cmd.Stderr = &stderr
		kept, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.tcpdump, err, stderr.Bytes())
		}
		want := make([]bool, len(frames))
		got, _ := readAll(t, kept)
		for _, p := range got {
			want[p.UnixUS/1e6] = true
		}
		if have := passes(t, parseFilter(t, c.own), frames, 14); fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("%s\n%v\ntcpdump says of %s\n%v", c.own, have, c.tcpdump, want)
		}
	}
}

// TestFilterWithoutLinkHeader: on a tunnel the same packets pass as behind an Ethernet header.
func TestFilterWithoutLinkHeader(t *testing.T) {
	frames := filterFrames()[1:] // without ARP
	var bare [][]byte
	for _, b := range frames {
		bare = append(bare, b[14:])
	}
	for _, c := range filters[1:] {
		f := parseFilter(t, c.own)
		if a, b := passes(t, f, frames, 14), passes(t, f, bare, 0); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %v behind Ethernet, %v without", c.own, a, b)
		}
	}
}

// TestFilterShortFrames: a frame that ends anywhere is left out or taken, and never an error.
func TestFilterShortFrames(t *testing.T) {
	f := parseFilter(t, "tcp,port=443,host=203.0.113.0/24+2001:db8::/32")
	for _, b := range filterFrames() {
		for n := range min(len(b), 90) {
			passes(t, f, [][]byte{b[:n]}, 14)
		}
	}
}

func TestFilterText(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " udp , port=443 ": "udp,port=443", "host=192.0.2.1+2001:db8::/32,tcp": "tcp,host=192.0.2.1/32,host=2001:db8::/32", "proto=99": "proto=99",
	} {
		if got := parseFilter(t, in).String(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"udp,,tcp": "empty term", "port=70000": "a port is a number", "proto=300": "a protocol is a number", "quic": "unknown", "host=x": "", "port 443": "unknown",
	} {
		if _, err := ParseFilter(in, prefixList); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := parseFilter(t, "icmp,port=443").compile(14); err == nil {
		t.Error("ports of ICMP")
	}
	var many Filter
	for i := range 2000 {
		many.Hosts = append(many.Hosts, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 32))
	}
	if _, err := many.compile(14); err == nil || !strings.Contains(err.Error(), "; name fewer hosts") {
		t.Error(err)
	}
	many.Hosts = many.Hosts[:400]
	frames := [][]byte{ether(ip4(many.Hosts[399].Addr(), hostB, protoUDP, 0, nil, udpBytes(1, 2, 3))), ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(1, 2, 3)))}
	if got := passes(t, many, frames, 14); !got[0] || got[1] {
		t.Error(got)
	}
}
