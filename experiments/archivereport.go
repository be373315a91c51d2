package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"earshot/nets"
)

// archiveFigures are the figures of the report on an archive.
func (r *Run) archiveFigures() []Figure {
	f, err := r.standing(r.Summary()).Figure()
	if err != nil { // too few models or data sets
		return nil
	}
	f.Synthetic = r.Synthetic()
	return []Figure{f}
}

func (r *Run) archiveDocument(figures []Figure) document {
	groups := r.Summary()
	s := r.standing(groups)
	d := document{Title: r.Manifest.Settings.Title, Claim: r.Manifest.Settings.Claim, Synthetic: r.Synthetic(), Findings: r.archiveFindings(groups, s), Facts: r.archiveFacts(groups), Caveats: r.archiveCaveats(groups, s), Read: archiveHowToRead}
	tables := r.Tables()
	for _, part := range []struct{ id, title, intro, names string }{
		{"accuracy", "Accuracy", "", "accuracy"},
		{"published", "Beside the published accuracies", "", "beside_published published"},
		{"ranks", "The models over all data sets", "", "ranks pairs"},
		{"refused", "Cells without a number", "", "refused"},
		{"audit", "Leakage audit", seriesAuditIntro, "audit_findings audit_probes"},
	} {
		of := section{ID: part.id, Title: part.title, Intro: part.intro}
		for _, t := range tables {
			if slices.Contains(strings.Fields(part.names), t.Name) {
				of.Tables = append(of.Tables, t)
			}
		}
		for _, f := range figures {
			if f.Name == part.id {
				of.Figures = append(of.Figures, f)
			}
		}
		if part.id == "audit" {
			of.Alarms = r.alarms()
		}
		if len(of.Tables)+len(of.Figures) > 0 {
			d.Sections = append(d.Sections, of)
		}
	}
	return d
}

var archiveHowToRead = []string{
	"Accuracy is the share of the official test series that were named right. Repeats differ in the seed alone: first weights and order of batches, or the draws of the rockets. They show the noise of training, not that of the data.",
	"Within noise is said by a rule, not by eye: the note under the table of published accuracies gives it.",
	"Ranks compare the models over data sets (Demsar 2006): Friedman's test asks whether any differ, Nemenyi's which, at a price that grows with the number of models; Wilcoxon's test with Holm's correction asks of each pair alone.",
	"Majority is the constant answer. Mean and spread is logistic regression on mean and standard deviation of each channel: a model that does no better has used nothing of the shape. Permuted labels must fall to guessing on average, otherwise the experiment leaks.",
}

func (r *Run) archiveFindings(groups []Group, s Standing) (out []finding) {
	var whole, published, models finding
	if n := len(r.Missing); n > 0 {
		whole.add("The run is not complete: %d of %d cells are missing.", n, len(r.Manifest.Cells))
	}
	for _, text := range r.Manifest.Data.Skipped {
		whole.add("Left out: %s.", strings.TrimSuffix(text, "."))
	}
	refused := 0
	for _, c := range r.Cells {
		if !c.OK() {
			refused++
		}
	}
	if refused > 0 {
		whole.add("%d cells have no number; their reasons are in the table of cells without a number.", refused)
	}
	for _, line := range unsettledWords(groups) {
		whole.add("%s", line)
	}
	if n := len(r.alarms()); n > 0 {
		whole.add("The leakage audit has severe findings (%d): what they say comes before every accuracy on those data sets.", n)
	}
	verdicts := map[string][]string{}
	for _, g := range groups {
		if p, ok := publishedScore(g.Dataset, g.Net); ok && g.Control == "" && !g.unsettled() {
			word := beside(g, p)
			verdicts[word] = append(verdicts[word], fmt.Sprintf("%s on %s by %s", netTitle(g.Net), g.Dataset, fixed(100*math.Abs(g.Mean-p.Mean), 1)))
		}
	}
	if n := len(verdicts[withinNoise]) + len(verdicts[isHigher]) + len(verdicts[isLower]); n > 0 {
		published.About = "Published accuracies"
		published.add("%d of %d accuracies agree with the published ones within noise.", len(verdicts[withinNoise]), n)
		for _, word := range []string{isLower, isHigher} {
			if v := verdicts[word]; len(v) > 0 {
				published.add("%s than published, in points: %s.", strings.ToUpper(word[:1])+word[1:], shorten(v, 10))
			}
		}
	}
	if s.Nemenyi != nil {
		models.About = fmt.Sprintf("%d models over %d data sets", len(s.Nets), len(s.Datasets))
		best := s.Order()[0]
		models.add("%s has the best mean rank, %s. Friedman's test that all models are alike: %s (chi-square), %s (Iman-Davenport).",
			netTitle(s.Nets[best]), fixed(s.Ranks[best], 2), pWords(s.Friedman.P), pWords(s.Friedman.PF))
		var apart []string
		holm, pairs := 0, s.Pairs()
		for _, p := range pairs {
			if p.PNemenyi <= RanksLevel {
				a, b := p.A, p.B
				if s.Ranks[a] > s.Ranks[b] {
					a, b = b, a
				}
				apart = append(apart, netTitle(s.Nets[a])+" before "+netTitle(s.Nets[b]))
			}
			if p.PHolm < 0.05 {
				holm++
			}
		}
		if len(apart) == 0 {
			models.add("Nemenyi's test tells no two models apart: every difference of ranks lies within noise.")
		} else {
			models.add("Nemenyi's test tells apart: %s. All other differences lie within noise.", strings.Join(apart, ", "))
		}
		if least := leastP(len(s.Datasets)) * float64(len(pairs)); least >= 0.05 {
			models.add("Wilcoxon's test with Holm's correction cannot find anything here: %d data sets give at least p = %s for a pair, and %d pairs are compared.", len(s.Datasets), pvalue(leastP(len(s.Datasets))), len(pairs))
		} else {
			models.add("Wilcoxon's test with Holm's correction tells %d of %d pairs apart.", holm, len(pairs))
		}
	}
	if acc, constant, p := permutedLabels(groups); p < 0.05 && acc > constant {
		whole.add("Trained on permuted labels, %s reaches %s %% on average, above the %s %% of the constant answer (%s): something other than the label leaks, and the other numbers are not to be trusted.",
			netTitle(r.Manifest.Settings.controlNet()), fixed(100*acc, 1), fixed(100*constant, 1), pWords(p))
	}
	for _, f := range []finding{whole, published, models} {
		if len(f.Lines) > 0 {
			out = append(out, f)
		}
	}
	return out
}

func (r *Run) archiveFacts(groups []Group) []fact {
	m, s := r.Manifest, r.Manifest.Settings
	out := []fact{
		{"Data", fmt.Sprintf("%s: %d series in %d data sets: %s", m.Data.Name, m.Data.Captures, len(s.Archive.Datasets), shorten(s.Archive.Datasets, 12))},
		{"Origin", m.Data.Origin}, {"License", m.Data.License}, {"Digest", m.Data.Digest},
		{"Cells", fmt.Sprintf("%d of %d", len(r.Cells), len(m.Cells))},
	}
	for _, net := range s.Nets {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Net == net && g.Control == "" })
		if i < 0 {
			continue
		}
		g := groups[i]
		if g.Epochs == 0 {
			out = append(out, fact{netTitle(net), "features of the series as they are, scaled; ridge classifier with the penalty chosen by its leave-one-out error"})
			continue
		}
		text := fmt.Sprintf("profile %s, %d epochs, batch up to %d, first rate %g, normalization %s", g.Profile, g.Epochs, maxBatch(groups, net), g.LR, g.Normalize)
		if arch, err := nets.Lookup(g.Net, g.Profile); err == nil && arch.Normalizes() {
			text += ", batch norm tested by: " + statisticsTitle(g.Evaluate)
		}
		if n := publishedEpochs(net, g.NTrain); n > 0 {
			text += fmt.Sprintf("; its publication trained %d epochs", n)
		}
		out = append(out, fact{netTitle(net), text})
	}
	v, mc := m.Version, m.Machine
	out = append(out,
		fact{"Program", fmt.Sprintf("earshot %s, commit %s, %s", v.Version, v.Commit, v.Go)},
		fact{"Machine", fmt.Sprintf("%s/%s, %s, %d threads, kernels %s", mc.OS, mc.Arch, mc.CPU, mc.Threads, mc.Kernel)})
	return slices.DeleteFunc(out, func(f fact) bool { return f.Value == "" })
}

func maxBatch(groups []Group, net string) (n int) {
	for _, g := range groups {
		if g.Net == net {
			n = max(n, g.Batch)
		}
	}
	return n
}

func (r *Run) archiveCaveats(groups []Group, s Standing) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	set := r.Manifest.Settings
	if r.Synthetic() {
		add("The series were generated. What the best possible rule reaches is known (last column of the table of accuracies); the numbers test the models against that, and say nothing about any service.")
	}
	if set.Quick {
		add("This is a quick run: few epochs, one run. Its numbers show that everything works, not what is true.")
	}
	least, most := 0, 0
	for _, g := range groups {
		if n := publishedEpochs(g.Net, g.NTrain); g.Epochs > 0 && g.Epochs < n {
			if least == 0 || n < least {
				least = n
			}
			most = max(most, n)
		}
	}
	if most > 0 {
		add("The networks were trained for fewer epochs than their publications (%d to %d): where they are lower than published, that is the first thing to change.", least, most)
		if slices.ContainsFunc(groups, func(g Group) bool { return g.Evaluate == EvaluateSet }) {
			add("After so few steps batch norm's running statistics still hold batches of earlier weights. They were replaced, after training and before any test, by the statistics of the whole training set; the publications, after so many more steps, had no need of it. --epochs 0 leaves them as they are.")
		}
	}
	if len(set.Seeds) == 1 {
		add("With one run the noise of training is not known; several runs (--runs) give it.")
	}
	add("One official split says how a model does on one test set. Published means over 30 resamples of the same data differ from it by up to two points.")
	if len(s.Datasets) > 1 && len(s.Datasets) < 20 {
		add("%d data sets are few for tests over data sets: only large and steady differences can be found.", len(s.Datasets))
	}
	add("The highest number of a row was picked after looking at test data. None of the models was chosen or stopped by it.")
	return out
}
