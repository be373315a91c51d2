package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"earshot/data/dataset"
	"earshot/data/dataset/npz"
	"earshot/train"
)

// rows is what a network is trained on or asked about, with where each row came from.
type rows struct {
	train.Data
	capture []int64
	source  []string
	digest  string
	prep    preprocessing
}

// preprocessing is the part of model.json that says how captures become rows. From an array nothing is known but its
// labels: then Bin is nil and a model cannot read captures by itself.
type preprocessing struct {
	Label   string   `json:"label,omitempty"`
	Bin     *binRule `json:"bin,omitempty"`
	Clients []string `json:"clients,omitempty"` // the clients rule of the data set
	Servers []string `json:"servers,omitempty"`
}

// loadRows reads a data set folder, binned by the flags, or an array file of bin.
func loadRows(path string, b *binFlags) (*rows, error) {
	if !dataset.IsSet(path) {
		st, err := os.Stat(path)
		if err == nil && st.IsDir() {
			_, err = dataset.Open(path) // says what is missing in a folder
			return nil, err
		}
		if err == nil {
			err = b.refuseSet(path)
		}
		if err != nil {
			return nil, err
		}
		return loadArray(path)
	}
	c, err := b.config()
	if err != nil {
		return nil, err
	}
	s, err := dataset.Open(path)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.Manifest.Axes, b.label) {
		if b.label == "" {
			return nil, usagef("--label is needed; the axes of %s are %s", path, strings.Join(s.Manifest.Axes, ", "))
		}
		return nil, usagef("--label %q: %s has the axes %s", b.label, path, strings.Join(s.Manifest.Axes, ", "))
	}
	t, err := dataset.Bin(s, b.label, b.classes, c)
	if err != nil {
		return nil, err
	}
	rule := ruleOf(c)
	return &rows{
		Data:    train.Data{X: t.X, N: t.N, C: t.C, T: t.T, Y: t.Y, Classes: t.Classes},
		capture: t.CaptureID, source: t.Source, digest: s.Digest(),
		prep: preprocessing{Label: b.label, Bin: &rule, Clients: s.Manifest.Clients, Servers: s.Manifest.Servers},
	}, nil
}

// loadArray reads X (N, C, T) or (N, T), y (N) and classes (K) of an .npz file, or X alone from an .npy file. Without
// classes the numbers in y name them.
func loadArray(path string) (*rows, error) {
	file, err := npz.Read(path)
	if err != nil {
		return nil, err
	}
	bad := func(format string, args ...any) (*rows, error) {
		return nil, fmt.Errorf("array: %s: %w", path, fmt.Errorf(format, args...))
	}
	x, ok := file["X"]
	if !ok && len(file) == 1 {
		for _, only := range file { // an .npy file has one array without a name
			x, ok = only, true
		}
	}
	if !ok {
		return bad("no array X; bin writes X, y, classes and capture")
	}
	r := &rows{}
	switch s := x.Shape; len(s) {
	case 3:
		r.N, r.C, r.T = s[0], s[1], s[2]
	case 2:
		r.N, r.C, r.T = s[0], 1, s[1]
	default:
		return bad("X is %v; a shape of (N, C, T) is needed", s)
	}
	if r.X, err = x.AsFloat32(); err != nil {
		return bad("X: %w", err)
	}
	if y, ok := file["y"]; ok {
		v, err := y.AsInt64()
		if err != nil || len(v) != r.N {
			return bad("y: %d whole numbers are needed, one for each row of X", r.N)
		}
		for _, n := range v {
			r.Y = append(r.Y, int(n))
		}
		r.Classes = file["classes"].Str
		if r.Classes == nil {
			for k := range slices.Max(append(r.Y, 0)) + 1 {
				r.Classes = append(r.Classes, strconv.Itoa(k))
			}
		}
		for i, n := range r.Y {
			if n < 0 || n >= len(r.Classes) {
				return bad("y: row %d: class %d of %d", i, n, len(r.Classes))
			}
		}
	}
	r.source = file["capture"].Str
	for i := range r.N {
		r.capture = append(r.capture, int64(i))
		if len(r.source) <= i {
			r.source = append(r.source, filepath.Base(path)+":"+strconv.Itoa(i))
		}
	}
	r.digest, err = fileDigest(path)
	return r, err
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// prefixes reads client or server addresses as data sets store them: CIDR blocks or single addresses.
func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, e := netip.ParseAddr(s)
			if e != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}
