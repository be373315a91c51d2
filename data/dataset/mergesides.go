package dataset

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// side is a file that a recorder keeps beside the captures, as it is put together from several data sets.
type side struct {
	header string
	lines  []sideLine
	seen   map[string]bool
	skip   bool // of different kinds in different sets
}

type sideLine struct {
	capture int64 // -1: of none
	text    string
}

// captureColumn is the column, or the first key of a line of JSON, by which such files name a capture.
const captureColumn = "capture_id"

var jsonCapture = regexp.MustCompile(`^\{"` + captureColumn + `": ?(-?\d+)`)

// mergeSides unites what recorders keep beside the captures: tables (.csv) and lines of JSON (.jsonl), whose captures get
// their new numbers, and lists (.txt). A row or line that is there already comes once, and so does what belongs to a
// capture that came twice. Settings (.json) belong to one recording and stay behind, as do tables with different columns.
func mergeSides(dst string, sets []*Set, number func(set *Set, old int64) (now int64, first bool)) error {
	sides := map[string]*side{}
	for _, s := range sets {
		entries, err := fs.ReadDir(s.files, ".")
		if err != nil {
			return fmt.Errorf("dataset: %w", err)
		}
		for _, e := range entries {
			name := e.Name()
			if name == problemsName || !e.Type().IsRegular() || !slices.Contains([]string{".csv", ".jsonl", ".txt"}, filepath.Ext(name)) {
				continue
			}
			b, err := fs.ReadFile(s.files, name)
			if err != nil {
				return fmt.Errorf("dataset: %w", err)
			}
			if sides[name] == nil {
				sides[name] = &side{seen: map[string]bool{}}
			}
			if err := sides[name].add(filepath.Ext(name), b, func(old int64) (int64, bool) { return number(s, old) }); err != nil {
				return fmt.Errorf("dataset: %s: %s: %w", s.Dir, name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sides)) {
		x := sides[name]
		if x.skip {
			continue
		}
		if err := x.write(dst, name); err != nil {
			return err
		}
	}
	return nil
}

// write makes the file, its lines in the order of their captures.
func (x *side) write(dst, name string) error {
	slices.SortStableFunc(x.lines, func(a, b sideLine) int { return cmp.Compare(a.capture, b.capture) })
	return writeFile(dst, name, func(w io.Writer) error {
		_, err := io.WriteString(w, x.header)
		for _, l := range x.lines {
			if err == nil {
				_, err = io.WriteString(w, l.text)
			}
		}
		return err
	})
}

func (x *side) add(kind string, b []byte, number func(int64) (int64, bool)) error {
	line := func(capture int64, text string) {
		if capture < 0 { // of no capture: once
			if x.seen[text] && kind != ".jsonl" {
				return
			}
			x.seen[text] = true
		}
		x.lines = append(x.lines, sideLine{capture, text})
	}
	if kind != ".csv" {
		for text := range strings.Lines(string(b)) {
			if !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			m := jsonCapture.FindStringSubmatchIndex(text)
			if kind != ".jsonl" || m == nil {
				line(-1, text)
				continue
			}
			old, err := strconv.ParseInt(text[m[2]:m[3]], 10, 64)
			if err != nil {
				return err
			}
			if now, first := number(old); first {
				line(now, text[:m[2]]+strconv.FormatInt(now, 10)+text[m[3]:])
			}
		}
		return nil
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(rows) == 0 {
		return err
	}
	header := csvLine(rows[0])
	if x.header != "" && x.header != header {
		x.skip = true
	}
	x.header = header
	for _, r := range rows[1:] {
		if rows[0][0] != captureColumn {
			line(-1, csvLine(r))
			continue
		}
		old, err := strconv.ParseInt(r[0], 10, 64)
		if err != nil {
			return fmt.Errorf("%s %q is no number", captureColumn, r[0])
		}
		now, first := number(old)
		if !first {
			continue
		}
		r[0] = strconv.FormatInt(now, 10)
		x.lines = append(x.lines, sideLine{now, csvLine(r)}) // also of none: each tells of an attempt of its own
	}
	return nil
}

func csvLine(row []string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(row)
	w.Flush()
	return b.String()
}
