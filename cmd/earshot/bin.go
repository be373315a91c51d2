package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"earshot/data/binning"
	"earshot/data/dataset"
	"earshot/data/dataset/npz"

	"github.com/spf13/cobra"
)

func newBinCommand(a *app) *cobra.Command {
	var (
		flags binFlags
		out   string
		force bool
		loss  float64
	)
	c := &cobra.Command{
		Use:   "bin DS --label AXIS --out X.npz",
		Short: "Turn a data set into an array (N, C, T) for NumPy and others",
		Long: `Turn a data set into an array (N, C, T): captures, channels, time steps. A packet counts in the step that is nearest to
its time since the capture's first packet in the chosen direction. The .npz holds X float32 (N, C, T), y int64 (N), classes, capture (the
sources), capture_id, channels, step_us and touched (N, 2): packets on a tie, packets that the edge rule decided about. A .npy holds X
alone and can be mapped into memory.`,
		Example: `  earshot bin songs --label song --step 100ms --duration 60s --out X.npz
  earshot bin songs --label song --step 10ms --channels bytes_up,bytes_down --out X.npz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := flags.config()
			if err != nil {
				return err
			}
			ext := strings.ToLower(filepath.Ext(out))
			if ext != ".npz" && ext != ".npy" {
				return usagef("--out %s: name it .npz or .npy", out)
			}
			if err := checkOut(out, force); err != nil {
				return err
			}
			s, err := dataset.Open(args[0])
			if err != nil {
				return err
			}
			if err := s.Lose(loss, a.seed); err != nil {
				return err
			}
			t, err := dataset.Bin(s, flags.label, flags.classes, cfg)
			if err != nil {
				return err
			}
			if ext == ".npy" {
				err = npz.WriteNPY(out, npz.Float32(t.X, t.N, t.C, t.T))
			} else {
				err = npz.Write(out, binArrays(t)...)
			}
			if err != nil {
				return err
			}
			return a.printBin(t, out)
		},
	}
	flags.add(c.Flags())
	c.Flags().StringVar(&out, "out", "", "file to write, .npz or .npy")
	c.Flags().BoolVar(&force, "force", false, "replace --out")
	c.Flags().Float64Var(&loss, "loss", 0, "share of the packets that the eavesdropper misses, drawn from --seed")
	c.MarkFlagRequired("label")
	c.MarkFlagRequired("out")
	return c
}

func binArrays(t *binning.Tensor) []npz.Named {
	y, touched := make([]int64, t.N), make([]int64, 0, 2*t.N)
	for i, k := range t.Y {
		y[i] = int64(k)
		touched = append(touched, t.Touched[i].Ties, t.Touched[i].Edge)
	}
	return []npz.Named{
		{Name: "X", Array: npz.Float32(t.X, t.N, t.C, t.T)},
		{Name: "y", Array: npz.Int64(y)},
		{Name: "classes", Array: npz.Strings(t.Classes)},
		{Name: "capture", Array: npz.Strings(t.Source)},
		{Name: "capture_id", Array: npz.Int64(t.CaptureID)},
		{Name: "channels", Array: npz.Strings(channelNames(t))},
		{Name: "step_us", Array: npz.Scalar(t.Config.Step.Microseconds())},
		{Name: "touched", Array: npz.Int64(touched, t.N, 2)},
	}
}

// channelNames are the configured channels, or numbers where the set holds series of its own.
func channelNames(t *binning.Tensor) []string {
	names := make([]string, t.C)
	for i := range names {
		if len(t.Config.Channels) == t.C {
			names[i] = t.Config.Channels[i].String()
		} else {
			names[i] = fmt.Sprint(i)
		}
	}
	return names
}

// printBin says what was written, and on stderr what may be wrong with it.
func (a *app) printBin(t *binning.Tensor, out string) error {
	var r struct {
		Out     string         `json:"out"`
		Shape   [3]int         `json:"shape"`
		Classes map[string]int `json:"classes"`
		Ties    int64          `json:"ties"`
		Edge    int64          `json:"edge"`
		Zero    int            `json:"zero_rows"`
	}
	r.Out, r.Shape, r.Classes = out, [3]int{t.N, t.C, t.T}, map[string]int{}
	for i, k := range t.Y {
		r.Classes[t.Classes[k]]++
		r.Ties += t.Touched[i].Ties
		r.Edge += t.Touched[i].Edge
		if isZero(t.Row(i)) {
			r.Zero++
		}
	}
	if r.Zero > 0 {
		a.logLine(fmt.Sprintf("bin: %d of %d rows hold nothing but 0: no packet in the chosen direction; see --direction, and --clients of data import", r.Zero, t.N))
	}
	if a.json {
		return a.printJSON(r)
	}
	_, err := fmt.Fprintf(a.stdout, "%s: X (%d, %d, %d), %d classes; %d packets on a tie, %d at the edge\n", out, t.N, t.C, t.T, len(t.Classes), r.Ties, r.Edge)
	return err
}

func isZero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}
