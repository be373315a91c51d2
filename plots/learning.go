package plots

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LearningPanel is one quantity against the epoch.
type LearningPanel struct {
	Title   string
	YLabel  string // "Training loss"
	Percent bool   // values are fractions, drawn from 0 to 100 %
	Lines   []LearningLine
}

// LearningLine is one net: the mean over repeats at each epoch and the band around it. Low and High may be nil.
type LearningLine struct {
	Name            string
	Epoch           []float64
	Mean, Low, High []float64
}

// LearningCurves draws rows of panels with one key; all rows have the same number of panels.
func LearningCurves(rows ...[]LearningPanel) *Figure {
	f := &Figure{Width: Single, PanelHeight: 1.7}
	looks := map[string]look{}
	for i, row := range rows {
		f.Panels = append(f.Panels, nil)
		if len(row) > 1 {
			f.Width = Double
		}
		for j, d := range row {
			p := newPlot("", "")
			if i == len(rows)-1 {
				p.X.Label.Text = "Epoch"
			}
			if j == 0 {
				p.Y.Label.Text = d.YLabel
			}
			p.Y.Min = 0
			if d.Percent {
				p.Y.Max = 1
				p.Y.Tick.Marker = percentTicks
			}
			p.Add(title(d.Title), grid{y: true})
			for _, l := range d.Lines {
				k, ok := looks[l.Name]
				if !ok {
					k = lookOf(len(looks))
					looks[l.Name] = k
					line := k.line(1)
					f.Key = append(f.Key, KeyEntry{l.Name, sample{line: &line}})
				}
				p.Add(band{l, k})
			}
			for _, l := range d.Lines { // lines above all bands
				p.Add(curve{l, looks[l.Name]})
			}
			f.Panels[i] = append(f.Panels[i], p)
		}
	}
	return f
}

// band fills the area between Low and High.
type band struct {
	LearningLine
	look
}

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	if len(b.Low) == 0 {
		return
	}
	fx, fy := p.Transforms(&c)
	var poly []vg.Point
	for i, e := range b.Epoch {
		poly = append(poly, vg.Point{X: fx(e), Y: fy(b.Low[i])})
	}
	for i := len(b.Epoch) - 1; i >= 0; i-- {
		poly = append(poly, vg.Point{X: fx(b.Epoch[i]), Y: fy(b.High[i])})
	}
	col := b.color
	col.A = 45
	c.FillPolygon(col, c.ClipPolygonXY(poly))
}

// DataRange lets the axes hold the line and its band.
func (b band) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for _, e := range b.Epoch {
		xmin, xmax = min(xmin, e), max(xmax, e)
	}
	for _, ys := range [][]float64{b.Mean, b.Low, b.High} {
		for _, y := range ys {
			ymin, ymax = min(ymin, y), max(ymax, y)
		}
	}
	return xmin, xmax, ymin, ymax
}

// curve is the line of means.
type curve struct {
	LearningLine
	look
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	pts := make([]vg.Point, len(l.Epoch))
	for i, e := range l.Epoch {
		pts[i] = vg.Point{X: fx(e), Y: fy(l.Mean[i])}
	}
	c.StrokeLines(l.look.line(1), c.ClipLinesXY(pts)...)
}
