package plots

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// confusionScale goes from white to dark blue: most cells of a good classifier hold nothing and should cost no ink.
var confusionScale = scale{
	lo: 0, hi: 1, name: "Share of the true class (%)",
	color: func(x float64) color.Color { return blend(blues, x) },
	ticks: []float64{0, 0.25, 0.5, 0.75, 1},
	text:  func(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) },
}

// ConfusionMatrix draws counts[true][predicted], averaged over repeats: colors and numbers are percent of the row, and
// where the cells are large enough the mean count stands below. A row without points is gray. Up to 100 classes are
// readable on a page's width.
func ConfusionMatrix(classes []string, counts [][]float64) *Figure {
	if len(counts) == 0 {
		return &Figure{}
	}
	share := make([][]float64, len(counts))
	for i, row := range counts {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		share[i] = make([]float64, len(row))
		for j, v := range row {
			share[i][j] = v / sum
		}
	}
	k := len(classes)
	f := &Figure{Width: Single}
	room := 165.0 / float64(k)
	if k > 12 {
		f.Width = Double
		room = 420 / float64(k)
	}
	p := newPlot("Predicted", "True")
	m := newMatrix(p, share, confusionScale)
	p.Add(cellText{m, func(i, j int) []string {
		s := share[i][j]
		if math.IsNaN(s) || s == 0 {
			return nil // empty cells stay empty
		}
		lines := []string{strconv.FormatFloat(100*s, 'f', 0, 64)}
		if room >= 26 {
			lines = append(lines, "("+strconv.FormatFloat(counts[i][j], 'f', decimals(counts), 64)+")")
		}
		return lines
	}})
	nameAxes(p, classes, room)
	f.Panels = [][]*plot.Plot{{p}}
	f.PanelHeight = m.squareHeight(p, f.Width)
	return f
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
