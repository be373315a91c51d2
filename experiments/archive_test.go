package experiments

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"earshot/data/synth"
	"earshot/nets/kernel/cpu"
)

// tinyArchive is the study in a second: two problems, a network and MiniRocket, two runs.
func tinyArchive() Study {
	s := Archives
	s.Nets, s.Seeds = []string{"lstm", "fcn", Rocket}, []uint64{1, 2}
	s.Protocols = []Protocol{{Name: "official", Splits: []string{"official"}, Epochs: 2}}
	s.Archive = &Archive{Generate: []synth.Series{
		{Name: "b", Shape: synth.ShapeWave, Classes: 3, Channels: 1, Steps: 48, Train: 8, Test: 10, Bayes: 0.999},
		{Name: "a", Shape: synth.ShapeLink, Classes: 2, Channels: 2, Steps: 32, Train: 12, Test: 15, Bayes: 0.999},
	}}
	return s
}

func runArchive(t *testing.T, s Study, data, dir string) *Run {
	t.Helper()
	if err := Sweep(context.Background(), s, Options{Dir: dir, Data: data, Backend: backend(t)}); err != nil {
		t.Fatal(err)
	}
	r := tables(t, dir)
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	r := runArchive(t, tinyArchive(), "", dir)
	if n := 2 * (2 + 2 + 3*2); len(r.Cells) != n || len(r.Missing) != 0 || !r.Synthetic() {
		t.Fatalf("%d cells, %d missing; want %d", len(r.Cells), len(r.Missing), n)
	}
	for _, c := range r.Cells {
		want, classes := [2]int{24, 30}, 3
		if c.Dataset == "a" {
			classes = 2
		}
		if !c.OK() || c.NTrain != want[0] || c.NTest != want[1] || len(c.Classes) != classes || !strings.HasPrefix(c.Data, "SYNTHETIC:"+c.Dataset+":") {
			t.Errorf("%s: %s, trained on %d, tested on %d, classes %v", c.ID, c.Status, c.NTrain, c.NTest, c.Classes)
		}
		if c.Net == Rocket && c.Control == "" && c.Accuracy < 0.8 {
			t.Errorf("%s: MiniRocket is right on %.2f where 0.999 is possible", c.ID, c.Accuracy)
		}
		if network := c.Net == "fcn" || c.Net == "lstm"; network != (c.Epochs == 2) || network && (c.Normalize != "sample" || c.Batch != 2) {
			t.Errorf("%s: %d epochs, batch %d, normalization %s", c.ID, c.Epochs, c.Batch, c.Normalize)
		}
	}
	checks, err := Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}})
	if err != nil || !Passed(checks) || !slices.ContainsFunc(checks, func(c Check) bool { return c.Name == "leakage audit made again" && c.Detail == "2 data sets" }) {
		t.Errorf("verify: %v, %v", checks, err)
	}
	for i, a := range r.Audits {
		if want := []string{"b", "a"}[i]; a.Split != want || a.Spec != "official" || len(a.Severe()) > 0 || a.NTest != 30 {
			t.Errorf("audit %d: %+v", i, a)
		}
	}

	f, err := os.Open(filepath.Join(dir, "archive.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 1+2*3*2 || strings.Join(rows[0], ",") != "dataset,net,run,seed,n_test,correct,accuracy,published_mean,published_sd,epochs,wall_s" {
		t.Errorf("archive.csv: %d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[2][:5], ","); got != "b,lstm,2,2,30" {
		t.Errorf("archive.csv: second row %s", got)
	}
	for _, want := range []string{"SYNTHETIC data: Accuracy on the official test sets in percent, mean ± standard deviation over 2 runs", "| Mean rank |",
		"Friedman: chi-square", "figures/ranks.png", "99.9 |", "## Leakage audit", "SYNTHETIC data: Leakage audit: what a model reaches that sees one thing beside the shape of the series",
		"| Data set | Severity |", "| a | totals | 30 |", "time (series have none)"} {
		b, err := os.ReadFile(filepath.Join(dir, "report.md"))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("report.md: %q (%v)", want, err)
		}
	}

	// A run that lost cells and its tables goes on to the same bits; the study itself was not changed by running it.
	was := contents(t, dir)
	delete(was, "archive.csv") // has wall times
	for _, i := range []int{3, 5, 8, 17} {
		if err := os.RemoveAll(filepath.Join(dir, "cells", r.Cells[i].ID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, auditName)); err != nil {
		t.Fatal(err)
	}
	runArchive(t, tinyArchive(), "", dir)
	now := contents(t, dir)
	delete(now, "archive.csv")
	compare(t, "resumed", now, was)
	if Archives.Archive.Datasets != nil || Archives.Classes != nil {
		t.Errorf("the study was changed: %+v", Archives)
	}
}

// A folder of the archive: formats side by side, classes of different names and numbers, a problem that cannot be used.
func TestArchiveFolder(t *testing.T) {
	data := t.TempDir()
	write := func(name string, lines ...string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(data, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	series := func(label string, n, seed int) (lines []string) {
		for i := range n {
			l := label
			for s := range 12 {
				l += fmt.Sprintf("\t%.4f", math.Sin(float64(s*(1+len(label)))+0.1*float64(i+seed)))
			}
			lines = append(lines, l)
		}
		return lines
	}
	write("one/Uneven_TRAIN.tsv", "1\t1\t2\t3", "2\t1\t2")
	write("one/Uneven_TEST.tsv", "1\t1\t2\t3")
	write("two/Wave_TRAIN.tsv", append(series("-1", 6, 0), series("1", 6, 0)...)...)
	write("two/Wave_TEST.tsv", append(series("1", 5, 3), series("-1", 5, 3)...)...)
	ts := func(lines []string) []string {
		out := []string{"@problemName Named", "@timeStamps false", "@univariate true", "@classLabel true a bb", "@data"}
		for _, l := range lines {
			label, values, _ := strings.Cut(l, "\t")
			v := strings.ReplaceAll(values, "\t", ",")
			out = append(out, v+":"+v+":"+label) // two channels
		}
		return out
	}
	write("Named_TRAIN.ts", ts(append(series("a", 6, 0), series("bb", 6, 0)...))...)
	write("Named_TEST.ts", ts(append(series("bb", 4, 2), series("a", 4, 2)...))...)

	s := tinyArchive()
	s.Nets, s.Seeds = []string{"lstm", Rocket, MultiRocket}, []uint64{7}
	dir := filepath.Join(t.TempDir(), "run")
	r := runArchive(t, s, data, dir)
	if got := r.Manifest.Settings.Archive.Datasets; !slices.Equal(got, []string{"Named", "Wave"}) || !slices.Equal(r.Manifest.Settings.Classes, []string{"-1", "1", "a", "bb"}) {
		t.Errorf("data sets %v, classes %v", got, r.Manifest.Settings.Classes)
	}
	if sk := r.Manifest.Data.Skipped; len(sk) != 1 || !strings.HasPrefix(sk[0], "Uneven: dataset: ") || !strings.Contains(sk[0], "cut or pad the series to one length") {
		t.Errorf("left out: %v", sk)
	}
	for _, c := range r.Cells {
		if isRocket(c.Net) && c.Control == "" && c.Accuracy != 1 {
			t.Errorf("%s: accuracy %g on waves without noise", c.ID, c.Accuracy)
		}
		if p := c.Predictions[0]; c.Classes[p.True] != map[string]string{"Named": "bb", "Wave": "1"}[c.Dataset] || !strings.HasSuffix(p.Source, "#0") || !strings.Contains(p.Source, "_TEST.ts") {
			t.Errorf("%s: first prediction %+v of classes %v", c.ID, p, c.Classes)
		}
	}
	if checks, err := Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}}); err != nil || !Passed(checks) {
		t.Errorf("verify: %v, %v", checks, err)
	}
	var usage *UsageError
	s.Archive.Datasets = []string{"Wave", "Coffee"}
	if err := Sweep(context.Background(), s, Options{Dir: filepath.Join(t.TempDir(), "x"), Data: data, Backend: backend(t)}); !errors.As(err, &usage) || !strings.Contains(err.Error(), `"Coffee": not in`) {
		t.Errorf("a data set that is not there: %v", err)
	}
	s.Archive.Datasets = []string{"Uneven"}
	if err := Sweep(context.Background(), s, Options{Dir: filepath.Join(t.TempDir(), "x"), Data: data, Backend: backend(t)}); err == nil || errors.As(err, &usage) {
		t.Errorf("the only data set cannot be used: %v", err)
	}
}

func TestArchiveCheck(t *testing.T) {
	for _, s := range []Study{Archives, Archives.Quicker(), tinyArchive()} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
	for want, change := range map[string]func(*Study){
		"unknown network":      func(s *Study) { s.Nets = []string{"alexnet"} },
		"no profile \"tsai2\"": func(s *Study) { s.Profile = "tsai2" },
		"control \"duration\"": func(s *Study) { s.Controls = []string{ControlDuration} },
		"-1 epochs":            func(s *Study) { s.Protocols = []Protocol{{Name: "official", Splits: []string{"official"}, Epochs: -1}} },
		"batch norm by": func(s *Study) {
			s.Protocols = []Protocol{{Name: "official", Splits: []string{"official"}, Evaluate: "test"}}
		},
		"its official split":      func(s *Study) { s.Protocols = []Protocol{{Name: "official", Splits: []string{"random:1"}}} },
		"at least one of each is": func(s *Study) { s.Seeds = nil },
	} {
		s := Archives
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// Published single results on the official split are whole numbers of right answers of the test set.
func TestPublishedScores(t *testing.T) {
	sizes := map[string]float64{"GunPoint": 150, "ItalyPowerDemand": 1029, "ArrowHead": 175, "Coffee": 28, "ECG200": 100, "BME": 150}
	total := 0
	for name, n := range sizes {
		for _, p := range PublishedScores(name) {
			total++
			if p.Mean < 0.78 || p.Mean > 1 || p.SD < 0 || p.SD > 0.03 || p.Runs == 1 && p.SD != 0 || p.Title == "" || p.Paper == "" {
				t.Errorf("%+v", p)
			}
			if p.Net == Rocket || strings.Contains(p.Title, "5 nets") {
				if k := math.Round(p.Mean * n); math.Abs(k/n-p.Mean) > 0.00051 {
					t.Errorf("%s on %s: %.3f is no share of %g", p.Title, name, p.Mean, n)
				}
			}
		}
	}
	if total != 6*10-2 || PublishedScores("BasicMotions") != nil {
		t.Errorf("%d published scores", total)
	}
	for net, want := range map[string]int{"fcn": 2000, "resnet": 1500, "inceptiontime": 1500, "lstm": 0, Rocket: 0} {
		if got := publishedEpochs(net, 50); got != want {
			t.Errorf("%s was published with %d epochs, want %d", net, got, want)
		}
	}
}

// The recipe of the profile holds where the study says nothing; MiniRocket has none.
func TestArchiveRecipe(t *testing.T) {
	for _, c := range []struct {
		net  string
		p    Protocol
		want string
	}{
		{"fcn", Protocol{}, "2000 6 0.001 sample paper"},
		{"inceptiontime", Protocol{Epochs: 250}, "250 64 0.001 sample paper"},
		{"inceptiontime", Protocol{Epochs: 1499, Evaluate: EvaluateSet}, "1499 64 0.001 sample paper training set"},
		{"inceptiontime", Protocol{Epochs: 1500, Evaluate: EvaluateSet}, "1500 64 0.001 sample paper"}, // as published
		{"fcn", Protocol{Evaluate: EvaluateSet}, "2000 6 0.001 sample paper"},
		{"lstm", Protocol{Epochs: 250, Evaluate: EvaluateSet}, "250 6 0.001 sample paper"}, // without batch norm
		{"resnet", Protocol{Epochs: 3, Batch: 9, LR: 0.01, Normalize: "none"}, "3 9 0.01 none paper"},
		{Rocket, Protocol{Epochs: 250, Normalize: "sample"}, "0 0 0 none"},
	} {
		s := Settings{Profile: "paper"}
		if err := s.train(c.net, c.p, 60); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s.Epochs, s.Batch, s.LR, " ", s.Normalize, " ", s.Profile, " ", s.Evaluate); strings.TrimSpace(got) != c.want {
			t.Errorf("%s under %+v: %s, want %s", c.net, c.p, got, c.want)
		}
	}
}

// Statistics of the training set change how a network with batch norm is tested, not how it is trained.
func TestEvaluateSet(t *testing.T) {
	s := tinyArchive()
	s.Nets, s.Controls, s.Seeds = []string{"fcn", "lstm"}, nil, []uint64{1}
	s.Archive.Generate = s.Archive.Generate[:1]
	running := runArchive(t, s, "", t.TempDir()).Cells
	s.Protocols[0].Evaluate = EvaluateSet
	r := runArchive(t, s, "", t.TempDir())
	for i, c := range r.Cells {
		was := running[i]
		if !slices.Equal(c.History, was.History) {
			t.Errorf("%s: trained otherwise", c.Net)
		}
		if same := c.WeightsSHA256 == was.WeightsSHA256 && reflect.DeepEqual(c.Predictions, was.Predictions); same != (c.Net == "lstm") || (c.Evaluate == EvaluateSet) == same {
			t.Errorf("%s: the same weights and scores: %v; tested by %q", c.Net, same, c.Evaluate)
		}
		if c.ID == was.ID != (c.Net == "lstm") {
			t.Errorf("%s and %s", c.ID, was.ID)
		}
	}
	b, err := os.ReadFile(filepath.Join(r.Dir, "report.md"))
	for _, want := range []string{"batch norm tested by: training set", "replaced, after training and before any test, by the statistics of the whole training set"} {
		if err != nil || strings.Count(string(b), want) != 1 { // the LSTM has none
			t.Errorf("report.md: %q (%v)", want, err)
		}
	}
}

func TestBeside(t *testing.T) {
	group := func(n int, acc ...float64) Group {
		var cells []*Cell
		for _, a := range acc {
			c := &Cell{Status: StatusOK, Settings: Settings{Classes: []string{"a", "b"}}}
			for i := range n {
				c.Predictions = append(c.Predictions, Prediction{Predicted: map[bool]int{true: 0, false: 1}[i < int(math.Round(a*float64(n)))]})
			}
			c.score(make([]int, 100))
			cells = append(cells, c)
		}
		return Summarize(cells, nil)[0]
	}
	single, five := PublishedSource{Runs: 1}, PublishedSource{Runs: 5}
	for _, c := range []struct {
		name string
		g    Group
		p    PublishedScore
		want string
	}{
		// One run: the exact interval of 90 of 100 is 82.4 to 95.1 %.
		{"one run, inside", group(100, 0.9), PublishedScore{Mean: 0.825, PublishedSource: single}, withinNoise},
		{"one run, above", group(100, 0.9), PublishedScore{Mean: 0.82, PublishedSource: five}, isHigher},
		{"one run, below", group(100, 0.9), PublishedScore{Mean: 0.96, PublishedSource: five}, isLower},
		// Equal runs: one test series of 150 and half a digit are the only noise.
		{"equal runs, one series", group(150, 148.0/150, 148.0/150), PublishedScore{Mean: 0.993, PublishedSource: single}, withinNoise},
		{"equal runs, two series", group(150, 147.0/150, 147.0/150), PublishedScore{Mean: 0.993, PublishedSource: single}, isLower},
		// Standard deviations of 1 point over 3 and 5 runs: Welch's half width is 2.69 sqrt(1/3 + 1/5) = 1.97 points (4.34 degrees).
		{"Welch, inside", group(1000, 0.90, 0.91, 0.92), PublishedScore{Mean: 0.926, SD: 0.01, PublishedSource: five}, withinNoise},
		{"Welch, outside", group(1000, 0.90, 0.91, 0.92), PublishedScore{Mean: 0.931, SD: 0.01, PublishedSource: five}, isLower},
		// One published result: 4.303 sqrt(1/3+1) = 4.97 points.
		{"prediction, inside", group(1000, 0.90, 0.91, 0.92), PublishedScore{Mean: 0.955, PublishedSource: single}, withinNoise},
		{"prediction, outside", group(1000, 0.90, 0.91, 0.92), PublishedScore{Mean: 0.965, PublishedSource: single}, isLower},
	} {
		if got := beside(c.g, c.p); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Models with the same answers are alike; one that misses 12 of 30 that the best has right is not.
func TestUnlikeBest(t *testing.T) {
	group := func(right int) Group {
		c := &Cell{}
		for i := range 30 {
			c.Predictions = append(c.Predictions, Prediction{Predicted: map[bool]int{true: 0, false: 1}[i < right]})
		}
		return Group{Mean: float64(right) / 30, Cells: []*Cell{c}}
	}
	best, unlike := unlikeBest([]Group{group(18), group(30), group(27), group(30)})
	if best != 1 || !slices.Equal(unlike, []bool{true, false, false, false}) {
		t.Errorf("best %d, unlike %v", best, unlike)
	}
}

// A leak is what lifts permuted labels above the constant answer time and again, not once.
func TestPermutedLabels(t *testing.T) {
	group := func(acc ...float64) Group {
		g := Group{Settings: Settings{Control: ControlPermuted}}
		for _, a := range acc {
			g.Cells = append(g.Cells, &Cell{Result: Result{Accuracy: a, MajorityShare: 0.5}})
		}
		return g
	}
	if acc, constant, p := permutedLabels([]Group{group(0.6, 0.7, 0.65), group(0.55, 0.8, 0.9)}); math.Abs(acc-0.7) > 1e-9 || constant != 0.5 || p != 0.03125 {
		t.Errorf("always above: %g, %g, p %g", acc, constant, p)
	}
	if _, _, p := permutedLabels([]Group{group(0.99, 0.3, 0.4), group(0.45, 0.51, 0.6)}); p < 0.5 {
		t.Errorf("once far above: p %g", p)
	}
	if _, _, p := permutedLabels([]Group{group(0.9), {Cells: []*Cell{{}}}}); !math.IsNaN(p) {
		t.Errorf("one permutation: p %g", p)
	}
}

// MiniRocket on the official splits gives what its authors published.
func TestArchivePack(t *testing.T) {
	root := os.Getenv("EARSHOT_PACKS")
	if root == "" {
		t.Skip("set EARSHOT_PACKS to the folder that holds the unpacked data packs")
	}
	data := filepath.Join(root, "ucr_6")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("%s is not unpacked", data)
	}
	s := Archives
	s.Nets = []string{Rocket}
	r := runArchive(t, s, data, t.TempDir())
	compared := 0
	for _, g := range r.Summary() {
		if p, ok := publishedScore(g.Dataset, g.Net); ok && g.Control == "" {
			compared++
			if word := beside(g, p); word != withinNoise {
				t.Errorf("%s: %.4f ± %.4f, published %.3f: %s", g.Dataset, g.Mean, g.SD, p.Mean, word)
			}
		}
	}
	if compared != 6 || len(r.Manifest.Settings.Archive.Datasets) != 7 {
		t.Errorf("%d of 6 compared; data sets %v", compared, r.Manifest.Settings.Archive.Datasets)
	}
}

// A cell of a rocket keeps to the backend's threads, and has the same bits at any number of them.
func TestRocketThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16)) // unbounded, a cell would take them all
	s, err := openSource(tinyArchive(), "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	it := items[slices.IndexFunc(items, func(it item) bool { return it.settings.Net == Rocket && it.settings.Control == "" })]
	var first []Prediction
	for threads := 1; threads <= 3; threads++ {
		be, err := cpu.Open("ref", threads)
		if err != nil {
			t.Fatal(err)
		}
		stop, most := make(chan bool), make(chan int)
		before := runtime.NumGoroutine() + 1 // with the one that counts
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					most <- n
					return
				default:
					n = max(n, runtime.NumGoroutine())
					runtime.Gosched()
				}
			}
		}()
		c, err := s.make(context.Background(), be, it, t.TempDir(), nil)
		close(stop)
		if err != nil || !c.OK() {
			t.Fatalf("%v %+v", err, c)
		}
		more := <-most - before
		if first == nil {
			first = c.Predictions
		}
		if more > threads+2 { // others may run finalizers
			t.Errorf("%d threads: %d goroutines beside", threads, more)
		}
		if !reflect.DeepEqual(c.Predictions, first) {
			t.Errorf("%d threads: other predictions than 1", threads)
		}
	}
}
