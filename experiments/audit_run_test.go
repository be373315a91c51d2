package experiments

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run has the audit of the first split of each kind; it is made once, and again the same where it is missing.
func TestRunAudit(t *testing.T) {
	study := tiny()
	study.Nets, study.Order = []string{"lstm"}, 0
	dir := t.TempDir()
	run := func() *Run {
		if err := Sweep(context.Background(), study, Options{Dir: dir, Backend: backend(t)}); err != nil {
			t.Fatal(err)
		}
		return tables(t, dir)
	}
	r := run()
	if len(r.Audits) != 2 || r.Audits[0].Split != "random-1" || r.Audits[1].Split != "stratified-1" || r.Audits[1].Spec != "stratified:2" ||
		r.Audits[0].NTest != 3 || len(r.Audits[0].Probes) == 0 {
		t.Fatalf("%+v", r.Audits)
	}
	path := filepath.Join(dir, auditName)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	run()
	if again, _ := os.ReadFile(path); string(again) != string(first) {
		t.Error("another audit.json after a resume")
	}
	if _, err := os.Stat(filepath.Join(dir, "tables", "audit_probes.tex")); err != nil {
		t.Error(err)
	}

	// The report: the tables, and what is severe in red. It is made from audit.json alone.
	r.Audits[1].find(LeakGroup, "session", SeveritySevere, nil, "planted here")
	if err := writeJSON(path, r.Audits); err != nil {
		t.Fatal(err)
	}
	r = run()
	if err := WriteReport(r); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		"report.html": {`<h2 id="audit">Leakage audit</h2>`, `<p class="alarm">Split stratified-1: group session: planted here</p>`, `id="table-audit_probes"`, "The leakage audit has severe findings (1)"},
		"report.md":   {"## Leakage audit", "> **SEVERE.** Split stratified-1: group session: planted here", "| stratified-1 | severe | group | session | planted here |"},
	} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s lacks %q", file, w)
			}
		}
	}
	// A run from before there were audits still opens, and has no such section.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r, err := LoadRun(dir); err != nil || r.Audits != nil || len(r.auditTables()) != 0 {
		t.Errorf("a run without audit: %v", err)
	}
}

// What is fitted on test captures follows from the cells of a split.
func TestFitted(t *testing.T) {
	cell := func(protocol, split, edges string) item {
		return item{settings: Settings{Protocol: protocol, Split: split, Normalize: "train",
			Features: &Features{Sets: "tcptrace22,histogram", Set: map[string]string{"edges": edges}}}}
	}
	items := []item{cell("study", "a", "dataset"), cell("study", "a", "dataset"), cell("ours", "a", "train"), cell("ours", "b", "train"),
		{settings: Settings{Protocol: "study", Split: "b", Normalize: "train"}}}
	if f := fitted(items, "a"); len(f) != 1 || !strings.HasPrefix(f[0], "protocol study: features histogram: edges=dataset") {
		t.Errorf("split a: %q", f)
	}
	if f := fitted(items, "b"); f != nil {
		t.Errorf("split b: %q", f)
	}
}
