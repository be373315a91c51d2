package experiments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"earshot/nets/kernel"
	"earshot/train"
)

// Options say where a study runs and on what; none of them changes its numbers.
type Options struct {
	Dir      string         // of the run; resumed when it holds the same run
	Data     string         // data set folder or bundled:NAME; empty: the study's generated data, kept in Dir/data
	Backend  kernel.Backend // its threads are those of a cell that sees series: a network, MiniRocket, MultiRocket
	Threads  int            // classical cells at work side by side, and those of the audit; 0: all processors
	Version  Version
	Machine  Machine
	Progress func(Progress) // may be nil
}

// Progress tells how far a sweep is.
type Progress struct {
	Done, Cells int
	Left        time.Duration // until the end; 0 while it is not known
	ID          string
	Event       train.Event // zero before the first optimizer step of the cell
}

// Sweep runs every cell of a study that Dir does not hold yet. It returns when all cells are there, or with ctx's error
// as soon as the cell at work has written its checkpoint. The same study over the same data gives the same bits, however
// often it was stopped or killed on the way; wall times, peak memory and the machine's description excepted.
//
// A cell that does not fit Study.Memory is refused and says why. A cell that fails is recorded too; then the error names
// it after all others have run.
func Sweep(ctx context.Context, study Study, o Options) error {
	if err := CheckFolder(o.Dir); err != nil {
		return err
	}
	_, err := os.Stat(o.Dir)
	begun := err == nil // a folder that was there stays, whatever happens
	defer func() {
		if !begun {
			os.RemoveAll(o.Dir)
		}
	}()
	if err := os.MkdirAll(filepath.Join(o.Dir, "cells"), 0o755); err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	release, err := lockRun(o.Dir)
	if err != nil {
		return err
	}
	defer release()
	removeParts(o.Dir)
	s, err := openSource(study, o.Data, o.Dir)
	if err != nil {
		return err
	}
	if err := s.checkTables(); err != nil {
		return err
	}
	items, splits, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.begin(o, items, splits); err != nil {
		return err
	}
	begun = true
	return s.sweep(ctx, o, items)
}

// CheckFolder refuses a folder that holds anything but a run: a run must neither mix with other files nor, begun anew,
// take them along. A folder that is not there is fine.
func CheckFolder(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	for _, e := range list {
		confusion, _ := filepath.Match("confusion_*.csv", e.Name())
		if !slices.Contains(runEntries, e.Name()) && !confusion && !strings.HasPrefix(e.Name(), ".") {
			return fmt.Errorf("experiments: %s: holds %s, which is not of a run; choose another --out", dir, e.Name())
		}
	}
	return nil
}

// runEntries are the names in a run folder.
var runEntries = []string{
	"manifest.json", "splits.json", "captures.csv", "packets.csv", "series.npz", "data", "data.part", "cells", "cells.csv", "summary.csv",
	"tables", "figures", "report.html", "report.md", "trials.csv", "comparisons.csv", "importances.csv", "archive.csv", auditName, openCurvesName,
}

// partDir is where a cell grows before it gets its name.
func partDir(dir, id string) string { return filepath.Join(dir, "cells", ".part-"+id) }

// begin writes what precedes the cells, or checks that the folder holds the same run.
func (s *source) begin(o Options, items []item, splits map[string]Split) error {
	m := Manifest{Format: FolderFormat, Study: s.study.Name, Settings: s.study, Data: s.info, Version: o.Version, Machine: o.Machine}
	for _, it := range items {
		m.Cells = append(m.Cells, it.id)
	}
	path := filepath.Join(o.Dir, "manifest.json")
	var old Manifest
	err := readJSON(path, &old)
	switch {
	case err == nil:
		if diff := m.difference(old); diff != "" {
			return fmt.Errorf("experiments: %s: holds another run (%s); choose another --out, or --force to replace it", o.Dir, diff)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// The manifest comes last: a folder that has one has the rest.
	if err := writeJSON(filepath.Join(o.Dir, "splits.json"), splits); err != nil {
		return err
	}
	if err := s.writeCaptures(filepath.Join(o.Dir, "captures.csv")); err != nil {
		return err
	}
	if s.problems == nil { // else no packets, and series of many shapes
		if err := s.writeSeries(filepath.Join(o.Dir, "series.npz")); err != nil {
			return err
		}
		if err := s.writePackets(filepath.Join(o.Dir, "packets.csv")); err != nil {
			return err
		}
	}
	if err := s.writeAudit(o.Dir, items, o.Threads); err != nil {
		return err
	}
	return writeJSON(path, m)
}

// difference names the first setting that makes two runs different; memory is not one, since it changes no number.
func (m Manifest) difference(old Manifest) string {
	a, b := m.Settings, old.Settings
	a.Memory, b.Memory = 0, 0
	if x, y := fmt.Sprint(m.Data.Digest), fmt.Sprint(old.Data.Digest); x != y {
		return "other data"
	}
	x, _ := marshal(a)
	y, _ := marshal(b)
	was := strings.Split(string(y), "\n")
	setting := ""
	for i, line := range strings.Split(string(x), "\n") {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), `": `); ok {
			setting = strings.TrimPrefix(name, `"`)
		}
		if i >= len(was) || was[i] != line {
			return "the setting " + setting + " differs"
		}
	}
	if len(was) != bytes.Count(x, []byte("\n"))+1 || !slices.Equal(m.Cells, old.Cells) {
		return "another list of cells"
	}
	return ""
}

// make computes one cell in dir. An error is the sweep's: an interrupt, or a disk that does not take the files; what
// concerns the cell alone is in its status.
func (s *source) make(ctx context.Context, be kernel.Backend, it item, dir string, on func(train.Event)) (*Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := s.of(it.settings)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("experiments: %w", err)
	}
	c := &Cell{Format: FolderFormat, ID: it.id, Settings: it.settings, Status: StatusOK}
	if c.series() {
		resetPeak()
	}
	rowsTrain, err := s.rowsFor(it.split.Train)
	if err != nil {
		return nil, err
	}
	rowsTest, err := s.rowsFor(it.split.Test)
	if err != nil {
		return nil, err
	}
	onTest, onTrain, err := s.learn(ctx, be, c, it.split, rowsTrain, rowsTest, dir, on)
	var refused *train.RefusedError
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, err
	case errors.As(err, &refused):
		return &Cell{Format: FolderFormat, ID: it.id, Settings: it.settings, Status: StatusRefused, Reason: refused.Error()}, nil
	default:
		return &Cell{Format: FolderFormat, ID: it.id, Settings: it.settings, Status: StatusFailed, Reason: err.Error()}, nil
	}
	y := s.classes(rowsTrain)
	for i, row := range rowsTest {
		q := s.captures[row]
		c.Predictions = append(c.Predictions, Prediction{CaptureID: q.ID, Source: q.Source, True: q.Class, Predicted: onTest.of(i), Scores: onTest.scores[i]})
	}
	c.score(y)
	if c.Control == ControlPermuted {
		permute(y, c.Settings) // the labels that it was trained on
	}
	right := 0
	c.TrainPredicted = make([]int, len(s.study.Classes))
	for i := range onTrain.scores {
		k := onTrain.of(i)
		c.TrainPredicted[k]++
		if k == y[i] {
			right++
		}
	}
	c.TrainAccuracy = float64(right) / float64(len(y))
	c.PeakBytes = peakBytes()
	return c, nil
}

// learn runs the cell's model.
func (s *source) learn(ctx context.Context, be kernel.Backend, c *Cell, split Split, rowsTrain, rowsTest []int, dir string, on func(train.Event)) (onTest, onTrain answers, err error) {
	begun := time.Now()
	switch c.kind() {
	case plain:
		onTest.scores, onTrain.scores, err = s.predictPlain(c.Settings, rowsTrain, rowsTest)
		return onTest, onTrain, err
	case classicModel:
		onTest, onTrain, err = s.fitClassical(ctx, be.Name(), c, split, rowsTrain, rowsTest)
		c.WallS = time.Since(begun).Seconds()
		return onTest, onTrain, err
	}
	t, err := s.series(c.Representation, c.StepUS)
	if err != nil {
		return onTest, onTrain, err
	}
	for _, i := range slices.Concat(rowsTrain, rowsTest) {
		c.Ties, c.Edge = c.Ties+t.Touched[i].Ties, c.Edge+t.Touched[i].Edge
	}
	if c.kind() == network {
		return s.trainNetwork(ctx, be, c, t, rowsTrain, rowsTest, dir, on)
	}
	onTest, onTrain, err = s.fitRocket(c, t, rowsTrain, rowsTest, be.Threads())
	c.WallS = time.Since(begun).Seconds()
	return onTest, onTrain, err
}

// rowsFor are the rows of captures, in the order of the ids.
func (s *source) rowsFor(ids []int64) ([]int, error) {
	out := make([]int, len(ids))
	for i, id := range ids {
		row, ok := slices.BinarySearch(s.ids, id)
		if !ok {
			return nil, fmt.Errorf("experiments: split: capture %d is not one of the run's", id)
		}
		out[i] = row
	}
	return out, nil
}
