package plots

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PrecisionPanel is precision against recall at one base rate.
type PrecisionPanel struct {
	Title string
	Lines []PrecisionLine
}

// PrecisionLine is one model at every threshold, the strictest first.
type PrecisionLine struct {
	Name   string
	Points []PrecisionPoint
	Answer PrecisionPoint // without a threshold: gets the marker
}

// PrecisionPoint is one threshold. All values are fractions in [0, 1].
type PrecisionPoint struct {
	Recall    float64
	Precision float64 // NaN where it is not known, because no false alarm was seen
	Low       float64 // what it is at least; NaN is not drawn
}

// PrecisionRecall draws rows of panels with one key; all rows have the same number of panels, and a column has one scale, which
// ends where its highest value is near. A model is a thick line
// of estimates and a thin, dotted one of what they are at least; its answer without a threshold is a marker, hollow and on
// the dotted line where the estimate is not known.
func PrecisionRecall(rows ...[]PrecisionPanel) *Figure {
	f := &Figure{Width: Double, PanelHeight: 1.9}
	looks := map[string]look{}
	hollow := false
	for i, row := range rows {
		f.Panels = append(f.Panels, nil)
		for j, d := range row {
			p := newPlot("", "")
			if i == len(rows)-1 {
				p.X.Label.Text = "Recall (%)"
			}
			if j == 0 {
				p.Y.Label.Text = "Precision (%)"
			}
			p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
			p.X.Tick.Marker = percentTicks
			p.Y.Max, p.Y.Tick.Marker = precisionAxis(rows, j)
			p.Add(title(d.Title), grid{x: true, y: true})
			for _, l := range d.Lines {
				k, ok := looks[l.Name]
				if !ok {
					k = lookOf(len(looks))
					looks[l.Name] = k
					line, mark := stroke(k.color, 1.2), draw.GlyphStyle{Color: k.color, Radius: 2.2, Shape: k.mark}
					f.Key = append(f.Key, KeyEntry{l.Name, sample{line: &line, mark: &mark}})
				}
				p.Add(precisionLine{l, k})
				hollow = hollow || math.IsNaN(l.Answer.Precision) && !math.IsNaN(l.Answer.Low)
			}
			f.Panels[i] = append(f.Panels[i], p)
		}
	}
	low := draw.LineStyle{Color: ink, Width: 0.7, Dashes: []vg.Length{1, 1.5}}
	f.Key = append(f.Key, KeyEntry{"at least (95 %)", sample{line: &low}})
	if hollow {
		mark := draw.GlyphStyle{Color: ink, Radius: 2.2, Shape: marker{hollow: true}}
		f.Key = append(f.Key, KeyEntry{"no false alarm seen", sample{mark: &mark}})
	}
	return f
}

// precisionAxis is the scale of a column: to 100, 50, 20, 10 % and so on down to 1 %, in fifths.
func precisionAxis(rows [][]PrecisionPanel, column int) (top float64, marks plot.ConstantTicks) {
	most := 0.0
	for _, row := range rows {
		for _, l := range row[column].Lines {
			for _, q := range append(l.Points, l.Answer) {
				for _, v := range []float64{q.Precision, q.Low} {
					if v > most {
						most = v
					}
				}
			}
		}
	}
	top = 1
	for _, t := range []float64{0.5, 0.2, 0.1, 0.05, 0.02, 0.01} {
		if most <= t {
			top = t
		}
	}
	var at []float64
	var names []string
	for i := range 6 {
		at, names = append(at, top*float64(i)/5), append(names, trimZeros(100*top*float64(i)/5))
	}
	return top, ticks(at, names)
}

// precisionLine draws one model.
type precisionLine struct {
	PrecisionLine
	look
}

func (l precisionLine) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	var lines [2][]vg.Point
	for _, q := range l.Points {
		for i, y := range []float64{q.Precision, q.Low} {
			if !math.IsNaN(y) {
				lines[i] = append(lines[i], vg.Point{X: fx(q.Recall), Y: fy(y)})
			}
		}
	}
	c.StrokeLines(draw.LineStyle{Color: l.color, Width: 0.7, Dashes: []vg.Length{1, 1.5}}, c.ClipLinesXY(lines[1])...)
	c.StrokeLines(stroke(l.color, 1.2), c.ClipLinesXY(lines[0])...)
	mark := draw.GlyphStyle{Color: l.color, Radius: 2.2, Shape: l.mark}
	y := l.Answer.Precision
	if math.IsNaN(y) {
		mark.Shape, y = marker{l.mark.shape, true}, l.Answer.Low
	}
	if !math.IsNaN(y) {
		c.DrawGlyph(mark, vg.Point{X: fx(l.Answer.Recall), Y: fy(y)})
	}
}
