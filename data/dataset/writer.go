package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"earshot/data/dataset/npz"
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
	w.problems, err = readProblems(w.dir)
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

// adding is a capture whose packets arrive in pieces.
type adding struct {
	w     *Writer
	c     Capture
	id    int64
	sum   *summary
	begun bool
}

func (w *Writer) begin() (*adding, error) {
	if w.bad == nil && w.shape != [2]int{} {
		w.bad = fmt.Errorf("dataset: %s: the set holds series; packets need a set of their own", w.dir)
	}
	if w.packets == nil && w.dir != "" && w.bad == nil {
		number := fmt.Sprintf("%06d.parquet", w.commits)
		w.packets, w.bad = createPart[packetRow](w.dir, "packets-"+number)
		if w.bad == nil {
			w.flows, w.bad = createPart[flowRow](w.dir, "flows-"+number)
		}
	}
	return &adding{w: w, id: int64(len(w.captures)), sum: newSummary()}, w.bad
}

// packets takes the next packets of the capture, in their order.
func (a *adding) packets(pk []trace.Packet) error {
	w := a.w
	a.sum.add(&a.c, pk)
	if w.packets == nil {
		return nil
	}
	for len(pk) > 0 && w.bad == nil {
		n := min(len(pk), 4096)
		w.rows = w.rows[:0]
		for i := range pk[:n] {
			w.rows = append(w.rows, toRow(a.id, &pk[i]))
		}
		w.bad = w.packets.write(w.rows)
		pk = pk[n:]
	}
	return w.bad
}

// end closes the capture: sums and digests replace those in c, and the marks are set. A full run is committed.
func (a *adding) end(c Capture, flows []trace.Flow) (Capture, error) {
	w, s := a.w, &a.c
	a.sum.end(s)
	c.ID, c.Digest, c.NearDigest, c.Excluded = a.id, s.Digest, s.NearDigest, s.Excluded
	c.DurationUS, c.Packets, c.Flows = s.DurationUS, s.Packets, int64(len(flows))
	c.BytesUp, c.BytesDown, c.BytesUnknown = s.BytesUp, s.BytesDown, s.BytesUnknown
	c.BytesIP, c.BytesFrame, c.Oversize = s.BytesIP, s.BytesFrame, s.Oversize
	if w.flows != nil && w.bad == nil {
		rows := make([]flowRow, len(flows))
		for i, f := range flows {
			rows[i] = flowToRow(a.id, i, f)
		}
		w.bad = w.flows.write(rows)
	}
	if err := w.enter(&c); err != nil {
		return c, err
	}
	if w.packets != nil && (w.packets.rows >= runPackets || len(w.captures)-w.done >= runCaptures) {
		return c, w.Commit()
	}
	return c, w.bad
}

// enter marks c and lists it.
func (w *Writer) enter(c *Capture) error {
	if w.bad != nil {
		return w.bad
	}
	if w.bad = w.checkLabels(c); w.bad != nil { // its packets are written: the run cannot be committed
		return w.bad
	}
	labels := make(map[string]string, len(w.manifest.Axes))
	for _, a := range w.manifest.Axes {
		labels[a] = c.Labels[a]
	}
	c.Labels = labels
	if _, seen := w.first[c.Digest]; c.Excluded == "" && seen {
		c.Excluded = Duplicate
	} else if c.Excluded == "" {
		w.first[c.Digest] = c.ID
	}
	w.captures = append(w.captures, *c)
	if c.Problem != "" {
		w.AddProblem(c.Source, c.ProblemAt, c.Problem)
	}
	return nil
}

func (w *Writer) checkLabels(c *Capture) error {
	for a, v := range c.Labels {
		if v != "" && !slices.Contains(w.manifest.Axes, a) {
			return fmt.Errorf("dataset: %s: label axis %q is not one of the data set's %v", c.Source, a, w.manifest.Axes)
		}
	}
	return nil
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
	c.ID, c.Digest, c.Packets, c.Flows, c.Excluded = int64(len(w.captures)), seriesDigest(x), 0, 0, ""
	labels := c.Labels
	c.Labels = make(map[string]string, len(w.manifest.Axes))
	for _, a := range w.manifest.Axes {
		c.Labels[a] = labels[a]
	}
	w.captures = append(w.captures, c)
	w.series = append(w.series, x...)
	if len(w.series) >= seriesValues {
		return w.Commit()
	}
	return nil
}

// AddProblem notes what could not be read; packet 0 stands for the source as a whole. The same note twice is kept once.
func (w *Writer) AddProblem(source string, packet int64, problem string) {
	w.problemRow([3]string{source, strconv.FormatInt(packet, 10), problem})
}

func (w *Writer) problemRow(row [3]string) {
	if w.noted == nil {
		w.noted = map[[3]string]bool{}
		for _, p := range w.problems {
			w.noted[p] = true
		}
	}
	if !w.noted[row] {
		w.noted[row] = true
		w.problems = append(w.problems, row)
	}
}

// Commit makes everything that was added last: parts first, dataset.json at the end.
func (w *Writer) Commit() error {
	if w.bad != nil || w.dir == "" {
		return w.bad
	}
	w.bad = w.commit()
	return w.bad
}

func (w *Writer) commit() error {
	number := fmt.Sprintf("%06d", w.commits)
	m := w.manifest
	m.Parts = slices.Clone(m.Parts)
	if caps := w.captures[w.done:]; len(caps) > 0 {
		c, err := filePart(w.dir, "captures-"+number+".parquet", int64(len(caps)), func(f io.Writer) error { return writeCaptures(f, caps, m.Axes) })
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, c)
		if w.packets != nil {
			for _, finish := range []func() (Part, error){w.packets.finish, w.flows.finish} {
				p, err := finish()
				if err != nil {
					return err
				}
				m.Parts = append(m.Parts, p)
			}
			w.packets, w.flows = nil, nil
		}
		if len(w.series) > 0 {
			ids := make([]int64, len(caps))
			for i := range caps {
				ids[i] = caps[i].ID
			}
			p, err := filePart(w.dir, "series-"+number+".npz", int64(len(caps)), func(f io.Writer) error {
				return npz.WriteTo(f, npz.Named{Name: "X", Array: npz.Float32(w.series, len(caps), w.shape[0], w.shape[1])},
					npz.Named{Name: "capture_id", Array: npz.Int64(ids)})
			})
			if err != nil {
				return err
			}
			m.Parts = append(m.Parts, p)
			w.series = nil
		}
	}
	if err := w.writeProblems(); err != nil {
		return err
	}
	if err := m.write(w.dir); err != nil {
		return err
	}
	if len(w.captures) > w.done {
		w.commits++
	}
	w.manifest, w.done = m, len(w.captures)
	return nil
}

// Close gives the folder back. What was not committed is dropped, and so is a folder in which nothing was.
func (w *Writer) Close() error {
	if w.dir == "" || w.lock == nil {
		return nil
	}
	var err error
	for _, abort := range []func() error{w.packets.abort, w.flows.abort} {
		err = errors.Join(err, abort())
	}
	err = errors.Join(err, w.lock.release(w.dir))
	w.lock, w.bad = nil, errors.New("dataset: the writer is closed")
	return err
}

const problemsName = "problems.csv"

func (w *Writer) writeProblems() error {
	return writeFile(w.dir, problemsName, func(f io.Writer) error {
		c := csv.NewWriter(f)
		c.Write([]string{"source", "packet", "error"}) // csv.Writer keeps the first error for Flush
		for _, p := range w.problems {
			c.Write(p[:])
		}
		c.Flush()
		return c.Error()
	})
}

func readProblems(dir string) ([][3]string, error) {
	f, err := os.Open(filepath.Join(dir, problemsName))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %s: %w", dir, problemsName, err)
	}
	var list [][3]string
	for _, r := range rows[min(1, len(rows)):] {
		if len(r) == 3 {
			list = append(list, [3]string(r))
		}
	}
	return list, nil
}

// axesOf are the keys of labels in order, for sources that bring their own.
func axesOf(labels map[string]string) []string { return slices.Sorted(maps.Keys(labels)) }
