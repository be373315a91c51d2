package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// byteSize is a flag such as 4GiB; a plain number counts bytes, 0 means no limit.
type byteSize int64

var sizeUnits = []struct {
	name string
	n    float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

func (b *byteSize) Set(s string) error {
	for _, u := range sizeUnits {
		num, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || !(v >= 0 && v*u.n < 1<<62) {
			break
		}
		*b = byteSize(v * u.n)
		return nil
	}
	return errors.New("not a size; write 512MiB or 4GiB")
}

func (b *byteSize) Type() string { return "SIZE" }

func (b *byteSize) String() string {
	for i := 3; i >= 0; i-- {
		if u := sizeUnits[i]; *b > 0 && int64(*b)%int64(u.n) == 0 {
			return strconv.FormatInt(int64(*b)/int64(u.n), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(*b), 10)
}

// refuseExisting guards what --out names: nothing is overwritten without --force.
func refuseExisting(path string, force bool) error {
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && force:
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s: exists already; use another --out, or --force to replace it", path)
}

// checkOut is refuseExisting for a file: the folder that it is to lie in must be there, which is better known before an
// hour's work than after it.
func checkOut(path string, force bool) error {
	dir := filepath.Dir(path)
	if st, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the folder %s does not exist; make it first", path, dir)
	} else if err == nil && !st.IsDir() {
		return fmt.Errorf("%s: %s is a file, not a folder; take another path", path, dir)
	}
	return refuseExisting(path, force)
}

// replaceFile writes a file as a whole: temporary name, sync, rename.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// again is the command line that repeats a command: what a stopped run prints.
func again(cmd *cobra.Command, args []string) string {
	words := []string{cmd.CommandPath()}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "force" { // would begin anew
			return
		}
		v := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			v = strings.Join(s.GetSlice(), ",")
		}
		words = append(words, "--"+f.Name+"="+quoted(v))
	})
	return strings.Join(words, " ")
}

// quoted is a word as a shell reads it back.
func quoted(v string) string {
	if v != "" && !strings.ContainsAny(v, " \t\n'\"`\\$&;|<>*?()[]{}#!~") {
		return v
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
}
