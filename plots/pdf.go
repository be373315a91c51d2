package plots

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"time"

	"codeberg.org/go-pdf/fpdf"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// epoch is the date in every PDF: the clock must not be in a file that is compared byte by byte.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// pdf draws on an own canvas and not on gonum's vgpdf, which embeds whole fonts (200 kB each), takes its date from a
// global variable and writes UTF-8 into a font of code page 1252, so that a name such as "Für Elise" comes out wrong.
func (f *Figure) pdf() ([]byte, error) {
	w, h := f.lengths()
	c := newPDFCanvas(w, h)
	f.Draw(draw.New(c))
	for range 2 { // the page's and the sheet's transformation
		c.doc.TransformEnd()
	}
	var b bytes.Buffer
	if err := c.doc.Output(&b); err != nil {
		return nil, fmt.Errorf("plots: pdf: %w", err)
	}
	return b.Bytes(), nil
}

// pdfCanvas implements vg.Canvas and vg.CanvasSizer over fpdf: one page, origin at the lower left.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	w, h   vg.Length
	width  []vg.Length // stack of line widths: a line of width 0 is not drawn
	images int
	widths map[int]bool // of the images so far, in pixels
	fonts  map[string]bool
}

func newPDFCanvas(w, h vg.Length) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: w.Points(), Ht: h.Points()}})
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetCatalogSort(true)
	doc.SetProducer("earshot", false)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	c := &pdfCanvas{doc: doc, w: w, h: h, width: []vg.Length{0}, widths: map[int]bool{}, fonts: map[string]bool{}}
	doc.TransformBegin()
	doc.TransformTranslate(0, h.Points())
	doc.TransformBegin()
	doc.TransformScale(100, -100, 0, 0) // fpdf counts y downwards
	vg.Initialize(c)
	return c
}

func (c *pdfCanvas) Size() (w, h vg.Length) { return c.w, c.h }

func (c *pdfCanvas) SetLineWidth(w vg.Length) {
	c.width[len(c.width)-1] = w
	c.doc.SetLineWidth(w.Points())
}

func (c *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	ds := make([]float64, len(pattern))
	for i, d := range pattern {
		ds[i] = d.Points()
	}
	c.doc.SetDashPattern(ds, offset.Points())
}

func (c *pdfCanvas) SetColor(col color.Color) {
	n := color.NRGBAModel.Convert(col).(color.NRGBA)
	r, g, b := int(n.R), int(n.G), int(n.B)
	c.doc.SetFillColor(r, g, b)
	c.doc.SetDrawColor(r, g, b)
	c.doc.SetTextColor(r, g, b)
	c.doc.SetAlpha(float64(n.A)/255, "Normal")
}

func (c *pdfCanvas) Rotate(rad float64) { c.doc.TransformRotate(-rad*180/math.Pi, 0, 0) }

func (c *pdfCanvas) Translate(p vg.Point) { c.doc.TransformTranslate(p.X.Points(), p.Y.Points()) }

func (c *pdfCanvas) Scale(x, y float64) { c.doc.TransformScale(x*100, y*100, 0, 0) }

func (c *pdfCanvas) Push() {
	c.width = append(c.width, c.width[len(c.width)-1])
	c.doc.TransformBegin()
}

func (c *pdfCanvas) Pop() {
	c.width = c.width[:len(c.width)-1]
	c.doc.TransformEnd()
}

func (c *pdfCanvas) Stroke(p vg.Path) {
	if c.width[len(c.width)-1] > 0 {
		c.path(p, "D")
	}
}

func (c *pdfCanvas) Fill(p vg.Path) { c.path(p, "F") }

func (c *pdfCanvas) path(p vg.Path, style string) {
	var start vg.Point
	for _, e := range p {
		x, y := e.Pos.X.Points(), e.Pos.Y.Points()
		switch e.Type {
		case vg.MoveComp:
			start = e.Pos
			c.doc.MoveTo(x, y)
		case vg.LineComp:
			c.doc.LineTo(x, y)
		case vg.ArcComp:
			c.arc(e)
		case vg.CurveComp:
			c1 := e.Control[0]
			c2 := e.Control[len(e.Control)-1]
			c.doc.CurveBezierCubicTo(c1.X.Points(), c1.Y.Points(), c2.X.Points(), c2.Y.Points(), x, y)
		case vg.CloseComp:
			c.doc.LineTo(start.X.Points(), start.Y.Points())
			c.doc.ClosePath()
		}
	}
	c.doc.DrawPath(style)
}

// arc appends an arc as one Bezier curve per quarter turn, whose error is below 0.03 % of the radius.
func (c *pdfCanvas) arc(e vg.PathComp) {
	n := max(1, int(math.Ceil(math.Abs(e.Angle)/(math.Pi/2))))
	step := e.Angle / float64(n)
	k := 4. / 3 * math.Tan(step/4) // length of the control arms
	x, y, r := e.Pos.X.Points(), e.Pos.Y.Points(), e.Radius.Points()
	sin, cos := math.Sincos(e.Start)
	c.doc.LineTo(x+r*cos, y+r*sin)
	for i := range n {
		sin1, cos1 := math.Sincos(e.Start + step*float64(i+1))
		c.doc.CurveBezierCubicTo(x+r*(cos-k*sin), y+r*(sin+k*cos), x+r*(cos1+k*sin1), y+r*(sin1-k*cos1), x+r*cos1, y+r*sin1)
		sin, cos = sin1, cos1
	}
}

func (c *pdfCanvas) FillString(face font.Face, at vg.Point, s string) {
	style := ""
	if face.Font.Weight >= xfont.WeightBold {
		style = "B"
	}
	if name := face.Name() + style; !c.fonts[name] {
		var ttf bytes.Buffer
		if _, err := face.Face.WriteSourceTo(nil, &ttf); err != nil {
			c.doc.SetError(err)
			return
		}
		c.doc.AddUTF8FontFromBytes(face.Name(), style, ttf.Bytes())
		c.fonts[name] = true
	}
	c.doc.SetFont(face.Name(), style, face.Font.Size.Points())
	c.Push()
	c.Translate(at)
	c.Scale(1, -1)
	c.doc.Text(0, 0, s)
	c.Pop()
}

func (c *pdfCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	// fpdf writes images sorted by their width in pixels, and those of one width in the random order of a map: so no two
	// images of a file may have the same.
	w := img.Bounds().Dx()
	for c.widths[w] {
		w++
	}
	c.widths[w] = true
	var b bytes.Buffer
	if err := png.Encode(&b, widened(img, w)); err != nil {
		c.doc.SetError(err)
		return
	}
	c.images++
	name := fmt.Sprintf("image%03d", c.images)
	opt := fpdf.ImageOptions{ImageType: "png"}
	c.doc.RegisterImageOptionsReader(name, opt, &b)
	c.Push()
	c.Translate(vg.Point{X: r.Min.X, Y: r.Max.Y})
	c.Scale(1, -1)
	c.doc.ImageOptions(name, 0, 0, r.Size().X.Points(), r.Size().Y.Points(), false, opt, 0, "")
	c.Pop()
}

// widened stretches img to w pixels by repeating the nearest column: a few of a thousand, which nobody sees.
func widened(img image.Image, w int) image.Image {
	b := img.Bounds()
	if w == b.Dx() {
		return img
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, b.Dy()))
	for y := range b.Dy() {
		for x := range w {
			out.Set(x, y, img.At(b.Min.X+x*b.Dx()/w, b.Min.Y+y))
		}
	}
	return out
}
