package dataset

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"a/söng.pcap":         "a/söng.pcap",
		"a/s\xf6ng.pcap":      `a/s\xf6ng.pcap`,
		"\xff\xfe":            `\xff\xfe`,
		"ö\xc3":               `ö\xc3`, // the first half of an ö
		`already\xf6`:         `already\xf6`,
		"replacement \ufffd.": "replacement \ufffd.",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

// latinSet imports captures whose folder is named in Latin-1, one of them cut, with labels from path and table.
func latinSet(t *testing.T) (dst string, again func() ImportReport) {
	whole := pcapText("0 >100, 10 <1000, 25 <2000")
	root := t.TempDir()
	dir := filepath.Join(root, "\xe9t\xe9")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("the file system takes no such names: %v", err)
	}
	for name, text := range map[string]string{"s\xf6ng.pcap": whole, "cut\xff.pcap": whole[:len(whole)-7]} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Skipf("the file system takes no such names: %v", err)
		}
	}
	table := filepath.Join(root, "labels.csv")
	if err := os.WriteFile(table, []byte("file,artist\ns\xf6ng.pcap,Bj\xf6rk\ncut\xff.pcap,x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := NewLabeler(`/(?P<song>[^/]+)\.pcap`, table, "file")
	if err != nil {
		t.Fatal(err)
	}
	dst = filepath.Join(root, "ds\xf6")
	again = func() ImportReport {
		_, r, _, err := imported(t, dst, ImportOptions{Clients: client10, Labels: l}, dir)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return dst, again
}

// TestLatinNames: everything that is written is UTF-8, and the same import again knows its sources.
func TestLatinNames(t *testing.T) {
	dst, again := latinSet(t)
	if r := again(); r.Captures != 2 || r.Problems != 1 || r.Unlabeled != 0 {
		t.Errorf("%+v", r)
	}
	if r := again(); r.Captures != 0 || r.Skipped != 2 {
		t.Errorf("the second time %+v", r)
	}
	s, err := Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	if s.Manifest.Name != `ds\xf6` {
		t.Errorf("name %q", s.Manifest.Name)
	}
	c := s.Captures[1]
	if !strings.HasSuffix(c.Source, `/\xe9t\xe9/s\xf6ng.pcap`) || c.Labels["song"] != `s\xf6ng` || c.Labels["artist"] != `Bj\xf6rk` {
		t.Errorf("%q %q", c.Source, c.Labels)
	}
	merged, exported := dst+"-merged", dst+".csv"
	if err := Merge(merged, dst); err != nil {
		t.Fatal(err)
	}
	if err := Export(s, "csv", exported); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{filepath.Join(dst, manifestName), filepath.Join(dst, problemsName), filepath.Join(merged, manifestName), filepath.Join(merged, problemsName), exported} {
		if b, err := os.ReadFile(f); err != nil || !utf8.Valid(b) || len(b) == 0 {
			t.Errorf("%s: %d bytes, UTF-8 %v, %v", f, len(b), utf8.Valid(b), err)
		}
	}
}

// TestLatinNamesInPython: pandas and DuckDB read such a set.
func TestLatinNamesInPython(t *testing.T) {
	python := pythonWithParquet(t)
	dst, again := latinSet(t)
	again()
	plain := filepath.Join(t.TempDir(), "ds") // DuckDB's glob wants UTF-8 in the folder's own name
	if err := os.Rename(dst, plain); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "testdata/read_dataset.py", plain).CombinedOutput()
	if want := `{"captures": 2, "packets": 5, "flows": 2, "payload": 4200}` + "\n"; err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}
