package cpu_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// needTiers names tiers that this machine must have: a test run that would skip one fails instead.
const needTiers = "EARSHOT_NEED_TIERS"

func TestMain(m *testing.M) {
	status := m.Run()
	ran := cpu.Available()
	var not []string
	for _, name := range cpu.Names() {
		if !slices.Contains(ran, name) {
			not = append(not, name)
		}
	}
	missing := "nothing"
	if len(not) > 0 {
		missing = strings.Join(not, ", ")
	}
	fmt.Printf("tiers run natively: %s; NOT run: %s\n", strings.Join(ran, ", "), missing)
	for name := range strings.SplitSeq(os.Getenv(needTiers), ",") {
		if name != "" && !slices.Contains(ran, name) {
			fmt.Printf("%s asks for %s, which did not run\n", needTiers, name)
			status = max(status, 1)
		}
	}
	os.Exit(status)
}

// openFor opens a backend, and skips by name where the processor lacks it.
func openFor(t testing.TB, name string, threads int) kernel.Backend {
	t.Helper()
	be, err := cpu.Open(name, threads)
	if errors.Is(err, cpu.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return be
}

func open(t *testing.T, name string, threads int) kernel.Backend { return openFor(t, name, threads) }

// drawn is every slice that random handed out since interpreted was called: what interpreted micro-kernels may touch.
var (
	drawn    []any
	tracking bool
)

// interpreted opens a tier that runs its assembly in the interpreter, on any machine.
func interpreted(t *testing.T, name string) kernel.Backend {
	t.Helper()
	drawn, tracking = nil, true
	t.Cleanup(func() { drawn, tracking = nil, false })
	return cpu.Interpreted(t, name, func() []any { return slices.Clone(drawn) })
}

// random draws n values in memory that starts anywhere, as a channel range of a wider tensor does.
func random(r *rand.Rand, n int) []float32 {
	off := r.IntN(16)
	v := make([]float32, off+n)[off:]
	for i := range v {
		v[i] = r.Float32()*2 - 1
	}
	if tracking {
		drawn = append(drawn, v)
	}
	return v
}

// threads is what benchmarks run on.
func threads() int { return runtime.GOMAXPROCS(0) }

// compare fails where values differ by more than rounding explains: sums of at most 1e5 products of values near 1. Where
// all should be 0, saturated gates leave tiny numbers.
func compare(t *testing.T, what fmt.Stringer, name string, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= 2e-5*largest+1e-20) {
			t.Errorf("%v: %s[%d] = %v, want %v (largest %v)", what, name, i, got[i], want[i], largest)
			return
		}
	}
}

func sameBits(t *testing.T, what fmt.Stringer, name string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%v: %s[%d] = %v, want the bits of %v", what, name, i, got[i], want[i])
			return
		}
	}
}

func TestOpen(t *testing.T) {
	be, err := cpu.Open("auto", 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := cpu.Available()[0]; be.Name() != want || be.Threads() != 3 {
		t.Errorf("auto opened %s with %d threads, want %s with 3", be.Name(), be.Threads(), want)
	}
	for name, want := range map[string]string{"": cpu.Available()[0], "ref": "ref", "generic": "ref"} {
		if be, err := cpu.Open(name, 1); err != nil || be.Name() != want {
			t.Errorf("Open(%q) = %v, %v; want %s", name, be, err, want)
		}
	}
	if _, err := cpu.Open("mmx", 1); err == nil || !strings.Contains(err.Error(), `"mmx"`) {
		t.Errorf("Open(mmx): error %v, want one that names it", err)
	}
	t.Setenv(cpu.Env, "mmx")
	if _, err := cpu.FromEnv(1); err == nil || !strings.Contains(err.Error(), cpu.Env) {
		t.Errorf("FromEnv: error %v, want one that names %s", err, cpu.Env)
	}
}
