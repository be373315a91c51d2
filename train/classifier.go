package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/dataset/npz"
	"earshot/train/classical"
)

// The MLP is a network, so that package classical cannot know it. What follows is New, Settings, Save and Load of that
// package with the MLP among the models, in folders of the same format.

// mlpName is what commands and model folders call it.
const mlpName = "mlp"

// arraysName stands beside model.json in the folder of a classical model.
const arraysName = "arrays.npz"

// ClassifierNames lists the models of NewClassifier.
func ClassifierNames() []string { return append(classical.Names(), mlpName) }

// NewClassifier makes any model of a table from its name and its settings under scikit-learn's names.
func NewClassifier(name string, set map[string]string) (classical.Classifier, error) {
	if name == mlpName {
		return NewMLP(set)
	}
	if !slices.Contains(classical.Names(), name) {
		return nil, fmt.Errorf("%s: no such model; there are %s", name, strings.Join(ClassifierNames(), ", "))
	}
	return classical.New(name, set)
}

// ClassifierSettings returns name and settings of a model as NewClassifier would take them.
func ClassifierSettings(c classical.Classifier) (name string, set map[string]string, err error) {
	if m, ok := c.(*MLP); ok {
		return mlpName, m.Settings(), nil
	}
	return classical.Settings(c)
}

// SaveClassifier writes model.json and arrays.npz of a fitted model, or of a classical.Pipeline of one, into dir. The
// arrays of an MLP are scikit-learn's coefs_ (in, out) and intercepts_ (out) with their numbers.
func SaveClassifier(dir string, info classical.Info, c classical.Classifier) error {
	var scaler *classical.Scaler
	inner := c
	if p, ok := c.(*classical.Pipeline); ok {
		scaler, inner = &p.Scaler, p.Model
	}
	m, ok := inner.(*MLP)
	if !ok {
		return classical.Save(dir, info, c)
	}
	bad := func(err error) error { return fmt.Errorf("train: save: %w", err) }
	if m.model == nil {
		return bad(errors.New("the mlp is not fitted"))
	}
	info.Format, info.Model, info.Settings, info.Scaler = classical.ModelFormat, mlpName, m.Settings(), "none"
	var arrays []npz.Named
	add := func(name string, v []float64, shape ...int) {
		arrays = append(arrays, npz.Named{Name: name, Array: npz.Float64(v, shape...)})
	}
	if scaler != nil {
		info.Scaler = "standard"
		add("scaler_mean", scaler.Mean, len(scaler.Mean))
		add("scaler_scale", scaler.Scale, len(scaler.Scale))
	}
	for i, l := range m.layers() {
		in, out := l[0].Shape[1], l[0].Shape[0]
		w, b := make([]float64, in*out), make([]float64, out)
		for f := range out {
			b[f] = float64(float32s(l[1])[f])
			for c := range in {
				w[c*out+f] = float64(float32s(l[0])[f*in+c])
			}
		}
		add(fmt.Sprintf("coefs_%d", i), w, in, out)
		add(fmt.Sprintf("intercepts_%d", i), b, out)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return bad(err)
	}
	if err := npz.Write(filepath.Join(dir, arraysName), arrays...); err != nil {
		return bad(err)
	}
	b, err := json.MarshalIndent(info, "", "  ")
	if err == nil {
		err = writeFile(filepath.Join(dir, modelName), append(b, '\n')) // last, so that a folder that has it is whole
	}
	if err != nil {
		return bad(err)
	}
	return nil
}

// LoadClassifier returns the model of a folder that SaveClassifier wrote, ready to predict.
func LoadClassifier(dir string) (classical.Info, classical.Classifier, error) {
	path := filepath.Join(dir, modelName)
	var info classical.Info
	if st, err := os.Stat(path); err == nil && st.Size() <= maxModelJSON {
		if b, err := os.ReadFile(path); err == nil && json.Unmarshal(b, &info) == nil && info.Model != mlpName {
			return classical.Load(dir)
		}
	}
	bad := func(path string, err error) (classical.Info, classical.Classifier, error) {
		return classical.Info{}, nil, fmt.Errorf("train: %s: %w", path, err)
	}
	if info.Model != mlpName {
		return classical.Load(dir) // says what is wrong
	}
	if info.Format != classical.ModelFormat {
		return bad(path, fmt.Errorf("format %d, this program reads %d", info.Format, classical.ModelFormat))
	}
	if info.Scaler != "none" && info.Scaler != "standard" {
		return bad(path, fmt.Errorf("scaler %q; it is none or standard", info.Scaler))
	}
	m, err := NewMLP(info.Settings)
	if err != nil {
		return bad(path, err)
	}
	path = filepath.Join(dir, arraysName)
	arrays, err := npz.Read(path)
	if err != nil {
		return bad(path, err)
	}
	if err := m.restore(arrays); err != nil {
		return bad(path, err)
	}
	if info.Scaler == "none" {
		return info, m, nil
	}
	p := &classical.Pipeline{Model: m}
	p.Scaler.Mean, p.Scaler.Scale = arrays["scaler_mean"].F64, arrays["scaler_scale"].F64
	if len(p.Scaler.Mean) != m.F || len(p.Scaler.Scale) != m.F {
		return bad(path, fmt.Errorf("scaler of %d and %d features, the network has %d", len(p.Scaler.Mean), len(p.Scaler.Scale), m.F))
	}
	return info, p, nil
}

// restore builds the network that the settings and the first array ask for, and gives it its weights.
func (m *MLP) restore(arrays map[string]npz.Array) error {
	matrix := func(i int) (in, out int) {
		if a := arrays[fmt.Sprintf("coefs_%d", i)]; len(a.Shape) == 2 && a.F64 != nil {
			return a.Shape[0], a.Shape[1]
		}
		return 0, 0
	}
	last := len(m.Hidden)
	f, _ := matrix(0)
	_, k := matrix(last)
	if f < 1 || k < 1 {
		return fmt.Errorf("array coefs_0 or coefs_%d is missing or empty", last)
	}
	if _, more := arrays[fmt.Sprintf("coefs_%d", last+1)]; more {
		return fmt.Errorf("more layers than the %d that hidden_layer_sizes asks for", last+1)
	}
	if k == 2 {
		return errors.New("two outputs; two classes have one")
	}
	// The sizes are compared before a network of them is made: settings alone must not make it allocate.
	for i := range last + 1 {
		in, out := matrix(i)
		want := k
		if i < last {
			want = m.Hidden[i]
		}
		before := f
		if i > 0 {
			before = m.Hidden[i-1]
		}
		if in != before || out != want {
			return fmt.Errorf("array coefs_%d is %d x %d instead of %d x %d", i, in, out, before, want)
		}
		if n := len(arrays[fmt.Sprintf("intercepts_%d", i)].F64); n != out {
			return fmt.Errorf("array intercepts_%d has %d values instead of %d", i, n, out)
		}
	}
	if err := m.build(f, max(k, 2)); err != nil {
		return err
	}
	for i, l := range m.layers() {
		w, b := arrays[fmt.Sprintf("coefs_%d", i)].F64, arrays[fmt.Sprintf("intercepts_%d", i)].F64
		in, out := l[0].Shape[1], l[0].Shape[0]
		for f := range out {
			float32s(l[1])[f] = float32(b[f])
			for c := range in {
				float32s(l[0])[f*in+c] = float32(w[c*out+f])
			}
		}
	}
	return nil
}
