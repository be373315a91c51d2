package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"earshot/data/bundled"
	"earshot/data/trace"
)

// Set is an opened data set. It sees what dataset.json named when it was opened; captures that a writer appends later
// need another Open. Its methods may be called from several goroutines.
type Set struct {
	Dir      string
	Manifest Manifest
	Captures []Capture // all of them, Captures[id].ID == id

	files  fs.FS
	loss   loss
	runs   []run
	places []place // by capture id

	derived []string // label axes of Derive

	mu       sync.Mutex
	verified map[string]bool // part names whose checksum was compared
	last     *runReader      // of the latest call of Trace
	lastRun  int
}

// run is what one commit wrote: captures-N.parquet and the packets, flows or series that belong to it.
type run struct {
	packets, flows, series Part
}

// place is where a capture lies.
type place struct {
	run          int
	packet, flow int64 // first row in the run's parts
	row          int64 // of the run's captures
}

// Open opens the data set in dir, or the program's own that dir names (bundled:songs, see data/bundled). Its capture tables are read and
// compared with their checksums; packets are not.
func Open(dir string) (*Set, error) {
	if !bundled.Is(dir) {
		return OpenFS(os.DirFS(dir), dir)
	}
	files, err := bundled.Files(dir)
	if err != nil {
		return nil, Unknown(fmt.Sprintf("dataset: %v", err))
	}
	return OpenFS(files, dir)
}

// named are the files of a data set whose errors tell the folder, too.
type named struct {
	fs.FS
	dir string
}

func (n named) Open(name string) (fs.File, error) {
	f, err := n.FS.Open(name)
	var p *fs.PathError
	if errors.As(err, &p) && p.Path == name {
		p.Path = path.Join(n.dir, name)
	}
	return f, err
}

// OpenFS opens a data set that lies at the root of files, such as one in the program itself (embed); name stands for the folder in
// errors, as Dir does. The files must have io.ReaderAt.
func OpenFS(files fs.FS, name string) (*Set, error) {
	dir := name
	files = named{files, name}
	m, err := readManifest(files, dir)
	if err != nil {
		return nil, err
	}
	s := &Set{Dir: dir, Manifest: m, files: files, verified: map[string]bool{}}
	parts := make(map[string]Part, len(m.Parts))
	for _, p := range m.Parts {
		parts[p.Name] = p
	}
	for _, p := range m.Parts {
		number, ok := strings.CutPrefix(p.Name, "captures-")
		if !ok {
			continue
		}
		number = strings.TrimSuffix(number, ".parquet")
		if err := s.verify(p); err != nil {
			return nil, err
		}
		caps, err := readCaptures(files, p.Name, m.Axes)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %s: %w", dir, p.Name, err)
		}
		r := run{parts["packets-"+number+".parquet"], parts["flows-"+number+".parquet"], parts["series-"+number+".npz"]}
		at := place{run: len(s.runs)}
		for _, c := range caps {
			if c.ID != int64(len(s.Captures)) || c.Packets < 0 || c.Flows < 0 {
				return nil, fmt.Errorf("dataset: %s: %s: capture %d where %d is due; the file is not this data set's", dir, p.Name, c.ID, len(s.Captures))
			}
			s.Captures, s.places = append(s.Captures, c), append(s.places, at)
			at.packet, at.flow, at.row = at.packet+c.Packets, at.flow+c.Flows, at.row+1
		}
		if r.series.Name == "" && (at.packet != r.packets.Rows || at.flow != r.flows.Rows) {
			return nil, fmt.Errorf("dataset: %s: %s: %d packets and %d flows, but the parts beside it hold %d and %d", dir, p.Name, at.packet, at.flow, r.packets.Rows, r.flows.Rows)
		}
		s.runs = append(s.runs, r)
	}
	return s, nil
}

// verify compares a part with its checksum, once.
func (s *Set) verify(p Part) error {
	s.mu.Lock()
	done := s.verified[p.Name]
	s.mu.Unlock()
	if done {
		return nil
	}
	if p.Name == "" {
		return fmt.Errorf("dataset: %s: a part is missing in %s", s.Dir, manifestName)
	}
	f, err := s.files.Open(p.Name)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	sum, err := digestOf(f)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if sum != p.SHA256 {
		return fmt.Errorf("dataset: %s: %s: the checksum differs from the one in %s; the file was changed or damaged, import again", s.Dir, p.Name, manifestName)
	}
	s.mu.Lock()
	s.verified[p.Name] = true
	s.mu.Unlock()
	return nil
}

// Digest identifies the content: sources, packets, labels and marks of all captures in their order. Runs and models
// store it. It does not depend on how the packets are spread over parts.
func (s *Set) Digest() string {
	h := sha256.New()
	for i := range s.Captures {
		c := &s.Captures[i]
		fmt.Fprintf(h, "%q %s %s %d %d %q", c.Source, c.SourceDigest, c.Digest, c.BytesIP, c.BytesFrame, c.Excluded)
		for _, a := range s.Manifest.Axes {
			fmt.Fprintf(h, " %q=%q", a, c.Labels[a])
		}
		fmt.Fprintln(h)
	}
	if s.loss.share > 0 {
		fmt.Fprintf(h, "loss %g %d\n", s.loss.share, s.loss.seed)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Included returns the captures that tensors, tables and splits are made of: without duplicates and empties.
func (s *Set) Included() []Capture {
	return slices.DeleteFunc(slices.Clone(s.Captures), func(c Capture) bool { return c.Excluded != "" })
}

// Capture returns the capture of an id.
func (s *Set) Capture(id int64) (*Capture, error) {
	if id < 0 || id >= int64(len(s.Captures)) {
		return nil, fmt.Errorf("dataset: %s: no capture %d; the ids are 0 to %d", s.Dir, id, len(s.Captures)-1)
	}
	return &s.Captures[id], nil
}

// Trace reads one capture. It costs the row groups in which the capture lies.
func (s *Set) Trace(id int64) (*trace.Trace, error) {
	if _, err := s.Capture(id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	r, at := s.last, s.lastRun
	s.last = nil // taken: another goroutine opens its own
	s.mu.Unlock()
	if r == nil || at != s.places[id].run {
		if r != nil {
			r.close()
		}
		var err error
		if r, err = s.openRun(s.places[id].run, nil); err != nil {
			return nil, err
		}
	}
	t, err := r.trace(&s.Captures[id], s.places[id])
	s.mu.Lock()
	if s.last == nil {
		s.last, s.lastRun = r, s.places[id].run
		r = nil
	}
	s.mu.Unlock()
	if r != nil {
		r.close()
	}
	return t, err
}

// Close frees the part that Trace keeps open.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.last.close()
		s.last = nil
	}
	return nil
}

// Each calls f with the given captures in order of capture_id. It reads ahead by a few captures while f works, and
// holds no more than those and two row groups in memory. The trace is f's to keep. The first error ends it.
func (s *Set) Each(ids []int64, f func(c *Capture, t *trace.Trace) error) error {
	return s.each(ids, nil, f)
}

// each reads only the named columns, and no flows; all of both for nil.
func (s *Set) each(ids []int64, columns []string, f func(c *Capture, t *trace.Trace) error) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range ids {
		if _, err := s.Capture(id); err != nil {
			return err
		}
	}
	type item struct {
		id  int64
		t   *trace.Trace
		err error
	}
	ahead, stop := make(chan item, 4), make(chan struct{})
	var wait sync.WaitGroup
	defer wait.Wait() // no file is open when each returns
	defer close(stop)
	wait.Go(func() {
		defer close(ahead)
		var r *runReader
		open := -1
		for _, id := range ids {
			at := s.places[id]
			var err error
			if at.run != open {
				if r != nil {
					r.close()
				}
				r, err = s.openRun(at.run, columns)
				open = at.run
			}
			it := item{id: id, err: err}
			if err == nil {
				it.t, it.err = r.trace(&s.Captures[id], at)
			}
			select {
			case ahead <- it:
			case <-stop:
				it.err = errStopped
			}
			if it.err != nil {
				break
			}
		}
		if r != nil {
			r.close()
		}
	})
	for it := range ahead {
		if it.err != nil {
			return it.err
		}
		if err := f(&s.Captures[it.id], it.t); err != nil {
			return err
		}
	}
	return nil
}

var errStopped = fmt.Errorf("dataset: stopped")
