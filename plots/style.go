package plots

import (
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Column widths in inches: one column and both columns of the usual two-column paper (IEEE, ACM, USENIX).
const (
	Single = 3.35
	Double = 7.0
)

// Type sizes in points at print size. Publishers ask for at least 6.
const (
	sizeLabel = 8 // axis labels, panel titles
	sizeTick  = 7 // tick labels, keys, notes
	sizeSmall = 6 // numbers in dense cells
)

var (
	paper    = color.NRGBA{255, 255, 255, 255}
	ink      = color.NRGBA{0x22, 0x22, 0x22, 255} // text and axes
	pale     = color.NRGBA{0x60, 0x60, 0x60, 255} // reference lines and their names
	gridGray = color.NRGBA{0xe4, 0xe4, 0xe4, 255}
	blue     = color.NRGBA{0x00, 0x72, 0xb2, 255}
	red      = color.NRGBA{0xd5, 0x5e, 0x00, 255}
)

// okabeIto is the palette of Okabe and Ito (2008), "Color universal design", in an order whose neighbors also differ in
// lightness; its yellow is left out, as it is too light for lines on paper.
var okabeIto = []color.NRGBA{
	blue,
	red,
	{0x00, 0x9e, 0x73, 255}, // bluish green
	{0xcc, 0x79, 0xa7, 255}, // reddish purple
	{0x00, 0x00, 0x00, 255},
	{0xe6, 0x9f, 0x00, 255}, // orange
	{0x56, 0xb4, 0xe9, 255}, // sky blue
}

// dashes come in the order of the palette, one more, so that the pairs repeat only after 7 x 8 lines.
var dashes = [][]vg.Length{
	nil,
	{4, 1.5},
	{1.2, 1.2},
	{5, 1.5, 1.2, 1.5},
	{2.5, 1.2},
	{7, 2},
	{3, 1, 1, 1, 1, 1},
	{1, 2},
}

// look is how line number i of a figure is drawn.
type look struct {
	color  color.NRGBA
	dashes []vg.Length
	mark   marker
}

func lookOf(i int) look {
	return look{okabeIto[i%len(okabeIto)], dashes[i%len(dashes)], marker{shape: i % shapes}}
}

func (l look) line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: width, Dashes: l.dashes}
}

// stroke is a plain line.
func stroke(c color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width}
}

// fade mixes c with white; share 1 is c itself. Mixing instead of transparency keeps figures printable everywhere.
func fade(c color.NRGBA, share float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(math.Round(float64(v)*share + 255*(1-share))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// Vertical places of text: capHeight is the height of digits and capitals of Liberation Sans as a share of its size.
const capHeight = 0.7

// lettering is text of the given size whose capitals are centered on the point it is drawn at; x is draw.XLeft, XCenter
// or XRight.
func lettering(size float64, x text.XAlignment, c color.Color) text.Style {
	s := text.Style{
		Color:   c,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, vg.Length(size)),
		XAlign:  x,
		Handler: plot.DefaultTextHandler,
	}
	// gonum puts the baseline at y + height*YAlign - ascent + size.
	e := s.FontExtents()
	s.YAlign = text.YAlignment((e.Ascent - s.Font.Size*(1+capHeight/2)) / s.Height("0"))
	return s
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

// newPlot is an empty plot in the house style.
func newPlot(xlabel, ylabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the figure paints the sheet
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Width, a.Padding = ink, 0.5, 0
		a.Label.TextStyle = lettering(sizeLabel, draw.XCenter, ink)
		a.Label.TextStyle.YAlign = draw.YBottom
		a.Label.Padding = 1.5
		a.Tick.Color, a.Tick.Width, a.Tick.Length = ink, 0.5, 2.5
		a.Tick.Label.Font = lettering(sizeTick, 0, ink).Font
		a.Tick.Label.Color = ink
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = rounded{8}, rounded{6}
	p.X.Label.Text, p.Y.Label.Text = xlabel, ylabel
	p.Y.Tick.Label = lettering(sizeTick, draw.XRight, ink)
	p.Y.Tick.Label.YAlign = middleOfTick(p.Y.Tick.Label.Font)
	return p
}

// clampIndex is the index of x in [0, 1] into a table of n values; NaN gives 0.
func clampIndex(x float64, n int) int {
	if !(x > 0) {
		return 0
	}
	return min(int(x*float64(n)), n-1)
}

// redBlue and blues are palettes of ColorBrewer: RdBu turned around, every other color, and Blues.
var (
	redBlue = []color.NRGBA{{5, 48, 97, 255}, {67, 147, 195, 255}, {247, 247, 247, 255}, {214, 96, 77, 255}, {103, 0, 31, 255}}
	blues   = []color.NRGBA{{255, 255, 255, 255}, {198, 219, 239, 255}, {107, 174, 214, 255}, {33, 113, 181, 255}, {8, 48, 107, 255}}
)

// blend interpolates between equally spaced colors; x is clamped to [0, 1].
func blend(stops []color.NRGBA, x float64) color.NRGBA {
	t := math.Max(0, math.Min(1, x)) * float64(len(stops)-1)
	i := min(int(t), len(stops)-2)
	a, b := stops[i], stops[i+1]
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*(t-float64(i)))) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
