package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"earshot/data/bundled"
	"earshot/data/dataset"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newDataCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Import or record captures into data sets; look at, audit, merge and export them",
		Long: `Import or record captures into data sets; look at, audit, merge and export them.

Some data sets are part of the program: ` + strings.Join(bundled.Names(), ", ") + `. Such a name stands wherever a command reads a data set folder;
nothing writes to it. data info sums it up, and with --card prints how it was made and what is known to be easy in it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newDataImportCommand(a), newDataInfoCommand(a), newDataPacketsCommand(a), newDataSuggestCommand(a),
		newDataMergeCommand(a), newDataExportCommand(a), newDataAuditCommand(a), newDataRecordCommand(a), newDataCaptureCommand(a),
		newDataCollectCommand(a))
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
		return o, fileOrUsage("--clients: %w", err)
	}
	if o.Servers, err = dataset.ParsePrefixes(s.servers); err != nil {
		return o, fileOrUsage("--servers: %w", err)
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

SRC are files or folders; a folder gives every capture in it, told by content, not by name. What cannot be read is noted in
problems.csv and passed over. The same command again goes on where it stopped; with further sources it appends.

Bytes of a name that are no UTF-8 are stored as \xNN. What a file of data capture says of its authority and its filter comes
into dataset.json, unless --authorized and --filter say it.`,
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
				return fileOrUsage("%w", err)
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
				return &interrupted{"data import: stopped; what is stored is whole, go on with: " + again(cmd, args)}
			}
			if err != nil && r.Captures+r.Skipped == 0 {
				return err
			}
			a.warnImport(r, src.csv != "" || src.npz != "")
			if label != "" {
				err = errors.Join(err, a.warnLabels(out))
			}
			if e := a.printImport(r, out); err == nil {
				err = e
			}
			return err
		},
	}
	f := c.Flags()
	src.add(f)
	f.StringVar(&out, "out", "", "data set folder")
	f.StringVar(&label, "label", "", "expression searched in each whole path, folders too; every named group (?P<AXIS>…) is a label axis")
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

// warnLabels names the axes that tell no two captures apart: an expression that matched a folder of every path.
func (a *app) warnLabels(dir string) error {
	s, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, axis := range s.Manifest.Axes {
		values := map[string]bool{}
		for _, c := range s.Captures {
			values[c.Labels[axis]] = true
		}
		if len(values) == 1 && len(s.Captures) > 1 {
			a.logLine(fmt.Sprintf("label %s: %q in all %d captures; --label takes the first match in the whole path, such as %s",
				axis, s.Captures[0].Labels[axis], len(s.Captures), s.Captures[0].Source))
		}
	}
	return nil
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
