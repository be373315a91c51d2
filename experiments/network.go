package experiments

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"earshot/data/binning"
	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/nn"
	"earshot/train"
)

const weightsName = "weights.safetensors"

// trainNetwork trains the network of a cell and returns the scores of test and training points. Weights go to dir, and
// so does the checkpoint from which a later call resumes.
func (s *source) trainNetwork(ctx context.Context, be kernel.Backend, c *Cell, t *binning.Tensor, rowsTrain, rowsTest []int, dir string, on func(train.Event)) (onTest, onTrain answers, err error) {
	arch, err := nets.Lookup(c.Net, c.Profile)
	if err != nil {
		return onTest, onTrain, err
	}
	d := s.rowsOf(t, c.Settings, rowsTrain)
	if c.Control == ControlPermuted {
		permute(d.Y, c.Settings)
	}
	// The first weights and the order of the rows depend on what the cell is, not on how it is trained: protocols that
	// differ in one setting start alike.
	of := []any{c.Net, c.Control, c.Representation, c.StepUS, c.Points, c.Split, c.Seed}
	m, err := nn.NewModel(be, arch, t.C, t.T, len(s.study.Classes), seed("weights", of...))
	if err != nil {
		return onTest, onTrain, err
	}
	defer m.Close()
	cfg := train.Config{Profile: c.Profile, Epochs: c.Epochs, Batch: c.Batch, LR: c.LR, DropLast: c.DropLast, Normalize: c.Normalize,
		Seed: seed("batches", of...), Memory: s.study.Memory, Dir: dir}
	info := m.Info()
	c.Params, c.ViewSteps = info.Parameters, info.FieldOfViewSteps
	if c.ViewSteps >= t.T {
		c.ViewSteps = 0
	}
	batch, perEpoch := cfg.Steps(d.N)
	c.OptimizerSteps = perEpoch * c.Epochs
	if c.History, err = train.Fit(ctx, m, d, cfg, on); err != nil {
		return onTest, onTrain, err
	}
	for i := range c.History {
		c.WallS = c.History[i].WallS
		c.History[i].WallS = 0 // the cell's folder has the same bits each time
	}
	norm := train.FitNormalizer(c.Normalize, d)
	if c.Evaluate == EvaluateSet {
		if err := train.Settle(m, norm, d); err != nil {
			return onTest, onTrain, err
		}
	}
	if err := nets.SaveWeights(m, filepath.Join(dir, weightsName)); err != nil {
		return onTest, onTrain, err
	}
	test := s.rowsOf(t, c.Settings, rowsTest)
	predict := func(d train.Data) (answers, error) {
		if c.Evaluate == EvaluateBatch {
			scores, err := predictBatches(m, norm, d, batch)
			return answers{scores: scores}, err
		}
		scores, err := train.Predict(m, norm, d.X, d.N, batch)
		return answers{scores: split(scores, len(s.study.Classes))}, err
	}
	if onTest, err = predict(test); err != nil {
		return onTest, onTrain, err
	}
	onTrain, err = predict(d)
	return onTest, onTrain, err
}

// rowsOf copies rows of the tensor, shuffled in time where the control says so.
func (s *source) rowsOf(t *binning.Tensor, c Settings, rows []int) train.Data {
	d := train.Data{N: len(rows), C: t.C, T: t.T, Classes: s.study.Classes, X: make([]float32, 0, len(rows)*t.C*t.T)}
	for _, i := range rows {
		d.X = append(d.X, t.Row(i)...)
		if c.Control == ControlShuffled {
			shuffleTime(d.X[len(d.X)-t.C*t.T:], t.C, c, t.CaptureID[i])
		}
		d.Y = append(d.Y, t.Y[i])
	}
	return d
}

// predictBatches scores rows with batch norm in training mode, each batch by its own statistics (EvaluateBatch).
func predictBatches(m *nn.Model, norm train.Normalizer, d train.Data, batch int) ([][]float32, error) {
	k, width := len(d.Classes), d.C*d.T
	var out [][]float32
	for from := 0; from < d.N; from += batch {
		n := min(batch, d.N-from)
		x := slices.Clone(d.X[from*width : (from+n)*width])
		norm.Apply(x, d.C, d.T)
		logits := make([]float32, n*k)
		if err := m.Forward(x, n, true, logits); err != nil {
			return nil, fmt.Errorf("experiments: predict: row %d: %w", from, err)
		}
		for _, row := range split(logits, k) {
			softmax(row)
			out = append(out, row)
		}
	}
	return out, nil
}

func softmax(v []float32) {
	top, sum := float64(v[argmax(v)]), 0.0
	for _, l := range v {
		sum += math.Exp(float64(l) - top)
	}
	for i, l := range v {
		v[i] = float32(math.Exp(float64(l)-top) / sum)
	}
}

// split cuts (N, K) scores into rows.
func split(scores []float32, k int) [][]float32 {
	var out [][]float32
	for ; len(scores) >= k && k > 0; scores = scores[k:] {
		out = append(out, scores[:k:k])
	}
	return out
}

// checkNet refuses what is neither a network of a profile nor a rocket.
func checkNet(name, profile string) error {
	_, err := nets.Lookup(name, profile)
	if err != nil && !slices.ContainsFunc(nets.All, func(a nn.Arch) bool { return a.Name == name }) {
		err = fmt.Errorf("%w, %s, %s", err, Rocket, MultiRocket)
	}
	if err != nil {
		return &UsageError{err}
	}
	return nil
}
