package experiments

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"earshot/data/dataset/npz"
	"earshot/train"
)

// madeUpRun is a run folder without training: two networks on two steps and the order-only representation, protocols of
// one and of three repeats, the controls, one refused cell and one that is missing. Its answers are a formula.
func madeUpRun(t *testing.T, synthetic bool) *Run {
	t.Helper()
	dir := t.TempDir()
	classes := []string{"a<b", "song & dance", "three"}
	study := Songs
	study.Classes, study.Nets, study.StepsUS, study.Quick, study.Points = classes, []string{"fcn", "lstm"}, []int64{1_000_000, 100_000}, true, []int{30}
	study.Protocols = []Protocol{
		{Name: "study", Splits: []string{"random:1"}, Epochs: 3, Batch: 64, DropLast: true, Normalize: "none", LR: 1e-3},
		{Name: "ours", Splits: []string{"stratified:3"}, Epochs: 3, Batch: 16, Normalize: "train", LR: 1e-3},
	}
	r := &Run{Dir: dir, Manifest: Manifest{Format: FolderFormat, Study: "songs", Settings: study,
		Data: DataInfo{Name: "made up", Origin: "a formula", Captures: 30, Synthetic: synthetic}, Cells: []string{"missing"}}, Missing: []string{"missing"}}
	for i := range 30 {
		r.Captures = append(r.Captures, Capture{ID: int64(i), Source: fmt.Sprint("c", i), Class: i % 3, DurationUS: int64(50+i%7) * 1_000_000, Packets: 9, BytesDown: 1e6})
	}
	add := func(p Protocol, split int, control, representation, net string, step int64, right int) {
		c := &Cell{Format: FolderFormat, Status: StatusOK, Settings: Settings{Study: "songs", Control: control, Label: "song", Classes: classes,
			Representation: representation, Net: net, Profile: "tsai", Protocol: p.Name, Normalize: p.Normalize, StepUS: step, DurationUS: 60_000_000,
			Points: 30, SplitSpec: p.Splits[0], Split: fmt.Sprint("s", split), Epochs: p.Epochs, Batch: p.Batch, DropLast: p.DropLast}}
		c.ID = fmt.Sprintf("%s%s%s%d-%s%d", control, net, representation, step, p.Name, split)
		for i := range 12 {
			q := Prediction{CaptureID: int64(i), True: i % 3, Predicted: i % 3, Scores: []float32{1, 0, 0}}
			if i >= right {
				q.Predicted = 0
			}
			c.Predictions = append(c.Predictions, q)
		}
		train3 := []int{0, 1, 2, 0, 1, 2}
		c.score(train3)
		if net != "" {
			c.Params, c.OptimizerSteps, c.TrainAccuracy = 1000, 3, 0.5
			for e := range 3 {
				c.History = append(c.History, train.Epoch{Epoch: e + 1, Steps: e + 1, Loss: 1 / float64(e+1+split), TrainAccuracy: 0.3 * float64(e+1)})
			}
		}
		r.Cells, r.Manifest.Cells = append(r.Cells, c), append(r.Manifest.Cells, c.ID)
	}
	for n, p := range study.Protocols {
		for split := range 1 + 2*n {
			for _, control := range []string{ControlMajority, ControlTotals, ControlDuration} {
				add(p, split, control, control, "", 0, 2)
			}
			for k, net := range study.Nets {
				add(p, split, "", Order, net, 0, 4)
				add(p, split, "", Binned, net, 1_000_000, 6+split-5*k)
				add(p, split, "", Binned, net, 100_000, 11-11*k)
			}
			add(p, split, ControlPermuted, Binned, "fcn", 100_000, 3+split%2)
		}
	}
	r.Cells = append(r.Cells, &Cell{ID: "refused", Status: StatusRefused, Reason: "needs 5 GiB of 4 GiB",
		Settings: Settings{Study: "songs", Classes: classes, Label: "song", Net: "fcn", Profile: "tsai", Protocol: "study", SplitSpec: "random:1", Representation: Binned, StepUS: 1000, Points: 30}})

	x := make([]float32, 30*600)
	y := make([]int64, 30)
	for i := range y {
		y[i] = int64(i % 3)
		for s := 0; s < 600; s += 100 {
			x[i*600+s+int(y[i])*10] = float32(300_000 + 1000*i)
		}
	}
	if err := npz.Write(filepath.Join(dir, "series.npz"), npz.Named{Name: "X", Array: npz.Float32(x, 30, 1, 600)}, npz.Named{Name: "y", Array: npz.Int64(y)},
		npz.Named{Name: "classes", Array: npz.Strings(classes)}, npz.Named{Name: "step_us", Array: npz.Scalar(100_000)}); err != nil {
		t.Fatal(err)
	}
	packets := writeCSV(packetColumns, func(add func(...string)) {
		for k, class := range classes {
			for i := range 6 {
				add(class, fmt.Sprint(k), "c", fmt.Sprint(i+1), fmt.Sprint(i*10_000_000+k), "server-1", "client-1", "443", "50000", "17", fmt.Sprint(2-i%2), "1200", "1228", "1242")
			}
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "packets.csv"), packets, 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReport(t *testing.T) {
	r := madeUpRun(t, true)
	if err := os.MkdirAll(filepath.Join(r.Dir, "figures"), 0o755); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(r.Dir, "figures", "stale.pdf")
	if err := os.WriteFile(stale, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a figure of an earlier state is left")
	}
	for _, name := range []string{"accuracy_study_random-1", "accuracy_ours_stratified-3", "confusion_ours_stratified-3_100ms", "confusion_study_random-1_order",
		"learning_ours_stratified-3", "burst", "series", "durations", "correlation_classes", "correlation_captures", "correlation_lag"} {
		for _, format := range []string{"pdf", "svg", "png"} {
			if b, err := os.ReadFile(filepath.Join(r.Dir, "figures", name+"."+format)); err != nil || len(b) == 0 {
				t.Errorf("%s.%s: %d bytes, %v", name, format, len(b), err)
			}
		}
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(r.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	html, md := read("report.html"), read("report.md")
	for _, want := range []string{"SYNTHETIC DATA", "The run is not complete: 1 of ", "1 cells refused", "needs 5 GiB of 4 GiB", "Protocol ours, splits stratified:3",
		"From 1 s to 100 ms the mean accuracy changes by these points: FCN ", "one answer to every test capture", "This is a quick run"} {
		if !strings.Contains(html, want) || !strings.Contains(md, want) {
			t.Errorf("%q: in report.html %t, in report.md %t", want, strings.Contains(html, want), strings.Contains(md, want))
		}
	}
	// The page stands alone: nothing is loaded from elsewhere, and names from the data are text.
	if m := regexp.MustCompile(`(src|href)="(https?:)?//[^"]*"|<script|<link|@import|url\(`).FindString(html); m != "" {
		t.Errorf("report.html loads %q", m)
	}
	if strings.Contains(html, "<b</") || !strings.Contains(html, "a&lt;b") || !strings.Contains(html, "song &amp; dance") {
		t.Error("class names are not escaped in report.html")
	}
	if n := strings.Count(html, "<svg "); n != strings.Count(html, "<figure ") || n == 0 || strings.Contains(html, "<?xml") {
		t.Errorf("%d figures inside the page", n)
	}
	for _, m := range regexp.MustCompile(`!\[[^]]*\]\(([^)]*)\)`).FindAllStringSubmatch(md, -1) {
		if _, err := os.Stat(filepath.Join(r.Dir, m[1])); err != nil {
			t.Errorf("report.md shows %v", err)
		}
	}
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	if read("report.html") != html || read("report.md") != md {
		t.Error("the second report differs from the first")
	}
}

func TestReportOfRecordedData(t *testing.T) {
	r := madeUpRun(t, false)
	figures, err := r.Figures()
	if err != nil {
		t.Fatal(err)
	}
	svgs := map[string][]byte{}
	for _, f := range figures {
		if f.Synthetic {
			t.Errorf("%s says SYNTHETIC", f.Name)
		}
		svgs[f.Name] = []byte("<svg width=\"1\" height=\"1\"></svg>")
	}
	html, err := r.document(figures).html(svgs)
	if err != nil || bytes.Contains(html, []byte("SYNTHETIC")) {
		t.Errorf("the report says SYNTHETIC (%v)", err)
	}
}

// A run that was stopped before its first cell still gives a report.
func TestReportOfNothing(t *testing.T) {
	r := madeUpRun(t, true)
	r.Cells, r.Missing = nil, r.Manifest.Cells
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
}

// With many classes the maps of captures draw the first of each class only.
func TestThin(t *testing.T) {
	c := Correlations{Order: make([]int, 9), Ends: []int{4, 5, 9}}
	for _, k := range []struct {
		n          int
		rows, ends string
	}{{9, "[0 1 2 3 4 5 6 7 8]", "[4 5 9]"}, {6, "[0 1 4 5 6]", "[2 3 5]"}, {1, "[0 4 5]", "[1 2 3]"}} {
		rows, ends := c.thin(k.n)
		if fmt.Sprint(rows) != k.rows || fmt.Sprint(ends) != k.ends {
			t.Errorf("thin(%d) = %v %v, want %s %s", k.n, rows, ends, k.rows, k.ends)
		}
	}
}
