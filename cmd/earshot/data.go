package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"earshot/data/dataset"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newDataCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Import captures into data sets; look at, merge and export them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newDataImportCommand(a), newDataInfoCommand(a), newDataPacketsCommand(a), newDataSuggestCommand(a),
		newDataMergeCommand(a), newDataExportCommand(a))
	return c
}

// sourceFlags say how files are read; import and info share them.
type sourceFlags struct {
	format, csv, npz, clients, servers string
}

func (s *sourceFlags) add(f *pflag.FlagSet) {
	f.StringVar(&s.format, "format", dataset.Auto, "of the sources: "+strings.Join(dataset.Formats, ", ")+" (auto tells captures by content)")
	f.StringVar(&s.csv, "csv", "", "columns of csv sources: time=0,size=1,direction=2,header=no,unit=s,up=1; time=none, direction=sign, payload=, ip=, frame=, session=WORD")
	f.StringVar(&s.npz, "npz", "", "meaning of an array X (N, L): values=size or values=time,size=512; the sign is the direction, + is up")
	f.StringVar(&s.clients, "clients", "", "addresses of the clients: CIDR,… or @FILE")
	f.StringVar(&s.servers, "servers", "", "addresses of the servers: CIDR,… or @FILE")
}

func (s *sourceFlags) options(a *app) (dataset.ImportOptions, error) {
	o := dataset.ImportOptions{Format: s.format, Workers: a.workers()}
	if !slices.Contains(dataset.Formats, s.format) {
		return o, usagef("--format %q: it is one of %s", s.format, strings.Join(dataset.Formats, ", "))
	}
	var err error
	if o.CSV, err = dataset.ParseCSVFormat(s.csv); err != nil {
		return o, usagef("--csv: %w", err)
	}
	if o.NPZ, err = dataset.ParseNPZFormat(s.npz); err != nil {
		return o, usagef("--npz: %w", err)
	}
	if o.Clients, err = dataset.ParsePrefixes(s.clients); err != nil {
		return o, usagef("--clients: %w", err)
	}
	if o.Servers, err = dataset.ParsePrefixes(s.servers); err != nil {
		return o, usagef("--servers: %w", err)
	}
	return o, nil
}

// logLine prints what a library has to say about the data.
func (a *app) logLine(s string) { fmt.Fprintln(a.stderr, s) }

func newDataImportCommand(a *app) *cobra.Command {
	var (
		src                                           sourceFlags
		out, label, labels, key                       string
		name, origin, license, authorized, filterText string
		strict                                        bool
	)
	c := &cobra.Command{
		Use:   "import SRC… --out DS",
		Short: "Store captures, csv, npz or UCR files in a data set folder",
		Long: `Store captures, csv, npz or UCR files in a data set folder.

SRC are files or folders; a folder gives every capture in it, told by content, not by name. What cannot be read is
noted in problems.csv and passed over. The same command again goes on where it stopped; with further sources it appends.`,
		Example: `  earshot data import captures/ --out songs --label '(?P<song>[a-z]+)_(?P<take>[0-9]+)' --clients 192.168.0.0/16
  earshot data import trace_csv/ --format csv --csv time=1,size=2,direction=3 --labels labels.csv --key file --out echo`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := src.options(a)
			if err != nil {
				return err
			}
			if (labels == "") != (key == "") {
				return usagef("data import: --labels and --key belong together")
			}
			if o.Labels, err = dataset.NewLabeler(label, labels, key); err != nil {
				return usagef("%w", err)
			}
			o.Strict, o.Name, o.Origin, o.License, o.Authorized, o.Filter = strict, name, origin, license, authorized, filterText
			o.Created = time.Now().UTC().Format(time.RFC3339)
			var bar *bar
			o.Progress = func(done, total int) {
				if bar == nil {
					bar = a.progress("import", int64(total), "files")
				}
				bar.Set(int64(done), "")
			}
			r, err := dataset.Import(cmd.Context(), args, o, out, a.logLine)
			if bar != nil {
				bar.Done()
			}
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("data import: %w; what is stored is whole, go on with: %s", err, again(cmd, args))
			}
			if err != nil && r.Captures+r.Skipped == 0 {
				return err
			}
			a.warnImport(r, src.csv != "" || src.npz != "")
			if e := a.printImport(r, out); err == nil {
				err = e
			}
			return err
		},
	}
	f := c.Flags()
	src.add(f)
	f.StringVar(&out, "out", "", "data set folder")
	f.StringVar(&label, "label", "", "expression searched in each path; every named group (?P<AXIS>…) is a label axis")
	f.StringVar(&labels, "labels", "", "csv of labels; --key names the column with the file's base name, the others are label axes")
	f.StringVar(&key, "key", "", "column of --labels that holds the base name")
	f.StringVar(&name, "name", "", "name of the data set (default that of the folder)")
	f.StringVar(&origin, "origin", "", "where the captures come from")
	f.StringVar(&license, "license", "", "license of the captures")
	f.StringVar(&authorized, "authorized", "", "statement that this traffic may be recorded")
	f.StringVar(&filterText, "filter", "", "capture filter that was in force")
	f.BoolVar(&strict, "strict", false, "end with status 1 when anything was odd, after storing what is readable")
	c.MarkFlagRequired("out")
	return c
}

// warnImport says on stderr what a reader of the numbers should know.
func (a *app) warnImport(r dataset.ImportReport, sizesOnly bool) {
	if r.Guessed > 0 {
		a.logLine(fmt.Sprintf("direction: the client was guessed in %d captures; --clients or --servers decides it", r.Guessed))
	}
	if r.Bytes > 0 && r.Unknown > 0 {
		remedy := "`earshot data suggest` lists their peers"
		if sizesOnly {
			remedy = "bin them with --direction both"
		}
		a.logLine(fmt.Sprintf("direction: unknown for %.1f %% of the bytes; %s", 100*float64(r.Unknown)/float64(r.Bytes), remedy))
	}
	if r.Oversize > 0 {
		what := "captured behind offload, they are no packets of the wire"
		if sizesOnly {
			what = "frame lengths, or captured behind offload"
		}
		a.logLine(fmt.Sprintf("size: %d packets are larger than %d bytes: %s", r.Oversize, dataset.MTU, what))
	}
}

func (a *app) printImport(r dataset.ImportReport, out string) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.stdout, "%s: %d captures, %d packets added", out, r.Captures, r.Packets)
	for _, n := range []struct {
		n    int
		what string
	}{{r.Skipped, "there already"}, {r.Duplicates, "duplicates"}, {r.Empties, "empty"}, {r.Unlabeled, "without label"}, {r.Problems, "problems"}} {
		if n.n > 0 {
			fmt.Fprintf(a.stdout, ", %d %s", n.n, n.what)
		}
	}
	_, err := fmt.Fprintln(a.stdout)
	return err
}

func newDataInfoCommand(a *app) *cobra.Command {
	var src sourceFlags
	c := &cobra.Command{
		Use:   "info DS",
		Short: "Sum up a data set, or capture files before an import",
		Long: `Sum up a data set: captures, packets, bytes, labels, duplicates, empties, share of bytes of unknown direction, and every
source with its counts. Files or folders that are no data set are read and summed up without being stored.`,
		Example: `  earshot data info songs
  earshot data info capture.pcapng --clients 192.168.0.0/16 --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := src.options(a)
			if err != nil {
				return err
			}
			var i dataset.Info
			if dataset.IsSet(args[0]) {
				if len(args) > 1 {
					return usagef("data info: one data set at a time, not %d", len(args))
				}
				s, err := dataset.Open(args[0])
				if err != nil {
					return err
				}
				if i, err = s.Info(); err != nil {
					return err
				}
			} else if i, err = dataset.Scan(cmd.Context(), args, o, a.logLine); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(i)
			}
			return printInfo(a.stdout, i)
		},
	}
	src.add(c.Flags())
	return c
}

// longest is how many values or sources the text output lists; --json has all.
const longest = 20

func printInfo(out io.Writer, i dataset.Info) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if i.Name != "" {
		fmt.Fprintf(w, "name\t%s\n", i.Name)
	}
	fmt.Fprintf(w, "captures\t%d (%d included, %d duplicates, %d empty, %d near duplicates)\n", i.Captures, i.Included, i.Duplicates, i.Empties, i.Near)
	fmt.Fprintf(w, "packets\t%d (%d larger than %d bytes)\n", i.Packets, i.Oversize, dataset.MTU)
	fmt.Fprintf(w, "bytes\t%d payload, %d IP, %d frame\n", i.Bytes.Payload, i.Bytes.IP, i.Bytes.Frame)
	fmt.Fprintf(w, "direction\tunknown for %.2f %% of the bytes, guessed in %d captures\n", 100*i.Unknown, i.Guessed)
	for _, axis := range slices.Sorted(maps.Keys(i.Axes)) {
		values := slices.Sorted(maps.Keys(i.Axes[axis]))
		fmt.Fprintf(w, "axis %s\t%d values:", axis, len(values))
		for _, v := range values[:min(len(values), longest)] {
			fmt.Fprintf(w, " %s=%d", v, i.Axes[axis][v])
		}
		if len(values) > longest {
			fmt.Fprint(w, " …")
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "source\tlink\trecords\tdecoded\tup\tdown\tunknown\terror")
	for _, s := range i.Sources[:min(len(i.Sources), longest)] {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Source, s.Link, s.Records, s.Decoded, s.PayloadUp, s.PayloadDown, s.PayloadUnknown, s.Error)
	}
	if n := len(i.Sources) - longest; n > 0 {
		fmt.Fprintf(w, "… and %d more; --json lists all\n", n)
	}
	return w.Flush()
}

func newDataMergeCommand(a *app) *cobra.Command {
	var out string
	var force bool
	c := &cobra.Command{
		Use:     "merge A B… --out DS",
		Short:   "Unite data sets; captures with the same packets are marked",
		Example: `  earshot data merge laptop desktop --out songs`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseExisting(out, force); err != nil {
				return err
			}
			for _, dir := range args {
				if filepath.Clean(dir) == filepath.Clean(out) {
					return usagef("data merge: %s is both a source and --out", dir)
				}
			}
			old := ""
			if _, err := os.Stat(out); err == nil {
				if !dataset.IsSet(out) {
					return fmt.Errorf("data merge: %s: exists and is no data set, so --force leaves it alone; use another --out", out)
				}
				old = out + ".replaced"
				if err := os.Rename(out, old); err != nil {
					return err
				}
			}
			if err := dataset.Merge(out, args...); err != nil {
				if old != "" {
					err = errors.Join(err, os.Rename(old, out))
				}
				return err
			}
			if old != "" {
				if err := os.RemoveAll(old); err != nil {
					return err
				}
			}
			s, err := dataset.Open(out)
			if err != nil {
				return err
			}
			i, err := s.Info()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(i)
			}
			return printInfo(a.stdout, i)
		},
	}
	c.Flags().StringVar(&out, "out", "", "data set folder")
	c.Flags().BoolVar(&force, "force", false, "replace --out")
	c.MarkFlagRequired("out")
	return c
}

func newDataExportCommand(a *app) *cobra.Command {
	var to, out string
	var force bool
	c := &cobra.Command{
		Use:     "export DS --to csv|npz --out F",
		Short:   "Write the packets of a data set to one csv or npz file",
		Example: `  earshot data export songs --to csv --out songs.csv`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(dataset.ExportFormats, to) {
				return usagef("--to %q: it is one of %s", to, strings.Join(dataset.ExportFormats, ", "))
			}
			if err := refuseExisting(out, force); err != nil {
				return err
			}
			s, err := dataset.Open(args[0])
			if err != nil {
				return err
			}
			return dataset.Export(s, to, out)
		},
	}
	c.Flags().StringVar(&to, "to", "", "format: "+strings.Join(dataset.ExportFormats, " or "))
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().BoolVar(&force, "force", false, "replace --out")
	c.MarkFlagRequired("to")
	c.MarkFlagRequired("out")
	return c
}
