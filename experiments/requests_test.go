package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"earshot/data/dataset"
	"earshot/data/features"
	"earshot/data/trace"
	"earshot/train/classical"
	"earshot/train/metrics"
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
		fmt.Sprint(classicModel, PartBins, ""): 2 * 4, fmt.Sprint(network, "", ""): 2, fmt.Sprint(rocket, "", ""): 2, fmt.Sprint(network, "", ControlPermuted): 2,
		fmt.Sprint(network, "", ControlShuffled): 2, fmt.Sprint(plain, "", ControlMajority): 8, fmt.Sprint(plain, "", ControlTotals): 8, fmt.Sprint(plain, "", ControlDuration): 8,
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

// A cell is what the library's own search gives, without the twins that the study leaves out.
func TestFitClassical(t *testing.T) {
	study := tinyRequests()
	s, err := openSource(study, "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tcptrace", "histogram"} {
		i := slices.IndexFunc(items, func(it item) bool {
			return it.settings.Net == "forest" && it.settings.Representation == name && it.settings.Control == "" && it.settings.Protocol == "ours"
		})
		it := items[i]
		c, err := s.make(context.Background(), backend(t), it, t.TempDir(), nil)
		if err != nil || !c.OK() {
			t.Fatalf("%v %s", err, c.Reason)
		}
		x, err := features.New(it.settings.Features.Sets, features.Options{Size: trace.IP, Set: it.settings.Features.Set})
		if err != nil {
			t.Fatal(err)
		}
		x.Train(it.split.Train)
		m, err := x.Extract(func(f func(features.Item, *trace.Trace) error) error {
			return s.set.Each(s.ids, func(c *dataset.Capture, t *trace.Trace) error { return f(features.Item{ID: c.ID}, t) })
		})
		if err != nil {
			t.Fatal(err)
		}
		all := classical.Matrix{N: m.N, F: m.F, X: m.X}
		rows, _ := s.rowsFor(it.split.Train)
		test, _ := s.rowsFor(it.split.Test)
		y := s.classes(rows)
		p := classical.Point{Model: "forest", Settings: map[string]string{"n_estimators": "5"}, Scale: true}
		search := classical.Search{Seed: seed("classical", "forest", "", name, 45, it.settings.Split, it.settings.Seed),
			Points: classical.Grid(p, map[string][]string{"criterion": {"gini", "entropy"}, "max_features": {"sqrt", "log2"}})}
		folds, err := classical.StratifiedKFold(y, 3, rand.New(rand.NewPCG(seed("inner folds", 45, it.settings.Split, it.settings.Seed), 0)))
		if err != nil {
			t.Fatal(err)
		}
		found, err := search.Run(all.Rows(rows), y, 3, folds)
		if err != nil {
			t.Fatal(err)
		}
		best := search.Points[found.Best]
		if !reflect.DeepEqual(best.Settings, c.Chosen) || found.Mean[found.Best] != c.Inner {
			t.Errorf("%s: the search chose %v with %g, the cell %v with %g", name, best.Settings, found.Mean[found.Best], c.Chosen, c.Inner)
		}
		model, err := best.New(search.Seed, 1)
		if err == nil {
			err = model.Fit(all.Rows(rows), y, 3)
		}
		if err != nil {
			t.Fatal(err)
		}
		pred := model.Predict(all.Rows(test))
		for i, q := range c.Predictions {
			if q.Predicted != pred[i] {
				t.Errorf("%s: capture %d: %d, want %d", name, q.CaptureID, q.Predicted, pred[i])
			}
		}
	}
}

func TestGrids(t *testing.T) {
	for _, c := range []struct {
		model         string
		p, all, fewer int
	}{{"tree", 22, 2, 2}, {"forest", 22, 4, 2}, {"forest", 52, 4, 4}, {"svm_linear", 52, 5, 5}, {"svm_rbf", 52, 30, 30}, {"svm_rbf", 100, 30, 20}, {"knn", 30, 24, 24}, {"mlp", 30, 6, 6}} {
		m := models[c.model]
		axes := map[string][]string{}
		for name, values := range m.grid {
			axes[name] = strings.Split(values, "|")
		}
		points := classical.Grid(classical.Point{Model: m.model}, axes)
		different := map[string]bool{}
		for _, p := range points {
			set := map[string]string{}
			for name, v := range p.Settings {
				set[name] = resolve(name, v, c.p)
			}
			different[fmt.Sprint(set)] = true
			if c.model == "mlp" {
				continue // a network, made elsewhere
			}
			if _, err := classical.New(p.Model, set); err != nil {
				t.Errorf("%s %v: %v", c.model, set, err)
			}
		}
		if len(points) != c.all || len(different) != c.fewer || m.grid.combinations() != c.all {
			t.Errorf("%s with %d features: %d points, %d different, %d counted; want %d, %d", c.model, c.p, len(points), len(different), m.grid.combinations(), c.all, c.fewer)
		}
	}
	if got := resolve("gamma", "0.1/p", 50); got != "0.002" {
		t.Errorf("0.1/p of 50 features is %s", got)
	}
}

// Edges of the whole data set move when a test capture holds a larger value; edges of the training set do not.
func TestEdges(t *testing.T) {
	s, err := openSource(tinyRequests(), "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	train := s.ids[:30]
	table := func(edges string, train []int64) *tableValue {
		f, err := FeatureSet{Sets: "histogram", Keep: []string{"iat_"}}.features(Protocol{Edges: edges})
		if err != nil {
			t.Fatal(err)
		}
		tab, err := s.table(f, train)
		if err != nil {
			t.Fatal(err)
		}
		return &tableValue{tab.x.X, tab.names}
	}
	before := [2]*tableValue{table(EdgesDataset, train), table(EdgesTrain, train)}
	if len(before[0].names) != 15 || !strings.HasPrefix(before[0].names[0], "iat_") {
		t.Errorf("columns kept: %v", before[0].names)
	}
	packets := s.tables.traces[44].Packets
	for i := range packets[len(packets)/2:] {
		packets[len(packets)/2+i].Time += 60_000_000 // a minute of silence in a test capture
	}
	s.tables.made, s.tables.order = nil, nil
	after := [2]*tableValue{table(EdgesDataset, train), table(EdgesTrain, train)}
	rows := 30 * 15
	if reflect.DeepEqual(before[0].x[:rows], after[0].x[:rows]) {
		t.Error("edges of the data set: a test capture's silence left the training rows as they were")
	}
	if !reflect.DeepEqual(before[1].x[:rows], after[1].x[:rows]) {
		t.Error("edges of the training set: a test capture's silence changed the training rows")
	}
}

type tableValue struct {
	x     []float64
	names []string
}

// What the study prints follows from what it prints (EC-50): its intervals are those of the unpaired t test.
func TestPublishedRequests(t *testing.T) {
	p := Requests.Published.Requests
	if len(p.Models) != 18 || len(p.Bins) != 7 {
		t.Fatalf("%d models, %d rows of bins", len(p.Models), len(p.Bins))
	}
	for _, want := range []struct {
		a, b         string
		p, low, high float64
	}{{"tcptrace", "combined", 0.427, -0.4869, 0.2069}, {"sizes", "histogram", 0, -1.23, -0.17}} {
		a, _ := p.ablation(want.a)
		b, _ := p.ablation(want.b)
		d, err := metrics.StudentT(sample(a.Mean, a.SD, 100), sample(b.Mean, b.SD, 100), level)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(100*d.CILow-want.low) > 0.006 || math.Abs(100*d.CIHigh-want.high) > 0.006 || want.p > 0 && math.Abs(d.P-want.p) > 0.0006 {
			t.Errorf("%s - %s: p %.4f, %.4f to %.4f; printed %+v", want.a, want.b, d.P, 100*d.CILow, 100*d.CIHigh, want)
		}
	}
	for _, m := range p.Confusion { // each row is 26 test captures; the diagonal gives the accuracy of Table II
		right := 0.0
		for i, row := range m.Counts {
			sum := 0.0
			for _, v := range row {
				sum += v
			}
			right += row[i]
			if math.Abs(sum-26) > 0.011 {
				t.Errorf("%s: row %s adds up to %.2f", m.Set, m.Classes[i], sum)
			}
		}
		if best, _ := p.Model(m.Set, "forest"); math.Abs(right/156-best.Mean) > 0.0001 {
			t.Errorf("%s: the matrix gives %.4f, Table II %.4f", m.Set, right/156, best.Mean)
		}
	}
}

func TestComparisons(t *testing.T) {
	r := &Run{Manifest: Manifest{Settings: Requests}}
	group := func(right ...int) Group {
		g := Group{NTrain: 40, NTest: 10}
		for i, n := range right {
			c := &Cell{Settings: Settings{Split: fmt.Sprint("s", i)}}
			for k := range 10 {
				c.Predictions = append(c.Predictions, Prediction{Predicted: map[bool]int{true: 0, false: 1}[k < n]})
			}
			c.Accuracy = float64(n) / 10
			g.Cells = append(g.Cells, c)
		}
		return g
	}
	a, b := group(9, 8, 7, 9), group(6, 8, 5)
	c := compareGroups(featureFold{}, "sets", a, b)
	x, y := []float64{0.9, 0.8, 0.7}, []float64{0.6, 0.8, 0.5} // the fourth split has no twin
	if !reflect.DeepEqual(c.x, x) || !reflect.DeepEqual(c.y, y) {
		t.Fatalf("pairs %v %v", c.x, c.y)
	}
	want := map[string]metrics.Test{}
	want["student"], _ = metrics.StudentT(x, y, level)
	want["welch"], _ = metrics.Welch(x, y, level)
	want["paired"], _ = metrics.PairedT(x, y, level)
	want["corrected"], _ = metrics.Corrected(x, y, 40, 10, level)
	want["wilcoxon"], _ = metrics.Wilcoxon(x, y, level)
	want["sign"], _ = metrics.Sign(x, y, level)
	want["mcnemar"], _ = metrics.McNemar(3, 0, 10, level)
	for _, test := range c.tests {
		if fmt.Sprint(test.Test) != fmt.Sprint(want[test.name]) {
			t.Errorf("%s: %v, want %v", test.name, test.Test, want[test.name])
		}
	}
	if n := len(c.tests); n != 7 {
		t.Errorf("%d tests", n)
	}
	if one := compareGroups(featureFold{}, "sets", group(9), group(6)); !math.IsNaN(one.tests[0].P) || math.IsNaN(one.tests[6].P) {
		t.Errorf("one split: %v", one.tests)
	}
	if got := r.setNames(); !slices.Equal(got, []string{"tcptrace", "histogram", "combined"}) {
		t.Errorf("sets %v", got)
	}
}
