package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"earshot/nets"
	"earshot/nets/nn"
)

// toy is a network of a few hundred weights with running statistics and every kind of parameter that matters here.
func toy(profile string) nn.Arch {
	a, err := nets.Lookup("fcn", profile)
	if err != nil {
		panic(err)
	}
	a.Name = "toy"
	a.Build = func(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
		x = b.ConvBlock("a", x, 6, 3, true)
		x = b.ConvBlock("b", x, 5, 3, true)
		return b.Linear("fc", b.GAP(x), classes)
	}
	return a
}

// toyData is n rows of noise with a bump whose place is the class.
func toyData(n int) Data {
	const t = 12
	d := Data{N: n, C: 1, T: t, Classes: []string{"early", "late", "none"}}
	noise := uniform("toy", n*t)
	for i := range n {
		for j := range t {
			v := 0.3 * noise[i*t+j]
			if j/4 == i%3 {
				v += 2 * float64(2-i%3)
			}
			d.X = append(d.X, float32(v))
		}
		d.Y = append(d.Y, i%3)
	}
	return d
}

func toyConfig(profile string) Config {
	return Config{Profile: profile, Epochs: 6, Batch: 4, LR: 5e-3, Normalize: NormalizeTrain, Seed: 7}
}

// state is every bit that a training leaves: weights and running statistics.
func state(m *nn.Model) []uint64 {
	var s []uint64
	for _, p := range m.Params() {
		for _, v := range float32s(p) {
			s = append(s, uint64(math.Float32bits(v)))
		}
		for _, v := range int64s(p) {
			s = append(s, uint64(v))
		}
	}
	return s
}

// sameHistory compares everything but wall times.
func sameHistory(a, b History) bool {
	return slices.EqualFunc(a, b, func(x, y Epoch) bool {
		x.WallS, y.WallS = 0, 0
		return x == y
	})
}

func fit(t *testing.T, threads int, d Data, cfg Config) ([]uint64, History) {
	t.Helper()
	m := model(t, toy(cfg.Profile), threads, d.C, d.T, len(d.Classes))
	h, err := Fit(context.Background(), m, d, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return state(m), h
}

func TestFitLearns(t *testing.T) {
	for _, profile := range []string{ProfileTsai, ProfilePaper} {
		cfg := toyConfig(profile)
		cfg.Epochs, cfg.LR = 40, 2e-2
		d := toyData(18)
		m := model(t, toy(profile), 2, d.C, d.T, 3)
		h, err := Fit(context.Background(), m, d, cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last := h[len(h)-1]; last.Loss > h[0].Loss/2 || last.TrainAccuracy < 0.9 {
			t.Errorf("%s: first epoch %+v, last %+v", profile, h[0], last)
		}
		scores, err := Predict(m, FitNormalizer(cfg.Normalize, d), d.X, d.N, 5)
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, y := range d.Y {
			row := scores[3*i : 3*i+3]
			if sum := row[0] + row[1] + row[2]; math.Abs(float64(sum)-1) > 1e-6 {
				t.Fatalf("%s: scores of row %d sum to %v", profile, i, sum)
			}
			if Argmax(row) == y {
				right++
			}
		}
		if right < 17 {
			t.Errorf("%s: %d of 18 training rows right", profile, right)
		}
	}
}

func TestBatchesOfAnEpoch(t *testing.T) {
	for _, c := range []struct {
		batch, n    int
		drop        bool
		rows, steps int
	}{
		{64, 89, true, 64, 1}, // the song study: 25 rows unused
		{64, 89, false, 64, 2},
		{64, 17, true, 17, 1}, // capped at the data set
		{16, 89, false, 16, 6},
		{16, 96, true, 16, 6},
	} {
		cfg := Config{Batch: c.batch, DropLast: c.drop}
		if rows, steps := cfg.Steps(c.n); rows != c.rows || steps != c.steps {
			t.Errorf("batch %d of %d rows, drop %v: %d batches of %d, want %d of %d", c.batch, c.n, c.drop, steps, rows, c.steps, c.rows)
		}
	}
}

// TestOrder: every row once, another order in each epoch and for each seed, the same one when asked again.
func TestOrder(t *testing.T) {
	a, b := shuffled(50, 1, 0), shuffled(50, 1, 1)
	if slices.Equal(a, b) || slices.Equal(a, shuffled(50, 2, 0)) || !slices.Equal(a, shuffled(50, 1, 0)) {
		t.Error("orders do not follow seed and epoch")
	}
	slices.Sort(b)
	for i := range b {
		if b[i] != i {
			t.Fatalf("row %d is not there once", i)
		}
	}
}

func TestSameBitsOnAnyNumberOfThreads(t *testing.T) {
	for _, net := range []string{"fcn", "resnet", "lstm", "inceptiontime"} {
		d := toyData(10)
		var want []uint64
		for _, threads := range []int{1, 2} {
			m := model(t, lookup(t, net, "tsai"), threads, d.C, d.T, 3)
			cfg := toyConfig(ProfileTsai)
			cfg.Epochs = 2
			if _, err := Fit(context.Background(), m, d, cfg, nil); err != nil {
				t.Fatal(err)
			}
			if got := state(m); want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: other bits on %d threads", net, threads)
			}
		}
	}
}

// TestResumeBitForBit stops a training after every possible step, and resumes it in a new model.
func TestResumeBitForBit(t *testing.T) {
	for _, profile := range []string{ProfileTsai, ProfilePaper} {
		d := toyData(10) // batches of 4, 4 and 2
		cfg := toyConfig(profile)
		want, wantH := fit(t, 1, d, cfg)
		for stop := range 3 * cfg.Epochs {
			cfg.Dir = filepath.Join(t.TempDir(), "work")
			ctx, cancel := context.WithCancel(context.Background())
			if stop == 0 {
				cancel()
			}
			m := model(t, toy(profile), 1, d.C, d.T, 3)
			_, err := Fit(ctx, m, d, cfg, func(e Event) {
				if e.Step == stop {
					cancel()
				}
			})
			cancel()
			if !errors.Is(err, context.Canceled) || !HasCheckpoint(cfg.Dir) {
				t.Fatalf("%s: stopped at step %d: %v", profile, stop, err)
			}
			got, h := fit(t, 2, d, cfg)
			if !slices.Equal(got, want) || !sameHistory(h, wantH) {
				t.Errorf("%s: resumed after step %d: other bits; history %v, want %v", profile, stop, h, wantH)
			}
			if err := RemoveCheckpoint(cfg.Dir); err != nil || HasCheckpoint(cfg.Dir) {
				t.Errorf("checkpoint stays: %v", err)
			}
		}
	}
}

// TestStoppedStepLeavesNoTrace: an interrupt inside a step may have moved running statistics; they are put back.
func TestStoppedStepLeavesNoTrace(t *testing.T) {
	d, cfg := toyData(8), toyConfig(ProfileTsai)
	m := model(t, toy(ProfileTsai), 1, d.C, d.T, 3)
	r, err := newRun(m, d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := state(m)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m.SetContext(ctx)
	if _, err := r.step(context.Background(), shuffled(8, 7, 0)); err == nil {
		t.Fatal("the step was not stopped")
	}
	if !slices.Equal(state(m), before) || r.pos.Steps != 0 {
		t.Error("the stopped step left traces")
	}
}

func TestCheckpointOfOtherSettings(t *testing.T) {
	d, cfg := toyData(8), toyConfig(ProfileTsai)
	cfg.Dir, cfg.CheckpointEvery = t.TempDir(), time.Nanosecond
	fit(t, 1, d, cfg)
	for name, change := range map[string]func(*Config, *Data){
		"rate":  func(c *Config, _ *Data) { c.LR *= 2 },
		"seed":  func(c *Config, _ *Data) { c.Seed++ },
		"value": func(_ *Config, d *Data) { d.X[3]++ },
		"label": func(_ *Config, d *Data) { d.Y[0], d.Y[1] = d.Y[1], d.Y[0] },
	} {
		c, e := cfg, toyData(8)
		change(&c, &e)
		if _, err := Fit(context.Background(), model(t, toy(ProfileTsai), 1, e.C, e.T, 3), e, c, nil); err == nil {
			t.Errorf("another %s: resumed all the same", name)
		}
	}
}

// TestPaperRestoresTheBestEpoch trains with a rate that ends in a worse place than it has been.
func TestPaperRestoresTheBestEpoch(t *testing.T) {
	d, cfg := toyData(9), toyConfig(ProfilePaper)
	cfg.LR, cfg.Epochs, cfg.Batch = 0.3, 25, 3
	for i := range d.Y {
		d.Y[i] = i * 7 / 5 % 3 // nothing to learn, so that the loss wanders
	}
	m := model(t, toy(ProfilePaper), 1, d.C, d.T, 3)
	byStep := map[int][]uint64{}
	h, err := Fit(context.Background(), m, d, cfg, func(e Event) { byStep[e.Step] = state(m) })
	if err != nil {
		t.Fatal(err)
	}
	best := h[0]
	for _, e := range h {
		if e.Loss < best.Loss {
			best = e
		}
	}
	if best.Steps == h[len(h)-1].Steps {
		t.Fatal("the last epoch is the best one: this shows nothing; raise the rate")
	}
	if !slices.Equal(state(m), byStep[best.Steps]) {
		t.Errorf("weights are not those after the epoch of the lowest loss (%d)", best.Epoch)
	}
}

func TestFitRefuses(t *testing.T) {
	good := toyConfig(ProfileTsai)
	for name, change := range map[string]func(*Config, *Data){
		"no epochs":         func(c *Config, _ *Data) { c.Epochs = 0 },
		"no batch":          func(c *Config, _ *Data) { c.Batch = 0 },
		"no rate":           func(c *Config, _ *Data) { c.LR = math.NaN() },
		"unknown profile":   func(c *Config, _ *Data) { c.Profile = "keras" },
		"unknown normalize": func(c *Config, _ *Data) { c.Normalize = "batch" },
		"no rows":           func(_ *Config, d *Data) { d.N, d.X, d.Y = 0, nil, nil },
		"short of labels":   func(_ *Config, d *Data) { d.Y = d.Y[:1] },
		"unknown class":     func(_ *Config, d *Data) { d.Y[2] = 3 },
		"not a number":      func(_ *Config, d *Data) { d.X[5] = float32(math.NaN()) },
		"other shape":       func(_ *Config, d *Data) { d.C, d.T = 2, 6 },
		"too little memory": func(c *Config, _ *Data) { c.Memory = 1000 },
	} {
		c, d := good, toyData(6)
		m := model(t, toy(ProfileTsai), 1, d.C, d.T, 3)
		change(&c, &d)
		if _, err := Fit(context.Background(), m, d, c, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
