package capture

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestPcapVariants(t *testing.T) {
	pkt := ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100)))
	micro, nano := uint64(1700000000123456), uint64(1700000000123456789)
	for _, c := range []struct {
		name  string
		o     order
		magic uint32
		ticks uint64
	}{
		{"microseconds, little", le, magicMicro, micro}, {"microseconds, big", be, magicMicro, micro},
		{"nanoseconds, little", le, magicNano, nano}, {"nanoseconds, big", be, magicNano, nano},
		{"modified", le, magicModified, micro},
	} {
		// A snapshot length below the records', as dpkt and others write it, must not matter.
		for _, snap := range []uint32{0, 64, 262144, 1 << 31} {
			got, problem := readAll(t, pcapBytes(c.o, c.magic, snap, linkEthernet, item{c.ticks, pkt, 0}, item{c.ticks, pkt, 60}))
			if problem != nil || len(got) != 2 {
				t.Fatalf("%s, snap %d: %d packets, %v", c.name, snap, len(got), problem)
			}
			for i, p := range got { // the second is cut after its IP header: nothing but the captured bytes may differ
				if p.UnixUS != int64(micro) || p.FrameBytes != 142 || p.IPBytes != 128 || p.PayloadBytes != 100 || p.Dst.Port() != 443 {
					t.Errorf("%s, snap %d, packet %d: %+v", c.name, snap, i+1, p)
				}
			}
		}
	}
}

// TestCuts cuts a file at every byte: all packets before the place, then a problem with the packet's number.
func TestCuts(t *testing.T) {
	items := traffic(3, 1)
	for name, parts := range map[string][][]byte{
		"pcap": {pcapBytes(le, magicMicro, 65535, linkEthernet), pcapBytes(le, magicMicro, 0, 1, items[0])[24:],
			pcapBytes(le, magicMicro, 0, 1, items[1])[24:], pcapBytes(le, magicMicro, 0, 1, items[2])[24:]},
		"pcapng": {join(section(be), interfaceBlock(be, linkEthernet, 0)), enhanced(be, 0, items[0]), enhanced(be, 0, items[1]), enhanced(be, 0, items[2])},
	} {
		file := join(parts...)
		whole, boundary := -1, 0 // packets that end at or before n; the last such end
		for n := range len(file) + 1 {
			clean := false
			if whole < 3 && n == boundary+len(parts[whole+1]) {
				whole, boundary, clean = whole+1, n, true
			}
			if whole < 0 { // inside the file's header
				if r, err := NewReader(bytes.NewReader(file[:n]), "x"); err == nil && (name == "pcap" || n < len(section(be))) {
					t.Errorf("%s: a header cut at %d opens as %q", name, n, r.Link())
				}
				continue
			}
			got, problem := readAll(t, file[:n])
			if len(got) != whole || (problem == nil) != clean {
				t.Fatalf("%s cut at %d of %d: %d packets, want %d; problem %v", name, n, len(file), len(got), whole, problem)
			}
			if problem != nil && (problem.Packet != int64(whole+1) || !strings.Contains(problem.Error(), "test: packet")) {
				t.Fatalf("%s cut at %d: problem %v", name, n, problem)
			}
		}
	}
}

func TestDamagedRecord(t *testing.T) {
	items := traffic(2, 1)
	file := pcapBytes(le, magicMicro, 65535, linkEthernet, items...)
	second := 24 + 16 + len(items[0].data)
	le.PutUint32(file[second+8:], 1<<31)
	got, problem := readAll(t, file)
	if len(got) != 1 || problem == nil || problem.Packet != 2 || !strings.Contains(problem.Error(), "2147483648") {
		t.Errorf("%d packets, problem %v", len(got), problem)
	}
	if allocs := testing.AllocsPerRun(10, func() {
		r, _ := NewReader(bytes.NewReader(file), "x")
		var p Record
		for r.Next(&p) == nil {
		}
		r.Close()
	}); allocs > 40 {
		t.Errorf("%v allocations for a hostile length", allocs)
	}
}

// compressed packs b as kind says: gz, zst, or plain.
func compressed(t *testing.T, kind string, b []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch kind {
	case "gz":
		w = gzip.NewWriter(&out)
	case "zst":
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	default:
		return b
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCompressed: the content decides, whatever the name says, and a cut compressed stream is a cut capture.
func TestCompressed(t *testing.T) {
	items := traffic(4000, 2)
	plain := pcapBytes(le, magicMicro, 65535, linkEthernet, items...)
	for _, kind := range []string{"plain", "gz", "zst"} {
		b := compressed(t, kind, plain)
		path := filepath.Join(t.TempDir(), "x.txt")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if ok, err := IsCapture(path); !ok || err != nil {
			t.Errorf("%s: IsCapture = %v, %v", kind, ok, err)
		}
		_, rep, err := ReadTrace(path, Rule{})
		if err != nil || rep.Err != nil || rep.Records != 4000 || rep.Link != "ethernet" {
			t.Errorf("%s: %+v, %v", kind, rep, err)
		}
		got, problem := readAll(t, b[:len(b)*2/3])
		if problem == nil || len(got) == 0 && kind != "zst" || len(got) >= 4000 {
			t.Errorf("%s cut: %d packets, %v", kind, len(got), problem)
		}
	}
}

// TestConstantMemory: a capture of 400,000 packets costs no more than the window and a few kilobytes.
func TestConstantMemory(t *testing.T) {
	items := traffic(4000, 4)
	head := pcapBytes(le, magicMicro, 0, linkEthernet)
	body := pcapBytes(le, magicMicro, 0, linkEthernet, items...)[len(head):]
	parts := []io.Reader{bytes.NewReader(head)}
	for range 100 {
		parts = append(parts, bytes.NewReader(body))
	}
	r, err := NewReader(io.MultiReader(parts...), "long")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := NewAssembler(Rule{})
	var p Record
	var before, after runtime.MemStats
	for n := 0; ; n++ {
		if n == len(items) { // every flow is known
			runtime.ReadMemStats(&before)
		}
		if err := r.Next(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		a.Add(&p)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; a.Report.Records != 400000 || grown > 64<<10 {
		t.Errorf("%d bytes allocated for %d packets", grown, a.Report.Records)
	}
}

func TestNotCaptures(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "short": "\xd4\xc3", "text": "time,size,direction\n0,1,1\n",
		"gz of text": string(compressed(t, "gz", []byte("hello world"))), "bad gz": "\x1f\x8b\x08\x00", "bad zst": "\x28\xb5\x2f\xfd\xff\xff"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if ok, err := IsCapture(path); ok || err != nil {
			t.Errorf("%s: IsCapture = %v, %v", name, ok, err)
		}
		if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), "capture: "+path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for range 8 { // what failed to open has given its buffers back, each once
		if w := newWindow(nil); len(w.buf) != windowBytes {
			t.Fatalf("a buffer of %d bytes", len(w.buf))
		}
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "absent")); err == nil {
		t.Error("an absent file opens")
	}
	if ok, err := IsCapture(dir); ok || err != nil {
		t.Errorf("IsCapture of a folder: %v, %v", ok, err)
	}
}

// TestClaims: a length on the wire that no packet has is told, by packet, and not counted; what follows is read.
func TestClaims(t *testing.T) {
	plain := ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100))) // 14 + 128 bytes
	offload := append([]byte{}, plain...)
	be.PutUint16(offload[16:], 0) // the card was to fill in the IP length
	lying := append([]byte{}, plain...)
	be.PutUint16(lying[16:], 40000)
	for _, c := range []struct {
		name                   string
		data                   []byte
		cut                    int
		wire                   uint32
		damaged                bool
		frame, ip, payloadSize int32
	}{
		{"true", plain, 60, 142, false, 142, 128, 100},
		{"the longest that Linux joins", plain, 0, 8 * 65536, false, 8 * 65536, 128, 100},
		{"the limit", plain, 0, maxWire, false, maxWire, 128, 100},
		{"above", plain, 0, maxWire + 1, true, 142, 128, 100},
		{"4 GB", plain, 0, 1<<32 - 1, true, 142, 128, 100},
		{"4 GB, cut", plain, 60, 1<<32 - 1, true, 82, 68, 40},
		{"4 GB, offload", offload, 0, 1<<32 - 1, true, 142, 128, 100},
		{"4 GB, the IP header lies too", lying, 0, 1<<32 - 1, true, 142, 128, 100},
	} {
		it := item{1, c.data, c.cut}
		pcap := pcapBytes(le, magicMicro, 0, linkEthernet, it, item{2, plain, 0})
		le.PutUint32(pcap[24+12:], c.wire)
		first := enhanced(be, 0, it)
		be.PutUint32(first[24:], c.wire)
		for format, file := range map[string][]byte{"pcap": pcap, "pcapng": join(section(be), interfaceBlock(be, linkEthernet, 0), first, enhanced(be, 0, item{2, plain, 0}))} {
			got, problem := readAll(t, file)
			if problem != nil || len(got) != 2 || got[1].Damage != nil || got[1].FrameBytes != 142 {
				t.Fatalf("%s, %s: %d packets, %v", c.name, format, len(got), problem)
			}
			p := got[0]
			if (p.Damage != nil) != c.damaged || p.FrameBytes != c.frame || p.IPBytes != c.ip || p.PayloadBytes != c.payloadSize {
				t.Errorf("%s, %s: %v, %d frame, %d IP, %d payload", c.name, format, p.Damage, p.FrameBytes, p.IPBytes, p.PayloadBytes)
			}
			if p.Damage != nil && (p.Damage.Packet != 1 || !strings.Contains(p.Damage.Error(), "test: packet 1: the record claims")) {
				t.Errorf("%s, %s: %v", c.name, format, p.Damage)
			}
		}
	}
}

// TestManyClaims: notes do not grow with the file.
func TestManyClaims(t *testing.T) {
	items := traffic(3*MaxNotes, 1)
	file := pcapBytes(le, magicMicro, 0, linkEthernet, items...)
	at := 24
	for _, it := range items {
		le.PutUint32(file[at+12:], 1<<31)
		at += 16 + len(it.data)
	}
	r, err := NewReader(bytes.NewReader(file), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tr, rep, err := Assemble(r, Rule{})
	if err != nil || rep.Err != nil || len(tr.Packets) != 3*MaxNotes || rep.Damaged != 3*MaxNotes || len(rep.Notes) != MaxNotes {
		t.Errorf("%d packets, %d damaged, %d notes, %v, %v", len(tr.Packets), rep.Damaged, len(rep.Notes), rep.Err, err)
	}
}
