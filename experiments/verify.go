package experiments

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"earshot/train"
)

// Check is one thing that Verify looked at.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was compared, or the first difference
}

// VerifyOptions say what Verify may need beside the folder.
type VerifyOptions struct {
	Options        // Dir, Backend, and Data where the data set has moved since the run
	Cell    string // the cell to train again; empty: the network, and the model without weights, that took least time; "none": no training
}

// Verify recomputes everything in a run folder that follows from something else in it: the metrics of each cell from its
// predictions, the predictions' captures and classes from splits.json and captures.csv, the digests of the weights,
// cells.csv, summary.csv and every table; it makes the leakage audit of an archive again; and it trains one cell again from
// the data and compares its weights and predictions. The error is about what could not be checked; what is wrong is in the checks.
func Verify(ctx context.Context, o VerifyOptions) ([]Check, error) {
	r, err := LoadRun(o.Dir)
	if err != nil {
		var broken *fs.PathError
		var none *noRun
		if errors.As(err, &broken) || errors.As(err, &none) {
			return nil, err
		}
		return []Check{{"files", false, err.Error()}}, nil
	}
	checks := []Check{
		r.verifyComplete(), r.verifyCells(), r.verifyWeights(), r.verifyTables(),
	}
	if o.Cell == "none" {
		return checks, nil
	}
	cells, err := r.cheapest(o.Cell)
	if err != nil {
		return checks, err
	}
	if len(cells) == 0 {
		return append(checks, Check{"one cell trained again", true, "no cell was trained"}), nil
	}
	if r.archive() && r.Audits != nil {
		c, err := r.verifyAudit(o)
		if err != nil {
			return checks, err
		}
		checks = append(checks, c)
	}
	for _, c := range cells {
		again, err := r.verifyTraining(ctx, o, c)
		if err != nil {
			return checks, err
		}
		checks = append(checks, again)
	}
	return checks, nil
}

// Passed reports whether every check is in order.
func Passed(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return !c.OK })
}

func (r *Run) verifyComplete() Check {
	c := Check{"cells complete", true, fmt.Sprintf("%d cells", len(r.Cells))}
	if n := len(r.Missing); n > 0 {
		c.OK, c.Detail = false, fmt.Sprintf("%d of %d cells are missing, the first is %s; the run goes on when it is started again", n, n+len(r.Cells), r.Missing[0])
	}
	return c
}

// verifyCells recomputes every cell's numbers from its predictions, and holds these against split and captures.
func (r *Run) verifyCells() Check {
	bad := func(id, format string, args ...any) Check {
		return Check{"numbers from predictions", false, "cells/" + id + ": " + fmt.Sprintf(format, args...)}
	}
	class := map[int64]Capture{}
	for _, q := range r.Captures {
		class[q.ID] = q
	}
	n := 0
	for _, c := range r.Cells {
		if c.Settings.id() != c.ID {
			return bad(c.ID, "cell.json: its settings give the name %s", c.Settings.id())
		}
		if !c.OK() {
			continue
		}
		split, ok := r.Splits[c.Split]
		if !ok {
			return bad(c.ID, "splits.json has no split %q", c.Split)
		}
		if len(split.Test) != len(c.Predictions) {
			return bad(c.ID, "predictions.csv: %d rows for %d test captures", len(c.Predictions), len(split.Test))
		}
		var y []int
		for _, id := range split.Train {
			y = append(y, r.classIn(c, class[id]))
		}
		for i, p := range c.Predictions {
			q, ok := class[split.Test[i]]
			if !ok || p.CaptureID != q.ID || p.True != r.classIn(c, q) || p.Source != q.Source {
				return bad(c.ID, "predictions.csv: line %d: capture %d of class %s; split and captures.csv say %d of class %s", i+2, p.CaptureID, c.Classes[p.True], q.ID, r.Manifest.Settings.Classes[q.Class])
			}
			if top := argmax(p.Scores); p.Predicted != top && (c.kind() != classicModel || p.Scores[p.Predicted] < p.Scores[top]-tieScores) {
				return bad(c.ID, "predictions.csv: line %d: %s is predicted, but the highest score is that of %s", i+2, c.Classes[p.Predicted], c.Classes[argmax(p.Scores)])
			}
		}
		again := *c
		again.score(y)
		have, _ := json.Marshal(c.Result)
		want, _ := json.Marshal(again.Result)
		if !bytes.Equal(have, want) {
			return bad(c.ID, "cell.json: the predictions give accuracy %g (%d of %d); it says %g (%d of %d), or another number of it differs",
				again.Accuracy, again.Correct, again.NTest, c.Accuracy, c.Correct, c.NTest)
		}
		n++
	}
	return Check{"numbers from predictions", true, fmt.Sprintf("%d cells", n)}
}

// classIn is the number of a capture's class among those of a cell, which are fewer than the run's in an archive; -1 for none.
func (r *Run) classIn(c *Cell, q Capture) int {
	return slices.Index(c.Classes, r.Manifest.Settings.Classes[q.Class])
}

// tieScores is how far below the highest score the answer of a classical model may lie: votes and means of trees are equal
// before they are rounded, or differ less than a float32 shows.
const tieScores = 1e-6

func (r *Run) verifyWeights() Check {
	n := 0
	for _, c := range r.Cells {
		if !c.OK() || c.WeightsSHA256 == "" {
			continue
		}
		sum, err := fileSHA256(filepath.Join(r.Dir, "cells", c.ID, weightsName))
		if err == nil && sum != c.WeightsSHA256 {
			err = fmt.Errorf("cells/%s: %s: digest %.12s, cell.json says %.12s", c.ID, weightsName, sum, c.WeightsSHA256)
		}
		if err != nil {
			return Check{"weights", false, err.Error()}
		}
		n++
	}
	return Check{"weights", true, fmt.Sprintf("%d files", n)}
}

func (r *Run) verifyTables() Check {
	files := r.tableFiles()
	for _, name := range sortedKeys(files) {
		have, err := os.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(name)))
		if err != nil {
			return Check{"tables", false, err.Error()}
		}
		if !bytes.Equal(have, files[name]) {
			line := 1
			want := bytes.Split(files[name], []byte("\n"))
			for i, l := range bytes.Split(have, []byte("\n")) {
				if i >= len(want) || !bytes.Equal(l, want[i]) {
					line = i + 1
					break
				}
			}
			return Check{"tables", false, fmt.Sprintf("%s: line %d: not what the cells give; earshot report remakes it", name, line)}
		}
	}
	return Check{"tables", true, fmt.Sprintf("%d files", len(files))}
}

// openData opens the run's data set again.
func (r *Run) openData(o VerifyOptions) (*source, error) {
	study := r.Manifest.Settings
	study.Memory = 0
	s, err := openSource(study, cmp.Or(o.Data, r.Manifest.Data.Path), r.Dir)
	if err != nil {
		return nil, fmt.Errorf("%w (has the data set moved? name it with --data)", err)
	}
	return s, nil
}

// otherData says in words that the data set is not the run's; "" where it is.
func (r *Run) otherData(s *source) string {
	if s.info.Digest == r.Manifest.Data.Digest {
		return ""
	}
	return fmt.Sprintf("the data set has digest %s, the run was made from %s", s.info.Digest, r.Manifest.Data.Digest)
}

// verifyAudit makes the audits of an archive again, which takes seconds.
func (r *Run) verifyAudit(o VerifyOptions) (Check, error) {
	const name = "leakage audit made again"
	s, err := r.openData(o)
	if err != nil {
		return Check{}, err
	}
	if why := r.otherData(s); why != "" {
		return Check{name, false, why}, nil
	}
	audits, err := s.auditProblems(o.Threads)
	if err != nil {
		return Check{name, false, err.Error()}, nil
	}
	want, err := marshal(audits)
	if err != nil {
		return Check{}, err
	}
	have, err := os.ReadFile(filepath.Join(r.Dir, auditName))
	if err != nil {
		return Check{name, false, err.Error()}, nil
	}
	if !bytes.Equal(have, want) {
		return Check{name, false, auditName + ": not what the data give"}, nil
	}
	return Check{name, true, fmt.Sprintf("%d data sets", len(audits))}, nil
}

// verifyTraining trains one cell again and compares weights, numbers and predictions.
func (r *Run) verifyTraining(ctx context.Context, o VerifyOptions, c *Cell) (Check, error) {
	name := "one cell trained again"
	if c.WeightsSHA256 == "" {
		name = "one cell fitted again"
	}
	s, err := r.openData(o)
	if err != nil {
		return Check{}, err
	}
	if why := r.otherData(s); why != "" {
		return Check{name, false, why}, nil
	}
	dir, err := os.MkdirTemp("", "earshot-verify-")
	if err != nil {
		return Check{}, fmt.Errorf("experiments: %w", err)
	}
	defer os.RemoveAll(dir)
	report := func(e train.Event) {
		if o.Progress != nil {
			o.Progress(Progress{Cells: 1, ID: c.ID, Event: e})
		}
	}
	again, err := s.make(ctx, o.Backend, item{c.ID, c.Settings, r.Splits[c.Split]}, dir, report)
	if ctx.Err() != nil {
		return Check{}, err
	}
	if err != nil {
		return Check{name, false, err.Error()}, nil
	}
	if !again.OK() {
		return Check{name, false, c.ID + ": " + again.Reason}, nil
	}
	same := "the same predictions"
	if c.WeightsSHA256 != "" {
		sum, err := fileSHA256(filepath.Join(dir, weightsName))
		if err != nil {
			return Check{}, err
		}
		if sum != c.WeightsSHA256 {
			detail := fmt.Sprintf("%s: weights have digest %.12s, the run has %.12s", c.ID, sum, c.WeightsSHA256)
			if k := o.Backend.Name(); k != r.Manifest.Machine.Kernel {
				detail += fmt.Sprintf("; kernel tier %s here, %s there: bits are equal on one tier only", k, r.Manifest.Machine.Kernel)
			}
			return Check{name, false, detail}, nil
		}
		again.WeightsSHA256 = sum
		same = fmt.Sprintf("the same weights (%.12s) and predictions", sum)
	}
	if !bytes.Equal(predictionsCSV(c.Classes, again.Predictions), predictionsCSV(c.Classes, c.Predictions)) {
		return Check{name, false, c.ID + ": other predictions"}, nil
	}
	have, _ := json.Marshal(c.Result)
	want, _ := json.Marshal(again.Result)
	if !bytes.Equal(have, want) || !bytes.Equal(importancesCSV(c.Importances), importancesCSV(again.Importances)) {
		return Check{name, false, c.ID + ": the same predictions, but other numbers in cell.json or importances.csv"}, nil
	}
	return Check{name, true, fmt.Sprintf("%s: %s", c.ID, same)}, nil
}

// cheapest is the named cell; or the network that took least time, and of the cells that were fitted without weights of
// their own, such as forests, the one that took least.
func (r *Run) cheapest(id string) ([]*Cell, error) {
	if id != "" {
		if c := r.Cell(id); c != nil && c.OK() && c.kind() != plain {
			return []*Cell{c}, nil
		}
		return nil, &UsageError{fmt.Errorf("experiments: %s: no cell %q that was trained; cells.csv names them", r.Dir, id)}
	}
	var nets, fitted, out []*Cell
	for _, c := range r.Cells {
		switch {
		case !c.OK() || c.kind() == plain:
		case c.WeightsSHA256 != "":
			nets = append(nets, c)
		default:
			fitted = append(fitted, c)
		}
	}
	for _, list := range [][]*Cell{nets, fitted} {
		if len(list) > 0 {
			out = append(out, slices.MinFunc(list, func(a, b *Cell) int { return cmp.Compare(a.WallS, b.WallS) }))
		}
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
