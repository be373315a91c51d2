package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"earshot/train/metrics"
)

// trials is a csv file by columns.
type trials struct {
	path string
	cols map[string][]string
	rows int
}

func readTrials(path string) (*trials, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("stats: %s: is empty; the first line names the columns", path)
	}
	if err != nil {
		return nil, fmt.Errorf("stats: %s: %w", path, err)
	}
	t := &trials{path: path, cols: map[string][]string{}}
	for i := range head {
		head[i] = strings.TrimSpace(strings.TrimPrefix(head[i], "\ufeff")) // spreadsheets write a byte-order mark
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("stats: %s: %w", path, err)
		}
		for i, v := range row {
			t.cols[head[i]] = append(t.cols[head[i]], strings.TrimSpace(v))
		}
		t.rows++
	}
}

func (t *trials) column(name string) ([]string, error) {
	c, ok := t.cols[name]
	if !ok {
		return nil, fmt.Errorf("stats: %s: has no rows or no column %s", t.path, name)
	}
	return c, nil
}

func (t *trials) numbers(name string) ([]float64, error) {
	c, err := t.column(name)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(c))
	for i, s := range c {
		if out[i], err = strconv.ParseFloat(s, 64); err != nil {
			return nil, fmt.Errorf("stats: %s: trial %d: %s %q is not a number", t.path, i+1, name, s)
		}
	}
	return out, nil
}

func onAccuracy(f func(a, b []float64, level float64) (metrics.Test, error)) func(a, b *trials, level float64) (metrics.Test, error) {
	return func(a, b *trials, level float64) (metrics.Test, error) {
		x, err := a.numbers("accuracy")
		if err != nil {
			return metrics.Test{}, err
		}
		y, err := b.numbers("accuracy")
		if err != nil {
			return metrics.Test{}, err
		}
		return f(x, y, level)
	}
}

// correctedTrials takes the sizes of the splits from both files, which must agree. Only their ratio counts; where the
// trials' sizes differ it is that of the sums.
func correctedTrials(a, b *trials, level float64) (metrics.Test, error) {
	sums := [2]float64{}
	for i, name := range []string{"n_train", "n_test"} {
		x, err := a.numbers(name)
		if err != nil {
			return metrics.Test{}, err
		}
		y, err := b.numbers(name)
		if err != nil {
			return metrics.Test{}, err
		}
		if !slices.Equal(x, y) {
			return metrics.Test{}, fmt.Errorf("stats: %s and %s: differ in %s; the trials must be of the same splits", a.path, b.path, name)
		}
		for _, v := range x {
			sums[i] += v
		}
		if !(sums[i] >= 1 && sums[i] < 1<<53) {
			return metrics.Test{}, fmt.Errorf("stats: %s: %s adds up to %g", a.path, name, sums[i])
		}
	}
	return onAccuracy(func(x, y []float64, level float64) (metrics.Test, error) {
		return metrics.Corrected(x, y, int(sums[0]), int(sums[1]), level)
	})(a, b, level)
}

func mcNemarTrials(a, b *trials, level float64) (metrics.Test, error) {
	if a.rows != b.rows {
		return metrics.Test{}, fmt.Errorf("stats: %s and %s: %d and %d points; both must hold the same", a.path, b.path, a.rows, b.rows)
	}
	right := [2][]bool{}
	for i, t := range []*trials{a, b} {
		predicted, err := t.column("predicted")
		if err != nil {
			return metrics.Test{}, err
		}
		truth, err := t.column("true")
		if err != nil {
			return metrics.Test{}, err
		}
		for j := range predicted {
			right[i] = append(right[i], predicted[j] == truth[j])
		}
	}
	for _, name := range []string{"true", "capture_id"} {
		x, y := a.cols[name], b.cols[name]
		for j := range min(len(x), len(y)) {
			if x[j] != y[j] {
				return metrics.Test{}, fmt.Errorf("stats: %s and %s: point %d: %s is %q and %q; the points must be in the same order", a.path, b.path, j+1, name, x[j], y[j])
			}
		}
	}
	onlyA, onlyB := 0, 0
	for j := range right[0] {
		switch {
		case right[0][j] && !right[1][j]:
			onlyA++
		case right[1][j] && !right[0][j]:
			onlyB++
		}
	}
	return metrics.McNemar(onlyA, onlyB, a.rows, level)
}
