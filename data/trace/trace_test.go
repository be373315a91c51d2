package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       *Trace
	}{
		{"empty", " ", &Trace{}},
		{"start only", "@1600000000000000", &Trace{Start: 1600000000000000}},
		{"two packets", "0 <1448, 12 >60", &Trace{Packets: []Packet{
			{Direction: Down, Flow: -1, PayloadBytes: 1448, IPBytes: 1448, FrameBytes: 1448},
			{Time: 12, Direction: Up, Flow: -1, PayloadBytes: 60, IPBytes: 60, FrameBytes: 60}}}},
		{"lines, three sizes, clock back", "@5\n0 ?0/40/54\n-3 >1/2/3\n", &Trace{Start: 5, Packets: []Packet{
			{Flow: -1, IPBytes: 40, FrameBytes: 54},
			{Time: -3, Direction: Up, Flow: -1, PayloadBytes: 1, IPBytes: 2, FrameBytes: 3}}}},
		{"extras", "7 >0/60/74 proto=6 flow=1 flags=SA seq=1 ack=2 win=3 mss=1460 ws=7 sackok sack=2 ts=8:9", &Trace{
			Packets: []Packet{{Time: 7, Direction: Up, Protocol: 6, Flow: 1, IPBytes: 60, FrameBytes: 74, TCPFlags: SYN | ACK, TCPSeq: 1,
				TCPAck: 2, TCPWindow: 3, MSS: 1460, WindowScale: 7, SACKPermit: true, SACKBlocks: 2, TSVal: 8, TSEcr: 9}},
			Flows: []Flow{{Protocol: 6}, {Protocol: 6}}}},
		{"no window scale", "0 >0 proto=6", &Trace{Packets: []Packet{{Direction: Up, Protocol: 6, Flow: -1, WindowScale: -1}}}},
	} {
		got, err := Parse(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: Parse(%q) = %+v, %v; want %+v", c.name, c.text, got, err, c.want)
		}
		if again, err := Parse(Format(got)); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: %q reads back as %+v, %v", c.name, Format(got), again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"@x":                       "start",
		"0":                        "packet 1",
		"0 <1, 1.5 >2":             "packet 2",
		"0 1448":                   "direction",
		"0 >":                      "number of bytes",
		"0 >-1":                    "number of bytes",
		"0 >3000000000":            "number of bytes",
		"0 >1/2":                   "PAYLOAD/IP/FRAME",
		"0 >1 flags=X":             "flag",
		"0 >1 win=65536":           "16 bits",
		"0 >1 color=3":             "no field",
		"0 >1 ts=1:":               "32 bits",
		"0 >1 flow=1000000":        "below",
		"9223372036854775808 >1":   "time",
		"0 >1 ws=128":              "ws",
		"0 >1 proto=6 flow=-1":     "31 bits",
		"0 >1 sack=256, 0 >1 seq=": "8 bits",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "@1 0 <1448, 12 >60", "0 ?1/2/3 proto=6 flow=0 flags=FSRPAUECN ts=1:2 ws=-1", "0 >1\n\n,2 <3", "@-5,0 >1 sackok"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			return
		}
		b, err := Parse(Format(a))
		if err != nil || !reflect.DeepEqual(a.Packets, b.Packets) || a.Start != b.Start {
			t.Errorf("%q became %q: %v", s, Format(a), err)
		}
	})
}

func TestBytesAndFilter(t *testing.T) {
	tr := MustParse("0 >10/20/30, 1 <5/6/7, 2 ?1/1/1, 3 <5/6/7")
	if up, down, unknown := tr.Bytes(IP); up != 20 || down != 12 || unknown != 1 {
		t.Errorf("IP bytes %d up, %d down, %d unknown", up, down, unknown)
	}
	down := tr.Filter(func(p *Packet) bool { return p.Direction == Down })
	if got := down.String(); got != "1 <5/6/7, 3 <5/6/7" {
		t.Errorf("down = %q", got)
	}
	if tr.Duration() != 3 || down.Duration() != 2 || (&Trace{}).Duration() != 0 {
		t.Error("durations")
	}
	if !MustParse("0 >0/40/54").Empty() || !(&Trace{}).Empty() || tr.Empty() {
		t.Error("empties")
	}
}

func TestDigest(t *testing.T) {
	base := MustParse("@9 5 >10, 7 <20")
	same := MustParse("@1 0 >10/11/12 proto=17 flow=0, 2 <20")
	if base.Digest() != same.Digest() {
		t.Error("clock, headers and flows must not change the digest")
	}
	// By hand: 0 us, up, 10 bytes; 2 us, down, 20 bytes; little-endian.
	sum := sha256.Sum256([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 20, 0, 0, 0})
	if want := hex.EncodeToString(sum[:]); base.Digest() != want {
		t.Errorf("digest %s, want %s", base.Digest(), want)
	}
	for _, other := range []string{"0 >10, 3 <20", "0 >10, 2 >20", "0 >10, 2 <21", "0 >10", ""} {
		if MustParse(other).Digest() == base.Digest() {
			t.Errorf("%q has the digest of %v", other, base)
		}
	}
	if MustParse("0 >10, 999 >20").Signature() != base.Signature() || MustParse("0 >10, 2 <21").Signature() == base.Signature() {
		t.Error("the signature is of sizes alone")
	}
	long := &Trace{Packets: make([]Packet, 1000)}
	cut := &Trace{Packets: make([]Packet, 100)}
	if long.Signature() != cut.Signature() || long.Digest() == cut.Digest() {
		t.Error("the signature is of the first 100 packets, the digest of all")
	}
}
