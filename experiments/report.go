package experiments

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	texttemplate "text/template"

	"earshot/data/bundled"
	"earshot/plots"
)

var (
	//go:embed report.html.tmpl
	htmlSource string
	//go:embed report.md.tmpl
	markdownSource string
)

// document is what both reports say.
type document struct {
	Title     string
	Synthetic bool
	Claim     string
	Findings  []finding
	Facts     []fact
	Caveats   []string
	Sections  []section
	Read      []string
}

type fact struct{ Name, Value string }

type section struct {
	ID, Title, Intro string
	Alarms           []string // in red
	Tables           []Table
	Figures          []Figure
}

// WriteReport makes figures/, report.html and report.md from the cells, replacing what is there. report.html can be read
// alone: its figures are inside. No file depends on the clock or on how long the run took.
func WriteReport(r *Run) error {
	figures, err := r.Figures()
	if err != nil {
		return err
	}
	dir := filepath.Join(r.Dir, "figures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	svgs := map[string][]byte{}
	keep := map[string]bool{}
	for _, f := range figures {
		for _, format := range plots.Formats {
			b, err := f.Encode(format)
			if err != nil {
				return fmt.Errorf("experiments: figure %s: %w", f.Name, err)
			}
			file := f.Name + "." + format
			keep[file] = true
			if err := writeFile(filepath.Join(dir, file), b); err != nil {
				return err
			}
			if format == "svg" {
				svgs[f.Name] = b
			}
		}
	}
	old, err := os.ReadDir(dir) // figures of an earlier state of the run
	if err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	for _, e := range old {
		if ext := strings.TrimPrefix(filepath.Ext(e.Name()), "."); !keep[e.Name()] && slices.Contains(plots.Formats, ext) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("experiments: %w", err)
			}
		}
	}
	doc := r.document(figures)
	html, err := doc.html(svgs)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(r.Dir, "report.html"), html); err != nil {
		return err
	}
	md, err := doc.markdown()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(r.Dir, "report.md"), md)
}

func (r *Run) document(figures []Figure) document {
	if r.archive() {
		return r.archiveDocument(figures)
	}
	s := r.Manifest.Settings
	d := document{Title: s.Title, Synthetic: r.Synthetic(), Findings: r.findings(), Facts: r.facts(), Caveats: r.caveats(), Read: howToRead}
	if len(s.Sets) > 0 {
		d.Read = append(slices.Clone(howToRead), howToReadFeatures...)
	}
	if s.World != nil {
		d.Read = append(slices.Clone(d.Read), howToReadOpen...)
	}
	if s.Paper != "" {
		d.Claim = fmt.Sprintf("After %s, which says: %s", s.Paper, s.Claim)
	}
	tables := r.Tables()
	take := func(prefixes ...string) (ts []Table, fs []Figure) {
		for _, p := range prefixes {
			for _, t := range tables {
				if strings.HasPrefix(t.Name, p) {
					ts = append(ts, t)
				}
			}
			for _, f := range figures {
				if strings.HasPrefix(f.Name, p) {
					fs = append(fs, f)
				}
			}
		}
		return ts, fs
	}
	for _, s := range []struct {
		id, title, intro string
		prefixes         []string
	}{
		{"accuracy", "Accuracy", "One table for each protocol, kind of split and representation. The lower rows of each are controls: what an answer that ignores the shape of the traffic reaches.", []string{"accuracy", "splits", "commands", "guessing"}},
		{"open", "Open world", openIntro, []string{"open"}},
		{"features", "What the features are worth", "", []string{"ablations", "bins", "importances"}},
		{"models", "The searches and the comparisons", "", []string{"chosen", "comparisons"}},
		{"answers", "What the models answered", "", []string{"confusion", "collapse", "learning", "refused"}},
		{"traffic", "The traffic", "What the captures look like, and how much of the label can be seen without a network." + r.unused(), []string{"burst", "series", "assumptions", "durations", "correlation", "packets"}},
		{"audit", "Leakage audit", auditIntro, []string{"audit"}},
		{"published", "The study's own numbers", "", []string{"published"}},
	} {
		ts, fs := take(s.prefixes...)
		if len(ts)+len(fs) > 0 {
			d.Sections = append(d.Sections, section{ID: s.id, Title: s.title, Intro: s.intro, Tables: ts, Figures: fs})
			if s.id == "audit" {
				d.Sections[len(d.Sections)-1].Alarms = r.alarms()
			}
		}
	}
	return d
}

// howToRead is the same in every report.
var howToRead = []string{
	"Accuracy is the share of test captures that were named right. A cell with one repeat has an exact (Clopper-Pearson) interval and a one-sided exact p against guessing, or against the constant answer where the classes are of unequal size; several repeats have the mean and the corrected resampled t interval and test of Nadeau and Bengio, because repeats share captures; where all are equal they have the interval of one of them, since no spread is no proof of precision. Splits that hold groups of captures apart have the interval of Korn and Graubard over the groups, which is wide where they are few. Repeats are never added up to one large sample.",
	"p Holm is corrected over the networks of one table. Below 0.05 it is marked with a star in the figures.",
	"Majority is the constant answer: the most frequent class of the training set. Totals only knows the bytes and packets of the capture, duration only its length. A network is worth its cost if it beats all three.",
	"Permuted labels must fall to guessing, or where the classes are of unequal size to the constant answer, otherwise the experiment leaks. Shuffled time shows what the order of the time steps adds.",
	"Collapsed counts the repeats in which a network gave the same answer to every test capture. Its accuracy is then the share of that class, however far above guessing it looks.",
	"View is the field of view: the seconds of traffic that one output of the last convolution sees; global where it is the whole series.",
}

func (r *Run) facts() []fact {
	m, s := r.Manifest, r.Manifest.Settings
	out := []fact{
		{"Data", r.dataFact()},
		{"Origin", m.Data.Origin},
		{"License", m.Data.License},
		{"Seen", lossFact(s.Loss)},
		{"Digest", m.Data.Digest},
		{"Classes", fmt.Sprintf("%d on axis %s: %s", len(s.Classes), s.Label, shorten(s.Classes, 12))},
		{"Open world", s.World.fact()},
		{"Feature sets", strings.Join(r.setNames(), ", ")},
		{"Models", r.modelFact()},
		{"Networks", r.networkFact()},
		{"Cells", fmt.Sprintf("%d of %d", len(r.Cells), len(m.Cells))},
	}
	for _, p := range s.Protocols {
		if p.Epochs == 0 || len(s.Nets) == 0 {
			out = append(out, fact{"Protocol " + p.Name, fmt.Sprintf("splits %s; no networks; histogram edges from %s", strings.Join(p.Splits, " "), edgeWords[p.Edges])})
			continue
		}
		drop := "nothing dropped"
		if p.DropLast {
			drop = "incomplete batch dropped"
		}
		out = append(out, fact{"Protocol " + p.Name, fmt.Sprintf("splits %s; %d epochs, batch %d, %s, normalization %s, highest learning rate %g",
			strings.Join(p.Splits, " "), p.Epochs, p.Batch, drop, p.Normalize, p.LR)})
		if p.Edges != "" {
			out[len(out)-1].Value += "; histogram edges from " + edgeWords[p.Edges]
		}
	}
	v, mc := m.Version, m.Machine
	out = append(out,
		fact{"Program", fmt.Sprintf("earshot %s, commit %s, %s", v.Version, v.Commit, v.Go)},
		fact{"Machine", fmt.Sprintf("%s/%s, %s, %d threads, kernels %s", mc.OS, mc.Arch, mc.CPU, mc.Threads, mc.Kernel)})
	return slices.DeleteFunc(out, func(f fact) bool { return f.Value == "" })
}

// dataFact says which captures were used, and how many.
func (r *Run) dataFact() string {
	d := r.Manifest.Data
	name, used := d.Name, fmt.Sprintf("%d captures used", d.Captures)
	if bundled.Is(d.Path) {
		name += " (" + d.Path + ")"
	}
	if most := r.most(); most > 0 && most < d.Captures {
		used = fmt.Sprintf("%d captures of the classes, %d used", d.Captures, most)
	}
	return fmt.Sprintf("%s: %s, %d duplicates or empty left out", name, used, d.Excluded)
}

// most is the largest number of captures that any cell uses; 0 for all of them.
func (r *Run) most() int { return slices.Max(append([]int{0}, r.Manifest.Settings.Points...)) }

// unused is a sentence on captures of the classes that figures show and no cell uses.
func (r *Run) unused() string {
	all, most := r.Manifest.Data.Captures, r.most()
	if most == 0 || most >= all {
		return ""
	}
	return fmt.Sprintf(" Shown are all %d captures of the classes, of which %d trained and tested.", all, most)
}

func shorten(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + fmt.Sprintf(" and %d more", len(names)-n)
	}
	return strings.Join(names, ", ")
}

// prolog is what precedes the element svg in a file, and what an HTML page must not contain.
var prolog = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*"`)

func (d document) html(svgs map[string][]byte) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		// The stylesheet sizes the figure; its own size is that of print.
		"svg": func(f Figure) template.HTML {
			return template.HTML(prolog.ReplaceAll(svgs[f.Name], []byte(`<svg role="img"`)))
		},
		"long": func(s string) bool { return len(s) > 40 },
		"wide": func(f Figure) bool { return f.Width > plots.Single },
	}).Parse(htmlSource)
	if err != nil {
		return nil, fmt.Errorf("experiments: report.html.tmpl: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("experiments: report.html: %w", err)
	}
	return b.Bytes(), nil
}

func (d document) markdown() ([]byte, error) {
	t, err := texttemplate.New("report").Funcs(texttemplate.FuncMap{
		"table": func(t Table) string { return string(t.Markdown()) },
	}).Parse(markdownSource)
	if err != nil {
		return nil, fmt.Errorf("experiments: report.md.tmpl: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("experiments: report.md: %w", err)
	}
	return b.Bytes(), nil
}

// lossFact says how much the eavesdropper misses; nothing where that is nothing.
func lossFact(share float64) string {
	if share == 0 {
		return ""
	}
	return fmt.Sprintf("the eavesdropper misses %s %% of the packets, drawn at random", percent(share))
}
