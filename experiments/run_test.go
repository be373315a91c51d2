package experiments

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
	"earshot/train"
)

// tiny is the song study in a second: 18 captures in six steps.
func tiny() Study {
	s := Songs
	s.Nets, s.StepsUS, s.Order = []string{"lstm", "fcn"}, []int64{10_000_000}, 6
	s.Generate.PerClass, s.Generate.Bayes = 6, 1
	s.Protocols = []Protocol{
		{Name: "study", Splits: []string{"random:1"}, Epochs: 2, Batch: 64, DropLast: true, Normalize: "none", LR: 1e-3},
		{Name: "ours", Splits: []string{"stratified:2"}, Epochs: 3, Batch: 8, Normalize: "train", LR: 1e-3},
	}
	return s
}

func backend(t testing.TB) kernel.Backend {
	name := os.Getenv("EARSHOT_KERNEL")
	if name == "" {
		name = "auto"
	}
	be, err := cpu.Open(name, 2)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

func sweep(t testing.TB, dir string) *Run {
	t.Helper()
	if err := Sweep(context.Background(), tiny(), Options{Dir: dir, Backend: backend(t)}); err != nil {
		t.Fatal(err)
	}
	return tables(t, dir)
}

func tables(t testing.TB, dir string) *Run {
	t.Helper()
	r, err := LoadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteTables(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// contents are the files of a run folder, without what may differ between equal runs: wall times, peak memory, locks.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	cost := regexp.MustCompile(`"(wall_s|peak_bytes)": [0-9.e+-]+`)
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ".lock" {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		text := string(b)
		switch {
		case e.Name() == "cell.json":
			text = cost.ReplaceAllString(text, "")
		case rel == "cells.csv":
			lines := strings.Split(strings.TrimSpace(text), "\n")
			for i, l := range lines {
				f := strings.Split(l, ",")
				lines[i] = strings.Join(append(f[:31:31], f[33:]...), ",")
			}
			text = strings.Join(lines, "\n")
		}
		out[rel] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compare(t *testing.T, name string, got, want map[string]string) {
	t.Helper()
	for _, f := range sortedKeys(want) {
		if g, ok := got[f]; !ok {
			t.Errorf("%s: %s is missing", name, f)
		} else if g != want[f] {
			t.Errorf("%s: %s differs", name, f)
		}
	}
	for _, f := range sortedKeys(got) {
		if _, ok := want[f]; !ok {
			t.Errorf("%s: %s is too much", name, f)
		}
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	r := sweep(t, dir)
	if !r.Synthetic() || r.Manifest.Data.Captures != 18 || len(r.Missing) != 0 || len(r.Cells) != len(r.Manifest.Cells) {
		t.Fatalf("%+v, %d cells missing", r.Manifest.Data, len(r.Missing))
	}
	// 3 divisions: three plain controls each; for each of two representations two networks and two controls.
	if n := len(r.Cells); n != 3*(3+2*4) {
		t.Errorf("%d cells, want 33", n)
	}
	seen := map[string]int{}
	for _, c := range r.Cells {
		seen[c.Control]++
		if !c.OK() || len(c.Predictions) != 3 || c.NTrain != 15 || c.NTest != 3 {
			t.Errorf("%s: status %s, %d predictions, trained on %d", c.ID, c.Status, len(c.Predictions), c.NTrain)
		}
		split := r.Splits[c.Split]
		for i, p := range c.Predictions {
			if split.Test[i] != p.CaptureID || slices.Contains(split.Train, p.CaptureID) {
				t.Errorf("%s: prediction %d is for capture %d", c.ID, i, p.CaptureID)
			}
		}
		network := c.Representation == Binned || c.Representation == Order
		if (c.WeightsSHA256 != "") != network || (len(c.History) > 0) != network || c.OptimizerSteps > 0 != network {
			t.Errorf("%s: weights %q, %d epochs, %d steps", c.ID, c.WeightsSHA256, len(c.History), c.OptimizerSteps)
		}
		// One batch of 15 of 64 an epoch; two batches of 8 an epoch.
		if want := map[string]int{"study": 2, "ours": 6}[c.Protocol]; network && c.OptimizerSteps != want {
			t.Errorf("%s: %d optimizer steps, want %d", c.ID, c.OptimizerSteps, want)
		}
		if c.Control == ControlMajority && (!c.Collapsed || c.Accuracy != c.MajorityShare || c.PMajority != 1) {
			t.Errorf("%s: accuracy %g, majority share %g", c.ID, c.Accuracy, c.MajorityShare)
		}
	}
	if seen[""] != 12 || seen[ControlMajority] != 3 || seen[ControlTotals] != 3 || seen[ControlDuration] != 3 || seen[ControlPermuted] != 6 || seen[ControlShuffled] != 6 {
		t.Errorf("cells by control: %v", seen)
	}
	for _, tab := range r.Tables() {
		if !strings.HasPrefix(tab.Name, "accuracy_") {
			continue
		}
		text := string(tab.Markdown())
		for _, want := range []string{"SYNTHETIC", "majority (constant answer)", "totals only", "duration only", "permuted labels", "shuffled time"} {
			if !strings.Contains(text, want) {
				t.Errorf("table %s has no %q:\n%s", tab.Name, want, text)
			}
		}
	}
	want := contents(t, dir)

	t.Run("again", func(t *testing.T) {
		sweep(t, dir)
		compare(t, "a finished run, started again", contents(t, dir), want)
	})
	t.Run("resume", func(t *testing.T) {
		// Stopped after every 7th event, until it is done.
		dir := t.TempDir()
		stops := 0
		for {
			ctx, cancel := context.WithCancel(context.Background())
			n := 0
			err := Sweep(ctx, tiny(), Options{Dir: dir, Backend: backend(t), Progress: func(p Progress) {
				if p.Event.Step > 0 {
					if n++; n == 7 {
						cancel()
					}
				}
			}})
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			stops++
		}
		tables(t, dir)
		if stops < 10 {
			t.Errorf("stopped %d times only", stops)
		}
		compare(t, "stopped and resumed", contents(t, dir), want)
	})
	t.Run("kill", func(t *testing.T) {
		dir := t.TempDir()
		for n := 1; ; n += 9 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledSweep$")
			cmd.Env = append(os.Environ(), "EARSHOT_TEST_KILL="+strconv.Itoa(n), "EARSHOT_TEST_DIR="+dir)
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			if x := new(exec.ExitError); !errors.As(err, &x) || x.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%v: %s", err, out)
			}
		}
		tables(t, dir)
		compare(t, "killed and resumed", contents(t, dir), want)
	})
	t.Run("verify", func(t *testing.T) { verifyCases(t, dir) })
	t.Run("other settings", func(t *testing.T) {
		s := tiny()
		s.Protocols[1].Epochs++
		err := Sweep(context.Background(), s, Options{Dir: dir, Backend: backend(t)})
		if err == nil || !strings.Contains(err.Error(), "the setting epochs differs") {
			t.Errorf("error %v, want one that names the setting", err)
		}
	})
}

// TestKilledSweep is the child of "kill": it kills itself at the given event of the sweep.
func TestKilledSweep(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("EARSHOT_TEST_KILL"))
	if err != nil {
		t.Skip("run by TestSweep")
	}
	n := 0
	err = Sweep(context.Background(), tiny(), Options{Dir: os.Getenv("EARSHOT_TEST_DIR"), Backend: backend(t), Progress: func(Progress) {
		if n++; n == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func verifyCases(t *testing.T, dir string) {
	check := func(name, wantIn string, file string, change func(string) string) {
		t.Helper()
		path := filepath.Join(dir, file)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		is := change(string(was))
		if name != "untouched" && is == string(was) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := os.WriteFile(path, []byte(is), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(path, was, 0o644)
		checks, err := Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		text, _ := json.Marshal(checks)
		if (wantIn == "") != Passed(checks) || !bytes.Contains(text, []byte(wantIn)) {
			t.Errorf("%s: want %q in %s", name, wantIn, text)
		}
	}
	r, err := LoadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Cells, func(c *Cell) bool { return c.Net == "lstm" && c.Control == "" })
	cell := filepath.Join("cells", r.Cells[i].ID)
	check("untouched", "", "cells.csv", func(s string) string { return s })
	check("another answer", "predictions.csv: line 2", filepath.Join(cell, "predictions.csv"), func(s string) string {
		lines := strings.Split(s, "\n")
		f := strings.Split(lines[1], ",")
		f[3] = map[string]string{"song_a": "song_b", "song_b": "song_c", "song_c": "song_a"}[f[3]]
		lines[1] = strings.Join(f, ",")
		return strings.Join(lines, "\n")
	})
	check("another score", "song_", filepath.Join(cell, "predictions.csv"), func(s string) string { return strings.Replace(s, ",0.", ",1.", 1) })
	check("a row less", "rows for 3 test captures", filepath.Join(cell, "predictions.csv"), func(s string) string {
		return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1]
	})
	check("a broken number", "line 2: field 1", filepath.Join(cell, "predictions.csv"), func(s string) string { return strings.Replace(s, "\n", "\nx", 1) })
	check("a better accuracy", "cell.json", filepath.Join(cell, "cell.json"), func(s string) string {
		return regexp.MustCompile(`"accuracy": [0-9.]+`).ReplaceAllString(s, `"accuracy": 0.75`)
	})
	check("other settings", "its settings give the name", filepath.Join(cell, "cell.json"), func(s string) string { return strings.Replace(s, `"epochs": `, `"epochs": 1`, 1) })
	check("other weights", "digest", filepath.Join(cell, weightsName), func(s string) string { return s[:len(s)-1] + string(s[len(s)-1]^1) })
	check("summary", "summary.csv: line 2", "summary.csv", func(s string) string { return strings.Replace(s, "\n", "\n ", 1) })
	check("a table", "tables/guessing.md", "tables/guessing.md", func(s string) string { return strings.Replace(s, "24", "25", 1) })
	check("a split", "predictions.csv", "splits.json", func(s string) string { return strings.Replace(s, `"test": [`, `"test": [99,`, 1) })
}

// A cell that does not fit is refused with its arithmetic, and is run when it is allowed more.
func TestSweepRefused(t *testing.T) {
	dir := t.TempDir()
	s := tiny()
	s.Nets, s.Order, s.Controls = []string{"fcn"}, 0, nil
	s.Protocols = s.Protocols[:1]
	s.Memory = 1 << 20
	if err := Sweep(context.Background(), s, Options{Dir: dir, Backend: backend(t)}); err != nil {
		t.Fatal(err)
	}
	r := tables(t, dir)
	if c := r.Cells[0]; c.Status != StatusRefused || !strings.Contains(c.Reason, "MiB") || c.Predictions != nil {
		t.Errorf("status %s: %s", c.Status, c.Reason)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "tables/refused.md")); err != nil || !strings.Contains(string(b), "the limit is 1.0 MiB") {
		t.Errorf("table of refused cells: %v: %s", err, b)
	}
	s.Memory = 0
	if err := Sweep(context.Background(), s, Options{Dir: dir, Backend: backend(t)}); err != nil {
		t.Fatal(err)
	}
	if c := tables(t, dir).Cells[0]; !c.OK() || c.NTest != 3 {
		t.Errorf("allowed: status %s: %s", c.Status, c.Reason)
	}
	if _, err := os.Stat(filepath.Join(dir, "tables/refused.md")); err == nil {
		t.Error("the table of refused cells outlived them")
	}
}

func TestSweepLocked(t *testing.T) {
	dir := t.TempDir()
	var inner error
	err := Sweep(context.Background(), tiny(), Options{Dir: dir, Backend: backend(t), Progress: func(p Progress) {
		if inner == nil && p.Event == (train.Event{}) {
			inner = Sweep(context.Background(), tiny(), Options{Dir: dir, Backend: backend(t)})
			if inner == nil {
				inner = errors.New("no error")
			}
		}
	}})
	if err != nil || !strings.Contains(inner.Error(), "another earshot") {
		t.Errorf("outer %v, inner %v", err, inner)
	}
}
