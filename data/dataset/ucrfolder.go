package dataset

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is a classification problem of an archive: the files of its official split.
type Problem struct {
	Name        string // as the files are named: NAME_TRAIN.ts
	Train, Test string // paths
}

// ucrEndings are those that ReadUCR reads, in the order in which one is taken where a problem has several.
var ucrEndings = []string{".ts", ".tsv", ".txt", ".csv", ""}

// FindUCR lists the problems below a folder: pairs NAME_TRAIN and NAME_TEST of one format beside each other, sorted by
// name. Of several formats the first of .ts, .tsv, .txt, .csv and no ending is taken.
func FindUCR(dir string) ([]Problem, error) {
	type key struct{ dir, name, ending string }
	halves := map[key][2]string{}
	if i, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	} else if !i.IsDir() {
		return nil, fmt.Errorf("dataset: %s: is a file; name the folder that holds the files of an archive", dir)
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error { // dir itself may be a link
		if err != nil || e.IsDir() {
			return err
		}
		path = filepath.Join(dir, filepath.FromSlash(path))
		ending := strings.ToLower(filepath.Ext(path))
		stem := strings.TrimSuffix(e.Name(), filepath.Ext(path))
		for i, half := range []string{"_TRAIN", "_TEST"} {
			if name, ok := strings.CutSuffix(stem, half); ok && name != "" && slices.Contains(ucrEndings, ending) {
				k := key{filepath.Dir(path), name, ending}
				h := halves[k]
				h[i] = path
				halves[k] = h
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", dir, err)
	}
	byName := map[string]key{}
	for k, h := range halves {
		if h[0] == "" || h[1] == "" {
			continue
		}
		other, taken := byName[k.name]
		if taken && other.dir != k.dir {
			first, second := halves[other][0], h[0]
			if first > second {
				first, second = second, first
			}
			return nil, fmt.Errorf("dataset: %s: also in %s; a problem must be there once", second, first)
		}
		if !taken || slices.Index(ucrEndings, k.ending) < slices.Index(ucrEndings, other.ending) {
			byName[k.name] = k
		}
	}
	var out []Problem
	for name, k := range byName {
		out = append(out, Problem{name, halves[k][0], halves[k][1]})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("dataset: %s: no pair of files NAME_TRAIN and NAME_TEST; the UCR and UEA archives have them, as .ts or .tsv", dir)
	}
	slices.SortFunc(out, func(a, b Problem) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}
