// Package ref holds every kernel in plain Go. It is the oracle that the faster backends are tested against, and the
// fallback for what they do not accelerate, so it is written to be read: one obvious loop nest per kernel, shapes in
// the comments, no tiling. Values are float32; sums that decide statistics, losses and weight gradients are formed in
// double precision.
//
// Work is split over rows or channels, and each row or channel is computed by one worker from start to end. Hence the
// results have the same bits at any number of threads.
package ref

import (
	"fmt"
	"runtime"
	"unsafe"

	"earshot/nets/kernel"
	"earshot/nets/kernel/internal/parallel"
)

// Backend is the plain Go backend. Its memory is the program's own.
type Backend struct {
	pool *parallel.Pool
	rows [][]float32 // scratch of each worker
}

var _ kernel.Backend = (*Backend)(nil)

// New returns a backend with the given number of workers; 0 or less means one per processor the runtime may use.
func New(threads int) *Backend {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Backend{parallel.New(threads), make([][]float32, threads)}
}

// Name is "ref".
func (b *Backend) Name() string { return "ref" }

// Threads is the number of workers.
func (b *Backend) Threads() int { return len(b.rows) }

// alignment of Alloc in bytes: one cache line, one 512-bit vector.
const alignment = 64

// Alloc returns n zeroed values that start on a cache line. The garbage collector frees them.
func (b *Backend) Alloc(n int) (kernel.Buf, error) {
	if n < 0 {
		return kernel.Buf{}, fmt.Errorf("ref: alloc: %d values", n)
	}
	if n == 0 {
		return kernel.Buf{}, nil
	}
	v := make([]float32, n+alignment/4-1)
	preferHuge(v)
	skip := int(-uintptr(unsafe.Pointer(&v[0]))%alignment) / 4
	return kernel.Host(v[skip : skip+n : skip+n]), nil
}

// Upload copies src into dst.
func (b *Backend) Upload(dst kernel.Buf, src []float32) error {
	if len(dst.Host) != len(src) {
		return fmt.Errorf("ref: upload: buffer of %d values, source of %d", len(dst.Host), len(src))
	}
	copy(dst.Host, src)
	return nil
}

// Download copies src into dst.
func (b *Backend) Download(dst []float32, src kernel.Buf) error {
	if len(src.Host) != len(dst) {
		return fmt.Errorf("ref: download: buffer of %d values, destination of %d", len(src.Host), len(dst))
	}
	copy(dst, src.Host)
	return nil
}

// Sync has nothing to wait for.
func (b *Backend) Sync() error { return nil }

// parallel calls work(i) for i in [0, n), each i once, on up to Threads workers. work must write only what belongs
// to i.
func (b *Backend) parallel(n int, work func(i int)) {
	b.pool.Run(n, func(_, i int) { work(i) })
}

// row returns a worker's scratch of n values; its content is undefined and lives until the worker asks again.
func (b *Backend) row(worker, n int) []float32 {
	if cap(b.rows[worker]) < n {
		b.rows[worker] = make([]float32, n)
	}
	return b.rows[worker][:n]
}

// span is how many values one work item of an elementwise kernel covers.
const span = 1 << 14

// parallelSpans splits [0, n) into runs of span values.
func (b *Backend) parallelSpans(n int, work func(from, to int)) {
	b.parallel((n+span-1)/span, func(i int) { work(i*span, min(n, (i+1)*span)) })
}

// values returns the values of a buffer after checking that there are as many as the shape asks for.
func values(kernelName, operand string, v kernel.Buf, want int) []float32 {
	if len(v.Host) != want {
		panic(fmt.Sprintf("ref: %s: %s has %d values, the shape needs %d", kernelName, operand, len(v.Host), want))
	}
	return v.Host
}

// pending is a checked kernel.Act.
type pending struct {
	scale, shift []float32 // (C), nil for none
	relu         bool
}

func newPending(kernelName string, a kernel.Act, channels int) pending {
	p := pending{relu: a.ReLU}
	if !a.Scale.None() {
		p.scale = values(kernelName, "scale", a.Scale, channels)
		p.shift = values(kernelName, "shift", a.Shift, channels)
	}
	return p
}

// at is what a reader of channel c sees where x is stored.
func (p pending) at(c int, x float32) float32 {
	if p.scale != nil {
		x = p.scale[c]*x + p.shift[c]
	}
	if p.relu && x < 0 { // a NaN stays visible
		return 0
	}
	return x
}
