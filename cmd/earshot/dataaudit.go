package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"earshot/data/dataset"
	"earshot/data/features"
	"earshot/experiments"
	"earshot/train"

	"github.com/spf13/cobra"
)

func newDataAuditCommand(a *app) *cobra.Command {
	var label, split, sets, normalize string
	var classes, set []string
	c := &cobra.Command{
		Use:   "audit DS --label AXIS --split S",
		Short: "Look for what gives the classes away beside the traffic",
		Long: `Look for what gives the classes of a split away beside the traffic: the same packets or sizes on both sides, also as parts
of longer captures, with another clock or with sizes that count other headers; captures of one day, session or command
on both sides; and small models that see only the time of the capture, its duration, its totals, addresses, ports, or the
fields a TCP connection begins with.

Severities: severe changes what an accuracy on this split means; warn belongs beside the number; info is to know.
  duplicate         severe from 1 % of the test captures on, else warn; on one side only: info
  near_duplicate    the same sizes at other times: warn from 1 % of the test captures on, else info
  group             a nearest neighbor is worse without the captures of the same group: warn, and severe when that costs the
                    test captures concerned 10 points of accuracy or more; otherwise info
  time              significant: warn; strong: severe
  fitted_on_test    warn
  length            the duration: significant info, strong warn; bytes and packets (totals): info
  address, port,    significant: info; strong: warn
  session
  known_others      of run --monitored, whether training has seen the others of the test: info
Significant is p < 0.05 after Holm's correction over all probes and groups; strong covers a quarter of the way from the
constant answer's accuracy to 1. Of a split with several repeats the first is audited.`,
		Example: `  earshot data audit songs --label song --split stratified:5
  earshot data audit echo --label type6 --split group=query --features histogram --set edges=dataset --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sp, err := dataset.ParseSplits(split)
			if err != nil {
				return usagef("--split: %w", err)
			}
			if err := experiments.ApartFromLabel(split, label); err != nil {
				return usagef("--split: %w", err)
			}
			o := experiments.AuditOptions{Seed: a.seed, Threads: a.threads}
			settings := map[string]string{}
			for _, s := range set {
				k, v, ok := strings.Cut(s, "=")
				if !ok {
					return usagef("--set %s: write NAME=VALUE", s)
				}
				settings[k] = v
			}
			if normalize != "" && normalize != "dataset" && !slices.Contains(train.Normalizations, normalize) {
				return usagef("--normalize %q: it is one of %s, dataset", normalize, strings.Join(train.Normalizations, ", "))
			}
			if sets != "" {
				if _, err := features.New(sets, features.Options{Set: settings}); err != nil {
					return usagef("%w", err)
				}
			} else if len(set) > 0 {
				return usagef("data audit: --set belongs to --features")
			}
			o.Fitted = experiments.FittedOnTest(sets, settings, normalize)
			s, err := dataset.Open(args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			r, err := experiments.AuditSet(s, label, classes, sp, o)
			if err != nil {
				return studyError(err)
			}
			if a.json {
				return a.printJSON(r)
			}
			return printAudit(a.stdout, r)
		},
	}
	f := c.Flags()
	f.StringVar(&label, "label", "", "label axis that holds the classes")
	f.StringSliceVar(&classes, "classes", nil, "classes: A,B,C (default all)")
	f.StringVar(&split, "split", "stratified:1", "how captures are divided: random:N, stratified:N, group=AXIS, time=AXIS or official")
	f.StringVar(&sets, "features", "", "feature sets that will be computed, to see whether they look at test captures")
	f.StringSliceVar(&set, "set", nil, "settings of --features: NAME=VALUE,…")
	f.StringVar(&normalize, "normalize", "", "normalization that will be used: "+strings.Join(train.Normalizations, ", ")+", or dataset (of all captures)")
	c.MarkFlagRequired("label")
	return c
}

func printAudit(out io.Writer, r *experiments.AuditResult) error {
	fmt.Fprintf(out, "%s, %d classes; split %s: %d training and %d test captures\n\n", r.Label, r.Classes, r.Split, r.NTrain, r.NTest)
	if len(r.Findings) == 0 {
		fmt.Fprintln(out, "nothing was found")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%-6s  %s: %s\n", f.Severity, strings.TrimSpace(f.Kind+" "+f.Axis), cell(f.Detail))
		for _, e := range f.Examples {
			fmt.Fprintf(out, "        %s  =  %s\n", cell(e[0]), cell(e[1]))
		}
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\nprobe\taccuracy %\t95 % interval\tmajority %\tp\tp Holm\tmodel\ttest captures")
	for _, p := range r.Probes {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f to %.1f\t%.1f\t%.2g\t%.2g\t%s\t%d\n", p.Name, 100*p.Accuracy, 100*p.CILow, 100*p.CIHigh, 100*p.Majority, p.P, p.PHolm, p.Model, p.NTest)
	}
	if len(r.Groups) > 0 {
		fmt.Fprintln(w, "\ngroup\tgroups\tin training too %\tneighbor %\twithout the group %\tp\tp Holm")
	}
	for _, g := range r.Groups {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.2g\t%.2g\n", cell(g.Axis), g.Groups, 100*g.Shared, 100*g.Random, 100*g.Held, g.P, g.PHolm)
	}
	if len(r.Absent) > 0 {
		fmt.Fprintln(w, "\nnot looked at\treason")
	}
	for _, x := range r.Absent {
		fmt.Fprintf(w, "%s\t%s\n", cell(x.Name), cell(x.Reason))
	}
	return w.Flush()
}
