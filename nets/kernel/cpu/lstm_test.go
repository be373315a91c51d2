package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// lstmCase is a layer, its input's size, and whether the gradient of the input is wanted.
type lstmCase struct {
	kernel.LSTM
	scale float32
	dx    bool
}

func (c lstmCase) String() string {
	return fmt.Sprintf("N=%d/C=%d/T=%d/H=%d/S=%d/scale=%g/dx=%t", c.N, c.C, c.T, c.H, c.SaveEvery, c.scale, c.dx)
}

func lstmCases() []lstmCase {
	cases := []lstmCase{
		{kernel.LSTM{N: 1, C: 1, T: 1, H: 1}, 1, true},
		{kernel.LSTM{N: 3, C: 2, T: 7, H: 5}, 1, true},
		{kernel.LSTM{N: 9, C: 1, T: 7, H: 4}, 1, false},
		{kernel.LSTM{N: 8, C: 3, T: 60, H: 17}, 1, true},
		{kernel.LSTM{N: 13, C: 1, T: 60, H: 24}, 1, true},
		{kernel.LSTM{N: 2, C: 30, T: 20, H: 12}, 1, true},
		{kernel.LSTM{N: 5, C: 700, T: 1, H: 10}, 0.1, false},
		{kernel.LSTM{N: 17, C: 1, T: 33, H: 100}, 1, false},
		{kernel.LSTM{N: 4, C: 1, T: 33, H: 31, SaveEvery: 4}, 1, true},
		{kernel.LSTM{N: 10, C: 2, T: 61, H: 20, SaveEvery: 17}, 1, true},
		{kernel.LSTM{N: 2, C: 1, T: 32, H: 8, SaveEvery: 16}, 1, false},
		{kernel.LSTM{N: 2, C: 1, T: 9, H: 8, SaveEvery: 100}, 1, false},
		{kernel.LSTM{N: 3, C: 1, T: 60, H: 9}, 1e6, false}, // raw byte counts: every gate saturates
	}
	if !testing.Short() {
		cases = append(cases, lstmCase{kernel.LSTM{N: 2, C: 1, T: 6001, H: 13}, 1, true},
			lstmCase{kernel.LSTM{N: 16, C: 1, T: 60, H: 128}, 1, false},
			lstmCase{kernel.LSTM{N: 1, C: 1, T: 60000, H: 4, SaveEvery: 256}, 1, false},
			// Sums of weight gradients that are shared between groups.
			lstmCase{kernel.LSTM{N: 80, C: 60000, T: 1, H: 16}, 0.01, false})
	}
	return cases
}

// lstmResults runs forward and backward on inputs that depend on the case alone.
func lstmResults(be kernel.Backend, c lstmCase) map[string][]float32 {
	r := rand.New(rand.NewPCG(3, uint64(c.N*1000003+c.C*10007+c.H*1009+c.T)))
	draw := func(n int, scale float32) kernel.Buf {
		v := random(r, n)
		for i := range v {
			v[i] *= scale
		}
		return kernel.Host(v)
	}
	small := float32(1 / math.Sqrt(float64(c.H)))
	x, dy := draw(c.N*c.C*c.T, c.scale), draw(c.N*c.H, 1)
	wih, whh, bih, bhh := draw(4*c.H*c.C, small), draw(4*c.H*c.H, small), draw(4*c.H, small), draw(4*c.H, small)
	out := map[string][]float32{}
	result := func(name string, n int) kernel.Buf {
		out[name] = random(r, n)
		return kernel.Host(out[name])
	}
	y, saved := result("y", c.N*c.H), kernel.Host(random(r, be.LSTMSaved(c.LSTM)))
	be.LSTM(c.LSTM, result("y of inference", c.N*c.H), kernel.Buf{}, x, wih, whh, bih, bhh)
	be.LSTM(c.LSTM, y, saved, x, wih, whh, bih, bhh)
	var dx kernel.Buf
	if c.dx {
		dx = result("dx", c.N*c.C*c.T)
	}
	be.LSTMBackward(c.LSTM, dx, result("dwih", 4*c.H*c.C), result("dwhh", 4*c.H*c.H), result("dbih", 4*c.H), result("dbhh", 4*c.H),
		dy, saved, x, wih, whh, bih, bhh)
	return out
}

func TestLSTM(t *testing.T) {
	reference := open(t, "ref", 2)
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			one, two := open(t, name, 1), open(t, name, 2)
			for _, c := range lstmCases() {
				want, got, again := lstmResults(reference, c), lstmResults(one, c), lstmResults(two, c)
				for what, v := range want {
					compare(t, c, what, got[what], v)
					sameBits(t, c, what, again[what], got[what])
				}
			}
		})
	}
}

// TestLSTMInterpreted runs the assembly of every tier on any machine, and compares with the processor bit for bit.
func TestLSTMInterpreted(t *testing.T) {
	reference := open(t, "ref", 1)
	cases := []lstmCase{
		{kernel.LSTM{N: 1, C: 1, T: 2, H: 1}, 1, true},
		{kernel.LSTM{N: 3, C: 2, T: 3, H: 13}, 1, true},
		{kernel.LSTM{N: 9, C: 1, T: 2, H: 20}, 1, false},
		{kernel.LSTM{N: 2, C: 1, T: 19, H: 6}, 1, true},
		{kernel.LSTM{N: 2, C: 1, T: 5, H: 33, SaveEvery: 2}, 1, true},
		{kernel.LSTM{N: 2, C: 1, T: 5, H: 8}, 1e6, false},
	}
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			be := interpreted(t, name)
			for _, c := range cases {
				got := lstmResults(be, c)
				for what, v := range lstmResults(reference, c) {
					compare(t, c, what, got[what], v)
				}
				if native, err := cpu.Open(name, 1); err == nil {
					for what, v := range lstmResults(native, c) {
						sameBits(t, c, "interpreted "+what, got[what], v)
					}
				}
			}
		})
	}
}

// TestLSTMSaveEvery: computing the steps between stored states again changes no bit, where the segments are whole blocks
// of outer products.
func TestLSTMSaveEvery(t *testing.T) {
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		be := open(t, name, 2)
		c := lstmCase{kernel.LSTM{N: 6, C: 2, T: 64, H: 12}, 1, true}
		want := lstmResults(be, c)
		c.SaveEvery = 32
		for what, v := range lstmResults(be, c) {
			for i := range v {
				if v[i] != want[what][i] {
					t.Fatalf("%s: %v: %s[%d] = %v, want %v", name, c, what, i, v[i], want[what][i])
				}
			}
		}
	}
}

// TestLSTMCurves: one step whose gates all see x gives sigmoid(x)*tanh(sigmoid(x)*tanh(x)), to a few units in the last
// place from 1e-30 to 1e30. What a saturated gate leaves may differ where it is below 1e-30.
func TestLSTMCurves(t *testing.T) {
	xs := []float32{0, 1e-30, 1e-10, 1e-4, 0.01, 0.1, 0.34, 0.5, 1, 2, 5, 9, 20, 60, 88, 104, 1e3, 1e6, 1e30}
	for _, x := range slices.Clone(xs) {
		xs = append(xs, -x)
	}
	const h = 16
	ones := slices.Repeat([]float32{1}, 4*h)
	zero := func(n int) kernel.Buf { return kernel.Host(make([]float32, n)) }
	for _, name := range cpu.Available() {
		be, p := open(t, name, 1), kernel.LSTM{N: len(xs), C: 1, T: 1, H: h}
		y := make([]float32, len(xs)*h)
		be.LSTM(p, kernel.Host(y), kernel.Buf{}, kernel.Host(xs), kernel.Host(ones), zero(4*h*h), zero(4*h), zero(4*h))
		for i, x := range xs {
			s := 1 / (1 + math.Exp(-float64(x)))
			want := s * math.Tanh(s*math.Tanh(float64(x)))
			if got := float64(y[i*h]); math.Abs(got-want) > 1e-6*math.Abs(want)+1e-30 {
				t.Errorf("%s: x = %g: %g, want %g", name, x, got, want)
			}
		}
	}
}

// TestLSTMNaN: a NaN must reach the output, or a diverged run would look healthy.
func TestLSTMNaN(t *testing.T) {
	for _, name := range cpu.Available() {
		be, p := open(t, name, 1), kernel.LSTM{N: 1, C: 1, T: 5, H: 20}
		x, y := []float32{0, 0, float32(math.NaN()), 0, 0}, make([]float32, p.H)
		w := make([]float32, 4*p.H*p.H)
		for i := range w {
			w[i] = 0.1
		}
		host := kernel.Host
		be.LSTM(p, host(y), kernel.Buf{}, host(x), host(w[:4*p.H]), host(w), host(w[:4*p.H]), host(w[:4*p.H]))
		for i, v := range y {
			if v == v {
				t.Fatalf("%s: y[%d] = %v behind a NaN", name, i, v)
			}
		}
	}
}

// TestLSTMSavedSize: at the size of the study the kept state stays below 240 MB.
func TestLSTMSavedSize(t *testing.T) {
	for _, name := range cpu.Available() {
		if name == "ref" {
			continue
		}
		if mb := open(t, name, 1).LSTMSaved(kernel.LSTM{N: 16, C: 1, T: 6000, H: 100}) * 4 / 1e6; mb > 240 {
			t.Errorf("%s: keeps %d MB", name, mb)
		}
	}
}

// BenchmarkLSTM times the layer of the study and reports GFLOP/s (two per weight, row and step; twice that backward).
func BenchmarkLSTM(b *testing.B) {
	for _, p := range []kernel.LSTM{
		{N: 16, C: 1, T: 600, H: 100}, {N: 16, C: 1, T: 6000, H: 100}, {N: 16, C: 1, T: 6000, H: 100, SaveEvery: 64},
		{N: 8, C: 1, T: 6000, H: 100}, {N: 16, C: 1, T: 60, H: 100}, {N: 16, C: 1, T: 600, H: 128},
	} {
		for _, dir := range []string{"fwd", "bwd", "step"} {
			for _, name := range cpu.Names()[:len(cpu.Names())-1] {
				b.Run(fmt.Sprintf("dir=%s/N=%d/C=%d/H=%d/T=%d/save=%d/kernel=%s", dir, p.N, p.C, p.H, p.T, p.SaveEvery, name), func(b *testing.B) {
					benchmarkLSTM(b, name, dir, p)
				})
			}
		}
	}
}

func benchmarkLSTM(b *testing.B, name, dir string, p kernel.LSTM) {
	be, r := openFor(b, name, threads()), rand.New(rand.NewPCG(1, 2))
	buf := func(n int) kernel.Buf {
		v, err := be.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		for i := range v.Host {
			v.Host[i] = (r.Float32() - 0.5) * 0.2
		}
		return v
	}
	x, y, saved := buf(p.N*p.C*p.T), buf(p.N*p.H), buf(be.LSTMSaved(p))
	wih, whh, bih, bhh := buf(4*p.H*p.C), buf(4*p.H*p.H), buf(4*p.H), buf(4*p.H)
	dwih, dwhh, dbih, dbhh := buf(4*p.H*p.C), buf(4*p.H*p.H), buf(4*p.H), buf(4*p.H)
	forward := func() { be.LSTM(p, y, saved, x, wih, whh, bih, bhh) }
	backward := func() { be.LSTMBackward(p, kernel.Buf{}, dwih, dwhh, dbih, dbhh, y, saved, x, wih, whh, bih, bhh) }
	forward()
	backward()
	passes := 3.0
	for b.Loop() {
		switch dir {
		case "fwd":
			passes = 1
			forward()
		case "bwd": // on gates that the last backward pass turned into gradients: the same work
			passes = 2
			backward()
		default:
			forward()
			backward()
		}
	}
	flops := passes * 2 * float64(p.N*p.T*4*p.H) * float64(p.H+p.C+1)
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
