package lab

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"earshot/data/capture"
	"earshot/data/dataset"
	"earshot/data/trace"
)

// Files beside the parts of the data set.
const (
	healthName   = "health.csv"
	truthName    = "truth.jsonl"
	settingsName = "record.json"
)

// health is a row of health.csv.
type health struct {
	Capture  int64 // capture_id; -1: not kept
	Expected int64 // bytes that the page received in transfers that ended in time
	Seen     int64 // payload bytes on the link, to the client
	Drops    int64 // packets that the recorder lost
	Attempts int
	Status   string
}

var healthHeader = []string{"capture_id", "expected_bytes", "seen_bytes", "drops", "attempts", "status"}

func (h health) row() []string {
	return []string{
		strconv.FormatInt(h.Capture, 10), strconv.FormatInt(h.Expected, 10), strconv.FormatInt(h.Seen, 10),
		strconv.FormatInt(h.Drops, 10), strconv.Itoa(h.Attempts), h.Status,
	}
}

// truth is a line of truth.jsonl: something that happened during a capture.
type truth struct {
	Capture int64  `json:"capture_id"`
	At      int64  `json:"t_us"` // from the capture's first packet, as packets' t_us
	From    string `json:"from"` // page, server; of Collect recorder, player
	Event   string `json:"event"`
	Detail  string `json:"detail,omitempty"`
	Took    int64  `json:"took_us,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
	Status  int    `json:"status,omitempty"`
}

// apart is the pause of a recording after which a new session begins, in microseconds.
const apart = 3600 * 1e6

// store writes captures with their health and truth. The two files are written before the data set counts the capture; what
// a kill leaves in them too much is cut off at the next start. It is safe for concurrent use.
type store struct {
	mu   sync.Mutex
	dir  string
	set  *dataset.Writer
	next int64
	// session numbers the recording's sittings: one that begins an hour or more after the last capture of all earlier ones is a new
	// one. What a label or a machine has in common within a sitting shows when another is the test set.
	session int
	lastUS  int64
	health  *os.File
	truth   *os.File
}

// openStore makes the data set or goes on with it; done are the sources in it.
func openStore(o *Options) (s *store, done map[string]bool, err error) {
	settings, err := o.settings()
	if err != nil {
		return nil, nil, err
	}
	done = map[string]bool{}
	s = &store{dir: o.Out}
	if dataset.IsSet(o.Out) {
		have, err := os.ReadFile(filepath.Join(o.Out, settingsName))
		if err != nil {
			return nil, nil, fmt.Errorf("lab: %s: holds a data set that was not recorded; take another --out", o.Out)
		}
		if err := sameSettings(have, settings); err != nil {
			return nil, nil, fmt.Errorf("lab: %s: recorded with other settings: %w; take another --out", o.Out, err)
		}
		if s.set, err = dataset.Append(o.Out); err != nil {
			return nil, nil, err
		}
		set, err := dataset.Open(o.Out)
		if err != nil {
			s.set.Close()
			return nil, nil, err
		}
		for _, c := range set.Captures {
			done[c.Source] = true
			n, err := strconv.Atoi(c.Labels[sessionAxis])
			if err != nil {
				s.set.Close()
				return nil, nil, fmt.Errorf("lab: %s: capture %d: session %q is no number; take another --out", o.Out, c.ID, c.Labels[sessionAxis])
			}
			s.session, s.lastUS = max(s.session, n), max(s.lastUS, c.LastUS)
		}
		s.next = int64(len(set.Captures))
	} else {
		m := dataset.Manifest{
			Name: filepath.Base(filepath.Clean(o.Out)), License: o.License, Created: o.Created, Axes: Axes(o.Scenario), Clients: []string{clientAddr + "/32"},
			Origin:     "recorded by earshot data record: own programs on own links, no other people's traffic",
			Authorized: "own programs on links of the recording machine only",
			Filter:     "none: every frame on the client's link",
		}
		for _, w := range slices.Concat(o.Works, o.Ads) {
			if w.Credit != nil {
				m.Works = append(m.Works, w.Credit)
			}
		}
		if s.set, err = dataset.Create(o.Out, m); err != nil {
			return nil, nil, err
		}
		err = replaceFile(filepath.Join(o.Out, settingsName), settings)
		if err == nil {
			err = s.set.Commit()
		}
		if err != nil {
			s.set.Close()
			return nil, nil, err
		}
	}
	if err := s.openLogs(); err != nil {
		s.set.Close()
		return nil, nil, err
	}
	return s, done, nil
}

// openLogs takes health.csv and truth.jsonl up where the data set stands.
func (s *store) openLogs() error {
	kept := func(id string) bool {
		n, err := strconv.ParseInt(id, 10, 64)
		return err == nil && n < s.next
	}
	trim := func(name, header string, id func(line string) string) (*os.File, error) {
		path := filepath.Join(s.dir, name)
		b, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		out := []byte(header)
		for line := range strings.Lines(strings.TrimPrefix(string(b), header)) {
			if strings.HasSuffix(line, "\n") && kept(id(line)) {
				out = append(out, line...)
			}
		}
		if !bytes.Equal(out, b) {
			if err := replaceFile(path, out); err != nil {
				return nil, err
			}
		}
		return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	}
	var err error
	s.health, err = trim(healthName, strings.Join(healthHeader, ",")+"\n", func(line string) string {
		id, _, _ := strings.Cut(line, ",")
		return id
	})
	if err == nil {
		s.truth, err = trim(truthName, "", func(line string) string {
			var t truth
			if json.Unmarshal([]byte(line), &t) != nil {
				return ""
			}
			return strconv.FormatInt(t.Capture, 10)
		})
	}
	if err != nil {
		s.health.Close() // may be nil
		return fmt.Errorf("lab: %w", err)
	}
	return nil
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, b []byte) error {
	temp := path + ".tmp"
	f, err := os.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// add stores a capture for good, and labels it with its session where it has none.
func (s *store) add(c dataset.Capture, t *trace.Trace, r capture.Report, h health, events []truth) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Capture = s.next
	if c.Labels[sessionAxis] == "" { // Collect names its own
		if s.next > 0 && r.FirstUS-s.lastUS >= apart {
			s.session++
		}
		s.lastUS = max(s.lastUS, r.LastUS)
		c.Labels[sessionAxis] = strconv.Itoa(s.session)
	}
	c.Link, c.Records, c.Decoded, c.FirstUS, c.LastUS = r.Link, r.Records, r.Decoded, r.FirstUS, r.LastUS
	var lines bytes.Buffer
	e := json.NewEncoder(&lines)
	e.SetEscapeHTML(false)
	for _, t := range events {
		t.Capture = s.next
		if err := e.Encode(t); err != nil {
			return err
		}
	}
	_, err := s.truth.Write(lines.Bytes())
	if err == nil {
		err = s.truth.Sync()
	}
	if err == nil {
		err = s.addHealth(h)
	}
	if err == nil {
		err = s.set.Add(c, t)
	}
	if err == nil {
		err = s.set.Commit()
	}
	if err == nil {
		s.next++
	}
	return err
}

// fail notes a capture that was given up.
func (s *store) fail(h health) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Capture = -1
	return s.addHealth(h)
}

func (s *store) addHealth(h health) error {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	c.Write(h.row())
	c.Flush()
	_, err := io.Copy(s.health, &b)
	if err == nil {
		err = s.health.Sync()
	}
	return err
}

func (s *store) close() error {
	return errors.Join(s.set.Close(), s.health.Close(), s.truth.Close())
}
