package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"earshot/nets"
	"earshot/nets/nn"
	"earshot/train"
)

// trainFlags are the settings of a training; what is not given is the profile's.
type trainFlags struct {
	net, profile, normalize string
	epochs, batch           int
	lr                      float64
	dropLast                bool
	memory                  byteSize
}

func (f *trainFlags) add(cmd *cobra.Command) {
	g := cmd.Flags()
	g.StringVar(&f.profile, "profile", "", "training profile: tsai, paper, or sklearn for mlp (default the network's first in net list)")
	g.IntVar(&f.epochs, "epochs", 0, "epochs (default the profile's)")
	g.IntVar(&f.batch, "batch", 0, "rows of a batch (default the profile's)")
	g.Float64Var(&f.lr, "lr", 0, "highest learning rate (default the profile's)")
	g.BoolVar(&f.dropLast, "drop-last", true, "leave an incomplete last batch out (default the profile's)")
	g.StringVar(&f.normalize, "normalize", "", strings.Join(train.Normalizations, ", ")+" (default the profile's)")
	g.Var(&f.memory, "memory", "refuse a training that needs more, such as 4GiB (0: no limit)")
}

// config merges the flags into the profile's recipe for n rows.
func (f *trainFlags) config(cmd *cobra.Command, arch nn.Arch, n int, seed uint64) (train.Config, error) {
	c, err := train.Recipe(arch.Name, arch.Profile, n)
	if err != nil {
		return c, usagef("--profile: %w", err)
	}
	set := cmd.Flags().Changed
	if set("epochs") {
		c.Epochs = f.epochs
	}
	if set("batch") {
		c.Batch = f.batch
	}
	if set("lr") {
		c.LR = f.lr
	}
	if set("drop-last") {
		c.DropLast = f.dropLast
	}
	if set("normalize") {
		c.Normalize = f.normalize
	}
	if err := train.CheckNormalize(c.Normalize); err != nil {
		return c, usagef("--normalize: %w", err)
	}
	if c.Epochs < 1 || c.Batch < 1 || !(c.LR > 0) {
		return c, usagef("--epochs %d --batch %d --lr %g: all must be above 0", c.Epochs, c.Batch, c.LR)
	}
	c.Seed, c.Memory = seed, int64(f.memory)
	return c, nil
}

func newTrainCommand(a *app) *cobra.Command {
	var f trainFlags
	var b binFlags
	var out string
	var force, find bool
	cmd := &cobra.Command{
		Use:   "train DS|X.npz --net NET --out MODEL",
		Short: "Train one network on a data set or an array",
		Long: `Trains one network on every row of a data set (binned by the flags of bin) or of an array that bin wrote.
A model of a data set also scores raw captures; one of an array does not, since an array does not say how it was binned.

MODEL is a folder: model.json (network, classes, preprocessing, normalizer, seed), weights.safetensors, history.csv.
While the training runs, MODEL.partial holds a checkpoint; the same command resumes from it, bit for bit.`,
		Example: `  earshot bin songs --label song --step 100ms --duration 60s --out songs.npz
  earshot train songs.npz --net fcn --normalize train --batch 16 --drop-last=false --out fcn.model`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			arch, err := nets.Lookup(f.net, f.profile)
			if err != nil {
				return usagef("--net: %w", err)
			}
			out = filepath.Clean(out)
			if err := refuseExisting(out, force); err != nil {
				return fmt.Errorf("train: %w", err)
			}
			if _, err := os.Stat(out); err == nil {
				if _, err := os.Stat(filepath.Join(out, "model.json")); err != nil {
					return fmt.Errorf("train: %s: exists and is no model, so --force leaves it alone; use another --out", out)
				}
			}
			r, err := loadRows(args[0], &b)
			if err != nil {
				return err
			}
			if r.Y == nil {
				return fmt.Errorf("train: %s: no labels y; use what bin wrote", args[0])
			}
			cfg, err := f.config(cmd, arch, r.N, a.seed)
			if err != nil {
				return err
			}
			if find && (cmd.Flags().Changed("lr") || cfg.Profile != train.ProfileTsai) {
				return usagef("--find-lr: is for profile tsai, and instead of --lr")
			}
			return a.train(cmd, args, arch, r, cfg, find, out)
		},
	}
	cmd.Flags().StringVar(&f.net, "net", "", "network; net list names them")
	cmd.Flags().StringVar(&out, "out", "", "folder of the model")
	cmd.Flags().BoolVar(&force, "force", false, "replace an existing model")
	cmd.Flags().BoolVar(&find, "find-lr", false, "search the highest rate first (fastai's lr_find), and train with it")
	for _, name := range []string{"net", "out"} {
		_ = cmd.MarkFlagRequired(name)
	}
	f.add(cmd)
	b.add(cmd.Flags())
	return cmd
}

// trained is what train --json prints.
type trained struct {
	Model          string  `json:"model"`
	Net            string  `json:"net"`
	Profile        string  `json:"profile"`
	Rows           int     `json:"rows"`
	Parameters     int     `json:"parameters"`
	Epochs         int     `json:"epochs"`
	Batch          int     `json:"batch"`
	LR             float64 `json:"lr"` // highest
	OptimizerSteps int     `json:"optimizer_steps"`
	Loss           float64 `json:"loss"`           // of the last epoch
	TrainAccuracy  float64 `json:"train_accuracy"` // of the finished model, in evaluation mode
	WallS          float64 `json:"wall_s"`
	WeightsSHA256  string  `json:"weights_sha256"`
}

func (a *app) train(cmd *cobra.Command, args []string, arch nn.Arch, r *rows, cfg train.Config, find bool, out string) error {
	be, err := a.backend()
	if err != nil {
		return err
	}
	m, err := nn.NewModel(be, arch, r.C, r.T, len(r.Classes), a.seed)
	if err != nil {
		return err
	}
	defer m.Close()
	if find {
		s, err := train.FindLR(cmd.Context(), m, r.Data, cfg, nil)
		if err != nil {
			return err
		}
		cfg.LR = s.Best
		fmt.Fprintf(a.stderr, "train: highest rate %.3g, searched over %d steps\n", s.Best, len(s.LR))
	}
	cfg.Dir = out + ".partial"
	batch, perEpoch := cfg.Steps(r.N)
	if left := r.N - batch*perEpoch; cfg.DropLast && left > 0 {
		fmt.Fprintf(a.stderr, "train: each epoch leaves out %d of %d rows (batch %d); %d optimizer steps in all; --drop-last=false keeps them\n",
			left, r.N, batch, perEpoch*cfg.Epochs)
	}
	if train.HasCheckpoint(cfg.Dir) {
		fmt.Fprintf(a.stderr, "train: resuming from %s\n", cfg.Dir)
	}
	bar := a.progress("train "+arch.Name, int64(perEpoch*cfg.Epochs), "steps")
	h, err := train.Fit(cmd.Context(), m, r.Data, cfg, func(e train.Event) {
		bar.Set(int64(e.Step), fmt.Sprintf("epoch %d/%d  loss %.4f  accuracy %.2f  lr %.2g", e.Epoch, e.Epochs, e.Loss, e.TrainAccuracy, e.LR))
	})
	bar.Done()
	if err != nil {
		if ctxErr := cmd.Context().Err(); ctxErr != nil && errors.Is(err, ctxErr) {
			return stopped("train: "+out, again(cmd, args))
		}
		return err
	}
	norm := train.FitNormalizer(cfg.Normalize, r.Data)
	scores, err := train.Predict(m, norm, r.X, r.N, batch)
	if err != nil {
		return err
	}
	right := 0
	for i, y := range r.Y {
		if k := len(r.Classes); train.Argmax(scores[i*k:(i+1)*k]) == y {
			right++
		}
	}
	prep, err := json.Marshal(r.prep)
	if err != nil {
		return fmt.Errorf("train: preprocessing: %w", err)
	}
	last := h[len(h)-1]
	info := train.Model{
		Classes: r.Classes, Normalizer: norm, Preprocessing: prep, Data: r.digest, Training: cfg, Rows: r.N,
		OptimizerStep: last.Steps, Seed: a.seed, Version: buildVersion().Version,
	}
	if err := train.SaveModel(cfg.Dir, info, m, h); err != nil {
		return err
	}
	if err := train.RemoveCheckpoint(cfg.Dir); err != nil {
		return err
	}
	sum, err := fileDigest(filepath.Join(cfg.Dir, "weights.safetensors"))
	if err != nil {
		return err
	}
	if err := replaceFolder(cfg.Dir, out); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	t := trained{
		Model: out, Net: arch.Name, Profile: arch.Profile, Rows: r.N, Parameters: m.Info().Parameters, Epochs: len(h), Batch: batch, LR: cfg.LR,
		OptimizerSteps: last.Steps, Loss: last.Loss, TrainAccuracy: float64(right) / float64(r.N), WallS: last.WallS, WeightsSHA256: sum,
	}
	if a.json {
		return a.printJSON(t)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s (%s), %d rows of %s, %d epochs, %d optimizer steps, loss %.4f, training accuracy %.1f %%, %.1f s\n",
		out, t.Net, t.Profile, t.Rows, strings.Join(r.Classes, ", "), t.Epochs, t.OptimizerSteps, t.Loss, 100*t.TrainAccuracy, t.WallS)
	return err
}

// replaceFolder puts a finished folder under its final name. A former one steps aside first, so that a kill in between
// loses neither.
func replaceFolder(from, to string) error {
	old := to + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(to, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return os.RemoveAll(old)
}
