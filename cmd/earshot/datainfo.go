package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"earshot/data/dataset"

	"github.com/spf13/cobra"
)

func newDataInfoCommand(a *app) *cobra.Command {
	var src sourceFlags
	var card bool
	c := &cobra.Command{
		Use:   "info DS",
		Short: "Sum up a data set, or capture files before an import",
		Long: `Sum up a data set: captures, packets, bytes, labels, duplicates, empties, share of bytes of unknown direction, and every
source with its counts; where a recorder kept it, the health of the captures. Files or folders that are no data set are read and
summed up without being stored.

--card prints the data card instead: how the captures were made, what they may be used for, and what is known to be easy in them.`,
		Example: `  earshot data info songs
  earshot data info bundled:songs --card
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
				if card {
					return a.printCard(s)
				}
				if i, err = s.Info(); err != nil {
					return err
				}
			} else if card {
				return usagef("data info: --card is of a data set, and %s is none", args[0])
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
	c.Flags().BoolVar(&card, "card", false, "print the data card, README.md of the data set")
	return c
}

// printCard prints the data card; with --json, as the value of card.
func (a *app) printCard(s *dataset.Set) error {
	card, err := s.Card()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"card": card})
	}
	if card == "" {
		return fmt.Errorf("data info: %s: has no README.md; write one that says how the captures were made", s.Dir)
	}
	_, err = fmt.Fprint(a.stdout, card)
	return err
}

// longest is how many values or sources the text output lists; --json has all.
const longest = 20

func printInfo(out io.Writer, i dataset.Info) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if i.Name != "" {
		fmt.Fprintf(w, "name\t%s\n", i.Name)
	}
	for _, line := range [][2]string{{"origin", i.Origin}, {"license", i.License}} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], cell(line[1]))
		}
	}
	if len(i.Works) > 0 {
		licenses := map[string]int{}
		for _, w := range i.Works {
			licenses[w["license"]]++
		}
		fmt.Fprintf(w, "works\t%d: %s; --json names them\n", len(i.Works), counts(licenses))
	}
	if i.FirstUS > 0 {
		day := func(us int64) string { return time.UnixMicro(us).UTC().Format(time.DateTime) }
		fmt.Fprintf(w, "recorded\t%s to %s UTC\n", day(i.FirstUS), day(i.LastUS))
	}
	fmt.Fprintf(w, "captures\t%d (%d included, %d duplicates, %d empty, %d with the first 100 payload sizes of an earlier one)\n", i.Captures, i.Included, i.Duplicates, i.Empties, i.Near)
	fmt.Fprintf(w, "packets\t%d (%d larger than %d bytes)\n", i.Packets, i.Oversize, dataset.MTU)
	fmt.Fprintf(w, "bytes\t%d payload, %d IP, %d frame\n", i.Bytes.Payload, i.Bytes.IP, i.Bytes.Frame)
	fmt.Fprintf(w, "direction\tunknown for %.2f %% of the bytes, guessed in %d captures\n", 100*i.Unknown, i.Guessed)
	if h := i.Health; h != nil {
		fmt.Fprintf(w, "health\t%s in %d attempts; %d packets lost by the recorder; %d bytes expected, %d seen", counts(h.Captures), h.Attempts, h.Drops, h.Expected, h.Seen)
		if len(h.GivenUp) > 0 {
			fmt.Fprintf(w, "; given up: %s", counts(h.GivenUp))
		}
		fmt.Fprintln(w)
	}
	for _, axis := range slices.Sorted(maps.Keys(i.Axes)) {
		values := slices.SortedFunc(maps.Keys(i.Axes[axis]), dataset.Natural)
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
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", cell(s.Source), s.Link, s.Records, s.Decoded, s.PayloadUp, s.PayloadDown, s.PayloadUnknown, s.Error)
	}
	if n := len(i.Sources) - longest; n > 0 {
		fmt.Fprintf(w, "… and %d more; --json lists all\n", n)
	}
	return w.Flush()
}

// counts are numbers by name: "ok=288 stalled=1".
func counts(m map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s=%d", cell(k), m[k]))
	}
	return strings.Join(out, " ")
}

// cell is a name for a table: tabs, ends of lines and bytes that are no UTF-8 would break its columns.
func cell(s string) string {
	return strings.NewReplacer("\t", " ", "\n", " ").Replace(strings.ToValidUTF8(s, "\ufffd"))
}
