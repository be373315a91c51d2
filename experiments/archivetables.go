package experiments

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// archiveColumns are the columns of archive.csv, as other programs rely on them.
var archiveColumns = []string{"dataset", "net", "run", "seed", "n_test", "correct", "accuracy", "published_mean", "published_sd", "epochs", "wall_s"}

func (r *Run) archiveCSV() []byte {
	return writeCSV(archiveColumns, func(add func(...string)) {
		for _, c := range r.Cells {
			if !c.OK() || c.Control != "" {
				continue
			}
			row := []string{c.Dataset, c.Net, strconv.Itoa(1 + slices.Index(r.Manifest.Settings.Seeds, c.Seed)), strconv.FormatUint(c.Seed, 10),
				integer(c.NTest), integer(c.Correct), number(c.Accuracy), "", "", integer(c.Epochs), strconv.FormatFloat(c.WallS, 'f', 3, 64)}
			if p, ok := publishedScore(c.Dataset, c.Net); ok {
				row[7] = number(p.Mean)
				if p.Runs > 1 {
					row[8] = number(p.SD)
				}
			}
			add(row...)
		}
	})
}

// archiveTables are the tables of the report on an archive, in reading order.
func (r *Run) archiveTables() []Table {
	groups := r.Summary()
	s := r.standing(groups)
	out := []Table{r.scoresTable(groups, s)}
	if t := r.besideTable(groups); len(t.Rows) > 0 {
		out = append(out, t)
	}
	if len(s.Datasets) > 1 && len(s.Nets) > 1 {
		out = append(out, ranksTable(s), pairsTable(s))
	}
	if t := r.refusedTable(); len(t.Rows) > 0 {
		out = append(out, t)
	}
	out = append(out, r.auditTables()...)
	if r.Synthetic() {
		for i := range out {
			out[i].Title = "SYNTHETIC data: " + out[i].Title
		}
	}
	if t := r.publishedScoresTable(); len(t.Rows) > 0 {
		out = append(out, t)
	}
	return out
}

// archive reports whether the run is one over an archive.
func (r *Run) archive() bool { return r.Manifest.Settings.Archive != nil }

// scoresTable is accuracy by data set and model.
func (r *Run) scoresTable(groups []Group, s Standing) Table {
	set := r.Manifest.Settings
	many := len(set.Nets) > 3 // then a page has no room for the sizes
	t := Table{Name: "accuracy", Title: fmt.Sprintf("Accuracy on the official test sets in percent, %s", meanOverRuns(set)),
		Columns: []Column{{Name: "Data set", Left: true}, {Name: "Train", Wide: many}, {Name: "Test", Wide: many}, {Name: "Channels", Wide: many}, {Name: "Steps", Wide: many}, {Name: "Classes", Wide: many}},
		Notes: []string{
			"*: highest of its row. ~: not told apart from it by the answers of the first run (exact McNemar test, Holm over the row, 5 %). A model without either mark is worse than the best of its row.",
			fmt.Sprintf("Majority: the constant answer. Mean and spread: logistic regression on mean and standard deviation of each channel. Permuted: %s on permuted training labels; where the classes are few and plain, single permutations lie far from guessing, and only their mean must not.", netTitle(set.controlNet())),
		}}
	for _, net := range set.Nets {
		t.Columns = append(t.Columns, Column{Name: netTitle(net)})
	}
	controls := []struct{ name, title string }{{ControlMajority, "Majority"}, {ControlTotals, "Mean and spread"}, {ControlPermuted, "Permuted"}, {ControlShuffled, "Shuffled"}}
	controls = slices.DeleteFunc(controls, func(c struct{ name, title string }) bool { return !slices.Contains(set.Controls, c.name) })
	for _, c := range controls {
		t.Columns = append(t.Columns, Column{Name: c.title})
	}
	if r.Synthetic() {
		t.Columns = append(t.Columns, Column{Name: "Best possible"})
	}
	unsettled := false
	for _, d := range set.Archive.Datasets {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Dataset == d })
		if i < 0 {
			continue
		}
		g := groups[i]
		row := []string{d, strconv.Itoa(g.NTrain), strconv.Itoa(g.NTest), "", strconv.Itoa(g.Steps), strconv.Itoa(len(g.Classes))}
		if g.Channels > 0 {
			row[3] = strconv.Itoa(g.Channels)
		}
		var have []Group
		for _, net := range set.Nets {
			if h, ok := ofProblem(groups, d, net, ""); ok {
				have = append(have, h)
			}
		}
		marks := map[string]string{}
		for _, h := range have {
			if h.unsettled() {
				marks[h.Net], unsettled = " !", true
			}
		}
		if have = slices.DeleteFunc(have, Group.unsettled); len(have) > 1 {
			best, unlike := unlikeBest(have)
			for j, h := range have {
				switch {
				case j == best:
					marks[h.Net] = " *"
				case !unlike[j]:
					marks[h.Net] = " ~"
				}
			}
		}
		for _, net := range set.Nets {
			h, ok := ofProblem(groups, d, net, "")
			row = append(row, "")
			if ok {
				row[len(row)-1] = plusMinus(h.Mean, h.SD, 1) + marks[net]
			}
		}
		for _, c := range controls {
			h, ok := ofProblem(groups, d, "", c.name)
			row = append(row, "")
			if ok {
				row[len(row)-1] = plusMinus(h.Mean, h.SD, 1)
			}
		}
		if r.Synthetic() {
			row = append(row, fixed(100*bestPossible(set, d), 1))
		}
		t.add(row...)
	}
	if unsettled {
		t.Notes = append(t.Notes, "!: tested by batch norm statistics that do not fit the weights; says nothing about the model, which has no mean and no rank.")
	}
	if n := len(s.Datasets); n > 1 {
		means, ranks := make([]string, len(t.Columns)), make([]string, len(t.Columns))
		means[0], ranks[0] = fmt.Sprintf("Mean of %d", n), "Mean rank"
		for j, net := range s.Nets {
			at := 6 + slices.Index(set.Nets, net)
			means[at], ranks[at] = fixed(100*s.Mean(j), 1), fixed(s.Ranks[j], 2)
		}
		t.rule([]Row{{Fields: means}, {Fields: ranks}})
	}
	return t
}

func bestPossible(s Study, dataset string) float64 {
	for _, g := range s.Archive.Generate {
		if g.Name == dataset {
			return g.Bayes
		}
	}
	return 0
}

func meanOverRuns(s Study) string {
	if len(s.Seeds) == 1 {
		return "one run"
	}
	return fmt.Sprintf("mean ± standard deviation over %d runs", len(s.Seeds))
}

// plusMinus prints fractions in percent; one run has no deviation.
func plusMinus(mean, sd float64, digits int) string {
	if math.IsNaN(sd) {
		return fixed(100*mean, digits)
	}
	return fixed(100*mean, digits) + " ± " + fixed(100*sd, digits)
}

// besideTable puts ours beside what was published for the same models.
func (r *Run) besideTable(groups []Group) Table {
	t := Table{Name: "beside_published", Title: "Ours beside the published accuracies in percent",
		Columns: []Column{{Name: "Data set", Left: true}, {Name: "Model", Left: true}, {Name: "Runs", Wide: true}, {Name: "Ours"}, {Name: "95 % low", Wide: true}, {Name: "95 % high", Wide: true},
			{Name: "Published"}, {Name: "Difference"}, {Name: "Verdict", Left: true}, {Name: "Epochs"}, {Name: "Epochs published"}},
		Notes: []string{
			"Both on the official split. Verdict: against the noise of training from other seeds (Welch's 95 % interval for several runs on both sides; the prediction interval of one more run of ours where one result was published; the exact interval of our accuracy when we have one run). One test series, and the rounding of the printed number, are within noise. Unsettled: a network that was not tested as it was trained, of which nothing is said.",
			"The interval is of accuracy on new series of the same kind: exact for one run, and that of one where all are equal; corrected resampled t for several.",
		}}
	for _, g := range groups {
		p, ok := publishedScore(g.Dataset, g.Net)
		if g.Control != "" || !ok {
			continue
		}
		published := percent(p.Mean)
		if p.Runs > 1 {
			published = fmt.Sprintf("%.1f ± %.1f", 100*p.Mean, 100*p.SD)
		}
		row := []string{g.Dataset, netTitle(g.Net), strconv.Itoa(g.Repeats), plusMinus(g.Mean, g.SD, 2), percent(max(0, g.CILow)), percent(min(1, g.CIHigh)), published,
			signed(g.Mean - p.Mean), beside(g, p), "", ""}
		if g.Epochs > 0 {
			row[9] = strconv.Itoa(g.Epochs)
			row[10] = strconv.Itoa(publishedEpochs(g.Net, g.NTrain))
		}
		t.add(row...)
	}
	return t
}

// ranksTable is the comparison of the models over all data sets.
func ranksTable(s Standing) Table {
	t := Table{Name: "ranks", Title: fmt.Sprintf("Models over %d data sets", len(s.Datasets)),
		Columns: []Column{{Name: "Model", Left: true}, {Name: "Rank"}, {Name: "Best"}, {Name: "Mean %"}},
		Notes:   []string{"Rank: mean over the data sets; 1 is the highest accuracy, equal accuracies share their mean rank. Best: data sets on which no model is better. Mean: of the accuracies."}}
	if s.Nemenyi != nil {
		f := s.Friedman
		t.Notes = append(t.Notes, fmt.Sprintf("Friedman: chi-square %s with %g degrees of freedom, p %s; Iman-Davenport: F(%g, %g) %s, p %s. Critical difference of mean ranks (Nemenyi, %g %%): %s.",
			fixed(f.ChiSquare, 2), f.DF1, pvalue(f.P), f.DF1, f.DF2, fixed(f.F, 2), pvalue(f.PF), 100*RanksLevel, fixed(s.Distance, 2)))
	}
	for _, j := range s.Order() {
		best := 0
		for _, row := range s.Scores {
			if row[j] == slices.Max(row) {
				best++
			}
		}
		t.add(netTitle(s.Nets[j]), fixed(s.Ranks[j], 2), strconv.Itoa(best), percent(s.Mean(j)))
	}
	return t
}

// pairsTable compares every two models.
func pairsTable(s Standing) Table {
	t := Table{Name: "pairs", Title: fmt.Sprintf("Every two models over %d data sets", len(s.Datasets)),
		Columns: []Column{{Name: "A", Left: true}, {Name: "B", Left: true}, {Name: "A better"}, {Name: "Equal"}, {Name: "B better"}, {Name: "Mean A - B"}, {Name: "p Wilcoxon"}, {Name: "p Holm"}, {Name: "p Nemenyi"}},
		Notes: []string{fmt.Sprintf("Wilcoxon's signed-rank test, exact and two-sided, on the mean accuracies; p Holm over all pairs of the table. With %d data sets the smallest p that it can give is %s.",
			len(s.Datasets), pvalue(leastP(len(s.Datasets))))}}
	for _, p := range s.Pairs() {
		t.add(netTitle(s.Nets[p.A]), netTitle(s.Nets[p.B]), strconv.Itoa(p.Wins), strconv.Itoa(p.Ties), strconv.Itoa(p.Losses), signed(p.Difference),
			pvalue(p.P), pvalue(p.PHolm), pvalue(p.PNemenyi))
	}
	return t
}

// publishedScoresTable lists everything published on the run's data sets.
func (r *Run) publishedScoresTable() Table {
	t := Table{Name: "published", Title: "Published accuracies on the official splits in percent", Columns: []Column{{Name: "Data set", Left: true}}}
	var papers []string
	for _, s := range archiveSources {
		t.Columns = append(t.Columns, Column{Name: s.Title, Wide: s.Net == "mlp" || s.Net == "lstm_fcn"})
		if n := len(papers) - 1; n >= 0 && strings.HasSuffix(papers[n], ": "+s.Paper) {
			papers[n] = strings.TrimSuffix(papers[n], ": "+s.Paper) + "; " + s.Title + ": " + s.Paper
			continue
		}
		papers = append(papers, s.Title+": "+s.Paper)
	}
	t.Notes = []string{strings.Join(papers, ". ") + "."}
	for _, d := range r.Manifest.Settings.Archive.Datasets {
		row := make([]string, len(t.Columns))
		row[0] = d
		for _, p := range PublishedScores(d) {
			i := slices.Index(archiveSources, p.PublishedSource)
			row[1+i] = fmt.Sprintf("%.1f", 100*p.Mean)
			if p.Runs > 1 {
				row[1+i] += fmt.Sprintf(" ± %.1f", 100*p.SD)
			}
		}
		if len(PublishedScores(d)) > 0 {
			t.add(row...)
		}
	}
	return t
}
