package main

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// kernelOp is one operator at one shape.
type kernelOp struct {
	name, shape string
	flops       float64
	bytes       float64 // that must be read or written at least once
	setup       func(*kernelBench) func()
}

// kernelBench measures operators on one backend.
type kernelBench struct {
	be     kernel.Backend
	limits limits
}

func benchKernels(ctx context.Context, a *app, o benchOptions, row func(benchRow)) error {
	be, err := a.backend()
	if err != nil {
		return err
	}
	b := &kernelBench{be: be, limits: limits{be: be, bandwidth: map[int]float64{}}}
	report := func(name, shape string, took time.Duration, flops, least float64, garbage int64) {
		seconds := took.Seconds()
		row(benchRow{Name: name, Shape: shape, Threads: be.Threads(), Kernel: be.Name(), MS: seconds * 1e3,
			GFLOPS: flops / seconds * 1e-9, PeakShare: least / seconds, RSSBytes: residentBytes(), AllocBytes: garbage})
	}
	if name := "limit multiply-add"; o.matches(name, "registers") {
		for range 100 {
			b.limits.sample()
		}
		report(name, "registers", time.Duration(1e9*b.limits.flops/b.limits.peak), b.limits.flops, b.limits.flops/b.limits.peak, 0)
	}
	for _, size := range []int{1 << 18, 1 << 22, 1 << 24} {
		name, shape := "limit copy", fmt.Sprintf("%.3g MB to %.3g MB", float64(size)*4e-6, float64(size)*4e-6)
		if o.matches(name, shape) {
			bytes := float64(8 * size)
			seconds := bytes / b.limits.copyRate(size)
			report(name, shape, time.Duration(1e9*seconds), 0, seconds, 0)
		}
	}
	for _, op := range kernelOps(o.n, o.t) {
		if !o.matches(op.name, op.shape) {
			continue
		}
		run := op.setup(b)
		took, garbage, err := o.best(ctx, run, b.limits.sample)
		if err != nil {
			return err
		}
		least := op.bytes / b.limits.copyRate(int(op.bytes/8))
		if b.limits.peak > 0 {
			least = max(least, op.flops/b.limits.peak)
		}
		report(op.name, op.shape, took, op.flops, least, garbage)
	}
	return nil
}

// buf returns n values that are neither equal nor denormal.
func (b *kernelBench) buf(n int) kernel.Buf {
	v, err := b.be.Alloc(n)
	if err != nil {
		panic(err) // a host backend only fails on a negative n
	}
	for i := range v.Host {
		v.Host[i] = float32(i%17)*0.1 - 0.8
	}
	return v
}

// limits are the machine's own speeds, in the tier and with the threads of a backend.
type limits struct {
	be        kernel.Backend
	peak      float64         // multiply-adds on registers, flop/s; 0: the backend has no way to measure it
	flops     float64         // of one sample
	bandwidth map[int]float64 // read and written bytes/s of copying 1<<k values
}

// sample measures the multiply-adds once more: the best sample counts.
func (l *limits) sample() {
	tier, ok := l.be.(*cpu.Backend)
	if !ok {
		return
	}
	start := time.Now()
	l.flops = tier.Exercise()
	l.peak = max(l.peak, l.flops/time.Since(start).Seconds())
}

// copyRate is the speed of copying n values at once, measured for the next power of two.
func (l *limits) copyRate(n int) float64 {
	k := max(int(math.Ceil(math.Log2(float64(max(n, 1))))), 12)
	if rate, ok := l.bandwidth[k]; ok {
		return rate
	}
	src, dst := make([]float32, 1<<k), make([]float32, 1<<k)
	for i := range src {
		src[i] = 1 // untouched memory would be one page of zeros
	}
	repeat := max(1, 1<<20>>k) // small copies: enough of them to outlast the start of the threads
	shortest := math.Inf(1)
	begin := time.Now()
	for i := 0; i < 3 || i < 20 && time.Since(begin) < 300*time.Millisecond; i++ {
		start := time.Now()
		var wg sync.WaitGroup
		for w := range l.be.Threads() {
			lo, hi := w<<k/l.be.Threads(), (w+1)<<k/l.be.Threads()
			wg.Go(func() {
				for range repeat {
					copy(dst[lo:hi], src[lo:hi])
				}
			})
		}
		wg.Wait()
		shortest = min(shortest, time.Since(start).Seconds()/float64(repeat))
	}
	l.bandwidth[k] = 8 * float64(len(src)) / shortest
	return l.bandwidth[k]
}
