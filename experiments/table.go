package experiments

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
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
	align, float := "", "table"
	for i, c := range t.Columns {
		if c.Wide {
			continue
		}
		keep = append(keep, i)
		switch {
		case c.Left && slices.ContainsFunc(t.Rows, func(r Row) bool { return len(r.Fields[i]) > latexLong }):
			align += `p{0.4\textwidth}` // text such as a reason is broken into lines
			float = "table*"
		case c.Left:
			align += "l"
		default:
			align += "r"
		}
	}
	narrow := ""
	if len(keep) > 6 {
		float = "table*" // both columns of the page
	}
	if len(keep) > 8 {
		narrow = `\setlength{\tabcolsep}{2.5pt}`
	}
	line := func(field func(i int) string) {
		for n, i := range keep {
			if n > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(field(i))
		}
		b.WriteString(" \\\\\n")
	}
	fmt.Fprintf(&b, "%% needs \\usepackage{booktabs}\n\\begin{%s}\n\\centering\\footnotesize%s\n\\caption{%s}\n\\label{tab:%s}\n\\begin{tabular}{@{}%s@{}}\n\\toprule\n",
		float, narrow, latexEscape(strings.Join(append([]string{t.Title + "."}, t.Notes...), " ")), t.Name, align)
	line(func(i int) string {
		c := t.Columns[i]
		if len(keep) <= 8 {
			return latexEscape(c.Name)
		}
		return latexStacked(c.Name, c.Left)
	})
	b.WriteString("\\midrule\n")
	for n, r := range t.Rows {
		if r.Ruled && n > 0 {
			b.WriteString("\\midrule\n")
		}
		line(func(i int) string { return latexEscape(r.Fields[i]) })
	}
	fmt.Fprintf(&b, "\\bottomrule\n\\end{tabular}\n\\end{%s}\n", float)
	return b.Bytes()
}

// latexEscapes are the ten characters that LaTeX reads as commands, and the signs that the tables use beyond ASCII.
var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, `&`, `\&`, `%`, `\%`, `$`, `\$`, `#`, `\#`, `_`, `\_`, `{`, `\{`, `}`, `\}`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`,
	"–", "--", "±", `$\pm$`, "×", `$\times$`, "µ", `\textmu{}`, "→", `$\to$`, "…", `\dots{}`)

func latexEscape(s string) string {
	if s != "" && strings.ContainsRune("[*", rune(s[0])) {
		return "{}" + latexEscapes.Replace(s) // behind the end of a row LaTeX would take it for an option
	}
	return latexEscapes.Replace(s)
}

// latexLong is how many letters fit a column that is not broken.
const latexLong = 45

// latexStacked sets a heading in two lines, broken near its middle: numbers are narrower than their names.
func latexStacked(name string, left bool) string {
	at, mid := -1, len(name)/2
	for i, r := range name {
		if r == ' ' && (at < 0 || abs(i-mid) < abs(at-mid)) && !strings.HasPrefix(name[i+1:], "%") {
			at = i
		}
	}
	if at < 0 {
		return latexEscape(name)
	}
	side := "r"
	if left {
		side = "l"
	}
	return fmt.Sprintf(`\begin{tabular}[b]{@{}%s@{}}%s\\%s\end{tabular}`, side, latexEscape(name[:at]), latexEscape(name[at+1:]))
}

func abs(n int) int { return max(n, -n) }
