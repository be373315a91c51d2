package experiments

import (
	"fmt"
	"math"
	"strconv"

	"earshot/train/metrics"
)

// songsPublished are the four tables of the song study (2022): three songs, 111 captures, nine networks in the
// profile tsai. Where the study prints None, Points and Accuracy are 0. ResCNN at 10 ms is printed with 21 points,
// which cannot give 41.67 % (5 of 12 needs 60): one of the two numbers is a slip in the study.
var songsPublished = Published{Label: "song", Classes: 3, Guess: 0.33, Order: 0.33, Cells: []PublishedCell{
	{1_000_000, "rescnn", 111, 0.5000},
	{1_000_000, "resnet", 111, 0.4091},
	{1_000_000, "omniscalecnn", 111, 0.4091},
	{1_000_000, "fcn", 111, 0.3636},
	{1_000_000, "lstm_fcn", 111, 0.3636},
	{1_000_000, "xceptiontime", 111, 0.3636},
	{1_000_000, "inceptiontime", 111, 0.3636},
	{1_000_000, "mwdn", 111, 0.3636},
	{1_000_000, "lstm", 111, 0.3636},

	{100_000, "resnet", 111, 0.5455},
	{100_000, "fcn", 111, 0.4545},
	{100_000, "lstm_fcn", 111, 0.4091},
	{100_000, "omniscalecnn", 111, 0.4091},
	{100_000, "xceptiontime", 111, 0.3636},
	{100_000, "inceptiontime", 111, 0.3636},
	{100_000, "rescnn", 111, 0.3636},
	{100_000, "mwdn", 111, 0.3636},
	{100_000, "lstm", 111, 0.3636},

	{10_000, "xceptiontime", 24, 0.7500},
	{10_000, "fcn", 111, 0.5000},
	{10_000, "lstm_fcn", 111, 0.4545},
	{10_000, "inceptiontime", 36, 0.4286},
	{10_000, "resnet", 60, 0.4167},
	{10_000, "rescnn", 21, 0.4167},
	{10_000, "mwdn", 18, 0.3333},
	{10_000, "lstm", 111, 0.3182},
	{10_000, "omniscalecnn", 0, 0},

	{1_000, "lstm", 15, 0.3300},
	{1_000, "fcn", 0, 0},
	{1_000, "resnet", 0, 0},
	{1_000, "rescnn", 0, 0},
	{1_000, "lstm_fcn", 0, 0},
	{1_000, "xceptiontime", 0, 0},
	{1_000, "inceptiontime", 0, 0},
	{1_000, "omniscalecnn", 0, 0},
	{1_000, "mwdn", 0, 0},
}}

// Published are the study's numbers, where they answer the question that this run asks: generated captures, which stand
// for the study's, or the same label with as many classes. Beside another question they would only mislead, and the
// result is empty.
func (r *Run) Published() Published {
	s := &r.Manifest.Settings
	p := s.Published
	if q := p.Requests; q != nil && len(q.Confusion) > 0 && len(q.Confusion[0].Classes) != len(s.Classes) {
		p.Requests = nil // its accuracies are of six types; what was published on commands has a table of its own
	}
	if s.World != nil {
		return Published{}
	}
	if r.Synthetic() || (p.Label == "" || p.Label == s.Label) && (p.Classes == 0 || p.Classes == len(s.Classes)) {
		return p
	}
	return Published{}
}

// Counts is how many cells lie below, on and above guessing (SP-46). Two accuracies are equal when both round to the
// same whole percent, as the study counts 33.00 and 33.33 % as guessing.
type Counts struct{ Worse, Equal, Better int }

// Counts compares the published cells with guessing.
func (p Published) Counts() Counts {
	var n Counts
	for _, c := range p.Cells {
		if c.Points > 0 {
			n.add(c.Accuracy, p.Guess)
		}
	}
	return n
}

func (n *Counts) add(accuracy, guess float64) {
	switch a, g := int(100*accuracy+0.5), int(100*guess+0.5); {
	case a < g:
		n.Worse++
	case a > g:
		n.Better++
	default:
		n.Equal++
	}
}

// Total is the number of cells counted.
func (n Counts) Total() int { return n.Worse + n.Equal + n.Better }

// TestSize is the number of test captures that a random 20 % of n points gives: floor(0.2 n).
func TestSize(n int) int { return n / 5 }

// Correct is the number of right answers behind a published accuracy: the whole number of test points that comes
// closest. ok is false when no number of right answers gives the printed percentage (to 0.005 points of rounding, or to
// a whole percent where the study prints 33.00).
func (c PublishedCell) Correct() (k, n int, ok bool) {
	n = TestSize(c.Points)
	if n == 0 {
		return 0, 0, false
	}
	k = int(c.Accuracy*float64(n) + 0.5)
	diff := c.Accuracy - float64(k)/float64(n)
	return k, n, diff < 6e-5 && diff > -6e-5 || c.Accuracy == 0.33 && 3*k == n
}

// publishedTable is the study's own tables with what their percentages imply: right answers, exact interval, p.
func publishedTable(p Published) Table {
	t := Table{Name: "published", Title: "The study's own cells, with exact intervals",
		Columns: []Column{{Name: "Step"}, {Name: "Model", Left: true}, {Name: "Points"}, {Name: "Accuracy %"}, {Name: "Right/test"}, {Name: "95 % low"}, {Name: "95 % high"}, {Name: "p"}, {Name: "p Holm"}},
		Notes:   []string{"Right/test: the whole numbers behind the percentage when the test set is floor(0.2 points); ? where none fits. p: one-sided against 1/3. p Holm: over all cells of the study. None: as the study prints it, without a number."}}
	holm := p.holm()
	n := 0
	for _, c := range p.Cells {
		if c.Points == 0 {
			t.add(stepName(c.StepUS), netTitle(c.Net), "None", "None", "", "", "", "", "")
			continue
		}
		k, test, ok := c.Correct()
		row := []string{stepName(c.StepUS), netTitle(c.Net), strconv.Itoa(c.Points), percent(c.Accuracy), "?", "", "", "", ""}
		if ok {
			lo, hi := metrics.ClopperPearson(k, test, level)
			row[4], row[5], row[6], row[7], row[8] = fmt.Sprintf("%d/%d", k, test), percent(lo), percent(hi),
				pvalue(metrics.BinomialTail(k, test, 1.0/3)), pvalue(holm[n])
		}
		t.add(row...)
		n++
	}
	return t
}

// holm is Holm's correction over the study's cells that have numbers, in their order; NaN where none fits.
func (p Published) holm() []float64 {
	var out []float64
	for _, c := range p.Cells {
		if c.Points == 0 {
			continue
		}
		v := math.NaN()
		if k, n, ok := c.Correct(); ok {
			v = metrics.BinomialTail(k, n, 1.0/3)
		}
		out = append(out, v)
	}
	return metrics.Holm(out)
}
