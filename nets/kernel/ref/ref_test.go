package ref_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"earshot/nets/kernel"
	"earshot/nets/kernel/ref"
)

func TestMemory(t *testing.T) {
	be := ref.New(threads)
	for _, n := range []int{0, 1, 15, 16, 1000} {
		b, err := be.Alloc(n)
		if err != nil || len(b.Host) != n || b.Len != n {
			t.Fatalf("Alloc(%d): %d values, %v", n, len(b.Host), err)
		}
		if n > 0 && uintptr(unsafe.Pointer(&b.Host[0]))%64 != 0 {
			t.Errorf("Alloc(%d) is not aligned", n)
		}
	}
	if _, err := be.Alloc(-1); err == nil {
		t.Error("Alloc(-1) succeeded")
	}
	b, _ := be.Alloc(3)
	got := make([]float32, 3)
	if err := be.Upload(b, []float32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if err := be.Download(got, b); err != nil || !slices.Equal(got, []float32{1, 2, 3}) {
		t.Errorf("downloaded %v, %v", got, err)
	}
	if be.Upload(b, got[:2]) == nil || be.Download(got[:2], b) == nil {
		t.Error("a copy between different lengths succeeded")
	}
	if be.Sync() != nil || be.Name() != "ref" || be.Threads() != threads {
		t.Error("Sync, Name or Threads is wrong")
	}
}

func TestWrongLengthPanicsWithBothLengths(t *testing.T) {
	defer func() {
		want := "ref: apply: x has 5 values, the shape needs 6"
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	ref.New(1).Apply(1, 2, 3, zeros(6), zeros(5), kernel.Act{})
}

func TestBatchNorm(t *testing.T) {
	be := ref.New(threads)
	for _, p := range []kernel.BN{
		{N: 3, C: 4, T: 5, Eps: 1e-5, Momentum: 0.1},
		{N: 2, C: 3, T: 7, Eps: 1e-3, Momentum: 0.01, ReLU: true},
		{N: 1, C: 2, T: 1, Eps: 1e-5, Momentum: 0.1},
	} {
		t.Run(fmt.Sprintf("N=%d/C=%d/T=%d/relu=%v", p.N, p.C, p.T, p.ReLU), func(t *testing.T) {
			rng, count := newRand(), float64(p.N*p.T)
			x, xb := normals(rng, p.N*p.C*p.T)
			dz, dzb := normals(rng, p.N*p.C*p.T)
			gamma, gb := normals(rng, p.C)
			beta, bb := normals(rng, p.C)
			oldMean, rm := normals(rng, p.C)
			oldVar, rv := normals(rng, p.C)
			mean, rstd, scale, shift := zeros(p.C), zeros(p.C), zeros(p.C), zeros(p.C)
			be.BatchNormStats(p, xb, gb, bb, rm, rv, mean, rstd, scale, shift)
			y, m, v := batchNorm64(p, x, gamma, beta)
			near(t, "mean", mean, m, 1e-6)
			for c := range p.C {
				oldMean[c] += float64(p.Momentum) * (m[c] - oldMean[c])
				oldVar[c] += float64(p.Momentum) * (v[c]*count/max(count-1, 1) - oldVar[c])
			}
			near(t, "running mean", rm, oldMean, 1e-6)
			near(t, "running variance", rv, oldVar, 1e-6)
			z := zeros(len(x))
			be.Apply(p.N, p.C, p.T, z, xb, kernel.Act{Scale: scale, Shift: shift, ReLU: p.ReLU})
			near(t, "z", z, y, 1e-5)

			dgamma, dbeta := zeros(p.C), zeros(p.C)
			be.BatchNormBackward(p, dzb, dzb, xb, gb, mean, rstd, scale, shift, dgamma, dbeta)
			loss := func() float64 { y, _, _ := batchNorm64(p, x, gamma, beta); return inner(y, dz) }
			near(t, "dx", dzb, slope(x, loss), 1e-5)
			near(t, "dgamma", dgamma, slope(gamma, loss), 1e-5)
			near(t, "dbeta", dbeta, slope(beta, loss), 1e-5)
		})
	}
}

// A byte count has a mean far from zero: the statistics must not cancel.
func TestBatchNormLargeMean(t *testing.T) {
	rng := newRand()
	p := kernel.BN{N: 3, C: 1, T: 10007, Eps: 1e-5, Momentum: 0.1}
	x, _ := normals(rng, p.N*p.T)
	for i := range x {
		x[i] = float64(float32(x[i] + 1e4))
	}
	mean, rstd := zeros(1), zeros(1)
	one := kernel.Host([]float32{1})
	ref.New(threads).BatchNormStats(p, narrow(x), one, zeros(1), zeros(1), zeros(1), mean, rstd, zeros(1), zeros(1))
	_, m, v := batchNorm64(p, x, []float64{1}, []float64{0})
	near(t, "mean", mean, m, 1e-7)
	near(t, "rstd", rstd, []float64{1 / math.Sqrt(v[0]+1e-5)}, 1e-6)
}

func TestBatchNormFold(t *testing.T) {
	scale, shift := zeros(1), zeros(1)
	one := func(v float32) kernel.Buf { return kernel.Host([]float32{v}) }
	ref.New(1).BatchNormFold(kernel.BN{C: 1, Eps: 1}, one(6), one(5), one(2), one(3), scale, shift)
	near(t, "scale", scale, []float64{3}, 1e-7)
	near(t, "shift", shift, []float64{-1}, 1e-7)
}

func TestElementwise(t *testing.T) {
	const n, c, steps = 2, 3, 5
	be, rng := ref.New(threads), newRand()
	x1, x1b := normals(rng, n*c*steps)
	x2, x2b := normals(rng, n*c*steps)
	for name1, a1 := range acts(rng, c) {
		y := zeros(len(x1))
		be.Apply(n, c, steps, y, x1b, a1.narrow())
		near(t, "apply "+name1, y, a1.apply(n, c, steps, x1), 1e-6)
		for name2, a2 := range acts(rng, c) {
			for _, relu := range []bool{false, true} {
				want := a1.apply(n, c, steps, x1)
				for i, v := range a2.apply(n, c, steps, x2) {
					want[i] += v
				}
				be.AddAct(n, c, steps, y, x1b, a1.narrow(), x2b, a2.narrow(), relu)
				near(t, fmt.Sprint(name1, " + ", name2, " relu ", relu), y, act64{relu: relu}.apply(n, c, steps, want), 1e-6)
			}
		}
	}
	dx := zeros(len(x1))
	be.ReLUBackward(dx, x2b, x1b)
	be.Accumulate(dx, x1b)
	want := slices.Clone(x1)
	for i := range want {
		if x1[i] > 0 {
			want[i] += x2[i]
		}
	}
	near(t, "relu backward + x", dx, want, 1e-6)
}

func TestMaxPool(t *testing.T) {
	be := ref.New(threads)
	for _, p := range []kernel.Pool{
		{N: 2, C: 3, T: 7, K: 3, PadLeft: 1}, {N: 1, C: 2, T: 1, K: 3, PadLeft: 1}, {N: 1, C: 3, T: 9, K: 4, PadLeft: 0},
		{N: 1, C: 2, T: 6, K: 5, PadLeft: 4},
	} {
		rng := newRand()
		x, xb := normals(rng, p.N*p.C*p.T)
		dy, dyb := normals(rng, len(x))
		for name, a := range acts(rng, p.C) {
			act := func() []float64 { return a.apply(p.N, p.C, p.T, x) }
			y, dx := zeros(len(x)), zeros(len(x))
			be.MaxPool1D(p, y, xb, a.narrow())
			near(t, fmt.Sprint(p, name, " y"), y, maxPool64(p, act()), 1e-6)
			if a.relu { // ties at 0: the gradient of the definition is not unique, TestMaxPoolTies says which we take
				continue
			}
			// The slope with respect to act(x) itself.
			z := act()
			want := slope(z, func() float64 { return inner(maxPool64(p, z), dy) })
			be.MaxPool1DBackward(p, dx, dyb, xb, a.narrow(), false)
			near(t, fmt.Sprint(p, name, " dx"), dx, want, 1e-5)
			be.MaxPool1DBackward(p, dx, dyb, xb, a.narrow(), true)
			for i := range want {
				want[i] *= 2
			}
			near(t, fmt.Sprint(p, name, " dx added"), dx, want, 1e-5)
		}
	}
}

func TestMaxPoolTiesGoToTheFirstStep(t *testing.T) {
	p := kernel.Pool{N: 1, C: 1, T: 5, K: 3, PadLeft: 1}
	x, dy := kernel.Host([]float32{-1, -2, -3, 4, 4}), kernel.Host([]float32{1, 10, 100, 1000, 10000})
	dx := zeros(5)
	ref.New(1).MaxPool1DBackward(p, dx, dy, x, kernel.Act{ReLU: true}, false)
	near(t, "dx", dx, []float64{11, 0, 0, 11100, 0}, 0)
}

func TestGlobalAvgPool(t *testing.T) {
	const n, c, steps = 2, 3, 5
	be, rng := ref.New(threads), newRand()
	x, xb := normals(rng, n*c*steps)
	for name, a := range acts(rng, c) {
		want := make([]float64, n*c)
		for i, v := range a.apply(n, c, steps, x) {
			want[i/steps] += v / steps
		}
		y := zeros(n * c)
		be.GlobalAvgPool(n, c, steps, y, xb, a.narrow())
		near(t, name, y, want, 1e-6)
	}
	dy, dyb := normals(rng, n*c)
	dx, want := zeros(len(x)), make([]float64, len(x))
	for i := range want {
		want[i] = dy[i/steps] / steps
	}
	be.GlobalAvgPoolBackward(n, c, steps, dx, dyb)
	near(t, "dx", dx, want, 1e-6)
}

func TestLinear(t *testing.T) {
	for _, curve := range []kernel.Curve{kernel.Identity, kernel.ReLU, kernel.Logistic, kernel.Tanh} {
		be, rng, p := ref.New(threads), newRand(), kernel.Linear{N: 3, C: 5, F: 4, Curve: curve}
		x, xb := normals(rng, p.N*p.C)
		w, wb := normals(rng, p.F*p.C)
		bias, bb := normals(rng, p.F)
		dy, dyb := normals(rng, p.N*p.F)
		y, dx, dw, db := zeros(p.N*p.F), zeros(len(x)), zeros(len(w)), zeros(p.F)
		be.Linear(p, y, xb, wb, bb)
		near(t, "y", y, linear64(p, x, w, bias), 1e-6)
		loss := func() float64 { return inner(linear64(p, x, w, bias), dy) }
		be.LinearBackward(p, dx, dw, db, dyb, y, xb, wb)
		near(t, "dx", dx, slope(x, loss), 1e-5)
		near(t, "dw", dw, slope(w, loss), 1e-5)
		near(t, "db", db, slope(bias, loss), 1e-5)
		be.LinearBackward(p, kernel.Buf{}, dw, db, dyb, y, xb, wb)
		near(t, "dw without dx", dw, slope(w, loss), 1e-5)
	}
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	const n, k = 3, 4
	be, rng := ref.New(threads), newRand()
	logits, lb := normals(rng, n*k)
	y := []int32{0, 3, 1}
	prob, d := zeros(n*k), zeros(n*k)
	got := be.SoftmaxCrossEntropy(n, k, prob, lb, y)
	wantProb, want := crossEntropy64(n, k, logits, y)
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("loss %v, want %v", got, want)
	}
	near(t, "prob", prob, wantProb, 1e-6)
	be.SoftmaxCrossEntropyBackward(n, k, d, prob, y, 2)
	near(t, "dlogits", d, slope(logits, func() float64 { _, l := crossEntropy64(n, k, logits, y); return 2 * l }), 1e-5)

	// Far apart logits: no overflow, and a finite loss where prob[y] is 0.
	got = be.SoftmaxCrossEntropy(1, 2, zeros(2), kernel.Host([]float32{1e4, -1e4}), []int32{1})
	if got != 2e4 {
		t.Errorf("loss of a hopeless row: %v, want 20000", got)
	}
}

func TestSoftmaxCrossEntropyWrongClass(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); got != "ref: softmax cross entropy: row 0: class 2 of 2" {
			t.Errorf("panic %q", got)
		}
	}()
	ref.New(1).SoftmaxCrossEntropy(1, 2, zeros(2), zeros(2), []int32{2})
}

func TestLSTM(t *testing.T) {
	be := ref.New(threads)
	for _, p := range []kernel.LSTM{
		{N: 2, C: 1, T: 7, H: 3}, {N: 1, C: 3, T: 5, H: 2}, {N: 3, C: 2, T: 1, H: 4},
		{N: 2, C: 1, T: 7, H: 3, SaveEvery: 3}, {N: 2, C: 2, T: 6, H: 3, SaveEvery: 2}, {N: 1, C: 1, T: 4, H: 2, SaveEvery: 9},
	} {
		t.Run(fmt.Sprintf("N=%d/C=%d/T=%d/H=%d/S=%d", p.N, p.C, p.T, p.H, p.SaveEvery), func(t *testing.T) {
			rng := newRand()
			x, xb := normals(rng, p.N*p.C*p.T)
			wih, wihb := normals(rng, 4*p.H*p.C)
			whh, whhb := normals(rng, 4*p.H*p.H)
			bih, bihb := normals(rng, 4*p.H)
			bhh, bhhb := normals(rng, 4*p.H)
			dy, dyb := normals(rng, p.N*p.H)
			y, saved := zeros(p.N*p.H), zeros(be.LSTMSaved(p))
			be.LSTM(p, y, saved, xb, wihb, whhb, bihb, bhhb)
			near(t, "y", y, lstm64(p, x, wih, whh, bih, bhh), 1e-6)
			be.LSTM(p, y, kernel.Buf{}, xb, wihb, whhb, bihb, bhhb)
			near(t, "y without saving", y, lstm64(p, x, wih, whh, bih, bhh), 1e-6)

			dx, dwih, dwhh, dbih, dbhh := zeros(len(x)), zeros(len(wih)), zeros(len(whh)), zeros(4*p.H), zeros(4*p.H)
			be.LSTMBackward(p, dx, dwih, dwhh, dbih, dbhh, dyb, saved, xb, wihb, whhb, bihb, bhhb)
			loss := func() float64 { return inner(lstm64(p, x, wih, whh, bih, bhh), dy) }
			near(t, "dx", dx, slope(x, loss), 1e-5)
			near(t, "dwih", dwih, slope(wih, loss), 1e-5)
			near(t, "dwhh", dwhh, slope(whh, loss), 1e-5)
			near(t, "dbih", dbih, slope(bih, loss), 1e-5)
			near(t, "dbhh", dbhh, slope(bhh, loss), 1e-5)
		})
	}
}

// Raw byte counts drive the gates far into saturation: everything must stay finite.
func TestLSTMHugeInput(t *testing.T) {
	be, p := ref.New(threads), kernel.LSTM{N: 2, C: 1, T: 9, H: 3}
	rng := newRand()
	x, _ := normals(rng, p.N*p.T)
	for i := range x {
		x[i] *= 1e6
	}
	xb := narrow(x)
	wih, wihb := normals(rng, 4*p.H)
	whh, whhb := normals(rng, 4*p.H*p.H)
	bias, bb := normals(rng, 4*p.H)
	y, saved := zeros(p.N*p.H), zeros(be.LSTMSaved(p))
	be.LSTM(p, y, saved, xb, wihb, whhb, bb, bb)
	near(t, "y", y, lstm64(p, x, wih, whh, bias, bias), 1e-6)
	dwih, dwhh, db := zeros(len(wih)), zeros(len(whh)), zeros(4*p.H)
	be.LSTMBackward(p, kernel.Buf{}, dwih, dwhh, db, zeros(4*p.H), y, saved, xb, wihb, whhb, bb, bb)
	for _, b := range []kernel.Buf{dwih, dwhh, db} {
		for i, v := range b.Host {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("gradient %d is %v", i, v)
			}
		}
	}
}

func TestAdam(t *testing.T) {
	p := kernel.Adam{LR: 0.1, Decay: 0.01, Beta1: 0.9, Beta2: 0.99, Debias1: 0.1, Debias2: 0.01, Eps: 1e-5}
	w, m, v := kernel.Host([]float32{1, -2, 3}), kernel.Host([]float32{0, 1, 0}), kernel.Host([]float32{0, 4, 0})
	ref.New(1).Adam(p, w, kernel.Host([]float32{2, 1, 0}), m, v)
	near(t, "m", m, []float64{0.2, 1, 0}, 1e-6)
	near(t, "v", v, []float64{0.04, 3.97, 0}, 1e-6)
	near(t, "w", w, []float64{0.999 - 0.1*2/(2+1e-5), -1.998 - 0.1*10/(math.Sqrt(397)+1e-5), 2.997}, 1e-6)
	p.L2 = 0.5 // a gradient of 1.5, at a weight of 1
	w, m, v = kernel.Host([]float32{1}), kernel.Host([]float32{0}), kernel.Host([]float32{0})
	ref.New(1).Adam(p, w, kernel.Host([]float32{1}), m, v)
	near(t, "m, coupled decay", m, []float64{0.15}, 1e-6)
	near(t, "v, coupled decay", v, []float64{0.0225}, 1e-6)
}

// Every kernel gives the same bits for any number of workers; one long run of each is enough to see a race of sums.
func TestThreadsDoNotChangeBits(t *testing.T) {
	p, bn := kernel.LSTM{N: 5, C: 2, T: 23, H: 6, SaveEvery: 4}, kernel.BN{N: 3, C: 5, T: 101, Eps: 1e-5, Momentum: 0.1, ReLU: true}
	var first []float32
	for _, threads := range []int{1, 2, 7} {
		be, rng := ref.New(threads), newRand()
		random := func(n int) kernel.Buf { _, b := normals(rng, n); return b }
		var out []kernel.Buf
		keep := func(n int) kernel.Buf { b := zeros(n); out = append(out, b); return b }
		x, wih, whh, b := random(p.N*p.C*p.T), random(4*p.H*p.C), random(4*p.H*p.H), random(4*p.H)
		y, saved := keep(p.N*p.H), zeros(be.LSTMSaved(p))
		be.LSTM(p, y, saved, x, wih, whh, b, b)
		be.LSTMBackward(p, keep(p.N*p.C*p.T), keep(4*p.H*p.C), keep(4*p.H*p.H), keep(4*p.H), keep(4*p.H), y, saved, x, wih, whh, b, b)
		x, dz, gamma := random(bn.N*bn.C*bn.T), random(bn.N*bn.C*bn.T), random(bn.C)
		mean, rstd, scale, shift := keep(bn.C), keep(bn.C), keep(bn.C), keep(bn.C)
		be.BatchNormStats(bn, x, gamma, gamma, keep(bn.C), keep(bn.C), mean, rstd, scale, shift)
		be.BatchNormBackward(bn, keep(bn.N*bn.C*bn.T), dz, x, gamma, mean, rstd, scale, shift, keep(bn.C), keep(bn.C))
		var all []float32
		for _, o := range out {
			all = append(all, o.Host...)
		}
		if first == nil {
			first = all
		} else if !slices.Equal(first, all) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
	}
}
