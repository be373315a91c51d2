package dataset

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// importer takes the pieces of all sources in order.
type importer struct {
	w      *Writer // without a folder when nothing is to be stored
	opt    ImportOptions
	log    func(string)
	known  map[[2]string]bool // source and its digest
	report ImportReport
	held   error // what is wrong with the only source
}

// run decodes up to opt.Workers sources at a time and takes their pieces in order.
func (im *importer) run(ctx context.Context, sources []source) error {
	im.report.Sources = len(sources)
	inner, stop := context.WithCancel(ctx)
	order := make(chan chan piece, im.opt.Workers-1)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	wait.Go(func() {
		defer close(order)
		for _, s := range sources {
			ch := make(chan piece, 4)
			select {
			case order <- ch:
			case <-inner.Done():
				return
			}
			wait.Go(func() {
				defer close(ch)
				decode(s, im, func(p piece) error {
					select {
					case ch <- p:
						return nil
					case <-inner.Done():
						return inner.Err()
					}
				})
			})
		}
	})
	done := 0
	for ch := range order {
		if err := im.take(ctx, ch); err != nil {
			return err
		}
		if done++; im.opt.Progress != nil {
			im.opt.Progress(done, len(sources))
		}
	}
	return ctx.Err()
}

// take stores the captures of one source.
func (im *importer) take(ctx context.Context, ch chan piece) error {
	var a *adding
	for p := range ch {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		switch {
		case p.problem != nil:
			im.failed(p.c.Source, p.problem)
		case im.known[[2]string{p.c.Source, p.c.SourceDigest}]:
			if !p.start && p.packets == nil {
				im.report.Skipped++
			}
		case p.start:
			a, err = im.w.begin()
		case p.packets != nil:
			err = a.packets(*p.packets)
		default:
			err = im.end(a, p)
		}
		if p.packets != nil {
			*p.packets = (*p.packets)[:0]
			packetPool.Put(p.packets)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (im *importer) end(a *adding, p piece) error {
	c := *p.c
	labels, ok := im.opt.Labels.Labels(c.Source)
	for k, v := range c.Labels {
		labels[k] = v
	}
	c.Labels = labels
	if !ok {
		im.report.Unlabeled++
		im.unlabeled(c.Source)
	}
	if p.series != nil {
		im.report.Captures++
		return im.w.AddSeries(c, p.series, p.channels)
	}
	if c.Problem != "" {
		im.problem(c.Source, c.ProblemAt, c.Problem)
	}
	im.recorded(p.authorized, p.filter)
	for _, n := range p.notes {
		im.problem(c.Source, n.packet, n.text)
	}
	id := len(im.w.captures)
	if _, err := a.end(c, p.flows); err != nil {
		return err
	}
	s := &im.w.captures[id]
	if s.Excluded == Duplicate {
		if x, ok := conflict(im.w.captures[im.w.first[s.Digest]], *s, im.w.manifest.Axes); ok && x.Agreed {
			im.problem(c.Source, 0, x.Error())
		}
	}
	r := &im.report
	r.Captures++
	r.Packets += s.Packets
	r.Oversize += s.Oversize
	r.Unknown += s.BytesUnknown
	r.Bytes += s.Bytes()
	switch s.Excluded {
	case Duplicate:
		r.Duplicates++
	case Empty:
		r.Empties++
	}
	if s.Guessed {
		r.Guessed++
	}
	return nil
}

// recorded takes what files say of their recording into the manifest, unless the import says it itself.
func (im *importer) recorded(authorized, filter string) {
	m := &im.w.manifest
	for _, v := range []struct {
		given, found string
		to           *string
	}{{im.opt.Authorized, authorized, &m.Authorized}, {im.opt.Filter, filter, &m.Filter}} {
		if v.given == "" {
			*v.to = join(union(splitJoined(*v.to), Text(v.found)))
		}
	}
}

// unlabeled notes a source that no label matched. Only the first few are logged: an expression that fits few names would
// fill the screen.
func (im *importer) unlabeled(source string) {
	const text = "no label: neither the expression nor the table knows this name; it is left out of every tensor"
	log := im.log
	switch im.report.Unlabeled {
	case 1, 2, 3:
	case 4:
		if log == nil {
			break
		}
		im.log = func(string) { log("more sources without a label are in " + problemsName) }
	default:
		im.log = nil
	}
	im.problem(source, 0, text)
	im.log = log
}

func (im *importer) problem(source string, packet int64, text string) {
	im.report.Problems++
	im.w.AddProblem(source, packet, text)
	line := source + ": " + text
	if packet > 0 {
		line = fmt.Sprintf("%s: packet %d: %s", source, packet, text)
	}
	if im.log != nil {
		im.log(line)
	}
}

// failed notes a source of which nothing, or no more, is readable. Of a single source it may become the error of the whole.
func (im *importer) failed(source string, err error) {
	if im.report.Sources > 1 || im.report.Captures+im.report.Skipped > 0 {
		im.problem(source, 0, err.Error())
		return
	}
	im.report.Problems++
	im.w.AddProblem(source, 0, err.Error())
	im.held = fmt.Errorf("dataset: %s: %w", source, err)
}

// readable is the error of an import that found nothing; of a single source it is that source's.
func (im *importer) readable() error {
	r := &im.report
	switch {
	case r.Captures+r.Skipped > 0:
		return nil
	case im.held != nil:
		return im.held
	case len(im.w.problems) > 0:
		return fmt.Errorf("dataset: nothing readable in %d sources, the first being %s: %s", r.Sources, im.w.problems[0][0], im.w.problems[0][2])
	}
	return fmt.Errorf("dataset: nothing readable in %d sources", r.Sources)
}

// verdict is the error of an import whose readable part is stored.
func (im *importer) verdict() error {
	var errs []error
	for i := range im.w.captures {
		c := &im.w.captures[i]
		if c.Excluded != Duplicate {
			continue
		}
		if x, ok := conflict(im.w.captures[im.w.first[c.Digest]], *c, im.w.manifest.Axes); ok && !x.Agreed {
			errs = append(errs, fmt.Errorf("dataset: %w", x))
		}
	}
	if len(errs) > 1 {
		errs = []error{fmt.Errorf("%w (and %d more such pairs)", errs[0], len(errs)-1)}
	}
	if im.opt.Strict && im.report.Problems > 0 {
		errs = append(errs, fmt.Errorf("dataset: %d problems, see %s; everything readable is stored", im.report.Problems, problemsName))
	}
	return errors.Join(errs...)
}
