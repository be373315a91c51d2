package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"earshot/data/dataset/npz"
	"earshot/nets"
	"earshot/train"
)

func newNetFitStepsCommand(a *app) *cobra.Command {
	var f netFlags
	var target, batches string
	lr := 1e-3
	cmd := &cobra.Command{
		Use:   "fit-steps --net NET --classes K --weights W.safetensors --input X.npy --target y.npy --batches B.npy --out W2.safetensors",
		Short: "Train on fixed batches by the profile's recipe",
		Long: `Trains for as many steps as B.npy, integers (steps, batch), has rows: the row numbers of each batch. The steps are one
epoch of the profile's recipe, with --lr as the highest rate. Loss, rate and momentum of each step go to stdout, so that
another program's training can be laid beside it.`,
		Example: "  earshot net fit-steps --net fcn --classes 3 --weights w.safetensors --input x.npy --target y.npy --batches b.npy --out w2.safetensors",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(lr > 0) {
				return usagef("--lr %g: must be above 0", lr)
			}
			if err := checkOut(f.out, f.force); err != nil {
				return err
			}
			m, x, n, err := f.load(a, cmd)
			if err != nil {
				return err
			}
			defer m.Close()
			y, err := readTarget(target, n, f.classes)
			if err != nil {
				return err
			}
			plan, err := readBatches(batches)
			if err != nil {
				return err
			}
			d := train.Data{X: x, N: n, C: f.channels, T: f.steps, Classes: make([]string, f.classes)}
			for _, k := range y {
				d.Y = append(d.Y, int(k))
			}
			arch, _, _, _ := m.Arch()
			bar := a.progress("fit-steps "+f.net, int64(len(plan)), "steps")
			curve, err := train.FitBatches(cmd.Context(), m, d, plan, arch.Profile, lr, func(e train.Event) {
				bar.Set(int64(e.Step), fmt.Sprintf("loss %.4f  lr %.2g", e.Loss, e.LR))
			})
			bar.Done()
			if err != nil {
				return err
			}
			if err := nets.SaveWeights(m, f.out); err != nil {
				return err
			}
			return a.printJSON(curve)
		},
	}
	f.addInput(cmd)
	f.addOut(cmd, "weights to write, safetensors")
	g := cmd.Flags()
	g.StringVar(&target, "target", "", "classes of the rows, y.npy")
	g.StringVar(&batches, "batches", "", "row numbers of each batch, B.npy (steps, batch)")
	g.Float64Var(&lr, "lr", lr, "highest learning rate")
	for _, name := range []string{"target", "batches"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// readBatches reads row numbers (steps, batch); whether the rows exist is FitBatches' to say.
func readBatches(path string) ([][]int, error) {
	array, err := npz.ReadNPY(path)
	if err != nil {
		return nil, err
	}
	v, err := array.AsInt64()
	if err != nil {
		return nil, fmt.Errorf("net: %s: %w", path, err)
	}
	if len(array.Shape) != 2 || len(v) == 0 {
		return nil, fmt.Errorf("net: %s: shape %v, want (steps, batch)", path, array.Shape)
	}
	plan := make([][]int, array.Shape[0])
	for i, row := range v {
		s := i / array.Shape[1]
		plan[s] = append(plan[s], int(row))
	}
	return plan, nil
}
