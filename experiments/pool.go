package experiments

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"earshot/train"
)

// sweep makes the cells that the run does not hold, in the order of the plan. Networks take the whole machine, one after the other;
// neighbors that train none share it, a cell on each thread.
func (s *source) sweep(ctx context.Context, o Options, items []item) error {
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	w := &sweeping{source: s, o: o, cells: len(items), forecast: newForecast(items, threads)}
	for from := 0; from < len(items); {
		to, beside := from+1, 1
		if !items[from].settings.series() {
			for to < len(items) && !items[to].settings.series() {
				to++
			}
			beside = threads
		}
		if err := w.run(ctx, items[from:to], beside); err != nil {
			return err
		}
		from = to
	}
	if len(w.failed) > 0 {
		return fmt.Errorf("experiments: %d of %d cells failed; the first: %s", len(w.failed), len(items), w.failed[0])
	}
	return nil
}

// sweeping is a sweep under way.
type sweeping struct {
	*source
	o     Options
	cells int

	mu       sync.Mutex
	done     int
	forecast *forecast
	failed   []string // in the order of their ends
}

// run makes cells on some threads. Which thread makes a cell, and when, changes none of its bits.
func (w *sweeping) run(ctx context.Context, items []item, threads int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan item)
	var wg sync.WaitGroup
	for range min(threads, len(items)) {
		wg.Go(func() {
			for it := range queue {
				if err := w.cell(ctx, it); err != nil {
					cancel(err) // the first one counts
				}
			}
		})
	}
feed:
	for _, it := range items {
		select {
		case queue <- it:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

// cell makes one cell unless the run holds it.
func (w *sweeping) cell(ctx context.Context, it item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	begun, took := time.Now(), time.Duration(0)
	w.report(it, begun, train.Event{})
	final := filepath.Join(w.o.Dir, "cells", it.id)
	done, err := loadStatus(final)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if done != StatusOK {
		part := partDir(w.o.Dir, it.id)
		c, err := w.make(ctx, w.o.Backend, it, part, func(e train.Event) { w.report(it, begun, e) })
		if err != nil {
			return err
		}
		if c.Status == StatusFailed {
			w.mu.Lock()
			w.failed = append(w.failed, c.ID+": "+c.Reason)
			w.mu.Unlock()
		}
		if err := c.keep(part, final); err != nil {
			return err
		}
		took = time.Since(begun)
	}
	w.mu.Lock()
	w.done++
	w.forecast.end(it.settings, took)
	w.mu.Unlock()
	return nil
}

func (w *sweeping) report(it item, begun time.Time, e train.Event) {
	if w.o.Progress == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.forecast.rest()
	if it.settings.series() && left > 0 { // the cell at work is among those that are left
		left = max(time.Second, left-time.Since(begun))
	}
	w.o.Progress(Progress{Done: w.done, Cells: w.cells, Left: left, ID: it.id, Event: e})
}
