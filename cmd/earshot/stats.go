package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"earshot/train/metrics"

	"github.com/spf13/cobra"
)

func newStatsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "stats",
		Short: "Intervals and tests for accuracies from anywhere",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newStatsIntervalCommand(a), newStatsCompareCommand(a), newStatsRanksCommand(a))
	return c
}

func newStatsIntervalCommand(a *app) *cobra.Command {
	var correct, total, classes int
	var level float64
	c := &cobra.Command{
		Use:     "interval --correct K --total N",
		Short:   "Print the exact interval of an accuracy",
		Long:    "Print the exact (Clopper-Pearson) and the score (Wilson) interval of K right answers of N, and with --classes the\nchance to do as well by guessing.",
		Example: `  earshot stats interval --correct 12 --total 22 --classes 3`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if total < 1 || correct < 0 || correct > total {
				return usagef("stats interval: --correct %d of --total %d: give K from 0 to N, and N from 1 on", correct, total)
			}
			if classes < 0 || classes == 1 {
				return usagef("stats interval: --classes %d: at least 2", classes)
			}
			if err := checkLevel(level); err != nil {
				return err
			}
			r := struct {
				Correct    int      `json:"correct"`
				Total      int      `json:"total"`
				Accuracy   float64  `json:"accuracy"`
				Level      float64  `json:"level"`
				CILow      float64  `json:"ci_low"`
				CIHigh     float64  `json:"ci_high"`
				WilsonLow  float64  `json:"wilson_low"`
				WilsonHigh float64  `json:"wilson_high"`
				PGuess     *float64 `json:"p_guess,omitempty"`
			}{Correct: correct, Total: total, Accuracy: float64(correct) / float64(total), Level: level}
			r.CILow, r.CIHigh = metrics.ClopperPearson(correct, total, level)
			r.WilsonLow, r.WilsonHigh = metrics.Wilson(correct, total, level)
			if classes > 0 {
				p := metrics.BinomialTail(correct, total, 1/float64(classes))
				r.PGuess = &p
			}
			if a.json {
				return a.printJSON(r)
			}
			fmt.Fprintf(a.stdout, "accuracy  %.2f %%\nexact     %.2f - %.2f %%\nwilson    %.2f - %.2f %%\n",
				100*r.Accuracy, 100*r.CILow, 100*r.CIHigh, 100*r.WilsonLow, 100*r.WilsonHigh)
			if r.PGuess != nil {
				fmt.Fprintf(a.stdout, "p guess   %.3g\n", *r.PGuess)
			}
			return nil
		},
	}
	f := c.Flags()
	f.IntVar(&correct, "correct", 0, "right answers")
	f.IntVar(&total, "total", 0, "all answers")
	f.IntVar(&classes, "classes", 0, "number of classes, to test against guessing")
	f.Float64Var(&level, "level", 0.95, "confidence level")
	c.MarkFlagRequired("correct")
	c.MarkFlagRequired("total")
	return c
}

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return usagef("--level %g: between 0 and 1, as in 0.95", level)
	}
	return nil
}

// comparisons are the tests of `stats compare`. Each reads the columns that it needs.
var comparisons = []struct {
	name string
	run  func(a, b *trials, level float64) (metrics.Test, error)
}{
	{"student", onAccuracy(metrics.StudentT)},
	{"welch", onAccuracy(metrics.Welch)},
	{"paired", onAccuracy(metrics.PairedT)},
	{"corrected", correctedTrials},
	{"wilcoxon", onAccuracy(metrics.Wilcoxon)},
	{"sign", onAccuracy(metrics.Sign)},
	{"mcnemar", mcNemarTrials},
}

func newStatsCompareCommand(a *app) *cobra.Command {
	var test string
	var level float64
	var names []string
	for _, c := range comparisons {
		names = append(names, c.name)
	}
	c := &cobra.Command{
		Use:   "compare A.csv B.csv --test " + strings.Join(names, "|"),
		Short: "Test whether A is more accurate than B",
		Long: `Test whether A and B differ (two-sided); the interval is of A - B.

Both files hold one row per trial, in the same order, with a column accuracy. The test corrected, for random splits of one
data set, also reads n_train and n_test. The test mcnemar, for two classifiers on the same points, reads true and predicted
(a predictions.csv). An end of an interval that the data cannot bound is null.`,
		Example: `  earshot stats compare fcn.csv resnet.csv --test corrected --json`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := slices.Index(names, test)
			if at < 0 {
				return usagef("--test %q: it is one of %s", test, strings.Join(names, ", "))
			}
			if err := checkLevel(level); err != nil {
				return err
			}
			x, err := readTrials(args[0])
			if err != nil {
				return err
			}
			y, err := readTrials(args[1])
			if err != nil {
				return err
			}
			t, err := comparisons[at].run(x, y, level)
			if err != nil {
				return err
			}
			return a.printTest(test, level, t)
		},
	}
	f := c.Flags()
	f.StringVar(&test, "test", "", "one of "+strings.Join(names, ", "))
	f.Float64Var(&level, "level", 0.95, "confidence level of the interval")
	c.MarkFlagRequired("test")
	return c
}

func (a *app) printTest(name string, level float64, t metrics.Test) error {
	if a.json {
		finite := func(v float64) *float64 { // JSON has neither NaN nor infinities
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil
			}
			return &v
		}
		return a.printJSON(struct {
			Test      string   `json:"test"`
			Statistic *float64 `json:"statistic"`
			DF        *float64 `json:"df"`
			P         *float64 `json:"p"`
			CILow     *float64 `json:"ci_low"`
			CIHigh    *float64 `json:"ci_high"`
			Level     float64  `json:"level"`
		}{name, finite(t.Statistic), finite(t.DF), finite(t.P), finite(t.CILow), finite(t.CIHigh), level})
	}
	df := ""
	if !math.IsNaN(t.DF) {
		df = fmt.Sprintf("df         %.6g\n", t.DF)
	}
	_, err := fmt.Fprintf(a.stdout, "test       %s\nstatistic  %.6g\n%sp          %.4g\nA - B      %.6g to %.6g (%g %%)\n",
		name, t.Statistic, df, t.P, t.CILow, t.CIHigh, 100*level)
	return err
}
