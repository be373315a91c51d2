package lab

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"earshot/data/capture"
	"earshot/data/dataset"
	"earshot/data/trace"
)

func testTrace(n int64) *trace.Trace {
	tr := &trace.Trace{Start: playedUS}
	for i := range n {
		tr.Packets = append(tr.Packets, trace.Packet{Time: i * 1000, Direction: trace.Down, Protocol: 17, Flow: -1, PayloadBytes: 1000, IPBytes: 1028, FrameBytes: 1042})
	}
	return tr
}

// addCapture stores a capture of n packets that began at a time in seconds.
func addCapture(t *testing.T, s *store, i *item, n, at int64) {
	t.Helper()
	h := health{Expected: 900 * n, Seen: 1000 * n, Attempts: 1, Status: statusOK}
	events := []truth{{At: 0, From: "page", Event: "play"}, {At: 5, From: "server", Event: "response", Bytes: 900 * n}}
	if err := s.add(dataset.Capture{Source: i.source(), Labels: i.labels("song", 0)}, testTrace(n), capture.Report{Link: "ethernet", FirstUS: at * 1e6, LastUS: (at + 60) * 1e6}, h, events); err != nil {
		t.Fatal(err)
	}
}

// TestStoreResume kills a recording between the files beside the data set and the data set itself.
func TestStoreResume(t *testing.T) {
	o := testOptions(2, 1)
	o.Out = filepath.Join(t.TempDir(), "ds")
	o.Works[0].Credit = dataset.Work{"song": o.Works[0].Name, "license": "CC0-1.0"}
	o.Ads = []Work{{Name: "jingle", Credit: dataset.Work{"song": "jingle", "license": "GPL-2.0-or-later"}}}
	all := plan(o)
	s, done, err := openStore(o)
	if err != nil || len(done) != 0 {
		t.Fatal(done, err)
	}
	set, err := dataset.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if want := []dataset.Work{o.Works[0].Credit, o.Ads[0].Credit}; !reflect.DeepEqual(set.Manifest.Works, want) {
		t.Errorf("works %v, want %v", set.Manifest.Works, want)
	}
	addCapture(t, s, &all[0][0], 10, 1000)
	if err := s.fail(health{Expected: 7, Attempts: 3, Status: statusShort}); err != nil {
		t.Fatal(err)
	}
	addCapture(t, s, &all[0][1], 11, 1000+3659)
	if _, _, err := openStore(o); err == nil {
		t.Error("two recorders have one data set")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	// A capture that was not committed left its rows, the last one cut.
	extend := func(name, more string) {
		f, err := os.OpenFile(filepath.Join(o.Out, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.WriteString(more)
	}
	extend(healthName, "2,1,1,0,1,ok\n-1,5,6,0,3,fai")
	extend(truthName, `{"capture_id":2,"t_us":0,"from":"page","event":"play"}`+"\n"+`{"capture_id":0,"t_`)
	o.Captures, o.Parallel = 5, 7 // may change
	s, done, err = openStore(o)
	if err != nil {
		t.Fatal(err)
	}
	if !done[all[0][0].source()] || !done[all[0][1].source()] || len(done) != 2 {
		t.Errorf("done: %v", done)
	}
	addCapture(t, s, &all[1][0], 12, 4659+60+3600)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	want := "capture_id,expected_bytes,seen_bytes,drops,attempts,status\n0,9000,10000,0,1,ok\n-1,7,0,0,3,short\n1,9900,11000,0,1,ok\n2,10800,12000,0,1,ok\n"
	if got, _ := os.ReadFile(filepath.Join(o.Out, healthName)); string(got) != want {
		t.Errorf("%s:\n%s", healthName, got)
	}
	got, _ := os.ReadFile(filepath.Join(o.Out, truthName))
	if lines := strings.Split(string(got), "\n"); len(lines) != 7 || lines[4] != `{"capture_id":2,"t_us":0,"from":"page","event":"play"}` {
		t.Errorf("%s:\n%s", truthName, got)
	}
	set, err = dataset.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Captures) != 3 || set.Captures[2].BytesDown != 12000 || set.Captures[1].Labels["song"] != all[0][1].work.Name || set.Manifest.Clients[0] != clientAddr+"/32" {
		t.Errorf("captures %+v", set.Captures)
	}
	for n, want := range []string{"0", "0", "1"} { // an hour less a second after the first, then a whole one
		if got := set.Captures[n].Labels["session"]; got != want {
			t.Errorf("capture %d: session %s, want %s", n, got, want)
		}
	}
	o.Seed, o.Networks = 77, Networks[2:3]
	if _, _, err := openStore(o); err == nil || !strings.Contains(err.Error(), "networks, seed differ") {
		t.Errorf("other settings: %v", err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	w, err := dataset.Create(foreign, dataset.Manifest{Axes: []string{"song"}})
	if err == nil {
		err = w.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	o.Out = foreign
	if _, _, err := openStore(o); err == nil || !strings.Contains(err.Error(), "was not recorded") {
		t.Errorf("somebody else's data set: %v", err)
	}
}
