package dataset

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"earshot/data/trace"
)

// TestCompact copies a set with everything in it, reads the copy from memory as a program would read one of its own, and looks for what
// must be the same and what must be gone.
func TestCompact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "full")
	w, err := Create(dir, Manifest{Name: "full", License: "CC0-1.0", Axes: []string{"song"}, Clients: []string{"10.0.0.2/32"}})
	if err != nil {
		t.Fatal(err)
	}
	flow := trace.Flow{Client: netip.MustParseAddrPort("10.0.0.2:40000"), Server: netip.MustParseAddrPort("192.0.2.1:443"), Protocol: 6}
	for i := range 5 {
		tr := &trace.Trace{Start: 1_700_000_000_000_000 + int64(i), Flows: []trace.Flow{flow}}
		for k := range int64(3000) {
			p := trace.Packet{Time: k * 7919, Direction: trace.Down, Protocol: 6, PayloadBytes: int32(1448 - (k*int64(i%4))%7), TCPFlags: trace.ACK, TCPSeq: uint32(k * 2654435761), WindowScale: -1, TSVal: uint32(k * k)}
			p.IPBytes, p.FrameBytes = p.PayloadBytes+52, p.PayloadBytes+66
			tr.Packets = append(tr.Packets, p)
		}
		// The fifth has the packets of the first and is marked as a duplicate.
		if err := w.Add(Capture{Source: fmt.Sprint("s", i), Labels: map[string]string{"song": fmt.Sprint("song", i%4)}}, tr); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); err != nil { // five parts, of which the copy makes one
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	full, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "small")
	if err := Export(full, Compact, out); err != nil {
		t.Fatal(err)
	}
	if err := Export(full, Compact, out); err == nil {
		t.Error("a second export wrote over the first")
	}
	files := fstest.MapFS{}
	size := int64(0)
	if err := fs.WalkDir(os.DirFS(out), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(out, path))
		files[path], size = &fstest.MapFile{Data: b}, size+int64(len(b))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if limit := int64(5 * 3000 * 4); size > limit {
		t.Errorf("%d bytes, want fewer than %d", size, limit)
	}
	small, err := OpenFS(files, "small")
	if err != nil {
		t.Fatal(err)
	}
	if full.Digest() != small.Digest() {
		t.Error("the copy has another digest")
	}
	if small.Captures[4].Excluded != Duplicate || small.Manifest.License != "CC0-1.0" || small.Manifest.Clients[0] != "10.0.0.2/32" {
		t.Errorf("mark %q, manifest %+v", small.Captures[4].Excluded, small.Manifest)
	}
	for id := range int64(5) {
		a, err := full.Trace(id)
		if err != nil {
			t.Fatal(err)
		}
		b, err := small.Trace(id)
		if err != nil {
			t.Fatal(err)
		}
		if a.Start != b.Start || len(a.Packets) != len(b.Packets) || len(b.Flows) != 0 || a.Digest() != b.Digest() {
			t.Fatalf("capture %d: %d packets, %d flows", id, len(b.Packets), len(b.Flows))
		}
		for i, p := range b.Packets {
			q := a.Packets[i]
			want := trace.Packet{Time: q.Time, Direction: q.Direction, Protocol: q.Protocol, Flow: -1, PayloadBytes: q.PayloadBytes, IPBytes: q.IPBytes, FrameBytes: q.FrameBytes}
			if p != want {
				t.Fatalf("capture %d, packet %d: %+v, want %+v", id, i, p, want)
			}
		}
	}
	files["dataset.json"].Data[0] = 'x'
	if _, err := OpenFS(files, "small"); err == nil {
		t.Error("a damaged manifest was read")
	}
}
