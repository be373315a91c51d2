package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Durations draws how long the captures of each class last, seconds[k] for classes[k]: every capture a point, quartiles as
// a box, the median as a line. window is the duration that a tensor covers, drawn as a line; 0 for none. Where classes
// differ here, the length alone tells them apart.
func Durations(classes []string, seconds [][]float64, window float64) *Figure {
	k := len(classes)
	if k == 0 {
		return &Figure{}
	}
	f := &Figure{Width: Single}
	row := math.Max(0.075, math.Min(0.2, 6.5/float64(k))) // inches
	f.PanelHeight = 0.42 + row*float64(k)
	p := newPlot("Capture duration (s)", "")
	p.X.Min = 0
	p.Y.Min, p.Y.Max = -0.6, float64(k)-0.4
	p.Y.Tick.Length = 0
	at := make([]float64, k)
	for i := range classes {
		at[i] = float64(k - 1 - i)
		for _, s := range seconds[i] {
			p.X.Max = math.Max(p.X.Max, s)
		}
	}
	p.X.Max = math.Max(p.X.Max, window) * 1.03
	setNames(&p.Y, at, classes, row*72)
	p.Y.Tick.Label.YAlign = middleOfTick(p.Y.Tick.Label.Font)
	p.Add(grid{x: true})
	if window > 0 {
		p.Add(windowLine(window))
		line := windowLine(0).style()
		f.Key = []KeyEntry{{"window of the tensor", sample{line: &line}}}
	}
	for i, s := range seconds {
		p.Add(strip{s, at[i], vg.Length(row) * vg.Inch})
	}
	f.Panels = [][]*plot.Plot{{p}}
	return f
}

type windowLine float64

func (windowLine) style() draw.LineStyle {
	s := stroke(red, 0.8)
	s.Dashes = []vg.Length{4, 2}
	return s
}

func (w windowLine) Plot(c draw.Canvas, p *plot.Plot) {
	fx, _ := p.Transforms(&c)
	c.StrokeLine2(w.style(), fx(float64(w)), c.Min.Y, fx(float64(w)), c.Max.Y)
}

// strip is one class at height y.
type strip struct {
	v   []float64
	y   float64
	row vg.Length
}

func (s strip) Plot(c draw.Canvas, p *plot.Plot) {
	if len(s.v) == 0 {
		return
	}
	fx, fy := p.Transforms(&c)
	v := slices.Sorted(slices.Values(s.v))
	quantile := func(q float64) vg.Length { // linear between order statistics, as NumPy does by default
		h := q * float64(len(v)-1)
		i := min(int(h), len(v)-1)
		j := min(i+1, len(v)-1)
		return fx(v[i] + (h-float64(i))*(v[j]-v[i]))
	}
	mid, half := fy(s.y), 0.34*s.row
	if len(v) > 1 {
		box := vg.Rectangle{Min: vg.Point{X: quantile(.25), Y: mid - half}, Max: vg.Point{X: quantile(.75), Y: mid + half}}
		c.SetColor(fade(blue, 0.25))
		c.Fill(box.Path())
	}
	// Points are moved up and down by a fixed pattern (the golden ratio), so that equal values do not hide each other and
	// the figure is the same each time.
	dot := draw.GlyphStyle{Color: blue, Radius: min(1, 0.12*s.row), Shape: marker{}}
	for i, x := range v {
		_, jitter := math.Modf(float64(i) * 0.6180339887498949)
		c.DrawGlyph(dot, vg.Point{X: fx(x), Y: mid + vg.Length(1.4*(jitter-0.5))*half})
	}
	m := quantile(.5)
	c.StrokeLine2(stroke(ink, 1), m, mid-half, m, mid+half)
}
