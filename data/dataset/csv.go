package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"earshot/data/trace"
)

// csvReader is one file on its way.
type csvReader struct {
	f     CSVFormat
	at    map[string]int // column numbers
	rows  *csv.Reader
	c     Capture // of the file
	emit  func(piece) error
	out   *sender // the capture at hand
	first int64   // its first time
	last  int64   // largest time
}

func (f CSVFormat) decode(path string, c Capture, emit func(piece) error) error {
	if f.columns == nil {
		var err error
		if f, err = ParseCSVFormat(""); err != nil {
			return err
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return f.read(file, c, emit)
}

// read emits the captures of a file. An odd line ends it: the packets before are kept and the capture carries the problem.
func (f CSVFormat) read(file io.Reader, c Capture, emit func(piece) error) error {
	c.Link = CSV
	b := bufio.NewReaderSize(file, 1<<16)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3) // the byte order mark of Windows programs
	}
	r := &csvReader{f: f, rows: csv.NewReader(b), c: c, emit: emit}
	r.rows.Comma, r.rows.FieldsPerRecord, r.rows.ReuseRecord, r.rows.LazyQuotes = f.comma, -1, true, true
	fresh := true // the next line may be a header
	for {
		row, err := r.rows.Read()
		if err == io.EOF {
			break
		}
		line := 0
		if err == nil {
			line, _ = r.rows.FieldPos(0)
			if f.session != "" && row[0] == f.session && len(row) > 1 {
				name := strings.Clone(row[1])
				r.end()
				r.start("#" + name)
				fresh = true
				continue
			}
			if fresh {
				fresh = false
				var header bool
				if header, err = r.columns(row); header && err == nil {
					continue
				}
			}
		}
		var p trace.Packet
		if err == nil {
			p, err = r.packet(row)
		}
		if err != nil {
			if r.out == nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			r.out.c.ProblemAt, r.out.c.Problem = r.out.n+1, fmt.Sprintf("line %d: %v", line, err)
			break
		}
		if r.out == nil {
			r.start("")
		}
		if r.out.n == 0 {
			r.first, r.last = p.Time, p.Time
			r.out.c.FirstUS = p.Time
		}
		r.last = max(r.last, p.Time)
		r.out.c.FirstUS = min(r.out.c.FirstUS, p.Time)
		p.Time -= r.first
		if r.out.add(p) != nil {
			return nil // the importer has stopped
		}
	}
	if r.out == nil {
		r.start("") // nothing but a header: an empty capture
	}
	r.end()
	return nil
}

func (r *csvReader) start(name string) {
	c := r.c
	c.Source += Text(name)
	r.out = newSender(c, r.emit)
}

// firstUnix is 1973: earlier times are clocks that start with the capture.
const firstUnix = 100_000_000_000_000

func (r *csvReader) end() {
	s := r.out
	if s == nil {
		return
	}
	s.c.Records, s.c.Decoded = s.n, s.n
	if r.first >= firstUnix {
		s.c.StartUS, s.c.LastUS = r.first, r.last
	} else {
		s.c.FirstUS, s.c.LastUS = 0, r.last-r.first
	}
	s.end(nil)
	r.out, r.first, r.last = nil, 0, 0
}

// columns finds the columns by the first line; header when that line names them.
func (r *csvReader) columns(row []string) (header bool, err error) {
	f := &r.f
	r.at = map[string]int{}
	named := false
	for _, k := range csvColumns {
		v := f.columns[k]
		if v == "" || k == "time" && v == "none" || k == "direction" && v == "sign" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			named = true
			if n = slices.IndexFunc(row, func(h string) bool { return strings.TrimSpace(h) == v }); n < 0 {
				return false, fmt.Errorf("no column %q in the header %.80q", v, strings.Join(row, string(f.comma)))
			}
		}
		if n < 0 {
			return false, fmt.Errorf("column %d; they count from 0", n)
		}
		r.at[k] = n
	}
	switch {
	case f.header == "no" && named:
		return false, errors.New("columns by name need a header line")
	case f.header == "no":
		return false, nil
	case f.header == "yes" || named:
		return true, nil
	}
	_, err = r.packet(row)
	return err != nil, nil
}

// packet reads one line; its time is not relative yet.
func (r *csvReader) packet(row []string) (p trace.Packet, err error) {
	p.Flow = -1
	cell := func(k string) (string, bool) {
		n, ok := r.at[k]
		if !ok || n >= len(row) {
			if ok && err == nil {
				err = fmt.Errorf("column %d of %s is missing; say with --csv which column is what", n, k)
			}
			return "", false
		}
		return strings.TrimSpace(row[n]), true
	}
	if v, ok := cell("time"); ok && err == nil {
		if p.Time, err = decimal(v, r.f.unit); err != nil {
			err = fmt.Errorf("time %q: %w", v, err)
		}
	}
	sign := r.f.columns["direction"] == "sign"
	sizes, have, negative := [4]int32{}, int32(-1), false
	for i, k := range csvColumns[1:5] {
		if v, ok := cell(k); ok && err == nil {
			n, e := wholeNumber(v)
			if e == nil && n < 0 && sign {
				n, negative = -n, true
			}
			if e != nil || n < 0 || n > 1<<30 {
				err = fmt.Errorf("%s %q is no length in bytes", k, v)
			}
			have = int32(n)
		}
		sizes[i] = have
	}
	if err != nil {
		return p, err
	}
	for i := 2; i >= 0; i-- { // nothing named before: the one behind
		if sizes[i] < 0 {
			sizes[i] = sizes[i+1]
		}
	}
	p.PayloadBytes, p.IPBytes, p.FrameBytes = sizes[1], sizes[2], sizes[3]
	if sign {
		p.Direction = trace.Up
		if negative == (r.f.up[0] != '-') {
			p.Direction = trace.Down
		}
	} else if v, ok := cell("direction"); ok && v != "" {
		p.Direction = trace.Down
		if sameValue(v, r.f.up) {
			p.Direction = trace.Up
		}
	}
	return p, err
}
