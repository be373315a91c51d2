package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
	"earshot/nets/kernel/ref"
	"earshot/nets/nn"

	"gorgonia.org/gorgonia"
)

func backend(t testing.TB, threads int) kernel.Backend {
	t.Helper()
	be, err := cpu.FromEnv(threads)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

func model(t testing.TB, be kernel.Backend, a nn.Arch, c, steps, classes int) *nn.Model {
	t.Helper()
	m, err := nn.NewModel(be, a, c, steps, classes, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// batch returns n rows of noise with a class-dependent oscillation on it.
func batch(seed uint64, n, c, t, classes int) ([]float32, []int32) {
	r := rand.New(rand.NewPCG(seed, 1))
	x, y := make([]float32, n*c*t), make([]int32, n)
	for i := range y {
		y[i] = int32(i % classes)
		for j := range c * t {
			x[i*c*t+j] = float32(math.Sin(float64(j)*(0.3+0.5*float64(y[i]))) + 0.3*r.NormFloat64())
		}
	}
	return x, y
}

func step(t testing.TB, m *nn.Model, x []float32, y []int32) float64 {
	t.Helper()
	loss, err := m.Step(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// each runs a test for every network in every profile, the short way in profile tsai only.
func each(t *testing.T, f func(t *testing.T, a nn.Arch)) {
	for _, a := range nets.All {
		if testing.Short() && a.Profile != "tsai" {
			continue
		}
		t.Run(a.Name+"/"+a.Profile, func(t *testing.T) { f(t, a) })
	}
}

func TestGraphIsOurs(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		p, err := model(t, ref.New(1), a, 2, 9, 3).TrainProgram(3)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uint32]*gorgonia.Node{}
		p.Nodes(func(n *gorgonia.Node, ours bool) {
			if n.Op() != nil && !ours {
				t.Errorf("%v: operator %v is Gorgonia's", n, n.Op())
			}
			if seen[n.Hashcode()] != nil {
				t.Errorf("%v and %v have one hash", n, seen[n.Hashcode()])
			}
			seen[n.Hashcode()] = n
		})
	})
}

// TestPlan holds the planner to the lower bound, at the size of the song study.
func TestPlan(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		for _, n := range []int{1, 16} {
			p, err := model(t, ref.New(1), a, 1, 600, 3).TrainProgram(n)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.CheckPlan(); err != nil {
				t.Error(err)
			}
			planned, atLeast := p.Slab()
			t.Logf("N=%d: %d values planned, at least %d needed (%.3f)", n, planned, atLeast, float64(planned)/float64(atLeast))
			if float64(planned) > 1.05*float64(atLeast) {
				t.Errorf("N=%d: %d values planned, %d would do", n, planned, atLeast)
			}
		}
	})
}

// TestPlanBytes: the forecast is what a step then uses, and it scales as the study's plans assume.
func TestPlanBytes(t *testing.T) {
	limits := map[string]int64{"fcn": 310e6, "resnet": 630e6, "inceptiontime": 620e6, "lstm": 300e6, "mlp": 400e3} // N=16, T=6000
	each(t, func(t *testing.T, a nn.Arch) {
		m := model(t, backend(t, 2), a, 1, 6000, 3)
		got := m.PlanBytes(16)
		if got.Activations > limits[a.Name] {
			t.Errorf("%d bytes planned for 16 rows of 6000 steps, want at most %d", got.Activations, limits[a.Name])
		}
		if sum := got.Weights + got.Optimizer + got.Activations + got.Workspace; got.Total != sum {
			t.Errorf("total %d of %d", got.Total, sum)
		}
		small := model(t, backend(t, 2), a, 2, 30, 3)
		p, err := small.TrainProgram(4)
		if err != nil {
			t.Fatal(err)
		}
		if slab, _ := p.Slab(); small.PlanBytes(4).Activations != 4*int64(slab) {
			t.Errorf("forecast %d bytes, slab of %d values", small.PlanBytes(4).Activations, slab)
		}
		long := model(t, backend(t, 2), a, 1, 60000, 3).PlanBytes(16)
		if long.Total > 8e9 {
			t.Errorf("16 rows of 60000 steps: %d bytes", long.Total)
		}
	})
}

// TestBackwardAgainstGorgonia: the same operators, differentiated by gorgonia.Grad.
func TestBackwardAgainstGorgonia(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		const n, c, steps = 3, 2, 11
		x, y := batch(1, n, c, steps, 3)
		m := model(t, backend(t, 1), a, c, steps, 3)
		want, err := m.StockGradients(x, y)
		if err != nil {
			t.Fatal(err)
		}
		step(t, m, x, y)
		largest := 0.0
		for _, g := range want {
			for _, v := range g {
				largest = max(largest, math.Abs(float64(v)))
			}
		}
		for i, p := range m.Params() {
			for k, v := range p.Grad {
				if d := math.Abs(float64(v - want[i][k])); d > 1e-5*largest {
					t.Fatalf("%s[%d]: %v, gorgonia.Grad gives %v", p.Name, k, v, want[i][k])
				}
			}
		}
	})
}

// TestOverfits: one batch, some steps of Gorgonia's Adam.
func TestOverfits(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		x, y := batch(2, 6, 1, 14, 3)
		m := model(t, backend(t, 2), a, 1, 14, 3)
		solver := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.01))
		first := step(t, m, x, y)
		steps := 15
		if a.Name == "lstm" {
			steps = 60
		}
		for range steps {
			if err := m.Solve(solver); err != nil {
				t.Fatal(err)
			}
			step(t, m, x, y)
		}
		last := step(t, m, x, y)
		if !(last < 0.3*first) {
			t.Errorf("loss %.4f after %d steps, %.4f at first", last, steps, first)
		}
		for i := range y {
			row := m.Logits()[i*3 : i*3+3]
			if row[y[i]] != slices.Max(row) {
				t.Errorf("row %d of class %d: logits %v", i, y[i], row)
			}
		}
	})
}

// state returns all bits that a training leaves.
func state(m *nn.Model) string {
	var b strings.Builder
	for _, p := range m.Params() {
		fmt.Fprintf(&b, "%s ", p.Name)
		if p.Trainable {
			for i, v := range p.Value.Float32s() {
				fmt.Fprintf(&b, "%x %x ", math.Float32bits(v), math.Float32bits(p.Grad[i]))
			}
		} else if strings.HasSuffix(p.Name, "tracked") {
			fmt.Fprint(&b, p.Value.Int64s())
		} else {
			fmt.Fprint(&b, p.Value.Float32s())
		}
	}
	return b.String()
}

func TestSameBitsOnAnyThreads(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		var want string
		for i, threads := range []int{1, 2, 1} {
			m := model(t, backend(t, threads), a, 2, 17, 3)
			solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01))
			var losses []float64
			for k, n := range []int{5, 5, 3} { // a partial batch, too
				x, y := batch(uint64(k), n, 2, 17, 3)
				losses = append(losses, step(t, m, x, y))
				if err := m.Solve(solver); err != nil {
					t.Fatal(err)
				}
			}
			got := fmt.Sprint(losses) + state(m)
			if i == 0 {
				want = got
			} else if got != want {
				t.Errorf("run %d on %d threads differs", i, threads)
			}
		}
	})
}

// TestDirect: without the tape machine, and from rows of a table, a training has the same bits.
func TestDirect(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		const c, steps = 2, 17
		table, classes := batch(9, 12, c, steps, 3)
		var want string
		for _, direct := range []bool{false, true} {
			m := model(t, backend(t, 2), a, c, steps, 3)
			m.SetDirect(direct)
			solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01))
			var out []float64
			for _, rows := range [][]int{{0, 1, 2, 3, 4}, {11, 7, 3, 0, 2}, {5, 5, 6}, {1, 2, 3, 4, 5}, {8, 9, 10}} {
				x, y := make([]float32, 0, len(rows)*c*steps), make([]int32, 0, len(rows))
				for _, r := range rows {
					x, y = append(x, table[r*c*steps:(r+1)*c*steps]...), append(y, classes[r])
				}
				run := func() (float64, error) { return m.Step(x, y) }
				if direct {
					run = func() (float64, error) { return m.StepRows(table, rows, y) }
				}
				loss, err := run()
				if err != nil {
					t.Fatal(err)
				}
				if err := m.Solve(solver); err != nil {
					t.Fatal(err)
				}
				logits := make([]float32, 3*len(rows))
				if err := m.Forward(x, len(rows), false, logits); err != nil {
					t.Fatal(err)
				}
				out = append(out, loss, float64(logits[0]))
			}
			got := fmt.Sprint(out) + state(m)
			if !direct {
				want = got
			} else if got != want {
				t.Error("other bits without the machine")
			}
		}
	})
}

// TestModelsSideBySide: models on different goroutines do not disturb each other, building included. For -race.
func TestModelsSideBySide(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		var wg sync.WaitGroup
		got := make([]string, 3)
		for i := range got {
			wg.Go(func() {
				m, err := nn.NewModel(ref.New(1), a, 1, 5, 2, 1)
				if err != nil {
					t.Error(err)
					return
				}
				for n := 1; n <= 3; n++ {
					x, y := batch(1, n, 1, 5, 2)
					if _, err := m.Step(x, y); err != nil {
						t.Error(err)
					}
				}
				got[i] = state(m)
			})
		}
		wg.Wait()
		if got[0] != got[1] || got[0] != got[2] {
			t.Error("the same training differs")
		}
	})
}

func TestSeeds(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		weights := func(seed uint64) string {
			m, err := nn.NewModel(ref.New(1), a, 2, 9, 3, seed)
			if err != nil {
				t.Fatal(err)
			}
			var s strings.Builder
			for _, p := range m.Params() {
				fmt.Fprint(&s, p.Value.Data())
			}
			return s.String()
		}
		if one := weights(1); one != weights(1) || one == weights(2) {
			t.Error("weights must depend on the seed, and on nothing else")
		}
	})
}

// TestShortSeries: lengths below the kernels, single rows.
func TestShortSeries(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		for _, steps := range []int{1, 2, 7} {
			for _, n := range []int{1, 3} {
				x, y := batch(3, n, 1, steps, 2)
				m := model(t, backend(t, 2), a, 1, steps, 2)
				if loss := step(t, m, x, y); math.IsNaN(loss) || math.IsInf(loss, 0) {
					t.Errorf("N=%d T=%d: loss %v", n, steps, loss)
				}
				for _, p := range m.Params() {
					for _, v := range p.Grad {
						if v != v {
							t.Fatalf("N=%d T=%d: gradient of %s is not a number", n, steps, p.Name)
						}
					}
				}
				if err := m.Forward(x, n, false, make([]float32, 2*n)); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestForward: rows are independent of each other in evaluation, one batch in training mode; the state stays.
func TestForward(t *testing.T) {
	each(t, func(t *testing.T, a nn.Arch) {
		const n, c, steps, k = 260, 1, 3, 3 // more rows than one part holds
		x, y := batch(4, n, c, steps, k)
		m := model(t, backend(t, 2), a, c, steps, k)
		step(t, m, x[:5*steps], y[:5])
		before := state(m)
		all, one := make([]float32, n*k), make([]float32, k)
		if err := m.Forward(x, n, false, all); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 1, 255, 256, 259} {
			if err := m.Forward(x[i*steps:(i+1)*steps], 1, false, one); err != nil {
				t.Fatal(err)
			}
			for j := range one {
				if d := math.Abs(float64(one[j] - all[i*k+j])); d > 1e-5 {
					t.Errorf("row %d alone: logits %v, among others %v", i, one, all[i*k:i*k+k])
				}
			}
		}
		if err := m.Forward(x[:5*steps], 5, true, all[:5*k]); err != nil {
			t.Fatal(err)
		}
		if state(m) != before {
			t.Error("Forward has changed the state")
		}
		step(t, m, x[:5*steps], y[:5])
		for j, v := range m.Logits() {
			if d := math.Abs(float64(v - all[j])); d > 1e-5 {
				t.Errorf("logit %d in training mode: Step %v, Forward %v", j, v, all[j])
			}
		}
	})
}
