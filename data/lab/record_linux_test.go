package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/capture"
	"earshot/data/dataset"
)

// needLab skips where nothing can be recorded.
func needLab(t *testing.T) tools {
	t.Helper()
	if testing.Short() {
		t.Skip("records for some seconds")
	}
	tools, err := preflight()
	if err != nil {
		t.Skip(err)
	}
	return tools
}

// shortTemp is a folder for temporary files whose path leaves room for the browser's socket.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	return dir
}

// tune makes a song of a given length.
func tune(t *testing.T, tools tools, dir string, seconds, hz int) Work {
	t.Helper()
	w := Work{Name: fmt.Sprint("tune", hz), Path: filepath.Join(dir, fmt.Sprint("tune", hz, ".flac"))}
	source := fmt.Sprintf("anoisesrc=d=%d:c=pink:seed=%d,tremolo=f=0.3,lowpass=f=%d", seconds, hz, hz)
	if err := tools.run(t.Context(), w.Name, "-v", "error", "-f", "lavfi", "-i", source, "-map_metadata", "-1", w.Path); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRecord records one capture of 5 s over HTTP/3, and has tshark, where there is one, look at the same link.
func TestRecord(t *testing.T) {
	tools := needLab(t)
	before := links(t)
	dir := t.TempDir()
	root := shortTemp(t)
	o := Options{
		Scenario: Songs, Works: []Work{tune(t, tools, dir, 30, 4000)}, Captures: 1, Duration: 5 * time.Second,
		Formats: []Format{{"hls", "opus", 160, 4 * time.Second}}, Protocols: []string{"h3"}, Networks: Networks[2:3], Actions: []string{"none"}, Shaper: allQdiscs(t).String(),
		Parallel: 1, Attempts: 5, Seed: 1, Out: filepath.Join(dir, "ds"), Log: func(s string) { t.Log(s) },
	}
	l := &laboratory{o: &o, tools: tools}
	var err error
	if l.scratch, err = newScratch(); err != nil {
		t.Fatal(err)
	}
	if l.store, _, err = openStore(&o); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.measure(t.Context()), l.encode(t.Context())); err != nil {
		t.Fatal(err)
	}
	cert, pin, err := newCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRig(0, cert, allQdiscs(t))
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "tshark.pcapng")
	stop := tshark(t, r, other)
	if err := l.visit(t.Context(), r, pin, plan(&o)[0]); err != nil {
		t.Fatal(err)
	}
	if stop != nil {
		stop()
	}
	for _, done := range []func() error{r.close, l.store.close, l.scratch.close} {
		if err := done(); err != nil {
			t.Error(err)
		}
	}
	if l.report.Captures != 1 || l.report.Failed != 0 {
		t.Fatalf("%+v", l.report)
	}
	set, err := dataset.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	c := set.Captures[0]
	tr, err := set.Trace(0)
	if err != nil {
		t.Fatal(err)
	}
	// The player keeps 30 s in store, all there is, at 160 kbit/s.
	if c.BytesDown < 400_000 || c.BytesDown > 900_000 || c.BytesUnknown > 0 || c.Oversize > 0 || c.DurationUS > 5_000_000 || c.Labels["song"] != "tune4000" {
		t.Errorf("capture %+v", c)
	}
	t.Logf("%d packets, %d bytes down", c.Packets, c.BytesDown)
	for _, f := range tr.Flows {
		if f.Protocol != 17 || f.Client.Addr().String() != clientAddr || f.Server.String() != serverAddr+":443" {
			t.Errorf("flow %+v: want one over UDP from the client to the server", f)
		}
	}
	checkTruth(t, o.Out, c)
	if stop != nil {
		compare(t, set, other)
	}
	rep, err := Record(t.Context(), o) // there is nothing left to do
	if err != nil || rep.Skipped != 1 || rep.Captures != 0 {
		t.Errorf("again: %+v, %v", rep, err)
	}
	o.Captures = 2
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Record(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped: %v", err)
	}
	bad := o
	bad.Works, bad.Out = []Work{{Name: "bad", Path: filepath.Join(dir, "bad.ogg")}}, filepath.Join(dir, "none")
	if err := os.WriteFile(bad.Works[0].Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Record(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "bad.ogg") || dataset.IsSet(bad.Out) {
		t.Errorf("no music: %v, and a data set is there: %v", err, dataset.IsSet(bad.Out))
	}
	if after := links(t); after != before {
		t.Errorf("interfaces %s, were %s", after, before)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left behind in %s: %v", root, left)
	}
}

// tshark captures the client's link until the function that it returns is called; nil where there is no tshark.
func tshark(t *testing.T, r *rig, file string) func() {
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("no tshark to compare with")
		return nil
	}
	c := exec.Command(path, "-i", linkName, "-w", file, "-q")
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		t.Fatal(err)
	}
	r.client.command(c, nsenter)
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(said); s.Scan(); {
		if strings.Contains(s.Text(), "Capturing on") {
			break
		}
	}
	go func() { // whatever else it says
		for s := bufio.NewScanner(said); s.Scan(); {
		}
	}()
	time.Sleep(500 * time.Millisecond) // it says so a moment before it does
	return func() {
		c.Process.Signal(os.Interrupt)
		c.Wait()
	}
}

// compare holds the packets of the last attempt against those of tshark's file in the same stretch of time.
func compare(t *testing.T, set *dataset.Set, file string) {
	tr, err := set.Trace(0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, rep, err := capture.ReadTrace(file, clientRule)
	if err != nil || rep.Err != nil {
		t.Fatal(err, rep.Err)
	}
	type packet struct {
		at                 int64
		direction          string
		payload, ip, frame int32
	}
	list := func(start int64, n int, at func(int) packet) []packet {
		var out []packet
		for i := range n {
			p := at(i)
			if p.at += start; p.at >= tr.Start && p.at <= tr.Start+tr.Duration() {
				out = append(out, p)
			}
		}
		return out
	}
	ours := list(tr.Start, len(tr.Packets), func(i int) packet {
		p := tr.Packets[i]
		return packet{p.Time, fmt.Sprint(p.Direction), p.PayloadBytes, p.IPBytes, p.FrameBytes}
	})
	want := list(theirs.Start, len(theirs.Packets), func(i int) packet {
		p := theirs.Packets[i]
		return packet{p.Time, fmt.Sprint(p.Direction), p.PayloadBytes, p.IPBytes, p.FrameBytes}
	})
	if !slices.Equal(ours, want) {
		t.Errorf("%d packets, tshark has %d", len(ours), len(want))
		for i := range min(len(ours), len(want)) {
			if ours[i] != want[i] {
				t.Fatalf("packet %d: %+v, tshark %+v", i, ours[i], want[i])
			}
		}
	}
	t.Logf("%d packets are tshark's", len(ours))
}

// checkTruth finds the player's events and the server's responses at their times on the packets' clock.
func checkTruth(t *testing.T, dir string, c dataset.Capture) {
	b, err := os.ReadFile(filepath.Join(dir, truthName))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int64{}
	bytes := int64(0)
	for line := range strings.Lines(string(b)) {
		var e truth
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if _, ok := seen[e.Event]; !ok {
			seen[e.Event] = e.At
		}
		bytes += e.Bytes
		if e.Status != 0 && e.Status != 200 || e.Event == "error" {
			t.Errorf("%+v", e)
		}
	}
	// Play comes before the first packet, the first response after it and before the music.
	play, ok1 := seen["play"]
	response, ok2 := seen["response"]
	playing, ok3 := seen["playing"]
	if !ok1 || !ok2 || !ok3 || play > 0 || play < -2_000_000 || response < 0 || playing < response || playing > 5_000_000 {
		t.Errorf("events: %v", seen)
	}
	if bytes > c.BytesDown+1<<20 || bytes < c.BytesDown/2 {
		t.Errorf("%d bytes served, %d seen", bytes, c.BytesDown)
	}
	h, err := os.ReadFile(filepath.Join(dir, healthName))
	if err != nil || !strings.Contains(string(h), "\n0,") || !strings.Contains(string(h), ",ok\n") {
		t.Errorf("health: %s, %v", h, err)
	}
}

// TestKilled kills a recorder in the middle of its work: its interfaces are gone with it, and the next start removes
// its files and the browser's processes.
func TestKilled(t *testing.T) {
	if root := os.Getenv("EARSHOT_LAB_TO_BE_KILLED"); root != "" {
		toBeKilled(t)
		return
	}
	needLab(t)
	before := links(t)
	root := shortTemp(t)
	c := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	c.Env = append(os.Environ(), "EARSHOT_LAB_TO_BE_KILLED="+root)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ready := false
	for s := bufio.NewScanner(out); !ready && s.Scan(); {
		ready = strings.Contains(s.Text(), "at work")
	}
	c.Process.Kill()
	c.Wait()
	if !ready {
		t.Fatal("the recorder did not start")
	}
	if left, _ := filepath.Glob(filepath.Join(root, scratchPrefix+"*")); len(left) != 1 {
		t.Fatalf("folders of the killed recorder: %v", left)
	}
	s, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if after := links(t); after != before {
		t.Errorf("interfaces %s, were %s", after, before)
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		if line, err := os.ReadFile(p); err == nil && strings.Contains(string(line), root) {
			t.Errorf("%s still runs: %.200q", p, line)
		}
	}
}

// toBeKilled is a recorder that never ends.
func toBeKilled(t *testing.T) {
	tools, err := preflight()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	cert, pin, err := newCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRig(0, cert, allQdiscs(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := startBrowser(t.Context(), r.client, tools, "h2", pin, r.profile(s.dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.relay.shape(Networks[0], 1); err != nil {
		t.Fatal(err)
	}
	page, err := b.open(t.Context())
	if err == nil {
		err = page.navigate("/", time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("at work")
	time.Sleep(time.Minute)
}
