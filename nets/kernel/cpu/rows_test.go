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

// size is a tensor for operators that go through rows.
type size struct{ n, c, t int }

func (s size) String() string { return fmt.Sprintf("N=%d/C=%d/T=%d", s.n, s.c, s.t) }

func (s size) values() int { return s.n * s.c * s.t }

// sizes are odd on purpose: no multiple of a vector, a block, an item.
func sizes() []size {
	all := []size{{1, 1, 1}, {3, 5, 1}, {2, 3, 7}, {1, 2, 15}, {2, 3, 33}, {3, 7, 60}, {5, 13, 61}, {2, 3, 2049}, {17, 1, 601}, {1, 2, 6001}}
	if !testing.Short() {
		all = append(all, size{2, 3, 60000}, size{300, 2, 60}, size{16, 33, 600})
	}
	return all
}

// buffers hands out reproducible inputs and keeps what an operator writes.
type buffers struct {
	*rand.Rand
	out map[string][]float32
}

func (b *buffers) in(n int) kernel.Buf { return kernel.Host(random(b.Rand, n)) }

func (b *buffers) result(name string, n int) kernel.Buf {
	b.out[name] = random(b.Rand, n)
	return kernel.Host(b.out[name])
}

// acts are the four kinds of pending activation.
func (b *buffers) acts(c int) []kernel.Act {
	scale, shift := b.in(c), b.in(c)
	return []kernel.Act{{}, {ReLU: true}, {Scale: scale, Shift: shift}, {Scale: scale, Shift: shift, ReLU: true}}
}

// rowOperators run one operator on inputs of a size and leave what it writes in b.
var rowOperators = map[string]func(be kernel.Backend, s size, b *buffers){
	"batch norm": func(be kernel.Backend, s size, b *buffers) {
		for _, relu := range []bool{false, true} {
			p := kernel.BN{N: s.n, C: s.c, T: s.t, Eps: 1e-5, Momentum: 0.1, ReLU: relu}
			name := fmt.Sprintf("relu=%t ", relu)
			x, gamma, beta := b.in(s.values()), b.in(s.c), b.in(s.c)
			mean, rstd := b.result(name+"mean", s.c), b.result(name+"rstd", s.c)
			scale, shift := b.result(name+"scale", s.c), b.result(name+"shift", s.c)
			be.BatchNormStats(p, x, gamma, beta, b.result(name+"running mean", s.c), b.result(name+"running variance", s.c), mean, rstd, scale, shift)
			if s.n*s.t < 3 {
				continue // the variance is 0 or nearly: dx is rounding, divided by it
			}
			dz := b.in(s.values())
			be.BatchNormBackward(p, b.result(name+"dx", s.values()), dz, x, gamma, mean, rstd, scale, shift, b.result(name+"dgamma", s.c), b.result(name+"dbeta", s.c))
			be.BatchNormBackward(p, dz, dz, x, gamma, mean, rstd, scale, shift, b.result(name+"dgamma again", s.c), b.result(name+"dbeta again", s.c))
			b.out[name+"dx in place"] = dz.Host
		}
	},
	"add": func(be kernel.Backend, s size, b *buffers) {
		for i, a1 := range b.acts(s.c) {
			for j, a2 := range b.acts(s.c) {
				y := b.result(fmt.Sprint(i, j), s.values())
				be.AddAct(s.n, s.c, s.t, y, b.in(s.values()), a1, b.in(s.values()), a2, (i+j)%2 == 0)
			}
		}
	},
	"apply": func(be kernel.Backend, s size, b *buffers) {
		for i, a := range b.acts(s.c) {
			be.Apply(s.n, s.c, s.t, b.result(fmt.Sprint(i), s.values()), b.in(s.values()), a)
			x := b.result(fmt.Sprint(i, " in place"), s.values())
			be.Apply(s.n, s.c, s.t, x, x, a)
		}
	},
	"relu backward": func(be kernel.Backend, s size, b *buffers) {
		y := b.in(s.values())
		be.ReLUBackward(b.result("dx", s.values()), b.in(s.values()), y)
		dy := b.result("dx in place", s.values())
		be.ReLUBackward(dy, dy, y)
	},
	"accumulate": func(be kernel.Backend, s size, b *buffers) {
		be.Accumulate(b.result("dst", s.values()), b.in(s.values()))
	},
	"max pool": func(be kernel.Backend, s size, b *buffers) {
		for _, w := range [][2]int{{3, 1}, {1, 0}, {4, 0}, {5, 4}, {2, 1}} {
			if s.values() > 20000 && w[0] != 3 {
				continue
			}
			for i, a := range b.acts(s.c) {
				p, name := kernel.Pool{N: s.n, C: s.c, T: s.t, K: w[0], PadLeft: w[1]}, fmt.Sprint(w, i)
				x, dy := b.in(s.values()), b.in(s.values())
				for i := range x.Host {
					x.Host[i] = float32(math.Round(float64(x.Host[i])*4) / 4) // ties
				}
				be.MaxPool1D(p, b.result(name+"y", s.values()), x, a)
				be.MaxPool1DBackward(p, b.result(name+"dx", s.values()), dy, x, a, false)
				be.MaxPool1DBackward(p, b.result(name+"dx added", s.values()), dy, x, a, true)
			}
		}
	},
	"global average pool": func(be kernel.Backend, s size, b *buffers) {
		for i, a := range b.acts(s.c) {
			be.GlobalAvgPool(s.n, s.c, s.t, b.result(fmt.Sprint(i), s.n*s.c), b.in(s.values()), a)
		}
		be.GlobalAvgPoolBackward(s.n, s.c, s.t, b.result("dx", s.values()), b.in(s.n*s.c))
	},
	"adam": func(be kernel.Backend, s size, b *buffers) {
		v := b.result("v", s.values())
		for i := range v.Host {
			v.Host[i] = v.Host[i] * v.Host[i]
		}
		p := kernel.Adam{LR: 0.01, Decay: 0.01, L2: 0.1, Beta1: 0.9, Beta2: 0.99, Debias1: 0.1, Debias2: 0.02, Eps: 1e-5}
		be.Adam(p, b.result("w", s.values()), b.in(s.values()), b.result("m", s.values()), v)
	},
}

func TestRowOperators(t *testing.T) {
	reference := open(t, "ref", 2)
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		for operator, run := range rowOperators {
			t.Run(name+"/"+operator, func(t *testing.T) {
				one, two := open(t, name, 1), open(t, name, 2)
				for _, s := range sizes() {
					results := func(be kernel.Backend) map[string][]float32 {
						b := &buffers{rand.New(rand.NewPCG(5, uint64(s.values()))), map[string][]float32{}}
						run(be, s, b)
						return b.out
					}
					want, got, again := results(reference), results(one), results(two)
					for what, v := range want {
						compare(t, s, what, got[what], v)
						sameBits(t, s, what, again[what], got[what])
					}
				}
			})
		}
	}
}

// TestRowOperatorsInterpreted runs the assembly of every tier on any machine, and compares with the processor bit for bit.
func TestRowOperatorsInterpreted(t *testing.T) {
	reference := open(t, "ref", 1)
	for _, name := range cpu.Names()[:len(cpu.Names())-1] {
		for operator, run := range rowOperators {
			t.Run(name+"/"+operator, func(t *testing.T) {
				be := interpreted(t, name)
				for _, s := range []size{{1, 1, 1}, {3, 2, 7}, {2, 1, 33}, {1, 2, 77}} {
					results := func(be kernel.Backend) map[string][]float32 {
						b := &buffers{rand.New(rand.NewPCG(5, uint64(s.values()))), map[string][]float32{}}
						run(be, s, b)
						return b.out
					}
					got := results(be)
					for what, v := range results(reference) {
						compare(t, s, what, got[what], v)
					}
					if native, err := cpu.Open(name, 1); err == nil {
						for what, v := range results(native) {
							sameBits(t, s, "interpreted "+what, got[what], v)
						}
					}
				}
			})
		}
	}
}

// TestBatchNormLargeMean: values around 10^4 with deviation 1 keep their variance, also where the first is an outlier.
func TestBatchNormLargeMean(t *testing.T) {
	p := kernel.BN{N: 64, C: 1, T: 60000, Eps: 1e-5, Momentum: 0.1}
	if testing.Short() {
		p.N = 2
	}
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, p.N*p.T)
	for i := range x {
		x[i] = float32(1e4 + r.NormFloat64())
	}
	x[0] = 0
	one := func() kernel.Buf { return kernel.Host([]float32{1}) }
	stats := func(name string) (mean, rstd float32) {
		m, s := one(), one()
		open(t, name, 2).BatchNormStats(p, kernel.Host(x), one(), one(), one(), one(), m, s, one(), one())
		return m.Host[0], s.Host[0]
	}
	wantMean, wantRstd := stats("ref")
	for _, name := range cpu.Available() {
		mean, rstd := stats(name)
		if math.Abs(float64(mean/wantMean-1)) > 1e-6 || math.Abs(float64(rstd/wantRstd-1)) > 1e-6 {
			t.Errorf("%s: mean %v, 1/sd %v; want %v, %v", name, mean, rstd, wantMean, wantRstd)
		}
	}
}

// TestBatchNormConstant: a channel that never changes has variance 0, not a rounded negative one.
func TestBatchNormConstant(t *testing.T) {
	p := kernel.BN{N: 3, C: 1, T: 1001, Eps: 1e-5, Momentum: 0.1}
	x := slices.Repeat([]float32{123456.7}, p.N*p.T)
	for _, name := range cpu.Available() {
		rstd, dummy := []float32{0}, func() kernel.Buf { return kernel.Host([]float32{1}) }
		open(t, name, 2).BatchNormStats(p, kernel.Host(x), dummy(), dummy(), dummy(), dummy(), dummy(), kernel.Host(rstd), dummy(), dummy())
		if want := 1 / math.Sqrt(1e-5); math.Abs(float64(rstd[0])-want) > 0.05*want {
			t.Errorf("%s: 1/sd = %v, want %v", name, rstd[0], want)
		}
	}
}

// BenchmarkRows reports GB/s of memory that an operator has to move at least.
func BenchmarkRows(b *testing.B) {
	for _, s := range []size{{16, 128, 60}, {16, 128, 600}, {16, 128, 6000}} {
		for _, op := range []string{"bnstats", "bnbwd", "add", "relubwd", "apply", "pool", "poolbwd", "gap", "gapbwd", "accumulate", "adam"} {
			for _, name := range cpu.Names()[:len(cpu.Names())-1] {
				b.Run(fmt.Sprintf("op=%s/%v/kernel=%s", op, s, name), func(b *testing.B) { benchmarkRows(b, name, op, s) })
			}
		}
	}
}

func benchmarkRows(b *testing.B, name, op string, s size) {
	be, r := openFor(b, name, threads()), rand.New(rand.NewPCG(1, 2))
	buf := func(n int) kernel.Buf {
		v, err := be.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		for i := range v.Host {
			v.Host[i] = r.Float32() - 0.5
		}
		return v
	}
	x, y, z := buf(s.values()), buf(s.values()), buf(s.values())
	var c [10]kernel.Buf
	for i := range c {
		c[i] = buf(s.c)
	}
	small, act := buf(s.n*s.c), kernel.Act{Scale: c[0], Shift: c[1], ReLU: true}
	bn, pool := kernel.BN{N: s.n, C: s.c, T: s.t, Eps: 1e-5, Momentum: 0.1, ReLU: true}, kernel.Pool{N: s.n, C: s.c, T: s.t, K: 3, PadLeft: 1}
	ops := map[string]struct {
		passes int // reads and writes of a tensor
		run    func()
	}{
		"bnstats":    {1, func() { be.BatchNormStats(bn, x, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]) }},
		"bnbwd":      {5, func() { be.BatchNormBackward(bn, y, y, x, c[0], c[4], c[5], c[6], c[7], c[8], c[9]) }},
		"add":        {3, func() { be.AddAct(s.n, s.c, s.t, y, x, act, z, act, true) }},
		"relubwd":    {3, func() { be.ReLUBackward(y, y, x) }},
		"apply":      {2, func() { be.Apply(s.n, s.c, s.t, y, x, act) }},
		"pool":       {2, func() { be.MaxPool1D(pool, y, x, act) }},
		"poolbwd":    {3, func() { be.MaxPool1DBackward(pool, y, z, x, act, false) }},
		"gap":        {1, func() { be.GlobalAvgPool(s.n, s.c, s.t, small, x, act) }},
		"gapbwd":     {1, func() { be.GlobalAvgPoolBackward(s.n, s.c, s.t, y, small) }},
		"accumulate": {3, func() { be.Accumulate(y, x) }},
		"adam": {4, func() {
			be.Adam(kernel.Adam{LR: 0, Beta1: 0.9, Beta2: 0.99, Debias1: 1, Debias2: 1, Eps: 1}, x, y, z, z)
		}},
	}
	o := ops[op]
	o.run()
	b.SetBytes(int64(o.passes * 4 * s.values()))
	for b.Loop() {
		o.run()
	}
}
