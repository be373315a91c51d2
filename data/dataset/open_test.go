package dataset

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// openWorld are captures of songs a to f, of which a and b are monitored; song i has n[i] captures.
func openWorld(n ...int) []Capture {
	var caps []Capture
	for i, m := range n {
		song := string(rune('a' + i))
		world := Other
		if i < 2 {
			world = song
		}
		for range m {
			caps = append(caps, Capture{ID: int64(len(caps)), Labels: map[string]string{"song": song, "world": world}})
		}
	}
	return caps
}

func openSplits(t *testing.T, spec string, caps []Capture, seed uint64) []Split {
	t.Helper()
	sp, err := ParseSplits(spec)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := sp.Over("song").Split(caps, "world", seed)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

func TestOpen(t *testing.T) {
	for _, tc := range []struct {
		spec  string
		n     []int
		folds int
	}{
		{"open:3", []int{9, 9, 9, 9, 9, 9}, 3}, {"open:2", []int{5, 4, 1, 7, 3, 2}, 2}, {"open:4", []int{7, 6, 1, 1, 1, 1}, 4},
		{"open", []int{9, 9, 9, 9, 9, 9}, 4}, {"open", []int{9, 9, 9, 9, 9, 9, 9, 9}, 5},
	} {
		caps := openWorld(tc.n...)
		splits := openSplits(t, tc.spec, caps, 1)
		if len(splits) != tc.folds {
			t.Fatalf("%s: %d splits, want %d", tc.spec, len(splits), tc.folds)
		}
		tested := make([]int, len(caps))
		sizes := map[string][]int{}
		for k, s := range splits {
			if s.Name != fmt.Sprintf("open-%d", k+1) || len(s.Train)+len(s.Test) != len(caps) || !slices.IsSorted(s.Train) || !slices.IsSorted(s.Test) {
				t.Errorf("%s: %s: %d + %d of %d captures", tc.spec, s.Name, len(s.Train), len(s.Test), len(caps))
			}
			count := map[string]int{}
			for _, id := range s.Test {
				tested[id]++
				count[caps[id].Labels["song"]]++
			}
			for _, id := range s.Train {
				if c := caps[id]; c.Labels["world"] == Other && count[c.Labels["song"]] > 0 {
					t.Errorf("%s: %s: song %s is not monitored and on both sides", tc.spec, s.Name, c.Labels["song"])
				}
			}
			others := len(count) - 2
			sizes["a"], sizes["b"], sizes["others"] = append(sizes["a"], count["a"]), append(sizes["b"], count["b"]), append(sizes["others"], others)
		}
		for id, n := range tested {
			if n != 1 {
				t.Errorf("%s: capture %d is tested %d times", tc.spec, id, n)
			}
		}
		for what, n := range sizes {
			if slices.Max(n)-slices.Min(n) > 1 || slices.Min(n) < 1 {
				t.Errorf("%s: %s in the test sets: %v", tc.spec, what, n)
			}
		}
		backwards := slices.Clone(caps)
		slices.Reverse(backwards)
		if !reflect.DeepEqual(splits, openSplits(t, tc.spec, backwards, 1)) {
			t.Errorf("%s: the same seed gave other splits, or the order of the captures counts", tc.spec)
		}
		if reflect.DeepEqual(splits, openSplits(t, tc.spec, caps, 2)) {
			t.Errorf("%s: seeds 1 and 2 gave the same splits", tc.spec)
		}
	}
}

func TestOpenRefused(t *testing.T) {
	for spec, tc := range map[string]struct {
		n    []int
		axis string
		want string
	}{
		"open:5": {[]int{9, 9, 9, 9, 9, 9}, "song", "the captures not monitored are of 4 values of song; 5 are needed"},
		"open":   {[]int{9, 9, 9}, "song", "are of 1 values of song; 2 are needed"},
		"open:3": {[]int{9, 2, 9, 9, 9, 9}, "song", "b has 2 captures, and 3 folds; take fewer folds"},
		"open:2": {[]int{9, 9, 9, 9}, "", "has no values that are not monitored; run songs --monitored"},
	} {
		sp, err := ParseSplits(spec)
		if err != nil || sp.String() != spec || !sp.Open() {
			t.Fatal(sp, err)
		}
		if _, err := sp.Over(tc.axis).Split(openWorld(tc.n...), "world", 1); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", spec, err, tc.want)
		}
	}
	for _, bad := range []string{"open:1", "open:x", "open=song", "open:"} {
		if sp, err := ParseSplits(bad); err == nil {
			t.Errorf("%q is %s", bad, sp)
		}
	}
	if sp, _ := ParseSplits("group=song"); sp.Over("day") != sp || sp.HeldOut() != "song" || sp.Open() {
		t.Error("Over changed a split that is not open")
	}
}

func TestDerive(t *testing.T) {
	s := &Set{Manifest: Manifest{Axes: []string{"song"}}}
	for i, c := range openWorld(2, 2, 2, 2) {
		s.Captures = append(s.Captures, Capture{ID: int64(i), Digest: fmt.Sprint(i), Labels: map[string]string{"song": c.Labels["song"]}})
	}
	was := s.Digest()
	world := func(c *Capture) string {
		return map[string]string{"a": "a", "b": Other, "c": Other}[c.Labels["song"]]
	}
	if err := s.Derive("world", world); err != nil {
		t.Fatal(err)
	}
	caps, classes, err := s.Labelled("world", nil)
	if err != nil || len(caps) != 6 || fmt.Sprint(classes) != "[a other]" {
		t.Errorf("%d captures of %v, %v", len(caps), classes, err)
	}
	if s.Digest() != was || len(s.Manifest.Axes) != 1 {
		t.Error("a derived axis changed the data set's digest or manifest")
	}
	for _, axis := range []string{"world", "song"} {
		if err := s.Derive(axis, world); err == nil || !strings.Contains(err.Error(), "there is a label axis") {
			t.Errorf("%s: %v", axis, err)
		}
	}
}
