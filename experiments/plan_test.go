package experiments

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

func tinySource(t *testing.T, change func(*Study)) *source {
	t.Helper()
	study := tiny()
	change(&study)
	s, err := openSource(study, "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSubset(t *testing.T) {
	s := tinySource(t, func(s *Study) {})
	var last []int64
	for _, n := range []int{6, 8, 13, 17, 18} {
		byClass := map[string]int{}
		var ids []int64
		for _, c := range s.subset(n) {
			byClass[c.Labels["song"]]++
			ids = append(ids, c.ID)
		}
		counts := slices.Sorted(maps.Values(byClass))
		if len(ids) != n || len(counts) != 3 || counts[2]-counts[0] > 1 || !slices.IsSorted(ids) {
			t.Errorf("%d points: %v, by class %v", n, ids, byClass)
		}
		for _, id := range last {
			if !slices.Contains(ids, id) {
				t.Errorf("%d points lack capture %d of the smaller subset", n, id)
			}
		}
		last = ids
	}
}

func TestPlan(t *testing.T) {
	s := tinySource(t, func(s *Study) {
		s.Points, s.Seeds, s.StepsUS = []int{10, 18}, []uint64{3, 4}, []int64{5_000_000, 10_000_000}
		*s = s.WithCollapse()
	})
	items, splits, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	// Seven protocols (study, its five variants, ours with two splits): eight divisions at each number of points.
	if want := 2 * 8 * (3 + 3*2*(2+2)); len(items) != want {
		t.Errorf("%d cells, want %d", len(items), want)
	}
	ids := map[string]bool{}
	steps := 0
	for _, it := range items {
		if ids[it.id] || strings.Trim(it.id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != "" {
			t.Errorf("name %q is taken or no file name", it.id)
		}
		ids[it.id] = true
		if it.settings.Steps < steps {
			t.Errorf("%s: %d steps after %d; coarse ones come first", it.id, it.settings.Steps, steps)
		}
		steps = it.settings.Steps
		if n := it.settings.Points; len(it.split.Test) != n/5 || len(it.split.Train) != n-n/5 {
			t.Errorf("%s: %d training and %d test captures", it.id, len(it.split.Train), len(it.split.Test))
		}
	}
	if names := strings.Join(sortedKeys(splits), " "); names != "random-1 random-1@10 stratified-1 stratified-1@10 stratified-2 stratified-2@10" {
		t.Errorf("splits %s", names)
	}
	again, _, err := s.plan()
	if err != nil || !slices.EqualFunc(items, again, func(a, b item) bool { return a.id == b.id }) {
		t.Errorf("another plan the second time (%v)", err)
	}
}

func TestCollapseProtocols(t *testing.T) {
	var got []string
	for _, p := range Songs.WithCollapse().Protocols {
		got = append(got, p.Name)
	}
	if want := "study study_keep study_scaled study_log study_batchstats study_all ours"; strings.Join(got, " ") != want {
		t.Errorf("protocols %v, want %s", got, want)
	}
	if len(Songs.Protocols) != 2 || len(Songs.StepsUS) != 3 || Songs.Quicker().Protocols[0].Epochs == Songs.Protocols[0].Epochs {
		t.Error("a variant has changed the study itself")
	}
	for _, s := range []Study{Songs, Songs.Quicker(), Songs.Full(), Songs.WithCollapse()} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestShuffleTime(t *testing.T) {
	x := make([]float32, 2*50) // two channels whose steps belong together
	for i := range 50 {
		x[i], x[50+i] = float32(i), float32(i)+0.5
	}
	was := slices.Clone(x)
	shuffleTime(x, 2, Settings{Seed: 1}, 7)
	if slices.Equal(x, was) {
		t.Error("nothing was shuffled")
	}
	for i := range 50 {
		if x[50+i] != x[i]+0.5 {
			t.Fatalf("step %d: the channels came apart: %g and %g", i, x[i], x[50+i])
		}
	}
	y := slices.Clone(was)
	shuffleTime(y, 2, Settings{Seed: 1}, 8)
	if slices.Equal(x, y) {
		t.Error("two captures got the same order")
	}
	slices.Sort(x)
	slices.Sort(was)
	if !slices.Equal(x, was) {
		t.Error("the values changed")
	}
}

// Permuted labels are the same labels in another order, and the controls without a network see what they say.
func TestControls(t *testing.T) {
	y := []int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2}
	z := slices.Clone(y)
	permute(z, Settings{Seed: 1, Split: "s"})
	if slices.Equal(y, z) {
		t.Error("nothing was permuted")
	}
	slices.Sort(z)
	if !slices.Equal(y, z) {
		t.Error("other labels after the permutation")
	}

	s := &source{study: Study{Classes: []string{"a", "b", "c"}, DurationUS: 60_000_000}}
	for i := range 30 {
		k := i % 3
		s.captures = append(s.captures, Capture{ID: int64(i), Class: k, DurationUS: int64(10+20*k) * 1_000_000, SeenBytes: int64(1000 + i), SeenPackets: int64(5 + k*k*20)})
	}
	train, test := make([]int, 21), make([]int, 9)
	for i := range train {
		train[i] = i
	}
	for i := range test {
		test[i] = 21 + i
	}
	for control, want := range map[string]float64{ControlMajority: 1.0 / 3, ControlTotals: 1, ControlDuration: 1} {
		onTest, onTrain, err := s.predictPlain(Settings{Control: control}, train, test)
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, row := range test {
			if argmax(onTest[i]) == s.captures[row].Class {
				right++
			}
			sum := 0.0
			for _, p := range onTest[i] {
				sum += float64(p)
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Errorf("%s: scores sum to %g", control, sum)
			}
		}
		if acc := float64(right) / float64(len(test)); acc != want || len(onTrain) != len(train) {
			t.Errorf("%s: accuracy %g, want %g", control, acc, want)
		}
	}
}
