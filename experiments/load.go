package experiments

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"earshot/train"
)

// noRun is the error about a folder whose manifest cannot be read.
type noRun struct{ err error }

func (e *noRun) Error() string { return e.err.Error() }
func (e *noRun) Unwrap() error { return e.err }

// LoadRun opens a run folder: manifest, splits, captures and every finished cell with its predictions and history. A
// run that was stopped opens too; Missing names what it lacks. The error names the file that cannot be used.
func LoadRun(dir string) (*Run, error) {
	r := &Run{Dir: dir}
	if err := readJSON(filepath.Join(dir, "manifest.json"), &r.Manifest); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("experiments: %s: no manifest.json, so it is no run; name the folder that run --out wrote", dir)
		}
		return nil, &noRun{err}
	}
	if f := r.Manifest.Format; f != FolderFormat {
		return nil, fmt.Errorf("experiments: %s: manifest.json: format %d, this program reads %d", dir, f, FolderFormat)
	}
	if err := readJSON(filepath.Join(dir, "splits.json"), &r.Splits); err != nil {
		return nil, err
	}
	var err error
	if r.Captures, err = readCaptures(filepath.Join(dir, "captures.csv"), r.Manifest.Settings.Classes); err != nil {
		return nil, err
	}
	if err := r.loadAudit(); err != nil {
		return nil, err
	}
	if s, ok := Studies[r.Manifest.Study]; ok {
		r.Manifest.Settings.Published = s.Published
	}
	for _, id := range r.Manifest.Cells {
		c, err := LoadCell(filepath.Join(dir, "cells", id))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.Missing = append(r.Missing, id)
			continue
		case err != nil:
			return nil, err
		}
		r.Cells = append(r.Cells, c)
	}
	return r, nil
}

// LoadCell reads one cell's folder. The error wraps fs.ErrNotExist when there is no such cell.
func LoadCell(dir string) (*Cell, error) {
	c := new(Cell)
	if err := readJSON(filepath.Join(dir, "cell.json"), c); err != nil {
		return nil, err
	}
	if c.Format != FolderFormat {
		return nil, fmt.Errorf("experiments: %s: cell.json: format %d, this program reads %d", dir, c.Format, FolderFormat)
	}
	if !c.OK() {
		return c, nil
	}
	var err error
	if c.Predictions, err = readPredictions(filepath.Join(dir, "predictions.csv"), c.Classes); err != nil {
		return nil, err
	}
	if c.History, err = readHistory(filepath.Join(dir, "history.csv")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if c.Shuffles > 0 {
		if c.Importances, err = readImportances(filepath.Join(dir, "importances.csv")); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// loadStatus reads a cell's status alone. The error wraps fs.ErrNotExist when there is no such cell.
func loadStatus(dir string) (string, error) {
	var c struct {
		Status string `json:"status"`
	}
	err := readJSON(filepath.Join(dir, "cell.json"), &c)
	return c.Status, err
}

// Synthetic reports whether the run's data are generated: then every table and figure must say SYNTHETIC.
func (r *Run) Synthetic() bool { return r.Manifest.Data.Synthetic }

// Cell returns a cell by its name, nil when there is none.
func (r *Run) Cell(id string) *Cell {
	for _, c := range r.Cells {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Bursts reads packets.csv: the first capture of every class, packet by packet.
func (r *Run) Bursts() ([]Burst, error) {
	path := filepath.Join(r.Dir, "packets.csv")
	rows, err := readCSV(path, packetColumns)
	if err != nil {
		return nil, err
	}
	var out []Burst
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		class, id := f[0], p.int(1, 64)
		row := PacketRow{No: int(p.int(3, 64)), TimeUS: p.int(4, 64), Src: f[5], Dst: f[6],
			SPort: uint16(p.int(7, 32)), DPort: uint16(p.int(8, 32)), Protocol: uint8(p.int(9, 16)),
			Direction: uint8(p.int(10, 8)), PayloadBytes: int32(p.int(11, 32)), IPBytes: int32(p.int(12, 32)),
			FrameBytes: int32(p.int(13, 32))}
		if p.err != nil {
			return nil, p.err
		}
		if len(out) == 0 || out[len(out)-1].CaptureID != id {
			out = append(out, Burst{Class: class, CaptureID: id, Source: f[2]})
		}
		b := &out[len(out)-1]
		b.Packets = append(b.Packets, row)
	}
	return out, nil
}

// Columns of the files of a run folder that this package alone writes.
var (
	packetColumns = []string{"class", "capture_id", "source", "no", "t_us", "src", "dst", "sport", "dport", "protocol",
		"direction", "payload_bytes", "ip_bytes", "frame_bytes"}
	captureColumns = []string{"capture_id", "source", "class", "start_us", "duration_us", "packets", "bytes_up",
		"bytes_down", "bytes_unknown", "seen_bytes", "seen_packets"}
	importanceColumns = []string{"feature", "mdi", "permutation"}
	historyColumns    = []string{"epoch", "steps", "loss", "train_accuracy", "lr", "momentum"}
)

func readCaptures(path string, classes []string) ([]Capture, error) {
	head, rows, err := readTable(path)
	if err != nil {
		return nil, err
	}
	n := len(captureColumns) // behind them one column label_AXIS for each axis
	if len(head) < n || !slices.Equal(head[:n], captureColumns) {
		return nil, columnsError(path, captureColumns)
	}
	out := make([]Capture, len(rows))
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		out[i] = Capture{ID: p.int(0, 64), Source: f[1], Class: p.class(2, classes), StartUS: p.int(3, 64), DurationUS: p.int(4, 64),
			Packets: p.int(5, 64), BytesUp: p.int(6, 64), BytesDown: p.int(7, 64), BytesUnknown: p.int(8, 64),
			SeenBytes: p.int(9, 64), SeenPackets: p.int(10, 64), Labels: map[string]string{}}
		for j, name := range head[n:] {
			out[i].Labels[strings.TrimPrefix(name, "label_")] = f[n+j]
		}
		if p.err != nil {
			return nil, p.err
		}
	}
	return out, nil
}

func readPredictions(path string, classes []string) ([]Prediction, error) {
	rows, err := readCSV(path, predictionColumns(classes))
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(rows))
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		q := Prediction{CaptureID: p.int(0, 64), Source: f[1], True: p.class(2, classes), Predicted: p.class(3, classes)}
		for k := range classes {
			q.Scores = append(q.Scores, float32(p.float(4+k, 32)))
		}
		if p.err != nil {
			return nil, p.err
		}
		out[i] = q
	}
	return out, nil
}

func readHistory(path string) (train.History, error) {
	rows, err := readCSV(path, historyColumns)
	if err != nil {
		return nil, err
	}
	out := make(train.History, len(rows))
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		out[i] = train.Epoch{Epoch: int(p.int(0, 64)), Steps: int(p.int(1, 64)), Loss: p.float(2, 64),
			TrainAccuracy: p.float(3, 64), LR: p.float(4, 64), Momentum: p.float(5, 64)}
		if p.err != nil {
			return nil, p.err
		}
	}
	return out, nil
}

func readImportances(path string) ([]Importance, error) {
	rows, err := readCSV(path, importanceColumns)
	if err != nil {
		return nil, err
	}
	out := make([]Importance, len(rows))
	for i, f := range rows {
		p := rowParser{path: path, row: i + 2, field: f}
		out[i] = Importance{Feature: f[0], MDI: math.NaN(), Permutation: p.float(2, 64)}
		if f[1] != "" {
			out[i].MDI = p.float(1, 64)
		}
		if p.err != nil {
			return nil, p.err
		}
	}
	return out, nil
}

func predictionColumns(classes []string) []string {
	cols := []string{"capture_id", "source", "true", "predicted"}
	for _, c := range classes {
		cols = append(cols, "score_"+c)
	}
	return cols
}

// readCSV returns the rows below the header, which must be the given one.
func readCSV(path string, header []string) ([][]string, error) {
	head, rows, err := readTable(path)
	if err == nil && !slices.Equal(head, header) {
		err = columnsError(path, header)
	}
	return rows, err
}

func columnsError(path string, header []string) error {
	return fmt.Errorf("experiments: %s: line 1: the columns must be %s", path, strings.Join(header, ","))
}

// readTable returns header and rows, all of one width.
func readTable(path string) (head []string, rows [][]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("experiments: %w", err)
	}
	defer f.Close()
	if rows, err = csv.NewReader(f).ReadAll(); err != nil {
		return nil, nil, fmt.Errorf("experiments: %s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, nil, fmt.Errorf("experiments: %s: empty; a header is needed", path)
	}
	return rows[0], rows[1:], nil
}

// rowParser reads the fields of one row and keeps the first error, with file and line.
type rowParser struct {
	path  string
	row   int
	field []string
	err   error
}

func (p *rowParser) fail(i int, what string) {
	if p.err == nil {
		p.err = fmt.Errorf("experiments: %s: line %d: field %d: %q is not %s", p.path, p.row, i+1, p.field[i], what)
	}
}

func (p *rowParser) int(i, bits int) int64 {
	v, err := strconv.ParseInt(p.field[i], 10, bits)
	if err != nil {
		p.fail(i, "a whole number")
	}
	return v
}

func (p *rowParser) float(i, bits int) float64 {
	v, err := strconv.ParseFloat(p.field[i], bits)
	if err != nil {
		p.fail(i, "a number")
	}
	return v
}

func (p *rowParser) class(i int, classes []string) int {
	k := slices.Index(classes, p.field[i])
	if k < 0 {
		p.fail(i, "a class of the run")
	}
	return k
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("experiments: %s: %w", path, err)
	}
	return nil
}
