package classical

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"earshot/data/dataset/npz"
)

// Files of a model folder, beside a network's model.json with "net" in place of "model".
const (
	ModelFormat = 1
	modelName   = "model.json"
	arraysName  = "arrays.npz"
	maxModel    = 64 << 20 // bytes of model.json: class lists are long, nothing else is
)

// Info is model.json. Save fills in Format, Model, Settings and Scaler.
type Info struct {
	Format        int               `json:"format"`
	Model         string            `json:"model"`
	Settings      map[string]string `json:"settings"` // as New takes them
	Scaler        string            `json:"scaler"`   // none or standard
	Classes       []string          `json:"classes"`  // index = class number
	Features      []string          `json:"features,omitempty"`
	Preprocessing json.RawMessage   `json:"preprocessing,omitempty"` // how captures become rows; the caller's document
	Data          string            `json:"data"`                    // digest of the data set or file
	Rows          int               `json:"rows"`                    // of the training set
	Version       string            `json:"version"`
}

// Save writes model.json and arrays.npz into dir, which it makes. c is a fitted model of this package or a Pipeline of
// one. model.json comes last, so that a folder that has it is whole.
func Save(dir string, info Info, c Classifier) error {
	bad := func(err error) error { return fmt.Errorf("classical: save: %w", err) }
	var s state
	info.Format, info.Scaler = ModelFormat, "none"
	if p, ok := c.(*Pipeline); ok {
		info.Scaler = "standard"
		p.Scaler.state(&s)
		c = p.Model
	}
	m, ok := c.(model)
	if !ok {
		return bad(fmt.Errorf("a %T cannot be saved", c))
	}
	var err error
	if info.Model, info.Settings, err = Settings(c); err != nil {
		return bad(err)
	}
	m.state(&s)
	if s.err != nil {
		return bad(s.err)
	}
	var arrays []npz.Named
	for _, a := range s.list {
		v := npz.Float64(a.f64, a.shape...)
		if a.i64 != nil {
			v = npz.Int64(a.i64, a.shape...)
		}
		arrays = append(arrays, npz.Named{Name: a.name, Array: v})
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return bad(err)
	}
	if err := npz.Write(filepath.Join(dir, arraysName), arrays...); err != nil {
		return bad(err)
	}
	b, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return bad(err)
	}
	return replace(filepath.Join(dir, modelName), append(b, '\n'))
}

// replace writes a file as a whole: temporary name, sync, rename.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("classical: save: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("classical: save: %w", err)
	}
	return nil
}

// Load returns the model of a folder, ready to predict. Every number that indexes something is checked, so that a
// damaged folder is an error and nothing else.
func Load(dir string) (Info, Classifier, error) {
	path := filepath.Join(dir, modelName)
	bad := func(err error) (Info, Classifier, error) {
		return Info{}, nil, fmt.Errorf("classical: %s: %w", path, err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return bad(fmt.Errorf("no model here (%w); name the folder that classify --save wrote", errors.Unwrap(err)))
	}
	if st.Size() > maxModel {
		return bad(fmt.Errorf("%d bytes; is it a model?", st.Size()))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return bad(err)
	}
	var info Info
	if err := json.Unmarshal(b, &info); err != nil {
		return bad(err)
	}
	if info.Format != ModelFormat {
		return bad(fmt.Errorf("format %d, this program reads %d", info.Format, ModelFormat))
	}
	if info.Scaler != "none" && info.Scaler != "standard" {
		return bad(fmt.Errorf("scaler %q; it is none or standard", info.Scaler))
	}
	c, err := New(info.Model, info.Settings)
	if err != nil {
		return bad(err)
	}
	path = filepath.Join(dir, arraysName)
	arrays, err := npz.Read(path)
	if err != nil {
		return bad(err)
	}
	s := state{byName: map[string]array{}}
	for name, a := range arrays {
		s.byName[name] = array{name: name, shape: a.Shape, f64: a.F64, i64: a.I64}
	}
	var scaler Scaler
	if info.Scaler == "standard" {
		scaler.state(&s)
	}
	c.(model).state(&s)
	if s.err != nil {
		return bad(s.err)
	}
	if info.Scaler == "standard" {
		return info, &Pipeline{Scaler: scaler, Model: c}, nil
	}
	return info, c, nil
}

func (p *Scaler) state(s *state) {
	mean := p.Mean
	if p.KeepMean { // a loaded scaler subtracts
		mean = make([]float64, len(p.Mean))
	}
	s.floats("scaler_mean", &mean, 0, -1)
	if s.loading() {
		p.Mean = mean
	}
	s.floats("scaler_scale", &p.Scale, 0, len(p.Mean))
}
