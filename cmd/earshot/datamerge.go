package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/dataset"

	"github.com/spf13/cobra"
)

func newDataMergeCommand(a *app) *cobra.Command {
	var out string
	var force bool
	c := &cobra.Command{
		Use:   "merge A B… --out DS",
		Short: "Unite data sets; captures with the same packets are marked",
		Long: `Unite data sets; captures with the same packets are marked. What a recorder keeps beside its captures comes along under
their new numbers: health.csv, truth.jsonl, and lists such as servers.txt.`,
		Example: `  earshot data merge laptop desktop --out songs`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOut(out, force); err != nil {
				return err
			}
			for _, dir := range args {
				if filepath.Clean(dir) == filepath.Clean(out) {
					return usagef("data merge: %s is both a source and --out", dir)
				}
			}
			if err := replaceSet(out, func() error { return dataset.Merge(out, args...) }); err != nil {
				return err
			}
			if err := a.warnNumbers(args); err != nil {
				return err
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

// numbered are the axes on which every recording counts from 0.
var numbered = []string{"session", "browser", "rig", "repetition"}

// warnNumbers names the numbered axes that the sets have values of in common: session 0 of one is not session 0 of the other.
func (a *app) warnNumbers(dirs []string) error {
	in := map[string]map[string]int{} // axis, value: set that had it first
	for _, axis := range numbered {
		in[axis] = map[string]int{}
	}
	shared := map[string]bool{}
	for i, dir := range dirs {
		s, err := dataset.Open(dir)
		if err != nil {
			return err
		}
		for _, c := range s.Captures {
			for _, axis := range numbered {
				v := c.Labels[axis]
				if first, ok := in[axis][v]; ok && first != i {
					shared[axis] = true
				} else if v != "" {
					in[axis][v] = i
				}
			}
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	var axes []string
	for _, axis := range numbered {
		if shared[axis] {
			axes = append(axes, axis)
		}
	}
	if len(axes) > 0 {
		a.logLine(fmt.Sprintf("merge: the sets count %s from the same number on: captures of equal number are one group to splits and audits, although they were not recorded together",
			strings.Join(axes, ", ")))
	}
	return nil
}

// replaceSet makes a data set in out. One that is there is put aside, and comes back when that fails.
func replaceSet(out string, build func() error) error {
	old := ""
	if _, err := os.Stat(out); err == nil {
		if !dataset.IsSet(out) {
			return fmt.Errorf("data: %s: exists and is no data set, so --force leaves it alone; use another --out", out)
		}
		old = out + ".replaced"
		if err := os.Rename(out, old); err != nil {
			return err
		}
	}
	if err := build(); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(old, out))
		}
		return err
	}
	if old == "" {
		return nil
	}
	// The card is somebody's work, and it is about the set of this name: it stays unless the new set brings one.
	if _, err := os.Stat(filepath.Join(out, dataset.CardName)); errors.Is(err, fs.ErrNotExist) {
		err := os.Rename(filepath.Join(old, dataset.CardName), filepath.Join(out, dataset.CardName))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(old)
}

// exported is what data export --json prints.
type exported struct {
	Out      string `json:"out"`
	Captures int    `json:"captures"`
	Packets  int64  `json:"packets"`
	LeftOut  int    `json:"left_out"` // duplicates and empties
}

func newDataExportCommand(a *app) *cobra.Command {
	var to, out string
	var force bool
	c := &cobra.Command{
		Use:   "export DS --to csv|npz|compact --out F",
		Short: "Write the packets of a data set to one csv or npz file, or a small copy of it",
		Long: `Write the packets of a data set to one csv or npz file, or a small copy of it to a folder.

The compact copy is a data set of times, directions, protocols and sizes, some 3 bytes a packet. Beside them lie health.csv, record.json
and the data card README.md, where the set has them; truth.jsonl and lists of addresses stay behind. A copy that
--force replaces keeps its README.md unless the new one brings its own.`,
		Example: `  earshot data export songs --to csv --out songs.csv
  earshot data export labdata --to compact --out small`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(dataset.ExportFormats, to) {
				return usagef("--to %q: it is one of %s", to, strings.Join(dataset.ExportFormats, ", "))
			}
			if err := checkOut(out, force); err != nil {
				return err
			}
			if filepath.Clean(args[0]) == filepath.Clean(out) {
				return usagef("data export: %s is both the source and --out", out)
			}
			s, err := dataset.Open(args[0])
			if err != nil {
				return err
			}
			export := func() error { return dataset.Export(s, to, out) }
			if to == dataset.Compact {
				err = replaceSet(out, export)
			} else {
				err = export()
			}
			if err != nil {
				return err
			}
			written := s.Included()
			if to == dataset.Compact { // the whole set, marks and all
				written = s.Captures
			}
			e := exported{Out: out, Captures: len(written), LeftOut: len(s.Captures) - len(written)}
			for _, c := range written {
				e.Packets += c.Packets
			}
			if a.json {
				return a.printJSON(e)
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %d captures, %d packets (%d duplicates and empties left out)\n", out, e.Captures, e.Packets, e.LeftOut)
			return err
		},
	}
	c.Flags().StringVar(&to, "to", "", "format: "+strings.Join(dataset.ExportFormats, ", ")+" (a data set of times, directions and sizes, without addresses)")
	c.Flags().StringVar(&out, "out", "", "file to write, for compact a folder")
	c.Flags().BoolVar(&force, "force", false, "replace --out")
	c.MarkFlagRequired("to")
	c.MarkFlagRequired("out")
	return c
}
