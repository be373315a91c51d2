package dataset

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/trace"
)

// runPackets is how many packets a run holds before it is committed by itself: about 30 MB, a second of importing. It is
// the most that a kill can cost. The limit depends on the packets alone, so that an import that was killed and completed has
// the same parts as an undisturbed one. Tests make it small.
var runPackets int64 = 2 << 20

const (
	// runCaptures bounds runs of very short captures.
	runCaptures = 1 << 15
	// seriesValues bounds the series that are held until a commit.
	seriesValues = 1 << 25
)

// Writer appends captures to a data set. One writer at a time has the folder; it is not safe for concurrent use.
type Writer struct {
	dir      string // empty: nothing is written, captures are only summed up
	lock     *lock
	manifest Manifest
	captures []Capture // all of the set; from committed on they are the run's
	commits  int       // number of the next run
	done     int       // captures that are committed
	problems [][3]string
	noted    map[[3]string]bool // of problems

	first map[string]int64 // content digest → capture

	packets *partFile[packetRow]
	flows   *partFile[flowRow]
	series  []float32
	shape   [2]int // of one series
	rows    []packetRow
	bad     error // after a failed write nothing more is taken
}

// ErrLocked says that another writer has the data set.
var ErrLocked = errors.New("another earshot is writing here; wait for it to end")

// Create makes an empty data set; dir may exist but not hold one. Its first commit makes it appear.
func Create(dir string, m Manifest) (*Writer, error) {
	if err := writable(dir); err != nil {
		return nil, err
	}
	if err := checkAxes(m.Axes); err != nil {
		return nil, err
	}
	made := os.Mkdir(dir, 0o755) == nil
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	w, err := open(dir)
	if err != nil {
		return nil, err
	}
	w.lock.made = made
	if IsSet(dir) {
		w.Close()
		return nil, fmt.Errorf("dataset: %s: there is a data set already; append to it or take another folder", dir)
	}
	m.Format, m.Parts = Format, nil
	w.manifest = m
	return w, w.clean()
}

// Append opens the data set in dir for more captures, under the axes and rules that it has.
func Append(dir string) (*Writer, error) {
	if err := writable(dir); err != nil {
		return nil, err
	}
	if !IsSet(dir) {
		return nil, fmt.Errorf("dataset: %s: no %s here", dir, manifestName)
	}
	w, err := open(dir)
	if err != nil {
		return nil, err
	}
	s, err := Open(dir) // under the lock: nobody commits meanwhile
	if err == nil {
		err = w.resume(s)
	}
	if err == nil {
		err = w.clean()
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func open(dir string) (*Writer, error) {
	l, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", dir, err)
	}
	return &Writer{dir: dir, lock: l, first: map[string]int64{}}, nil
}

// resume takes over what the folder holds.
func (w *Writer) resume(s *Set) error {
	w.manifest, w.captures, w.done, w.commits = s.Manifest, s.Captures, len(s.Captures), len(s.runs)
	for i := range w.captures {
		if c := &w.captures[i]; c.Excluded == "" {
			w.first[c.Digest] = c.ID
		}
	}
	var err error
	if s.HasSeries() {
		if _, w.shape, err = s.series(0); err != nil {
			return err
		}
	}
	w.problems, err = s.problems()
	return err
}

// clean removes what a killed writer left: temporary files, and parts that no manifest names.
func (w *Writer) clean() error {
	names, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	for _, e := range names {
		n := e.Name()
		named := slices.ContainsFunc(w.manifest.Parts, func(p Part) bool { return p.Name == n })
		part, _ := filepath.Match("*-[0-9][0-9][0-9][0-9][0-9][0-9].*", n)
		ours := part && (strings.HasSuffix(n, ".parquet") || strings.HasPrefix(n, "series-"))
		if strings.HasPrefix(n, tempPrefix) || ours && !named {
			if err := os.Remove(filepath.Join(w.dir, n)); err != nil {
				return fmt.Errorf("dataset: %w", err)
			}
		}
	}
	return nil
}

// checkAxes keeps label columns readable by every program.
func checkAxes(axes []string) error {
	for i, a := range axes {
		if a == "" || strings.Trim(a, axisSigns) != "" {
			return fmt.Errorf("dataset: axis %q: use letters, digits and _", a)
		}
		if slices.Contains(axes[:i], a) {
			return fmt.Errorf("dataset: axis %q is named twice", a)
		}
	}
	return nil
}

const axisSigns = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// Authorize adds the operator's statement that what follows may be recorded to those in the manifest; it is on disk with
// the next commit.
func (w *Writer) Authorize(statement string) {
	w.manifest.Authorized = join(union(splitJoined(w.manifest.Authorized), Text(statement)))
}

// Add appends a capture. Of c the source, its digest, the labels and the reader's counts are taken; id, sums, digests and marks
// are computed from t. It is on disk for good after the next Commit.
func (w *Writer) Add(c Capture, t *trace.Trace) error {
	c.StartUS = t.Start
	if err := w.checkLabels(&c); err != nil {
		return err
	}
	a, err := w.begin()
	if err == nil {
		err = a.packets(t.Packets)
	}
	if err == nil {
		_, err = a.end(c, t.Flows)
	}
	return err
}

// AddSeries appends a (C, T) series as it is, for data that never were packets (UCR). A set holds series of one shape,
// or packets, not both. Series are not marked as duplicates: published splits count every row.
func (w *Writer) AddSeries(c Capture, x []float32, channels int) error {
	if channels <= 0 || len(x)%channels != 0 || len(x) == 0 {
		return fmt.Errorf("dataset: %s: %d values in %d channels", c.Source, len(x), channels)
	}
	shape := [2]int{channels, len(x) / channels}
	if len(w.captures) > 0 && w.shape != shape || w.packets != nil {
		return fmt.Errorf("dataset: %s: series of %d channels and %d steps in a set of %d and %d (0: packets)", c.Source, shape[0], shape[1], w.shape[0], w.shape[1])
	}
	w.shape = shape
	c.Source = Text(c.Source)
	c.ID, c.Digest, c.Packets, c.Flows, c.Excluded = int64(len(w.captures)), seriesDigest(x), 0, 0, ""
	labels := c.Labels
	c.Labels = make(map[string]string, len(w.manifest.Axes))
	for _, a := range w.manifest.Axes {
		c.Labels[a] = Text(labels[a])
	}
	w.captures = append(w.captures, c)
	w.series = append(w.series, x...)
	if len(w.series) >= seriesValues {
		return w.Commit()
	}
	return nil
}

// axesOf are the keys of labels in order, for sources that bring their own.
func axesOf(labels map[string]string) []string { return slices.Sorted(maps.Keys(labels)) }
