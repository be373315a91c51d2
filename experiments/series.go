package experiments

import (
	"fmt"
	"path/filepath"
	"strings"

	"earshot/data/dataset"
	"earshot/data/dataset/npz"
)

// Synthetic reports whether a data set is generated: then every table and figure must say SYNTHETIC.
func Synthetic(m dataset.Manifest) bool { return strings.HasPrefix(m.Origin, syntheticOrigin) }

// Series reads series.npz, the series that the correlation figures are drawn from.
func (r *Run) Series() (*Series, error) { return ReadSeries(filepath.Join(r.Dir, "series.npz")) }

// ReadSeries reads a file of the command bin: X (N, C, T), y, classes, step_us; an array capture_id may be missing.
func ReadSeries(path string) (*Series, error) {
	a, err := npz.Read(path)
	if err != nil {
		return nil, err
	}
	s := new(Series)
	fail := func(array string, err any) (*Series, error) {
		return nil, fmt.Errorf("experiments: %s: array %s: %v", path, array, err)
	}
	for _, name := range []string{"X", "y", "classes", "step_us"} {
		if _, ok := a[name]; !ok {
			return fail(name, "is missing; the command bin writes such files")
		}
	}
	x := a["X"]
	if len(x.Shape) != 3 {
		return fail("X", fmt.Sprintf("shape %v, want (N, C, T)", x.Shape))
	}
	s.N, s.C, s.T = x.Shape[0], x.Shape[1], x.Shape[2]
	if s.X, err = x.AsFloat32(); err != nil {
		return fail("X", err)
	}
	ys := a["y"]
	y, err := ys.AsInt64()
	if err != nil {
		return fail("y", err)
	}
	names := a["classes"]
	if s.Classes, err = names.AsStrings(); err != nil {
		return fail("classes", err)
	}
	if len(y) != s.N {
		return fail("y", fmt.Sprintf("%d labels for %d captures", len(y), s.N))
	}
	for i, k := range y {
		if k < 0 || k >= int64(len(s.Classes)) {
			return fail("y", fmt.Sprintf("capture %d: class %d of %d", i, k, len(s.Classes)))
		}
		s.Y = append(s.Y, int(k))
	}
	stepArray := a["step_us"]
	step, err := stepArray.AsInt64()
	if err != nil || len(step) != 1 || step[0] <= 0 {
		return fail("step_us", "is not one positive whole number")
	}
	s.StepUS = step[0]
	if ids, ok := a["capture_id"]; ok {
		if s.CaptureID, err = ids.AsInt64(); err != nil || len(s.CaptureID) != s.N {
			return fail("capture_id", "is not one whole number for each capture")
		}
	}
	return s, nil
}
