package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/binning"
	"earshot/data/dataset"
	"earshot/experiments"
	"earshot/plots"

	"github.com/spf13/cobra"
)

// plotFlags are what a single figure needs beyond its source.
type plotFlags struct {
	bin      binFlags
	captures []int64
	out      string
	force    bool
	mark     bool
	depth    int
}

// dataKinds are the figures that need no run; plain "correlation" is the first of its kind.
var dataKinds = []string{"burst", "durations", "series", "correlation_classes", "correlation_captures", "correlation_lag"}

func newPlotCommand(a *app) *cobra.Command {
	var f plotFlags
	c := &cobra.Command{
		Use:   "plot KIND DIR|DS|X.npz|F.csv|MODEL --out F.pdf",
		Short: "Draw one figure by itself, as PDF, SVG or PNG",
		Long: `Draw one figure by itself; the ending of --out says the format.

Of a run folder KIND is the name of a figure in its figures/, or the beginning of one (accuracy, confusion, learning, ranks):
then the first that fits is drawn and the others are named. Of a data set or an array of bin KIND is one of

  burst                 captures over time, the first of each class or those of --capture
  durations             how long the captures of each class last
  series                every capture as a row
  correlation_classes   correlation of classes; plain "correlation" is this one
  correlation_captures  correlation of captures, with the boundaries of classes
  correlation_lag       largest correlation over all lags, with the lag

Of a table with the columns dataset, net and accuracy, such as archive.csv, there is

  ranks                 the critical-difference diagram: mean ranks, joined where Nemenyi's test tells no difference

Of a model folder that classify --model tree --save wrote there is

  tree                  the first --depth levels of the tree; an --out that ends in .dot takes all of it, for Graphviz`,
		Example: `  earshot plot accuracy songs --out accuracy.pdf
  earshot plot burst songs/data --capture 0,1,2 --out burst.svg
  earshot plot correlation songs/data --label song --step 100ms --out correlation.pdf`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "tree" && strings.HasSuffix(f.out, ".dot") {
				return a.plotDOT(args[1], f)
			}
			if ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(f.out)), "."); !slices.Contains(plots.Formats, ext) {
				return usagef("--out %q: name it .%s", f.out, strings.Join(plots.Formats, ", ."))
			}
			if err := checkOut(f.out, f.force); err != nil {
				return err
			}
			fig, err := a.figure(args[0], args[1], &f)
			if err != nil {
				return err
			}
			fig.Synthetic = fig.Synthetic || f.mark
			if err := plots.Save(fig.Figure, f.out); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"figure": fig.Name, "out": f.out, "caption": fig.Caption, "synthetic": fig.Synthetic})
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %s\n", f.out, fig.Caption)
			return err
		},
	}
	f.bin.add(c.Flags())
	c.Flags().IntVar(&f.depth, "depth", 3, "levels of tree below the root")
	c.Flags().Int64SliceVar(&f.captures, "capture", nil, "capture_id of the captures of burst")
	c.Flags().BoolVar(&f.mark, "synthetic", false, "mark the figure as made of generated data (known for data sets and runs)")
	c.Flags().StringVar(&f.out, "out", "", "file to write: .pdf, .svg or .png")
	c.Flags().BoolVar(&f.force, "force", false, "replace --out")
	c.MarkFlagRequired("out")
	return c
}

// figure makes the figure of one kind from whatever path is.
func (a *app) figure(kind, path string, f *plotFlags) (experiments.Figure, error) {
	if _, err := os.Stat(filepath.Join(path, "manifest.json")); err == nil {
		r, err := experiments.LoadRun(path)
		if err != nil {
			return experiments.Figure{}, err
		}
		all, err := r.Figures()
		if err != nil {
			return experiments.Figure{}, err
		}
		return a.pick(kind, all)
	}
	if kind == "tree" {
		return treeFigure(path, f.depth)
	}
	if kind == "ranks" {
		s, err := experiments.ReadScores(path)
		if err != nil {
			return experiments.Figure{}, err
		}
		return s.Figure()
	}
	if !slices.ContainsFunc(dataKinds, func(k string) bool { return k == kind || strings.HasPrefix(k, kind+"_") }) {
		return experiments.Figure{}, usagef("plot %s: of a data set or an array there are %s, of a table ranks, of a model folder tree; the others need a run folder", kind, strings.Join(dataKinds, ", "))
	}
	if !dataset.IsSet(path) {
		st, err := os.Stat(path)
		if err != nil {
			return experiments.Figure{}, fmt.Errorf("plot %s: %w", kind, err)
		}
		if st.IsDir() {
			_, err = dataset.Open(path) // says what is missing in a folder
			return experiments.Figure{}, err
		}
		if kind == "burst" || kind == "durations" {
			return experiments.Figure{}, usagef("plot %s %s: a data set folder is needed", kind, path)
		}
		s, err := experiments.ReadSeries(path)
		if err != nil {
			return experiments.Figure{}, err
		}
		return a.pick(kind, experiments.SeriesFigures(s))
	}
	s, err := dataset.Open(path)
	if err != nil {
		return experiments.Figure{}, err
	}
	defer s.Close()
	fig, err := a.setFigure(kind, s, f)
	if err == nil {
		fig.Synthetic = experiments.Synthetic(s.Manifest)
	}
	return fig, err
}

// pick finds a figure by its name or by the beginning of it.
func (a *app) pick(kind string, all []experiments.Figure) (experiments.Figure, error) {
	var names, fit []string
	for _, g := range all {
		names = append(names, g.Name)
		if g.Name == kind {
			return g, nil
		}
		if strings.HasPrefix(g.Name, kind+"_") {
			fit = append(fit, g.Name)
		}
	}
	if len(fit) == 0 {
		return experiments.Figure{}, usagef("plot %s: no such figure; there are %s", kind, strings.Join(names, ", "))
	}
	if len(fit) > 1 {
		fmt.Fprintf(a.stderr, "plot: drawing %s; there are also %s\n", fit[0], strings.Join(fit[1:], ", "))
	}
	return all[slices.Index(names, fit[0])], nil
}

// setFigure makes a figure of a data set.
func (a *app) setFigure(kind string, s *dataset.Set, f *plotFlags) (experiments.Figure, error) {
	none := experiments.Figure{}
	cfg, err := f.bin.config()
	if err != nil {
		return none, err
	}
	if kind == "burst" && len(f.captures) > 0 {
		return burstFigure(s, f.captures, nil, cfg)
	}
	if f.bin.label == "" {
		return none, usagef("plot %s: --label is needed; the axes are %s", kind, strings.Join(s.Manifest.Axes, ", "))
	}
	caps, classes, err := s.Labelled(f.bin.label, f.bin.classes)
	if err != nil {
		return none, err
	}
	class := func(c dataset.Capture) int { return slices.Index(classes, c.Labels[f.bin.label]) }
	switch kind {
	case "burst":
		const most = 8 // panels that fit above each other
		var ids []int64
		for k := range classes[:min(most, len(classes))] {
			ids = append(ids, caps[slices.IndexFunc(caps, func(c dataset.Capture) bool { return class(c) == k })].ID)
		}
		fig, err := burstFigure(s, ids, classes, cfg)
		fig.Caption += "; the first capture of each class, which may differ in more than the class"
		if len(classes) > most {
			fig.Caption += fmt.Sprintf("; %d of %d classes, --classes or --capture names others", most, len(classes))
		}
		return fig, err
	case "durations":
		seconds := make([][]float64, len(classes))
		for _, c := range caps {
			seconds[class(c)] = append(seconds[class(c)], float64(c.DurationUS)/1e6)
		}
		return experiments.Figure{Name: kind, Caption: "how long the captures last, from the first packet to the last; every capture, quartiles and median of each class",
			Figure: plots.Durations(classes, seconds, cfg.Duration.Seconds())}, nil
	}
	t, err := dataset.Bin(s, f.bin.label, f.bin.classes, cfg)
	if err != nil {
		return none, err
	}
	return a.pick(kind, experiments.SeriesFigures(&experiments.Series{X: t.X, N: t.N, C: t.C, T: t.T, Y: t.Y, Classes: t.Classes,
		CaptureID: t.CaptureID, StepUS: cfg.Step.Microseconds()}))
}

// burstFigure bins both directions of single captures by the rules of bin. Panels are named by class, or by source.
func burstFigure(s *dataset.Set, ids []int64, names []string, cfg binning.Config) (experiments.Figure, error) {
	cfg.Channels = []binning.Channel{binning.BytesDown, binning.BytesUp}
	steps, err := cfg.Steps()
	if err != nil {
		return experiments.Figure{}, usagef("%w", err)
	}
	var panels []plots.BurstPanel
	var sources []string
	for i, id := range ids {
		c, err := s.Capture(id)
		if err != nil {
			return experiments.Figure{}, usagef("--capture: %w", err)
		}
		t, err := s.Trace(id)
		if err != nil {
			return experiments.Figure{}, err
		}
		x := make([]float32, 2*steps)
		if _, err := binning.Bin(cfg, t, x); err != nil {
			return experiments.Figure{}, err
		}
		p := plots.BurstPanel{Name: filepath.Base(c.Source), Step: cfg.Step}
		if names != nil {
			p.Name = names[i]
		}
		for k := range steps {
			p.Down, p.Up = append(p.Down, float64(x[k])), append(p.Up, float64(x[steps+k]))
		}
		panels, sources = append(panels, p), append(sources, c.Source)
	}
	return experiments.Figure{Name: "burst", Caption: fmt.Sprintf("%s bytes per %s, down above the line and up below it, of %s",
		binning.SizeName(cfg.Size), plots.StepName(cfg.Step), strings.Join(sources, ", ")),
		Figure: plots.Burst(panels...)}, nil
}
