package experiments

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WriteTables makes cells.csv, summary.csv and tables/ from the cells, replacing what is there. Verify holds the files
// against it.
func WriteTables(r *Run) error {
	files := r.tableFiles()
	dir := filepath.Join(r.Dir, "tables")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "*.*")) // tables of an earlier state of the run
	for _, path := range old {
		rel := "tables/" + filepath.Base(path)
		if _, ok := files[rel]; !ok && slices.Contains([]string{".csv", ".tex", ".md"}, filepath.Ext(path)) {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("experiments: %w", err)
			}
		}
	}
	for name, b := range files {
		if err := writeFile(filepath.Join(r.Dir, filepath.FromSlash(name)), b); err != nil {
			return err
		}
	}
	return nil
}

// tableFiles are the files that WriteTables writes, by path in the run folder.
func (r *Run) tableFiles() map[string][]byte {
	files := map[string][]byte{"cells.csv": cellsCSV(r.Cells), "summary.csv": summaryCSV(r.Summary())}
	if r.archive() {
		files["archive.csv"] = r.archiveCSV()
	}
	r.featureFiles(files)
	if r.Manifest.Settings.World != nil {
		files[openCurvesName] = r.openCurvesCSV(r.Summary())
	}
	for _, t := range r.Tables() {
		files["tables/"+t.Name+".csv"] = t.CSV()
		files["tables/"+t.Name+".tex"] = t.LaTeX()
		files["tables/"+t.Name+".md"] = t.Markdown()
	}
	return files
}

// Tables are the tables of the report, in reading order: accuracies, one table for each protocol, kind of split and
// representation; the counts against guessing; constant answers; refused cells; durations; packets; the study's own
// numbers.
func (r *Run) Tables() []Table {
	if r.archive() {
		return r.archiveTables()
	}
	groups := r.Summary()
	out := append(r.featureTables(groups), r.accuracyTables(groups)...)
	if r.Manifest.Settings.World != nil {
		out = append(out, r.openTables(groups)...)
	} else if !r.againstConstant() { // else guessing is no level to be above
		out = append(out, r.guessingTable(groups))
	}
	if t := r.collapseTable(groups); len(t.Rows) > 0 || len(r.Manifest.Settings.Sets) == 0 {
		out = append(out, t)
	}
	if t := r.refusedTable(); len(t.Rows) > 0 {
		out = append(out, t)
	}
	if t, err := r.assumptionTable(); err == nil {
		out = append(out, t)
	}
	out = append(out, r.durationTable())
	if t, err := r.packetTable(); err == nil && len(t.Rows) > 0 {
		out = append(out, t)
	}
	out = append(out, r.auditTables()...)
	if p := r.Published(); len(p.Cells) > 0 {
		out = append(out, publishedTable(p))
	}
	out = append(out, r.publishedRequests()...)
	r.noteView(out)
	if r.Synthetic() {
		for i := range out {
			if !strings.HasPrefix(out[i].Name, "published") {
				out[i].Title = "SYNTHETIC data: " + out[i].Title
			}
		}
	}
	return out
}

// accuracyTables are SP-43's tables with what SP-48 adds.
func (r *Run) accuracyTables(groups []Group) []Table {
	var keys []string
	first := map[string]Settings{}
	note := func(s Settings) {
		if key := tableKey(s); s.series() {
			if _, ok := first[key]; !ok {
				first[key] = s
				keys = append(keys, key)
			}
		}
	}
	for _, c := range r.Cells {
		note(c.Settings)
	}
	protocol := map[string]int{}
	for i, p := range r.Manifest.Settings.Protocols {
		protocol[p.Name] = i
	}
	slices.SortStableFunc(keys, func(a, b string) int {
		x, y := first[a], first[b]
		return cmp.Or(cmp.Compare(protocol[x.Protocol], protocol[y.Protocol]), strings.Compare(x.SplitSpec, y.SplitSpec),
			cmp.Compare(y.StepUS, x.StepUS))
	})
	var out []Table
	for _, key := range keys {
		out = append(out, r.accuracyTable(first[key], groups))
	}
	return out
}

func (r *Run) accuracyTable(s Settings, groups []Group) Table {
	t := Table{Name: "accuracy_" + tableName(s), Columns: []Column{
		{Name: "Model", Left: true}, {Name: "Points"}, {Name: "Test points"}, {Name: "Accuracy %"}, {Name: "SD"},
		{Name: "95 % low"}, {Name: "95 % high"}, {Name: "Over guessing", Wide: true}, {Name: "Over majority", Wide: true}, {Name: "p", Wide: true}, {Name: "p Holm"}, {Name: "Collapsed"},
		{Name: "Train accuracy %", Wide: true}, {Name: "View s"}, {Name: "Optimizer steps", Wide: true},
		{Name: "Parameters", Wide: true}}}
	if len(r.Published().Cells) > 0 {
		t.Columns = append(t.Columns, Column{Name: "Study points"}, Column{Name: "Study %"})
	}
	what := "time step " + stepName(s.StepUS)
	if s.Representation == Order {
		what = "packet sizes in order, without time"
	}
	t.Title = fmt.Sprintf("Accuracy, protocol %s (%s), %s", s.Protocol, s.SplitSpec, what)
	training := "Normalization"
	if s.Epochs > 0 { // a table of rockets alone has no training
		training = fmt.Sprintf("%d epochs, batch %d, %s, normalization", s.Epochs, s.Batch, map[bool]string{true: "incomplete batch dropped", false: "nothing dropped"}[s.DropLast])
	}
	t.Notes = []string{
		fmt.Sprintf("%s %s; guessing is %s %%.", training, s.Normalize, percent(1/float64(len(s.Classes)))),
		"Interval and p: exact for one repeat, and those of one where all are equal; corrected resampled t (cut to 0 and 100 %) for several" +
			map[bool]string{true: "; interval over the groups of captures (Korn and Graubard 1998), wide where they are few, of one group exact", false: ""}[splitAxis(s.SplitSpec) != ""] +
			". p: above " + r.level() + "; p Holm: over the networks of this table. Collapsed: repeats that gave one answer to every test point.",
	}
	if r.againstConstant() {
		why := "Most captures are other"
		if s.World == nil {
			why = "The classes are of unequal size"
		}
		t.Columns = append(t.Columns, Column{Name: "Macro recall %"})
		t.Notes = append(t.Notes, fmt.Sprintf("%s: the level to be above is the majority row, not guessing. Macro recall: the mean over the %d classes of the share named right; the constant answer has %s %%.",
			why, len(s.Classes), percent(1/float64(len(s.Classes)))))
	}
	if i := slices.IndexFunc(r.Cells, func(c *Cell) bool { return c.OK() && tableKey(c.Settings) == tableKey(s) && c.StepUS > 0 }); i >= 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Of the packets, %d lay exactly between two steps (they count in the later one) and %d in the half step behind the last one (dropped).", r.Cells[i].Ties, r.Cells[i].Edge))
	}
	if r.Synthetic() && r.Manifest.Data.Bayes > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("The best possible rule is right on %s %%.", percent(r.Manifest.Data.Bayes)))
	}
	key := tableKey(s)
	var nets, controls, refused []Row
	points := map[int]bool{}
	shown := slices.Clone(groups)
	slices.SortStableFunc(shown, func(a, b Group) int { return cmp.Compare(b.Mean, a.Mean) })
	for _, g := range shown {
		if tableKey(g.Settings) != key {
			continue
		}
		points[g.Points] = true
		if g.Control == "" {
			nets = append(nets, Row{Fields: r.accuracyRow(g)})
		}
	}
	for _, c := range r.Cells { // one row for the repeats of a refused setting
		if c.Status == StatusOK || tableKey(c.Settings) != key {
			continue
		}
		row := make([]string, len(t.Columns))
		row[0], row[1], row[3] = netTitle(c.Net), strconv.Itoa(c.Points), c.Status
		if len(r.Published().Cells) > 0 {
			r.study(c.Settings, row[16:18])
		}
		if !slices.ContainsFunc(refused, func(o Row) bool { return slices.Equal(o.Fields, row) }) {
			refused = append(refused, Row{Fields: row})
		}
		points[c.Points] = true
	}
	for _, name := range []string{ControlMajority, ControlTotals, ControlDuration, ControlPermuted, ControlShuffled} {
		for _, g := range groups {
			same := tableKey(g.Settings) == key
			if g.kind() == plain { // a control without a series belongs to every table
				same = g.Protocol == s.Protocol && g.SplitSpec == s.SplitSpec && points[g.Points]
			}
			if g.Control == name && same {
				controls = append(controls, Row{Fields: r.accuracyRow(g)})
			}
		}
	}
	t.rule(append(nets, refused...))
	t.rule(controls)
	return t
}

// controlNames say in a table what a control sees.
var controlNames = map[string]string{
	ControlMajority: "majority (constant answer)", ControlTotals: "totals only", ControlDuration: "duration only",
	ControlPermuted: "permuted labels", ControlShuffled: "shuffled time",
}

func (r *Run) accuracyRow(g Group) []string {
	name := netTitle(g.Net)
	if g.Control != "" {
		name = controlNames[g.Control]
		if g.Control == ControlPermuted || g.Control == ControlShuffled {
			name += ", " + netTitle(g.Net)
		}
	}
	c := g.Cells[0]
	collapsed, trained, majority := 0, 0.0, 0.0
	for _, c := range g.Cells {
		trained += c.TrainAccuracy / float64(g.Repeats)
		majority += c.MajorityShare / float64(g.Repeats)
		if c.Collapsed {
			collapsed++
		}
	}
	row := []string{name, strconv.Itoa(g.Points), times(g.Repeats, g.NTest), percent(g.Mean), percent(g.SD), percent(max(0, g.CILow)),
		percent(min(1, g.CIHigh)), signed(g.Mean - 1/float64(len(g.Classes))), signed(g.Mean - majority), pvalue(g.P), pvalue(g.PHolm), fmt.Sprintf("%d/%d", collapsed, g.Repeats), percent(trained),
		viewName(c), "", ""}
	if c.OptimizerSteps > 0 {
		row[14] = strconv.Itoa(c.OptimizerSteps)
	}
	if c.Params > 0 {
		row[15] = strconv.Itoa(c.Params)
	}
	if len(r.Published().Cells) > 0 {
		row = append(row, "", "")
		if g.Control == "" {
			r.study(g.Settings, row[16:])
		}
	}
	if r.againstConstant() {
		row = append(row, percent(g.balanced()))
	}
	return row
}

// study writes the published points and accuracy of a setting.
func (r *Run) study(s Settings, dst []string) {
	p := r.Published()
	if isRocket(s.Net) { // younger than the study
		return
	}
	if s.Representation == Order {
		if p.Order > 0 {
			dst[1] = percent(p.Order)
		}
		return
	}
	c, ok := p.Find(s.StepUS, s.Net)
	switch {
	case ok && c.Points > 0:
		dst[0], dst[1] = strconv.Itoa(c.Points), percent(c.Accuracy)
	case ok:
		dst[0], dst[1] = "None", "None"
	}
}

// guessingTable counts the networks below, on and above guessing (SP-46).
func (r *Run) guessingTable(groups []Group) Table {
	t := Table{Name: "guessing", Title: "Models against guessing",
		Columns: []Column{{Name: "Source", Left: true}, {Name: "Guessing %"}, {Name: "Worse"}, {Name: "Equal"}, {Name: "Better"}, {Name: "Cells"},
			{Name: "Better and p Holm < 0.05"}},
		Notes: []string{"A cell is a model at one representation, number of points and kind of split, by the mean of its repeats; equal means the same whole percent. Being above guessing is no evidence by itself: see the last column."}}
	if p := r.Manifest.Settings.Published; len(p.Cells) > 0 {
		n, significant := p.Counts(), 0
		for _, v := range p.holm() {
			if v < 0.05 {
				significant++
			}
		}
		name := "the study"
		if len(r.Published().Cells) == 0 {
			name = "for reference: the study, on its own captures and question"
		}
		t.add(name, percent(p.Guess), strconv.Itoa(n.Worse), strconv.Itoa(n.Equal), strconv.Itoa(n.Better), strconv.Itoa(n.Total()), strconv.Itoa(significant))
	}
	for _, proto := range r.Manifest.Settings.Protocols {
		var n Counts
		significant := 0
		guess := math.NaN()
		for _, g := range groups {
			if g.Control != "" || g.Protocol != proto.Name || g.Part != "" {
				continue
			}
			guess = 1 / float64(len(g.Classes))
			n.add(g.Mean, guess)
			if g.Mean > guess && g.PHolm < 0.05 && !g.constant() {
				significant++
			}
		}
		if n.Total() > 0 {
			t.add("ours, protocol "+proto.Name, percent(guess), strconv.Itoa(n.Worse), strconv.Itoa(n.Equal), strconv.Itoa(n.Better), strconv.Itoa(n.Total()), strconv.Itoa(significant))
		}
	}
	return t
}

// statisticsTitle says by what batch norm is tested.
func statisticsTitle(evaluate string) string {
	switch evaluate {
	case EvaluateBatch:
		return "test batch"
	case EvaluateSet:
		return "training set"
	}
	return "running statistics"
}

// collapseTable puts what could explain constant answers beside them (SP-53).
func (r *Run) collapseTable(groups []Group) Table {
	t := Table{Name: "collapse", Title: "Constant answers and what could explain them",
		Columns: []Column{{Name: "Model", Left: true}, {Name: "Protocol", Left: true}, {Name: "Splits", Left: true, Wide: true}, {Name: "Step"},
			{Name: "Points"}, {Name: "Optimizer steps"}, {Name: "Drop last", Wide: true}, {Name: "Normalize"}, {Name: "Batch norm at test", Left: true, Wide: true},
			{Name: "Collapsed"}, {Name: "Train accuracy %"}, {Name: "Accuracy %"}, {Name: "Test answers by class", Left: true, Wide: true}},
		Notes: []string{"Collapsed: repeats that gave one answer to every test point. Test answers: of all repeats, in the order of the classes."}}
	for _, g := range groups {
		if g.Control != "" || g.kind() == classicModel {
			continue
		}
		collapsed, trained := 0, 0.0
		answers := make([]int, len(g.Classes))
		for _, c := range g.Cells {
			if c.Collapsed {
				collapsed++
			}
			trained += c.TrainAccuracy / float64(g.Repeats)
			for k, n := range c.Predicted {
				answers[k] += n
			}
		}
		optimizer, dropped, statistics := strconv.Itoa(g.Cells[0].OptimizerSteps), strconv.FormatBool(g.DropLast), statisticsTitle(g.Evaluate)
		switch {
		case isRocket(g.Net):
			optimizer, dropped, statistics = "", "", ""
		case g.Net == "lstm" || g.Net == "mlp": // no batch norm
			statistics = ""
		}
		t.add(netTitle(g.Net), g.Protocol, g.SplitSpec, representationName(g.Settings), strconv.Itoa(g.Points), optimizer,
			dropped, g.Normalize, statistics, fmt.Sprintf("%d/%d", collapsed, g.Repeats), percent(trained), percent(g.Mean),
			strings.Trim(fmt.Sprint(answers), "[]"))
	}
	return t
}

func (r *Run) refusedTable() Table {
	t := Table{Name: "refused", Title: "Cells without a number",
		Columns: []Column{{Name: "Cell", Left: true, Wide: true}, {Name: "Model", Left: true}, {Name: "Protocol", Left: true}, {Name: "Step"}, {Name: "Points"},
			{Name: "Status", Left: true}, {Name: "Reason", Left: true}}}
	for _, c := range r.Cells {
		if !c.OK() {
			t.add(c.ID, netTitle(c.Net), c.Protocol, representationName(c.Settings), strconv.Itoa(c.Points), c.Status, c.Reason)
		}
	}
	return t
}

// tableName is the part of a file name that tells tables apart: ours_stratified-5_100ms.
func tableName(s Settings) string {
	return s.Protocol + "_" + fileName(s.SplitSpec) + "_" + representationName(s)
}

func representationName(s Settings) string {
	if s.StepUS == 0 {
		return s.Representation
	}
	return stepName(s.StepUS)
}

// stepName is a time step as the flags spell it: 1s, 100ms, 250us.
func stepName(us int64) string {
	return strings.ReplaceAll((time.Duration(us) * time.Microsecond).String(), "µ", "u")
}

// fileName keeps the letters, digits and points of s.
func fileName(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' {
			return c
		}
		return '-'
	}, s)
}

func viewName(c *Cell) string {
	if v, ok := c.View(); ok {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	if c.Params == 0 {
		return ""
	}
	if c.ViewSteps > 0 {
		return fmt.Sprintf("%d packets", c.ViewSteps)
	}
	return "global"
}

func times(repeats, n int) string {
	if repeats == 1 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d × %d", repeats, n)
}

// percent prints a fraction; nothing for a value that does not exist.
func percent(v float64) string { return fixed(100*v, 2) }

// signed prints a difference of fractions in points.
func signed(v float64) string { return fixed(100*v, 2) }

func fixed(v float64, digits int) string {
	if math.IsNaN(v) {
		return ""
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-") // rounding leaves no sign on nothing
	}
	return s
}

func pvalue(p float64) string {
	switch {
	case math.IsNaN(p):
		return ""
	case p < 0.001:
		return "<0.001"
	}
	return fixed(p, 3)
}

// pWords is a p-value within a sentence: p = 0.012, p < 0.001.
func pWords(p float64) string {
	if s, small := strings.CutPrefix(pvalue(p), "<"); small {
		return "p < " + s
	}
	return "p = " + pvalue(p)
}

// quantile interpolates linearly between the sorted values.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	at := q * float64(len(s)-1)
	i := min(int(at), len(s)-1)
	j := min(i+1, len(s)-1)
	return s[i] + (at-float64(i))*(s[j]-s[i])
}
