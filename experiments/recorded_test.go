package experiments

import (
	"os"
	"slices"
	"testing"
)

// TestRecorded: on its bundled data a study takes the published number of songs and captures, and everything else when it is asked for.
func TestRecorded(t *testing.T) {
	r := Songs.Recorded
	for _, c := range []struct {
		name   string
		change func(*Study)
		k      int // classes; 0: all songs
		points int // 0: all captures
	}{
		{"nothing said", func(*Study) {}, 3, r.Points},
		{"points", func(s *Study) { s.Points = []int{30, 12} }, 3, 30},
		{"classes", func(s *Study) { s.Classes = []string{"hell", "rlyeh"} }, 2, 0},
		{"all classes", func(s *Study) { s.Classes = []string{AllClasses} }, 0, 0},
		{"other question", func(s *Study) { s.Label = "repetition" }, 0, 0},
	} {
		study := Songs
		c.change(&study)
		dir := t.TempDir()
		s, err := openSource(study, r.Data, dir)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		values := map[string]int{}
		for _, q := range s.set.Included() {
			values[q.Labels[study.Label]]++
		}
		k, points := c.k, c.points
		if k == 0 {
			k = len(values)
		}
		if points == 0 || c.name == "nothing said" && len(s.rows) < points {
			points = len(s.rows)
		}
		if len(s.study.Classes) != k || s.study.Points[0] != points {
			t.Errorf("%s: classes %q, points %v; want %d and %d", c.name, s.study.Classes, s.study.Points, k, points)
		}
		if c.name == "nothing said" {
			if !slices.Equal(s.study.Classes, r.Classes) {
				t.Errorf("classes %q, want %q", s.study.Classes, r.Classes)
			}
			n := map[string]int{}
			for _, q := range s.subset(points) {
				n[q.Labels["song"]]++
			}
			for _, class := range r.Classes {
				if n[class] != points/3 {
					t.Errorf("%d captures of %s among %d", n[class], class, points)
				}
			}
		}
		if s.info.Synthetic || s.info.Bayes != 0 || s.info.Path != r.Data || s.info.License == "" {
			t.Errorf("%s: %+v", c.name, s.info)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: opening wrote %v; %v", c.name, left, err)
		}
	}
}
