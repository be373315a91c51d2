package dataset

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"earshot/data/trace"
)

// TestCompact copies a set with everything in it, reads the copy from memory as a program would read one of its own, and looks for what
// must be the same and what must be gone.
func TestCompact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "full")
	w, err := Create(dir, Manifest{Name: "full", License: "CC0-1.0", Axes: []string{"song"}, Clients: []string{"10.0.0.2/32"}, Works: []Work{{"song": "song1", "title": "One, Two"}}})
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
	health := "capture_id,expected_bytes,seen_bytes,drops,attempts,status\n0,100,110,0,1,ok\n1,100,120,0,3,stalled\n-1,0,0,7,2,failed\n4,100,130,2,1,ok\n"
	for name, text := range map[string]string{
		"health.csv":  health + "5,100,100,0,1,ok\n", // of a capture that is being recorded
		"record.json": "{}\n", "README.md": "# Full\n", "truth.jsonl": "{}\n", "servers.txt": "192.0.2.1\n",
		"problems.csv": "source,packet,error\nlost.pcap,0,nothing in it\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
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
	var names []string
	if err := fs.WalkDir(os.DirFS(out), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(out, path))
		files[path], size = &fstest.MapFile{Data: b}, size+int64(len(b))
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"README.md", "captures-000000.parquet", "dataset.json", "flows-000000.parquet", "health.csv", "packets-000000.parquet", "problems.csv", "record.json"}; !slices.Equal(names, want) {
		t.Errorf("the copy holds %q, want %q", names, want)
	}
	if got := string(files["health.csv"].Data); got != "capture_id,expected_bytes,seen_bytes,drops,attempts,status\n-1,0,0,7,2,failed\n0,100,110,0,1,ok\n1,100,120,0,3,stalled\n4,100,130,2,1,ok\n" {
		t.Errorf("health.csv: %s", got)
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
	if small.Captures[4].Excluded != Duplicate || small.Manifest.License != "CC0-1.0" || small.Manifest.Clients[0] != "10.0.0.2/32" || len(small.Manifest.Works) != 1 || small.Manifest.Works[0]["title"] != "One, Two" {
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
	i, err := small.Info()
	if err != nil {
		t.Fatal(err)
	}
	want := Health{Captures: map[string]int{"ok": 2, "stalled": 1}, GivenUp: map[string]int{"failed": 1}, Attempts: 5, Drops: 2, Expected: 300, Seen: 360}
	if !reflect.DeepEqual(*i.Health, want) || i.License != "CC0-1.0" || i.Sources[len(i.Sources)-1].Error != "nothing in it" {
		t.Errorf("health %+v, want %+v; license %s, sources %+v", *i.Health, want, i.License, i.Sources)
	}
	if card, err := small.Card(); err != nil || card != "# Full\n" {
		t.Errorf("card %q, %v", card, err)
	}
	files["health.csv"].Data = []byte(health[:len(health)-len("1,ok\n")] + "one,ok\n")
	if _, err := small.Info(); err == nil || !strings.Contains(err.Error(), `small: health.csv: line 5: attempts "one" is no whole number`) {
		t.Errorf("a damaged health.csv: %v", err)
	}
	files["dataset.json"].Data[0] = 'x'
	if _, err := OpenFS(files, "small"); err == nil {
		t.Error("a damaged manifest was read")
	}
}
