package plots

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// DotPanel is one panel of Dots: rows with a value for each series.
type DotPanel struct {
	Title      string // above the panel; "" for none
	XLabel     string
	Rows       []string // from top to bottom
	Series     []DotSeries
	References []Reference // vertical lines, explained in the key
	Percent    bool        // values are fractions, shown in percent from 0 to 100
}

// DotSeries is one value in each row.
type DotSeries struct {
	Name   string
	Points []DotPoint // (rows)
}

// DotPoint is a value with its interval; NaN is not drawn, nor is an interval that is empty.
type DotPoint struct {
	Mean, Low, High float64
	Published       float64 // hollow marker beside ours; 0 or NaN: none published
}

// Dots draws values with intervals, a row for each name: what many models or features reach, side by side. The series of a
// row lie below each other, so that intervals do not hide each other. Panels stand side by side; neighbors with the same
// rows share their names.
func Dots(panels ...DotPanel) *Figure {
	f := &Figure{Width: Single}
	if len(panels) > 1 {
		f.Width = Double
	}
	looks, references := map[string]look{}, map[string]int{}
	published := false
	rows, series := 0, 1
	for _, d := range panels {
		rows, series = max(rows, len(d.Rows)), max(series, len(d.Series))
	}
	row := math.Max(0.115, math.Min(0.2, 0.075*float64(series))) // inches
	f.PanelHeight = 0.5 + row*float64(rows)
	var line []*plot.Plot
	for n, d := range panels {
		p := newPlot(d.XLabel, "")
		p.Y.Min, p.Y.Max = -0.6, float64(len(d.Rows))-0.4
		p.Y.Tick.Length = 0
		at := make([]float64, len(d.Rows))
		for i := range at {
			at[i] = float64(len(at) - 1 - i)
		}
		setNames(&p.Y, at, d.Rows, row*72)
		p.Y.Tick.Label.YAlign = middleOfTick(p.Y.Tick.Label.Font)
		if n > 0 && sameNames(d.Rows, panels[n-1].Rows) {
			p.Y.Tick.Marker = blank{p.Y.Tick.Marker}
		}
		d.extent(p)
		p.Add(title(d.Title), grid{x: true})
		for _, r := range d.References {
			k, ok := references[r.Name]
			if !ok {
				k = len(references)
				references[r.Name] = k
				sty := upright{style: k}.line()
				f.Key = append(f.Key, KeyEntry{r.Name, sample{line: &sty}})
			}
			p.Add(upright{r.Value, k})
		}
		for i, s := range d.Series {
			k, ok := looks[s.Name]
			if !ok {
				k = lookOf(len(looks))
				looks[s.Name] = k
				if s.Name != "" {
					bar, mark := stroke(k.color, 0.7), draw.GlyphStyle{Color: k.color, Radius: 2, Shape: k.mark}
					f.Key = append(f.Key, KeyEntry{s.Name, sample{line: &bar, mark: &mark}})
				}
			}
			dodge := (float64(len(d.Series)-1)/2 - float64(i)) * min(0.25, 0.75/float64(len(d.Series)))
			p.Add(dots{s, k, at, dodge})
			for _, q := range s.Points {
				published = published || q.Published > 0
			}
		}
		line = append(line, p)
	}
	if published {
		hollow := draw.GlyphStyle{Color: ink, Radius: 2, Shape: marker{hollow: true}}
		f.Key = append(f.Key, KeyEntry{"published", sample{mark: &hollow}})
	}
	f.Panels = [][]*plot.Plot{line}
	return f
}

// extent sets the horizontal axis: 0 to 100 %, or what the values need, 0 always among it.
func (d DotPanel) extent(p *plot.Plot) {
	if d.Percent {
		p.X.Min, p.X.Max = 0, 1
		p.X.Tick.Marker = percentTicks
		return
	}
	lo, hi := 0.0, 0.0
	see := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	for _, s := range d.Series {
		for _, q := range s.Points {
			see(q.Mean)
			if q.Low < q.High {
				see(q.Low)
				see(q.High)
			}
		}
	}
	if lo == hi {
		hi = 1
	}
	p.X.Min, p.X.Max = lo-0.03*(hi-lo), hi+0.05*(hi-lo)
	if lo == 0 {
		p.X.Min = 0
	}
	p.X.Tick.Marker = rounded{5}
}

func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// upright is a vertical line at x.
type upright struct {
	x     float64
	style int
}

func (u upright) line() draw.LineStyle {
	l := stroke(pale, 0.6)
	l.Dashes = [][]vg.Length{{3, 2}, {1, 1.5}, {5, 1.5, 1, 1.5}, {1.5, 3}}[u.style%4]
	return l
}

func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	fx, _ := p.Transforms(&c)
	if x := fx(u.x); c.ContainsX(x) {
		c.StrokeLine2(u.line(), x, c.Min.Y, x, c.Max.Y)
	}
}

// dots draws one series.
type dots struct {
	DotSeries
	look
	at    []float64 // of the rows
	dodge float64
}

func (s dots) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	ours := draw.GlyphStyle{Color: s.color, Radius: 1.8, Shape: s.mark}
	theirs := ours
	theirs.Shape = marker{s.mark.shape, true}
	for i, q := range s.Points {
		if i >= len(s.at) {
			break
		}
		y := fy(s.at[i] + s.dodge)
		if q.Published > 0 {
			c.DrawGlyph(theirs, vg.Point{X: fx(q.Published), Y: y})
		}
		if math.IsNaN(q.Mean) {
			continue
		}
		if q.Low < q.High {
			bar := stroke(s.color, 0.7)
			lo, hi := fx(max(q.Low, p.X.Min)), fx(min(q.High, p.X.Max))
			c.StrokeLine2(bar, lo, y, hi, y)
			for _, x := range []vg.Length{lo, hi} {
				c.StrokeLine2(bar, x, y-1.2, x, y+1.2)
			}
		}
		c.DrawGlyph(ours, vg.Point{X: fx(q.Mean), Y: y})
	}
}
