package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/nn"
)

// Files of a model folder.
const (
	ModelFormat  = 1
	modelName    = "model.json"
	weightsName  = "weights.safetensors"
	historyName  = "history.csv"
	maxModelJSON = 64 << 20 // class lists of the open world are long; nothing else in the file is
)

// Model is model.json: what it takes to build the network again and to feed it as it was trained.
type Model struct {
	Format        int             `json:"format"`
	Net           string          `json:"net"`
	Profile       string          `json:"profile"`
	Classes       []string        `json:"classes"` // index = class number
	Channels      int             `json:"channels"`
	Steps         int             `json:"steps"`
	Normalizer    Normalizer      `json:"normalizer"`
	Preprocessing json.RawMessage `json:"preprocessing,omitempty"` // how captures become rows; the caller's document
	Data          string          `json:"data"`                    // digest of the data set or file
	Training      Config          `json:"training"`
	Rows          int             `json:"rows"` // of the training set
	OptimizerStep int             `json:"optimizer_steps"`
	Seed          uint64          `json:"seed"`
	Kernel        string          `json:"kernel"` // tier that trained it
	Version       string          `json:"version"`
}

// SaveModel writes model.json, weights.safetensors and history.csv into dir, which it makes. Format, net, profile,
// channels, steps and kernel are taken from m; model.json comes last, so that a folder that has it is whole.
func SaveModel(dir string, info Model, m *nn.Model, h History) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("train: model: %w", err)
	}
	arch, c, t, k := m.Arch()
	if k != len(info.Classes) {
		return fmt.Errorf("train: model: %d class names for a network of %d classes", len(info.Classes), k)
	}
	info.Format, info.Net, info.Profile, info.Channels, info.Steps = ModelFormat, arch.Name, arch.Profile, c, t
	info.Kernel = m.Backend().Name()
	if err := nets.SaveWeights(m, filepath.Join(dir, weightsName)); err != nil {
		return err
	}
	if err := SaveHistory(dir, h); err != nil {
		return err
	}
	b, err := json.MarshalIndent(info, "", "  ")
	if err == nil {
		err = writeFile(filepath.Join(dir, modelName), append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("train: model: %w", err)
	}
	return nil
}

// SaveHistory writes history.csv into dir.
func SaveHistory(dir string, h History) error {
	var b bytes.Buffer
	err := h.WriteCSV(&b)
	if err == nil {
		err = writeFile(filepath.Join(dir, historyName), b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("train: history: %w", err)
	}
	return nil
}

// ReadModel reads and checks model.json of a folder.
func ReadModel(dir string) (Model, error) {
	path := filepath.Join(dir, modelName)
	var info Model
	bad := func(err error) (Model, error) { return Model{}, fmt.Errorf("train: %s: %w", path, err) }
	st, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return bad(errors.New("no model here; give the folder that train --out wrote"))
		}
		return Model{}, fmt.Errorf("train: %w", err)
	}
	if st.Size() > maxModelJSON {
		return bad(fmt.Errorf("%d bytes; is it a model?", st.Size()))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return bad(err)
	}
	if err := json.Unmarshal(b, &info); err != nil {
		return bad(err)
	}
	n := info.Normalizer
	switch {
	case info.Format != ModelFormat:
		return bad(fmt.Errorf("format %d, this program reads %d", info.Format, ModelFormat))
	case info.Channels < 1 || info.Steps < 1 || len(info.Classes) < 1:
		return bad(fmt.Errorf("%d channels, %d steps, %d classes; all must be above 0", info.Channels, info.Steps, len(info.Classes)))
	case n.fitted() && (len(n.Mean) != 1 || len(n.Std) != 1 || !(n.Std[0] > 0)):
		return bad(fmt.Errorf("normalizer: mean %v, std %v; one of each is needed", n.Mean, n.Std))
	}
	if err := CheckNormalize(n.Mode); err != nil {
		return bad(err)
	}
	return info, nil
}

// LoadModel builds the network of a model folder and gives it its weights. The caller closes it.
func LoadModel(dir string, be kernel.Backend) (Model, *nn.Model, error) {
	info, err := ReadModel(dir)
	if err != nil {
		return Model{}, nil, err
	}
	arch, err := nets.Lookup(info.Net, info.Profile)
	if err != nil {
		return Model{}, nil, fmt.Errorf("train: %s: %w", dir, err)
	}
	m, err := nn.NewModel(be, arch, info.Channels, info.Steps, len(info.Classes), info.Seed)
	if err != nil {
		return Model{}, nil, fmt.Errorf("train: %s: %w", dir, err)
	}
	if err := nets.LoadWeights(m, filepath.Join(dir, weightsName)); err != nil {
		m.Close()
		return Model{}, nil, err
	}
	return info, m, nil
}
