package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/nn"
	"earshot/train"
)

// benchNets measures a whole training step of each network in profile tsai (forward, loss, backward, Adam) at o.n rows of
// one channel and three classes. At the default length it also measures 600 steps. train/testdata/bench_torch.py
// measures the same steps on PyTorch.
func benchNets(ctx context.Context, a *app, o benchOptions, row func(benchRow)) error {
	be, err := a.backend()
	if err != nil {
		return err
	}
	lengths := []int{o.t}
	if o.t == 6000 {
		lengths = []int{600, 6000}
	}
	l := &limits{be: be, bandwidth: map[int]float64{}}
	for range 20 {
		l.sample()
	}
	for _, t := range lengths {
		for _, arch := range nets.All {
			shape := fmt.Sprintf("N=%d C=1 T=%d", o.n, t)
			if arch.Profile != train.ProfileTsai || !o.matches(arch.Name, shape) {
				continue
			}
			r, err := benchStep(ctx, be, arch, o, t, l)
			if err != nil {
				return err
			}
			r.Name, r.Shape, r.Threads, r.Kernel = arch.Name, shape, be.Threads(), be.Name()
			row(r)
		}
	}
	return nil
}

func benchStep(ctx context.Context, be kernel.Backend, arch nn.Arch, o benchOptions, t int, l *limits) (benchRow, error) {
	debug.FreeOSMemory() // what the last network left must not count for this one
	resetPeak()
	m, err := nn.NewModel(be, arch, 1, t, 3, 1)
	if err != nil {
		return benchRow{}, err
	}
	defer m.Close()
	m.SetContext(ctx)
	opt, err := train.NewOptimizer(m, train.ProfileTsai)
	if err != nil {
		return benchRow{}, err
	}
	rnd := rand.New(rand.NewPCG(1, 0))
	x, y := make([]float32, o.n*t), make([]int32, o.n)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	for i := range y {
		y[i] = int32(rnd.IntN(3))
	}
	step := func() error {
		if _, err := m.Step(x, y); err != nil {
			return err
		}
		return m.Solve(opt)
	}
	var times []time.Duration
	var spent time.Duration
	var before, after runtime.MemStats
	if err := step(); err != nil { // the graph is built, memory is touched
		return benchRow{}, err
	}
	for len(times) < 3 || spent < o.least {
		runtime.ReadMemStats(&before)
		began := time.Now()
		if err := step(); err != nil {
			return benchRow{}, err
		}
		times = append(times, time.Since(began))
		runtime.ReadMemStats(&after)
		spent += times[len(times)-1]
		l.sample()
	}
	slices.Sort(times)
	best := times[0].Seconds()
	// A step is a forward pass and two passes of its size backward: gradients of data and of weights.
	flops := 3 * float64(m.Info().ForwardFlops) * float64(o.n)
	r := benchRow{
		MS: best * 1e3, MedianMS: times[len(times)/2].Seconds() * 1e3, GFLOPS: flops / best * 1e-9,
		RSSBytes: peakBytes(), AllocBytes: int64(after.TotalAlloc - before.TotalAlloc),
	}
	if l.peak > 0 {
		r.PeakShare = flops / l.peak / best
	}
	return r, nil
}

// resetPeak makes Linux count the largest resident memory afresh; elsewhere nothing happens.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakBytes is the largest resident memory of this process since resetPeak, or 0 where the system does not say.
func peakBytes() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return kb << 10
			}
		}
	}
	return 0
}
