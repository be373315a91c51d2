package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// linearShapes have edges on every side of a tile: no rows, columns or depth is a multiple of what the kernels like.
func linearShapes(small bool) []kernel.Linear {
	all := []kernel.Linear{{N: 1, C: 1, F: 1}, {N: 3, C: 5, F: 4}, {N: 2, C: 17, F: 9}, {N: 15, C: 9, F: 33}, {N: 5, C: 40, F: 6}}
	if small {
		return all
	}
	all = append(all, kernel.Linear{N: 200, C: 52, F: 100}, kernel.Linear{N: 16, C: 100, F: 6}, kernel.Linear{N: 47, C: 22, F: 300}, kernel.Linear{N: 7, C: 1100, F: 50},
		kernel.Linear{N: 1030, C: 24, F: 48}, kernel.Linear{N: 61, C: 64, F: 47})
	for n := 1; n < 20; n++ {
		all = append(all, kernel.Linear{N: n, C: 3 * n, F: 2*n + 1})
	}
	return all
}

// linear runs both passes with every curve and returns what they write.
func linear(be kernel.Backend, p kernel.Linear) map[string][]float32 {
	b := &buffers{rand.New(rand.NewPCG(7, uint64(p.N*p.C*p.F))), map[string][]float32{}}
	for _, curve := range []kernel.Curve{kernel.Identity, kernel.ReLU, kernel.Logistic, kernel.Tanh} {
		p.Curve = curve
		name := fmt.Sprintf("curve=%d ", curve)
		x, w, bias, dy := b.in(p.N*p.C), b.in(p.F*p.C), b.in(p.F), b.in(p.N*p.F)
		y := b.result(name+"y", p.N*p.F)
		be.Linear(p, y, x, w, bias)
		dw, db := b.result(name+"dw", p.F*p.C), b.result(name+"db", p.F)
		if curve == kernel.Tanh {
			be.LinearBackward(p, kernel.Buf{}, dw, db, dy, y, x, w)
		} else {
			be.LinearBackward(p, b.result(name+"dx", p.N*p.C), dw, db, dy, y, x, w)
		}
	}
	return b.out
}

type linearShape kernel.Linear

func (p linearShape) String() string { return fmt.Sprintf("N=%d/C=%d/F=%d", p.N, p.C, p.F) }

func TestLinear(t *testing.T) {
	reference := open(t, "ref", 2)
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			one, two := open(t, name, 1), open(t, name, 2)
			for _, p := range linearShapes(false) {
				got, again := linear(one, p), linear(two, p)
				for what, v := range linear(reference, p) {
					compare(t, linearShape(p), what, got[what], v)
					sameBits(t, linearShape(p), what, again[what], got[what])
				}
			}
		})
	}
}

// TestLinearInterpreted runs the assembly of every tier on any machine, and compares with the processor bit for bit.
func TestLinearInterpreted(t *testing.T) {
	reference := open(t, "ref", 1)
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			be := interpreted(t, name)
			for _, p := range append(linearShapes(true), kernel.Linear{N: 13, C: 50, F: 100}) {
				got := linear(be, p)
				for what, v := range linear(reference, p) {
					compare(t, linearShape(p), what, got[what], v)
				}
				if native, err := cpu.Open(name, 1); err == nil {
					for what, v := range linear(native, p) {
						sameBits(t, linearShape(p), "interpreted "+what, got[what], v)
					}
				}
			}
		})
	}
}

// TestSoftmax: rows of less than a vector, of whole ones, of both; logits far apart; the loss of thousands of rows.
func TestSoftmax(t *testing.T) {
	reference := open(t, "ref", 1)
	run := func(be kernel.Backend, n, k int) map[string][]float32 {
		b := &buffers{rand.New(rand.NewPCG(9, uint64(n*k))), map[string][]float32{}}
		logits, y := b.in(n*k), make([]int32, n)
		for i := range y {
			y[i] = int32(b.IntN(k))
		}
		for i := range logits.Host {
			logits.Host[i] *= []float32{1, 10, 300}[i/k%3]
		}
		prob := b.result("prob", n*k)
		b.out["loss"] = []float32{float32(be.SoftmaxCrossEntropy(n, k, prob, logits, y))}
		be.SoftmaxCrossEntropyBackward(n, k, b.result("dlogits", n*k), prob, y, 2)
		b.out["squares"] = []float32{float32(be.SumSquares(logits))}
		return b.out
	}
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		t.Run(name, func(t *testing.T) {
			be := interpreted(t, name)
			for _, p := range []kernel.Linear{{N: 1, F: 1}, {N: 3, F: 2}, {N: 5, F: 6}, {N: 2, F: 8}, {N: 2, F: 19}, {N: 3, F: 100}, {N: 200, F: 6}, {N: 7000, F: 3}} {
				want := run(reference, p.N, p.F)
				if p.N < 10 {
					got := run(be, p.N, p.F)
					for what, v := range want {
						compare(t, linearShape(p), what, got[what], v)
					}
				}
				native, err := cpu.Open(name, 1)
				if err != nil {
					continue
				}
				got := run(native, p.N, p.F)
				for what, v := range want {
					compare(t, linearShape(p), what, got[what], v)
				}
				for what, v := range run(open(t, name, 2), p.N, p.F) {
					sameBits(t, linearShape(p), what, v, got[what])
				}
				if p.N < 10 {
					for what, v := range run(be, p.N, p.F) {
						sameBits(t, linearShape(p), "interpreted "+what, v, got[what])
					}
				}
			}
		})
	}
	for _, name := range cpu.Available() {
		nan := float32(math.NaN())
		if loss := open(t, name, 1).SoftmaxCrossEntropy(1, 3, kernel.Host(make([]float32, 3)), kernel.Host([]float32{1, nan, 2}), []int32{0}); loss == loss {
			t.Errorf("%s: loss %v of a logit that is no number", name, loss)
		}
	}
}

func BenchmarkLinear(b *testing.B) {
	for _, p := range []kernel.Linear{{N: 200, C: 52, F: 100, Curve: kernel.ReLU}, {N: 200, C: 52, F: 300, Curve: kernel.ReLU}, {N: 200, C: 100, F: 100, Curve: kernel.Logistic}, {N: 200, C: 100, F: 6}, {N: 16, C: 52, F: 100}} {
		for _, name := range cpu.Names()[:len(cpu.Names())-1] {
			for _, op := range []string{"fwd", "bwd", "bwd_w"} {
				b.Run(fmt.Sprintf("op=%s/%v/curve=%d/threads=1/kernel=%s", op, linearShape(p), p.Curve, name), func(b *testing.B) {
					be, r := openFor(b, name, 1), rand.New(rand.NewPCG(1, 2))
					buf := func(n int) kernel.Buf { return kernel.Host(random(r, n)) }
					x, w, bias, dy, y := buf(p.N*p.C), buf(p.F*p.C), buf(p.F), buf(p.N*p.F), buf(p.N*p.F)
					dx, dw, db := buf(p.N*p.C), buf(p.F*p.C), buf(p.F)
					flops := 2 * float64(p.N*p.C*p.F)
					if op == "bwd" {
						flops *= 2
					}
					for b.Loop() {
						switch op {
						case "fwd":
							be.Linear(p, y, x, w, bias)
						case "bwd":
							be.LinearBackward(p, dx, dw, db, dy, y, x, w)
						default:
							be.LinearBackward(p, kernel.Buf{}, dw, db, dy, y, x, w)
						}
					}
					b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
				})
			}
		}
	}
}
