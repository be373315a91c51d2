package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
)

// healthName is the table in which a recorder keeps what it knows of each capture, settingsName what it was set to.
const (
	healthName   = "health.csv"
	settingsName = "record.json"
)

// Health sums up health.csv.
type Health struct {
	Captures map[string]int `json:"captures"` // by status
	GivenUp  map[string]int `json:"given_up"` // captures that are not in the set, by status
	Attempts int            `json:"attempts"` // at the captures of the set
	Drops    int64          `json:"drops"`    // packets that the recorder lost
	Expected int64          `json:"expected_bytes"`
	Seen     int64          `json:"seen_bytes"`
}

// health reads health.csv; nil when there is none, or a table of that name with other columns.
func (s *Set) health() (*Health, error) {
	f, err := s.files.Open(healthName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %s: %w", s.Dir, healthName, err)
	}
	columns := []string{captureColumn, "expected_bytes", "seen_bytes", "drops", "attempts", "status"}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		return nil, nil
	}
	h := &Health{Captures: map[string]int{}, GivenUp: map[string]int{}}
	for n, r := range rows[1:] {
		var v [5]int64
		for k := range v {
			if v[k], err = strconv.ParseInt(r[k], 10, 64); err != nil {
				return nil, fmt.Errorf("dataset: %s: %s: line %d: %s %q is no whole number; correct the file", s.Dir, healthName, n+2, columns[k], r[k])
			}
		}
		switch id := v[0]; {
		case id < 0:
			h.GivenUp[r[5]]++
		case id < int64(len(s.Captures)): // else a recorder is at work: the capture is not counted yet
			h.Captures[r[5]]++
			h.Expected, h.Seen, h.Drops, h.Attempts = h.Expected+v[1], h.Seen+v[2], h.Drops+v[3], h.Attempts+int(v[4])
		}
	}
	return h, nil
}
