package binning

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"earshot/data/trace"
)

const us = time.Microsecond

// small is 5 steps of 10 us.
func small(f func(c *Config)) Config {
	c := Default()
	c.Step, c.Duration = 10*us, 50*us
	if f != nil {
		f(&c)
	}
	return c
}

func TestBin(t *testing.T) {
	floor := func(c *Config) { c.Assign = Floor }
	even := func(c *Config) { c.Ties = TiesEven }
	clamp := func(c *Config) { c.Edge = Clamp }
	up := func(c *Config) { c.Direction = Up }
	both := func(c *Config) { c.Direction = Both }
	channels := func(ch ...Channel) func(c *Config) { return func(c *Config) { c.Channels = ch } }
	for _, tc := range []struct {
		name  string
		trace string
		set   func(c *Config)
		want  []float32
		Touched
	}{
		{"empty", "", nil, []float32{0, 0, 0, 0, 0}, Touched{}},
		{"first packet is step 0", "0 <7", nil, []float32{7, 0, 0, 0, 0}, Touched{}},
		{"sums", "0 <1, 4 <2, 10 <4, 11 <8", nil, []float32{3, 12, 0, 0, 0}, Touched{}},
		{"nearest: 14 is step 1, 16 step 2", "0 <1, 14 <2, 16 <4", nil, []float32{1, 2, 4, 0, 0}, Touched{}},
		{"step 0 is half as wide", "0 <1, 4 <2, 6 <4", nil, []float32{3, 4, 0, 0, 0}, Touched{}},
		{"ties go up", "0 <1, 5 <2, 15 <4, 25 <8", nil, []float32{1, 2, 4, 8, 0}, Touched{Ties: 3}},
		{"ties go to even", "0 <1, 5 <2, 15 <4, 25 <8, 35 <16", even, []float32{3, 0, 12, 0, 16}, Touched{Ties: 4}},
		{"edge drops", "0 <1, 44 <2, 46 <4, 49 <8", nil, []float32{1, 0, 0, 0, 2}, Touched{Edge: 2}},
		{"edge clamps", "0 <1, 44 <2, 46 <4, 49 <8", clamp, []float32{1, 0, 0, 0, 14}, Touched{Edge: 2}},
		{"at the end and later is cut, unseen by the edge rule", "0 <1, 50 <2, 51 <4, 5000 <8", clamp, []float32{1, 0, 0, 0, 0}, Touched{}},
		{"tie at the edge goes up and out", "0 <1, 45 <2", nil, []float32{1, 0, 0, 0, 0}, Touched{Ties: 1, Edge: 1}},
		{"tie at the edge stays at even 4", "0 <1, 45 <2", even, []float32{1, 0, 0, 0, 2}, Touched{Ties: 1}},
		{"floor", "0 <1, 9 <2, 10 <4, 15 <8, 49 <16, 50 <32", floor, []float32{3, 12, 0, 0, 16}, Touched{}},
		{"time 0 is the first packet down", "0 >9, 7 <1, 17 <2", nil, []float32{1, 2, 0, 0, 0}, Touched{}},
		{"a packet without payload is first, too", "0 >9, 7 <0, 17 <2", nil, []float32{0, 2, 0, 0, 0}, Touched{}},
		{"up", "0 <9, 7 >1, 17 >2", up, []float32{1, 2, 0, 0, 0}, Touched{}},
		{"both, and unknown", "0 ?1, 10 <2, 20 >4", both, []float32{1, 2, 4, 0, 0}, Touched{}},
		{"unknown is neither up nor down", "0 ?1, 10 <2, 20 ?4", nil, []float32{2, 0, 0, 0, 0}, Touched{}},
		{"a channel with a direction: time 0 is the first of either", "0 >9, 10 <1, 20 <2", channels(BytesDown), []float32{0, 1, 2, 0, 0}, Touched{}},
		{"... for plain channels beside it, too", "0 >9, 10 <1, 20 <2", channels(Bytes, BytesUp), []float32{0, 1, 2, 0, 0, 9, 0, 0, 0, 0}, Touched{}},
		{"... but not one of unknown direction", "0 ?9, 10 <1, 20 <2", channels(BytesDown), []float32{1, 2, 0, 0, 0}, Touched{}},
		{"counts", "0 <7, 1 <0, 10 <7, 10 >7", channels(Packets), []float32{2, 1, 0, 0, 0}, Touched{}},
		{"counts of either direction", "0 <7, 1 <0, 10 <7, 10 >7", channels(PacketsUp, PacketsDown), []float32{0, 1, 0, 0, 0, 2, 1, 0, 0, 0}, Touched{}},
		{"only packets of a channel are touched", "0 <1, 5 >2, 45 >2", nil, []float32{1, 0, 0, 0, 0}, Touched{}},
		{"out of order: a step is met again", "0 <1, 10 <2, 1 <4, 11 <8", nil, []float32{5, 10, 0, 0, 0}, Touched{}},
		{"a clock that ran backwards", "8 <1, 7 <2, 0 <4", nil, []float32{3, 0, 0, 0, 0}, Touched{}},
		{"IP size", "0 <1/2/3, 10 <4/5/6", func(c *Config) { c.Size = trace.IP }, []float32{2, 5, 0, 0, 0}, Touched{}},
		{"frame size", "0 <1/2/3, 10 <4/5/6", func(c *Config) { c.Size = trace.Frame }, []float32{3, 6, 0, 0, 0}, Touched{}},
		{"odd step: no ties", "0 <1, 1 <2, 2 <4, 4 <8, 5 <16", func(c *Config) { c.Step, c.Duration = 3*us, 9*us }, []float32{3, 12, 16}, Touched{}},
		{"step of 1 us", "0 <1, 1 <2, 2 <4", func(c *Config) { c.Step, c.Duration = us, 2*us }, []float32{1, 2}, Touched{}},
		{"one step", "0 <1, 24 <2, 26 <4", func(c *Config) { c.Step = 50 * us }, []float32{3}, Touched{Edge: 1}},
		{"sums beyond 2^24 are rounded once", "0 <16777217, 1 <1, 2 <1", nil, []float32{16777219 + 1, 0, 0, 0, 0}, Touched{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := slices.Repeat([]float32{99}, len(tc.want)) // Bin must zero it
			touched, err := Bin(small(tc.set), trace.MustParse(tc.trace), got)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tc.want) || touched != tc.Touched {
				t.Errorf("%s\n got %v %+v\nwant %v %+v", tc.trace, got, touched, tc.want, tc.Touched)
			}
		})
	}
}

// TestBinBrute compares with the formulas of the rules, written down packet by packet and bin by bin.
func TestBinBrute(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := []Channel{Bytes, Packets, BytesUp, BytesDown, PacketsUp, PacketsDown}
	for range 3000 {
		step := int64(1 + r.IntN(12))
		steps := int64(1 + r.IntN(9))
		c := Config{
			Step: time.Duration(step) * us, Duration: time.Duration(step*steps) * us,
			Direction: Select(r.IntN(3)), Size: trace.Size(r.IntN(3)), Assign: Assign(r.IntN(2)), Ties: Ties(r.IntN(2)), Edge: Edge(r.IntN(2)),
		}
		for _, i := range r.Perm(len(all))[:1+r.IntN(len(all))] {
			c.Channels = append(c.Channels, all[i])
		}
		tr := &trace.Trace{}
		at := int64(r.IntN(20))
		for range r.IntN(40) {
			at += int64(r.IntN(8)) - 1
			tr.Packets = append(tr.Packets, trace.Packet{
				Time: at, Direction: trace.Direction(r.IntN(3)), PayloadBytes: int32(r.IntN(2000)), IPBytes: int32(r.IntN(2000)), FrameBytes: int32(r.IntN(2000)),
			})
		}
		want, touched := brute(c, tr, step, steps)
		got := make([]float32, len(want))
		gotTouched, err := Bin(c, tr, got)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) || gotTouched != touched {
			t.Fatalf("%+v\n%s\n got %v %+v\nwant %v %+v", c, tr, got, gotTouched, want, touched)
		}
	}
}

func brute(c Config, tr *trace.Trace, step, steps int64) (x []float32, touched Touched) {
	in := func(ch Channel, d trace.Direction) bool {
		switch ch {
		case BytesUp, PacketsUp:
			return d == trace.Up
		case BytesDown, PacketsDown:
			return d == trace.Down
		}
		return c.Direction == Both || c.Direction == Up && d == trace.Up || c.Direction == Down && d == trace.Down
	}
	named := slices.ContainsFunc(c.Channels, func(ch Channel) bool { return ch != Bytes && ch != Packets })
	remains := func(d trace.Direction) bool {
		return named && d != trace.Unknown || slices.ContainsFunc(c.Channels, func(ch Channel) bool { return in(ch, d) })
	}
	first := int64(-1)
	for _, p := range tr.Packets {
		if remains(p.Direction) {
			first = p.Time
			break
		}
	}
	x = make([]float32, int64(len(c.Channels))*steps)
	for _, p := range tr.Packets {
		counted := slices.ContainsFunc(c.Channels, func(ch Channel) bool { return in(ch, p.Direction) })
		rel := p.Time - first
		if !counted || rel >= step*steps {
			continue
		}
		// Twice all times, so that half a step is whole. Each step is tried.
		at, tie := int64(-1), false
		for k := int64(-10); k <= steps; k++ {
			lo, hi := 2*k*step, 2*(k+1)*step
			if c.Assign == Nearest {
				lo, hi = lo-step, hi-step
				if 2*rel == lo {
					tie = true
					if c.Ties == TiesEven && k%2 != 0 {
						continue
					}
				}
				if 2*rel == hi && c.Ties == TiesEven && k%2 == 0 {
					at = k
				}
			}
			if lo <= 2*rel && 2*rel < hi {
				at = k
			}
		}
		if tie {
			touched.Ties++
		}
		if at == steps {
			touched.Edge++
			if c.Edge == Clamp {
				at--
			}
		}
		if at < 0 || at >= steps {
			continue
		}
		for i, ch := range c.Channels {
			if in(ch, p.Direction) {
				v := float32(1)
				if ch == Bytes || ch == BytesUp || ch == BytesDown {
					v = float32(p.Bytes(c.Size))
				}
				x[int64(i)*steps+at] += v
			}
		}
	}
	return x, touched
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		step, duration time.Duration
		want           int
		err            string
	}{
		{time.Second, time.Minute, 60, ""},
		{time.Millisecond, time.Minute, 60000, ""},
		{7 * time.Second, time.Minute, 0, "binning: step 7s does not divide the duration 1m0s; take a step that does, such as 6s"},
		{0, time.Minute, 0, "binning: step 0s: must be a positive whole number of microseconds"},
		{1500 * time.Nanosecond, time.Minute, 0, "binning: step 1.5µs: must be a positive whole number of microseconds"},
		{time.Second, -time.Minute, 0, "binning: duration -1m0s: must be a positive whole number of microseconds"},
		{2 * time.Minute, time.Minute, 0, "binning: step 2m0s does not divide the duration 1m0s; take a step that does, such as 1m0s"},
	} {
		got, err := Config{Step: tc.step, Duration: tc.duration}.Steps()
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tc.want || text != tc.err {
			t.Errorf("%v in %v: %d, %q; want %d, %q", tc.step, tc.duration, got, text, tc.want, tc.err)
		}
	}
	if _, err := Bin(Default(), &trace.Trace{}, make([]float32, 599)); err == nil {
		t.Error("599 values for 600 steps are no error")
	}
	if _, err := Bin(Config{Step: us, Duration: us}, &trace.Trace{}, nil); err == nil {
		t.Error("no channel is no error")
	}
}

func TestOrder(t *testing.T) {
	c := Default()
	tr := trace.MustParse("0 <5, 1 >6, 2 <0, 900000000 <7, 900000001 <8")
	got := slices.Repeat([]float32{99}, 3)
	Order(c, tr, got)
	if want := []float32{5, 0, 7}; !slices.Equal(got, want) {
		t.Errorf("down: %v, want %v", got, want)
	}
	c.Direction, c.Channels = Both, []Channel{Bytes, PacketsUp}
	got = make([]float32, 12)
	Order(c, tr, got)
	if want := []float32{5, 6, 0, 7, 8, 0, 1, 0, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("both: %v, want %v", got, want)
	}
}

func TestNames(t *testing.T) {
	for i, n := range channelNames {
		if c, err := ParseChannel(n); err != nil || c != Channel(i) || c.String() != n {
			t.Errorf("%s: %v, %v", n, c, err)
		}
	}
	if got, err := ParseChannels("bytes_up, packets"); err != nil || !reflect.DeepEqual(got, []Channel{BytesUp, Packets}) {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "byte", "bytes,bytes", "bytes,"} {
		if _, err := ParseChannels(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := ParseTies("odd"); err == nil || err.Error() != `binning: rule for ties "odd" is unknown; it is one of up, even` {
		t.Error(err)
	}
	if s := Channel(9).String(); s != "unknown(9)" {
		t.Error(s)
	}
}

func TestTensor(t *testing.T) {
	x := &Tensor{
		X: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, N: 3, C: 2, T: 2, Y: []int{0, 1, 0}, Classes: []string{"a", "b"},
		CaptureID: []int64{4, 5, 7}, Source: []string{"x", "y", "z"}, Touched: []Touched{{1, 0}, {2, 0}, {3, 0}},
	}
	s := x.Subset([]int{2, 0})
	if !slices.Equal(s.X, []float32{9, 10, 11, 12, 1, 2, 3, 4}) || !slices.Equal(s.CaptureID, []int64{7, 4}) || !slices.Equal(s.Y, []int{0, 0}) || s.Touched[0].Ties != 3 {
		t.Errorf("%+v", s)
	}
	d := x.Dense()
	if !reflect.DeepEqual([]int(d.Shape()), []int{3, 2, 2}) {
		t.Error(d.Shape())
	}
	if v, err := d.At(1, 0, 1); err != nil || v != float32(6) {
		t.Error(v, err)
	}
}

// BenchmarkBin bins a minute of 100,000 packets; one packet counts as a byte, so that MB/s are millions of packets per second.
func BenchmarkBin(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	tr := &trace.Trace{}
	for i := range 100000 {
		tr.Packets = append(tr.Packets, trace.Packet{Time: int64(i)*600 + int64(r.IntN(600)), Direction: trace.Direction(1 + r.IntN(2)), PayloadBytes: 1448})
	}
	for _, step := range []time.Duration{time.Second, 10 * time.Millisecond, time.Millisecond} {
		for _, ch := range [][]Channel{{Bytes}, {BytesUp, BytesDown, PacketsUp, PacketsDown}} {
			b.Run(fmt.Sprintf("step=%v/C=%d", step, len(ch)), func(b *testing.B) {
				c := Default()
				c.Step, c.Channels = step, ch
				steps, _ := c.Steps()
				dst := make([]float32, steps*len(ch))
				b.SetBytes(int64(len(tr.Packets)))
				for b.Loop() {
					if _, err := Bin(c, tr, dst); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
