package experiments

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/dataset"
	"earshot/data/synth"
	"earshot/data/trace"
)

var update = flag.Bool("update", false, "rewrite testdata/audit.json")

// recording is a capture of a test.
type recording struct {
	source, class, session string
	start                  int64
	trace                  *trace.Trace
}

// recordings makes n captures of k classes, one of each in turn, 70 s apart, in sessions of ten that mean nothing. change
// may be nil.
func recordings(seed uint64, k, n int, change func(i int, r *recording, rng *rand.Rand)) []recording {
	var out []recording
	for i := range n {
		rng := stream("audit test", seed, i)
		c := recording{source: fmt.Sprintf("c%03d", i), class: string(rune('a' + i%k)), session: fmt.Sprint("s", i/10),
			start: 1_700_042_400_000_000 + int64(i)*70_000_000}
		c.trace = dialog(rng, i%k, 120, 1)
		if change != nil {
			change(i, &c, rng)
		}
		out = append(out, c)
	}
	return out
}

// dialog is a TCP connection of n packets over about 20 s whose sizes and gaps are random; the class moves the mean size,
// with spread enough that it cannot be told for sure, and habit stretches the small ones.
func dialog(rng *rand.Rand, class, n int, habit float64) *trace.Trace {
	t := &trace.Trace{Flows: []trace.Flow{{
		Client:   netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), uint16(32768+rng.IntN(28000))),
		Server:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + rng.IntN(4))}), 443),
		Protocol: 6,
	}}}
	clock := int64(0)
	seq := rng.Uint32()
	for i := range n {
		payload := int32(0)
		switch rng.IntN(4) {
		case 0: // acknowledgment
		case 1:
			payload = 1460
		default:
			payload = 20 + int32(habit*(float64(rng.IntN(700))+60*float64(class)*rng.Float64()))
		}
		d := trace.Down
		if rng.IntN(3) == 0 {
			d = trace.Up
		}
		t.Packets = append(t.Packets, trace.Packet{Time: clock, Direction: d, Protocol: 6, PayloadBytes: payload, IPBytes: payload + 40, FrameBytes: payload + 54,
			TCPFlags: trace.ACK, TCPSeq: seq + uint32(i), TCPWindow: uint16(2000 + rng.IntN(100)), WindowScale: -1})
		clock += 200 + rng.Int64N(330_000)
	}
	return t
}

// record stores captures as a data set.
func record(t testing.TB, recs []recording) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	w, err := dataset.Create(dir, dataset.Manifest{Name: "test", Axes: []string{"app", "session"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		r.trace.Start = r.start
		err = w.Add(dataset.Capture{Source: r.source, StartUS: r.start, Labels: map[string]string{"app": r.class, "session": r.session}}, r.trace)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func audited(t testing.TB, s *dataset.Set, split string, o AuditOptions) *AuditResult {
	t.Helper()
	by, err := dataset.ParseSplits(split)
	if err != nil {
		t.Fatal(err)
	}
	r, err := AuditSet(s, "app", nil, by, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// worst is the severity of a kind of finding on an axis, "" when there is none.
func worst(r *AuditResult, kind, axis string) string {
	for _, f := range r.Findings { // severe ones come first
		if f.Kind == kind && f.Axis == axis {
			return f.Severity
		}
	}
	return ""
}

func describe(r *AuditResult) string {
	var s strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&s, "\n%s %s %s: %s", f.Severity, f.Kind, f.Axis, f.Detail)
	}
	return s.String()
}

// Clean data: the generator of the song study and a dialog, 20 seeds each, with sessions that mean nothing.
func TestAuditClean(t *testing.T) {
	warned := 0
	for seed := range uint64(20) {
		g := synth.Songs{Classes: 3, PerClass: 15, Duration: 30 * time.Second, Bayes: 0.95, Seed: seed}
		var songs []recording
		err := g.Generate(func(class, rep int, tr *trace.Trace) error {
			songs = append(songs, recording{fmt.Sprintf("%d_%d", class, rep), g.Name(class), fmt.Sprint("s", rep%5), tr.Start, tr})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range [][]recording{songs, recordings(seed, 4, 80, nil)} {
			r := audited(t, record(t, s), "stratified:1", AuditOptions{Seed: seed})
			for _, f := range r.Findings {
				if f.Severity == SeveritySevere || f.Kind == LeakDuplicate || f.Kind == LeakNearDuplicate {
					t.Errorf("seed %d: %s", seed, describe(r))
				}
				if f.Severity == SeverityWarn {
					warned++
				}
			}
			if worst(r, LeakGroup, "session") == "" {
				t.Errorf("seed %d: sessions on both sides are not mentioned", seed)
			}
		}
	}
	if warned > 3 { // the family's error is 5 %: 2 of 40
		t.Errorf("%d warnings in 40 clean data sets", warned)
	}
}

// The same traffic in another form, in training and test. Which captures are on which side is known: the last fifth.
func TestAuditTwins(t *testing.T) {
	forms := map[string]func(tr *trace.Trace, rng *rand.Rand) *trace.Trace{
		// csv of IP sizes: other clock, no first packet, no headers
		"csv": func(tr *trace.Trace, _ *rand.Rand) *trace.Trace {
			out := sized(tr, trace.IP)
			out.Packets = out.Packets[3:]
			return rebase(out)
		},
		"frames without acknowledgments": func(tr *trace.Trace, _ *rand.Rand) *trace.Trace {
			return rebase(sized(tr.Filter(func(p *trace.Packet) bool { return p.PayloadBytes > 0 }), trace.Frame))
		},
		"part of a longer capture": func(tr *trace.Trace, rng *rand.Rand) *trace.Trace {
			long := dialog(rng, 0, 300, 1)
			shift := long.Packets[len(long.Packets)-1].Time + 5_000_000
			for _, p := range tr.Packets {
				p.Time += shift
				long.Packets = append(long.Packets, p)
			}
			return long
		},
		"one packet in thirty lost, another machine's clock": func(tr *trace.Trace, rng *rand.Rand) *trace.Trace {
			out := tr.Filter(func(*trace.Packet) bool { return rng.IntN(30) > 0 })
			for i := range out.Packets {
				out.Packets[i].Time += rng.Int64N(800)
			}
			return rebase(out)
		},
		"downlink only, no direction": func(tr *trace.Trace, _ *rand.Rand) *trace.Trace {
			out := sized(tr.Filter(func(p *trace.Packet) bool { return p.Direction == trace.Down }), trace.Payload)
			for i := range out.Packets {
				out.Packets[i].Direction = trace.Unknown
			}
			return rebase(out)
		},
	}
	for name, form := range forms {
		for seed := range uint64(5) {
			recs := recordings(seed, 2, 40, nil)
			rng := stream("audit twins", seed)
			twin := recs[5]
			twin.source, twin.trace, twin.start = "twin", form(twin.trace, rng), 0
			s := record(t, append(recs, twin))
			r, err := Audit(s, "app", []string{"a", "b"}, numbers(0, 33), numbers(33, 41), AuditOptions{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			var found []AuditFinding
			for _, f := range r.Findings {
				if f.Kind == LeakDuplicate {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Severity != SeveritySevere || !slices.Equal(found[0].Examples, [][2]string{{"twin", "c005"}}) {
				t.Errorf("%s, seed %d: %s", name, seed, describe(r))
			}
		}
	}
	// Sizes alone, without time: near duplicates. The same in both sides of training: they count twice. An exact copy is
	// marked by the data set; whoever splits it nevertheless is told.
	recs := recordings(1, 2, 40, nil)
	bare, inner, exact := recs[5], recs[6], recs[7]
	bare.source, bare.trace = "bare", sized(bare.trace, trace.IP)
	for i := range bare.trace.Packets {
		bare.trace.Packets[i].Time = 0
	}
	inner.source, inner.trace = "inner", rebase(sized(inner.trace, trace.IP))
	inner.trace.Packets = inner.trace.Packets[1:]
	exact.source = "exact"
	s := record(t, slices.Concat([]recording{inner}, recs, []recording{bare, exact}))
	r := audited(t, s, "stratified:1", AuditOptions{Seed: 1})
	if worst(r, LeakDuplicate, "") == "" || !strings.Contains(describe(r), "1 captures of these classes repeat another one") {
		t.Errorf("marked duplicates: %s", describe(r))
	}
	r, err := Audit(s, "app", []string{"a", "b"}, numbers(0, 35), numbers(35, 43), AuditOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if worst(r, LeakNearDuplicate, "") != SeverityWarn || worst(r, LeakDuplicate, "") != SeveritySevere || !strings.Contains(describe(r), "1 of 8 test captures have the same packets at the same times") ||
		!strings.Contains(describe(r), "info duplicate : 1 pairs of captures on the same side") {
		t.Errorf("three forms: %s", describe(r))
	}
}

// A class that is collected at a time, repeats of one command, and fields beside the traffic: each is found.
func TestAuditPlanted(t *testing.T) {
	for seed := range uint64(5) {
		for _, c := range []struct {
			kind, axis, severity string
			change               func(i int, r *recording, rng *rand.Rand)
		}{
			{LeakTime, "", SeveritySevere, func(i int, r *recording, _ *rand.Rand) { // class after class, a day each
				r.start = 1_700_042_400_000_000 + int64(i%4)*86_400_000_000 + int64(i)*60_000_000
			}},
			{LeakGroup, "session", SeveritySevere, func(i int, r *recording, rng *rand.Rand) { // five repeats of a command look alike
				command := i / 20
				r.session = fmt.Sprint("command ", i%4, " ", command)
				r.trace = dialog(rng, 0, 100+20*((3*command+5*(i%4))%7), 0.4+0.2*float64((2*command+3*(i%4))%5))
			}},
			{LeakLength, "", SeverityWarn, func(i int, r *recording, rng *rand.Rand) {
				r.trace = dialog(rng, i%4, 60+40*(i%4), 1)
			}},
			{LeakAddress, "", SeverityWarn, func(i int, r *recording, _ *rand.Rand) {
				r.trace.Flows[0].Server = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i % 4)}), 443)
			}},
			{LeakPort, "", SeverityWarn, func(i int, r *recording, _ *rand.Rand) {
				r.trace.Flows[0].Server = netip.AddrPortFrom(r.trace.Flows[0].Server.Addr(), uint16(8000+i%4))
			}},
			{LeakSession, "", SeverityWarn, func(i int, r *recording, _ *rand.Rand) {
				for k := range r.trace.Packets {
					r.trace.Packets[k].TCPWindow = uint16(1000 + 500*(i%4))
				}
			}},
		} {
			r := audited(t, record(t, recordings(seed, 4, 100, c.change)), "stratified:1", AuditOptions{Seed: seed})
			if got := worst(r, c.kind, c.axis); got != c.severity {
				t.Errorf("seed %d: planted %s: %q, want %s;%s", seed, c.kind, got, c.severity, describe(r))
			}
			for _, f := range r.Findings { // nothing else
				if f.Severity != SeverityInfo && f.Kind != c.kind && !(c.kind == LeakTime && f.Axis == "UTC day") {
					t.Errorf("seed %d: planted %s:%s", seed, c.kind, describe(r))
				}
			}
		}
	}
}

// What a split holds apart is no leak, and what the data do not have is absent with its reason.
func TestAuditAbsent(t *testing.T) {
	recs := recordings(1, 2, 40, func(_ int, r *recording, _ *rand.Rand) {
		r.start, r.trace = 0, sized(r.trace, trace.IP)
		for i := range r.trace.Packets {
			r.trace.Packets[i].Time = 0
		}
	})
	r := audited(t, record(t, recs), "group=session", AuditOptions{})
	want := map[string]string{"address": "no addresses in any capture", "port": "no ports in any capture", "time": "no clock: it starts at 0 in any capture",
		"length": "no times in any capture", "session": "no TCP header in any capture", "group session": "the split holds it apart"}
	for _, a := range r.Absent {
		if want[a.Name] != a.Reason {
			t.Errorf("%s: %q, want %q", a.Name, a.Reason, want[a.Name])
		}
		delete(want, a.Name)
	}
	if len(want) > 0 || len(r.Probes) != 1 || r.Probes[0].Name != ProbeTotals {
		t.Errorf("not absent: %v; probes %+v", want, r.Probes)
	}
	// An axis with one value for each class, and one that a split leaves alone.
	recs = recordings(1, 2, 40, func(_ int, r *recording, _ *rand.Rand) { r.session = r.class })
	r = audited(t, record(t, recs), "stratified:1", AuditOptions{Fitted: FittedOnTest("histogram,totals", map[string]string{"edges": "dataset"}, "dataset")})
	if i := slices.IndexFunc(r.Absent, func(a AuditAbsent) bool { return a.Name == "group session" }); i < 0 || r.Absent[i].Reason != "it says no more than app: every class has one value" {
		t.Errorf("%+v", r.Absent)
	}
	n := 0
	for _, f := range r.Findings {
		if f.Kind == LeakFitted && f.Severity == SeverityWarn {
			n++
		}
	}
	if n != 2 || FittedOnTest("histogram", nil, "train") != nil {
		t.Errorf("%d statistics fitted on test captures: %s", n, describe(r))
	}
	// Mistakes.
	s := record(t, recs)
	for _, c := range [][2][]int64{{nil, {1}}, {{1}, nil}, {{1, 2}, {2}}, {{1, 1}, {2}}, {{1}, {99}}} {
		if _, err := Audit(s, "app", []string{"a", "b"}, c[0], c[1], AuditOptions{}); err == nil {
			t.Errorf("split %v: no error", c)
		}
	}
	if _, err := Audit(s, "app", []string{"a"}, []int64{0}, []int64{1}, AuditOptions{}); err == nil || !strings.Contains(err.Error(), `app is "b", which is none of the classes`) {
		t.Errorf("a capture of no class: %v", err)
	}
}

// The JSON of an audit, and the same at any number of threads.
func TestAuditGolden(t *testing.T) {
	recs := recordings(3, 2, 120, func(i int, r *recording, _ *rand.Rand) { r.start += int64(i%2) * 86_400_000_000 })
	for i, twin := range recs[5:9] {
		twin.source, twin.trace = fmt.Sprint("twin", i), rebase(sized(twin.trace, trace.IP))
		recs = append(recs, twin)
	}
	s := record(t, recs)
	var got []byte
	for _, threads := range []int{1, 3} {
		b, err := marshal(audited(t, s, "stratified:1", AuditOptions{Seed: 1, Threads: threads}))
		if err != nil {
			t.Fatal(err)
		}
		if got != nil && !bytes.Equal(got, b) {
			t.Error("another number of threads gives another result")
		}
		got = b
	}
	const path = "testdata/audit.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("audit.json differs; it is\n%s", got)
	}
	var r AuditResult
	if err := json.Unmarshal(got, &r); err != nil || len(r.Severe()) < 2 {
		t.Errorf("%v, severe: %s", err, describe(&r))
	}
}

func numbers(from, to int64) (out []int64) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// sized is what a csv of one size holds.
func sized(t *trace.Trace, s trace.Size) *trace.Trace {
	out := &trace.Trace{Start: t.Start}
	for _, p := range t.Packets {
		n := p.Bytes(s)
		out.Packets = append(out.Packets, trace.Packet{Time: p.Time, Direction: p.Direction, Flow: -1, PayloadBytes: n, IPBytes: n, FrameBytes: n, WindowScale: -1})
	}
	return out
}

func rebase(t *trace.Trace) *trace.Trace {
	first := t.Packets[0].Time
	for i := range t.Packets {
		t.Packets[i].Time -= first
	}
	return t
}
