package dataset

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/capture"
)

// Formats that Import reads.
const (
	Auto = "auto" // captures by content, other files by their ending
	Pcap = "pcap"
	CSV  = "csv"
	NPZ  = "npz"
	UCRs = "ucr"
)

// Formats lists them.
var Formats = []string{Auto, Pcap, CSV, NPZ, UCRs}

// source is a file to import.
type source struct {
	path, format string
}

// endings of the files that a folder gives where content does not tell.
var endings = map[string][]string{CSV: {".csv"}, NPZ: {".npz"}, UCRs: {".ts", ".tsv"}}

// findSources lists the files to import, sorted by path, each once. A folder gives its captures, told by content, or
// with another format the files with its ending.
func findSources(srcs []string, format string) ([]source, error) {
	var list []source
	for _, src := range srcs {
		if IsSet(src) && (format == Auto || format == Pcap) {
			return nil, fmt.Errorf("dataset: %s: is a data set already; data merge unites sets, data export copies one", src)
		}
		st, err := os.Stat(src)
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		if !st.IsDir() {
			list = append(list, source{src, format})
			continue
		}
		n, found := len(list), format
		if found == Auto {
			found = Pcap
		}
		if err := walk(src, func(p string) error {
			take := slices.Contains(endings[found], strings.ToLower(filepath.Ext(p)))
			if found == Pcap {
				take, err = capture.IsCapture(p)
				if err != nil {
					return err
				}
				take = take || emptyCapture(p)
			}
			if take {
				list = append(list, source{p, found})
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		if len(list) == n {
			return nil, fmt.Errorf("dataset: %s: %s", src, nothingIn(format))
		}
	}
	slices.SortFunc(list, func(a, b source) int { return strings.Compare(a.path, b.path) })
	list = slices.CompactFunc(list, func(a, b source) bool { return a.path == b.path })
	for i := range list {
		s := &list[i]
		if s.format != Auto {
			continue
		}
		s.format = Pcap // also for what is none: its problem is then a capture reader's
		if is, err := capture.IsCapture(s.path); err == nil && !is {
			for f, e := range endings {
				if slices.Contains(e, strings.ToLower(filepath.Ext(s.path))) {
					s.format = f
				}
			}
		}
	}
	return list, nil
}

// emptyCapture tells a file without a byte by its name: a recorder made it and wrote nothing, which the user should hear.
func emptyCapture(path string) bool {
	st, err := os.Stat(path)
	if err != nil || st.Size() > 0 {
		return false
	}
	name := strings.ToLower(path)
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	return slices.Contains([]string{".pcap", ".pcapng", ".cap"}, filepath.Ext(name))
}

func nothingIn(format string) string {
	if format == Auto || format == Pcap {
		return "no capture in this folder; for other files name the format with --format"
	}
	return fmt.Sprintf("no file with the ending %s in this folder", strings.Join(endings[format], " or "))
}

// walk calls f with the regular files below dir, through links to files but not to folders.
func walk(dir string, f func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p := filepath.Join(dir, e.Name())
		if e.IsDir() {
			if err := walk(p, f); err != nil {
				return err
			}
			continue
		}
		if st, err := os.Stat(p); err != nil || !st.Mode().IsRegular() {
			continue // a link to nowhere, a socket
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// FileError is about a file that an option names: it cannot be read, or holds something else.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// ParsePrefixes reads CIDRs or addresses between commas; @FILE stands for a file with one in each line, # comments.
func ParsePrefixes(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, f := range strings.Split(list, ",") {
		f = strings.TrimSpace(f)
		if name, ok := strings.CutPrefix(f, "@"); ok {
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			for n, line := range strings.Split(string(b), "\n") {
				line, _, _ = strings.Cut(line, "#")
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				p, err := parsePrefix(line)
				if err != nil {
					return nil, &FileError{fmt.Errorf("%s: line %d: %w", name, n+1, err)}
				}
				out = append(out, p)
			}
			continue
		}
		if f == "" {
			continue
		}
		p, err := parsePrefix(f)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no address; give one or a network such as 192.168.0.0/16", s)
	}
	return p.Masked(), nil
}
