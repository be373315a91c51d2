package synth

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"earshot/data/trace"
)

// answerOf reads the five numbers of an answer from its packets, in the order of the model, each over its mean.
func answerOf(t *trace.Trace) [5]float64 {
	seen := map[uint32]bool{}
	bytes, packets := 0, 0
	window := uint16(0)
	first, last, silence := int64(-1), int64(0), int64(0)
	for _, p := range t.Packets {
		if p.Direction != trace.Down || p.PayloadBytes == 0 {
			continue
		}
		window = p.TCPWindow
		if first < 0 {
			first = p.Time
		} else {
			silence = max(silence, p.Time-last)
		}
		last = p.Time
		if !seen[p.TCPSeq] {
			seen[p.TCPSeq] = true
			bytes += int(p.PayloadBytes)
			packets++
		}
	}
	return [5]float64{float64(bytes) / answerBytes, float64(window) / answerWindow, float64(packets) / answerPackets,
		float64(last-first) / 1e6 / answerTime, float64(silence) / 1e6 / answerSilence}
}

// The best rule, applied to the packets themselves, has the accuracy that the knob states, within four standard deviations of
// the binomial.
func TestRequestsBayes(t *testing.T) {
	per := 800
	if testing.Short() {
		per = 200
	}
	for _, c := range []struct {
		classes int
		bayes   float64
	}{{6, 1. / 6}, {6, 0.5}, {6, 0.95}, {6, 1}, {3, 0.8}, {2, 0.9}} {
		r := StudyRequests()
		r.Classes, r.Bayes, r.PerClass, r.Seed = c.classes, c.bayes, per, 7
		offset, _ := r.Model()
		right, n := 0, 0
		err := r.Generate(func(class, _ int, tr *trace.Trace) error {
			s := answerOf(tr)
			best, at := math.Inf(1), 0
			for k := range offset {
				sum := 0.0
				for i, m := range offset[k] {
					sum += (s[i] - 1 - m) * (s[i] - 1 - m)
				}
				if sum < best {
					best, at = sum, k
				}
			}
			if at == class {
				right++
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, sd := float64(right)/float64(n), math.Sqrt(c.bayes*(1-c.bayes)/float64(n))
		if math.Abs(got-c.bayes) > 4*sd+0.001 {
			t.Errorf("%d classes, best accuracy %.3f: the best rule reached %.4f of %d", c.classes, c.bayes, got, n)
		}
	}
}

// The numbers of an answer spread as much at every setting of the knob, and the fields are what the model says they are.
func TestRequestsAnswer(t *testing.T) {
	for _, bayes := range []float64{1. / 6, 0.8, 1} {
		r := StudyRequests()
		r.Bayes, r.PerClass = bayes, 100
		var sum, square [5]float64
		n := 0.0
		err := r.Generate(func(_, _ int, tr *trace.Trace) error {
			last := int64(0)
			ups, acks, again := 0, 0, 0
			seen := map[uint32]bool{}
			for _, p := range tr.Packets {
				if p.Time < last || p.IPBytes != p.PayloadBytes+40 || p.PayloadBytes > fullSegment || p.TCPFlags&trace.SYN != 0 {
					t.Fatalf("packet %+v after time %d", p, last)
				}
				last = p.Time
				switch {
				case p.Direction == trace.Up:
					ups++
				case p.PayloadBytes == 0:
					acks++
				case seen[p.TCPSeq]:
					again++
				default:
					seen[p.TCPSeq] = true
				}
			}
			if ups < 20 || acks < 10 || again > 20 {
				t.Errorf("%d packets up, %d bare acknowledgements down, %d sent twice", ups, acks, again)
			}
			for i, v := range answerOf(tr) {
				sum[i], square[i] = sum[i]+v, square[i]+(v-1)*(v-1)
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range sum {
			if m, sd := sum[i]/n, math.Sqrt(square[i]/n); math.Abs(m-1) > 0.02 || math.Abs(sd-answerSpread) > 0.008 {
				t.Errorf("best accuracy %.2f: number %d has mean %.4f and spread %.4f, want 1 and %.2f", bayes, i, m, sd, answerSpread)
			}
		}
	}
}

func TestRequestsRepeatable(t *testing.T) {
	r := StudyRequests()
	r.PerClass = 2
	all := func(r Requests) (out []*trace.Trace) {
		if err := r.Generate(func(_, _ int, tr *trace.Trace) error { out = append(out, tr); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b := all(r), all(r)
	if len(a) != 12 || !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave other captures")
	}
	r.PerClass = 3 // a capture does not depend on how many there are
	if !reflect.DeepEqual(all(r)[:12], a) {
		t.Error("more captures changed the first ones")
	}
	r.Seed++
	if reflect.DeepEqual(all(r)[:12], a) {
		t.Error("another seed gave the same captures")
	}
	if c := r.Command(2, 9); c != "music 001" {
		t.Errorf("command %q", c)
	}
	for _, bad := range []Requests{{Classes: 1, Bayes: 1}, {Classes: 7, Bayes: 1}, {Classes: 3, PerClass: -1, Bayes: 1}, {Classes: 3, Bayes: 0.2}, {Classes: 3, Bayes: 1.1}, {Classes: 3, Bayes: math.NaN()}} {
		if err := bad.Generate(func(int, int, *trace.Trace) error { return nil }); err == nil || !strings.HasPrefix(err.Error(), "synth: requests: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
