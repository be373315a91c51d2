package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"earshot/experiments"
)

// verified is what verify --json prints.
type verified struct {
	Dir    string              `json:"dir"`
	OK     bool                `json:"ok"`
	Checks []experiments.Check `json:"checks"`
}

func newVerifyCommand(a *app) *cobra.Command {
	var data, cell string
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Recompute a run's numbers from its predictions, and train one cell again",
		Long: `Recomputes every number of a run folder that follows from another: metrics from predictions, predictions' captures from splits,
weights' digests, cells.csv, summary.csv and tables. Then it trains one cell again and compares the weights, bit by bit, and
the predictions. Exit status 1 when anything differs.`,
		Example: `  earshot run songs --quick --out songs
  earshot verify songs`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			be, err := a.backend()
			if err != nil {
				return err
			}
			var b *bar
			checks, err := experiments.Verify(cmd.Context(), experiments.VerifyOptions{
				Options: experiments.Options{Dir: args[0], Data: data, Backend: be, Threads: a.workers(), Progress: func(p experiments.Progress) {
					if b == nil && p.Event.Steps > 0 {
						b = a.progress("verify "+p.ID, int64(p.Event.Steps), "steps")
					}
					if b != nil {
						b.Set(int64(p.Event.Step), fmt.Sprintf("loss %.3f", p.Event.Loss))
					}
				}},
				Cell: cell,
			})
			if b != nil {
				b.Done()
			}
			if cmd.Context().Err() != nil {
				return &interrupted{"verify: stopped; nothing was changed, start it again with: " + again(cmd, args)}
			}
			if err != nil {
				return studyError(err)
			}
			v := verified{Dir: args[0], OK: experiments.Passed(checks), Checks: checks}
			if a.json {
				err = a.printJSON(v)
			} else {
				for _, c := range checks {
					word := "ok    "
					if !c.OK {
						word = "DIFFER"
					}
					fmt.Fprintf(a.stdout, "%s  %s: %s\n", word, c.Name, c.Detail)
				}
			}
			for _, c := range checks {
				if !c.OK {
					return fmt.Errorf("verify: %s: %s: %s", args[0], c.Name, c.Detail)
				}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "the run's data set, where it has moved")
	cmd.Flags().StringVar(&cell, "cell", "", "cell to train again, or none (default the one that took least time)")
	return cmd
}
