package plots

import (
	"image/color"
	"math"
	"strconv"
)

// confusionScale goes from white to dark blue: most cells of a good classifier hold nothing and should cost no ink.
var confusionScale = scale{
	lo: 0, hi: 1, name: "Share of the true class (%)",
	color: func(x float64) color.Color { return blend(blues, x) },
	ticks: []float64{0, 0.25, 0.5, 0.75, 1},
	text:  func(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) },
}

// Confusion is one panel of ConfusionMatrix: counts[true][predicted], averaged over repeats.
type Confusion struct {
	Title  string
	Counts [][]float64
}

// ConfusionMatrix draws one matrix, or several side by side: colors and numbers are percent of the row, and where the cells
// are large enough the mean count stands below. Empty cells stay empty; a row without points is gray. Up to 100 classes
// are readable on a page's width.
func ConfusionMatrix(classes []string, ms ...Confusion) *Figure {
	k := len(classes)
	if k == 0 || len(ms) == 0 {
		return &Figure{}
	}
	f := &Figure{Width: Single}
	if len(ms) > 1 || k > 12 {
		f.Width = Double
	}
	perRow := min(len(ms), max(1, min(4, 24/k)))
	room := (f.Width*72 - 90) / float64(perRow*k) // names and color bar take about 90 points
	var all []*matrix
	for i, c := range ms {
		first, last := i%perRow == 0, i%perRow == perRow-1 // the rows' color bars stand in one column, or the panels are not aligned
		if first {
			f.Panels = append(f.Panels, nil)
		}
		p := newPlot("", "")
		m := newMatrix(p, shares(c.Counts), confusionScale)
		p.Add(title(c.Title), cellText{m, func(i, j int) []string { return confusionText(c.Counts, m.z, room, i, j) }})
		nameAxes(p, classes, room)
		m.noBar = !last
		if i+perRow >= len(ms) { // nothing below
			p.X.Label.Text = "Predicted"
		}
		if first {
			p.Y.Label.Text = "True"
		} else {
			p.Y.Tick.Marker = blank{p.Y.Tick.Marker}
		}
		all = append(all, m)
		f.Panels[i/perRow] = append(f.Panels[i/perRow], p)
	}
	f.fill(perRow)
	f.squareCells(all[0])
	return f
}

// shares divides each row by its sum; rows without points become NaN.
func shares(counts [][]float64) [][]float64 {
	out := make([][]float64, len(counts))
	for i, row := range counts {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		out[i] = make([]float64, len(row))
		for j, v := range row {
			out[i][j] = v / sum
		}
	}
	return out
}

// confusionText is what cell (i, j) says in a cell of room points.
func confusionText(counts, share [][]float64, room float64, i, j int) []string {
	s := share[i][j]
	if math.IsNaN(s) || s == 0 {
		return nil
	}
	lines := []string{strconv.FormatFloat(100*s, 'f', 0, 64)}
	if room >= 26 {
		lines = append(lines, "("+strconv.FormatFloat(counts[i][j], 'f', decimals(counts), 64)+")")
	}
	return lines
}

// decimals is 0 for whole counts, 1 for means of counts.
func decimals(counts [][]float64) int {
	for _, row := range counts {
		for _, v := range row {
			if v != math.Trunc(v) {
				return 1
			}
		}
	}
	return 0
}
