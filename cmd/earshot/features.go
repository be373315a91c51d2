package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/binning"
	"earshot/data/dataset"
	"earshot/data/features"
	"earshot/data/trace"

	"github.com/spf13/cobra"
)

// featureFlags are the flags of features.
type featureFlags struct {
	out, per, size, split string
	set                   []string
	list, force, excluded bool
}

func newFeaturesCommand(a *app) *cobra.Command {
	var f featureFlags
	c := &cobra.Command{
		Use:   "features SET[,SET…] DS --out F.csv|.parquet|.npz",
		Short: "Compute features of captures or connections: tcptrace, histograms, flow statistics, sequences",
		Long: `Compute a table of features: a row for each capture (or TCP connection or flow), capture_id, source and labels first.
Duplicates and empty captures have no row. Several sets, joined by commas, stand side by side. What does not exist is empty in csv,
NaN in Parquet and npz. earshot features --list shows every set with its settings and columns.

--per connection: with a tcptrace set, rows are TCP connections as tcptrace tells them apart; else flows, which --set idle=120s,active=1800s end.
Packets whose direction is not known belong to neither side. --split names the captures that may set the edges of histograms (edges=train).
Edges are learned from the data, so that histograms of two data sets have different bins; the npz keeps them in its array edges, and
classify takes only tables of the same ones.`,
		Example: `  earshot features --list
  earshot features tcptrace22,histogram echo --out F.csv --set bins=15,acks=no
  earshot features tcptrace,tcptrace_extra echo --per connection --out F.parquet
  earshot features histogram echo --split run/splits.json#random-1 --out F.npz`,
		Args: func(_ *cobra.Command, args []string) error {
			if want := 2; !f.list && len(args) != want || f.list && len(args) > 1 {
				return errors.New("name the set and the data set, or use --list")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return a.listFeatures(args)
			}
			return a.features(cmd.Context(), args[0], args[1], f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.out, "out", "", "file to write, .csv, .parquet or .npz")
	fl.StringVar(&f.per, "per", "capture", "a row for each capture or connection")
	fl.StringVar(&f.size, "size", "ip", "bytes of a packet: payload, ip or frame (tcptrace's fields count payload)")
	fl.StringSliceVar(&f.set, "set", nil, "settings of the sets, NAME=VALUE,…")
	fl.StringVar(&f.split, "split", "", "FILE or FILE#NAME: splits.json of a run, whose training captures set what is learned from data")
	fl.BoolVar(&f.list, "list", false, "show the sets, or the columns of one set")
	fl.BoolVar(&f.excluded, "excluded", false, "rows for duplicates and empty captures, too")
	fl.BoolVar(&f.force, "force", false, "replace --out")
	return c
}

// options checks the flags; every mistake is wrong usage.
func (f *featureFlags) options() (o features.Options, err error) {
	if f.out == "" {
		return o, usagef("features: --out is missing; name a .csv, .parquet or .npz file")
	}
	if !slices.Contains([]string{".csv", ".parquet", ".npz"}, strings.ToLower(filepath.Ext(f.out))) {
		return o, usagef("--out %s: name it .csv, .parquet or .npz", f.out)
	}
	if o.Per, err = features.ParsePer(f.per); err != nil {
		return o, usagef("--per: %w", err)
	}
	if o.Size, err = binning.ParseSize(f.size); err != nil {
		return o, usagef("--size: %w", err)
	}
	o.Set = map[string]string{}
	for _, s := range f.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return o, usagef("--set %s: write NAME=VALUE", s)
		}
		o.Set[k] = v
	}
	return o, nil
}

// trainingOf reads the training captures of a split: FILE, or FILE#NAME where the file holds several.
func trainingOf(spec string) ([]int64, error) {
	file, name, named := strings.Cut(spec, "#")
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var splits map[string]struct {
		Train []int64 `json:"train"`
	}
	if err := json.Unmarshal(b, &splits); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	names := make([]string, 0, len(splits))
	for n := range splits {
		names = append(names, n)
	}
	slices.Sort(names)
	if !named && len(names) == 1 {
		name = names[0]
	}
	s, ok := splits[name]
	if !ok {
		return nil, usagef("--split %s: choose one of %s", spec, strings.Join(names, ", "))
	}
	return s.Train, nil
}

func (a *app) features(ctx context.Context, sets, dir string, f featureFlags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	x, err := features.New(sets, o)
	if err != nil {
		return usagef("%w", err)
	}
	if err := checkOut(f.out, f.force); err != nil {
		return err
	}
	if f.split != "" {
		ids, err := trainingOf(f.split)
		if err != nil {
			return err
		}
		x.Train(ids)
	}
	s, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.Manifest.Parts, func(p dataset.Part) bool { return strings.HasPrefix(p.Name, "series-") }) {
		return fmt.Errorf("features: %s: holds series, not packets; features need captures", dir)
	}
	captures := s.Included()
	if f.excluded {
		captures = s.Captures
	}
	r := featureReport{Out: f.out, Sets: strings.Split(sets, ","), Captures: len(captures), Excluded: len(s.Captures) - len(captures)}
	m, err := x.Extract(a.featureSource(ctx, s, captures, &r))
	if err != nil {
		return err
	}
	if err := writeFeatures(f.out, m, s.Manifest.Axes); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	r.Rows, r.Columns = m.N, m.F
	if empty := emptyColumns(m); len(empty) > 0 && m.N > 0 {
		why := ""
		if len(empty) == m.F {
			why = "; a csv or a compact copy has no TCP headers"
		}
		a.logLine(fmt.Sprintf("features: no row has a value of %s (%d of %d columns%s)", empty[0], len(empty), m.F, why))
	}
	return a.printFeatures(r)
}

// emptyColumns names the columns that no row has a value of.
func emptyColumns(m *features.Matrix) (names []string) {
	for j, f := range m.Fields {
		i := 0
		for i < m.N && math.IsNaN(m.Row(i)[j]) {
			i++
		}
		if i == m.N {
			names = append(names, f.Name)
		}
	}
	return names
}

// featureSource reads the captures' packets, with a bar.
func (a *app) featureSource(ctx context.Context, s *dataset.Set, captures []dataset.Capture, r *featureReport) features.Source {
	ids := make([]int64, len(captures))
	for i, c := range captures {
		ids[i] = c.ID
	}
	return func(f func(features.Item, *trace.Trace) error) error {
		bar := a.progress("features", int64(len(ids)), "captures")
		defer bar.Done()
		n := int64(0)
		r.Packets, r.Unknown = 0, 0
		return s.Each(ids, func(c *dataset.Capture, t *trace.Trace) error {
			if ctx.Err() != nil {
				return fmt.Errorf("features: %w; nothing is stored, run it again", ctx.Err())
			}
			r.Packets += int64(len(t.Packets))
			for i := range t.Packets {
				if p := &t.Packets[i]; p.Flow >= 0 && p.Direction == trace.Unknown {
					r.Unknown++
				}
			}
			labels := make([]string, len(s.Manifest.Axes))
			for i, axis := range s.Manifest.Axes {
				labels[i] = c.Labels[axis]
			}
			n++
			bar.Set(n, "")
			return f(features.Item{ID: c.ID, Source: c.Source, Labels: labels}, t)
		})
	}
}

// featureReport is what features prints.
type featureReport struct {
	Out      string   `json:"out"`
	Sets     []string `json:"sets"`
	Rows     int      `json:"rows"`
	Columns  int      `json:"columns"`
	Captures int      `json:"captures"`
	Excluded int      `json:"excluded"` // duplicates and empties without rows
	Packets  int64    `json:"packets"`
	Unknown  int64    `json:"packets_without_direction"`
}

func (a *app) printFeatures(r featureReport) error {
	if r.Unknown > 0 {
		a.logLine(fmt.Sprintf("features: the direction of %d of %d packets is not known: they belong to neither side, and tcptrace's fields leave them out; see --clients of data import", r.Unknown, r.Packets))
	}
	if a.json {
		return a.printJSON(r)
	}
	_, err := fmt.Fprintf(a.stdout, "%s: %d rows, %d columns, of %d captures (%d duplicates and empties left out)\n", r.Out, r.Rows, r.Columns, r.Captures, r.Excluded)
	return err
}

// listFeatures prints the documentation of the sets, or of the one named.
func (a *app) listFeatures(args []string) error {
	sets := features.All
	if len(args) == 1 {
		s, err := features.Lookup(args[0])
		if err != nil {
			return usagef("%w", err)
		}
		sets = []features.Set{s}
	}
	if a.json {
		var all []features.Field
		for _, s := range sets {
			all = append(all, s.Fields()...)
		}
		return a.printJSON(all)
	}
	for _, s := range sets {
		fields := s.Fields()
		fmt.Fprintf(a.stdout, "%s: %s (%d columns; %s)\n", s.Name, s.About, len(fields), s.Paper)
		for _, k := range s.Settings {
			fmt.Fprintf(a.stdout, "  --set %s=%s  %s\n", k.Name, k.Default, k.About)
		}
		if len(args) == 0 {
			continue
		}
		for _, f := range fields {
			fmt.Fprintf(a.stdout, "  %-34s %-10s %s\n", f.Name, f.Unit, f.Formula)
		}
	}
	return nil
}
