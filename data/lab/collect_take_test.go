package lab

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/capture"
	"earshot/data/trace"
)

// TestPlayingTrace: of everything that passed, the packets between this machine and the listed addresses within the
// duration are the capture; the program's own calls are not, and what went elsewhere is counted.
func TestPlayingTrace(t *testing.T) {
	local, listed, other := netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("198.51.100.1")
	record := func(us int64, src netip.Addr, sport uint16, dst netip.Addr, dport uint16, size int32) capture.Record {
		return capture.Record{UnixUS: us, Src: netip.AddrPortFrom(src, sport), Dst: netip.AddrPortFrom(dst, dport),
			Packet: trace.Packet{Protocol: 17, PayloadBytes: size, IPBytes: size + 28, FrameBytes: size + 42}}
	}
	p := &playing{asked: 1_000_000, duration: 2 * time.Second, records: []capture.Record{
		record(999_999, listed, 443, local, 5000, 1),    // before
		record(1_000_000, local, 5000, listed, 443, 10), // up
		record(1_500_000, listed, 443, local, 5000, 200),
		record(1_600_000, other, 443, local, 5001, 3000),          // on no list
		record(1_600_001, other, 53, local, 5002, 40000),          // nor on the web's port
		record(1_700_000, listed, 443, local, 6000, 500),          // an answer to the program itself
		{UnixUS: 1_800_000, Packet: trace.Packet{FrameBytes: 60}}, // not IP
		record(2_999_999, listed, 443, local, 5000, 400),
		record(3_000_000, listed, 443, local, 5000, 7), // after
	}}
	h, err := openHosts(filepath.Join(t.TempDir(), serversName), []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	own := func(a netip.AddrPort) bool { return a == netip.AddrPortFrom(local, 6000) }
	tr, rep, unlisted := p.trace([]netip.Prefix{netip.PrefixFrom(local, 32)}, h, own)
	if want := "@1000000 0 >10/38/52 proto=17 flow=0, 500000 <200/228/242 proto=17 flow=0, 1999999 <400/428/442 proto=17 flow=0"; tr.String() != want {
		t.Errorf("%s\nwant %s", tr, want)
	}
	if len(unlisted) != 1 || unlisted[other] != 3000 || rep.Records != 3 {
		t.Errorf("unlisted %v, %+v", unlisted, rep)
	}
	total, line := suggest(tr, unlisted)
	if want := "3000 bytes on the web's port passed to and from addresses on no list, most with 198.51.100.1 (3000 bytes); add those that are the service's to servers.txt"; total != 3000 || line != want {
		t.Errorf("%d %q", total, line)
	}
	if total, line := suggest(tr, map[netip.Addr]int64{other: 6}); total != 6 || line != "" { // 6 of 610 bytes are within the share
		t.Errorf("%d %q", total, line)
	}
	for _, c := range []struct {
		name   string
		set    func(p *playing)
		status string
	}{
		{"whole", func(*playing) {}, statusOK},
		{"lost packets", func(p *playing) { p.drops = 1 }, statusDrops},
		{"another song in the end", func(p *playing) { p.other = true }, statusOther},
		{"stalled", func(p *playing) { p.duration, p.position = time.Minute, 50*time.Second }, statusStalled},
		{"a late start is no stall", func(p *playing) { p.duration, p.position = time.Minute, 57*time.Second }, statusOK},
	} {
		q := &playing{duration: 2 * time.Second, position: 2 * time.Second, received: 77}
		c.set(q)
		if got := q.health(tr); got.Status != c.status || got.Seen != 600 || got.Expected != 77 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if got := (&playing{}).health(&trace.Trace{}); got.Status != statusEmpty {
		t.Errorf("nothing: %+v", got)
	}
}

// TestHosts: the list is the operator's, and what is added does not touch what is there.
func TestHosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), serversName)
	text := "# mine\n203.0.113.0/24 # the edge\n2001:db8::1"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := openHosts(path, []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25")})
	if err != nil {
		t.Fatal(err)
	}
	addrs := []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("::ffff:192.0.2.4"), netip.MustParseAddr("2001:db8::1")}
	for range 2 {
		if err := h.add(slices.Clone(addrs)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if want := text + "\n198.51.100.0/25\n192.0.2.4\n192.0.2.9\n"; err != nil || string(b) != want {
		t.Errorf("%q, want %q; %v", b, want, err)
	}
	for a, want := range map[string]bool{"203.0.113.200": true, "198.51.100.127": true, "198.51.100.128": false, "192.0.2.4": true, "192.0.2.5": false, "2001:db8::1": true} {
		if h.has(netip.MustParseAddr(a)) != want {
			t.Errorf("%s: %v", a, !want)
		}
	}
	os.WriteFile(path, []byte("not an address\n"), 0o644)
	if _, err := openHosts(path, nil); err == nil || !strings.Contains(err.Error(), `line 1: "not an address" is no address; give one`) {
		t.Error(err)
	}
}
