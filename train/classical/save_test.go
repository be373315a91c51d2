package classical

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestSave: every model of the registry answers the same after a folder, alone and behind a scaler, and has the same
// settings.
func TestSave(t *testing.T) {
	settings := map[string]map[string]string{
		"tree": {"criterion": "entropy", "max_depth": "4"}, "forest": {"n_estimators": "5", "class_weight": "1:2:1"}, "svm": {"probability": "True", "C": "2"},
		"knn": {"weights": "distance"}, "kmeans": {"n_clusters": "3"}, "ridge": {"alphas": "0.1:1:10"}, "dummy": {"strategy": "stratified", "random_state": "7"},
		"minirocket": {"n_kernels": "200"}, "multirocket": {"n_kernels": "84", "channels": "2"},
	}
	x, y := formula(90, 20, 3, 401, 2, 0)
	xt, _ := formula(30, 20, 3, 401, 2, 90)
	for _, name := range Names() {
		for _, scaled := range []bool{false, true} {
			if scaled && name == "mnb" {
				continue // negative values
			}
			c, err := New(name, settings[name])
			if err != nil {
				t.Fatal(err)
			}
			if scaled {
				c = &Pipeline{Scaler: Scaler{KeepMean: name == "ridge"}, Model: c}
			}
			if err := c.Fit(x, y, 3); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := Save(dir, Info{Classes: []string{"a", "b", "c"}, Rows: 90}, c); err != nil {
				t.Fatal(err)
			}
			info, back, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if info.Model != name || info.Rows != 90 {
				t.Errorf("%s: model.json says %+v", name, info)
			}
			if !reflect.DeepEqual(c.Predict(xt), back.Predict(xt)) || !reflect.DeepEqual(c.Proba(xt), back.Proba(xt)) {
				t.Errorf("%s, scaled %v: answers differ after loading", name, scaled)
			}
			if p, ok := c.(*Pipeline); ok {
				c, back = p.Model, back.(*Pipeline).Model
			}
			_, before, _ := Settings(c)
			_, after, _ := Settings(back)
			if !reflect.DeepEqual(before, after) {
				t.Errorf("%s: settings %v became %v", name, before, after)
			}
		}
	}
}

// TestLoadDamaged changes one thing of a good folder at a time.
func TestLoadDamaged(t *testing.T) {
	x, y := formula(60, 3, 3, 411, 2, 0)
	dir := t.TempDir()
	if err := Save(dir, Info{}, fitted(t, "tree", nil, x, y, 3)); err != nil {
		t.Fatal(err)
	}
	good, _ := os.ReadFile(filepath.Join(dir, modelName))
	for _, c := range []struct{ old, new, want string }{
		{`"format": 1`, `"format": 9`, "format 9, this program reads 1"},
		{`"tree"`, `"bush"`, "bush: no such model"},
		{`"tree"`, `"knn"`, "no such setting"},
		{`"none"`, `"robust"`, `scaler "robust"`},
		{`"none"`, `"standard"`, "array scaler_mean is missing"},
		{"{", "[", "cannot unmarshal"},
	} {
		text := strings.Replace(string(good), c.old, c.new, 1)
		if c.new == "[" {
			text = "[]"
		}
		os.WriteFile(filepath.Join(dir, modelName), []byte(text), 0o644)
		if _, _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: error %v, want %q", c.new, c.old, err, c.want)
		}
	}
	if _, _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no model here") {
		t.Errorf("empty folder: %v", err)
	}
	// A child that points upward would make an endless walk.
	s := state{}
	tree := fitted(t, "tree", nil, x, y, 3).(*Tree)
	tree.state(&s)
	damaged := state{byName: map[string]array{}}
	for _, a := range s.list {
		if a.name == "left" {
			a.i64[0] = 0
		}
		damaged.byName[a.name] = a
	}
	if (&Tree{}).state(&damaged); damaged.err == nil || !strings.Contains(damaged.err.Error(), "node 0: children 0") {
		t.Errorf("endless tree: %v", damaged.err)
	}
}
