package plots

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// marker is the shape of a point. Filled for our own values, hollow for published ones.
type marker struct {
	shape  int
	hollow bool
}

// shapes is the number of different shapes: circle, square, triangle up, diamond, triangle down, pentagon, star, cross.
const shapes = 8

// outline returns the corners of the shape on a circle of radius 1; nil is the circle itself.
func (m marker) outline() []vg.Point {
	ngon := func(n int, first, inner float64) (ps []vg.Point) {
		for i := range n {
			r := 1.0
			if i%2 == 1 && inner > 0 {
				r = inner
			}
			a := first + 2*math.Pi*float64(i)/float64(n)
			ps = append(ps, vg.Point{X: vg.Length(r * math.Cos(a)), Y: vg.Length(r * math.Sin(a))})
		}
		return ps
	}
	up := math.Pi / 2
	switch m.shape {
	case 1:
		return ngon(4, math.Pi/4, 0)
	case 2:
		return ngon(3, up, 0)
	case 3:
		return ngon(4, up, 0)
	case 4:
		return ngon(3, -up, 0)
	case 5:
		return ngon(5, up, 0)
	case 6:
		return ngon(10, up, 0.45)
	case 7:
		return ngon(8, math.Pi/4, 0.3)
	}
	return nil
}

// DrawGlyph implements draw.GlyphDrawer. The shapes are scaled to look equally large.
func (m marker) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	scale := [shapes]vg.Length{1, 1.2, 1.3, 1.3, 1.3, 1.2, 1.4, 1.4}[m.shape] * sty.Radius
	var path vg.Path
	if ps := m.outline(); ps == nil {
		path.Move(vg.Point{X: at.X + scale, Y: at.Y})
		path.Arc(at, scale, 0, 2*math.Pi)
	} else {
		path.Move(vg.Point{X: at.X + scale*ps[0].X, Y: at.Y + scale*ps[0].Y})
		for _, p := range ps[1:] {
			path.Line(vg.Point{X: at.X + scale*p.X, Y: at.Y + scale*p.Y})
		}
	}
	path.Close()
	if !m.hollow {
		c.Fill(path)
		return
	}
	c.SetLineStyle(stroke(sty.Color, 0.7))
	c.Stroke(path)
}
