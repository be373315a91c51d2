package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// correlationScale is fixed to [-1, 1], so that two maps can be compared by eye: blue below 0, white at 0, red above,
// five colors of the palette RdBu of ColorBrewer.
var correlationScale = scale{
	lo: -1, hi: 1, name: "Correlation",
	color: func(x float64) color.Color { return blend(redBlue, x) },
	ticks: []float64{-1, -0.5, 0, 0.5, 1},
	text:  func(v float64) string { return signed(strconv.FormatFloat(v, 'g', 2, 64)) },
}

// CorrelationMap draws the correlation of classes with classes as colored cells with their numbers: r[i][j] is the
// correlation of names[i] with names[j].
func CorrelationMap(names []string, r [][]float64) *Figure {
	return classMap(names, r, func(i, j int) []string { return []string{number(r[i][j])} })
}

// LagMap draws the largest correlation over all lags as CorrelationMap does; below each number stands its lag in seconds,
// the time by which row i comes after column j.
func LagMap(names []string, r, lag [][]float64) *Figure {
	return classMap(names, r, func(i, j int) []string {
		s := "0 s"
		if l := lag[i][j]; l != 0 {
			s = signed(fmt.Sprintf("%+.3g s", l))
		}
		return []string{number(r[i][j]), s}
	})
}

func classMap(names []string, r [][]float64, text func(i, j int) []string) *Figure {
	if len(r) == 0 {
		return &Figure{}
	}
	f := &Figure{Width: Single}
	room := 175.0 / float64(len(names))
	if room < 14 {
		f.Width = Double
		room = 420 / float64(len(names))
	}
	p := newPlot("", "")
	m := newMatrix(p, r, correlationScale)
	p.Add(cellText{m, text})
	nameAxes(p, names, room)
	f.Panels = [][]*plot.Plot{{p}}
	f.squareCells(m)
	return f
}

// BlockMap draws the correlation of captures with captures; captures are ordered by class, and ends[k] is the number of
// captures in the classes 0 to k. Lines mark where a class ends.
func BlockMap(classes []string, ends []int, r [][]float64) *Figure {
	if len(r) == 0 {
		return &Figure{}
	}
	f := &Figure{Width: Single}
	if len(classes) > 15 {
		f.Width = Double
	}
	p := newPlot("", "")
	m := newMatrix(p, r, correlationScale)
	p.Add(blocks(ends))
	var x, y []float64
	first, smallest := 0, len(r)
	for _, e := range ends {
		mid := float64(first+e-1) / 2
		x, y = append(x, mid), append(y, float64(len(r)-1)-mid)
		smallest = min(smallest, e-first)
		first = e
	}
	nameAxesAt(p, x, y, classes, 55*f.Width*float64(smallest)/float64(len(r)))
	f.Panels = [][]*plot.Plot{{p}}
	f.squareCells(m)
	return f
}

// blocks draws the boundaries of classes in a map of captures.
type blocks []int

func (b blocks) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	n := b[len(b)-1]
	line := stroke(ink, vg.Length(math.Max(0.2, math.Min(0.8, 8/float64(len(b)))))) // many classes: thin lines
	for _, e := range b[:len(b)-1] {
		x, y := fx(float64(e)-0.5), fy(float64(n-e)-0.5)
		c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		c.StrokeLine2(line, c.Min.X, y, c.Max.X, y)
	}
}

// cellText writes one or several lines into the cells of a matrix, as large as fits and not at all below 4.2 points.
type cellText struct {
	*matrix
	text func(i, j int) []string
}

func (t cellText) GlyphBoxes(*plot.Plot) []plot.GlyphBox { return nil }

func (t cellText) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	rows, cols := len(t.z), len(t.z[0])
	w := (c.Max.X - c.Min.X) / vg.Length(cols)
	h := (c.Max.Y - c.Min.Y) / vg.Length(rows)
	widest, lines := vg.Length(0), 1
	one := lettering(1, draw.XCenter, ink)
	for i := range rows {
		for j := range cols {
			ls := t.text(i, j)
			lines = max(lines, len(ls))
			for _, s := range ls {
				widest = max(widest, one.Width(s))
			}
		}
	}
	size := min(float64(sizeTick), float64((w-2)/widest), float64((h-1)/vg.Length(lines))/1.15)
	if size < 4.2 {
		return
	}
	for i := range rows {
		for j := range cols {
			ls := t.text(i, j)
			sty := lettering(size, draw.XCenter, inkOn(t.scale.at(t.z[i][j])))
			for k, s := range ls {
				dy := (float64(len(ls)-1)/2 - float64(k)) * size * 1.2
				c.FillText(sty, vg.Point{X: fx(float64(j)), Y: fy(float64(rows-1-i)) + vg.Length(dy)}, s)
			}
		}
	}
}

// number writes a correlation; NaN (a constant series) is a dash.
func number(r float64) string {
	if math.IsNaN(r) {
		return "\u2013"
	}
	s := strconv.FormatFloat(r, 'f', 2, 64)
	if s == "-0.00" {
		s = "0.00"
	}
	return signed(s)
}

// signed replaces the hyphen of a negative number with a minus sign.
func signed(s string) string {
	if len(s) > 0 && s[0] == '-' {
		return "\u2212" + s[1:]
	}
	return s
}
