package experiments

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compileLaTeX typesets the tables in a two-column article and returns LaTeX's log; the test is skipped without LaTeX.
func compileLaTeX(t *testing.T, tables []Table) string {
	t.Helper()
	if err := exec.Command("kpsewhich", "booktabs.sty").Run(); err != nil {
		t.Skip("no LaTeX with booktabs here (Debian: texlive-latex-recommended)")
	}
	var b strings.Builder
	b.WriteString("\\documentclass[twocolumn]{article}\n\\usepackage{booktabs}\n\\begin{document}\nText.\n")
	for _, table := range tables {
		fmt.Fprintf(&b, "%s\\clearpage\n", table.LaTeX())
	}
	b.WriteString("\\end{document}\n")
	path := filepath.Join(t.TempDir(), "x.tex")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "x.tex")
	cmd.Dir = filepath.Dir(path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pdflatex: %v\n%s", err, out)
	}
	return string(out)
}

// TestLaTeXCompiles: every table of a run is typeset without an error, and none is wider than the page.
func TestLaTeXCompiles(t *testing.T) {
	r := madeUpRun(t, true)
	for _, c := range r.Cells {
		if !c.OK() {
			c.Reason = "needs 5.3 GiB (weights 3 MB, activations 5.2 GiB, workspace 96 MB) of the 4 GiB of --memory; take --batch 8, or a coarser step"
		}
	}
	tables := r.Tables()
	tables = append(tables, Table{Name: "odd", Title: `All of it: \ & % $ # _ { } ~ ^ < >`, Columns: []Column{{Name: "A_b", Left: true}, {Name: "100 %"}},
		Rows: []Row{{Fields: []string{"[option]", "1"}}, {Fields: []string{"*", "2"}}, {Fields: []string{`a\b`, "– ± × µ → …"}}, {Fields: []string{"Björk – söng", ""}, Ruled: true}}})
	log := compileLaTeX(t, tables)
	for _, m := range regexp.MustCompile(`Overfull \\hbox \((\d+)`).FindAllString(log, -1) {
		t.Errorf("a table is wider than the page: %s", m)
	}
}
