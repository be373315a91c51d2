package experiments

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earshot/data/synth"
)

// planted is the audit of one generated problem of 40 training and 60 test series of two channels, after change.
func planted(t *testing.T, seed uint64, change func(p *problem, row func(i int) []float32)) *AuditResult {
	t.Helper()
	s := tinyArchive()
	s.Seeds = []uint64{seed}
	s.Archive = &Archive{Generate: []synth.Series{{Name: "a", Shape: synth.ShapeLink, Classes: 2, Channels: 2, Steps: 32, Train: 20, Test: 30, Bayes: 0.9}}}
	list, err := generateArchive(s)
	if err != nil {
		t.Fatal(err)
	}
	p := list[0]
	if change != nil {
		change(&p, func(i int) []float32 { return p.x[i*p.c*p.t : (i+1)*p.c*p.t] })
	}
	q := p.source(s, true, 100)
	r, err := q.auditSeries(AuditOptions{Seed: seed, Threads: 1}, q.official())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Clean series: nothing severe, and hardly a warning, in 20 of them.
func TestAuditSeriesClean(t *testing.T) {
	found := 0
	for seed := range uint64(20) {
		r := planted(t, seed, nil)
		found += len(r.Findings)
		if len(r.Severe()) > 0 || worst(r, LeakDuplicate, "") != "" || worst(r, LeakNearDuplicate, "") != "" || r.NTrain != 40 || r.NTest != 60 || len(r.Probes) != 1 || r.Probes[0].Features != 4 {
			t.Errorf("seed %d: %+v%s", seed, r, describe(r))
		}
		if !slices.Contains(r.Absent, AuditAbsent{ProbeLength, "the same in all series"}) {
			t.Errorf("seed %d: not looked at: %v", seed, r.Absent)
		}
	}
	if found > 3 { // 1 expected at 5 %
		t.Errorf("%d findings in 20 clean problems", found)
	}
}

func TestAuditSeriesPlanted(t *testing.T) {
	// Channels scaled and shifted by themselves, then rounded to two decimals.
	scaled := func(to, from []float32) {
		for i, v := range from {
			scale, shift := float32(3), float32(5)
			if i >= 32 {
				scale, shift = 0.5, -1
			}
			to[i] = float32(int(100*(scale*v+shift)+1000)-1000) / 100
		}
	}
	for _, c := range []struct {
		name, kind, severity, detail string
		example                      [2]string
		change                       func(p *problem, row func(i int) []float32)
	}{
		{"a test series in training", LeakDuplicate, SeveritySevere, "1 of 60 test series have the same values as a training series", [2]string{"a_TEST#7", "a_TRAIN#3"},
			func(p *problem, row func(int) []float32) { copy(row(47), row(3)) }},
		{"under another class", LeakDuplicate, SeveritySevere, "1 of 60 test series have the same values as a training series; 1 of 1 pairs have two different labels", [2]string{"a_TEST#6", "a_TRAIN#3"},
			func(p *problem, row func(int) []float32) { copy(row(46), row(3)) }},
		{"twice in training", LeakDuplicate, SeverityInfo, "1 pairs of series on the same side have the same values: they count twice; 1 of them have two different labels", [2]string{"a_TRAIN#3", "a_TRAIN#8"},
			func(p *problem, row func(int) []float32) { copy(row(8), row(3)) }},
		{"scaled and rounded", LeakNearDuplicate, SeverityWarn, "1 of 60 test series are a training series but for level, scale and rounding", [2]string{"a_TEST#7", "a_TRAIN#3"},
			func(p *problem, row func(int) []float32) { scaled(row(47), row(3)) }},
		{"scaled and turned over", LeakNearDuplicate, "", "", [2]string{},
			func(p *problem, row func(int) []float32) {
				for i, v := range row(3) {
					row(47)[i] = -v
				}
			}},
		{"flat series have no shape", LeakNearDuplicate, "", "", [2]string{},
			func(p *problem, row func(int) []float32) {
				for i := range row(3) {
					row(3)[i], row(47)[i] = 1, 2
				}
			}},
		{"level of a class", LeakLength, SeverityInfo, "mean and standard deviation of each channel alone: ", [2]string{},
			func(p *problem, row func(int) []float32) {
				for i, l := range p.labels {
					if l == "2" {
						for j := range row(i) {
							row(i)[j] += 3
						}
					}
				}
			}},
		{"filled up by class", LeakLength, SeverityWarn, "how long it stays at its first and its last value alone: 100.0 % of 60 test series", [2]string{},
			func(p *problem, row func(int) []float32) {
				for i, l := range p.labels {
					n := 4 + i%3
					if l == "2" {
						n += 6
					}
					for c := range 2 {
						clear(row(i)[c*32+32-n : c*32+32])
					}
				}
			}},
	} {
		r := planted(t, 1, c.change)
		if got := worst(r, c.kind, ""); got != c.severity {
			t.Errorf("%s: %s, want %s%s", c.name, got, c.severity, describe(r))
		}
		if c.severity == "" {
			continue
		}
		f := r.Findings[slices.IndexFunc(r.Findings, func(f AuditFinding) bool { return f.Kind == c.kind })]
		if !strings.Contains(f.Detail, c.detail) || c.example[0] != "" && (len(f.Examples) != 1 || f.Examples[0] != c.example) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// A folder whose test series are partly in training: the run says so in red, and verify finds a changed audit.
func TestAuditArchive(t *testing.T) {
	data := t.TempDir()
	write := func(name string, rows ...string) {
		if err := os.WriteFile(filepath.Join(data, name), []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rows := []string{"1\t0\t2\t1\t5\t3\t1\t0\t1\t4\t4", "2\t3\t2\t8\t5\t3\t7\t0\t1\t9\t4", "1\t1\t2\t1\t5\t2\t1\t0\t1\t4\t6", "2\t3\t1\t8\t5\t2\t7\t0\t1\t9\t6"}
	write("Leaky_TRAIN.tsv", rows...)
	write("Leaky_TEST.tsv", rows[0], rows[3], "1\t1\t2\t1\t5\t1\t1\t0\t2\t4\t7")
	s := tinyArchive()
	s.Nets, s.Controls, s.Seeds = []string{Rocket}, []string{ControlMajority}, []uint64{1}
	dir := filepath.Join(t.TempDir(), "run")
	r := runArchive(t, s, data, dir)
	if len(r.Audits) != 1 || worst(r.Audits[0], LeakDuplicate, "") != SeveritySevere {
		t.Fatalf("%+v", r.Audits)
	}
	for file, want := range map[string][]string{
		"report.html": {`<p class="alarm">Data set Leaky: duplicate: 2 of 3 test series have the same values as a training series</p>`},
		"report.md":   {"> **SEVERE.** Data set Leaky: duplicate: 2 of 3 test series", "The leakage audit has severe findings (1)", "| Leaky | severe | duplicate |  | 2 of 3 test series", "totals (4 training and 3 test series are too few)"},
	} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !bytes.Contains(b, []byte(w)) {
				t.Errorf("%s lacks %q", file, w)
			}
		}
	}
	r.Audits[0].Findings = r.Audits[0].Findings[1:]
	if err := writeJSON(filepath.Join(dir, auditName), r.Audits); err != nil {
		t.Fatal(err)
	}
	tables(t, dir)
	checks, err := Verify(context.Background(), VerifyOptions{Options: Options{Dir: dir, Backend: backend(t)}})
	if err != nil || Passed(checks) || !slices.Contains(checks, Check{"leakage audit made again", false, "audit.json: not what the data give"}) {
		t.Errorf("verify of a changed audit: %v, %v", checks, err)
	}
}
