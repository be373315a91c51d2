package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tinyRequests is the smart-speaker study in seconds: 45 captures, three cheap models, small forests, a network and
// MiniRocket on one split.
func tinyRequests() Study {
	s := Requests.WithTrials(2).WithoutPart(PartBins)
	s.Sets = append(s.Sets, BinSweep(5, 15)...)
	s.Models, s.Trees, s.Occasions = []string{"tree", "forest"}, 5, []string{"group=query:2", "group=place"}
	s.Nets, s.StepsUS, s.NetTrials = []string{"lstm", Rocket}, []int64{1_000_000}, 1
	s.Protocols[1].Epochs = 1
	r := *s.Requests
	r.Classes, r.PerClass, r.Repeats, r.Bayes = 3, 15, 3, 0.9
	s.Requests = &r
	return s
}

func sweepRequests(t *testing.T, dir string, threads int) *Run {
	t.Helper()
	if err := Sweep(context.Background(), tinyRequests(), Options{Dir: dir, Backend: backend(t), Threads: threads}); err != nil {
		t.Fatal(err)
	}
	return tables(t, dir)
}

func TestRequestsSweep(t *testing.T) {
	dir := t.TempDir()
	r := sweepRequests(t, dir, 1)
	seen := map[string]int{}
	for _, c := range r.Cells {
		if !c.OK() || c.NTest < 9 || c.NTrain+c.NTest != 45 && splitAxis(c.SplitSpec) == "" {
			t.Errorf("%s: status %s %s, trained on %d, tested on %d", c.ID, c.Status, c.Reason, c.NTrain, c.NTest)
		}
		seen[fmt.Sprint(c.kind(), c.Part, c.Control)]++
		if c.kind() != classicModel {
			continue
		}
		if (c.Folds > 0) != (c.Net != PlainForest) || c.Folds > 0 && (c.Inner <= 0 || c.Inner > 1 || len(c.Chosen) < 1) {
			t.Errorf("%s: %d folds, chosen %v with %g", c.ID, c.Folds, c.Chosen, c.Inner)
		}
		want := 0
		if c.Net == "forest" {
			want = map[string]int{"tcptrace": 22, "histogram": 30, "combined": 52}[c.Representation]
		}
		if len(c.Importances) != want {
			t.Errorf("%s: %d importances, want %d", c.ID, len(c.Importances), want)
		}
		sum := 0.0
		for _, q := range c.Importances {
			sum += q.MDI
		}
		if want > 0 && math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: importances add up to %g", c.ID, sum)
		}
	}
	// Each protocol: two random splits and two of commands; the data have no axis place. Bins on the first two alone; networks
	// under the second protocol on the first split of each kind.
	want := map[string]int{
		fmt.Sprint(classicModel, "", ""): 2 * 4 * 6, fmt.Sprint(classicModel, "", ControlPermuted): 2 * 4 * 3, fmt.Sprint(classicModel, PartAblation, ""): 2 * 4 * 7,
		fmt.Sprint(classicModel, PartBins, ""): 2 * 4, fmt.Sprint(network, "", ""): 2, fmt.Sprint(rocket, "", ""): 2, fmt.Sprint(rocket, "", ControlPermuted): 2,
		fmt.Sprint(rocket, "", ControlShuffled): 2, fmt.Sprint(plain, "", ControlMajority): 8, fmt.Sprint(plain, "", ControlTotals): 8, fmt.Sprint(plain, "", ControlDuration): 8,
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("cells %v, want %v", seen, want)
	}
	for _, name := range []string{"trials.csv", "comparisons.csv", "importances.csv", "confusion_tcptrace.csv", "confusion_histogram.csv", "confusion_combined.csv",
		"tables/accuracy_features_study_stratified-2.tex", "tables/splits_ours.md", "tables/bins_study_stratified-2.csv", "tables/ablations_ours_group-query-2.md",
		"tables/chosen.md", "tables/comparisons.md", "tables/importances_combined.csv", "tables/published_tests.md"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	for _, tab := range r.Tables() {
		text := string(tab.Markdown())
		if strings.HasPrefix(tab.Name, "published") {
			continue
		}
		if !strings.Contains(text, "SYNTHETIC") || !strings.Contains(text, "Captures: generated connections.") {
			t.Errorf("table %s does not say what it is from", tab.Name)
		}
		for _, p := range []string{"accuracy_features", "splits", "bins", "ablations"} {
			for _, w := range []string{"majority (constant answer)", "totals only", "duration only", "permuted labels"} {
				if strings.HasPrefix(tab.Name, p) && !strings.Contains(text, w) {
					t.Errorf("table %s has no row %q", tab.Name, w)
				}
			}
		}
	}
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	if err := CheckFolder(dir); err != nil {
		t.Error(err)
	}
	want2 := contents(t, dir)

	t.Run("threads", func(t *testing.T) {
		dir := t.TempDir()
		if err := WriteReport(sweepRequests(t, dir, 3)); err != nil {
			t.Fatal(err)
		}
		compare(t, "on three threads", contents(t, dir), want2)
	})
	t.Run("killed", func(t *testing.T) {
		// Killed at every 61st progress report, until it is done.
		dir := t.TempDir()
		for n := 61; ; n++ {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRequests$")
			cmd.Env = append(os.Environ(), "EARSHOT_TEST_KILL="+strconv.Itoa(n), "EARSHOT_TEST_DIR="+dir)
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			if x := new(exec.ExitError); !errors.As(err, &x) || x.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if err := WriteReport(tables(t, dir)); err != nil {
			t.Fatal(err)
		}
		compare(t, "killed and resumed", contents(t, dir), want2)
	})
	t.Run("verify", func(t *testing.T) {
		verify := func() []Check {
			checks, err := Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}})
			if err != nil {
				t.Fatal(err)
			}
			return checks
		}
		checks := verify()
		if text := fmt.Sprint(checks); !Passed(checks) || !strings.Contains(text, "one cell trained again") || !strings.Contains(text, "one cell fitted again") {
			t.Errorf("untouched: %v", checks)
		}
		// A choice that the search would not make is found by fitting the cell again.
		i := slices.IndexFunc(r.Cells, func(c *Cell) bool { return c.Net == "forest" && c.Control == "" })
		path := filepath.Join(dir, "cells", r.Cells[i].ID, "importances.csv")
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(path, was, 0o644)
		lines := strings.Split(string(was), "\n")
		lines[1] = strings.Split(lines[1], ",")[0] + ",0.5,0.5"
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		checks, err = Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}, Cell: r.Cells[i].ID})
		if text := fmt.Sprint(checks); err != nil || Passed(checks) || !strings.Contains(text, "importances.csv") {
			t.Errorf("changed importances: %v %v", checks, err)
		}
	})
}

// TestKilledRequests is the child of "killed".
func TestKilledRequests(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("EARSHOT_TEST_KILL"))
	if err != nil {
		t.Skip("run by TestRequestsSweep")
	}
	fresh := 0
	err = Sweep(context.Background(), tinyRequests(), Options{Dir: os.Getenv("EARSHOT_TEST_DIR"), Backend: backend(t), Threads: 2, Progress: func(p Progress) {
		if _, err := os.Stat(filepath.Join(os.Getenv("EARSHOT_TEST_DIR"), "cells", p.ID)); err == nil {
			return
		}
		if fresh++; fresh == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// An interrupt ends the sweep with the context's error, whichever cells are at work.
func TestRequestsInterrupt(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := Sweep(ctx, tinyRequests(), Options{Dir: dir, Backend: backend(t), Threads: 2, Progress: func(Progress) {
		if n++; n == 40 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	r, err := LoadRun(dir)
	if err != nil || len(r.Cells) < 30 || len(r.Missing) == 0 {
		t.Errorf("%d cells, %d missing, %v", len(r.Cells), len(r.Missing), err)
	}
}

// The study reaches what the generator says is possible, and no more: the fields that make up the answer are among the
// features, so the best model comes near the best possible rule; some of the features alone do not.
func TestRequestsKnownAnswer(t *testing.T) {
	run := func(bayes float64, sets ...string) *Run {
		s, err := Requests.WithTrials(6).WithoutPart(PartBins).WithSets(sets)
		if err != nil {
			t.Fatal(err)
		}
		s.Protocols, s.Occasions, s.Nets = s.Protocols[1:], nil, nil
		s.Models, s.Trees = []string{"svm_linear"}, 20
		r := *s.Requests
		r.PerClass, r.Bayes = 60, bayes
		s.Requests = &r
		dir := t.TempDir()
		if err := Sweep(context.Background(), s, Options{Dir: dir, Backend: backend(t)}); err != nil {
			t.Fatal(err)
		}
		r2, err := LoadRun(dir)
		if err != nil {
			t.Fatal(err)
		}
		return r2
	}
	at := func(r *Run, part, set, model, control string) float64 {
		g, ok := r.featureFolds(r.Summary())[0].find(part, set, model, control)
		if !ok || g.Repeats != 6 || g.NTest != 72 {
			t.Fatalf("%s on %s %s: %+v", model, set, control, g.Settings)
		}
		return g.Mean
	}
	// 432 answers of 6 overlapping test sets: the standard deviation of a share of 0.8 is below 3 points.
	r := run(0.8, "tcptrace", "combined")
	for _, set := range []string{"tcptrace", "combined"} {
		if got := at(r, "", set, "svm_linear", ""); got > 0.8+0.06 || got < 0.8-0.12 {
			t.Errorf("best accuracy 0.8: a linear SVM on %s has %.3f", set, got)
		}
	}
	if all, window := at(r, PartAblation, "tcptrace", "", ""), at(r, PartAblation, "windows", "", ""); window > all-0.2 || window < 0.2 {
		t.Errorf("a forest on all fields %.3f, on windows %.3f", all, window)
	}
	if got := at(r, "", "combined", "", ControlPermuted); math.Abs(got-1./6) > 0.09 {
		t.Errorf("permuted labels: %.3f", got)
	}
	if got := at(run(1./6, "tcptrace"), "", "tcptrace", "svm_linear", ""); math.Abs(got-1./6) > 0.09 {
		t.Errorf("nothing to learn: %.3f", got)
	}
	if got := at(run(1, "tcptrace"), "", "tcptrace", "svm_linear", ""); got < 0.99 {
		t.Errorf("everything to learn: %.3f", got)
	}
}
