// Package parallel runs the work items of one kernel on several processors.
//
// Who uses it decides on the items from the shapes alone, never from the number of workers, wherever the result depends
// on the partition: then a result has the same bits on any machine.
package parallel

import (
	"sync"
	"sync/atomic"
)

// Pool is a number of workers. The caller of Run is worker 0. A Pool is safe for use from one goroutine at a time and
// must not be copied.
type Pool struct {
	threads int
	f       func(worker, item int)
	n       int64
	next    atomic.Int64
	done    sync.WaitGroup
}

// New makes a pool of at least one worker. Workers live only while Run does: a goroutine costs a microsecond, an idle
// pool costs nothing and needs no Close.
func New(threads int) *Pool { return &Pool{threads: max(threads, 1)} }

// Threads is the number of workers: worker numbers lie below it.
func (p *Pool) Threads() int { return p.threads }

// Run calls f(worker, item) for every item below n and returns when all calls have. Items start in ascending order and
// go to whichever worker is free; one worker runs one item at a time, so memory that belongs to a worker needs no lock.
func (p *Pool) Run(n int, f func(worker, item int)) {
	helpers := min(p.threads, n) - 1
	if helpers <= 0 {
		for i := range n {
			f(0, i)
		}
		return
	}
	p.f, p.n = f, int64(n)
	p.next.Store(0)
	p.done.Add(helpers)
	for w := 1; w <= helpers; w++ {
		go p.help(w)
	}
	p.work(0)
	p.done.Wait()
	p.f = nil
}

func (p *Pool) help(worker int) {
	defer p.done.Done()
	p.work(worker)
}

func (p *Pool) work(worker int) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.f(worker, int(i))
	}
}
