package nn_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"earshot/nets"
)

// peak is the largest resident memory that this process has had, in bytes.
func peak(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		var kb int64
		if n, _ := fmt.Sscanf(l, "VmHWM: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	t.Skip("no VmHWM in /proc/self/status")
	return 0
}

// TestResidentMemory trains in a process of its own, whose peak must stay within what PlanBytes forecasts: the slab,
// weights x 4 and the kernels' workspace. The runtime, the collector and the code that is touched take the allowance.
func TestResidentMemory(t *testing.T) {
	const child, allowance = "EARSHOT_TEST_RESIDENT", 24 << 20
	if name := os.Getenv(child); name != "" {
		a, err := nets.Lookup(name, "tsai")
		if err != nil {
			t.Fatal(err)
		}
		be := backend(t, 2)
		n, steps := 8, 1500
		if be.Name() == "ref" {
			steps = 150 // the plain Go kernels are slow
		}
		before := peak(t)
		m := model(t, be, a, 1, steps, 3)
		plan := m.PlanBytes(n)
		x, y := batch(1, n, 1, steps, 3)
		for range 2 {
			step(t, m, x, y)
		}
		if err := m.Forward(x, n, false, make([]float32, n*3)); err != nil {
			t.Fatal(err)
		}
		got := peak(t) - before
		fmt.Printf("planned %.1f MB, resident %.1f MB more than before\n", float64(plan.Total)/1e6, float64(got)/1e6)
		if got > plan.Total-plan.Optimizer+allowance {
			t.Errorf("%d bytes resident, planned %+v", got, plan)
		}
		return
	}
	if testing.Short() {
		t.Skip("takes a second per network on the plain Go kernels")
	}
	for _, name := range []string{"fcn", "resnet", "lstm", "inceptiontime"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestResidentMemory$", "-test.v")
			cmd.Env = append(os.Environ(), child+"="+name)
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Error(err)
			}
		})
	}
}
