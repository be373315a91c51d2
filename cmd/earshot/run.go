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
	"earshot/train"
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
	monitored                         []string
	loss                              float64
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

Without --data the study songs runs on recorded captures that are part of the program, ` + experiments.Songs.Recorded.Data + `: ` + amount(experiments.Songs.Recorded) + `,
as many as the study had. --classes and --points take others, --classes all every song. The other studies generate
their captures, and --data synth does so for songs, too; then every table and figure says SYNTHETIC, and the accuracy of the best
possible rule is known (--bayes sets it). A folder called synth is ./synth.

The folder --out grows cell by cell; stopped or killed, the same command goes on where it was and ends with the same bits. --quick
shows the whole path in a few minutes; its numbers are no evidence.

--splits, --normalize, --epochs and --batch change every protocol that is run. Controls (majority answer, totals only, duration only,
permuted labels, shuffled time) are part of every table; the two that need a model use a rocket of --nets, else the first. MiniRocket and
MultiRocket with a ridge classifier stand among the networks as minirocket and multirocket.

--monitored A,B,C opens the world: the eavesdropper wants to know of these values of --label alone, and everything else that is
played is the class other, in training as in the test. random:N and stratified:N then test others that training has seen in
other captures; open:N holds them out: the captures of each monitored value are dealt into N folds, and so are the other values,
whole, so that every fold tests others that training has not seen. Without --splits both kinds are run. The table open_world
has the closed and the open world in a row, open_precision what an alarm is worth at 1, 20 and 1000 others for every monitored capture.

The study requests learns from tables of features: --sets and --models choose them, --trials the number of random splits,
--bins and --ablations the tables beside; --nets none leaves the networks out. Splits that hold whole commands or capture occasions
apart are added where the data have the axes query and group.

The study archive holds the models against their published accuracies on the UCR and UEA archives: --data is a folder of
NAME_TRAIN.ts and NAME_TEST.ts (or .tsv), in subfolders or not, --datasets takes some of them, --runs is the number of seeds. Networks
are trained in their publications' profile, for fewer epochs than there, and tested by batch norm statistics of the whole
training set: --epochs 0 trains for as many as they did, and tests by the running statistics as they did.`,
		Example: `  earshot run songs --quick
  earshot run songs --data synth --bayes 0.7 --nets fcn --steps 1s --out known
  earshot run songs --data mydata --label song --splits stratified:5,group=day --nets fcn,inceptiontime --out mystudy
  earshot run songs --data mydata --monitored battle,nebula,wanderer --splits stratified:5,open:5 --nets minirocket --out openworld
  earshot run requests --quick
  earshot run requests --data echo --label type6 --sets combined --models forest,knn --trials 10 --nets none --out echo6
  earshot run archive --quick
  earshot run archive --data UCR --datasets GunPoint,Coffee --nets fcn,minirocket --runs 5 --out ucr`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fmt.Errorf("name one study of: %s", names)
			case experiments.Studies[args[0]].Name == "":
				return fmt.Errorf("%q: no such study; there are %s", args[0], names)
			case len(args) > 1:
				return fmt.Errorf("%q: one study at a time; settings are flags, --NAME VALUE", args[1])
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
	g.StringVar(&f.data, "data", "", "data set, or synth for generated captures (default: songs: "+experiments.Songs.Recorded.Data+"; other studies: synth)")
	g.StringVar(&f.label, "label", "", "label axis that names the classes")
	g.StringSliceVar(&f.classes, "classes", nil, "only these classes, or all (default all; of bundled data the study's)")
	g.StringSliceVar(&f.monitored, "monitored", nil, "open world: only these classes are wanted, all others are one class, other")
	g.StringSliceVar(&f.nets, "nets", nil, "networks; net list names them; minirocket, multirocket; or none (requests)")
	g.StringSliceVar(&f.steps, "steps", nil, "time steps, such as 1s,100ms,10ms; or none (with --order, and requests)")
	g.StringSliceVar(&f.sets, "sets", nil, "feature sets of the study (requests: tcptrace, histogram, combined)")
	g.StringSliceVar(&f.models, "models", nil, "classical models (requests: tree, forest, svm_linear, svm_rbf, mlp, knn)")
	g.IntVar(&f.trials, "trials", 0, "random splits of each protocol")
	g.StringSliceVar(&f.bins, "bins", nil, "numbers of bins of the table of histograms; or none")
	g.BoolVar(&f.ablations, "ablations", true, "tables of some of the features only")
	g.DurationVar(&f.duration, "duration", 0, "length of a series; later packets are cut")
	g.StringVar(&f.direction, "direction", "", "packets that count: down, up or both")
	g.StringVar(&f.size, "size", "", "bytes that count: payload, ip or frame")
	g.Float64Var(&f.loss, "loss", 0, "share of the packets that the eavesdropper misses, drawn from --seed")
	g.IntSliceVar(&f.points, "points", nil, "numbers of captures to use, such as 15,60,111 (default all; of bundled data the study's)")
	g.StringSliceVar(&f.splits, "splits", nil, "random:N, stratified:N, group=AXIS, time=AXIS, official or open:N")
	g.IntVar(&f.seeds, "seeds", 0, "number of seeds for each split, from --seed on")
	g.IntVar(&f.runs, "runs", 0, "archive: number of seeds, from --seed on (default 3)")
	g.StringSliceVar(&f.datasets, "datasets", nil, "archive: only these data sets (default all)")
	g.StringVar(&f.profile, "profile", "", "profile of the networks: tsai or paper")
	g.StringSliceVar(&f.protocols, "protocol", nil, "protocols to run: study, ours (default both)")
	g.StringVar(&f.normalize, "normalize", "", "what networks and rockets read: "+strings.Join(train.Normalizations, ", "))
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
	if set("monitored") {
		s.World = &experiments.World{Monitored: f.monitored}
		if last := len(s.Protocols) - 1; !set("splits") && last >= 0 { // others that training has seen, beside others that it has not
			s.Protocols[last].Splits = append(slices.Clone(s.Protocols[last].Splits), "open")
		}
	}
	assign(set("classes"), &s.Classes, f.classes)
	assign(set("nets"), &s.Nets, withoutNone(f.nets))
	assign(set("profile"), &s.Profile, f.profile)
	assign(set("duration"), &s.DurationUS, f.duration.Microseconds())
	assign(set("direction"), &s.Direction, f.direction)
	assign(set("size"), &s.Size, f.size)
	assign(set("loss"), &s.Loss, f.loss)
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
	if set("bayes") && !(f.bayes > 0 && f.bayes <= 1) {
		return s, usagef("--bayes %g: an accuracy, from guessing (1 by the number of classes) to 1", f.bayes)
	}
	if data := f.source(s); set("bayes") && data != "" {
		return s, usagef("--bayes: %s is recorded, and nobody knows its best possible accuracy; it goes with --data %s", data, synthetic)
	}
	return s, s.Check()
}

// synthetic is the value of --data that stands for generated captures; a folder of that name is ./synth.
const synthetic = "synth"

// source is the data set of the run: the one that --data names, else the recorded one of the study; empty for generated captures.
func (f *studyFlags) source(s experiments.Study) string {
	switch f.data {
	case "":
		return s.Recorded.Data
	case synthetic:
		return ""
	}
	return f.data
}

// amount is how much of its recorded data a study takes, in words.
func amount(r experiments.Recorded) string {
	return fmt.Sprintf("%d captures of %s", r.Points, strings.Join(r.Classes, ", "))
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
	sweepErr := a.sweep(cmd.Context(), study, out, f.source(study), be)
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
		if strings.HasPrefix(t.Name, "accuracy") || t.Name == "guessing" || strings.HasPrefix(t.Name, "open") || t.Name == "beside_published" {
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
			b.SetLeft(int64(p.Done), p.Left, note)
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
