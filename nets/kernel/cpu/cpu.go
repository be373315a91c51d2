// Package cpu is the backend of real work: the operators that cost time run on micro-kernels in assembly, in a tier
// that is chosen once for the processor at hand (AVX2 + FMA, or AVX-512); every other operator is kernel/ref's.
//
// A family of operators is a file of drivers in Go (conv.go, lstm.go, ...), which cut the work into items, pack and
// parallelize it, and a struct of micro-kernels per tier, which the drivers call through pointers. The micro-kernels
// are written by tools/kernelgen and committed; package interp runs the same text on machines that lack a tier.
//
// A micro-kernel cannot be preempted: drivers keep one call well below a millisecond.
package cpu

//go:generate go -C ../../../tools run ./kernelgen -dir ../nets/kernel/cpu

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"earshot/nets/kernel"
	"earshot/nets/kernel/internal/parallel"
	"earshot/nets/kernel/ref"
)

// Env names the environment variable that FromEnv reads: auto, ref, avx2 or avx512.
const Env = "EARSHOT_KERNEL"

// ErrUnsupported is the cause of Open's error where the processor lacks a tier.
var ErrUnsupported = errors.New("this processor cannot run it")

// tier is the set of micro-kernels for one level of the instruction set.
type tier struct {
	name    string
	missing func() []string // processor features that the tier needs and this machine lacks
	conv    convTier
	lstm    lstmTier
	rows    rowsTier
	gemm    gemmTier
}

// Backend implements kernel.Backend with one tier. The embedded reference backend serves what no tier accelerates.
type Backend struct {
	*ref.Backend
	tier    *tier
	pool    *parallel.Pool
	scratch []arena     // one per worker
	shared  arena       // of the call: packed weights, partial sums
	sums    []float64   // of the call: partial sums in double precision
	double  [][]float64 // of a worker: lanes in double precision
	offsets []int64     // of Conv1DBackwardFilter
	one     []float32   // a 1

	directPlan directPlan
	filterPlan filterPlan
}

// Open returns the backend called name, with the given number of threads: "ref" (also called "generic") is plain Go,
// "avx2" and "avx512" are tiers, and "auto" (also "") is the fastest one that this processor has.
func Open(name string, threads int) (kernel.Backend, error) {
	switch name {
	case "ref", "generic":
		return ref.New(threads), nil
	case "", "auto":
		for i := range tiers {
			if len(tiers[i].missing()) == 0 {
				return newBackend(&tiers[i], threads), nil
			}
		}
		return ref.New(threads), nil
	}
	for i := range tiers {
		if t := &tiers[i]; t.name == name {
			if m := t.missing(); len(m) > 0 {
				return nil, fmt.Errorf("cpu: kernel %q: %w: it lacks %s; choose auto or one of %s",
					name, ErrUnsupported, strings.Join(m, ", "), strings.Join(Available(), ", "))
			}
			return newBackend(t, threads), nil
		}
	}
	return nil, fmt.Errorf("cpu: kernel %q: unknown; choose auto or one of %s", name, strings.Join(Available(), ", "))
}

// FromEnv opens the backend that the environment variable EARSHOT_KERNEL names; unset means auto.
func FromEnv(threads int) (kernel.Backend, error) {
	be, err := Open(os.Getenv(Env), threads)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Env, err)
	}
	return be, nil
}

// Names lists every backend of this build, fastest first, whether or not the processor can run it.
func Names() []string {
	var names []string
	for i := range tiers {
		names = append(names, tiers[i].name)
	}
	return append(names, "ref")
}

// Available lists the backends that this processor can run, fastest first.
func Available() []string {
	var names []string
	for i := range tiers {
		if len(tiers[i].missing()) == 0 {
			names = append(names, tiers[i].name)
		}
	}
	return append(names, "ref")
}

func newBackend(t *tier, threads int) *Backend {
	p := parallel.New(threads)
	be := &Backend{Backend: ref.New(threads), tier: t, pool: p, one: []float32{1}, scratch: make([]arena, p.Threads()), double: make([][]float64, p.Threads())}
	for i := range be.double {
		be.double[i] = make([]float64, maxLanes)
	}
	return be
}

// Name implements kernel.Backend: the tier.
func (be *Backend) Name() string { return be.tier.name }
