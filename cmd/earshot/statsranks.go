package main

import (
	"fmt"
	"math"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"earshot/experiments"
)

// rankedModel, rankedPair and rankReport are what stats ranks --json prints; what does not exist is null.
type rankedModel struct {
	Net  string  `json:"net"`
	Rank float64 `json:"rank"`
	Mean float64 `json:"mean"`
}

type rankedPair struct {
	A          string   `json:"a"`
	B          string   `json:"b"`
	Wins       int      `json:"wins"`
	Ties       int      `json:"ties"`
	Losses     int      `json:"losses"`
	Difference float64  `json:"difference"`
	P          float64  `json:"p"`
	PHolm      float64  `json:"p_holm"`
	PNemenyi   *float64 `json:"p_nemenyi"`
}

type rankReport struct {
	Datasets           []string      `json:"datasets"`
	Models             []rankedModel `json:"models"`
	ChiSquare          *float64      `json:"chi_square"`
	DF                 *float64      `json:"df"`
	P                  *float64      `json:"p"`
	F                  *float64      `json:"f"`
	DF1                *float64      `json:"df1"`
	DF2                *float64      `json:"df2"`
	PF                 *float64      `json:"p_f"`
	CriticalDifference *float64      `json:"critical_difference"`
	Level              float64       `json:"level"`
	Pairs              []rankedPair  `json:"pairs"`
}

func newStatsRanksCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ranks F.csv",
		Short: "Compare models over several data sets by their ranks",
		Long: `Compare models over several data sets: mean ranks, Friedman's test (chi-square, and Iman and Davenport's F), Nemenyi's critical
difference at 5 %, and for each pair Wilcoxon's signed-rank test with Holm's correction (Demsar, JMLR 2006).

The file has the columns dataset, net and accuracy, one row for each result, as the archive.csv of run archive; results of one
model on one data set are averaged, data sets that lack a model are left out. "plot ranks F.csv" draws it.`,
		Example: `  earshot stats ranks archive.csv
  earshot plot ranks archive.csv --out ranks.pdf`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := experiments.ReadScores(args[0])
			if err != nil {
				return err
			}
			return a.printRanks(s)
		},
	}
}

func (a *app) printRanks(s experiments.Standing) error {
	r := rankReport{Datasets: s.Datasets, Level: experiments.RanksLevel}
	for _, i := range s.Order() {
		r.Models = append(r.Models, rankedModel{s.Nets[i], s.Ranks[i], s.Mean(i)})
	}
	finite := func(v float64) *float64 { // JSON has neither NaN nor infinities
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	if f := s.Friedman; s.Nemenyi != nil {
		r.ChiSquare, r.DF, r.P = finite(f.ChiSquare), finite(f.DF1), finite(f.P)
		r.F, r.DF1, r.DF2, r.PF = finite(f.F), finite(f.DF1), finite(f.DF2), finite(f.PF)
		r.CriticalDifference = finite(s.Distance)
	}
	for _, p := range s.Pairs() {
		r.Pairs = append(r.Pairs, rankedPair{s.Nets[p.A], s.Nets[p.B], p.Wins, p.Ties, p.Losses, p.Difference, p.P, p.PHolm, finite(p.PNemenyi)})
	}
	if a.json {
		return a.printJSON(r)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "model\tmean rank\tmean accuracy, %d data sets\n", len(r.Datasets))
	for _, m := range r.Models {
		fmt.Fprintf(w, "%s\t%.3f\t%.2f %%\n", m.Net, m.Rank, 100*m.Mean)
	}
	if s.Nemenyi != nil {
		f := s.Friedman
		fmt.Fprintf(w, "\nFriedman\tchi-square %.3f, %g degrees of freedom\tp %.4g\nIman-Davenport\tF(%g, %g) = %.3f\tp %.4g\nNemenyi\tcritical difference of ranks %.3f\tat %g %%\n",
			f.ChiSquare, f.DF1, f.P, f.DF1, f.DF2, f.F, f.PF, s.Distance, 100*r.Level)
	}
	fmt.Fprintln(w, "\na\tb\twins, ties, losses of a\tmean a - b\tp Wilcoxon\tp Holm\tp Nemenyi")
	for _, p := range r.Pairs {
		nemenyi := ""
		if p.PNemenyi != nil {
			nemenyi = fmt.Sprintf("%.4g", *p.PNemenyi)
		}
		fmt.Fprintf(w, "%s\t%s\t%d, %d, %d\t%+.2f\t%.4g\t%.4g\t%s\n", p.A, p.B, p.Wins, p.Ties, p.Losses, 100*p.Difference, p.P, p.PHolm, nemenyi)
	}
	return w.Flush()
}
