package plots

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
)

var update = flag.Bool("update", false, "rewrite the golden images of this package")

// goldenDPI keeps the images small; at 100 dpi a point of type is still 1.4 pixels.
const goldenDPI = 100

// Every kind of figure against its golden image. Look at the new image before committing it:
//
//	go test ./plots -update && git diff --stat
func TestGolden(t *testing.T) {
	for name, f := range demos() {
		t.Run(name, func(t *testing.T) {
			f.Synthetic = strings.HasPrefix(name, "accuracy")
			got, err := f.png(goldenDPI)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".png")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; run go test -update once", err)
			}
			if msg := differ(t, got, want); msg != "" {
				out := filepath.Join(t.ArtifactDir(), name+".png")
				os.WriteFile(out, got, 0o644)
				t.Errorf("%s: %s; the new image is %s", path, msg, out)
			}
		})
	}
}

// differ compares two images: processors round differently, which may move an edge by a shade, but a moved label or line
// changes far more than one pixel in 500 by more than an eighth of the range.
func differ(t *testing.T, a, b []byte) string {
	t.Helper()
	decode := func(b []byte) image.Image {
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	x, y := decode(a), decode(b)
	if x.Bounds() != y.Bounds() {
		return "size " + x.Bounds().String() + ", want " + y.Bounds().String()
	}
	changed := 0
	for j := range x.Bounds().Dy() {
		for i := range x.Bounds().Dx() {
			r, g, b, _ := x.At(i, j).RGBA()
			r2, g2, b2, _ := y.At(i, j).RGBA()
			d := max(math.Abs(float64(r)-float64(r2)), math.Abs(float64(g)-float64(g2)), math.Abs(float64(b)-float64(b2)))
			if d > 0xffff/8 {
				changed++
			}
		}
	}
	if changed*500 > x.Bounds().Dx()*x.Bounds().Dy() {
		return "more than one pixel in 500 differs"
	}
	return ""
}

func TestSameBytes(t *testing.T) {
	for _, name := range []string{"accuracy", "lag", "burst"} {
		for _, format := range Formats {
			a, err := demos()[name].Encode(format)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := demos()[name].Encode(format)
			if !bytes.Equal(a, b) {
				t.Errorf("%s as %s: two encodings differ", name, format)
			}
			if format == "pdf" && bytes.Contains(a, []byte(time.Now().Format("D:20060102"))) {
				t.Errorf("%s: the PDF holds today's date", name)
			}
		}
	}
}

// The type of the whole figure must be in the PDF, as publishers refuse files that only name their fonts.
func TestPDFEmbedsFonts(t *testing.T) {
	b, err := demoCorrelation(3).Encode("pdf")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte("/FontFile2")) || bytes.Contains(b, []byte("/Subtype /Type1")) {
		t.Error("a font is not embedded")
	}
	if len(b) > 100_000 {
		t.Errorf("%d bytes: the fonts were not cut to the letters used", len(b))
	}
}

func TestPNGHasItsSize(t *testing.T) {
	b, err := demoLag().Encode("png")
	if err != nil {
		t.Fatal(err)
	}
	// 300 dpi are 11811 pixels per meter.
	if !bytes.Contains(b, []byte("pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01")) {
		t.Error("no chunk pHYs of 300 dpi")
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Bounds().Dx(); w != 1005 {
		t.Errorf("%d pixels wide, want 3.35 in x 300 dpi = 1005", w)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.svg")
	if err := Save(demoLag(), path); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		f    *Figure
		path string
		want string
	}{
		{demoLag(), filepath.Join(dir, "a.jpg"), `unknown format "jpg"`},
		{&Figure{}, filepath.Join(dir, "b.pdf"), "without panels"},
		{CorrelationMap(nil, nil), filepath.Join(dir, "b.pdf"), "without panels"},
		{AccuracyVsStep(), filepath.Join(dir, "b.pdf"), "without panels"},
		{Burst(), filepath.Join(dir, "b.pdf"), "without panels"},
		{CriticalDifference(nil, nil, 1), filepath.Join(dir, "b.pdf"), "without panels"},
	} {
		if err := Save(bad.f, bad.path); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.path, err, bad.want)
		}
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 {
		t.Errorf("%d files left, want a.svg alone", len(left))
	}
}

// Odd values must draw something, never panic: a run that was stopped has cells of one repeat, one step or none.
func TestOddValues(t *testing.T) {
	nan := math.NaN()
	for name, f := range map[string]*Figure{
		"one point":      AccuracyVsStep(AccuracyCurve{Lines: []AccuracyLine{{"fcn", []AccuracyPoint{{Step: time.Second, Mean: .5, Low: nan, High: nan}}}}}),
		"no lines":       AccuracyVsStep(AccuracyCurve{}),
		"order alone":    AccuracyVsStep(AccuracyCurve{Lines: []AccuracyLine{{"fcn", []AccuracyPoint{{Mean: .5}}}}}),
		"no number":      AccuracyVsStep(AccuracyCurve{Lines: []AccuracyLine{{"fcn", []AccuracyPoint{{Step: time.Second, Mean: nan}}}}}),
		"NaN cells":      CorrelationMap([]string{"a", "b"}, [][]float64{{1, nan}, {nan, nan}}),
		"empty row":      ConfusionMatrix([]string{"a", "b"}, Confusion{Counts: [][]float64{{1, 0}, {0, 0}}}),
		"one class":      BlockMap([]string{"a"}, []int{1}, [][]float64{{1}}),
		"one epoch":      LearningCurves([]LearningPanel{{Lines: []LearningLine{{Name: "fcn", Epoch: []float64{1}, Mean: []float64{1}}}}}),
		"no curve":       LearningCurves([]LearningPanel{{}}),
		"silent capture": Burst(BurstPanel{Name: "a", Step: time.Second, Down: make([]float64, 60)}),
		"no step":        Burst(BurstPanel{Name: "a", Step: time.Second}),
		"no capture":     Durations([]string{"a"}, [][]float64{nil}, 0),
		"zero length":    Durations([]string{"a"}, [][]float64{{0, 0}}, 0),
		"one model":      CriticalDifference([]Ranked{{"a", 1}}, nil, 0),
		"equal ranks":    CriticalDifference([]Ranked{{"a", 1.5}, {"b", 1.5}}, [][]int{{0, 1}}, 5),
		"no bytes":       SeriesMap([]string{"a"}, []int{1}, [][]float64{{0, 0}}, time.Second),
	} {
		if _, err := f.Encode("svg"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRounded(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0, 60, 8, "0 10 20 30 40 50 60"},
		{0, 1.72, 6, "0 0.5 1 1.5"},
		{-0.3, 0.3, 8, "−0.3 −0.2 −0.1 0 0.1 0.2 0.3"},
		{1, 25, 8, "5 10 15 20 25"},
		{0, 1e6, 6, "0 200000 400000 600000 800000 1e+06"},
	} {
		var got []string
		for _, k := range (rounded{c.n}).Ticks(c.lo, c.hi) {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks of [%g, %g]: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

// Below and above 0 a round value is marked, unless its label would lie over that of 0.
func TestMirrored(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{-10, 10, "0 10 10"},
		{-1.9, 1.9, "0 1.5 1.5"},
		{-16, 43, "0 40 15"},
		{-14, 43, "0 40"},
		{0, 0.39, "0 0.3"},
	} {
		var got []string
		for _, k := range (mirrored{}).Ticks(c.lo, c.hi) {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks of [%g, %g]: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

// Names of lines that lie close are pushed apart and stay in order; names that have room stay where they are.
func TestSpread(t *testing.T) {
	for _, c := range []struct{ in, want []vg.Length }{
		{[]vg.Length{0, 20, 40}, []vg.Length{0, 20, 40}},
		{[]vg.Length{10, 10}, []vg.Length{5, 15}},
		{[]vg.Length{0, 12, 14}, []vg.Length{-4. / 3, 26. / 3, 56. / 3}},
		{[]vg.Length{0, 8, 9}, []vg.Length{-13. / 3, 17. / 3, 47. / 3}},
	} {
		got := spread(c.in, 10)
		for i := range got {
			if math.Abs(float64(got[i]-c.want[i])) > 1e-9 {
				t.Errorf("spread %v = %v, want %v", c.in, got, c.want)
				break
			}
		}
	}
}

func TestStepName(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Second: "1 s", 100 * time.Millisecond: "100 ms", 10 * time.Microsecond: "10 us",
		1500 * time.Millisecond: "1500 ms", 100 * time.Nanosecond: "100ns"} {
		if got := StepName(d); got != want {
			t.Errorf("StepName(%d) = %q, want %q", d, got, want)
		}
	}
}

// TestLook writes every figure in every format to the folder named by EARSHOT_LOOK, to be opened and looked at.
func TestLook(t *testing.T) {
	dir := os.Getenv("EARSHOT_LOOK")
	if dir == "" {
		t.Skip("set EARSHOT_LOOK to a folder to write the figures there")
	}
	for name, f := range demos() {
		f.Synthetic = true
		for _, e := range Formats {
			if err := Save(f, filepath.Join(dir, name+"."+e)); err != nil {
				t.Error(err)
			}
		}
	}
}
