package synth

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"earshot/data/trace"
)

func TestSimplexAccuracy(t *testing.T) {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for _, d := range []float64{0, 0.3, 1, 2.5, 6} { // two classes have a closed form
		if got, want := SimplexAccuracy(2, d), phi(d/math.Sqrt2); math.Abs(got-want) > 1e-13 {
			t.Errorf("2 classes, d = %g: %.15f, want %.15f", d, got, want)
		}
	}
	for k := 2; k <= 6; k++ {
		if got := SimplexAccuracy(k, 0); math.Abs(got-1/float64(k)) > 1e-13 {
			t.Errorf("%d classes, d = 0: %.15f", k, got)
		}
		for _, b := range []float64{0.6, 0.8, 0.95, 0.999} {
			if got := SimplexAccuracy(k, SimplexDistance(k, b)); math.Abs(got-b) > 1e-12 {
				t.Errorf("%d classes: distance for %g gives %.15f", k, b, got)
			}
		}
	}
	if SimplexDistance(3, 1.0/3) > 1e-9 || !math.IsInf(SimplexDistance(3, 1), 1) {
		t.Error("the ends of the knob are not guessing and certainty")
	}
}

// The best rule, applied to the packets themselves, has the accuracy that the knob states: over 5,000 captures and more, the
// binomial's standard deviation is below 0.7 points, and four of them are allowed.
func TestSongsBayes(t *testing.T) {
	per := 2500
	if testing.Short() {
		per = 500
	}
	for _, c := range []struct {
		classes int
		bayes   float64
	}{{3, 1.0 / 3}, {3, 0.6}, {3, 0.8}, {3, 0.95}, {3, 1}, {6, 0.7}, {2, 0.9}} {
		s := StudySongs()
		s.Classes, s.Bayes, s.PerClass, s.Seed = c.classes, c.bayes, per, 7
		mean, _ := s.Model()
		right, n := 0, 0
		err := s.Generate(func(class, _ int, tr *trace.Trace) error {
			got := segmentSums(tr, s.Segments())
			best, at := math.Inf(1), 0
			for k := range mean {
				sum := 0.0
				for j, v := range got {
					sum += (v - mean[k][j]) * (v - mean[k][j])
				}
				if sum < best {
					best, at = sum, k
				}
			}
			n++
			if at == class {
				right++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		acc := float64(right) / float64(n)
		if tol := 4*math.Sqrt(c.bayes*(1-c.bayes)/float64(n)) + 1e-9; math.Abs(acc-c.bayes) > tol {
			t.Errorf("%d songs at %.3f: the best rule is right on %.4f, allowed ±%.4f", c.classes, c.bayes, acc, tol)
		}
	}
}

func segmentSums(tr *trace.Trace, segments int) []float64 {
	out := make([]float64, segments)
	for i := range tr.Packets {
		if p := &tr.Packets[i]; p.Direction == trace.Down {
			out[(p.Time+2_000_000)/10_000_000] += float64(p.PayloadBytes)
		}
	}
	return out
}

func TestSongsTraffic(t *testing.T) {
	s := StudySongs()
	bursts, down, packets := 0.0, 0.0, 0
	smallest, largest := int32(math.MaxInt32), int32(0)
	starts := map[int64]bool{}
	err := s.Generate(func(class, rep int, tr *trace.Trace) error {
		if tr.Packets[0].Time != 0 || starts[tr.Start] {
			t.Errorf("song %d, capture %d: starts at %d µs, Unix %d", class, rep, tr.Packets[0].Time, tr.Start)
		}
		starts[tr.Start] = true
		last := int64(0)
		for _, p := range tr.Packets {
			if p.Time < last {
				t.Fatalf("song %d, capture %d: time goes back from %d to %d µs", class, rep, last, p.Time)
			}
			last = p.Time
			packets++
			if p.Direction == trace.Down {
				down += float64(p.PayloadBytes)
				smallest, largest = min(smallest, p.PayloadBytes), max(largest, p.PayloadBytes)
			}
		}
		if last > 51_000_000 {
			t.Errorf("song %d, capture %d ends at %d µs", class, rep, last)
		}
		bursts += float64(s.Segments())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if per := down / bursts; math.Abs(per-segmentBytes) > 0.02*segmentBytes {
		t.Errorf("a burst carries %.0f bytes on average, want about %d", per, segmentBytes)
	}
	if smallest < minUnit || smallest > 100 || largest > maxUnit || largest < 22_000 {
		t.Errorf("receive units of %d to %d bytes, want %d to %d", smallest, largest, minUnit, maxUnit)
	}
	if n := len(starts); n != 111 {
		t.Errorf("%d captures, want 111", n)
	}
	t.Logf("%d packets in 111 captures", packets)
}

// The totals of the songs are equal on average, so that a control that sees only totals cannot tell them apart.
func TestSongsTotals(t *testing.T) {
	s := StudySongs()
	mean, sigma := s.Model()
	for k, m := range mean {
		sum, spread := 0.0, 0.0
		for _, v := range m {
			sum += v
			spread += (v - segmentBytes) * (v - segmentBytes) / float64(len(m))
		}
		if math.Abs(sum-6*segmentBytes) > 1e-6 {
			t.Errorf("song %d: %.3f bytes in all, want %d", k, sum, 6*segmentBytes)
		}
		if total := math.Sqrt(spread+sigma*sigma) / segmentBytes; math.Abs(total-segmentSpread) > 1e-9 {
			t.Errorf("song %d: segments spread by %.4f, want %g", k, total, segmentSpread)
		}
	}
}

func TestSongsRepeat(t *testing.T) {
	all := func(s Songs) (out []*trace.Trace) {
		if err := s.Generate(func(_, _ int, tr *trace.Trace) error { out = append(out, tr); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	s := StudySongs()
	s.PerClass = 2
	a := all(s)
	if !reflect.DeepEqual(a, all(s)) {
		t.Error("the same seed gives other captures")
	}
	more := s
	more.PerClass = 3
	if !reflect.DeepEqual(a, all(more)[:6]) {
		t.Error("more captures change the first ones")
	}
	s.Seed++
	if reflect.DeepEqual(a[0], all(s)[0]) {
		t.Error("another seed gives the same capture")
	}
}

func TestSongsErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Songs)
		want   string
	}{
		"too many songs": {func(s *Songs) { s.Classes = 7 }, "use at least 1m10s"},
		"one song":       {func(s *Songs) { s.Classes = 1 }, "at least 2"},
		"below guessing": {func(s *Songs) { s.Bayes = 0.2 }, "0.333"},
		"above one":      {func(s *Songs) { s.Bayes = 1.1 }, "0.333"},
		"jitter":         {func(s *Songs) { s.Jitter = time.Second }, "stay apart"},
	} {
		s := StudySongs()
		c.change(&s)
		if err := s.Generate(nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}
