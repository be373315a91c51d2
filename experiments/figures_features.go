package experiments

import (
	"fmt"
	"slices"

	"earshot/plots"
)

// featureFigures are the figures of classical models, in reading order.
func (r *Run) featureFigures(groups []Group) (out []Figure) {
	folds := r.featureFolds(groups)
	for _, p := range r.Manifest.Settings.Protocols {
		var side []featureFold
		for _, f := range folds {
			if f.protocol == p.Name {
				side = append(side, f)
			}
		}
		if len(side) == 0 {
			continue
		}
		out = append(out, r.splitFigure(side, ""))
		if f := r.splitFigure(side, PartAblation); f.Figure != nil {
			out = append(out, f)
		}
	}
	for _, f := range folds {
		if fig := r.binFigure(f); fig.Figure != nil {
			out = append(out, fig)
		}
	}
	out = append(out, r.importanceFigures(folds)...)
	return append(out, r.bestConfusions(folds)...)
}

// splitFigure has a panel for each feature set and a row for each model, or, for some of the features only, one panel with
// a row for each group of features; the kinds of split of a protocol are the series.
func (r *Run) splitFigure(side []featureFold, part string) Figure {
	panels := r.setNames()
	if part == PartAblation {
		panels = []string{""}
	}
	var all []plots.DotPanel
	pub := r.Published().Requests
	for _, set := range panels {
		d := plots.DotPanel{Title: setTitle(set), XLabel: "Accuracy (%)", Percent: true,
			References: []plots.Reference{{Name: "guessing", Value: 1 / float64(len(r.Manifest.Settings.Classes))}}}
		for _, g := range side[0].controls {
			if g.Control == ControlMajority || g.Control == ControlTotals {
				d.References = append(d.References, plots.Reference{Name: g.Control, Value: g.Mean})
			}
		}
		var rows []Group
		for _, g := range side[0].groups {
			if g.Part == part && g.Control == "" && (part != "" || g.Representation == set) {
				rows = append(rows, g)
				if part == "" {
					d.Rows = append(d.Rows, netTitle(g.Net))
				} else {
					d.Rows = append(d.Rows, setTitle(g.Representation))
				}
			}
		}
		for _, f := range side {
			s := plots.DotSeries{Name: specTitle(f.split)}
			for _, row := range rows {
				q := plots.DotPoint{Mean: nan}
				if g, ok := f.find(part, row.Representation, row.Net, ""); ok {
					q = plots.DotPoint{Mean: g.Mean, Low: g.CILow, High: g.CIHigh}
				}
				if splitAxis(f.split) == "" && pub != nil {
					if m, ok := pub.Model(row.Representation, row.Net); ok && part == "" {
						q.Published = m.Mean
					}
					if a, ok := pub.ablation(row.Representation); ok && part != "" {
						q.Published = a.Mean
					}
				}
				s.Points = append(s.Points, q)
			}
			d.Series = append(d.Series, s)
		}
		if len(rows) > 0 {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return Figure{}
	}
	name, what := "accuracy_features_"+side[0].protocol, "Accuracy of classical models"
	if part != "" {
		name, what = "ablations_"+side[0].protocol, "Accuracy of a forest on some of the features"
	}
	caption := fmt.Sprintf("%s, protocol %s: means over the splits, bars 95 %% intervals (corrected resampled t for random splits, Korn and Graubard over what is held apart for the others). Dashed: guessing and the controls on the first kind of split.",
		what, side[0].protocol)
	if pub != nil {
		caption += " Hollow: the study's own numbers, for its own captures and random splits."
	}
	return Figure{name, caption, plots.Dots(all...)}
}

// binFigure is Table I as a figure.
func (r *Run) binFigure(f featureFold) Figure {
	d := plots.DotPanel{XLabel: "Accuracy (%)", References: []plots.Reference{{Name: "guessing", Value: 1 / float64(len(r.Manifest.Settings.Classes))}}, Series: []plots.DotSeries{{Name: "with ACKs"}, {Name: "without"}}}
	for _, g := range f.controls {
		if g.Control == ControlMajority || g.Control == ControlTotals {
			d.References = append(d.References, plots.Reference{Name: g.Control, Value: g.Mean})
		}
	}
	pub := r.Published().Requests
	for _, b := range r.binCounts() {
		with, ok := f.find(PartBins, binName(b, true), "", "")
		without, ok2 := f.find(PartBins, binName(b, false), "", "")
		if !ok || !ok2 {
			continue
		}
		d.Rows = append(d.Rows, fmt.Sprintf("%d bins", b))
		x := plots.DotPoint{Mean: with.Mean, Low: with.CILow, High: with.CIHigh}
		y := plots.DotPoint{Mean: without.Mean, Low: without.CILow, High: without.CIHigh}
		if pub != nil {
			for _, q := range pub.Bins {
				if q.B == b {
					x.Published, y.Published = q.WithACKs, q.WithData
				}
			}
		}
		d.Series[0].Points, d.Series[1].Points = append(d.Series[0].Points, x), append(d.Series[1].Points, y)
	}
	if len(d.Rows) == 0 {
		return Figure{}
	}
	d.Percent = true
	caption := fmt.Sprintf("A forest on histograms of packet sizes and inter-arrival times with B bins each, with and without packets that carry nothing, protocol %s, %s. Bars: 95 %% intervals.", f.protocol, specTitle(f.split))
	if pub != nil {
		caption += " Hollow: the study's Table I."
	}
	return Figure{"bins_" + f.name(), caption, plots.Dots(d)}
}

// bestConfusions are the averaged matrices of the best model of each set, and the published ones (EC-42).
func (r *Run) bestConfusions(folds []featureFold) (out []Figure) {
	if len(r.Manifest.Settings.Classes) > 30 {
		return nil
	}
	pub := r.Published().Requests
	for _, set := range r.setNames() {
		g, ok := bestOf(folds, set)
		if !ok {
			continue
		}
		ours := plots.Confusion{Title: "ours", Counts: g.confusion()}
		caption := fmt.Sprintf("Confusion matrix of %s on %s, protocol %s, %s: percent of the true class, mean of %d splits. It is the model with the highest accuracy on this set, picked on test data.",
			netTitle(g.Net), setTitle(set), g.Protocol, specTitle(g.SplitSpec), g.Repeats)
		name := "confusion_features_" + set
		i := -1
		if pub != nil {
			i = slices.IndexFunc(pub.Confusion, func(m PublishedMatrix) bool { return m.Set == set })
		}
		if i < 0 {
			ours.Title = ""
			out = append(out, Figure{name, caption, plots.ConfusionMatrix(g.Classes, ours)})
			continue
		}
		theirs := pub.Confusion[i]
		if counts, ok := reordered(theirs, g.Classes); ok {
			out = append(out, Figure{name, caption + " Right: the study's " + theirs.Figure + ", for its own captures.",
				plots.ConfusionMatrix(g.Classes, ours, plots.Confusion{Title: "the study", Counts: counts})})
			continue
		}
		ours.Title = ""
		out = append(out, Figure{name, caption, plots.ConfusionMatrix(g.Classes, ours)},
			Figure{"confusion_published_" + set, fmt.Sprintf("The study's %s: forest on %s, its own captures and classes.", theirs.Figure, setTitle(set)),
				plots.ConfusionMatrix(theirs.Classes, plots.Confusion{Counts: theirs.Counts})})
	}
	return out
}

// reordered puts a published matrix into the order of our classes; ok is false when they are others.
func reordered(m PublishedMatrix, classes []string) (z [][]float64, ok bool) {
	if len(m.Classes) != len(classes) {
		return nil, false
	}
	at := make([]int, len(classes))
	for i, c := range classes {
		if at[i] = slices.Index(m.Classes, c); at[i] < 0 {
			return nil, false
		}
	}
	z = square(len(classes))
	for i, p := range at {
		for j, q := range at {
			z[i][j] = m.Counts[p][q]
		}
	}
	return z, true
}
