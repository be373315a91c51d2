package dataset

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Merge writes the union of data sets to the new folder dst. A capture that several sets have, by source and content, comes once;
// the same content under another source is kept and marked as a duplicate. Captures are numbered anew in order of their
// sources. Label axes and works are united; a set without an axis leaves it empty. Captures with the same packets under labels
// that agree nowhere are an error that names both, and dst is not made. Tables and lists that recorders keep beside the
// captures come along, see mergeSides.
func Merge(dst string, srcs ...string) error {
	if err := writable(dst); err != nil {
		return err
	}
	var sets []*Set
	m := Manifest{Name: filepath.Base(dst), Axes: []string{}, Clients: []string{}, Servers: []string{}}
	var origins, licenses, statements, filters []string
	for _, dir := range srcs {
		s, err := Open(dir)
		if err != nil {
			return err
		}
		defer s.Close()
		sets = append(sets, s)
		if len(s.Captures) > 0 && s.HasSeries() {
			return fmt.Errorf("dataset: %s: holds series; merging is for packets", dir)
		}
		m.Axes = union(m.Axes, s.Manifest.Axes...)
		m.Clients, m.Servers = union(m.Clients, s.Manifest.Clients...), union(m.Servers, s.Manifest.Servers...)
		origins, licenses = union(origins, s.Manifest.Origin), union(licenses, s.Manifest.License)
		statements, filters = union(statements, splitJoined(s.Manifest.Authorized)...), union(filters, splitJoined(s.Manifest.Filter)...)
		m.Created = max(m.Created, s.Manifest.Created)
		for _, w := range s.Manifest.Works {
			if !slices.ContainsFunc(m.Works, func(have Work) bool { return maps.Equal(have, w) }) {
				m.Works = append(m.Works, w)
			}
		}
	}
	m.Origin, m.License, m.Authorized, m.Filter = join(origins), join(licenses), join(statements), join(filters)

	type entry struct {
		set *Set
		c   *Capture
	}
	var all []entry
	seen := map[[2]string]bool{}
	first := map[string]*Capture{}
	for _, s := range sets {
		for i := range s.Captures {
			c := &s.Captures[i]
			if key := [2]string{c.Source, c.Digest}; seen[key] {
				continue
			} else {
				seen[key] = true
			}
			if f := first[c.Digest]; f == nil {
				first[c.Digest] = c
			} else if x, ok := conflict(*f, *c, m.Axes); ok && !x.Agreed && c.Bytes() > 0 {
				return fmt.Errorf("dataset: %w", x)
			}
			all = append(all, entry{s, c})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return strings.Compare(a.c.Source, b.c.Source) })
	// Built under another name: a large union commits several times, and a part of it must not look like the whole.
	if _, err := os.Stat(dst); err == nil {
		return fmt.Errorf("dataset: %s: is there already; take another name", dst)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dst), tempPrefix+filepath.Base(dst)+"-*")
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer os.RemoveAll(temp) // gone after the rename
	w, err := Create(temp, m)
	if err != nil {
		return err
	}
	defer w.Close()
	type old struct {
		set *Set
		id  int64
	}
	numbers := map[old]int64{}
	for i, e := range all {
		numbers[old{e.set, e.c.ID}] = int64(i)
		t, err := e.set.Trace(e.c.ID)
		if err != nil {
			return err
		}
		if err := w.Add(*e.c, t); err != nil {
			return err
		}
	}
	for _, s := range sets {
		problems, err := s.problems()
		if err != nil {
			return err
		}
		for _, p := range problems {
			w.problemRow(p)
		}
	}
	sides := func() error {
		return mergeSides(temp, sets, func(s *Set, id int64) (int64, bool) {
			if id < 0 {
				return id, true
			}
			now, ok := numbers[old{s, id}]
			return now, ok
		})
	}
	for _, finish := range []func() error{w.Commit, sides, w.Close, func() error { return os.Chmod(temp, 0o755) }, func() error { return os.Rename(temp, dst) }} {
		if err := finish(); err != nil {
			return err
		}
	}
	return nil
}

// union appends what is new and not empty.
func union(list []string, more ...string) []string {
	for _, s := range more {
		if s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func join(list []string) string { return strings.Join(list, "; ") }

// splitJoined is the list that join joined.
func splitJoined(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "; ")
}
