package experiments

import (
	"fmt"
	"slices"
	"strings"

	"earshot/data/dataset"
	"earshot/train/metrics"
)

// WorldAxis is the label of an open world: the value of a monitored capture, dataset.Other for everything else.
const WorldAxis = "world"

// World is an open world: the eavesdropper knows some values of an axis and wants to be told of them alone, while others are
// played too. The label of such a study is WorldAxis, an axis that no data set holds.
type World struct {
	Axis      string   `json:"axis"`             // whose values are monitored or not; empty before the data are known: the study's label
	Monitored []string `json:"monitored"`        // sorted once the data are known
	Others    []string `json:"others,omitempty"` // the values that are not; nil before the data are known: the rest of Study.Classes
}

// check says what makes no sense in an open world, before any data are read.
func (s Study) checkWorld() error {
	bad := func(format string, args ...any) error {
		return &UsageError{fmt.Errorf("experiments: "+format, args...)}
	}
	if s.World == nil {
		for _, p := range s.Protocols {
			for _, spec := range p.Splits {
				if sp, err := dataset.ParseSplits(spec); err == nil && sp.Open() {
					return bad("split %s: nothing is other than the classes; name the monitored ones with --monitored A,B,C", spec)
				}
			}
		}
		return nil
	}
	m := slices.Sorted(slices.Values(s.World.Monitored))
	if len(m) == 0 {
		return bad("monitored: no class is named; name some, such as --monitored A,B,C")
	}
	if slices.Contains(m, dataset.Other) {
		return bad("monitored %q: so everything is called that is not monitored; give that class another name", dataset.Other)
	}
	for i, k := range m[1:] {
		if m[i] == k {
			return bad("monitored %q: named twice", k)
		}
	}
	axis := s.World.axis(s)
	for _, p := range s.Protocols {
		for _, spec := range p.Splits {
			if sp, err := dataset.ParseSplits(spec); err == nil && sp.HeldOut() == axis {
				return bad("split %s: holds monitored %s out, which a model can then never name; open:N holds out the others alone", spec, axis)
			}
		}
	}
	return nil
}

// axis is the axis whose values are monitored or not.
func (w *World) axis(s Study) string {
	if w.Axis != "" {
		return w.Axis
	}
	return s.Label
}

// openWorld makes the label of an open world and resolves its classes.
func (s *source) openWorld() error {
	if s.study.World == nil {
		return nil
	}
	w := *s.study.World
	values := s.study.Classes
	if slices.Equal(values, []string{AllClasses}) {
		values = nil
	}
	if w.Axis != "" { // resolved in an earlier run
		values = slices.Concat(w.Monitored, w.Others)
	}
	w.Axis = w.axis(s.study)
	_, values, err := s.set.Labelled(w.Axis, values)
	if err != nil {
		return &UsageError{err}
	}
	w.Monitored, w.Others = slices.Sorted(slices.Values(w.Monitored)), nil
	for _, k := range w.Monitored {
		if !slices.Contains(values, k) {
			return &UsageError{fmt.Errorf("experiments: monitored %q: no value of %s that is used; there are %s", k, w.Axis, shorten(values, 20))}
		}
	}
	for _, k := range values {
		if !slices.Contains(w.Monitored, k) {
			w.Others = append(w.Others, k)
		}
	}
	if len(w.Others) == 0 {
		return &UsageError{fmt.Errorf("experiments: monitored %s: these are all values of %s, and nothing is left that could be other; monitor fewer, or leave --monitored out for a closed world", strings.Join(w.Monitored, ","), w.Axis)}
	}
	s.study.World, s.study.Label = &w, WorldAxis
	s.study.Classes = slices.Sorted(slices.Values(append(slices.Clone(w.Monitored), dataset.Other)))
	err = s.set.Derive(WorldAxis, func(c *dataset.Capture) string {
		switch v := c.Labels[w.Axis]; {
		case slices.Contains(w.Monitored, v):
			return v
		case slices.Contains(w.Others, v):
			return dataset.Other
		}
		return ""
	})
	if err != nil {
		return &UsageError{err}
	}
	return nil
}

// over makes a splitter one of the study's label.
func (s *source) over(sp dataset.Splitter) dataset.Splitter {
	if s.study.World == nil {
		return sp
	}
	return sp.Over(s.study.World.Axis)
}

// aboveConstant is the p of a group that is held against the constant answer: one-sided, accuracy above that of the constant answer, by the corrected
// resampled t test of the differences; the cell's exact McNemar where there is one repeat or no spread. Guessing 1/K says
// nothing where most captures are of one class.
func (g *Group) aboveConstant() float64 {
	diff := make([]float64, len(g.Cells))
	equal := true
	for i, c := range g.Cells {
		diff[i] = c.Accuracy - c.MajorityShare
		equal = equal && diff[i] == diff[0]
	}
	switch {
	case !equal:
		return metrics.CorrectedResampledP(diff, 0, g.NTrain, g.NTest)
	case diff[0] > 0:
		return g.Cells[0].PMajority
	}
	return 1
}

// constantAnswer is the mean accuracy of the constant answer on the splits of a group.
func (g Group) constantAnswer() (mean float64) {
	for _, c := range g.Cells {
		mean += c.MajorityShare / float64(len(g.Cells))
	}
	return mean
}

// balanced is the mean over the repeats of the mean recall of the classes.
func (g Group) balanced() (mean float64) {
	for _, c := range g.Cells {
		mean += c.balanced() / float64(len(g.Cells))
	}
	return mean
}

// uneven is from how many times guessing on the share of the most frequent class takes the place of guessing.
const uneven = 1.2

// againstConstant says whether accuracies are held against the constant answer instead of guessing: in an open world, and
// where classes are of so unequal size that a model is above guessing by knowing nothing but the most frequent one.
func againstConstant(w *World, captures []Capture) bool {
	if w != nil {
		return true
	}
	count := map[int]int{}
	n, most := 0, 0
	for _, c := range captures {
		if c.Class >= 0 {
			n++
			count[c.Class]++
			most = max(most, count[c.Class])
		}
	}
	return float64(most*len(count)) > uneven*float64(n)
}

// againstConstant is that of the run; each data set of an archive has classes of its own, and no such p.
func (r *Run) againstConstant() bool {
	return !r.archive() && againstConstant(r.Manifest.Settings.World, r.Captures)
}

// level says what an accuracy is held against in p-values.
func (r *Run) level() string {
	if r.againstConstant() {
		return "the constant answer"
	}
	return "guessing"
}

// known says in an audit whether the others of the test captures are values that training has seen. That they are is how a
// split of single captures is made, and no leak: it decides what the numbers are about.
func (a *auditor) known(r *AuditResult) {
	if a.World == "" {
		return
	}
	training := map[string]bool{}
	for i := range a.rows {
		if row := &a.rows[i]; row.side == trainSide && row.Labels[r.Label] == dataset.Other {
			training[row.Labels[a.World]] = true
		}
	}
	n, seen := 0, 0
	for i := range a.rows {
		if row := &a.rows[i]; row.side == testSide && row.Labels[r.Label] == dataset.Other {
			n++
			if training[row.Labels[a.World]] {
				seen++
			}
		}
	}
	r.Absent = append(r.Absent, AuditAbsent{"group " + a.World, "the classes are made of it"})
	switch {
	case n == 0:
	case seen == 0:
		r.find(LeakKnown, a.World, SeverityInfo, nil, "none of the %d test captures of other has its %s in training: they are others that the model has never seen", n, a.World)
	default:
		r.find(LeakKnown, a.World, SeverityInfo, nil, "%s %% of the %d test captures of other have their %s in training too, as this split is made: it shows how well known others are turned away; a split open:N tests others that training has not seen",
			fixed(100*float64(seen)/float64(n), 1), n, a.World)
	}
}
