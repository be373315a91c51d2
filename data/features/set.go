package features

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"earshot/data/trace"
)

// Field is one column.
type Field struct {
	Set     string `json:"set"`
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Formula string `json:"formula"`
	Paper   string `json:"paper"`
}

// Setting is a number or choice that a set takes.
type Setting struct{ Name, Default, About string }

// Set is a group of columns that belong to one paper or program.
type Set struct {
	Name, Paper, About string
	Settings           []Setting
	open               func(s *settings) computer
}

// computer fills the columns of a row.
type computer interface {
	fields() []Field // without Set and Paper
	row(u *Unit, dst []float64)
}

// fitter is a computer that looks at the data first.
type fitter interface {
	// fit sees every unit; training tells whether its capture belongs to the training data.
	fit(u *Unit, training bool)
	// learned are the numbers that rows are computed with.
	learned() []float64
}

// Per says what a row describes.
type Per uint8

const (
	PerCapture Per = iota
	PerConnection
)

// ParsePer reads "capture" or "connection".
func ParsePer(s string) (Per, error) {
	switch s {
	case "capture":
		return PerCapture, nil
	case "connection":
		return PerConnection, nil
	}
	return 0, fmt.Errorf("features: per %q; choose capture or connection", s)
}

// Options of an extraction. The zero value counts payload bytes; the command's default is IP bytes.
type Options struct {
	Per  Per
	Size trace.Size        // bytes of a packet, for every set but tcptrace's, which count payload
	Set  map[string]string // settings by name; those not named have their defaults
}

// connectionSettings are understood whenever rows are connections.
var connectionSettings = []Setting{
	{"idle", "120s", "silence that ends a flow; TCP connections of tcptrace end by its own rules"},
	{"active", "1800s", "longest flow"},
}

// Lookup finds a set by name.
func Lookup(name string) (Set, error) {
	var names []string
	for _, s := range All {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Set{}, fmt.Errorf("features: no set %q; choose of %s", name, strings.Join(names, ", "))
}

// Fields lists the columns that the set has with its default settings.
func (s Set) Fields() []Field {
	o := newSettings(Options{Size: trace.IP}, s.Settings)
	return s.label(s.open(o))
}

// label completes a computer's fields.
func (s Set) label(c computer) []Field {
	fields := slices.Clone(c.fields())
	for i := range fields {
		fields[i].Set, fields[i].Paper = s.Name, s.Paper
	}
	return fields
}

// settings reads the values of a set's settings and keeps the first mistake.
type settings struct {
	Options
	defaults map[string]string
	err      error
}

func newSettings(o Options, known []Setting) *settings {
	s := &settings{Options: o, defaults: map[string]string{}}
	for _, k := range known {
		s.defaults[k.Name] = k.Default
	}
	return s
}

func (s *settings) text(name string) string {
	if v, ok := s.Set[name]; ok {
		return v
	}
	return s.defaults[name]
}

func (s *settings) fail(name, want string) {
	if s.err == nil {
		s.err = fmt.Errorf("features: setting %s=%s; it takes %s", name, s.text(name), want)
	}
}

// choice reads one of several words.
func (s *settings) choice(name string, words ...string) string {
	v := s.text(name)
	if !slices.Contains(words, v) {
		s.fail(name, strings.Join(words, " or "))
		return words[0]
	}
	return v
}

// number reads a whole number from 1 to limit.
func (s *settings) number(name string, limit int) int {
	n, err := strconv.Atoi(s.text(name))
	if err != nil || n < 1 || n > limit {
		s.fail(name, fmt.Sprintf("a whole number from 1 to %d", limit))
		return 1
	}
	return n
}

func (s *settings) duration(name string) time.Duration {
	d, err := time.ParseDuration(s.text(name))
	if err != nil || d < time.Microsecond {
		s.fail(name, "a duration such as 80s")
		return time.Second
	}
	return d
}
