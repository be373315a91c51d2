package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"earshot/data/dataset"
)

// Record records what o says, or the rest of it where o.Out holds a part. When ctx ends it returns ctx's error; what was
// recorded until then is kept. Every namespace, link, process and temporary file is gone when it returns.
func Record(ctx context.Context, o Options) (rep Report, err error) {
	if err := o.Check(); err != nil {
		return rep, fmt.Errorf("lab: %w", err)
	}
	t, err := preflight()
	if err != nil {
		return rep, err
	}
	l := &laboratory{o: &o, tools: t}
	if l.qdiscs, err = kernelQdiscs(o.Shaper); err != nil {
		return rep, fmt.Errorf("lab: %w", err)
	}
	o.Shaper = l.qdiscs.String()
	if l.scratch, err = newScratch(); err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, l.scratch.close()) }()
	if err := l.measure(ctx); err != nil { // a file that is no music leaves no data set behind
		return rep, err
	}
	s, done, err := openStore(&o)
	if err != nil {
		return rep, err
	}
	l.store = s
	defer func() { err = errors.Join(err, s.close()) }()
	visits, n := remaining(plan(&o), done)
	l.report.Skipped, l.total = len(done), len(done)+n
	if n == 0 {
		return l.report, nil
	}
	if err := l.encode(ctx); err != nil {
		return l.report, err
	}
	if o.Progress != nil {
		o.Progress(l.report.Skipped, l.total, "")
	}
	err = l.run(ctx, visits)
	return l.report, err
}

// laboratory is a recording at work.
type laboratory struct {
	o       *Options
	tools   tools
	qdiscs  qdiscs
	scratch *scratch
	store   *store
	total   int
	lengths map[string]time.Duration // of works, by path

	mu     sync.Mutex
	report Report
}

// measure finds out how long the works are.
func (l *laboratory) measure(ctx context.Context) error {
	o := l.o
	if o.Scenario == Pages {
		return nil
	}
	l.lengths = map[string]time.Duration{}
	for n, w := range slices.Concat(o.Works, o.Ads) {
		d, err := l.tools.duration(ctx, w.Path)
		if err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		l.lengths[w.Path] = d
		if d < o.Duration && n < len(o.Works) {
			o.log("record: %s: %v long; its captures of %v end with silence, and their length can give it away", w.Name, d.Round(time.Second), o.Duration)
		}
	}
	return nil
}

// encode makes the media of all works, two at a time.
func (l *laboratory) encode(ctx context.Context) error {
	o := l.o
	if o.Scenario == Pages {
		return nil
	}
	type job struct {
		f Format
		w Work
	}
	var jobs []job
	for _, f := range o.Formats {
		for _, w := range slices.Concat(o.Works, o.Ads) {
			jobs = append(jobs, job{f, w})
		}
	}
	o.log("record: encoding %d files in %d formats", len(o.Works)+len(o.Ads), len(o.Formats))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan job)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for j := range next {
				dir, _ := l.media(j.f, j.w)
				if err := j.f.encode(ctx, l.tools, j.w.Path, dir); err != nil {
					cancel(fmt.Errorf("lab: %w", err))
				}
			}
		})
	}
	for _, j := range jobs {
		select {
		case next <- j:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// media is the folder of a work's files. A song and an advertisement may have the same name.
func (l *laboratory) media(f Format, w Work) (dir string, length time.Duration) {
	if f == PageFormat {
		return w.Path, 0
	}
	sum := sha256.Sum256([]byte(w.Path))
	return filepath.Join(l.scratch.dir, f.String(), hex.EncodeToString(sum[:8])), l.lengths[w.Path]
}

// run works the visits off, on as many rigs as were asked for.
func (l *laboratory) run(ctx context.Context, visits []visit) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan visit)
	var wait sync.WaitGroup
	for n := range min(l.o.Parallel, len(visits)) {
		wait.Go(func() {
			if err := l.rig(ctx, n, next); err != nil {
				cancel(err)
			}
		})
	}
	for _, s := range visits {
		select {
		case next <- s:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// rig builds one rig and records on it.
func (l *laboratory) rig(ctx context.Context, number int, next <-chan visit) (err error) {
	cert, pin, err := newCertificate(time.Now())
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	r, err := newRig(number, cert, l.qdiscs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	// Rigs begin one after the other over the length of a capture: that many browsers at once would take the processor from each
	// other's first seconds, again and again.
	if err := pause(ctx, time.Duration(number)*l.o.Duration/time.Duration(l.o.Parallel)); err != nil {
		return err
	}
	for s := range next {
		if err := l.visit(ctx, r, pin, s); err != nil {
			return err
		}
	}
	return nil
}

// visit records the captures of one browser. A browser that fails is replaced.
func (l *laboratory) visit(ctx context.Context, r *rig, pin string, s visit) error {
	var b *browser
	defer func() {
		if b != nil {
			b.cancel()
		}
	}()
	for k := range s {
		i := &s[k]
		for attempt := 1; ; attempt++ {
			var h health
			var err error
			if b == nil {
				// Not ctx: a browser that is stopped in the middle of its start leaves processes behind.
				b, err = startBrowser(context.WithoutCancel(ctx), r.client, l.tools, i.protocol, pin, r.profile(l.scratch.dir, i.browser))
			}
			var t *take
			if err == nil {
				t, err = r.capture(ctx, b, i, l.o.Duration, l.media)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err == nil {
				h, err = l.keep(r, i, t, attempt)
				if err != nil {
					return err
				}
				if h.Capture >= 0 {
					break
				}
			} else { // whatever it was, the next attempt begins afresh
				h = health{Status: statusFailed, Attempts: attempt}
				l.o.log("record: %s: rig %d: attempt %d: %v", i.source(), r.number, attempt, err)
				i.seed++ // of the network, too: where a bandwidth log begins with an outage, no page loads
				if b != nil {
					b.cancel()
					b = nil
				}
			}
			if attempt >= l.o.Attempts {
				if err := l.giveUp(i, h); err != nil {
					return err
				}
				break
			}
			l.mu.Lock()
			l.report.Again++
			l.mu.Unlock()
		}
	}
	return nil
}

// keep stores a take that is good enough; Capture of the health says whether it did.
func (l *laboratory) keep(r *rig, i *item, t *take, attempt int) (health, error) {
	tr, rep := t.trace(clientRule)
	h := t.health(tr)
	h.Attempts, h.Capture = attempt, -1
	good := h.Status == statusOK || h.Status == statusStalled && attempt >= l.o.Attempts
	if !good {
		l.o.log("record: %s: rig %d: attempt %d: %s: %d bytes seen of %d, %d packets lost, %.1f s played", i.source(), r.number, attempt, h.Status, h.Seen, h.Expected, h.Drops, t.state.Position)
		return h, nil
	}
	c := dataset.Capture{Source: i.source(), Labels: i.labels(label[l.o.Scenario], r.number)}
	if err := l.store.add(c, tr, rep, h, t.truth(tr.Start)); err != nil {
		return h, err
	}
	h.Capture = 0
	l.mu.Lock()
	l.report.Captures++
	if h.Status == statusStalled {
		l.report.Stalled++
	}
	n := l.report.Skipped + l.report.Captures + l.report.Failed
	l.mu.Unlock()
	if l.o.Progress != nil {
		l.o.Progress(n, l.total, i.work.Name)
	}
	return h, nil
}

func (l *laboratory) giveUp(i *item, h health) error {
	l.o.log("record: %s: given up after %d attempts: %s", i.source(), h.Attempts, h.Status)
	l.mu.Lock()
	l.report.Failed++
	l.mu.Unlock()
	return l.store.fail(h)
}
