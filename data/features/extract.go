package features

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"earshot/data/trace"
)

// Matrix is a table of features with its rows' names.
type Matrix struct {
	X         []float64 // (N, F), rows one behind the other
	N, F      int
	Fields    []Field // (F)
	CaptureID []int64 // (N)
	Source    []string
	Labels    [][]string // (N, axes)
	Number    []int      // (N) of the connection within its capture, from 1; 0 when rows are captures
	Edges     []float64  // of each set of histograms: lowest and highest bytes, lowest and highest seconds; nil without such sets
	Per       Per
}

// Row is row i of X.
func (m *Matrix) Row(i int) []float64 { return m.X[i*m.F : (i+1)*m.F] }

// Names are the names of the columns.
func (m *Matrix) Names() []string {
	names := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		names[i] = f.Name
	}
	return names
}

// Item is a capture as Extract meets it.
type Item struct {
	ID     int64
	Source string
	Labels []string // one for each axis of the data set
}

// Source calls f with every capture in the order of rows. Extract calls it once, or twice when a set looks at the data
// first. The trace is not kept.
type Source func(f func(c Item, t *trace.Trace) error) error

// Extractor computes the columns of some sets.
type Extractor struct {
	sets     []computer
	columns  []Field
	widths   []int
	per      Per
	tcp      bool // rows are connections as tcptrace tells them apart
	idle     time.Duration
	active   time.Duration
	training map[int64]bool // nil: every capture
}

// New opens the sets of a comma-separated list. An unknown set or setting, a wrong value and a column that two sets share
// are errors.
func New(names string, o Options) (*Extractor, error) {
	x := &Extractor{per: o.Per}
	known := map[string]bool{}
	if o.Per == PerConnection {
		s := newSettings(o, connectionSettings)
		x.idle, x.active = s.duration("idle"), s.duration("active")
		if s.err != nil {
			return nil, s.err
		}
		known["idle"], known["active"] = true, true
	}
	column := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		set, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		s := newSettings(o, set.Settings)
		c := set.open(s)
		if s.err != nil {
			return nil, s.err
		}
		for _, k := range set.Settings {
			known[k.Name] = true
		}
		fields := set.label(c)
		for _, f := range fields {
			if column[f.Name] {
				return nil, fmt.Errorf("features: %s: two sets have the column %s; extract them apart", names, f.Name)
			}
			column[f.Name] = true
		}
		if k, ok := c.(interface{ connections() bool }); ok && k.connections() {
			x.tcp = true
		}
		x.sets, x.widths, x.columns = append(x.sets, c), append(x.widths, len(fields)), append(x.columns, fields...)
	}
	for k := range o.Set {
		if !known[k] {
			if len(known) == 0 {
				return nil, fmt.Errorf("features: %s: no setting %q; there are no settings", names, k)
			}
			settings := slices.Sorted(maps.Keys(known))
			return nil, fmt.Errorf("features: %s: no setting %q; there are %s", names, k, strings.Join(settings, ", "))
		}
	}
	return x, nil
}

// Fields are the columns.
func (x *Extractor) Fields() []Field { return x.columns }

// Train names the captures whose data may set the edges of histograms; without it, all of them may.
func (x *Extractor) Train(ids []int64) {
	x.training = make(map[int64]bool, len(ids))
	for _, id := range ids {
		x.training[id] = true
	}
}

// Extract computes the rows of all captures.
func (x *Extractor) Extract(from Source) (*Matrix, error) {
	if err := x.fit(from); err != nil {
		return nil, err
	}
	m := &Matrix{F: len(x.columns), Fields: x.columns, Per: x.per}
	for _, s := range x.sets {
		if f, ok := s.(fitter); ok {
			m.Edges = append(m.Edges, f.learned()...)
		}
	}
	err := from(func(c Item, t *trace.Trace) error {
		for i, u := range x.units(t) {
			n := len(m.X)
			m.X = slices.Grow(m.X, m.F)[:n+m.F]
			x.row(u, m.X[n:])
			number := 0
			if x.per == PerConnection {
				number = i + 1
			}
			m.N++
			m.CaptureID, m.Source = append(m.CaptureID, c.ID), append(m.Source, c.Source)
			m.Labels, m.Number = append(m.Labels, c.Labels), append(m.Number, number)
		}
		return nil
	})
	return m, err
}

func (x *Extractor) fit(from Source) error {
	var fitters []fitter
	for _, s := range x.sets {
		if f, ok := s.(fitter); ok {
			fitters = append(fitters, f)
		}
	}
	if len(fitters) == 0 {
		return nil
	}
	return from(func(c Item, t *trace.Trace) error {
		training := x.training == nil || x.training[c.ID]
		for _, u := range x.units(t) {
			for _, f := range fitters {
				f.fit(u, training)
			}
		}
		return nil
	})
}

// units cuts a trace into what rows describe.
func (x *Extractor) units(t *trace.Trace) []*Unit {
	whole := Capture(t)
	switch {
	case x.per == PerCapture:
		return []*Unit{whole}
	case x.tcp:
		return cutTCP(whole)
	}
	return cutFlows(whole, x.idle, x.active)
}

func (x *Extractor) row(u *Unit, dst []float64) {
	for i, s := range x.sets {
		part := dst[:x.widths[i]]
		clear(part)
		s.row(u, part)
		dst = dst[x.widths[i]:]
	}
}
