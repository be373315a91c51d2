package nn_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/kernel/ref"
	"earshot/nets/nn"

	"gorgonia.org/gorgonia"
)

// canceling cancels when the forward pass reaches global pooling, and counts what comes after.
type canceling struct {
	kernel.Backend
	cancel func()
	after  int
}

func (b *canceling) GlobalAvgPool(n, c, t int, y, x kernel.Buf, a kernel.Act) {
	b.Backend.GlobalAvgPool(n, c, t, y, x, a)
	b.cancel()
}

func (b *canceling) Linear(p kernel.Linear, y, x, w, bias kernel.Buf) {
	b.after++
	b.Backend.Linear(p, y, x, w, bias)
}

func TestCancel(t *testing.T) {
	a, _ := nets.Lookup("fcn", "tsai")
	be := &canceling{Backend: ref.New(1)}
	m := model(t, be, a, 1, 20, 2)
	x, y := batch(6, 2, 1, 20, 2)
	ctx, cancel := context.WithCancel(context.Background())
	be.cancel = cancel
	m.SetContext(ctx)
	if _, err := m.Step(x, y); !errors.Is(err, context.Canceled) || be.after != 0 {
		t.Errorf("canceled step: error %v, %d operators later", err, be.after)
	}
	be.cancel = func() {}
	m.SetContext(context.Background())
	m.SetDirect(true)
	step(t, m, x, y)
	ctx, be.cancel = context.WithCancel(context.Background())
	be.after = 0
	m.SetContext(ctx)
	if _, err := m.Step(x, y); !errors.Is(err, context.Canceled) || be.after != 0 {
		t.Errorf("canceled step without the machine: error %v, %d operators later", err, be.after)
	}
}

// broken panics in one kernel, once.
type broken struct {
	kernel.Backend
	done bool
}

func (b *broken) Conv1DBackwardData(p kernel.Conv, dx, dy, w kernel.Buf, acc bool) {
	if !b.done {
		b.done = true
		panic("x has 3 values, the shape needs 4")
	}
	b.Backend.Conv1DBackwardData(p, dx, dy, w, acc)
}

func TestPanicIsAnError(t *testing.T) {
	a, _ := nets.Lookup("fcn", "tsai")
	for _, direct := range []bool{false, true} {
		be := &broken{Backend: ref.New(1), done: direct}
		m := model(t, be, a, 1, 20, 2)
		m.SetDirect(direct)
		x, y := batch(7, 2, 1, 20, 2)
		if direct {
			step(t, m, x, y)
			be.done = false
		}
		_, err := m.Step(x, y)
		if want := "fcn: nn: convblock3.0, backward: x has 3 values, the shape needs 4"; err == nil || err.Error() != want {
			t.Errorf("direct %t: error %v, want %s", direct, err, want)
		}
		step(t, m, x, y)
	}
}

func TestGarbage(t *testing.T) {
	if backend(t, 2).Name() == "ref" {
		t.Skip("the plain Go kernels make their scratch anew")
	}
	each(t, func(t *testing.T, a nn.Arch) {
		x, y := batch(8, 4, 1, 40, 2)
		m := model(t, backend(t, 2), a, 1, 40, 2)
		step(t, m, x, y)
		step(t, m, x, y)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const steps = 5
		for range steps {
			step(t, m, x, y)
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / steps; got > 64<<10 {
			t.Errorf("a step leaves %d bytes of garbage in %d pieces", got, (after.Mallocs-before.Mallocs)/steps)
		} else {
			t.Logf("%d bytes of garbage in %d pieces", got, (after.Mallocs-before.Mallocs)/steps)
		}
	})
}

func TestWrongCalls(t *testing.T) {
	a, _ := nets.Lookup("fcn", "tsai")
	m := model(t, ref.New(1), a, 2, 10, 3)
	x := make([]float32, 2*2*10)
	for name, call := range map[string]func() error{
		"short input":   func() error { _, err := m.Step(x[1:], []int32{0, 1}); return err },
		"no rows":       func() error { _, err := m.Step(nil, nil); return err },
		"class 3 of 3":  func() error { _, err := m.Step(x, []int32{0, 3}); return err },
		"class -1":      func() error { _, err := m.Step(x, []int32{0, -1}); return err },
		"row 2 of 2":    func() error { _, err := m.StepRows(x, []int{2}, []int32{0}); return err },
		"row -1":        func() error { _, err := m.StepRows(x, []int{-1}, []int32{0}); return err },
		"rows, classes": func() error { _, err := m.StepRows(x, []int{1}, []int32{0, 1}); return err },
		"no table rows": func() error { _, err := m.StepRows(x, nil, nil); return err },
		"few logits":    func() error { return m.Forward(x, 2, false, make([]float32, 5)) },
		"zero rows":     func() error { return m.Forward(nil, 0, false, nil) },
		"no gradient":   func() error { return m.Solve(gorgonia.NewVanillaSolver()) },
		"no steps":      func() error { _, err := nn.NewModel(ref.New(1), a, 1, 0, 3, 1); return err },
		"memory is out": func() error { return outOfMemory(t, a) },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type small struct{ kernel.Backend }

func (b small) Alloc(n int) (kernel.Buf, error) {
	if n > 1<<20 {
		return kernel.Buf{}, fmt.Errorf("%d values: no memory", n)
	}
	return b.Backend.Alloc(n)
}

func outOfMemory(t *testing.T, a nn.Arch) error {
	m := model(t, small{ref.New(1)}, a, 1, 6000, 3)
	x, y := batch(1, 4, 1, 6000, 3)
	_, err := m.Step(x, y)
	return err
}
