package dataset

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"earshot/data/capture"
	"earshot/data/trace"
)

// piece is what a decoder hands over: the start of a capture, some of its packets, its end; or a problem.
type piece struct {
	start   bool
	c       *Capture // at the start: Source and SourceDigest; at the end: all that the decoder knows
	packets *[]trace.Packet
	flows   []trace.Flow

	series   []float32 // a whole (C, T) series, with c
	channels int

	problem error  // of the source c.Source as a whole
	notes   []note // with the end: what else was odd

	authorized, filter string // with the end: what the file says of its recording
}

// note is something odd about a packet, by its number, or with 0 about the source.
type note struct {
	packet int64
	text   string
}

// pieces are recycled: a decoder takes one from the pool, the importer puts it back.
const piecePackets = 1 << 14

var packetPool = sync.Pool{New: func() any { p := make([]trace.Packet, 0, piecePackets); return &p }}

// decode reads one source and emits its captures. What is wrong with the source is emitted too; an error of emit ends it.
func decode(s source, im *importer, emit func(piece) error) {
	c := Capture{Source: Text(filepath.ToSlash(s.path))}
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
		emit(piece{c: &c, problem: &short{shorten(err.Error(), s.path), err}})
	}
}

// short is an error without the names that stand before it anyway.
type short struct {
	text string
	err  error
}

func (s *short) Error() string { return s.text }
func (s *short) Unwrap() error { return s.err }

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

	notes []note

	authorized, filter string
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
		s.err = s.emit(piece{c: &s.c, flows: flows, notes: s.notes, authorized: s.authorized, filter: s.filter})
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
	s.authorized, s.filter = r.Statement()
	s.damage(rep)
	s.end(a.Flows)
	return nil
}

// damage notes the records that claim a length which no packet has. The first of them stands for the capture when nothing
// else is wrong with it.
func (s *sender) damage(rep *capture.Report) {
	for _, p := range rep.Notes {
		if s.c.Problem == "" {
			s.c.ProblemAt, s.c.Problem = p.Packet, p.Err.Error()
			continue
		}
		s.notes = append(s.notes, note{p.Packet, p.Err.Error()})
	}
	if more := rep.Damaged - int64(len(rep.Notes)); more > 0 {
		s.notes = append(s.notes, note{0, fmt.Sprintf("%d more records claim a length that no packet has", more)})
	}
}
