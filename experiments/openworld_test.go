package experiments

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"earshot/train/metrics"
)

// openStudy has six songs of six captures, two of them monitored.
func openStudy() Study {
	s := Songs
	s.Nets, s.StepsUS, s.Order = []string{Rocket}, []int64{1_000_000}, 0
	s.Generate.Classes, s.Generate.PerClass, s.Generate.Bayes = 6, 6, 0.9
	s.Protocols = []Protocol{{Name: "ours", Splits: []string{"stratified:2", "open:2"}, Epochs: 1, Batch: 8, Normalize: "train", LR: 1e-3}}
	s.World = &World{Monitored: []string{"song_e", "song_b"}}
	return s
}

// counted is an open world counted by hand from predictions.csv.
type counted struct {
	sets                                      map[string]bool // splits
	monitored, right, wrong, others, alarms   int
	closed, accurate                          int
	songs, loud                               map[string]bool
	alarmsOf, othersOf, named, rightOf, ownOf map[string]int
}

func count(t *testing.T, r *Run, net, control, spec string) counted {
	t.Helper()
	n := counted{map[string]bool{}, 0, 0, 0, 0, 0, 0, 0, map[string]bool{}, map[string]bool{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for _, c := range r.Cells {
		if c.Net != net || c.Control != control || c.SplitSpec != spec {
			continue
		}
		n.sets[c.Split] = true
		f, err := os.Open(filepath.Join(r.Dir, "cells", c.ID, "predictions.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil || strings.Join(rows[0], " ") != "capture_id source true predicted score_other score_song_b score_song_e" {
			t.Fatal(rows[0], err)
		}
		for _, row := range rows[1:] {
			song, truth, said := strings.Split(row[1], "_")[1], row[2], row[3] // the source is song_x_003
			if truth == said {
				n.accurate++
			}
			if truth == "other" {
				n.others++
				n.songs[song] = true
				n.othersOf[song]++
				if said != "other" {
					n.alarms++
					n.loud[song] = true
					n.alarmsOf[song]++
					n.named[said]++
				}
				continue
			}
			n.monitored++
			n.ownOf[truth]++
			switch {
			case said == truth:
				n.right++
				n.rightOf[truth]++
			case said != "other":
				n.wrong++
			}
			b, _ := strconv.ParseFloat(row[5], 64)
			e, _ := strconv.ParseFloat(row[6], 64)
			if (truth == "song_b") == (b >= e) {
				n.closed++
			}
		}
	}
	return n
}

func TestOpenWorldRun(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Backend: backend(t)}
	if err := Sweep(context.Background(), openStudy(), o); err != nil {
		t.Fatal(err)
	}
	r := tables(t, dir)
	w := r.Manifest.Settings.World
	if fmt.Sprint(*w) != "{song [song_b song_e] [song_a song_c song_d song_f]}" || r.Manifest.Settings.Label != WorldAxis || r.Manifest.Data.Bayes != 0 {
		t.Fatalf("%+v, label %s", w, r.Manifest.Settings.Label)
	}
	song := map[int64]string{}
	for _, c := range r.Captures {
		song[c.ID] = c.Labels["song"]
		if want := map[string]string{"song_b": "song_b", "song_e": "song_e"}[song[c.ID]]; r.Manifest.Settings.Classes[c.Class] != want && want != "" {
			t.Errorf("capture %d of %s has class %s", c.ID, song[c.ID], r.Manifest.Settings.Classes[c.Class])
		}
	}
	tested := map[int64]int{}
	for name, s := range r.Splits {
		if !strings.HasPrefix(name, "open-") {
			continue
		}
		for _, id := range s.Test {
			tested[id]++
			for _, other := range s.Train {
				if song[id] == song[other] && slices.Contains(w.Others, song[id]) {
					t.Fatalf("%s: %s is on both sides", name, song[id])
				}
			}
		}
	}
	if len(tested) != 36 {
		t.Errorf("open:2 tests %d of 36 captures", len(tested))
	}

	head, rows, err := readTable(filepath.Join(dir, "tables/open_world.csv"))
	if err != nil {
		t.Fatal(err)
	}
	precisions, worth, err := readTable(filepath.Join(dir, "tables/open_precision.csv"))
	if err != nil || len(worth) != len(rows) {
		t.Fatalf("%d and %d rows, %v", len(rows), len(worth), err)
	}
	one := func(v float64) string { return fixed(100*v, 1) }
	seen := 0
	for i, row := range rows {
		get := func(name string) string {
			if at := slices.Index(head, name); at >= 0 {
				return row[at]
			}
			return worth[i][slices.Index(precisions, name)]
		}
		if !slices.Equal(worth[i][:6], row[:6]) {
			t.Errorf("the tables' rows differ: %v and %v", worth[i][:6], row[:6])
		}
		net, control := Rocket, ""
		switch {
		case strings.HasPrefix(row[0], "majority"):
			net, control = "constant", ControlMajority
		case row[0] != "MiniRocket + ridge":
			continue
		}
		seen++
		spec := get("Splits")
		n := count(t, r, net, control, spec)
		sets, of := 1, func(n int) string { return strconv.Itoa(n) }
		if spec == "stratified:2" {
			sets, of = 2, func(n int) string { return fmt.Sprintf("2 × %d", n/2) }
		}
		tpr, wpr, fpr := float64(n.right)/float64(n.monitored), float64(n.wrong)/float64(n.monitored), float64(n.alarms)/float64(n.others)
		var low, high float64
		if sets == 1 {
			var k, of []float64
			for _, s := range []string{"a", "c", "d", "f"} {
				k, of = append(k, float64(n.alarmsOf[s])), append(of, float64(n.othersOf[s]))
			}
			low, high = metrics.ClopperPearsonClustered(k, of, 0.95)
		} else {
			low, _ = metrics.ClopperPearson(n.alarms/2, n.others/2, 0.95)
			_, high = metrics.ClopperPearson((n.alarms+1)/2, n.others/2, 0.95)
		}
		rl, _ := metrics.ClopperPearson(n.right/sets, n.monitored/sets, 0.95)
		_, rh := metrics.ClopperPearson((n.right+sets-1)/sets, n.monitored/sets, 0.95)
		want := map[string]string{
			"Monitored n": of(n.monitored), "Closed world %": one(float64(n.closed) / float64(n.monitored)), "Recall %": one(tpr), "Wrong %": one(wpr),
			"Recall interval": one(rl) + "–" + one(rh), "False alarms/n": fmt.Sprintf("%d/%s", n.alarms, of(n.others)), "False alarm %": one(fpr),
			"False interval": one(low) + "–" + one(high), "Values with one": fmt.Sprintf("%d/%d", len(n.loud), len(n.songs)),
			"Others": map[int]string{1: "unseen", 2: "seen"}[sets], "Accuracy %": one(float64(n.accurate) / float64(n.monitored+n.others)),
		}
		for _, base := range []float64{1, 20, 1000} {
			estimate, atLeast := fmt.Sprintf("r=%g %%", base), fmt.Sprintf("r=%g at least %%", base)
			want[estimate], want[atLeast] = one(tpr/(tpr+wpr+base*fpr)), one(tpr/(tpr+wpr+base*high))
			if n.alarms == 0 {
				want[estimate] = ""
			}
			if n.alarms+n.right+n.wrong == 0 {
				want[atLeast] = ""
			}
		}
		for name, v := range want {
			if get(name) != v {
				t.Errorf("%s, %s: %s = %q, counted %q", row[0], spec, name, get(name), v)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d rows of MiniRocket and the majority in the table, want 4:\n%v", seen, rows)
	}
	if n := count(t, r, Rocket, "", "open:2"); n.right == 0 || n.alarms == 0 {
		t.Errorf("nothing to count: %d right, %d false alarms", n.right, n.alarms)
	}

	t.Run("LaTeX", func(t *testing.T) {
		if log := compileLaTeX(t, r.openTables(r.Summary())); strings.Contains(log, "Overfull") {
			t.Error("a table is wider than the page")
		}
	})

	// The curve ends where everything is an alarm.
	curves, err := os.ReadFile(filepath.Join(dir, openCurvesName))
	if err != nil {
		t.Fatal(err)
	}
	last := strings.Split(strings.TrimSpace(string(curves)), "\n")
	end := strings.Split(last[len(last)-1], ",")
	if n := count(t, r, Rocket, "", "open:2"); end[5] != "open:2" || end[9] != strconv.Itoa(n.closed) || end[12] != "24" || end[11] != "24" || end[15] != "1" {
		t.Errorf("the last point of the curves is %v; %d are right among the monitored", end, n.closed)
	}

	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	md, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Open world, protocol ours", "others unseen in training", "of 4 values of song", "2 of 6 values of axis song are monitored",
		"figures/open_world_ours_1s.png", "Others are seen when", "none of the 12 test captures of other has its song in training", "as this split is made",
		"The world is open, but small", "group song (the classes are made of it)", "are above the constant answer ("} {
		if !strings.Contains(string(md), want) {
			t.Errorf("report.md does not say %q", want)
		}
	}
	for _, not := range []string{"The world is closed", "| group | song |", "models against guessing", "above guessing ("} {
		if strings.Contains(string(md), not) {
			t.Errorf("report.md says %q", not)
		}
	}
	for _, f := range r.findings() {
		if strings.Contains(strings.Join(f.Lines, " "), "other than the label leaks") {
			t.Errorf("a control that answers other is taken for a leak: %v", f.Lines)
		}
	}

	before := contents(t, dir)
	if err := Sweep(context.Background(), openStudy(), o); err != nil {
		t.Fatal(err)
	}
	compare(t, "a finished run, started again", contents(t, dir), before)
	checks, err := Verify(context.Background(), VerifyOptions{Options: o})
	if err != nil || !Passed(checks) {
		t.Errorf("verify: %v, %v", checks, err)
	}
}

func TestOpenWorldUsage(t *testing.T) {
	for want, change := range map[string]func(*Study){
		"no value of song that is used": func(s *Study) { s.World.Monitored = []string{"song_b", "song_z"} },
		"these are all values of song": func(s *Study) {
			s.World.Monitored = []string{"song_a", "song_b"}
			s.Classes = []string{"song_a", "song_b"}
		},
		"named twice":                        func(s *Study) { s.World.Monitored = []string{"song_b", "song_b"} },
		"no class is named":                  func(s *Study) { s.World.Monitored = nil },
		"give that class another name":       func(s *Study) { s.World.Monitored = []string{"other"} },
		"open:5: the captures not monitored": func(s *Study) { s.Protocols[0].Splits = []string{"open:5"} },
		"and 8 folds": func(s *Study) {
			s.Protocols[0].Splits = []string{"open:8"}
			s.Generate.Classes, s.Generate.Duration = 10, 100e9
		},
		"holds monitored song out":             func(s *Study) { s.Protocols[0].Splits = []string{"group=song"} },
		"name the monitored ones":              func(s *Study) { s.World = nil },
		`no label axis "composer"`:             func(s *Study) { s.Label = "composer" },
		`no capture with song "song_z"; there`: func(s *Study) { s.Classes = []string{"song_b", "song_e", "song_z"} },
	} {
		s := openStudy()
		s.Protocols, s.World = slices.Clone(s.Protocols), &World{Monitored: s.World.Monitored}
		change(&s)
		err := s.Check()
		if err == nil {
			var src *source
			if src, err = openSource(s, "", t.TempDir()); err == nil {
				_, _, err = src.plan()
			}
		}
		u, ok := err.(*UsageError)
		if !ok || !strings.Contains(u.Error(), want) {
			t.Errorf("%v, want wrong usage: %q", err, want)
		}
	}
	// Only some of the songs that are not monitored.
	s := openStudy()
	s.Classes = []string{"song_a", "song_b", "song_d", "song_e"}
	src, err := openSource(s, "", t.TempDir())
	if err != nil || len(src.rows) != 24 || fmt.Sprint(src.study.World.Others, src.study.Classes) != "[song_a song_d] [other song_b song_e]" {
		t.Errorf("%v: %d rows, %+v", err, len(src.rows), src.study.World)
	}
}

// An accuracy is held against the constant answer, since most captures are other.
func TestAboveConstant(t *testing.T) {
	group := func(acc ...float64) *Group {
		g := &Group{NTrain: 96, NTest: 48}
		for _, a := range acc {
			g.Cells = append(g.Cells, &Cell{Result: Result{Accuracy: a, MajorityShare: 0.75, PMajority: 0.04}})
		}
		return g
	}
	if p := group(0.75, 0.75).aboveConstant(); p != 1 {
		t.Errorf("the constant answer: p = %g", p)
	}
	if p := group(0.9).aboveConstant(); p != 0.04 {
		t.Errorf("one repeat: p = %g, its McNemar test says 0.04", p)
	}
	if p := group(0.6).aboveConstant(); p != 1 {
		t.Errorf("one repeat, worse: p = %g", p)
	}
	want := metrics.CorrectedResampledP([]float64{0.15, 0.2, 0.17}, 0, 96, 48)
	if p := group(0.9, 0.95, 0.92).aboveConstant(); math.Abs(p-want) > 1e-9 || p > 0.1 {
		t.Errorf("three repeats: p = %g, want %g", p, want)
	}
}

// Repeats that share captures are not added up: the interval is that of one.
func TestOpenSets(t *testing.T) {
	cell := func(seed uint64, ids ...int64) *Cell {
		c := &Cell{Settings: Settings{Seed: seed}}
		for _, id := range ids {
			c.Predictions = append(c.Predictions, Prediction{CaptureID: id})
		}
		return c
	}
	for want, cells := range map[int][]*Cell{
		1: {cell(1, 1, 2), cell(1, 3, 4), cell(1, 5)},
		2: {cell(1, 1, 2), cell(2, 1, 2), cell(1, 3), cell(2, 3)},
		3: {cell(1, 1, 2), cell(1, 2, 3), cell(1, 4)},
	} {
		if got := testSets(cells); got != want {
			t.Errorf("%d test sets, want %d", got, want)
		}
	}
	o := openResult{Sets: 3}
	lo, hi := o.interval(4, 63) // 1 to 2 of 21
	l, _ := metrics.ClopperPearson(1, 21, 0.95)
	_, h := metrics.ClopperPearson(2, 21, 0.95)
	if lo != l || hi != h {
		t.Errorf("interval %g to %g, want %g to %g", lo, hi, l, h)
	}
}
