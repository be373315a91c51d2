package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// benchRow is one measurement. MS is the best of many repetitions: what the machine can do, not what else it did.
type benchRow struct {
	Name    string `json:"name"`
	Shape   string `json:"shape"`
	Threads int    `json:"threads"`
	Kernel  string `json:"kernel"`

	MS       float64 `json:"ms"`
	MedianMS float64 `json:"median_ms,omitempty"` // of whole training steps
	GFLOPS   float64 `json:"gflops"`
	// PeakShare is the least time that this machine's limits allow, over MS. The limits are measured by the same run:
	// multiply-adds on registers in the same tier, and copying as many bytes as the operator has to move.
	PeakShare  float64 `json:"peak_share"`
	RSSBytes   int64   `json:"rss_bytes"`   // of the process: after the measurement, of networks the peak
	AllocBytes int64   `json:"alloc_bytes"` // garbage of one repetition
}

// benchmark measures one subject and hands over its rows as they come.
type benchmark func(ctx context.Context, a *app, o benchOptions, row func(benchRow)) error

// benchmarks are the subjects of the command, by name.
var benchmarks = []struct {
	name, short, example string
	run                  benchmark
}{
	{"kernels", "Operators against this machine's multiply-adds and memory", "  earshot bench kernels --match conv --t 600 --time 200ms", benchKernels},
	{"nets", "A training step of each network", "  earshot bench nets --match fcn --n 16 --t 600 --json", benchNets},
	{"data", "Captures to records, traces and series", "  earshot bench data", benchData},
}

type benchOptions struct {
	n, t  int
	match string
	least time.Duration
}

func newBenchCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure kernels, networks and readers against the machine's limit",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	for _, b := range benchmarks {
		var o benchOptions
		sub := &cobra.Command{
			Use:     b.name,
			Short:   b.short,
			Example: b.example,
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, args []string) error { return a.bench(cmd.Context(), b.run, o) },
		}
		f := sub.Flags()
		f.IntVar(&o.n, "n", 16, "rows of a batch")
		f.IntVar(&o.t, "t", 6000, "time steps")
		f.StringVar(&o.match, "match", "", "only rows whose name and shape contain every one of these words")
		f.DurationVar(&o.least, "time", 500*time.Millisecond, "time to spend on a row, at least")
		cmd.AddCommand(sub)
	}
	return cmd
}

// bench runs one subject: a line per row as it is measured, or one JSON document at the end.
func (a *app) bench(ctx context.Context, run benchmark, o benchOptions) error {
	if o.n < 1 || o.t < 1 {
		return usagef("bench: -n %d -t %d: both must be at least 1", o.n, o.t)
	}
	rows := []benchRow{}
	print := func(r benchRow) { rows = append(rows, r) }
	if !a.json {
		print = func(r benchRow) { printBenchRow(a.stdout, r) }
		fmt.Fprintln(a.stdout, benchHeader)
	}
	if err := run(ctx, a, o, print); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(rows)
	}
	return nil
}

const benchHeader = "name                      shape                            threads  kernel         ms   GFLOP/s  peak share   RSS MB  garbage B"

func printBenchRow(w io.Writer, r benchRow) {
	fmt.Fprintf(w, "%-25s %-32s %7d  %-6s %10.3f %9.1f %10.0f%% %8.0f %10d\n",
		r.Name, r.Shape, r.Threads, r.Kernel, r.MS, r.GFLOPS, 100*r.PeakShare, float64(r.RSSBytes)/1e6, r.AllocBytes)
}

// matches reports whether a row is asked for.
func (o benchOptions) matches(name, shape string) bool {
	for word := range strings.FieldsSeq(o.match) {
		if !strings.Contains(name+" "+shape, word) {
			return false
		}
	}
	return true
}

// best calls f for at least the time that was asked for and three times, with between before each call, and returns
// the shortest call and the garbage of one.
func (o benchOptions) best(ctx context.Context, f, between func()) (time.Duration, int64, error) {
	f() // scratch grows, pages are touched
	var shortest time.Duration
	var spent time.Duration
	var garbage int64
	for i := 0; i < 3 || spent < o.least; i++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		between()
		var before, after runtime.MemStats
		if i == 0 {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		f()
		took := time.Since(start)
		if i == 0 {
			runtime.ReadMemStats(&after)
			garbage = int64(after.TotalAlloc - before.TotalAlloc)
		}
		if spent += took; i == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest, garbage, nil
}

// residentBytes is the memory of this process that lies in RAM, or 0 where the system does not say.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm") // in pages: size, resident, ...
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
