package train

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func trainedModel(t *testing.T) (string, Data, Normalizer, []float32) {
	t.Helper()
	d := toyData(6)
	cfg, err := Recipe("fcn", ProfileTsai, d.N)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Epochs, cfg.Normalize = 2, NormalizeTrain
	m := model(t, lookup(t, "fcn", ProfileTsai), 1, d.C, d.T, 3)
	h, err := Fit(context.Background(), m, d, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	norm := FitNormalizer(cfg.Normalize, d)
	scores, err := Predict(m, norm, d.X, d.N, 4)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	info := Model{Classes: d.Classes, Normalizer: norm, Preprocessing: json.RawMessage(`{"clients":["10.0.0.0/8"]}`), Data: "d1", Training: cfg, Seed: 1}
	if err := SaveModel(dir, info, m, h); err != nil {
		t.Fatal(err)
	}
	return dir, d, norm, scores
}

func TestModelFolder(t *testing.T) {
	dir, d, norm, want := trainedModel(t)
	be := model(t, toy(ProfileTsai), 2, 1, 4, 2).Backend()
	info, m, err := LoadModel(dir, be)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := Predict(m, info.Normalizer, d.X, d.N, 64)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("the loaded model scores otherwise")
	}
	var prep map[string][]string
	if err := json.Unmarshal(info.Preprocessing, &prep); err != nil || prep["clients"][0] != "10.0.0.0/8" {
		t.Errorf("preprocessing came back as %s (%v)", info.Preprocessing, err)
	}
	if info.Net != "fcn" || info.Profile != "tsai" || info.Steps != d.T || info.Normalizer.Mean[0] != norm.Mean[0] || info.Training.Epochs != 2 {
		t.Errorf("model.json came back as %+v", info)
	}
	f, err := os.Open(filepath.Join(dir, "history.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if h, err := ReadHistory(f); err != nil || len(h) != 2 || h[1].Steps != 2 {
		t.Errorf("history.csv: %v, %v", h, err)
	}
}

func TestModelFolderRefuses(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"another format":    func(m map[string]any) { m["format"] = 2 },
		"no classes":        func(m map[string]any) { m["classes"] = []string{} },
		"unknown net":       func(m map[string]any) { m["net"] = "vgg" },
		"negative steps":    func(m map[string]any) { m["steps"] = -1 },
		"half a normalizer": func(m map[string]any) { m["normalizer"] = map[string]any{"mode": "train"} },
		"unknown mode":      func(m map[string]any) { m["normalizer"] = map[string]any{"mode": "batch"} },
		"other weights":     func(m map[string]any) { m["classes"] = []string{"a", "b"} },
	} {
		dir, _, _, _ := trainedModel(t)
		path := filepath.Join(dir, "model.json")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		change(doc)
		if b, err = json.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, m, err := LoadModel(dir, model(t, toy(ProfileTsai), 1, 1, 4, 2).Backend()); err == nil {
			m.Close()
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error does not name the place: %v", name, err)
		}
	}
	if _, err := ReadModel(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no model here") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestHistoryRoundTrip(t *testing.T) {
	h := History{{1, 3, 1.0986122886681098, 1.0 / 3, 4e-5, 0.95, 0.25}, {2, 6, 1e-300, 1, 1e-8, 0.85, 1.5}}
	var b bytes.Buffer
	if err := h.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadHistory(&b)
	if err != nil || !slices.Equal(got, h) {
		t.Errorf("%v (%v), want %v", got, err, h)
	}
	for _, text := range []string{"", "epoch\n1\n", "epoch,steps,loss,train_accuracy,lr,momentum,wall_s\n1,2,x,0,0,0,0\n"} {
		if _, err := ReadHistory(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestPlan(t *testing.T) {
	m := model(t, lookup(t, "fcn", ProfileTsai), 2, 1, 600, 3)
	cfg, err := Recipe("fcn", ProfileTsai, 111)
	if err != nil {
		t.Fatal(err)
	}
	f := Plan(m, Request{N: 111, Config: cfg, Rate: 1e9})
	if f.Batch != 64 || f.OptimizerSteps != 25 || f.Parameters != 264451 || f.Status != "ok" || f.Reason != "" {
		t.Errorf("%+v", f)
	}
	// 3 passes of 64 rows in 25 epochs at 2 x 1.58e8 operations forward (1.58 GMAC at 6000 steps, 7-nets.md's table).
	if want := 3.0 * 64 * 25 * 2 * 1.58e8; f.FLOPs < 0.99*want || f.FLOPs > 1.01*want || f.Seconds != f.FLOPs/1e9 {
		t.Errorf("%g operations, %g s; want about %g", f.FLOPs, f.Seconds, want)
	}
	limit := f.Bytes.Total / 2
	cfg.Memory = limit
	if f = Plan(m, Request{N: 111, Config: cfg}); f.Status != "refused" || !strings.Contains(f.Reason, "the limit is "+Size(limit)) {
		t.Errorf("half the memory: %+v", f)
	}
	refused, ok := CheckMemory(m, 64, limit).(*RefusedError)
	if !ok || refused.Fits < 1 || m.PlanBytes(refused.Fits).Total > limit || m.PlanBytes(refused.Fits+1).Total <= limit {
		t.Errorf("largest batch that fits: %+v", refused)
	}
	if err := CheckMemory(m, refused.Fits, limit); err != nil {
		t.Errorf("what is said to fit is refused: %v", err)
	}
}

func TestRecipes(t *testing.T) {
	for _, c := range []struct {
		net, profile  string
		n             int
		epochs, batch int
	}{
		{"fcn", "tsai", 89, 25, 64},
		{"fcn", "paper", 1000, 2000, 16}, {"fcn", "paper", 30, 2000, 3}, {"fcn", "paper", 5, 2000, 1},
		{"resnet", "paper", 1000, 1500, 64}, {"resnet", "paper", 89, 1500, 8},
		{"inceptiontime", "paper", 30, 1500, 64},
		{"mlp", "sklearn", 1000, 200, 200}, {"mlp", "sklearn", 89, 200, 89},
	} {
		cfg, err := Recipe(c.net, c.profile, c.n)
		if err != nil || cfg.Epochs != c.epochs || cfg.Batch != c.batch || cfg.LR != 1e-3 {
			t.Errorf("%v: %+v, %v", c, cfg, err)
		}
	}
	if _, err := Recipe("fcn", "keras", 10); err == nil {
		t.Error("an unknown profile passed")
	}
}

func TestSize(t *testing.T) {
	for b, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 20: "5.0 MiB", 61417 << 20: "60.0 GiB"} {
		if got := Size(b); got != want {
			t.Errorf("%d: %s, want %s", b, got, want)
		}
	}
}

func FuzzReadHistory(f *testing.F) {
	f.Add("epoch,steps,loss,train_accuracy,lr,momentum,wall_s\n1,2,0.5,1,1e-3,0.9,0.1\n")
	f.Add("epoch,steps,loss,train_accuracy,lr,momentum,wall_s\n1,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ReadHistory(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := h.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadHistory(&b); err != nil || len(again) != len(h) {
			t.Errorf("%d rows come back as %d (%v)", len(h), len(again), err)
		}
	})
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte(`{"format":1,"net":"fcn","profile":"tsai","classes":["a"],"channels":1,"steps":4,"normalizer":{"mode":"none"}}`))
	f.Add([]byte(`{"format":1,"classes":["a"],"channels":1,"steps":4,"normalizer":{"mode":"train","mean":[1]}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "model.json"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		info, err := ReadModel(dir)
		if err != nil {
			return
		}
		info.Normalizer.Apply(make([]float32, 8), 2, 4) // what passed can be used
	})
}
