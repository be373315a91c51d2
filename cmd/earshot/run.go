package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"earshot/experiments"
	"earshot/nets/kernel"
)

// studyFlags override fields of a study; what is not given is the study's own.
type studyFlags struct {
	out, data                         string
	label, direction, size, normalize string
	classes, nets, protocols, splits  []string
	controls, sets, models            []string
	steps, bins                       []string
	points                            []int
	seeds, epochs, batch, order       int
	trials                            int
	duration                          time.Duration
	bayes                             float64
	memory                            byteSize
	quick, full, collapse, force      bool
	ablations                         bool
	datasets                          []string
	runs                              int
	profile                           string
}

func newRunCommand(a *app) *cobra.Command {
	var f studyFlags
	names := strings.Join(slices.Sorted(maps.Keys(experiments.Studies)), ", ")
	cmd := &cobra.Command{
		Use:   "run STUDY",
		Short: "Run a whole study: data to tables and figures",
		Long: `Runs a published study, by its own protocol and by ours, and writes tables and figures with the study's numbers beside.

Studies: ` + names + `.

Without --data the captures are generated, and every table and figure says SYNTHETIC. The folder --out grows cell by cell; stopped
or killed, the same command goes on where it was and ends with the same bits. --quick shows the whole path in a few
minutes; its numbers are no evidence.

--splits, --normalize, --epochs and --batch change every protocol that is run. Controls (majority answer, totals only, duration only,
permuted labels, shuffled time) are part of every table; the two that need a network use the first of --nets. MiniRocket and
MultiRocket with a ridge classifier stand among the networks as minirocket and multirocket.

The study requests learns from tables of features: --sets and --models choose them, --trials the number of random splits,
--bins and --ablations the tables beside; --nets none leaves the networks out. Splits that hold whole commands or capture occasions
apart are added where the data have the axes query and group.

The study archive holds the models against their published accuracies on the UCR and UEA archives: --data is a folder of
NAME_TRAIN.ts and NAME_TEST.ts (or .tsv), in subfolders or not, --datasets takes some of them, --runs is the number of seeds. Networks
are trained in their publications' profile, for fewer epochs than there, and tested by batch norm statistics of the whole
training set: --epochs 0 trains for as many as they did, and tests by the running statistics as they did.`,
		Example: `  earshot run songs --quick
  earshot run songs --data mydata --label song --splits stratified:5,group=day --nets fcn,inceptiontime --out mystudy
  earshot run requests --quick
  earshot run requests --data echo --label type6 --sets combined --models forest,knn --trials 10 --nets none --out echo6
  earshot run archive --quick
  earshot run archive --data UCR --datasets GunPoint,Coffee --nets fcn,minirocket --runs 5 --out ucr`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || experiments.Studies[args[0]].Name == "" {
				return fmt.Errorf("name one study of: %s", names)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			study, err := f.study(cmd, args[0], a.seed)
			if err != nil {
				return studyError(err)
			}
			if f.out == "" {
				f.out = study.Name
			}
			return studyError(a.runStudy(cmd, args, study, f))
		},
	}
	g := cmd.Flags()
	g.StringVar(&f.out, "out", "", "folder of the run (default the study's name)")
	g.StringVar(&f.data, "data", "", "data set folder (default: generated captures)")
	g.StringVar(&f.label, "label", "", "label axis that names the classes")
	g.StringSliceVar(&f.classes, "classes", nil, "only these classes (default all)")
	g.StringSliceVar(&f.nets, "nets", nil, "networks; net list names them; minirocket, multirocket; or none")
	g.StringSliceVar(&f.steps, "steps", nil, "time steps, such as 1s,100ms,10ms; or none")
	g.StringSliceVar(&f.sets, "sets", nil, "feature sets of the study (requests: tcptrace, histogram, combined)")
	g.StringSliceVar(&f.models, "models", nil, "classical models (requests: tree, forest, svm_linear, svm_rbf, mlp, knn)")
	g.IntVar(&f.trials, "trials", 0, "random splits of each protocol")
	g.StringSliceVar(&f.bins, "bins", nil, "numbers of bins of the table of histograms; or none")
	g.BoolVar(&f.ablations, "ablations", true, "tables of some of the features only")
	g.DurationVar(&f.duration, "duration", 0, "length of a series; later packets are cut")
	g.StringVar(&f.direction, "direction", "", "packets that count: down, up or both")
	g.StringVar(&f.size, "size", "", "bytes that count: payload, ip or frame")
	g.IntSliceVar(&f.points, "points", nil, "numbers of captures to use, such as 15,60,111 (default all)")
	g.StringSliceVar(&f.splits, "splits", nil, "random:N, stratified:N, group=AXIS, time=AXIS or official")
	g.IntVar(&f.seeds, "seeds", 0, "number of seeds for each split, from --seed on")
	g.IntVar(&f.runs, "runs", 0, "archive: number of seeds, from --seed on (default 3)")
	g.StringSliceVar(&f.datasets, "datasets", nil, "archive: only these data sets (default all)")
	g.StringVar(&f.profile, "profile", "", "profile of the networks: tsai or paper")
	g.StringSliceVar(&f.protocols, "protocol", nil, "protocols to run: study, ours (default both)")
	g.StringVar(&f.normalize, "normalize", "", "none, train or sample")
	g.IntVar(&f.epochs, "epochs", 0, "epochs")
	g.IntVar(&f.batch, "batch", 0, "rows of a batch")
	g.IntVar(&f.order, "order", 0, "packets of the order-only encoding (0: leave it out)")
	g.StringSliceVar(&f.controls, "controls", nil, "of majority, totals, duration, permuted, shuffled; or none (default all)")
	g.Float64Var(&f.bayes, "bayes", 0, "generated captures: accuracy of the best possible rule")
	g.Var(&f.memory, "memory", "refuse a cell whose training step needs more (0: no limit; default 4GiB)")
	g.BoolVar(&f.quick, "quick", false, "the whole path in miniature")
	g.BoolVar(&f.full, "full", false, "the study's finest step too")
	g.BoolVar(&f.collapse, "collapse", false, "also the study's protocol with each suspect for its constant answers changed")
	g.BoolVar(&f.force, "force", false, "begin anew: remove the run that --out holds")
	return cmd
}

// study is the named study under the flags.
func (f *studyFlags) study(cmd *cobra.Command, name string, seed uint64) (experiments.Study, error) {
	s := experiments.Studies[name]
	set := cmd.Flags().Changed
	if f.quick {
		s = s.Quicker()
	}
	if f.full {
		s = s.Full()
	}
	if set("protocol") {
		var kept []experiments.Protocol
		for _, p := range f.protocols {
			i := slices.IndexFunc(s.Protocols, func(q experiments.Protocol) bool { return q.Name == p })
			if i < 0 {
				return s, usagef("--protocol %q: unknown; use study or ours", p)
			}
			kept = append(kept, s.Protocols[i])
		}
		s.Protocols = kept
	}
	s.Protocols = slices.Clone(s.Protocols)
	for i := range s.Protocols {
		p := &s.Protocols[i]
		if set("splits") {
			p.Splits = f.splits
		}
		if set("normalize") {
			p.Normalize = f.normalize
		}
		if set("epochs") && p.Epochs > 0 { // 0: no networks under this protocol
			p.Epochs = f.epochs
		}
		if set("batch") {
			p.Batch = f.batch
		}
	}
	if f.collapse {
		s = s.WithCollapse()
	}
	var err error
	if set("steps") {
		if s.StepsUS, err = stepsOf(f.steps); err != nil {
			return s, err
		}
	}
	if s, err = f.tables(cmd, s); err != nil {
		return s, err
	}
	if s, err = f.archive(cmd, s); err != nil {
		return s, err
	}
	repeats := len(s.Seeds)
	assign(set("seeds"), &repeats, f.seeds)
	assign(set("runs"), &repeats, f.runs)
	if repeats < 1 {
		return s, usagef("--seeds, --runs: %d seeds; at least 1 is needed", repeats)
	}
	s.Seeds = nil
	for i := range repeats {
		s.Seeds = append(s.Seeds, seed+uint64(i))
	}
	s.Generate.Seed = seed
	if s.Requests != nil {
		r := *s.Requests
		r.Seed = seed
		assign(set("bayes"), &r.Bayes, f.bayes)
		s.Requests = &r
	}
	assign(set("label"), &s.Label, f.label)
	assign(set("classes"), &s.Classes, f.classes)
	assign(set("nets"), &s.Nets, withoutNone(f.nets))
	assign(set("profile"), &s.Profile, f.profile)
	assign(set("duration"), &s.DurationUS, f.duration.Microseconds())
	assign(set("direction"), &s.Direction, f.direction)
	assign(set("size"), &s.Size, f.size)
	assign(set("points"), &s.Points, f.points)
	assign(set("order"), &s.Order, f.order)
	assign(set("memory"), &s.Memory, int64(f.memory))
	assign(set("bayes"), &s.Generate.Bayes, f.bayes)
	if set("controls") {
		s.Controls = withoutNone(f.controls)
	}
	if set("splits") {
		s.Occasions = nil
	}
	return s, s.Check()
}

// tables applies the flags of studies that learn from tables of features.
func (f *studyFlags) tables(cmd *cobra.Command, s experiments.Study) (experiments.Study, error) {
	set := cmd.Flags().Changed
	for _, name := range []string{"sets", "models", "trials", "bins", "ablations"} {
		if set(name) && len(s.Sets) == 0 {
			return s, usagef("--%s: the study %s has no tables of features", name, s.Name)
		}
	}
	var err error
	if set("sets") {
		if s, err = s.WithSets(f.sets); err != nil {
			return s, err
		}
	}
	assign(set("models"), &s.Models, f.models)
	if set("trials") {
		if f.trials < 1 {
			return s, usagef("--trials %d: at least 1 is needed", f.trials)
		}
		s = s.WithTrials(f.trials)
	}
	if set("bins") {
		var bins []int
		for _, v := range withoutNone(f.bins) {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return s, usagef("--bins %q: not a number of bins", v)
			}
			bins = append(bins, n)
		}
		s = s.WithoutPart(experiments.PartBins)
		s.Sets = append(s.Sets, experiments.BinSweep(bins...)...)
	}
	if !f.ablations {
		s = s.WithoutPart(experiments.PartAblation)
	}
	return s, nil
}

func stepsOf(list []string) (us []int64, err error) {
	for _, v := range withoutNone(list) {
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, usagef("--steps %q: not a duration such as 100ms", v)
		}
		if d%time.Microsecond != 0 {
			return nil, usagef("--steps %v: whole microseconds are needed", d)
		}
		us = append(us, d.Microseconds())
	}
	return us, nil
}

// withoutNone is the list that a flag means: "none" is no entry.
func withoutNone(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(v string) bool { return v == "none" })
}

func assign[T any](given bool, dst *T, v T) {
	if given {
		*dst = v
	}
}

// studyError turns settings that do not fit the data into wrong usage.
func studyError(err error) error {
	var u *experiments.UsageError
	if errors.As(err, &u) {
		return &usageError{err}
	}
	return err
}

// finished is what run --json prints.
type finished struct {
	Dir       string `json:"dir"`
	Study     string `json:"study"`
	Data      string `json:"data"`
	Synthetic bool   `json:"synthetic"`
	Cells     int    `json:"cells"`
	OK        int    `json:"ok"`
	Refused   int    `json:"refused"`
	Failed    int    `json:"failed"`
	Report    string `json:"report"`
}

func (a *app) runStudy(cmd *cobra.Command, args []string, study experiments.Study, f studyFlags) error {
	be, err := a.backend()
	if err != nil {
		return err
	}
	out := filepath.Clean(f.out)
	if f.force {
		if err := dropRun(out); err != nil {
			return err
		}
	}
	sweepErr := a.sweep(cmd.Context(), study, out, f.data, be)
	if sweepErr != nil && cmd.Context().Err() != nil {
		return stopped("run "+study.Name+": "+out, again(cmd, args))
	}
	r, err := experiments.LoadRun(out)
	if err != nil {
		if sweepErr != nil { // it says why there is nothing to load
			return sweepErr
		}
		return err
	}
	if err := errors.Join(sweepErr, experiments.WriteTables(r), experiments.WriteReport(r)); err != nil {
		return err
	}
	v := finished{Dir: out, Study: study.Name, Data: r.Manifest.Data.Digest, Synthetic: r.Synthetic(), Cells: len(r.Cells), Report: filepath.Join(out, "report.html")}
	for _, c := range r.Cells {
		switch c.Status {
		case experiments.StatusOK:
			v.OK++
		case experiments.StatusRefused:
			v.Refused++
		default:
			v.Failed++
		}
	}
	if a.json {
		return a.printJSON(v)
	}
	for _, t := range r.Tables() {
		if strings.HasPrefix(t.Name, "accuracy") || t.Name == "guessing" || t.Name == "beside_published" {
			fmt.Fprintf(a.stdout, "%s\n", t.Markdown())
		}
	}
	_, err = fmt.Fprintf(a.stdout, "%d cells (%d refused for memory). Report: %s\n", v.Cells, v.Refused, v.Report)
	return err
}

// sweep runs the cells with a display of how far it is.
func (a *app) sweep(ctx context.Context, study experiments.Study, out, data string, be kernel.Backend) error {
	var b *bar
	defer func() {
		if b != nil {
			b.Done()
		}
	}()
	v := buildVersion()
	return experiments.Sweep(ctx, study, experiments.Options{
		Dir: out, Data: data, Backend: be, Threads: a.workers(),
		Version: experiments.Version{Version: v.Version, Commit: v.Commit, Go: v.Go},
		Machine: a.machine(be),
		Progress: func(p experiments.Progress) {
			if b == nil {
				b = a.progress("run "+study.Name, int64(p.Cells), "cells")
			}
			note := p.ID
			if e := p.Event; e.Steps > 0 {
				note += fmt.Sprintf("  epoch %d/%d  loss %.3f", e.Epoch, e.Epochs, e.Loss)
			}
			b.Set(int64(p.Done), note)
		},
	})
}

// dropRun removes a run folder, for --force.
func dropRun(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		return nil // no run is there; the sweep says so when something else is
	}
	if err := experiments.CheckFolder(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// machine describes where the program runs.
func (a *app) machine(be kernel.Backend) experiments.Machine {
	return experiments.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuName(), Cores: runtime.NumCPU(), Threads: a.workers(), Kernel: be.Name()}
}

// cpuName is the processor as Linux names it; empty elsewhere.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
