package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"earshot/data/binning"
	"earshot/data/capture"
	"earshot/data/dataset"
	"earshot/data/trace"
	"earshot/nets/nn"
	"earshot/train"
	"earshot/train/metrics"
)

func newPredictCommand(a *app) *cobra.Command {
	var model, out, clients, servers string
	var batch int
	var force bool
	cmd := &cobra.Command{
		Use:   "predict DS|X.npz|FILE… --model MODEL --out P.csv",
		Short: "Score captures with a trained model",
		Long: `Scores a data set, an array that bin wrote, or raw captures (files, or folders of them) with a model that train wrote.

Captures are read as the model was trained: its bins, its rule for who is the client, its normalizer. Where the captures are of
another network than the model's, --clients or --servers say who is who there. P.csv has a row for
each capture: capture_id, source, true (empty for raw captures), predicted, and a score for each class.`,
		Example: `  earshot train songs --label song --step 100ms --net fcn --out fcn.model
  earshot predict songs --model fcn.model --out songs.csv
  earshot predict evening.pcapng --model fcn.model --out evening.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch %d: must be above 0", batch)
			}
			if err := checkOut(out, force); err != nil {
				return fmt.Errorf("predict: %w", err)
			}
			be, err := a.backend()
			if err != nil {
				return err
			}
			info, m, err := train.LoadModel(model, be)
			if err != nil {
				return err
			}
			defer m.Close()
			p := &predictor{app: a, model: model, info: info, m: m, batch: batch}
			if len(info.Preprocessing) > 0 {
				if err := json.Unmarshal(info.Preprocessing, &p.prep); err != nil {
					return fmt.Errorf("predict: %s: preprocessing: %w", model, err)
				}
			}
			if p.rule, err = p.addresses(clients, servers); err != nil {
				return err
			}
			if err := p.sources(cmd, args); err != nil {
				return err
			}
			return p.finish(out)
		},
	}
	cmd.Flags().StringVar(&model, "model", "", "folder of the model")
	cmd.Flags().StringVar(&out, "out", "", "table of predictions (csv)")
	cmd.Flags().StringVar(&clients, "clients", "", "addresses of the clients of raw captures: CIDR,… or @FILE (default the model's)")
	cmd.Flags().StringVar(&servers, "servers", "", "addresses of the servers of raw captures: CIDR,… or @FILE (default the model's)")
	cmd.Flags().IntVar(&batch, "batch", 64, "rows scored at once")
	cmd.Flags().BoolVar(&force, "force", false, "replace an existing table")
	for _, name := range []string{"model", "out"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// predictor scores rows as they come, a batch at a time, so that a data set of any size fits.
type predictor struct {
	*app
	model string // folder
	info  train.Model
	m     *nn.Model
	prep  preprocessing
	rule  capture.Rule // who is the client in raw captures
	batch int

	x       []float32 // rows waiting
	trained string    // the source, where it is the data of the training
	done    []predicted
	first   int // of done: the first one whose scores are waiting
}

type predicted struct {
	id            int64
	source, label string
	scores        []float32
}

// sources adds every row that the arguments name.
func (p *predictor) sources(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && dataset.IsSet(args[0]) {
		return p.set(cmd, args[0])
	}
	if len(args) == 1 && slices.Contains([]string{".npz", ".npy"}, filepath.Ext(args[0])) {
		return p.array(args[0])
	}
	return p.captures(cmd, args)
}

// seen remembers data that the model was trained on: an accuracy on them shows nothing.
func (p *predictor) seen(path, digest string) {
	if digest == p.info.Data {
		p.trained = path
	}
}

func (p *predictor) array(path string) error {
	r, err := loadArray(path)
	if err != nil {
		return err
	}
	if r.C != p.info.Channels || r.T != p.info.Steps {
		return fmt.Errorf("predict: %s: %d channels of %d steps, the model reads %d of %d", path, r.C, r.T, p.info.Channels, p.info.Steps)
	}
	p.seen(path, r.digest)
	w := r.C * r.T
	for i := range r.N {
		label := ""
		if r.Y != nil {
			label = r.Classes[r.Y[i]]
		}
		if err := p.add(r.X[i*w:(i+1)*w], predicted{id: r.capture[i], source: r.source[i], label: label}); err != nil {
			return err
		}
	}
	return nil
}

func (p *predictor) set(cmd *cobra.Command, dir string) error {
	c, err := p.bins()
	if err != nil {
		return err
	}
	s, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	p.seen(dir, s.Digest())
	var ids []int64
	for _, cp := range s.Included() {
		ids = append(ids, cp.ID)
	}
	bar := p.progress("predict", int64(len(ids)), "captures")
	defer bar.Done()
	row := make([]float32, p.info.Channels*p.info.Steps)
	return s.Each(ids, func(cp *dataset.Capture, t *trace.Trace) error {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if _, err := binning.Bin(c, t, row); err != nil {
			return err
		}
		bar.Set(int64(len(p.done)), "")
		return p.add(row, predicted{id: cp.ID, source: cp.Source, label: cp.Labels[p.prep.Label]})
	})
}

func (p *predictor) captures(cmd *cobra.Command, args []string) error {
	c, err := p.bins()
	if err != nil {
		return err
	}
	files, err := captureFiles(args)
	if err != nil {
		return err
	}
	bar := p.progress("predict", int64(len(files)), "captures")
	defer bar.Done()
	row := make([]float32, p.info.Channels*p.info.Steps)
	scored, bad := 0, error(nil)
	for i, path := range files {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		t, report, err := capture.ReadTrace(path, p.rule)
		if err != nil { // one bad file of many costs its own row only
			fmt.Fprintf(p.stderr, "predict: %v; skipped\n", err)
			bad = err
			continue
		}
		scored++
		if report.Err != nil {
			fmt.Fprintf(p.stderr, "predict: %v; its %d packets before that are used\n", report.Err, report.Records)
		}
		for _, n := range report.Notes {
			fmt.Fprintf(p.stderr, "predict: %v\n", n)
		}
		if report.Guessed && scored == 1 {
			fmt.Fprintln(p.stderr, "predict: the model names no clients and no servers, so directions are guessed")
		}
		if all := report.PayloadUp + report.PayloadDown + report.PayloadUnknown; report.PayloadUnknown > 0 {
			fmt.Fprintf(p.stderr, "predict: %s: direction unknown for %.1f %% of the bytes; --clients names the clients there\n", path, 100*float64(report.PayloadUnknown)/float64(all))
		}
		if _, err := binning.Bin(c, t, row); err != nil {
			return err
		}
		if err := p.add(row, predicted{id: int64(i), source: dataset.Text(path)}); err != nil {
			return err
		}
		bar.Set(int64(i+1), "")
	}
	if scored == 0 {
		return bad
	}
	return nil
}

// addresses is who is the client in raw captures: as the flags say, else as the model was trained.
func (p *predictor) addresses(clients, servers string) (rule capture.Rule, err error) {
	if clients != "" || servers != "" {
		if rule.Clients, err = dataset.ParsePrefixes(clients); err != nil {
			return rule, fileOrUsage("--clients: %w", err)
		}
		if rule.Servers, err = dataset.ParsePrefixes(servers); err != nil {
			return rule, fileOrUsage("--servers: %w", err)
		}
		return rule, nil
	}
	if rule.Clients, err = prefixes(p.prep.Clients); err == nil {
		rule.Servers, err = prefixes(p.prep.Servers)
	}
	if err != nil {
		err = fmt.Errorf("predict: the model's clients rule: %w", err)
	}
	return rule, err
}

// captureFiles lists files and the captures in folders, in order of their paths.
func captureFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			ok, err := capture.IsCapture(path)
			if ok {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no capture there; give pcap or pcapng files, or folders of them", strings.Join(args, ", "))
	}
	return slices.Compact(files), nil
}

// bins is how the model's rows were made from captures.
func (p *predictor) bins() (binning.Config, error) {
	if p.prep.Bin == nil {
		return binning.Config{}, fmt.Errorf("predict: %s: was trained on an array, which does not say how captures become rows, so it cannot score captures; train it on the data set itself (train DS), or bin the captures with the array's flags and score that .npz", p.model)
	}
	c, err := p.prep.Bin.config()
	if err != nil {
		return c, fmt.Errorf("predict: preprocessing: %w", err)
	}
	if t, err := c.Steps(); err != nil || t != p.info.Steps || len(c.Channels) != p.info.Channels {
		return c, fmt.Errorf("predict: preprocessing: %d channels of %d steps for a network of %d and %d (%v)", len(c.Channels), t, p.info.Channels, p.info.Steps, err)
	}
	return c, nil
}

func (p *predictor) add(row []float32, what predicted) error {
	p.x = append(p.x, row...)
	p.done = append(p.done, what)
	if len(p.done)-p.first < p.batch {
		return nil
	}
	return p.flush()
}

func (p *predictor) flush() error {
	n, k := len(p.done)-p.first, len(p.info.Classes)
	if n == 0 {
		return nil
	}
	scores, err := train.Predict(p.m, p.info.Normalizer, p.x, n, p.batch)
	if err != nil {
		return err
	}
	for i := range n {
		p.done[p.first+i].scores = scores[i*k : (i+1)*k]
	}
	p.x, p.first = p.x[:0], len(p.done)
	return nil
}

// scored is what predict --json prints.
type scored struct {
	Out      string   `json:"out"`
	Rows     int      `json:"rows"`
	Labelled int      `json:"labelled"` // rows whose class the model knows
	Correct  int      `json:"correct"`
	Accuracy *float64 `json:"accuracy"` // null without labels
	CILow    *float64 `json:"ci_low"`
	CIHigh   *float64 `json:"ci_high"`
}

// finish writes the table and says how many were right, where that is known.
func (p *predictor) finish(out string) error {
	if err := p.flush(); err != nil {
		return err
	}
	s := scored{Out: out, Rows: len(p.done)}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"capture_id", "source", "true", "predicted"}
	for _, c := range p.info.Classes {
		head = append(head, "score_"+c)
	}
	_ = w.Write(head) // Error tells below
	for _, d := range p.done {
		guess := p.info.Classes[train.Argmax(d.scores)]
		line := []string{strconv.FormatInt(d.id, 10), d.source, d.label, guess}
		for _, v := range d.scores {
			line = append(line, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		_ = w.Write(line)
		if slices.Contains(p.info.Classes, d.label) {
			s.Labelled++
			if d.label == guess {
				s.Correct++
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	if err := replaceFile(out, b.Bytes()); err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	if s.Labelled > 0 {
		acc := float64(s.Correct) / float64(s.Labelled)
		lo, hi := metrics.ClopperPearson(s.Correct, s.Labelled, 0.95)
		s.Accuracy, s.CILow, s.CIHigh = &acc, &lo, &hi
	}
	if p.trained != "" {
		fmt.Fprintf(p.stderr, "predict: the model was trained on %s itself; how many are right there says nothing of other captures\n", p.trained)
	}
	if p.json {
		return p.printJSON(s)
	}
	if s.Accuracy == nil {
		_, err := fmt.Fprintf(p.stdout, "%s: %d rows scored\n", out, s.Rows)
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%s: %d rows scored, %d of %d labelled ones right: %.1f %% (95 %% interval %.1f to %.1f)\n",
		out, s.Rows, s.Correct, s.Labelled, 100**s.Accuracy, 100**s.CILow, 100**s.CIHigh)
	return err
}
