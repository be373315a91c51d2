package dataset

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"earshot/data/capture"
	"earshot/data/trace"
)

// ImportOptions say how sources become captures.
type ImportOptions struct {
	Format  string // one of Formats; empty: auto
	Labels  *Labeler
	Clients []netip.Prefix // who is the client; with neither list the reader guesses
	Servers []netip.Prefix
	CSV     CSVFormat
	NPZ     NPZFormat
	Strict  bool // any problem is an error, once everything readable is stored
	Workers int  // files that are decoded at a time; 0: 2

	Name, Origin, License, Authorized, Filter, Created string // for the manifest of a new data set

	Progress func(done, total int) // files; may be nil
}

// ImportReport says what an import did.
type ImportReport struct {
	Sources    int   `json:"sources"`  // files found
	Captures   int   `json:"captures"` // added
	Packets    int64 `json:"packets"`
	Skipped    int   `json:"skipped"` // captures that were there already
	Duplicates int   `json:"duplicates"`
	Empties    int   `json:"empties"`
	Problems   int   `json:"problems"`  // rows for problems.csv
	Unlabeled  int   `json:"unlabeled"` // captures that no label matched
	Guessed    int   `json:"guessed"`   // captures whose client was guessed
	Oversize   int64 `json:"oversize_packets"`
	Unknown    int64 `json:"bytes_unknown"` // payload of unknown direction
	Bytes      int64 `json:"bytes"`         // payload
}

// Import stores sources in the data set folder dst, a new one or one that was imported with the same rules. Sources
// that are there already, by path and content, are skipped: the same call again completes an import that was killed.
//
// Files are decoded in parallel and stored in order of their paths, so that ids and parts do not depend on the number
// of workers; memory does not grow with the files. What cannot be read is logged, noted in problems.csv and passed over.
// Captures with the same packets under labels that agree nowhere are stored and are an error in the end; where an axis
// agrees (a repetition number may differ in honest copies), they are logged, and Labelled refuses the axis that differs.
func Import(ctx context.Context, srcs []string, opt ImportOptions, dst string, log func(string)) (ImportReport, error) {
	sources, axes, err := plan(srcs, &opt)
	if err != nil {
		return ImportReport{}, err
	}
	w, err := importWriter(dst, axes, opt)
	if err != nil {
		return ImportReport{}, err
	}
	defer w.Close()
	im := importer{w: w, opt: opt, log: log, known: map[[2]string]bool{}}
	for i := range w.captures {
		im.known[[2]string{w.captures[i].Source, w.captures[i].SourceDigest}] = true
	}
	if err := im.run(ctx, sources); err != nil {
		return im.report, err
	}
	if im.report.Captures+im.report.Skipped == 0 {
		return im.report, fmt.Errorf("dataset: nothing readable in %d sources", len(sources))
	}
	if im.report.Captures > 0 || im.report.Problems > 0 {
		if err := w.Commit(); err != nil {
			return im.report, err
		}
	}
	return im.report, im.verdict()
}

// plan finds the sources and the axes that they and the labels bring.
func plan(srcs []string, opt *ImportOptions) ([]source, []string, error) {
	if opt.Format == "" {
		opt.Format = Auto
	}
	if !slices.Contains(Formats, opt.Format) {
		return nil, nil, fmt.Errorf("dataset: format %q is unknown; it is one of %s", opt.Format, strings.Join(Formats, ", "))
	}
	if opt.Workers <= 0 {
		opt.Workers = 2
	}
	sources, err := findSources(srcs, opt.Format)
	if err != nil {
		return nil, nil, err
	}
	var axes []string
	if opt.Labels != nil {
		axes = slices.Clone(opt.Labels.Axes)
	}
	for _, s := range sources {
		for _, a := range sourceAxes(s) {
			if !slices.Contains(axes, a) {
				axes = append(axes, a)
			}
		}
	}
	return sources, axes, nil
}

// importWriter makes the folder, or opens one whose axes and rules are the same.
func importWriter(dst string, axes []string, opt ImportOptions) (*Writer, error) {
	m := Manifest{
		Name: opt.Name, Origin: opt.Origin, License: opt.License, Authorized: opt.Authorized, Filter: opt.Filter, Created: opt.Created,
		Axes: slices.Clone(axes), Clients: prefixStrings(opt.Clients), Servers: prefixStrings(opt.Servers),
	}
	if m.Name == "" {
		m.Name = filepath.Base(dst)
	}
	if m.Axes == nil {
		m.Axes = []string{}
	}
	if !IsSet(dst) {
		return Create(dst, m)
	}
	w, err := Append(dst)
	if err != nil {
		return nil, err
	}
	for _, d := range []struct {
		what      string
		have, now []string
	}{{"label axes", w.manifest.Axes, m.Axes}, {"clients", w.manifest.Clients, m.Clients}, {"servers", w.manifest.Servers, m.Servers}} {
		if !slices.Equal(d.have, d.now) {
			w.Close()
			return nil, fmt.Errorf("dataset: %s: was imported with %s %s, this import has %s; use the same or another folder", dst, d.what, listOr(d.have, "none"), listOr(d.now, "none"))
		}
	}
	return w, nil
}

func prefixStrings(list []netip.Prefix) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

// piece is what a decoder hands over: the start of a capture, some of its packets, its end; or a problem.
type piece struct {
	start   bool
	c       *Capture // at the start: Source and SourceDigest; at the end: all that the decoder knows
	packets *[]trace.Packet
	flows   []trace.Flow

	series   []float32 // a whole (C, T) series, with c
	channels int

	problem error // of the source c.Source as a whole
}

// pieces are recycled: a decoder takes one from the pool, the importer puts it back.
const piecePackets = 1 << 14

var packetPool = sync.Pool{New: func() any { p := make([]trace.Packet, 0, piecePackets); return &p }}

type importer struct {
	w      *Writer // nil: nothing is stored
	opt    ImportOptions
	log    func(string)
	known  map[[2]string]bool // source and its digest
	report ImportReport
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
			im.problem(p.c.Source, 0, p.problem.Error())
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
	if im.log == nil {
		return
	}
	if packet > 0 {
		im.log(fmt.Sprintf("%s: packet %d: %s", source, packet, text))
	} else {
		im.log(fmt.Sprintf("%s: %s", source, text))
	}
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

// decode reads one source and emits its captures. What is wrong with the source is emitted too; an error of emit ends it.
func decode(s source, im *importer, emit func(piece) error) {
	c := Capture{Source: filepath.ToSlash(s.path)}
	sum, err := fileDigest(s.path)
	if err == nil {
		c.SourceDigest = sum
		if whole := [2]string{c.Source, sum}; im.known[whole] { // one capture, and it is there
			emit(piece{c: &c})
			return
		}
		switch s.format {
		case CSV:
			err = im.opt.CSV.decode(s.path, c, emit)
		case NPZ:
			err = im.opt.NPZ.decode(s.path, c, emit)
		case UCRs:
			err = decodeUCR(s.path, c, emit)
		default:
			err = decodeCapture(s.path, c, capture.Rule{Clients: im.opt.Clients, Servers: im.opt.Servers}, emit)
		}
	}
	if err != nil {
		emit(piece{c: &c, problem: errors.New(shorten(err.Error(), s.path))})
	}
}

// shorten takes the package and the path, which the log names anyway, off the front of a message.
func shorten(msg, path string) string {
	for _, p := range []string{"capture: ", "dataset: ", "npz: ", path + ": ", "open " + path + ": "} {
		msg = strings.TrimPrefix(msg, p)
	}
	return msg
}

// sender collects packets and emits them in pieces.
type sender struct {
	c    Capture  // filled in as the source is read
	key  *Capture // names the capture in its pieces; the importer reads it meanwhile
	emit func(piece) error
	buf  *[]trace.Packet
	n    int64
	err  error
}

func newSender(c Capture, emit func(piece) error) *sender {
	s := &sender{c: c, key: &Capture{Source: c.Source, SourceDigest: c.SourceDigest}, emit: emit}
	s.err = emit(piece{start: true, c: s.key})
	return s
}

func (s *sender) add(p trace.Packet) error {
	if s.buf == nil {
		s.buf = packetPool.Get().(*[]trace.Packet)
	}
	*s.buf = append(*s.buf, p)
	s.n++
	if len(*s.buf) == piecePackets {
		s.flush()
	}
	return s.err
}

func (s *sender) flush() {
	if s.buf != nil && s.err == nil {
		s.err = s.emit(piece{c: s.key, packets: s.buf})
	}
	s.buf = nil
}

func (s *sender) end(flows []trace.Flow) error {
	s.flush()
	if s.err == nil {
		s.err = s.emit(piece{c: &s.c, flows: flows})
	}
	return s.err
}

// decodeCapture reads a pcap or pcapng.
func decodeCapture(path string, c Capture, rule capture.Rule, emit func(piece) error) error {
	r, err := capture.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	a := capture.NewAssembler(rule)
	s := newSender(c, emit)
	var rec capture.Record
	for {
		err := r.Next(&rec)
		if err != nil {
			var p *capture.Problem
			if errors.As(err, &p) {
				s.c.ProblemAt, s.c.Problem = p.Packet, p.Err.Error()
			}
			break
		}
		if err := s.add(a.Add(&rec)); err != nil {
			return nil // the importer has stopped
		}
	}
	rep := &a.Report
	s.c.StartUS, s.c.Link, s.c.Records, s.c.Decoded = a.Start(), r.Link(), rep.Records, rep.Decoded
	s.c.FirstUS, s.c.LastUS, s.c.Guessed = rep.FirstUS, rep.LastUS, rep.Guessed && rep.Decoded > 0
	s.end(a.Flows)
	return nil
}
