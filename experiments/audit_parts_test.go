package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"earshot/data/trace"
)

// A window's hash depends on its sizes alone, whatever came before, and differs when one of them does.
func TestAuditWindows(t *testing.T) {
	power := uint64(1)
	for range windowTokens {
		power *= windowBase
	}
	if power != windowOut {
		t.Fatalf("windowOut is %#x, want %#x", uint64(windowOut), power)
	}
	make := func(sizes ...int32) []window {
		tr := &trace.Trace{}
		for i, s := range sizes {
			tr.Packets = append(tr.Packets, trace.Packet{Time: int64(i) * 10, Direction: trace.Down, PayloadBytes: s})
		}
		return windows(nil, tr, 0, false, false, 0)
	}
	common := []int32{100, 20, 1460, 31, 7, 900}
	want := make(common...)
	if len(want) != 1 || want[0].packet != 0 {
		t.Fatalf("%+v", want)
	}
	// A prefix, acknowledgments and runs of one size in between change nothing about the window.
	got := make(1, 2, 3, 100, 0, 20, 1460, 1460, 1460, 31, 7, 0, 900)
	i := slices.IndexFunc(got, func(w window) bool { return w.hash == want[0].hash })
	if len(got) != 4 || i < 0 || got[i].packet != 3 || got[i].at != 30 {
		t.Errorf("%+v, want a window %#x at packet 3", got, want[0].hash)
	}
	seen := map[uint64]bool{want[0].hash: true}
	for k := range common {
		for _, d := range []int32{-1, 1, 2} {
			other := slices.Clone(common)
			other[k] += d
			if h := make(other...)[0].hash; seen[h] {
				t.Errorf("sizes %v: their hash is known", other)
			} else {
				seen[h] = true
			}
		}
	}
	slices.Reverse(common)
	if seen[make(common...)[0].hash] {
		t.Error("the order of sizes is not in the hash")
	}
}

// Thinned windows are the same ones in every capture.
func TestAuditThinning(t *testing.T) {
	rng := stream("thin")
	long := dialog(rng, 0, 4000, 1)
	part := &trace.Trace{Packets: long.Packets[1000:3000]}
	const pass = 7
	a, b := windows(nil, long, 0, false, false, pass), windows(nil, part, 1, false, false, pass)
	all := windows(nil, part, 1, false, false, 0)
	if len(b) < len(all)/12 || len(b) > len(all)/6 {
		t.Errorf("%d of %d windows pass, want an eighth", len(b), len(all))
	}
	ks := relatives(slices.Concat(a, b), 2)
	if len(ks) != 1 || ks[0].shared != len(b) || !ks[0].same() || ks[0].offset != 0 {
		t.Errorf("%+v, want %d shared", ks, len(b))
	}
}

// The nearest neighbors against a search that does nothing clever.
func TestAuditNeighbors(t *testing.T) {
	a := &auditor{k: 3, gaps: map[string]gapped{}}
	rng := stream("neighbors")
	for i := range 60 {
		r := auditRow{class: rng.IntN(3)}
		r.Labels = map[string]string{"g": fmt.Sprint(i % 7)}
		if i%20 == 0 {
			r.Labels["g"] = ""
		}
		for range 5 {
			r.shape = append(r.shape, float64(rng.IntN(12))+float64(r.class)*3*rng.Float64())
		}
		a.rows = append(a.rows, r)
	}
	rank := func(j, i int) float64 { // mean rank of equal values
		below, equal := 0, 0
		for k := range a.rows {
			switch v := a.rows[k].shape[j]; {
			case v < a.rows[i].shape[j]:
				below++
			case v == a.rows[i].shape[j]:
				equal++
			}
		}
		return float64(below) + float64(equal-1)/2
	}
	right := 0
	for i := range a.rows {
		best, at := math.Inf(1), -1
		for k := range a.rows {
			if k == i || a.rows[i].Labels["g"] != "" && a.rows[k].Labels["g"] == a.rows[i].Labels["g"] {
				continue
			}
			d := 0.0
			for j := range 5 {
				d += math.Abs(rank(j, i) - rank(j, k))
			}
			if d < best {
				best, at = d, k
			}
		}
		if a.rows[at].class == a.rows[i].class {
			right++
		}
	}
	axis := axisOf{name: "g", value: func(r *auditRow) string { return r.Labels["g"] }}
	g := a.gap(axis)
	if g.held != float64(right)/60 || g.held == 0 {
		t.Errorf("held out: %g, want %d of 60", g.held, right)
	}
	if math.Abs(g.random-g.held) > 0.2 || g.p < 0.01 { // the groups mean nothing
		t.Errorf("%+v", g)
	}
}

// Groups that mean nothing have p values that are spread evenly.
func TestAuditGroupNull(t *testing.T) {
	const trials = 40
	low := 0
	for seed := range uint64(trials) {
		s := record(t, recordings(seed, 3, 45, func(_ int, r *recording, rng *rand.Rand) {
			r.trace.Packets = r.trace.Packets[:60]
			r.session = fmt.Sprint(rng.IntN(6))
		}))
		a, err := openAudit(s, "app", []string{"a", "b", "c"}, numbers(0, 45), AuditOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if a.gap(a.axes("app")[0]).p <= 0.25 {
			low++
		}
	}
	// Binomial(40, 1/4): 3 to 18 but for one in two thousand.
	if low < 3 || low > 18 {
		t.Errorf("%d of %d p values are below 0.25", low, trials)
	}
}
