package dataset

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// songs are n captures of three songs on five days; ids start at 100.
func songs(n int) []Capture {
	var caps []Capture
	for i := range n {
		caps = append(caps, Capture{ID: int64(100 + i), StartUS: int64(1 + (i*7)%n), Labels: map[string]string{
			"song": string(rune('a' + i%3)), "day": fmt.Sprint("day", i%5+7), "split": map[bool]string{true: "test", false: "train"}[i%4 == 0],
		}})
	}
	return caps
}

func split(t *testing.T, spec string, caps []Capture, seed uint64) []Split {
	t.Helper()
	sp, err := ParseSplits(spec)
	if err != nil {
		t.Fatal(err)
	}
	if sp.String() != spec {
		t.Errorf("%s is written %s", spec, sp)
	}
	splits, err := sp.Split(caps, "song", seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range splits { // every capture once
		all := append(slices.Clone(s.Train), s.Test...)
		slices.Sort(all)
		if len(slices.Compact(all)) != len(caps) || !slices.IsSorted(s.Train) || !slices.IsSorted(s.Test) {
			t.Errorf("%s: %s holds %d + %d of %d captures", spec, s.Name, len(s.Train), len(s.Test), len(caps))
		}
	}
	return splits
}

func TestSplitSizes(t *testing.T) {
	// The song study's sizes: floor(0.2 N).
	for n, want := range map[int]int{111: 22, 60: 12, 36: 7, 24: 4, 18: 3, 15: 3, 21: 4, 5: 1} {
		for _, spec := range []string{"random:1", "stratified:2", "time=day"} {
			for _, s := range split(t, spec, songs(n), 1) {
				if len(s.Test) != want {
					t.Errorf("%s of %d: %d in the test set, want %d", spec, n, len(s.Test), want)
				}
			}
		}
	}
	sp, _ := ParseSplits("random:1")
	if _, err := sp.Split(songs(4), "song", 1); err == nil {
		t.Error("4 captures are split")
	}
}

func TestSplitSeeds(t *testing.T) {
	caps := songs(111)
	shuffled := slices.Clone(caps)
	slices.Reverse(shuffled)
	for _, spec := range []string{"random:3", "stratified:3", "group=day"} {
		a, b := split(t, spec, caps, 1), split(t, spec, shuffled, 1)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the same seed gave other splits, or the order of the captures counts", spec)
		}
		if reflect.DeepEqual(a, split(t, spec, caps, 2)) {
			t.Errorf("%s: seeds 1 and 2 gave the same splits", spec)
		}
		if reflect.DeepEqual(a[0].Test, a[1].Test) {
			t.Errorf("%s: two repeats are the same", spec)
		}
	}
	// A longer series of repeats begins with the shorter one.
	if !reflect.DeepEqual(split(t, "random:5", caps, 1)[:3], split(t, "random:3", caps, 1)) {
		t.Error("random:5 does not begin as random:3")
	}
}

func TestStratified(t *testing.T) {
	caps := songs(111) // 37 of each song, 22 in the test set: 7 + 7 + 8
	extra := map[string]int{}
	for _, s := range split(t, "stratified:60", caps, 1) {
		n := map[string]int{}
		for _, id := range s.Test {
			n[caps[id-100].Labels["song"]]++
		}
		for song, k := range n {
			if k != 7 && k != 8 {
				t.Errorf("%s: %d of %s", s.Name, k, song)
			}
			if k == 8 {
				extra[song]++
			}
		}
	}
	for _, song := range []string{"a", "b", "c"} {
		if extra[song] < 8 {
			t.Errorf("song %s had the odd capture in %d of 60 splits", song, extra[song])
		}
	}
}

func TestGroup(t *testing.T) {
	caps := songs(50)
	for _, tc := range []struct {
		spec  string
		folds int
	}{{"group=day", 5}, {"group=day:2", 2}, {"group=song", 3}, {"group=day:9", 5}} {
		splits := split(t, tc.spec, caps, 1)
		if len(splits) != tc.folds {
			t.Fatalf("%s: %d splits, want %d", tc.spec, len(splits), tc.folds)
		}
		axis, _, _ := strings.Cut(strings.TrimPrefix(tc.spec, "group="), ":")
		tested := map[int64]int{}
		for _, s := range splits {
			in := map[string]bool{}
			for _, id := range s.Test {
				tested[id]++
				in[caps[id-100].Labels[axis]] = true
			}
			for _, id := range s.Train {
				if in[caps[id-100].Labels[axis]] {
					t.Fatalf("%s: %s: a group is on both sides", tc.spec, s.Name)
				}
			}
		}
		for id, n := range tested {
			if n != 1 {
				t.Errorf("%s: capture %d is tested %d times", tc.spec, id, n)
			}
		}
		if len(tested) != len(caps) {
			t.Errorf("%s: %d captures are tested", tc.spec, len(tested))
		}
	}
	sp, _ := ParseSplits("group=day")
	if _, err := sp.Split(songs(50)[:1:1], "song", 1); err == nil {
		t.Error("one capture is split")
	}
	one := slices.DeleteFunc(songs(50), func(c Capture) bool { return c.Labels["day"] != "day7" })
	if _, err := sp.Split(one, "song", 1); err == nil || !strings.Contains(err.Error(), `all captures have the same day day7`) && !strings.Contains(err.Error(), "same day") {
		t.Error(err)
	}
	sp, _ = ParseSplits("group=city")
	if _, err := sp.Split(songs(50), "song", 1); err == nil || !strings.Contains(err.Error(), `no label axis "city"; there are day, song, split`) {
		t.Error(err)
	}
}

func TestTime(t *testing.T) {
	caps := songs(25)
	s := split(t, "time=start_us", caps, 1)[0]
	for _, id := range s.Test {
		if caps[id-100].StartUS <= 20 {
			t.Errorf("start %d is among the last 20 %%", caps[id-100].StartUS)
		}
	}
	// With a clock the day that began last is held out; without, the last by name: day11 comes after day7.
	for i := range caps {
		caps[i].StartUS = map[string]int64{"day7": 500, "day8": 100, "day9": 200, "day10": 300, "day11": 400}[caps[i].Labels["day"]] + int64(i)
	}
	for _, want := range []string{"day7", "day11"} {
		for _, id := range split(t, "time=day", caps, 1)[0].Test {
			if d := caps[id-100].Labels["day"]; d != want {
				t.Errorf("%s is held out, want %s", d, want)
			}
		}
		caps[3].StartUS = 0
	}
}

func TestOfficial(t *testing.T) {
	caps := songs(8)
	if s := split(t, "official", caps, 1)[0]; fmt.Sprint(s.Test) != "[100 104]" || s.Name != "official" {
		t.Error(s)
	}
	caps[3].Labels["split"] = "validation"
	sp, _ := ParseSplits("official")
	if _, err := sp.Split(caps, "song", 1); err == nil {
		t.Error("validation is neither train nor test")
	}
}

func TestParseSplits(t *testing.T) {
	if sp, err := ParseSplits("random"); err != nil || sp.String() != "random:1" {
		t.Error(sp, err)
	}
	for _, bad := range []string{"", "random:0", "random:x", "random:-1", "group", "group=", "group=day:1", "time=day:2", "official:2", "leave", "kfold=5", "time:1"} {
		if sp, err := ParseSplits(bad); err == nil {
			t.Errorf("%q is %s", bad, sp)
		}
	}
}

func TestSplitJSON(t *testing.T) {
	b, err := json.Marshal(Split{Name: "x", Train: []int64{1, 2}, Test: []int64{3}})
	if err != nil || string(b) != `{"train":[1,2],"test":[3]}` {
		t.Error(string(b), err)
	}
}

func TestNatural(t *testing.T) {
	list := []string{"10", "day10", "2", "day2b", "a", "", "day2", "day02", "99999999999999999999999", "x1y2", "x1y10"}
	slices.SortFunc(list, Natural)
	if got := strings.Join(list, " "); got != " 2 10 99999999999999999999999 a day02 day2 day2b day10 x1y2 x1y10" {
		t.Error(got)
	}
}
