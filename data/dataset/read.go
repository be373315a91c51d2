package dataset

import (
	"fmt"
	"io"
	"io/fs"
	"slices"

	"earshot/data/trace"

	"github.com/parquet-go/parquet-go"
)

// runReader reads the packets of one run. It keeps the row group that was read last, so that captures in order cost each
// group once.
type runReader struct {
	set     *Set
	name    string // of the packets part
	file    readAtCloser
	parquet *parquet.File
	columns []string // nil: all, and flows
	starts  []int64  // first row of each group, and the number of rows
	flows   []flowRow

	group   int // in packets; -1: none
	packets []trace.Packet
	values  []parquet.Value
}

func (s *Set) openRun(i int, columns []string) (*runReader, error) {
	r := &runReader{set: s, columns: columns, group: -1, name: s.runs[i].packets.Name}
	if r.name == "" { // series: no packets
		r.starts = []int64{0}
		return r, nil
	}
	if err := s.verify(s.runs[i].packets); err != nil {
		return nil, err
	}
	if columns == nil {
		if err := s.verify(s.runs[i].flows); err != nil {
			return nil, err
		}
		var err error
		r.flows, err = readFlows(s.files, s.runs[i].flows.Name)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %s: %w", s.Dir, s.runs[i].flows.Name, err)
		}
	}
	f, size, err := openAt(s.files, r.name)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	r.parquet, err = parquet.OpenFile(f, size, parquet.SkipBloomFilters(true))
	if err != nil {
		f.Close()
		return nil, r.wrap(err)
	}
	r.file = f
	row := int64(0)
	for _, g := range r.parquet.RowGroups() {
		r.starts = append(r.starts, row)
		row += g.NumRows()
	}
	r.starts = append(r.starts, row)
	if row != s.runs[i].packets.Rows {
		f.Close()
		return nil, r.wrap(fmt.Errorf("%d rows, %s says %d", row, manifestName, s.runs[i].packets.Rows))
	}
	return r, nil
}

// readAtCloser is what reading Parquet needs of a file.
type readAtCloser interface {
	io.ReadCloser
	io.ReaderAt
}

// openAt opens a file of a data set at whatever place.
func openAt(files fs.FS, name string) (readAtCloser, int64, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	at, ok := f.(readAtCloser)
	if err == nil && !ok {
		err = fmt.Errorf("%s: cannot be read at any place", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return at, st.Size(), nil
}

func readFlows(files fs.FS, name string) ([]flowRow, error) {
	f, size, err := openAt(files, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parquet.Read[flowRow](f, size)
}

func (r *runReader) close() {
	if r.file != nil {
		r.file.Close()
	}
}

func (r *runReader) wrap(err error) error {
	return fmt.Errorf("dataset: %s: %s: %w", r.set.Dir, r.name, err)
}

// trace assembles a capture from the groups that it lies in.
func (r *runReader) trace(c *Capture, at place) (*trace.Trace, error) {
	t := &trace.Trace{Start: c.StartUS, Packets: make([]trace.Packet, 0, c.Packets)}
	from, to := at.packet, at.packet+c.Packets
	if to > r.starts[len(r.starts)-1] {
		return nil, r.wrap(fmt.Errorf("capture %d ends behind the last row", c.ID))
	}
	for g := 0; from < to; g++ {
		if r.starts[g+1] <= from {
			continue
		}
		if err := r.load(g); err != nil {
			return nil, r.wrap(err)
		}
		end := min(to, r.starts[g+1])
		t.Packets = append(t.Packets, r.packets[from-r.starts[g]:end-r.starts[g]]...)
		from = end
	}
	if r.columns == nil && c.Flows > 0 {
		t.Flows = make([]trace.Flow, 0, c.Flows)
		for _, f := range r.flows[at.flow : at.flow+c.Flows] {
			t.Flows = append(t.Flows, f.flow())
		}
	}
	r.set.loss.apply(c, t)
	return t, nil
}

// load decodes row group g.
func (r *runReader) load(g int) error {
	if r.group == g {
		return nil
	}
	r.group = -1
	n := int(r.starts[g+1] - r.starts[g])
	r.packets = slices.Grow(r.packets[:0], n)[:n]
	clear(r.packets)
	rg := r.parquet.RowGroups()[g]
	found := 0
	for i, path := range r.parquet.Schema().Columns() {
		set := packetColumns[path[0]]
		if set == nil || len(path) != 1 || r.columns != nil && !slices.Contains(r.columns, path[0]) {
			continue
		}
		if err := r.column(rg.ColumnChunks()[i], set); err != nil {
			return fmt.Errorf("column %s: %w", path[0], err)
		}
		found++
	}
	if want := len(r.columns); found < want || want == 0 && found < len(packetColumns) {
		return fmt.Errorf("a column is missing; the part is not format %d", Format)
	}
	r.group = g
	return nil
}

// column reads a column of the group at hand into its packets.
func (r *runReader) column(chunk parquet.ColumnChunk, set func(*trace.Packet, int64)) error {
	pages := chunk.Pages()
	defer pages.Close()
	rest := r.packets
	for len(rest) > 0 {
		page, err := pages.ReadPage()
		if err != nil {
			return fmt.Errorf("%d values are missing: %w", len(rest), err)
		}
		n := int(page.NumValues())
		if n > len(rest) {
			return fmt.Errorf("more values than rows")
		}
		err = r.page(page, rest[:n], set)
		parquet.Release(page)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// page takes the values of plain integer pages, which is what the writer writes, as they lie; anything else that is
// a number (files written by other programs, booleans) goes through the general reader.
func (r *runReader) page(page parquet.Page, dst []trace.Packet, set func(*trace.Packet, int64)) error {
	if page.Dictionary() == nil && page.NumNulls() == 0 {
		data := page.Data()
		switch page.Type().Kind() {
		case parquet.Int32:
			for i, v := range data.Int32() {
				set(&dst[i], int64(v))
			}
			return nil
		case parquet.Int64:
			for i, v := range data.Int64() {
				set(&dst[i], v)
			}
			return nil
		}
	}
	r.values = slices.Grow(r.values[:0], len(dst))[:len(dst)]
	n, err := page.Values().ReadValues(r.values)
	if err != nil && err != io.EOF || n != len(dst) {
		return fmt.Errorf("%d of %d values: %w", n, len(dst), err)
	}
	for i, v := range r.values {
		switch v.Kind() {
		case parquet.Boolean:
			if v.Boolean() {
				set(&dst[i], 1)
			}
		case parquet.Int32:
			set(&dst[i], int64(v.Int32()))
		case parquet.Int64:
			set(&dst[i], v.Int64())
		}
	}
	return nil
}
