package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"earshot/data/bundled"
)

// Format is the number of the folder's format; a change of names or meanings raises it.
const Format = 1

const manifestName = "dataset.json"

// Manifest is dataset.json.
type Manifest struct {
	Format     int      `json:"format"`
	Name       string   `json:"name"`
	Origin     string   `json:"origin"`     // where the captures come from
	License    string   `json:"license"`    // of the captures
	Authorized string   `json:"authorized"` // the operator's statement that this traffic may be recorded
	Axes       []string `json:"axes"`       // label axes, in the order of their columns
	Clients    []string `json:"clients"`    // CIDRs that told who is the client; neither list: guessed
	Servers    []string `json:"servers"`
	Filter     string   `json:"filter"` // capture filter that was in force while recording
	Parts      []Part   `json:"parts"`
	Works      []Work   `json:"works,omitempty"` // what was played, where somebody has rights in it
	Created    string   `json:"created"`         // RFC 3339, given by the caller
}

// Work credits something that was played or shown: the row of a table, by its columns. The column of a label axis has the label of
// its captures, the column license the license of the work itself, which is not that of the captures.
type Work map[string]string

// Part is one file of the folder.
type Part struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows"`
}

// IsSet reports whether dir is a data set folder, or written as the name of a bundled one, about which Open knows more.
func IsSet(dir string) bool {
	if bundled.Is(dir) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, manifestName))
	return err == nil
}

// writable refuses names of bundled data sets as a place to write.
func writable(dir string) error {
	if bundled.Is(dir) {
		return Unknown(fmt.Sprintf("dataset: %s: names a data set within the program, which nothing writes to; take another folder", dir))
	}
	return nil
}

func readManifest(files fs.FS, dir string) (Manifest, error) {
	var m Manifest
	b, err := fs.ReadFile(files, manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("dataset: %s: no %s here; make a data set with `earshot data import`", dir, manifestName)
	}
	if err != nil {
		return m, fmt.Errorf("dataset: %w", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("dataset: %s: %s: %w", dir, manifestName, err)
	}
	if m.Format != Format {
		return m, fmt.Errorf("dataset: %s: format %d; this version reads format %d", dir, m.Format, Format)
	}
	for _, p := range m.Parts {
		if p.Name != filepath.Base(p.Name) || p.Name == manifestName || strings.HasPrefix(p.Name, ".") {
			return m, fmt.Errorf("dataset: %s: part %q is not a file of the folder", dir, p.Name)
		}
	}
	return m, nil
}

func (m *Manifest) write(dir string) error {
	return writeFile(dir, manifestName, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

// tempPrefix marks files that a writer has not finished. Nobody reads them.
const tempPrefix = ".tmp-"

// writeFile makes dir/name whole or not at all: temporary name, sync, rename, sync of the folder.
func writeFile(dir, name string, write func(io.Writer) error) error {
	temp := filepath.Join(dir, tempPrefix+name)
	f, err := os.Create(temp)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, name))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("dataset: %s: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// syncDir makes renames in dir last through a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// fileDigest is the SHA-256 of a file, in hexadecimal.
func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	return digestOf(f)
}

// digestOf is fileDigest of an open file, which it closes.
func digestOf(f io.ReadCloser) (string, error) {
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
