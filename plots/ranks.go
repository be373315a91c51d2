package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ranked is a model of a critical-difference diagram.
type Ranked struct {
	Name string
	Rank float64 // mean over the data sets, 1 is best
}

// CriticalDifference draws mean ranks of K models on a line from 1 to K (Demsar, JMLR 2006): best on the left, names at both
// sides, and a bar over every group of models that a test does not tell apart. groups hold indexes of models; models whose
// ranks are not neighbors do not belong into one. distance is the critical difference, drawn as a length above the line;
// 0 where the groups come from another test.
func CriticalDifference(models []Ranked, groups [][]int, distance float64) *Figure {
	if len(models) == 0 {
		return &Figure{}
	}
	d := ranksDiagram{k: len(models), distance: distance, bars: len(groups)}
	for _, g := range groups {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, i := range g {
			lo, hi = min(lo, models[i].Rank), max(hi, models[i].Rank)
		}
		d.groups = append(d.groups, [2]float64{lo, hi})
	}
	d.models = slices.Clone(models)
	slices.SortStableFunc(d.models, func(a, b Ranked) int { return cmp.Compare(a.Rank, b.Rank) })
	p := newPlot("", "")
	p.HideAxes()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(d)
	f := &Figure{Width: Single, PanelHeight: float64(d.height()) / 72, Panels: [][]*plot.Plot{{p}}}
	if len(models) > 12 {
		f.Width = Double
	}
	return f
}

// Heights of the diagram's parts, in points.
const (
	ranksTicks = 13  // the labels above the line
	ranksLine  = 9.5 // a model's name
	ranksBar   = 4   // a group's bar
)

type ranksDiagram struct {
	models   []Ranked // best first
	groups   [][2]float64
	k, bars  int
	distance float64
}

func (d ranksDiagram) height() vg.Length {
	h := ranksTicks + ranksBar*vg.Length(d.bars+1) + ranksLine*vg.Length((d.k+1)/2) + 2
	if d.distance > 0 {
		h += ranksTicks
	}
	return h
}

func (d ranksDiagram) label(m Ranked, left bool) string {
	if left {
		return fmt.Sprintf("%s  %.2f", m.Name, m.Rank)
	}
	return fmt.Sprintf("%.2f  %s", m.Rank, m.Name)
}

// Plot draws the whole diagram: an axis of gonum has no place for names at both of its ends.
func (d ranksDiagram) Plot(c draw.Canvas, _ *plot.Plot) {
	left := (d.k + 1) / 2 // models named on the left
	names := [2]vg.Length{}
	for i, m := range d.models {
		side := 0
		if i >= left {
			side = 1
		}
		names[side] = max(names[side], lettering(sizeTick, draw.XLeft, ink).Width(d.label(m, side == 0)))
	}
	from, to := c.Min.X+names[0]+8, c.Max.X-names[1]-8
	at := func(rank float64) vg.Length {
		if d.k == 1 {
			return (from + to) / 2
		}
		return from + (to-from)*vg.Length((rank-1)/float64(d.k-1))
	}
	y := c.Max.Y
	if d.distance > 0 {
		y -= ranksTicks
		end := at(1 + d.distance) // may lie beyond the last rank: then no difference is significant
		c.StrokeLine2(stroke(red, 0.8), from, y+3, end, y+3)
		for _, x := range []vg.Length{from, end} {
			c.StrokeLine2(stroke(red, 0.8), x, y+1, x, y+5)
		}
		c.FillText(lettering(sizeTick, draw.XCenter, ink), vg.Point{X: (from + min(end, to)) / 2, Y: y + 9}, fmt.Sprintf("CD = %.2f", d.distance))
	}
	y -= ranksTicks
	c.StrokeLine2(stroke(ink, 0.8), from, y, to, y)
	every := 1 + (d.k-1)/15
	for r := 1; r <= d.k; r++ {
		long := vg.Length(2)
		if (r-1)%every == 0 {
			long = 3.5
			c.FillText(lettering(sizeTick, draw.XCenter, ink), vg.Point{X: at(float64(r)), Y: y + 8}, strconv.Itoa(r))
		}
		c.StrokeLine2(stroke(ink, 0.6), at(float64(r)), y, at(float64(r)), y+long)
	}
	first := y - ranksBar*vg.Length(d.bars+1) - ranksLine/2
	for i, m := range d.models {
		x, level := at(m.Rank), first-ranksLine*vg.Length(i)
		edge, text, style := from-3, c.Min.X+names[0], lettering(sizeTick, draw.XRight, ink)
		if i >= left {
			level = first - ranksLine*vg.Length(d.k-1-i)
			edge, text, style = to+3, c.Max.X-names[1], lettering(sizeTick, draw.XLeft, ink)
		}
		c.StrokeLines(stroke(pale, 0.6), []vg.Point{{X: x, Y: y}, {X: x, Y: level}, {X: edge, Y: level}})
		c.FillText(style, vg.Point{X: text, Y: level}, d.label(m, i < left))
		c.DrawGlyph(draw.GlyphStyle{Color: blue, Radius: 1.4, Shape: marker{}}, vg.Point{X: x, Y: y})
	}
	for i, g := range d.groups {
		level := y - ranksBar*vg.Length(i+1)
		c.StrokeLine2(stroke(ink, 2), at(g[0])-2, level, at(g[1])+2, level)
	}
}
