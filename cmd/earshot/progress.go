package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// logEvery is the pause between two log lines where no bar can be drawn: often enough to see that a run lives, rare
// enough to read the log of a night.
const logEvery = 5 * time.Second

// bar shows how far a long piece of work is, on stderr only: drawn on a terminal, plain lines elsewhere. It is safe for
// use from several goroutines.
type bar struct {
	app         *app
	label, unit string
	total       int64

	mu           sync.Mutex
	n, first     int64 // first: where the work began or was resumed, so that the rate counts this run's work only
	began, shown time.Time
	started      bool
	note         string
	foretold     bool          // left is the caller's, who knows that units differ
	left         time.Duration // 0: not known

	pool  *mpb.Progress // nil: plain lines
	drawn *mpb.Bar
}

// progress starts the display of total units of work (0: unknown). Nothing is printed for work that ends before the
// first pause on a stream that is no terminal.
func (a *app) progress(label string, total int64, unit string) *bar {
	b := &bar{app: a, label: label, unit: unit, total: total, began: time.Now()}
	b.shown = b.began
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return b
	}
	b.pool = mpb.New(mpb.WithOutput(f), mpb.WithWidth(30), mpb.WithRefreshRate(150*time.Millisecond))
	b.drawn = b.pool.AddBar(total, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(label+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.text()
		})))
	return b
}

// SetLeft is Set with the time that the rest takes, 0 while it is not known.
func (b *bar) SetLeft(n int64, left time.Duration, note string) {
	b.mu.Lock()
	b.foretold, b.left = true, left
	b.mu.Unlock()
	b.Set(n, note)
}

// Set states that n units are done; note is a short remark such as a loss.
func (b *bar) Set(n int64, note string) {
	b.mu.Lock()
	if !b.started {
		b.started, b.first = true, n
	}
	b.n, b.note = n, note
	plain := b.pool == nil && time.Since(b.shown) >= logEvery
	if plain {
		b.shown = time.Now()
		fmt.Fprintf(b.app.stderr, "%s: %s\n", b.label, b.text())
	}
	b.mu.Unlock()
	if b.drawn != nil {
		b.drawn.SetCurrent(n)
	}
}

// Done ends the display, whether or not all units are done. The bar leaves the terminal; results go to stdout.
func (b *bar) Done() {
	if b.drawn != nil {
		b.drawn.Abort(true)
		b.pool.Wait()
	}
}

// text is the part behind the label: count, rate, time left, note. The caller holds mu.
func (b *bar) text() string {
	s := fmt.Sprintf("%d %s", b.n, b.unit)
	if b.total > 0 {
		s = fmt.Sprintf("%d/%d %s", b.n, b.total, b.unit)
	}
	took := time.Since(b.began).Seconds()
	if b.foretold {
		if b.left > 0 {
			s += fmt.Sprintf("  about %s left", b.left.Round(time.Second))
		}
	} else if did := float64(b.n - b.first); did > 0 && took > 0 {
		rate := did / took
		s += fmt.Sprintf("  %.3g/s", rate)
		if left := float64(b.total - b.n); left > 0 {
			s += fmt.Sprintf("  %s left", time.Duration(left/rate*float64(time.Second)).Round(time.Second))
		}
	}
	if b.note != "" {
		s += "  " + b.note
	}
	return s
}
