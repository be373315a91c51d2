package lab

import (
	"math"
	"testing"
	"time"
)

// stream sends packets of a size at a rate for a time and returns when they came out.
func stream(s *shaper, bytes int, every, length time.Duration) (out []time.Duration, lost int) {
	for at := time.Duration(0); at < length; at += every {
		if leaves, ok := s.enter(at, bytes); ok {
			out = append(out, leaves)
		} else {
			lost++
		}
	}
	return out, lost
}

func TestShaperRate(t *testing.T) {
	// 1250 bytes each millisecond are 10 Mbit/s, onto a line of 4: the line is full all the time and the queue cuts.
	s := newShaper(Lane{Rate: 4e6, Queue: 20000, Delay: 30 * time.Millisecond}, 1)
	out, lost := stream(s, 1250, time.Millisecond, 10*time.Second)
	carried := float64(len(out)*1250*8) / 10
	if math.Abs(carried-4e6) > 0.01*4e6 {
		t.Errorf("carried %.0f bit/s, want 4e6", carried)
	}
	if len(out)+lost != 10000 {
		t.Errorf("%d out, %d lost", len(out), lost)
	}
	if first := 30*time.Millisecond + 2500*time.Microsecond; out[0] != first {
		t.Errorf("the first packet came out at %v, want %v: 1250 bytes at 4 Mbit/s and the delay", out[0], first)
	}
	for i := 1; i < len(out); i++ {
		if gap := out[i] - out[i-1]; gap < 2500*time.Microsecond {
			t.Fatalf("packets %v apart on a line that takes 2.5 ms for one", gap)
		}
	}
	// A full queue of 20000 bytes takes 40 ms: no packet waits longer.
	if wait := out[len(out)-1] - 10*time.Second; wait > 75*time.Millisecond {
		t.Errorf("the last packet waited %v", wait)
	}
}

func TestShaperDelay(t *testing.T) {
	s := newShaper(Lane{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.1}, 7)
	sum, squares, n, last := 0.0, 0.0, 0, time.Duration(0)
	lost := 0
	for i := range 20000 {
		now := time.Duration(i) * 100 * time.Millisecond // far apart: keeping the order changes nothing
		at, ok := s.enter(now, 100)
		if !ok {
			lost++
			continue
		}
		if at < last {
			t.Fatal("the order changed")
		}
		last = at
		ms := float64(at-now) / 1e6
		sum, squares, n = sum+ms, squares+ms*ms, n+1
	}
	mean := sum / float64(n)
	sd := math.Sqrt(squares/float64(n) - mean*mean)
	if math.Abs(mean-20) > 0.2 || math.Abs(sd-5) > 0.2 || math.Abs(float64(lost)/20000-0.1) > 0.01 {
		t.Errorf("delay %.2f ± %.2f ms, %d of 20000 lost; want 20 ± 5 and a tenth", mean, sd, lost)
	}
}

func TestShaperLog(t *testing.T) {
	// A second at 8 Mbit/s, a second of nothing, a second at 1 Mbit/s.
	log := []Phase{{time.Second, 8e6}, {time.Second, 0}, {time.Second, 1e6}}
	s := newShaper(Lane{Queue: 1 << 30, Log: log}, 1)
	s.offset = 0
	for _, step := range []struct {
		bytes int
		want  time.Duration
	}{
		{500_000, 500 * time.Millisecond},                          // half of the first second
		{500_000, time.Second},                                     // the other half
		{125_000, 3 * time.Second},                                 // waits, then takes the whole third second
		{1_000_000 + 62_500, 5*time.Second + 500*time.Millisecond}, // the first second again, and half of the third
	} {
		got, ok := s.enter(0, step.bytes)
		if !ok || (got-step.want).Abs() > time.Microsecond {
			t.Errorf("%d bytes: out at %v, want %v", step.bytes, got, step.want)
		}
	}
	a, b := newShaper(Lane{Log: log}, 1), newShaper(Lane{Log: log}, 2)
	if a.offset == b.offset || a.offset != newShaper(Lane{Log: log}, 1).offset {
		t.Error("the seed decides where the log begins")
	}
}

// TestShaperCross probes how long a line is busy with other people's packets: as large a share of the time as of the rate.
func TestShaperCross(t *testing.T) {
	s := newShaper(Lane{Rate: 10e6, Queue: 1 << 20, Cross: 4e6}, 3)
	busy, n := 0, 0
	for now := time.Duration(0); now < 400*time.Second; now += 997 * time.Microsecond {
		leaves, ok := s.enter(now, 1)
		if !ok {
			t.Fatal("a probe was lost on a queue with room")
		}
		if leaves-now > time.Microsecond { // more than its own 8 bits
			busy++
		}
		n++
	}
	if share := float64(busy) / float64(n); math.Abs(share-0.4) > 0.04 {
		t.Errorf("busy %.3f of the time with cross traffic of 4 on 10 Mbit/s, want 0.4", share)
	}
}

func TestShaperSeed(t *testing.T) {
	run := func(seed uint64) []time.Duration {
		s := newShaper(Lane{Rate: 5e6, Queue: 30000, Delay: time.Millisecond, Jitter: time.Millisecond, Loss: 0.01, Cross: 1e6}, seed)
		s.start(time.Hour)
		var out []time.Duration
		for i := range 1000 {
			at, ok := s.enter(time.Hour+time.Duration(i)*time.Millisecond, 600)
			if !ok {
				at = -1
			}
			out = append(out, at)
		}
		return out
	}
	a, b, c := run(1), run(1), run(2)
	same := true
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("packet %d: %v and %v with the same seed", i, a[i], b[i])
		}
		same = same && a[i] == c[i]
	}
	if same {
		t.Error("another seed did the same")
	}
}
