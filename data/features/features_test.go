package features

import (
	"encoding/json"
	"math"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"earshot/data/trace"
)

// formulaTrace is the trace of testdata/gen_numpy.py.
func formulaTrace() *trace.Trace {
	t := &trace.Trace{Start: 1_600_000_000_000_000, Flows: []trace.Flow{{
		Client: netip.MustParseAddrPort("10.0.0.1:1"), Server: netip.MustParseAddrPort("10.0.0.2:2"), Protocol: 6}}}
	now := int64(0)
	for i := range int64(400) {
		switch gap := i * i * 37 % 5003 * 7; i {
		case 0:
		case 50, 200:
			now += 6_000_000
		case 100, 300:
			now += 1_500_000
		default:
			now += gap
		}
		p := trace.Packet{Time: now, Protocol: 6, Direction: trace.Down, TCPFlags: trace.ACK, TCPWindow: uint16(1000 + i), WindowScale: -1}
		if (i*i*31+i)%7 < 3 {
			p.Direction = trace.Up
		}
		if i%5 != 0 {
			p.PayloadBytes = int32(i * i * 7919 % 1461)
		}
		if i%3 == 0 {
			p.TCPFlags |= trace.PSH
		}
		if i == 0 {
			p.TCPFlags |= trace.SYN
		}
		if i%50 == 7 {
			p.TCPFlags |= trace.URG
		}
		p.IPBytes = p.PayloadBytes + 40 + 12*int32(i%2)
		p.FrameBytes = p.IPBytes + 14
		t.Packets = append(t.Packets, p)
	}
	return t
}

// one is a source of a single capture.
func one(t *trace.Trace) Source { return several(t) }

// several numbers captures from 0 on.
func several(ts ...*trace.Trace) Source {
	return func(f func(Item, *trace.Trace) error) error {
		for i, t := range ts {
			if err := f(Item{ID: int64(i), Source: "test"}, t); err != nil {
				return err
			}
		}
		return nil
	}
}

func extract(t testing.TB, sets string, o Options, from Source) *Matrix {
	t.Helper()
	x, err := New(sets, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := x.Extract(from)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// settingsOf reads "k=v,k=v".
func settingsOf(s string) map[string]string {
	set := map[string]string{}
	for kv := range strings.SplitSeq(s, ",") {
		if k, v, ok := strings.Cut(kv, "="); ok {
			set[k] = v
		}
	}
	return set
}

// TestNumPy: every column equals what NumPy and pandas compute, to the rounding of sums in another order.
func TestNumPy(t *testing.T) {
	b, err := os.ReadFile("testdata/numpy.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Sets map[string]map[string]float64 }
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for name, want := range golden.Sets {
		set, rules, _ := strings.Cut(name, " ")
		m := extract(t, set, Options{Size: trace.IP, Set: settingsOf(rules)}, one(formulaTrace()))
		if m.F != len(want) {
			t.Errorf("%s: %d columns, NumPy's table has %d", name, m.F, len(want))
		}
		for i, f := range m.Fields {
			w, ok := want[f.Name]
			if !ok {
				t.Errorf("%s: %s is not in NumPy's table", name, f.Name)
			} else if math.Abs(m.X[i]-w) > 1e-9*max(1, math.Abs(w)) {
				t.Errorf("%s: %s: %v, NumPy has %v", name, f.Name, m.X[i], w)
			}
		}
	}
}

// TestDocumentation: every column of every set has a name of its own, a unit, a formula and a paper, and a row fills it.
func TestDocumentation(t *testing.T) {
	for _, s := range All {
		seen := map[string]bool{}
		fields := s.Fields()
		for _, f := range fields {
			if f.Set != s.Name || f.Name == "" || f.Unit == "" || f.Formula == "" || f.Paper == "" || seen[f.Name] {
				t.Errorf("%s: column %+v", s.Name, f)
			}
			seen[f.Name] = true
		}
		m := extract(t, s.Name, Options{}, one(formulaTrace()))
		if m.N != 1 || m.F != len(fields) || !slices.Equal(m.Names(), (&Matrix{Fields: fields}).Names()) {
			t.Errorf("%s: %d rows, %d columns, documented are %d", s.Name, m.N, m.F, len(fields))
		}
	}
}

func TestCounts(t *testing.T) {
	for name, n := range map[string]int{"tcptrace": 70, "tcptrace22": 22, "histogram": 30, "combined": 52, "nfstream": 57, "tam": 3600} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Fields()); got != n {
			t.Errorf("%s has %d columns, want %d", name, got, n)
		}
	}
}

// TestSizesForgetCounts: twice the packets give the same histogram of sizes.
func TestSizesForgetCounts(t *testing.T) {
	a := formulaTrace()
	b := formulaTrace()
	b.Packets = nil
	for _, p := range a.Packets {
		b.Packets = append(b.Packets, p, p)
	}
	m := extract(t, "histogram", Options{}, several(a, b))
	for i := range 15 {
		if math.Abs(m.Row(0)[i]-m.Row(1)[i]) > 1e-12 {
			t.Errorf("%s: %v and %v", m.Fields[i].Name, m.Row(0)[i], m.Row(1)[i])
		}
	}
}

// TestEdges: edges=train looks at training captures only and counts what lies outside in the end bins.
func TestEdges(t *testing.T) {
	capture := func(sizes ...int32) *trace.Trace {
		tr := &trace.Trace{}
		for i, n := range sizes {
			tr.Packets = append(tr.Packets, trace.Packet{Time: int64(i) * 1000, Direction: trace.Down, PayloadBytes: n})
		}
		return tr
	}
	from := several(capture(100, 200, 300), capture(0, 150, 1000, 1000))
	for _, c := range []struct {
		edges string
		want  []float64 // shares of sizes of the second capture in two bins
	}{{"train", []float64{.5, .5}}, {"dataset", []float64{.5, .5}}} {
		x, err := New("histogram", Options{Set: map[string]string{"bins": "2", "edges": c.edges}})
		if err != nil {
			t.Fatal(err)
		}
		x.Train([]int64{0})
		m, err := x.Extract(from)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Row(1)[:2]; !slices.Equal(got, c.want) {
			t.Errorf("edges=%s: %v, want %v", c.edges, got, c.want)
		}
		// The first capture tells the two apart: 100..300 is cut at 200, 0..1000 at 500.
		if got, want := m.Row(0)[0], map[string]float64{"train": 1. / 3, "dataset": 1}[c.edges]; got != want {
			t.Errorf("edges=%s: first bin of the training capture %v, want %v", c.edges, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ sets, set, want string }{
		{"tcptraces", "", `no set "tcptraces"; choose of tcptrace, tcptrace22`},
		{"histogram", "bins=0", "setting bins=0; it takes a whole number from 1"},
		{"histogram", "acks=maybe", "acks=maybe; it takes yes or no"},
		{"histogram", "merge=sum", `no setting "merge"; there are acks, bins, direction, edges`},
		{"tam", "duration=-1s", "duration=-1s; it takes a duration"},
		{"tcptrace,tcptrace22", "", "two sets have the column total_packets_down"},
	} {
		_, err := New(c.sets, Options{Set: settingsOf(c.set)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.sets, c.set, err, c.want)
		}
	}
	if _, err := ParsePer("flow"); err == nil {
		t.Error("per flow was accepted")
	}
}

// TestNothing: a capture without packets has a row of zeros or of what does not exist, and no connections.
func TestNothing(t *testing.T) {
	for _, s := range All {
		m := extract(t, s.Name, Options{}, one(&trace.Trace{}))
		for i, v := range m.X {
			if v != 0 && !math.IsNaN(v) {
				t.Errorf("%s: %s is %v", s.Name, m.Fields[i].Name, v)
			}
		}
		if m := extract(t, s.Name, Options{Per: PerConnection}, one(&trace.Trace{})); m.N != 0 {
			t.Errorf("%s: %d connections", s.Name, m.N)
		}
	}
}

// TestFlows: a silence and a long life end a flow; rows come in the order of first packets.
func TestFlows(t *testing.T) {
	tr := &trace.Trace{Flows: make([]trace.Flow, 2)}
	for _, p := range []struct {
		s    int64
		flow int32
	}{{0, 0}, {1, 1}, {2, 0}, {13, 0}, {14, 1}, {20, 0}, {29, 0}, {38, 0}} {
		tr.Packets = append(tr.Packets, trace.Packet{Time: p.s * 1e6, Flow: p.flow, Protocol: 17, IPBytes: 28, Direction: trace.Up})
	}
	m := extract(t, "totals", Options{Per: PerConnection, Set: settingsOf("idle=10s,active=20s")}, one(tr))
	var got []float64
	for i := range m.N {
		got = append(got, m.Row(i)[0])
	}
	if want := []float64{2, 1, 3, 1, 1}; !slices.Equal(got, want) || !slices.Equal(m.Number, []int{1, 2, 3, 4, 5}) {
		t.Errorf("packets of the flows: %v, numbers %v; want %v", got, m.Number, want)
	}
}
