package experiments

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
)

// Table is one table of a report, as text. It is written as CSV, LaTeX (booktabs) and Markdown with the same numbers.
type Table struct {
	Name    string // file name without extension
	Title   string // says SYNTHETIC when the data are
	Notes   []string
	Columns []Column
	Rows    []Row
}

// Column is one column of a Table.
type Column struct {
	Name string
	Left bool // words; numbers stand to the right
	Wide bool // left out of the LaTeX version, which must fit a page
}

// Row is one row of a Table. Ruled rows begin a part of the table.
type Row struct {
	Fields []string
	Ruled  bool
}

func (t *Table) add(fields ...string) { t.Rows = append(t.Rows, Row{Fields: fields}) }

// rule draws a line above the next row that is added.
func (t *Table) rule(rows []Row) {
	for i, r := range rows {
		r.Ruled = i == 0
		t.Rows = append(t.Rows, r)
	}
}

// CSV is the table for programs: header, then rows; title and notes are left out.
func (t Table) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Name
	}
	_ = w.Write(head) // a bytes.Buffer takes everything
	for _, r := range t.Rows {
		_ = w.Write(r.Fields)
	}
	w.Flush()
	return b.Bytes()
}

// Markdown is the table with its title and notes.
func (t Table) Markdown() []byte {
	var b bytes.Buffer
	esc := strings.NewReplacer("|", `\|`, "\n", " ")
	fmt.Fprintf(&b, "**%s**\n\n|", t.Title)
	for _, c := range t.Columns {
		fmt.Fprintf(&b, " %s |", esc.Replace(c.Name))
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Left {
			b.WriteString(" --- |")
		} else {
			b.WriteString(" ---: |")
		}
	}
	b.WriteByte('\n')
	for _, r := range t.Rows {
		b.WriteByte('|')
		for _, f := range r.Fields {
			fmt.Fprintf(&b, " %s |", esc.Replace(f))
		}
		b.WriteByte('\n')
	}
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	return b.Bytes()
}

// LaTeX is a table float for \usepackage{booktabs}; the label is tab:NAME.
func (t Table) LaTeX() []byte {
	var b bytes.Buffer
	var keep []int
	align := ""
	for i, c := range t.Columns {
		if c.Wide {
			continue
		}
		keep = append(keep, i)
		if c.Left {
			align += "l"
		} else {
			align += "r"
		}
	}
	float := "table"
	if len(keep) > 6 {
		float = "table*" // both columns of the page
	}
	line := func(field func(i int) string) {
		for n, i := range keep {
			if n > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(latexEscape(field(i)))
		}
		b.WriteString(" \\\\\n")
	}
	fmt.Fprintf(&b, "%% needs \\usepackage{booktabs}\n\\begin{%s}\n\\centering\\footnotesize\n\\caption{%s}\n\\label{tab:%s}\n\\begin{tabular}{@{}%s@{}}\n\\toprule\n",
		float, latexEscape(strings.Join(append([]string{t.Title + "."}, t.Notes...), " ")), t.Name, align)
	line(func(i int) string { return t.Columns[i].Name })
	b.WriteString("\\midrule\n")
	for n, r := range t.Rows {
		if r.Ruled && n > 0 {
			b.WriteString("\\midrule\n")
		}
		line(func(i int) string { return r.Fields[i] })
	}
	fmt.Fprintf(&b, "\\bottomrule\n\\end{tabular}\n\\end{%s}\n", float)
	return b.Bytes()
}

// latexEscapes are the ten characters that LaTeX reads as commands, and the signs that the tables use beyond ASCII.
var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, `&`, `\&`, `%`, `\%`, `$`, `\$`, `#`, `\#`, `_`, `\_`, `{`, `\{`, `}`, `\}`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`,
	"–", "--", "±", `$\pm$`, "×", `$\times$`, "µ", `\textmu{}`, "→", `$\to$`, "…", `\dots{}`)

func latexEscape(s string) string { return latexEscapes.Replace(s) }
