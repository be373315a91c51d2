package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

	"earshot/nets/kernel"
	"earshot/nets/nn"
	"earshot/nets/safetensors"
)

// A checkpoint is two files: the tensors (weights, running statistics, the optimizer's averages, the best weights so
// far) under a name of their own, and checkpoint.json, which names them with their digest and holds every counter. The
// tensors are complete on disk before the JSON is renamed into place, so that a kill at any moment leaves the former
// checkpoint or the new one.
const (
	checkpointFormat = 1
	checkpointName   = "checkpoint.json"
	checkpointGlob   = "checkpoint-*.safetensors"
	checkpointTemp   = ".checkpoint*" // what a kill in the middle of a write leaves
)

// position is where a training stands, between two steps.
type position struct {
	Epoch   int     `json:"epoch"`   // from 0
	Batch   int     `json:"batch"`   // batches of the epoch that are done
	Steps   int     `json:"steps"`   // of the optimizer
	Loss    float64 `json:"loss"`    // sum over the epoch's rows so far
	Correct int     `json:"correct"` // of the epoch's rows so far
	Rows    int     `json:"rows"`

	Place        Position `json:"place"` // in the schedule
	LR, Momentum float64  // of the last step
	Plateau      Plateau  `json:"plateau"` // profile "paper"
	Stall        Stall    `json:"stall"`   // profile "sklearn"
	Stopped      bool     `json:"stopped"` // by it
	Best         float64  `json:"best"`    // lowest loss of an epoch, once HaveBest
	HaveBest     bool     `json:"have_best"`

	History History `json:"history"`
	WallS   float64 `json:"wall_s"`
}

type checkpointFile struct {
	Format   int      `json:"format"`
	Settings string   `json:"settings"` // digest of configuration, network and data
	Tensors  string   `json:"tensors"`  // file name
	Digest   string   `json:"digest"`   // SHA-256 of that file
	Position position `json:"position"`
}

// named is one tensor of a checkpoint: where its values live while training.
type named struct {
	name string
	f32  []float32
	i64  []int64
	buf  *kernel.Buf // on the backend, instead of f32
}

// tensors lists everything that a training changes.
func (r *run) tensors() []named {
	var out []named
	for i, p := range r.params {
		out = append(out, named{name: "model." + p.Name, f32: float32s(p), i64: int64s(p)})
		if r.pos.HaveBest {
			out = append(out, named{name: "best." + p.Name, f32: r.best[i].f32, i64: r.best[i].i64})
		}
	}
	for i, s := range r.opt.slots {
		out = append(out, named{name: "adam.m." + s.Name, buf: &r.opt.M[i]}, named{name: "adam.v." + s.Name, buf: &r.opt.V[i]})
	}
	return out
}

// save writes a checkpoint of the moment.
func (r *run) save() error {
	var out []safetensors.Tensor
	for _, t := range r.tensors() {
		if t.buf != nil {
			t.f32 = make([]float32, t.buf.Len)
			if err := r.be.Download(t.f32, *t.buf); err != nil {
				return fmt.Errorf("train: checkpoint: %s: %w", t.name, err)
			}
		}
		out = append(out, safetensors.Tensor{Name: t.name, Shape: []int{max(len(t.f32), len(t.i64))}, F32: t.f32, I64: t.i64})
	}
	dir := r.cfg.Dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	c := checkpointFile{Format: checkpointFormat, Settings: r.settings, Position: r.pos}
	raw := safetensors.Encode(out)
	sum := sha256.Sum256(raw)
	c.Digest = hex.EncodeToString(sum[:])
	c.Tensors = "checkpoint-" + c.Digest[:16] + ".safetensors" // other content, other name: the file in use is never replaced
	head, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	if err := writeFile(filepath.Join(dir, c.Tensors), raw); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	if err := writeFile(filepath.Join(dir, checkpointName), head); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, checkpointGlob))
	for _, f := range old {
		if filepath.Base(f) != c.Tensors {
			_ = os.Remove(f) // what stays is only disk space
		}
	}
	return nil
}

// load puts a training where its checkpoint stands; false when there is none.
func (r *run) load() (bool, error) {
	path := filepath.Join(r.cfg.Dir, checkpointName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	bad := func(err error) (bool, error) {
		return false, fmt.Errorf("train: %s: %w; remove the folder to start anew", path, err)
	}
	if err != nil {
		return bad(err)
	}
	var c checkpointFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return bad(err)
	}
	if c.Format != checkpointFormat {
		return bad(fmt.Errorf("format %d, this program reads %d", c.Format, checkpointFormat))
	}
	if c.Settings != r.settings {
		return bad(errors.New("belongs to other settings or other data"))
	}
	file := filepath.Join(r.cfg.Dir, filepath.Base(c.Tensors))
	body, err := os.ReadFile(file)
	if err != nil {
		return bad(err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != c.Digest {
		return bad(fmt.Errorf("%s: digest differs", c.Tensors))
	}
	have, err := safetensors.Read(file)
	if err != nil {
		return bad(err)
	}
	r.pos = c.Position
	if r.pos.HaveBest {
		r.keepBest() // makes the room that tensors lists
	}
	for _, t := range r.tensors() {
		h, ok := have[t.name]
		switch {
		case !ok:
			err = errors.New("is missing")
		case t.buf != nil && len(h.F32) == t.buf.Len:
			err = r.be.Upload(*t.buf, h.F32)
		case t.buf == nil && len(h.F32) == len(t.f32) && len(h.I64) == len(t.i64):
			copy(t.f32, h.F32)
			copy(t.i64, h.I64)
		default:
			err = fmt.Errorf("has %d values", max(len(h.F32), len(h.I64)))
		}
		if err != nil {
			return bad(fmt.Errorf("%s: %s: %w", c.Tensors, t.name, err))
		}
	}
	r.opt.Steps = r.pos.Steps
	return true, nil
}

// RemoveCheckpoint deletes the checkpoint in dir, if there is one: the result is safe elsewhere.
func RemoveCheckpoint(dir string) error {
	files := []string{filepath.Join(dir, checkpointName)} // the pointer first
	for _, pattern := range []string{checkpointGlob, checkpointTemp} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		files = append(files, found...)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("train: checkpoint: %w", err)
		}
	}
	return nil
}

// HasCheckpoint reports whether dir holds a checkpoint to resume from.
func HasCheckpoint(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, checkpointName))
	return err == nil
}

// writeFile replaces path as a whole: temporary name, sync, rename, sync of the folder.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// float32s is the memory of a parameter; nil for batch norm's counter, which int64s gives.
func float32s(p *nn.Param) []float32 {
	if p.Value.Dtype() != tensor.Float32 {
		return nil
	}
	return p.Value.Float32s()
}

func int64s(p *nn.Param) []int64 {
	if p.Value.Dtype() != tensor.Int64 {
		return nil
	}
	return p.Value.Int64s()
}
