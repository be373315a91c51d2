package plots

import (
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sample shows a line, a marker or both in the key.
type sample struct {
	line *draw.LineStyle
	mark *draw.GlyphStyle
	fill color.Color // a filled box
}

func (s sample) Thumbnail(c *draw.Canvas) {
	y := (c.Min.Y + c.Max.Y) / 2
	if s.fill != nil {
		c.SetColor(s.fill)
		c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X + 4, Y: y - 3}, Max: vg.Point{X: c.Max.X, Y: y + 3}}.Path())
	}
	if s.line != nil {
		c.StrokeLine2(*s.line, c.Min.X, y, c.Max.X, y)
	}
	if s.mark != nil {
		c.DrawGlyph(*s.mark, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: y})
	}
}

// grid draws light lines across the plot at the labelled ticks of the axes that are chosen.
type grid struct{ x, y bool }

func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	sty := stroke(gridGray, 0.4)
	if g.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if x := fx(t.Value); !t.IsMinor() && c.ContainsX(x) {
				c.StrokeLine2(sty, x, c.Min.Y, x, c.Max.Y)
			}
		}
	}
	if g.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if y := fy(t.Value); !t.IsMinor() && c.ContainsY(y) {
				c.StrokeLine2(sty, c.Min.X, y, c.Max.X, y)
			}
		}
	}
}

// Reference is a value that the lines of a figure are compared with, drawn as a thin line with its name at the end.
type Reference struct {
	Name  string
	Value float64 // on the figure's vertical axis; accuracies as fractions
}

// references draws horizontal lines and names them in the margin on the right, where no data can be covered.
type references []Reference

func (rs references) style() draw.LineStyle { return stroke(pale, 0.6) }

func (rs references) width() (w vg.Length) {
	for _, r := range rs {
		w = max(w, lettering(sizeTick, draw.XLeft, pale).Width(r.Name))
	}
	return w
}

func (rs references) Plot(c draw.Canvas, p *plot.Plot) {
	_, fy := p.Transforms(&c)
	sorted := slices.Clone(rs)
	slices.SortStableFunc(sorted, func(a, b Reference) int {
		switch {
		case a.Value < b.Value:
			return -1
		case a.Value > b.Value:
			return 1
		}
		return 0
	})
	// Names of close values are pushed apart, upwards; a leader joins each to its line.
	const apart = sizeTick + 0.5
	at := make([]vg.Length, len(sorted))
	for i, r := range sorted {
		at[i] = fy(r.Value)
	}
	mid := spread(at, apart)
	sty := lettering(sizeTick, draw.XLeft, pale)
	for i, r := range sorted {
		line := rs.style()
		line.Dashes = [][]vg.Length{{3, 2}, {1, 1.5}, {5, 1.5, 1, 1.5}, {1.5, 3}}[i%4]
		c.StrokeLine2(line, c.Min.X, at[i], c.Max.X, at[i])
		c.StrokeLines(stroke(pale, 0.4), []vg.Point{{X: c.Max.X + 0.5, Y: at[i]}, {X: c.Max.X + 4, Y: mid[i]}})
		c.FillText(sty, vg.Point{X: c.Max.X + 5.5, Y: mid[i]}, r.Name)
	}
}

// GlyphBoxes reserves the margin for the names.
func (rs references) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	if len(rs) == 0 {
		return nil
	}
	return []plot.GlyphBox{{X: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: rs.width() + 6}}}}
}

// spread moves sorted positions so that neighbors lie at least gap apart while each group stays centered on its own
// positions.
func spread(at []vg.Length, gap vg.Length) []vg.Length {
	type block struct {
		sum vg.Length // of the wanted places of the block's first member
		n   int
	}
	var bs []block
	for _, y := range at {
		bs = append(bs, block{y, 1})
		for len(bs) > 1 {
			a, b := bs[len(bs)-2], bs[len(bs)-1]
			if a.sum/vg.Length(a.n)+gap*vg.Length(a.n) <= b.sum/vg.Length(b.n) {
				break
			}
			bs = append(bs[:len(bs)-2], block{a.sum + b.sum - vg.Length(a.n*b.n)*gap, a.n + b.n})
		}
	}
	var out []vg.Length
	for _, b := range bs {
		for i := range b.n {
			out = append(out, b.sum/vg.Length(b.n)+gap*vg.Length(i))
		}
	}
	return out
}

// header is a name above the data, centered or at its right end: gonum's title is centered over axis and data together,
// which is off where panels of a row have different axes.
type header struct {
	text  string
	style draw.TextStyle
}

func title(text string) header { return header{text, lettering(sizeLabel, draw.XCenter, ink)} }

func (h header) Plot(c draw.Canvas, p *plot.Plot) {
	x := c.Max.X
	if h.style.XAlign == draw.XCenter {
		x = (c.Min.X + c.Max.X) / 2
	}
	c.FillText(h.style, vg.Point{X: x, Y: c.Max.Y + h.style.Font.Size/2 + 2}, h.text)
}

// GlyphBoxes reserves the line.
func (h header) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	if h.text == "" {
		return nil
	}
	return []plot.GlyphBox{{Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{Y: h.style.Font.Size + 3}}}}
}

// rounded marks multiples of 1, 2 or 5 times a power of ten, at most n of them.
type rounded struct{ n int }

func (r rounded) Ticks(lo, hi float64) (out []plot.Tick) {
	step := math.Pow(10, math.Ceil(math.Log10(hi-lo))) // one or two ticks
	for _, k := range []float64{2, 2.5, 2, 2, 2.5, 2} {
		if math.Floor(hi/(step/k)+1e-9)-math.Ceil(lo/(step/k)-1e-9)+1 > float64(r.n) {
			break
		}
		step /= k
	}
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		v := i*step + 0 // never -0
		out = append(out, plot.Tick{Value: v, Label: signed(trimZeros(v))})
	}
	return out
}

// ticks marks the values with the texts.
func ticks(values []float64, texts []string) plot.ConstantTicks {
	t := make(plot.ConstantTicks, len(values))
	for i, v := range values {
		t[i] = plot.Tick{Value: v, Label: texts[i]}
	}
	return t
}

// trimZeros writes a number without trailing zeros.
func trimZeros(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
