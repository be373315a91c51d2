package main

import (
	"fmt"
	"strconv"

	"earshot/data/dataset/npz"
	"earshot/nets"
	"earshot/nets/nn"
	"earshot/nets/safetensors"

	"github.com/spf13/cobra"
)

// netFlags name a network and what goes into it.
type netFlags struct {
	net, profile             string
	channels, steps, classes int
	weights, input, out      string
	force                    bool
}

func (f *netFlags) addNet(cmd *cobra.Command) {
	g := cmd.Flags()
	g.StringVar(&f.net, "net", "", "network, one of net list")
	g.StringVar(&f.profile, "profile", "", "profile of the network, one of net list (default the first there: tsai, sklearn for mlp)")
	g.IntVar(&f.classes, "classes", 0, "number of classes")
	for _, name := range []string{"net", "classes"} {
		_ = cmd.MarkFlagRequired(name)
	}
}

// addShape is for commands without an input from which the shape would come.
func (f *netFlags) addShape(cmd *cobra.Command) {
	f.addNet(cmd)
	cmd.Flags().IntVar(&f.channels, "channels", 1, "number of channels")
	cmd.Flags().IntVar(&f.steps, "steps", 0, "number of time steps")
	_ = cmd.MarkFlagRequired("steps")
}

func (f *netFlags) addInput(cmd *cobra.Command) {
	f.addNet(cmd)
	cmd.Flags().StringVar(&f.weights, "weights", "", "weights, safetensors")
	cmd.Flags().StringVar(&f.input, "input", "", "input X.npy (N, C, T)")
	for _, name := range []string{"weights", "input"} {
		_ = cmd.MarkFlagRequired(name)
	}
}

func (f *netFlags) addOut(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.out, "out", "", what)
	cmd.Flags().BoolVar(&f.force, "force", false, "replace an existing file")
	_ = cmd.MarkFlagRequired("out")
}

func (f *netFlags) arch() (nn.Arch, error) {
	arch, err := nets.Lookup(f.net, f.profile)
	if err != nil {
		return arch, usagef("--net, --profile: %w", err)
	}
	if f.classes < 1 {
		return arch, usagef("--classes %d: must be at least 1", f.classes)
	}
	return arch, nil
}

// fresh makes the network for --channels and --steps.
func (f *netFlags) fresh(a *app, cmd *cobra.Command) (*nn.Model, error) {
	arch, err := f.arch()
	if err != nil {
		return nil, err
	}
	if f.channels < 1 || f.steps < 1 {
		return nil, usagef("--channels %d --steps %d: must be at least 1", f.channels, f.steps)
	}
	be, err := a.backend()
	if err != nil {
		return nil, err
	}
	m, err := nn.NewModel(be, arch, f.channels, f.steps, f.classes, a.seed)
	if err == nil {
		m.SetContext(cmd.Context())
	}
	return m, err
}

// load reads --input and makes the network for its shape, with the weights of --weights.
func (f *netFlags) load(a *app, cmd *cobra.Command) (m *nn.Model, x []float32, n int, err error) {
	if _, err := f.arch(); err != nil {
		return nil, nil, 0, err
	}
	array, err := npz.ReadNPY(f.input)
	if err != nil {
		return nil, nil, 0, err
	}
	if len(array.Shape) != 3 || array.Len() == 0 {
		return nil, nil, 0, fmt.Errorf("net: %s: shape %v, want (N, C, T)", f.input, array.Shape)
	}
	if x, err = array.AsFloat32(); err != nil {
		return nil, nil, 0, fmt.Errorf("net: %s: %w", f.input, err)
	}
	n, f.channels, f.steps = array.Shape[0], array.Shape[1], array.Shape[2]
	if m, err = f.fresh(a, cmd); err != nil {
		return nil, nil, 0, err
	}
	return m, x, n, nets.LoadWeights(m, f.weights)
}

// readTarget reads n class numbers below classes.
func readTarget(path string, n, classes int) ([]int32, error) {
	array, err := npz.ReadNPY(path)
	if err != nil {
		return nil, err
	}
	v, err := array.AsInt64()
	if err != nil {
		return nil, fmt.Errorf("net: %s: %w", path, err)
	}
	if len(array.Shape) != 1 || len(v) != n {
		return nil, fmt.Errorf("net: %s: shape %v, the input has %d rows", path, array.Shape, n)
	}
	y := make([]int32, n)
	for i, k := range v {
		if k < 0 || k >= int64(classes) {
			return nil, fmt.Errorf("net: %s: row %d: class %d of %d", path, i, k, classes)
		}
		y[i] = int32(k)
	}
	return y, nil
}

func newNetCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "net",
		Short: "Networks by themselves: list, describe, exchange with PyTorch",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNetListCommand(a), newNetInfoCommand(a), newNetInitCommand(a), newNetForwardCommand(a), newNetGradCommand(a), newNetFitStepsCommand(a))
	return cmd
}

func newNetListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List networks and profiles",
		Example: "  earshot net list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			type row struct {
				Name    string `json:"name"`
				Profile string `json:"profile"`
				Paper   string `json:"paper"`
			}
			var rows []row
			for _, n := range nets.All {
				rows = append(rows, row{n.Name, n.Profile, n.Paper})
			}
			if a.json {
				return a.printJSON(rows)
			}
			for _, r := range rows {
				if _, err := fmt.Fprintf(a.stdout, "%-14s %-7s %s\n", r.Name, r.Profile, r.Paper); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// netInfo is what net info prints; work and memory are those of one sample.
type netInfo struct {
	Parameters      int             `json:"parameters"`
	FieldOfView     any             `json:"field_of_view_steps"` // a number or "global"
	ForwardFlops    int64           `json:"forward_flops"`
	ActivationBytes int64           `json:"activation_bytes"`
	Tensors         []nn.TensorInfo `json:"tensors"`
}

func newNetInfoCommand(a *app) *cobra.Command {
	var f netFlags
	cmd := &cobra.Command{
		Use:     "info --net NET --channels C --steps T --classes K",
		Short:   "Print parameters, field of view, work and memory of a network",
		Example: "  earshot net info --net inceptiontime --channels 1 --steps 6000 --classes 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := f.fresh(a, cmd)
			if err != nil {
				return err
			}
			i := m.Info()
			out := netInfo{i.Parameters, i.FieldOfViewSteps, i.ForwardFlops, i.ActivationBytes, i.Tensors}
			if i.FieldOfViewSteps == 0 {
				out.FieldOfView = "global"
			}
			if a.json {
				return a.printJSON(out)
			}
			fmt.Fprintf(a.stdout, "parameters           %d\nfield of view        %v steps\nforward, one sample  %.3f GFLOP\nmemory, one sample   %.1f MB\n",
				out.Parameters, out.FieldOfView, float64(out.ForwardFlops)/1e9, float64(out.ActivationBytes)/1e6)
			for _, t := range out.Tensors {
				if _, err := fmt.Fprintf(a.stdout, "  %-50s %v\n", t.Name, t.Shape); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.addShape(cmd)
	return cmd
}

func newNetInitCommand(a *app) *cobra.Command {
	var f netFlags
	cmd := &cobra.Command{
		Use:     "init --net NET --channels C --steps T --classes K --out W.safetensors",
		Short:   "Write fresh weights by the profile's rules",
		Example: "  earshot net init --net fcn --steps 600 --classes 3 --seed 7 --out w.safetensors",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOut(f.out, f.force); err != nil {
				return err
			}
			m, err := f.fresh(a, cmd)
			if err != nil {
				return err
			}
			return nets.SaveWeights(m, f.out)
		},
	}
	f.addShape(cmd)
	f.addOut(cmd, "weights to write, safetensors")
	return cmd
}

func newNetForwardCommand(a *app) *cobra.Command {
	var f netFlags
	var mode string
	cmd := &cobra.Command{
		Use:   "forward --net NET --classes K --weights W.safetensors --input X.npy --out Y.npy",
		Short: "Compute logits",
		Long: `Computes the logits of X.npy, float32 (N, C, T), and writes them as float32 (N, K).

Mode eval normalizes by the running statistics in the weights, mode train by the batch, which is all of X.`,
		Example: "  earshot net forward --net fcn --classes 3 --weights w.safetensors --input x.npy --out y.npy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if mode != "eval" && mode != "train" {
				return usagef("--mode %s: choose eval or train", strconv.Quote(mode))
			}
			if err := checkOut(f.out, f.force); err != nil {
				return err
			}
			m, x, n, err := f.load(a, cmd)
			if err != nil {
				return err
			}
			logits := make([]float32, n*f.classes)
			if err := m.Forward(x, n, mode == "train", logits); err != nil {
				return err
			}
			return npz.WriteNPY(f.out, npz.Float32(logits, n, f.classes))
		},
	}
	f.addInput(cmd)
	f.addOut(cmd, "logits to write, npy")
	cmd.Flags().StringVar(&mode, "mode", "eval", "normalize by running statistics (eval) or by the batch (train)")
	return cmd
}

func newNetGradCommand(a *app) *cobra.Command {
	var f netFlags
	var target string
	cmd := &cobra.Command{
		Use:   "grad --net NET --classes K --weights W.safetensors --input X.npy --target y.npy --out G.safetensors",
		Short: "Compute gradients of the mean cross-entropy in training mode",
		Long: `Computes the gradients of the mean cross-entropy of X.npy, float32 (N, C, T), against y.npy, integers (N), in training
mode, and writes them under the names of their parameters. The loss goes to stdout.`,
		Example: "  earshot net grad --net fcn --classes 3 --weights w.safetensors --input x.npy --target y.npy --out g.safetensors",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOut(f.out, f.force); err != nil {
				return err
			}
			m, x, n, err := f.load(a, cmd)
			if err != nil {
				return err
			}
			y, err := readTarget(target, n, f.classes)
			if err != nil {
				return err
			}
			loss, err := m.Step(x, y)
			if err != nil {
				return err
			}
			if err := safetensors.Write(f.out, nets.Gradients(m)); err != nil {
				return err
			}
			return a.printJSON(struct {
				Loss float64 `json:"loss"`
			}{loss})
		},
	}
	f.addInput(cmd)
	f.addOut(cmd, "gradients to write, safetensors")
	cmd.Flags().StringVar(&target, "target", "", "classes of the rows, y.npy")
	_ = cmd.MarkFlagRequired("target")
	return cmd
}
