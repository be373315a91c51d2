package plots

import (
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// scale maps values to colors.
type scale struct {
	lo, hi float64
	color  func(x float64) color.Color // x in [0, 1]
	name   string                      // beside the color bar
	ticks  []float64
	text   func(v float64) string
}

func (s scale) at(v float64) color.Color {
	if math.IsNaN(v) {
		return gridGray
	}
	return s.color((v - s.lo) / (s.hi - s.lo))
}

// inkOn is the text color that can be read on a background.
func inkOn(bg color.Color) color.Color {
	n := color.NRGBAModel.Convert(bg).(color.NRGBA)
	if 0.299*float64(n.R)+0.587*float64(n.G)+0.114*float64(n.B) < 140 {
		return paper
	}
	return ink
}

// matrix draws a square or oblong table of values as colored cells, row 0 on top, and beside it a color bar. Cell (i, j)
// is centered at x = j, y = rows-1-i.
type matrix struct {
	z     [][]float64
	scale scale
	noBar bool // another panel shows the color bar
}

func newMatrix(p *plot.Plot, z [][]float64, s scale) *matrix {
	m := &matrix{z: z, scale: s}
	p.X.Min, p.X.Max = -0.5, float64(len(z[0]))-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(z))-0.5
	p.X.Tick.Length, p.Y.Tick.Length = 1.5, 1.5
	p.X.Width, p.Y.Width = 0, 0
	p.Add(m)
	return m
}

// Plot draws all cells as one image: separate boxes would leave hairlines between them in PDF viewers, and a map of 111 x
// 111 captures would be a large file. Each cell is many pixels, so that viewers that smooth images blur nothing.
func (m *matrix) Plot(c draw.Canvas, p *plot.Plot) {
	rows, cols := len(m.z), len(m.z[0])
	kx, ky := max(2, (1200+cols-1)/cols), max(2, (1200+rows-1)/rows)
	img := image.NewNRGBA(image.Rect(0, 0, cols*kx, rows*ky))
	for i, row := range m.z {
		for j, v := range row {
			fill := color.NRGBAModel.Convert(m.scale.at(v)).(color.NRGBA)
			for x := range kx {
				img.SetNRGBA(j*kx+x, i*ky, fill)
			}
		}
		line := img.Pix[i*ky*img.Stride:][:img.Stride]
		for y := 1; y < ky; y++ {
			copy(img.Pix[(i*ky+y)*img.Stride:], line)
		}
	}
	c.DrawImage(c.Rectangle, img)
	frame(c, c.Rectangle)
	if !m.noBar {
		m.bar(c)
	}
}

func frame(c draw.Canvas, r vg.Rectangle) {
	c.SetLineStyle(stroke(ink, 0.5))
	path := r.Path()
	path.Close()
	c.Stroke(path)
}

// Lengths of the color bar.
const (
	barGap   = 6
	barWidth = 6
)

// bar draws the color bar at the right of c, as high as the cells but for half a line at each end, and at most 1.6 inches.
func (m *matrix) bar(c draw.Canvas) {
	s := m.scale
	h := min(c.Max.Y-c.Min.Y-sizeTick, 1.6*vg.Inch)
	r := vg.Rectangle{
		Min: vg.Point{X: c.Max.X + barGap, Y: (c.Min.Y + c.Max.Y - h) / 2},
		Max: vg.Point{X: c.Max.X + barGap + barWidth, Y: (c.Min.Y + c.Max.Y + h) / 2},
	}
	const n = 256
	img := image.NewNRGBA(image.Rect(0, 0, 1, n))
	for i := range n {
		img.Set(0, n-1-i, s.color((float64(i)+0.5)/n))
	}
	c.DrawImage(r, img)
	frame(c, r)
	sty := lettering(sizeTick, draw.XLeft, ink)
	for _, v := range s.ticks {
		y := r.Min.Y + vg.Length((v-s.lo)/(s.hi-s.lo))*h
		c.StrokeLine2(stroke(ink, 0.5), r.Max.X, y, r.Max.X+2, y)
		c.FillText(sty, vg.Point{X: r.Max.X + 3.5, Y: y}, s.text(v))
	}
	name := lettering(sizeLabel, draw.XCenter, ink)
	name.Rotation = math.Pi / 2
	c.FillText(name, vg.Point{X: c.Max.X + m.barRoom() - sizeLabel/2 - 1, Y: (r.Min.Y + r.Max.Y) / 2}, s.name)
}

// barRoom is the width from the cells' edge to the end of the bar's name.
func (m *matrix) barRoom() vg.Length {
	sty := lettering(sizeTick, draw.XLeft, ink)
	w := vg.Length(0)
	for _, v := range m.scale.ticks {
		w = max(w, sty.Width(m.scale.text(v)))
	}
	return barGap + barWidth + 3.5 + w + 3 + sizeLabel
}

// GlyphBoxes reserves the room of the color bar.
func (m *matrix) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	if m.noBar {
		return nil
	}
	return []plot.GlyphBox{{X: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: m.barRoom()}}}}
}

// squareCells sets the height of the panels at which the cells of m, the matrix of the first panel, are square.
func (f *Figure) squareCells(m *matrix) {
	f.PanelHeight = 3
	w, h := f.lengths()
	c := f.inner(draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: w, Y: h}}})
	d := f.Panels[0][0].DataCanvas(f.tiles(c)[0][0])
	side := (d.Max.X - d.Min.X) / vg.Length(len(m.z[0]))
	f.PanelHeight += (side*vg.Length(len(m.z)) - (d.Max.Y - d.Min.Y)).Dots(72) / 72
}

// nameAxes writes class names along both axes; horizontal names are turned when they do not fit above each other. room is
// the width of one cell in points.
func nameAxes(p *plot.Plot, names []string, room float64) {
	x, y := make([]float64, len(names)), make([]float64, len(names))
	for i := range names {
		x[i], y[i] = float64(i), float64(len(names)-1-i)
	}
	nameAxesAt(p, x, y, names, room)
}

// nameAxesAt is nameAxes for names that stand elsewhere than at the cells' centers.
func nameAxesAt(p *plot.Plot, x, y []float64, names []string, room float64) {
	setNames(&p.X, x, names, room)
	setNames(&p.Y, y, names, room)
	p.Y.Tick.Label.YAlign = middleOfTick(p.Y.Tick.Label.Font)
	widest := vg.Length(0)
	for _, s := range names {
		widest = max(widest, p.X.Tick.Label.Width(s))
	}
	if widest > vg.Length(room)-2 {
		turned := slices.Clone(names)
		for i := range turned {
			turned[i] += " " // the axis moves its labels up by their descent: into the ticks, when they are turned
		}
		p.X.Tick.Marker = ticks(x, turned)
		p.X.Tick.Label.Rotation = math.Pi / 2
		p.X.Tick.Label.XAlign = draw.XRight
		p.X.Tick.Label.YAlign = lettering(float64(p.X.Tick.Label.Font.Size), draw.XRight, ink).YAlign
	}
}

// setNames puts names on an axis, in type as large as room points allow.
func setNames(a *plot.Axis, at []float64, names []string, room float64) {
	a.Tick.Marker = ticks(at, names)
	a.Tick.Label.Font.Size = vg.Length(math.Max(3.5, math.Min(sizeTick, room*0.95)))
}

// middleOfTick is the alignment that centers the labels of a vertical axis on their ticks: the axis adds the descent.
func middleOfTick(f font.Font) draw.YAlignment {
	s := lettering(float64(f.Size), draw.XRight, ink)
	return s.YAlign - draw.YAlignment(s.FontExtents().Descent/s.Height("0"))
}
