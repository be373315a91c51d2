package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"earshot/data/trace"
)

// randomTrace has every field set.
func randomTrace(r *rand.Rand, n int) *trace.Trace {
	t := &trace.Trace{Start: r.Int64N(1 << 50)}
	for i := range 3 {
		t.Flows = append(t.Flows, trace.Flow{
			Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), uint16(r.Uint32())),
			Server: netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), 443), Protocol: 6,
		})
	}
	at := int64(0)
	for range n {
		size := r.Int32N(1449)
		t.Packets = append(t.Packets, trace.Packet{
			Time: at, Direction: trace.Direction(r.IntN(3)), Protocol: uint8(r.Uint32()), Flow: int32(r.IntN(4)) - 1,
			PayloadBytes: size, IPBytes: size + 40, FrameBytes: size + 54,
			TCPFlags: uint16(r.Uint32N(512)), TCPSeq: r.Uint32(), TCPAck: r.Uint32(), TCPWindow: uint16(r.Uint32()), MSS: uint16(r.Uint32()),
			WindowScale: int8(r.IntN(16)) - 1, SACKPermit: r.IntN(2) == 0, SACKBlocks: uint8(r.IntN(4)), TSVal: r.Uint32(), TSEcr: r.Uint32(),
		})
		at += r.Int64N(5000) - 10 // clocks step back now and then
	}
	return t
}

// fill makes a set of captures with n packets each, labelled by turns, and returns their traces.
func fill(t *testing.T, dir string, sizes ...int) []*trace.Trace {
	t.Helper()
	w, err := Create(dir, Manifest{Name: "x", Axes: []string{"song", "day"}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var traces []*trace.Trace
	for i, n := range sizes {
		tr := randomTrace(r, n)
		traces = append(traces, tr)
		c := Capture{Source: fmt.Sprintf("%03d.pcap", i), SourceDigest: fmt.Sprint(i), Labels: map[string]string{"song": string(rune('a' + i%3)), "day": fmt.Sprint(i % 5)}}
		if err := w.Add(c, tr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return traces
}

func equalTrace(t *testing.T, got, want *trace.Trace) {
	t.Helper()
	if got.Start != want.Start || !slices.Equal(got.Packets, want.Packets) || !slices.Equal(got.Flows, want.Flows) {
		t.Fatalf("the trace came back different: %d packets, %d flows, start %d; want %d, %d, %d",
			len(got.Packets), len(got.Flows), got.Start, len(want.Packets), len(want.Flows), want.Start)
	}
}

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	sizes := []int{3, 1, groupRows - 10, 50, 2*groupRows + 7, 0, 100} // captures across, inside and at row groups
	traces := fill(t, dir, sizes...)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []int64{4, 0, 6, 5, 2, 3, 1, 1} {
		got, err := s.Trace(id)
		if err != nil {
			t.Fatal(err)
		}
		equalTrace(t, got, &trace.Trace{Start: traces[id].Start, Packets: traces[id].Packets, Flows: traces[id].Flows})
	}
	var seen []int64
	err = s.Each([]int64{6, 2, 4, 5}, func(c *Capture, tr *trace.Trace) error {
		seen = append(seen, c.ID)
		equalTrace(t, tr, traces[c.ID])
		return nil
	})
	if err != nil || !slices.Equal(seen, []int64{2, 4, 5, 6}) {
		t.Error(seen, err)
	}
	stop := errors.New("stop")
	if err := s.Each([]int64{0, 1, 2, 3, 4, 5, 6}, func(*Capture, *trace.Trace) error { return stop }); err != stop {
		t.Error(err)
	}
	if _, err := s.Trace(7); err == nil || !strings.Contains(err.Error(), "no capture 7; the ids are 0 to 6") {
		t.Error(err)
	}
	for i, c := range s.Captures {
		if c.Digest != traces[i].Digest() || c.NearDigest != traces[i].Signature() {
			t.Errorf("capture %d: digests differ from the trace's", i)
		}
		up, down, unknown := traces[i].Bytes(trace.Payload)
		if c.BytesUp != up || c.BytesDown != down || c.BytesUnknown != unknown || c.Packets != int64(sizes[i]) || (c.Excluded == Empty) != traces[i].Empty() {
			t.Errorf("capture %d: %+v", i, c)
		}
	}
	if n := len(s.Included()); n != 6 {
		t.Errorf("%d included", n)
	}
}

// TestAppend commits twice and finds both.
func TestAppend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	first := fill(t, dir, 10, 20)
	if _, err := Create(dir, Manifest{}); err == nil || !strings.Contains(err.Error(), "a data set already") {
		t.Error(err)
	}
	before, _ := Open(dir)
	w, err := Append(dir)
	if err != nil {
		t.Fatal(err)
	}
	more := randomTrace(rand.New(rand.NewPCG(9, 9)), 30)
	if err := w.Add(Capture{Source: "b", Labels: map[string]string{"song": "a"}}, more); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(Capture{Source: "copy of 0", Labels: map[string]string{"song": "a"}}, first[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(Capture{Source: "c", Labels: map[string]string{"singer": "a"}}, more); err == nil || !strings.Contains(err.Error(), `label axis "singer"`) {
		t.Error(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(Capture{}, more); err == nil {
		t.Error("a closed writer takes captures")
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var excluded []string
	for _, c := range s.Captures {
		excluded = append(excluded, c.Excluded)
	}
	if !slices.Equal(excluded, []string{"", "", "", Duplicate}) || s.Captures[2].Labels["day"] != "" {
		t.Errorf("%q %v", excluded, s.Captures[2].Labels)
	}
	got, err := s.Trace(2)
	if err != nil {
		t.Fatal(err)
	}
	equalTrace(t, got, more)
	if before.Digest() == s.Digest() {
		t.Error("the digest does not see new captures")
	}
	if got, err := before.Trace(1); err != nil {
		t.Error("an open set lost its parts:", err)
	} else {
		equalTrace(t, got, first[1])
	}
}

// TestLeftovers plants what a killed writer leaves: readers ignore it, the next writer removes it.
func TestLeftovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	fill(t, dir, 5)
	for _, n := range []string{".tmp-packets-000001.parquet", ".tmp-dataset.json", "captures-000001.parquet", "packets-000001.parquet", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(dir)
	if err != nil || len(s.Captures) != 1 {
		t.Fatal(err)
	}
	w, err := Append(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"captures-000000.parquet", "dataset.json", "flows-000000.parquet", "notes.txt", "packets-000000.parquet", "problems.csv"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

func TestTwoWriters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	w, err := Create(dir, Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, Manifest{}); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(dir); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	w.Close()
	again, err := Append(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	nothing := filepath.Join(t.TempDir(), "none")
	if w, err = Create(nothing, Manifest{}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := os.Stat(nothing); !os.IsNotExist(err) {
		t.Error("a folder in which nothing was committed stays:", err)
	}
}

// TestDamage changes one byte of each part, and the manifest: told by name, never a panic.
func TestDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	fill(t, dir, 100, 100)
	read := func() error {
		s, err := Open(dir)
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.Trace(0)
		return err
	}
	for _, name := range []string{"captures-000000.parquet", "packets-000000.parquet", "flows-000000.parquet"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(b)
		bad[len(bad)/2] ^= 1
		os.WriteFile(path, bad, 0o644)
		if err := read(); err == nil || !strings.Contains(err.Error(), name+": the checksum differs") {
			t.Error(err)
		}
		os.WriteFile(path, b, 0o644)
	}
	path := filepath.Join(dir, manifestName)
	good, _ := os.ReadFile(path)
	for what, change := range map[string]func(m map[string]any){
		"format 2":           func(m map[string]any) { m["format"] = 2 },
		"is not a file":      func(m map[string]any) { m["parts"].([]any)[0].(map[string]any)["name"] = "../x" },
		"a part is missing":  func(m map[string]any) { m["parts"] = m["parts"].([]any)[:1] },
		"the parts beside":   func(m map[string]any) { m["parts"].([]any)[1].(map[string]any)["rows"] = 7 },
		"cannot unmarshal":   func(m map[string]any) { m["parts"] = "none" },
		"no such file or di": func(m map[string]any) { m["parts"].([]any)[0].(map[string]any)["name"] = "captures-000009.parquet" },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, _ := json.Marshal(m)
		os.WriteFile(path, b, 0o644)
		err := read()
		if what == "a part is missing" && err != nil && strings.Contains(err.Error(), "the parts beside") {
			continue // told by the row counts
		}
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestManifest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	m := Manifest{Name: "n", Origin: "o", License: "l", Authorized: "a", Axes: []string{"song"}, Clients: []string{"10.0.0.0/8"}, Servers: []string{}, Filter: "f", Created: "2026-01-01T00:00:00Z", Works: []Work{{"song": "a", "license": "CC0-1.0"}}}
	w, err := Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	w.Commit()
	w.Close()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Format = Format
	s.Manifest.Parts = nil
	if !reflect.DeepEqual(s.Manifest, m) {
		t.Errorf("%+v", s.Manifest)
	}
	for _, axes := range [][]string{{""}, {"a,b"}, {"a", "a"}, {"a b"}, {"\""}} {
		if _, err := Create(filepath.Join(dir, "x"), Manifest{Axes: axes}); err == nil {
			t.Errorf("axes %q are taken", axes)
		}
	}
}
