package lab

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"earshot/data/dataset"
)

// creditsName is the table of works that may lie in their folder.
const creditsName = "works.csv"

// credit gives the works their rows of a table, whose first column is axis. A table that is there names every work with its
// license; that there is none is no error.
func credit(works []Work, axis, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil && err != io.EOF {
		return fmt.Errorf("lab: %s: %w", path, err)
	}
	if license := slices.Index(head, "license"); license < 1 || head[0] != axis {
		return fmt.Errorf("lab: %s: columns %q; the first must be %s, the name of the file without its ending, and another license", path, head, axis)
	}
	rows := map[string]dataset.Work{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("lab: %s: %w", path, err)
		}
		w := dataset.Work{}
		for i, column := range head {
			w[column] = row[i]
		}
		if rows[row[0]] != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("lab: %s: line %d: %s has a row already; remove one", path, line, row[0])
		}
		rows[row[0]] = w
	}
	for i := range works {
		w := &works[i]
		if w.Credit = rows[w.Name]; w.Credit["license"] == "" {
			return fmt.Errorf("lab: %s: no row with a license for %s %s, which lies beside it; add it, or move the file away", path, axis, w.Name)
		}
	}
	return nil
}
