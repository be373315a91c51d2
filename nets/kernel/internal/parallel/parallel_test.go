package parallel_test

import (
	"sync/atomic"
	"testing"

	"earshot/nets/kernel/internal/parallel"
)

func TestRunVisitsEveryItemOnce(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 5} {
		for _, n := range []int{0, 1, 2, 3, 100} {
			p := parallel.New(threads)
			seen := make([]atomic.Int32, n)
			for range 3 {
				p.Run(n, func(worker, i int) {
					if worker < 0 || worker >= p.Threads() {
						t.Errorf("worker %d of %d", worker, p.Threads())
					}
					seen[i].Add(1)
				})
			}
			for i := range seen {
				if got := seen[i].Load(); got != 3 {
					t.Fatalf("threads=%d n=%d: item %d ran %d times in 3 runs", threads, n, i, got)
				}
			}
		}
	}
}

func TestRunAllocatesLittle(t *testing.T) {
	p := parallel.New(4)
	f := func(worker, item int) {}
	if got := testing.AllocsPerRun(100, func() { p.Run(8, f) }); got > 4 {
		t.Errorf("%v allocations per run, want at most one per helper", got)
	}
}
