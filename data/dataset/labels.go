package dataset

import (
	"encoding/csv"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Labeler gives labels to sources by their path. The zero value gives none.
type Labeler struct {
	Axes []string // in the order of the expression's groups, then of the table's columns

	expr  *regexp.Regexp
	table map[string]map[string]string // base name → labels
}

// NewLabeler takes an expression that is searched in the path as given, each named group an axis; or a csv whose column key
// is compared with the path's base name, every other column an axis; or both. Signs of column names that are no
// letters or digits become _.
func NewLabeler(expr, table, key string) (*Labeler, error) {
	l := &Labeler{}
	if expr != "" {
		var err error
		if l.expr, err = regexp.Compile(expr); err != nil {
			return nil, fmt.Errorf("dataset: label: %w; write each axis as a named group, such as (?P<song>[a-z]+)_", err)
		}
		for _, g := range l.expr.SubexpNames() {
			if g != "" {
				l.Axes = append(l.Axes, g)
			}
		}
		if len(l.Axes) == 0 {
			return nil, fmt.Errorf("dataset: label %q: no named group; name the axis as in (?P<song>[a-z]+)", expr)
		}
	}
	if table != "" {
		if err := l.readTable(table, key); err != nil {
			return nil, err
		}
	}
	return l, checkAxes(l.Axes)
}

func (l *Labeler) readTable(file, key string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("dataset: labels: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return &FileError{fmt.Errorf("dataset: labels: %s: %w", file, err)}
	}
	if len(rows) == 0 {
		return &FileError{fmt.Errorf("dataset: labels: %s: is empty; its first line names the columns", file)}
	}
	head := rows[0]
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := slices.Index(head, key)
	if at < 0 {
		return fmt.Errorf("dataset: labels: %s: no column %q; there are %s", file, key, strings.Join(head, ", "))
	}
	for i, h := range head {
		if i != at {
			l.Axes = append(l.Axes, axisName(h))
		}
	}
	l.table = make(map[string]map[string]string, len(rows)-1)
	for n, r := range rows[1:] {
		name := path.Base(Text(r[at]))
		labels := map[string]string{}
		for i, v := range r {
			if i != at {
				labels[axisName(head[i])] = Text(strings.TrimSpace(v))
			}
		}
		if _, twice := l.table[name]; twice {
			return &FileError{fmt.Errorf("dataset: labels: %s: line %d: %q has a row already; take one of them out", file, n+2, name)}
		}
		l.table[name] = labels
	}
	return nil
}

func axisName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(axisSigns, r) {
			return r
		}
		return '_'
	}, strings.TrimSpace(s))
	if s == "" {
		return "_"
	}
	return s
}

// Labels returns the labels of a path; false when the expression does not match it or the table has no row for it. What did
// not match stays empty.
func (l *Labeler) Labels(p string) (map[string]string, bool) {
	labels, ok := map[string]string{}, true
	if l == nil {
		return labels, true
	}
	if l.expr != nil {
		m := l.expr.FindStringSubmatch(p)
		for i, g := range l.expr.SubexpNames() {
			if g != "" && m != nil {
				labels[g] = m[i]
			}
		}
		ok = m != nil
	}
	if l.table != nil {
		row, found := l.table[path.Base(p)]
		if file, _, several := strings.Cut(p, "#"); !found && several {
			row, found = l.table[path.Base(file)]
		}
		for a, v := range row {
			labels[a] = v
		}
		ok = ok && found
	}
	return labels, ok
}
