package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// convCase is a convolution with what surrounds it: a pending activation, a bias, channel ranges of wider tensors.
type convCase struct {
	kernel.Conv
	scale, relu, bias bool
}

func (c convCase) String() string {
	return fmt.Sprintf("N=%d/C=%d/F=%d/K=%d/T=%d/pad=%d/dil=%d/strides=%d,%d/scale=%t/relu=%t/bias=%t",
		c.N, c.C, c.F, c.K, c.T, c.PadLeft, c.Dilation, c.XStride, c.YStride, c.scale, c.relu, c.bias)
}

func shape(n, c, f, k, t int) convCase {
	return convCase{Conv: kernel.Conv{N: n, C: c, F: f, K: k, T: t, PadLeft: (k - 1) / 2}}
}

func (c convCase) with(change func(*convCase)) convCase { change(&c); return c }

// convCases are odd on purpose: no multiple of a vector, a tile, a chunk; kernels longer than the series.
func convCases() []convCase {
	act := func(c *convCase) { c.scale, c.relu = true, true }
	cases := []convCase{
		shape(1, 1, 1, 1, 1), shape(2, 3, 5, 1, 1), shape(1, 2, 3, 8, 1), shape(3, 2, 9, 5, 7),
		shape(1, 1, 128, 8, 60), shape(2, 1, 7, 7, 601), shape(1, 33, 17, 3, 60),
		shape(2, 5, 13, 1, 607), shape(1, 128, 32, 1, 1000), shape(2, 32, 32, 39, 60).with(act), shape(1, 32, 32, 19, 100),
		shape(2, 5, 4, 127, 60), shape(1, 3, 6, 127, 600).with(act), shape(1, 2, 3, 200, 61),
		shape(1, 5, 9, 3, 6001).with(act), shape(1, 67, 70, 5, 500).with(act), shape(1, 300, 8, 3, 31),
		shape(2, 17, 33, 5, 121).with(func(c *convCase) { c.bias = true }),
		shape(2, 6, 5, 1, 963).with(func(c *convCase) { c.relu, c.bias = true, true }),
		shape(2, 6, 5, 1, 77).with(func(c *convCase) { c.scale = true }),
		shape(1, 4, 4, 1, 50).with(func(c *convCase) { c.PadLeft = 3 }),
		shape(2, 9, 11, 3, 130).with(func(c *convCase) { c.Dilation, c.PadLeft = 4, 8 }),
		shape(1, 3, 5, 9, 20).with(func(c *convCase) { c.Dilation, c.PadLeft, c.bias = 7, 30, true }),
		shape(3, 5, 8, 3, 100).with(func(c *convCase) { c.XStride, c.YStride = 9, 21; act(c) }),
		shape(3, 6, 16, 1, 100).with(func(c *convCase) { c.XStride, c.YStride = 11, 40; c.bias = true }),
		shape(2, 4, 6, 5, 90).with(func(c *convCase) { c.PadLeft = 0 }),
		shape(2, 4, 6, 5, 90).with(func(c *convCase) { c.PadLeft = 4 }),
		shape(2, 4, 6, 5, 90).with(func(c *convCase) { c.PadLeft = -3 }),
		shape(1, 40, 8, 1000, 30),
	}
	if !testing.Short() {
		cases = append(cases, shape(1, 2, 3, 5, 60000), shape(16, 8, 40, 5, 600).with(act), shape(4, 130, 50, 7, 300))
	}
	return cases
}

// results is everything that the three directions write, gaps of the tensors included.
type results struct{ y, dx, dw, db []float32 }

// convolve runs the three directions on inputs that depend on the case alone.
func convolve(be kernel.Backend, c convCase, acc bool) results {
	r := rand.New(rand.NewPCG(1, uint64(c.N*1000003+c.C*10007+c.F*1009+c.K*101+c.T)))
	xs, ys := max(c.XStride, c.C), max(c.YStride, c.F)
	x, dy, w := random(r, c.N*xs*c.T), random(r, c.N*ys*c.T), random(r, c.F*c.C*c.K)
	var a kernel.Act
	if a.ReLU = c.relu; c.scale {
		a.Scale, a.Shift = kernel.Host(random(r, c.C)), kernel.Host(random(r, c.C))
	}
	out := results{y: random(r, len(dy)), dx: random(r, len(x)), dw: random(r, len(w))}
	var bias, db kernel.Buf
	if c.bias {
		bias, out.db = kernel.Host(random(r, c.F)), random(r, c.F)
		db = kernel.Host(out.db)
	}
	// A range of channels in the middle of a wider tensor.
	xr := func(v []float32) kernel.Buf { return channels(v, c.N, xs, c.C, c.T) }
	yr := func(v []float32) kernel.Buf { return channels(v, c.N, ys, c.F, c.T) }
	be.Conv1D(c.Conv, yr(out.y), xr(x), a, kernel.Host(w), bias)
	be.Conv1DBackwardData(c.Conv, xr(out.dx), yr(dy), kernel.Host(w), acc)
	be.Conv1DBackwardFilter(c.Conv, kernel.Host(out.dw), db, yr(dy), xr(x), a)
	return out
}

// channels is the range of the middle count channels of a tensor of n rows of stride channels.
func channels(v []float32, n, stride, count, t int) kernel.Buf {
	first := (stride - count) / 2
	return kernel.Host(v[first*t : ((n-1)*stride+first+count)*t])
}

func TestConv1D(t *testing.T) {
	ref := open(t, "ref", 2)
	for _, name := range cpu.Names() {
		if name == "ref" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			one, two := open(t, name, 1), open(t, name, 2)
			for _, c := range convCases() {
				for _, acc := range []bool{false, true} {
					want, got := convolve(ref, c, acc), convolve(one, c, acc)
					compare(t, c, "y", got.y, want.y)
					compare(t, c, "dx", got.dx, want.dx)
					compare(t, c, "dw", got.dw, want.dw)
					compare(t, c, "db", got.db, want.db)
					again := convolve(two, c, acc)
					sameBits(t, c, "y", again.y, got.y)
					sameBits(t, c, "dx", again.dx, got.dx)
					sameBits(t, c, "dw", again.dw, got.dw)
					sameBits(t, c, "db", again.db, got.db)
					if t.Failed() {
						t.FailNow()
					}
				}
			}
		})
	}
}

// TestConv1DInterpreted runs the assembly of every tier on any machine, and compares with the processor bit for bit.
func TestConv1DInterpreted(t *testing.T) {
	ref := open(t, "ref", 1)
	cases := []convCase{
		shape(1, 1, 1, 1, 1), shape(1, 2, 9, 3, 7).with(func(c *convCase) { c.scale, c.relu, c.bias = true, true, true }),
		shape(2, 3, 9, 1, 70), shape(1, 3, 33, 2, 61).with(func(c *convCase) { c.relu, c.bias = true, true }),
		shape(1, 2, 5, 3, 33).with(func(c *convCase) { c.Dilation, c.PadLeft, c.XStride, c.YStride = 2, 2, 3, 7 }),
		shape(1, 70, 8, 2, 20), shape(2, 2, 8, 8, 100), shape(1, 2, 8, 9, 500),
	}
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			be := interpreted(t, name)
			for _, c := range cases {
				want, got := convolve(ref, c, true), convolve(be, c, true)
				compare(t, c, "y", got.y, want.y)
				compare(t, c, "dx", got.dx, want.dx)
				compare(t, c, "dw", got.dw, want.dw)
				compare(t, c, "db", got.db, want.db)
				if !slices.Contains(cpu.Available(), name) {
					continue
				}
				native := convolve(open(t, name, 1), c, true)
				sameBits(t, c, "interpreted y", got.y, native.y)
				sameBits(t, c, "interpreted dx", got.dx, native.dx)
				sameBits(t, c, "interpreted dw", got.dw, native.dw)
				sameBits(t, c, "interpreted db", got.db, native.db)
			}
		})
	}
}

// TestConv1DEmpty has nothing to compute: a gradient of the weights is still 0.
func TestConv1DEmpty(t *testing.T) {
	for _, name := range cpu.Available() {
		be := open(t, name, 2)
		p := kernel.Conv{N: 0, C: 2, F: 3, K: 5, T: 10, PadLeft: 2}
		w, dw := make([]float32, 30), []float32{29: 7}
		be.Conv1D(p, kernel.Buf{}, kernel.Buf{}, kernel.Act{}, kernel.Host(w), kernel.Buf{})
		be.Conv1DBackwardData(p, kernel.Buf{}, kernel.Buf{}, kernel.Host(w), false)
		be.Conv1DBackwardFilter(p, kernel.Host(dw), kernel.Buf{}, kernel.Buf{}, kernel.Buf{}, kernel.Act{})
		if dw[29] != 0 {
			t.Errorf("%s: dw of no rows is %v", name, dw[29])
		}
	}
}

// TestConv1DNaN: a NaN in the input must be seen behind a pending ReLU, or a diverged run would look healthy.
func TestConv1DNaN(t *testing.T) {
	for _, name := range cpu.Available() {
		if name == "ref" {
			continue
		}
		be := open(t, name, 1)
		const steps = 50
		x, y := make([]float32, steps), make([]float32, steps)
		for at := range x {
			clear(x)
			x[at] = float32(math.NaN())
			be.Conv1D(kernel.Conv{N: 1, C: 1, F: 1, K: 1, T: steps}, kernel.Host(y), kernel.Host(x), kernel.Act{ReLU: true}, kernel.Host([]float32{1}), kernel.Buf{})
			if y[at] == y[at] {
				t.Fatalf("%s: NaN at step %d became %v", name, at, y[at])
			}
		}
	}
}

// TestConv1DGarbage: a network calls these some hundred times per step, and may leave 64 kB of garbage in all.
func TestConv1DGarbage(t *testing.T) {
	for _, name := range cpu.Available() {
		if name == "ref" {
			continue
		}
		be, p := open(t, name, 2), kernel.Conv{N: 2, C: 8, F: 16, K: 3, T: 100, PadLeft: 1}
		x, y, w := kernel.Host(make([]float32, p.N*p.C*p.T)), kernel.Host(make([]float32, p.N*p.F*p.T)), kernel.Host(make([]float32, p.F*p.C*p.K))
		step := func() {
			be.Conv1D(p, y, x, kernel.Act{ReLU: true}, w, kernel.Buf{})
			be.Conv1DBackwardData(p, x, y, w, false)
			be.Conv1DBackwardFilter(p, w, kernel.Buf{}, y, x, kernel.Act{ReLU: true})
		}
		step()
		const rounds = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			step()
		}
		runtime.ReadMemStats(&after)
		if per := (after.TotalAlloc - before.TotalAlloc) / (3 * rounds); per > 256 {
			t.Errorf("%s: %d bytes of garbage per call, want at most 256", name, per)
		} else {
			t.Logf("%s: %d bytes of garbage per call", name, per)
		}
	}
}

func TestConv1DMismatchPanics(t *testing.T) {
	be := open(t, cpu.Available()[0], 1)
	v := func(n int) kernel.Buf { return kernel.Host(make([]float32, n)) }
	for name, call := range map[string]func(){
		"x":      func() { be.Conv1D(kernel.Conv{N: 1, C: 2, F: 1, K: 1, T: 5}, v(5), v(9), kernel.Act{}, v(2), v(0)) },
		"weight": func() { be.Conv1D(kernel.Conv{N: 1, C: 2, F: 1, K: 1, T: 5}, v(5), v(10), kernel.Act{}, v(1), v(0)) },
		"stride": func() {
			be.Conv1D(kernel.Conv{N: 1, C: 2, F: 1, K: 1, T: 5, XStride: 1}, v(5), v(10), kernel.Act{}, v(2), v(0))
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

// BenchmarkConv1D reports GFLOP/s of the convolutions that the networks spend their time in.
func BenchmarkConv1D(b *testing.B) {
	for _, t := range []int{600, 6000} {
		for _, s := range [][3]int{{1, 128, 7}, {128, 256, 5}, {256, 128, 3}, {32, 32, 39}, {32, 32, 9}, {128, 32, 1}} {
			for _, dir := range []string{"fwd", "act", "data", "filter"} {
				for _, name := range cpu.Names() {
					c := shape(16, s[0], s[1], s[2], t)
					b.Run(fmt.Sprintf("dir=%s/N=%d/C=%d/F=%d/K=%d/T=%d/kernel=%s", dir, c.N, c.C, c.F, c.K, c.T, name), func(b *testing.B) {
						benchmarkConv(b, name, dir, c)
					})
				}
			}
		}
	}
}

func benchmarkConv(b *testing.B, name, dir string, c convCase) {
	be := openFor(b, name, threads())
	alloc := func(n int) kernel.Buf {
		v, err := be.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		for i := range v.Host {
			v.Host[i] = float32(i%17)*0.1 - 0.8
		}
		return v
	}
	x, y, w := alloc(c.N*c.C*c.T), alloc(c.N*c.F*c.T), alloc(c.F*c.C*c.K)
	act := kernel.Act{Scale: alloc(c.C), Shift: alloc(c.C), ReLU: true}
	run := map[string]func(){
		"fwd":    func() { be.Conv1D(c.Conv, y, x, kernel.Act{}, w, kernel.Buf{}) },
		"act":    func() { be.Conv1D(c.Conv, y, x, act, w, kernel.Buf{}) },
		"data":   func() { be.Conv1DBackwardData(c.Conv, x, y, w, false) },
		"filter": func() { be.Conv1DBackwardFilter(c.Conv, w, kernel.Buf{}, y, x, act) },
	}[dir]
	run()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
	flops := 2 * float64(c.N) * float64(c.C) * float64(c.F) * float64(c.K) * float64(c.T)
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
}
