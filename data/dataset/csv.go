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

// CSVFormat says which columns of a csv mean what. ParseCSVFormat makes it.
type CSVFormat struct {
	columns map[string]string // time, size, payload, ip, frame, direction → column number from 0, or name
	header  string            // yes, no, auto: there is one when the first line's numbers are none
	unit    int               // of time: 6 s, 3 ms, 0 us
	up      string            // direction of packets from the client
	session string            // first field of lines that start a new capture, its name in the second
	comma   rune
}

const defaultCSV = "time=0,size=1,direction=2"

var csvColumns = []string{"time", "size", "payload", "ip", "frame", "direction"}

// ParseCSVFormat reads KEY=VALUE pairs between commas.
//
//	time, size, direction   a column by number from 0 or by name; time=none when there are sizes only (every packet is at 0),
//	                        direction=sign when the sign of the size tells it; without direction it is unknown
//	payload, ip, frame      columns of the three sizes; a size without a column is the named one before it
//	header=auto|yes|no      whether the first line names the columns
//	unit=s|ms|us            of the times (default s). Nanoseconds are rounded down; more digits are a printed float and round to the nearest
//	up=1                    the direction, or the sign, of packets from the client
//	session=WORD            lines "WORD,NAME" start a capture of its own, the source FILE#NAME
//	sep=comma|tab|semicolon
//
// The empty spec is time=0,size=1,direction=2.
func ParseCSVFormat(spec string) (CSVFormat, error) {
	f := CSVFormat{columns: map[string]string{}, header: "auto", unit: 6, up: "1", comma: ','}
	if spec == "" {
		spec = defaultCSV
	}
	for _, kv := range strings.Split(spec, ",") {
		k, v, ok := strings.Cut(strings.TrimSpace(kv), "=")
		if !ok || v == "" {
			return f, fmt.Errorf("dataset: csv format: %q is not KEY=VALUE", kv)
		}
		choose := func(of ...string) error {
			if !slices.Contains(of, v) {
				return fmt.Errorf("dataset: csv format: %s=%s; it is one of %s", k, v, strings.Join(of, ", "))
			}
			return nil
		}
		var err error
		switch {
		case slices.Contains(csvColumns, k):
			f.columns[k] = v
		case k == "header":
			f.header, err = v, choose("auto", "yes", "no")
		case k == "unit":
			f.unit, err = map[string]int{"s": 6, "ms": 3, "us": 0}[v], choose("s", "ms", "us")
		case k == "sep":
			f.comma, err = map[string]rune{"comma": ',', "tab": '\t', "semicolon": ';'}[v], choose("comma", "tab", "semicolon")
		case k == "up":
			f.up = v
		case k == "session":
			f.session = v
		default:
			err = fmt.Errorf("dataset: csv format: unknown key %q; there are %s, header, unit, up, session, sep", k, strings.Join(csvColumns, ", "))
		}
		if err != nil {
			return f, err
		}
	}
	if f.sizes() == 0 {
		return f, errors.New("dataset: csv format: no column for the size; name one with size=")
	}
	if f.columns["time"] == "" {
		return f, errors.New("dataset: csv format: no column for the time; name one with time=, or say time=none")
	}
	return f, nil
}

func (f *CSVFormat) sizes() (n int) {
	for _, k := range csvColumns[1:5] {
		if f.columns[k] != "" {
			n++
		}
	}
	return n
}

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
	c.Source += name
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
				err = fmt.Errorf("column %d of %s is missing", n, k)
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

// wholeNumber reads an integer, also one that was printed as a float.
func wholeNumber(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) {
		return 0, errors.New("no whole number")
	}
	return int64(f), nil
}

// sameValue compares as text, else as numbers: 1.0 is 1.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// decimal reads a decimal number, with or without exponent, as an integer of 10^-shift units (seconds and shift 6:
// microseconds), without going through a float. Up to three digits below the unit are exact (nanoseconds) and rounded down; more are
// the noise of a printed float, and the nearest unit is meant.
func decimal(s string, shift int) (int64, error) {
	bad := errors.New("is no number")
	digits, exp, found := s, 0, false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e < -400 || e > 400 {
			return 0, bad
		}
		digits, exp = s[:i], e
	}
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimLeft(digits, "+-")
	whole, part, _ := strings.Cut(digits, ".")
	mantissa := whole + part
	for _, r := range mantissa {
		if found = r >= '0' && r <= '9'; !found {
			break
		}
	}
	if !found || len(s)-len(digits) > 1 && exp == 0 && !strings.ContainsAny(s, "eE") {
		return 0, bad
	}
	point := len(whole) + exp + shift // digits before it count
	switch {
	case point <= 0:
		mantissa, point = strings.Repeat("0", min(1-point, 500))+mantissa, 1
	case point > len(mantissa):
		if strings.Trim(mantissa, "0") == "" {
			return 0, nil
		}
		if point > 20+len(mantissa) {
			return 0, errors.New("is out of range")
		}
		mantissa += strings.Repeat("0", point-len(mantissa))
	}
	n, err := strconv.ParseInt(mantissa[:point], 10, 64)
	if err != nil || n > 1<<62 {
		return 0, errors.New("is out of range")
	}
	rest := strings.TrimRight(mantissa[point:], "0")
	if len(rest) <= 3 { // down, which for a negative number is away from 0
		if negative && rest != "" {
			n++
		}
	} else if rest[0] >= '5' {
		n++
	}
	if negative {
		n = -n
	}
	return n, nil
}
