package dataset

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"earshot/data/binning"
	"earshot/data/dataset/npz"
	"earshot/data/trace"
)

// Unknown is a mistake of the caller: a label axis or class that the data set does not have, a bundled data set that there is not.
type Unknown string

func (u Unknown) Error() string { return string(u) }

// Labelled returns the captures that a table with this label axis has rows for: not excluded, labelled, and of one of the
// classes (all classes for nil). The classes come back sorted.
//
// It is an error when captures with the same packets carry different labels on this axis: then one of the labels is
// wrong, and no choice between them would be right.
func (s *Set) Labelled(label string, classes []string) ([]Capture, []string, error) {
	if len(s.Manifest.Axes) == 0 {
		return nil, nil, Unknown(fmt.Sprintf("dataset: %s: no label axis %q, and no other; data import --label or --labels names them", s.Dir, label))
	}
	if !slices.Contains(s.axes(), label) {
		return nil, nil, Unknown(fmt.Sprintf("dataset: %s: no label axis %q; there are %s", s.Dir, label, listOr(s.Manifest.Axes, "")))
	}
	if err := s.conflict(label); err != nil {
		return nil, nil, err
	}
	var caps []Capture
	var found []string
	for _, c := range s.Included() {
		v := c.Labels[label]
		if v == "" {
			continue
		}
		if !slices.Contains(found, v) {
			found = append(found, v)
		}
		if classes == nil || slices.Contains(classes, v) {
			caps = append(caps, c)
		}
	}
	slices.Sort(found)
	for i, k := range classes {
		if !slices.Contains(found, k) {
			return nil, nil, Unknown(fmt.Sprintf("dataset: %s: no capture with %s %q; there are %s", s.Dir, label, k, listOr(found, "none")))
		}
		if slices.Contains(classes[:i], k) {
			return nil, nil, Unknown(fmt.Sprintf("dataset: class %q is named twice", k))
		}
	}
	if classes == nil {
		classes = found
	}
	classes = slices.Sorted(slices.Values(classes))
	if len(caps) == 0 {
		return nil, nil, fmt.Errorf("dataset: %s: no capture carries a label on axis %q", s.Dir, label)
	}
	return caps, classes, nil
}

// conflict looks for captures with the same packets whose labels on the axis differ.
func (s *Set) conflict(axis string) error {
	first := map[string]*Capture{}
	for i := range s.Captures {
		c := &s.Captures[i]
		if c.Excluded == Empty || c.Labels[axis] == "" {
			continue
		}
		switch a := first[c.Digest]; {
		case a == nil:
			first[c.Digest] = c
		case a.Labels[axis] != c.Labels[axis] && c.Excluded == Duplicate:
			return fmt.Errorf("dataset: %s: %w", s.Dir, Conflict{A: a, B: c, Axes: []string{axis}})
		}
	}
	return nil
}

// listOr joins a list for a message, shortened where it is long.
func listOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	if len(list) > 20 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:20], ", "), len(list)-20)
	}
	return strings.Join(list, ", ")
}

// Bin returns the (N, C, T) series of all labelled captures in order of capture_id; all classes for nil. A capture that has no
// packet in the chosen direction is a row of zeros. A set of series gives them as they are, whatever c says.
func Bin(s *Set, label string, classes []string, c binning.Config) (*binning.Tensor, error) {
	return s.tensor(label, classes, c, func(t *trace.Trace, dst []float32) (binning.Touched, error) { return binning.Bin(c, t, dst) })
}

// Order returns the study's first encoding, binning.Order, with as many steps as c has.
func Order(s *Set, label string, classes []string, c binning.Config) (*binning.Tensor, error) {
	return s.tensor(label, classes, c, func(t *trace.Trace, dst []float32) (binning.Touched, error) {
		binning.Order(c, t, dst)
		return binning.Touched{}, nil
	})
}

func (s *Set) tensor(label string, classes []string, c binning.Config, encode func(*trace.Trace, []float32) (binning.Touched, error)) (*binning.Tensor, error) {
	caps, classes, err := s.Labelled(label, classes)
	if err != nil {
		return nil, err
	}
	t := &binning.Tensor{N: len(caps), C: len(c.Channels), Classes: classes, Config: c, Touched: make([]binning.Touched, len(caps))}
	ids := make([]int64, len(caps))
	for i, cp := range caps {
		ids[i] = cp.ID
		t.Y = append(t.Y, slices.Index(classes, cp.Labels[label]))
		t.Source = append(t.Source, cp.Source)
	}
	t.CaptureID = ids
	if s.HasSeries() {
		return t, s.seriesRows(t)
	}
	if t.T, err = c.Steps(); err != nil {
		return nil, err
	}
	if err := fits(t.N, t.C, t.T); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", s.Dir, err)
	}
	t.X = make([]float32, t.N*t.C*t.T)
	i := 0
	return t, s.each(ids, seriesColumns, func(_ *Capture, tr *trace.Trace) error {
		var err error
		t.Touched[i], err = encode(tr, t.Row(i))
		i++
		return err
	})
}

// fits refuses a tensor that the machine's free memory does not hold: better one line now than a killed process later.
func fits(n, c, t int) error {
	need := 4 * float64(n) * float64(c) * float64(t)
	free := freeMemory()
	if need <= free {
		return nil
	}
	const gib = 1 << 30
	return fmt.Errorf("a tensor of %d captures x %d channels x %d steps x 4 bytes is %.1f GiB and %.1f GiB are free; take a longer step, a shorter duration or fewer classes",
		n, c, t, need/gib, free/gib)
}

// freeMemory is what Linux says is available, in bytes; elsewhere a size that no machine has.
func freeMemory() float64 {
	const unknown = 1 << 44
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %f kB", &kib); n == 1 {
			return 1024 * kib
		}
	}
	return unknown
}

// HasSeries reports whether the set holds series instead of packets.
func (s *Set) HasSeries() bool { return len(s.runs) > 0 && s.runs[0].series.Name != "" }

// series reads the (n, C, T) values of a run.
func (s *Set) series(run int) (x []float32, shape [2]int, err error) {
	p := s.runs[run].series
	if err := s.verify(p); err != nil {
		return nil, shape, err
	}
	f, size, err := openAt(s.files, p.Name)
	if err != nil {
		return nil, shape, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	m, err := npz.ReadFrom(f, size)
	if err != nil {
		return nil, shape, fmt.Errorf("dataset: %s: %s: %w", s.Dir, p.Name, err)
	}
	a := m["X"]
	if len(a.Shape) != 3 || a.F32 == nil || int64(a.Shape[0]) != p.Rows {
		return nil, shape, fmt.Errorf("dataset: %s: %s: no float32 array X of %d series", s.Dir, p.Name, p.Rows)
	}
	return a.F32, [2]int{a.Shape[1], a.Shape[2]}, nil
}

// seriesRows fills X with the series of the captures in t.
func (s *Set) seriesRows(t *binning.Tensor) error {
	open := -1
	var x []float32
	for _, id := range t.CaptureID {
		at := s.places[id]
		if at.run != open {
			var shape [2]int
			var err error
			if x, shape, err = s.series(at.run); err != nil {
				return err
			}
			if t.X != nil && shape != [2]int{t.C, t.T} {
				return fmt.Errorf("dataset: %s: series of different shapes", s.Dir)
			}
			t.C, t.T, open = shape[0], shape[1], at.run
		}
		n := int64(t.C * t.T)
		t.X = append(t.X, x[at.row*n:(at.row+1)*n]...)
	}
	return nil
}
