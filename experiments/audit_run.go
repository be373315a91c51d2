package experiments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/dataset"
)

// auditIntro says what the section of the report is.
const auditIntro = "Made from the data before anything was trained, for the first split of each kind: does anything beside the traffic give the classes away? Severe findings change what the accuracies of that split mean; info is to know. The rules are fixed; earshot data audit --help lists them."

// auditName is the file of a run folder that holds the audits of its splits.
const auditName = "audit.json"

// writeAudit writes the audits of a run. One that goes on has its file already.
func (s *source) writeAudit(dir string, items []item, threads int) error {
	path := filepath.Join(dir, auditName)
	if exists(path) && exists(filepath.Join(dir, "manifest.json")) {
		return nil
	}
	audits, err := s.audits(items, threads)
	if err != nil {
		return err
	}
	return writeJSON(path, audits)
}

// audits are those of the first split of every way of splitting, at the largest number of captures; of an archive, those of
// its data sets.
func (s *source) audits(items []item, threads int) ([]*AuditResult, error) {
	if s.problems != nil {
		return s.auditProblems(threads)
	}
	o := AuditOptions{Seed: s.study.Seeds[0], Threads: threads, Marked: marked(s.set, s.study.Label, s.study.Classes)}
	if w := s.study.World; w != nil {
		o.World = w.Axis
	}
	a, err := openAudit(s.set, s.study.Label, s.study.Classes, s.ids, o)
	if err != nil {
		return nil, err
	}
	most := slices.Max(s.study.Points)
	seen := map[string]bool{}
	audits := []*AuditResult{}
	for _, it := range items {
		spec, split := it.settings.SplitSpec, it.settings.Split
		if it.settings.Points != most || seen[spec] || seen[split] { // stratified:5 and stratified:100 begin with one split
			continue
		}
		seen[spec], seen[split] = true, true
		a.Fitted = fitted(items, split)
		r, err := a.audit(it.split.Train, it.split.Test)
		if err != nil {
			return nil, err
		}
		r.Spec, r.Split = spec, split
		audits = append(audits, r)
	}
	return audits, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// marked counts the captures that a data set leaves out as duplicates.
func marked(set *dataset.Set, label string, classes []string) (n int) {
	for _, c := range set.Captures {
		if c.Excluded == dataset.Duplicate && slices.Contains(classes, c.Labels[label]) {
			n++
		}
	}
	return n
}

// AuditSet audits the first split that a splitter makes of a data set with the seed of the options; all classes for nil.
func AuditSet(set *dataset.Set, label string, classes []string, by dataset.Splitter, o AuditOptions) (*AuditResult, error) {
	caps, classes, err := set.Labelled(label, classes)
	if err != nil {
		return nil, err
	}
	if len(classes) < 2 {
		return nil, &UsageError{fmt.Errorf("experiments: axis %s: one class, %q; at least 2 are needed", label, classes[0])}
	}
	splits, err := by.Split(caps, label, o.Seed)
	if err != nil {
		return nil, err
	}
	o.Marked = marked(set, label, classes)
	r, err := Audit(set, label, classes, splits[0].Train, splits[0].Test, o)
	if err != nil {
		return nil, err
	}
	r.Spec, r.Split = by.String(), splits[0].Name
	return r, nil
}

// loadAudit reads the audits of a run; runs from before there were any have none.
func (r *Run) loadAudit() error {
	err := readJSON(filepath.Join(r.Dir, auditName), &r.Audits)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// auditTables are the findings and the measurements of the audits.
func (r *Run) auditTables() []Table {
	if len(r.Audits) == 0 {
		return nil
	}
	of, beside := "Split", "the traffic"
	if r.archive() {
		of, beside = "Data set", "the shape of the series"
	}
	f := Table{Name: "audit_findings", Title: "Leakage audit: findings",
		Columns: []Column{{Name: of, Left: true}, {Name: "Severity", Left: true}, {Name: "Kind", Left: true}, {Name: "Axis", Left: true}, {Name: "Finding", Left: true}}}
	p := Table{Name: "audit_probes", Title: "Leakage audit: what a model reaches that sees one thing beside " + beside,
		Columns: []Column{{Name: of, Left: true}, {Name: "Probe", Left: true}, {Name: "Test"}, {Name: "Accuracy %"}, {Name: "95 % interval", Left: true}, {Name: "Majority %"}, {Name: "p Holm"}, {Name: "Model", Left: true, Wide: true}}}
	g := Table{Name: "audit_groups", Title: "Leakage audit: captures of one group on both sides",
		Columns: []Column{{Name: of, Left: true}, {Name: "Axis", Left: true}, {Name: "Groups"}, {Name: "Test captures with their group in training %"}, {Name: "Neighbor %"}, {Name: "Without the group %"}, {Name: "p Holm"}}}
	for _, a := range r.Audits {
		var rows []Row
		for _, x := range a.Findings {
			rows = append(rows, Row{Fields: []string{a.Split, x.Severity, x.Kind, x.Axis, x.Detail}})
		}
		if len(rows) == 0 {
			rows = []Row{{Fields: []string{a.Split, "none", "", "", "nothing was found"}}}
		}
		f.rule(rows)
		rows = nil
		for _, x := range a.Probes {
			rows = append(rows, Row{Fields: []string{a.Split, x.Name, integer(x.NTest), percent(x.Accuracy),
				percent(x.CILow) + "–" + percent(x.CIHigh), percent(x.Majority), pvalue(x.PHolm), x.Model}})
		}
		p.rule(rows)
		rows = nil
		for _, x := range a.Groups {
			rows = append(rows, Row{Fields: []string{a.Split, x.Axis, integer(x.Groups), percent(x.Shared), percent(x.Random), percent(x.Held), pvalue(x.PHolm)}})
		}
		g.rule(rows)
	}
	if absent := r.absent(); len(absent) > 0 {
		on := &p
		if len(p.Rows) == 0 { // a table that is left out
			on = &f
		}
		on.Notes = append(on.Notes, "Not looked at: "+strings.Join(absent, "; ")+".")
	}
	return slices.DeleteFunc([]Table{f, p, g}, func(t Table) bool { return len(t.Rows) == 0 })
}

// absent says what was not looked at, and in which of the audits where that is not so in all.
func (r *Run) absent() (out []string) {
	in := map[AuditAbsent][]string{}
	var all []AuditAbsent
	for _, a := range r.Audits {
		for _, x := range a.Absent {
			if in[x] == nil {
				all = append(all, x)
			}
			in[x] = append(in[x], a.Split)
		}
	}
	for _, x := range all {
		text := x.Name + " (" + x.Reason
		if n := len(in[x]); n < len(r.Audits) {
			text += ": " + strings.Join(in[x], ", ")
		}
		out = append(out, text+")")
	}
	return out
}

// alarms are the severe findings, for a line that cannot be overlooked.
func (r *Run) alarms() (out []string) {
	of := "Split"
	if r.archive() {
		of = "Data set"
	}
	for _, a := range r.Audits {
		for _, f := range a.Severe() {
			out = append(out, fmt.Sprintf("%s %s: %s: %s", of, a.Split, f.words(), f.Detail))
		}
	}
	return out
}

// words is the kind for a reader.
func (f AuditFinding) words() string {
	s := strings.ReplaceAll(f.Kind, "_", " ")
	if f.Axis != "" {
		s += " " + f.Axis
	}
	return s
}
