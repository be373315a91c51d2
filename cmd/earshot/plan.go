package main

import (
	"fmt"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"earshot/data/dataset"
	"earshot/nets"
	"earshot/nets/nn"
	"earshot/train"
	"earshot/train/metrics"
)

// planFlags are those of plan; a power question has its own.
type planFlags struct {
	trainFlags
	shape                []int
	nets                 []string
	steps                []string
	duration             time.Duration
	channels, classes    int
	rate                 float64
	power                bool
	guess, alpha, target float64
	accuracies           []float64
	points               []int
	given                func(name string) bool
}

func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan DS|X.npz|--shape N,C,T [--nets …] [--steps …] | plan --power",
		Short: "Forecast memory, work and time of trainings, or the test points that a claim needs",
		Long: `Prints, for each network and time step, what a training will need before it runs: bytes of one step, operations of the
whole training, seconds at the rate of --gflops. With --memory, what does not fit is refused with the arithmetic.

With --power: how many test points an accuracy needs to be told from guessing (one-sided exact test), and what accuracy
given numbers of points can show.`,
		Example: `  earshot plan --shape 111,1,6000 --nets fcn,inceptiontime --batch 16 --memory 4GiB
  earshot plan songs --nets fcn,lstm --steps 1s,100ms,10ms
  earshot plan --power --classes 3 --points 22,111,300`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given = cmd.Flags().Changed
			if f.power {
				if len(args) > 0 {
					return usagef("plan --power: %s: no data is read", args[0])
				}
				return a.planPower(&f)
			}
			return a.plan(cmd, args, &f)
		},
	}
	g := cmd.Flags()
	g.IntSliceVar(&f.shape, "shape", nil, "training rows, channels and steps instead of data: N,C,T")
	g.StringSliceVar(&f.nets, "nets", []string{"fcn", "resnet", "lstm", "inceptiontime"}, "networks; net list names them")
	g.StringSliceVar(&f.steps, "steps", []string{"100ms"}, "widths of a time step, for a data set")
	g.DurationVar(&f.duration, "duration", 60*time.Second, "length of a series, for a data set")
	g.IntVar(&f.channels, "channels", 1, "channels, for a data set")
	g.IntVar(&f.classes, "classes", 3, "classes")
	g.Float64Var(&f.rate, "gflops", 0, "speed that the seconds assume, GFLOP/s (default 50 for each thread; bench nets measures it)")
	f.trainFlags.add(cmd)
	g.BoolVar(&f.power, "power", false, "test points needed")
	g.Float64Var(&f.guess, "guess", 0, "with --power: accuracy of guessing (default 1/classes)")
	g.Float64Var(&f.alpha, "alpha", 0.05, "with --power: level of the test")
	g.Float64Var(&f.target, "target", 0.8, "with --power: probability of finding the difference")
	g.Float64SliceVar(&f.accuracies, "accuracy", []float64{0.4, 0.5, 0.6, 0.75, 0.9}, "with --power: true accuracies")
	g.IntSliceVar(&f.points, "points", []int{22, 111, 300}, "with --power: numbers of test points")
	return cmd
}

// planShape is one shape to forecast, under the name of its time step where there is one.
type planShape struct {
	step    string
	n, c, t int
}

// planned is a forecast under the step that it belongs to.
type planned struct {
	Step string `json:"step,omitempty"`
	train.Forecast
}

func (a *app) plan(cmd *cobra.Command, args []string, f *planFlags) error {
	shapes, err := f.shapes(args)
	if err != nil {
		return err
	}
	if f.classes < 1 {
		return usagef("--classes %d: must be at least 1", f.classes)
	}
	be, err := a.backend()
	if err != nil {
		return err
	}
	rate := f.rate * 1e9
	if rate == 0 {
		rate = train.DefaultRate * float64(be.Threads())
	}
	out := []planned{}
	for _, s := range shapes {
		for _, name := range f.nets {
			arch, err := nets.Lookup(name, f.profile)
			if err != nil {
				return usagef("--nets: %w", err)
			}
			cfg, err := f.config(cmd, arch, s.n, a.seed)
			if err != nil {
				return err
			}
			m, err := nn.NewModel(be, arch, s.c, s.t, f.classes, 1)
			if err != nil {
				return err
			}
			out = append(out, planned{s.step, train.Plan(m, train.Request{N: s.n, Config: cfg, Rate: rate})})
			m.Close()
		}
	}
	if a.json {
		return a.printJSON(out)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "net\tshape\tbatch\tsteps\tparameters\tmemory\tTFLOP\ttime\tstatus")
	for _, p := range out {
		fmt.Fprintf(w, "%s\t%d x %d x %d\t%d\t%d\t%d\t%s\t%.3g\t%s\t%s\n", p.Net, p.N, p.Channels, p.Steps, p.Batch, p.OptimizerSteps, p.Parameters,
			train.Size(p.Bytes.Total), p.FLOPs/1e12, clock(p.Seconds), p.Status)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range out {
		if p.Reason != "" {
			fmt.Fprintln(a.stdout, p.Reason)
		}
	}
	_, err = fmt.Fprintf(a.stdout, "times assume %.3g GFLOP/s; bench nets measures this machine\n", rate/1e9)
	return err
}

func clock(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// shapes reads --shape, or the sizes of an array or a data set.
func (f *planFlags) shapes(args []string) ([]planShape, error) {
	if f.given("shape") {
		if len(args) > 0 || len(f.shape) != 3 || min(f.shape[0], f.shape[1], f.shape[2]) < 1 {
			return nil, usagef("--shape: three numbers N,C,T above 0, and no data, are needed")
		}
		return []planShape{{n: f.shape[0], c: f.shape[1], t: f.shape[2]}}, nil
	}
	if len(args) == 0 {
		return nil, usagef("plan: give a data set, an array of bin, or --shape N,C,T")
	}
	if !dataset.IsSet(args[0]) {
		r, err := loadArray(args[0])
		if err != nil {
			return nil, err
		}
		if len(r.Classes) > 0 && !f.given("classes") {
			f.classes = len(r.Classes)
		}
		return []planShape{{n: r.N, c: r.C, t: r.T}}, nil
	}
	s, err := dataset.Open(args[0])
	if err != nil {
		return nil, err
	}
	n := len(s.Included())
	if n == 0 || f.channels < 1 {
		return nil, fmt.Errorf("plan: %s: %d captures, %d channels; both must be above 0", args[0], n, f.channels)
	}
	var out []planShape
	for _, text := range f.steps {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || f.duration%d != 0 {
			return nil, usagef("--steps %s: not a duration that divides %v", text, f.duration)
		}
		out = append(out, planShape{step: text, n: n, c: f.channels, t: int(f.duration / d)})
	}
	return out, nil
}

// powerReport is what plan --power --json prints.
type powerReport struct {
	Guess  float64      `json:"guess"`
	Alpha  float64      `json:"alpha"`
	Power  float64      `json:"power"`
	Needed []powerNeed  `json:"needed"`
	Shown  []powerShown `json:"shown"`
}

type powerNeed struct {
	Accuracy float64 `json:"accuracy"`
	Points   *int    `json:"points"` // null: no number is enough
}

type powerShown struct {
	Points   int      `json:"points"`
	Correct  *int     `json:"correct"`  // right answers that are significant; null: not even all of them
	Accuracy *float64 `json:"accuracy"` // smallest true accuracy that is found with the power
}

func (a *app) planPower(f *planFlags) error {
	p0 := f.guess
	if !f.given("guess") {
		if f.classes < 2 {
			return usagef("--classes %d: must be at least 2", f.classes)
		}
		p0 = 1 / float64(f.classes)
	}
	if !(p0 > 0 && p0 < 1 && f.alpha > 0 && f.alpha < 1 && f.target > 0 && f.target < 1) {
		return usagef("--guess %g --alpha %g --target %g: all must lie between 0 and 1", p0, f.alpha, f.target)
	}
	r := powerReport{Guess: p0, Alpha: f.alpha, Power: f.target}
	for _, p1 := range f.accuracies {
		if !(p1 > 0 && p1 <= 1) {
			return usagef("--accuracy %g: must lie between 0 and 1", p1)
		}
		need := powerNeed{Accuracy: p1}
		// Beside guessing the number grows as 1/difference^2; below a thousandth it is beyond any study.
		if p1-p0 > 1e-3 {
			n := metrics.TestPoints(p0, p1, f.alpha, f.target)
			need.Points = &n
		}
		r.Needed = append(r.Needed, need)
	}
	for _, n := range f.points {
		if n < 1 {
			return usagef("--points %d: must be at least 1", n)
		}
		s := powerShown{Points: n}
		if k := metrics.CriticalCorrect(p0, f.alpha, n); k <= n {
			s.Correct = &k
		}
		if acc := metrics.DetectableAccuracy(p0, f.alpha, f.target, n); !math.IsNaN(acc) {
			s.Accuracy = &acc
		}
		r.Shown = append(r.Shown, s)
	}
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.stdout, "one-sided exact test against guessing %.4g at level %g, power %g\n\n", p0, f.alpha, f.target)
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "true accuracy\ttest points needed")
	for _, n := range r.Needed {
		points := "no number is enough"
		if n.Points != nil {
			points = strconv.Itoa(*n.Points)
		}
		fmt.Fprintf(w, "%.1f %%\t%s\n", 100*n.Accuracy, points)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	fmt.Fprintln(w, "test points\tright for significance\ttrue accuracy needed")
	for _, s := range r.Shown {
		right, acc := "not even all", "none"
		if s.Correct != nil {
			right = strconv.Itoa(*s.Correct)
		}
		if s.Accuracy != nil {
			acc = fmt.Sprintf("%.1f %%", 100**s.Accuracy)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", s.Points, right, acc)
	}
	return w.Flush()
}
