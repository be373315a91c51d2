package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
)

const problemsName = "problems.csv"

// AddProblem notes what could not be read; packet 0 stands for the source as a whole. The same note twice is kept once.
func (w *Writer) AddProblem(source string, packet int64, problem string) {
	w.problemRow([3]string{Text(source), strconv.FormatInt(packet, 10), Text(problem)})
}

func (w *Writer) problemRow(row [3]string) {
	if w.noted == nil {
		w.noted = map[[3]string]bool{}
		for _, p := range w.problems {
			w.noted[p] = true
		}
	}
	if !w.noted[row] {
		w.noted[row] = true
		w.problems = append(w.problems, row)
	}
}

func (w *Writer) writeProblems() error {
	return writeFile(w.dir, problemsName, func(f io.Writer) error {
		c := csv.NewWriter(f)
		c.Write([]string{"source", "packet", "error"}) // csv.Writer keeps the first error for Flush
		for _, p := range w.problems {
			c.Write(p[:])
		}
		c.Flush()
		return c.Error()
	})
}

func (s *Set) problems() ([][3]string, error) {
	f, err := s.files.Open(problemsName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %s: %w", s.Dir, problemsName, err)
	}
	var list [][3]string
	for _, r := range rows[min(1, len(rows)):] {
		if len(r) == 3 {
			list = append(list, [3]string(r))
		}
	}
	return list, nil
}
