package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figure is one or several plots on a sheet: a grid of panels whose axes are aligned, a key that spans all of them above,
// and the mark of synthetic data.
type Figure struct {
	Width       float64 // inches: Single or Double
	PanelHeight float64 // inches, of each row, its axes included
	Panels      [][]*plot.Plot
	Key         []KeyEntry
	YLabel      string // beside the whole grid; for panels that share it
	Synthetic   bool   // says SYNTHETIC above the panels: the data were generated, not recorded
}

// KeyEntry explains one line, marker or color.
type KeyEntry struct {
	Name   string
	Sample plot.Thumbnailer // drawn in a box of keySample x keyRow; nil: the name alone
}

// Lengths of the sheet's furniture, in points.
const (
	margin    = 2
	keyRow    = 9.5
	keySample = 16
	keyGap    = 9 // between two entries
	panelGap  = 7
)

// rows breaks the key into lines that fit the sheet.
func (f *Figure) rows() (rows [][]KeyEntry, widths []vg.Length) {
	sty := lettering(sizeTick, draw.XLeft, ink)
	room := vg.Length(f.Width)*vg.Inch - 2*margin
	for _, e := range f.Key {
		w := sty.Width(e.Name) + e.indent()
		if n := len(rows); n > 0 && widths[n-1]+keyGap+w <= room {
			rows[n-1] = append(rows[n-1], e)
			widths[n-1] += keyGap + w
			continue
		}
		rows, widths = append(rows, []KeyEntry{e}), append(widths, w)
	}
	return rows, widths
}

// indent is the room that the sample takes before the name.
func (e KeyEntry) indent() vg.Length {
	if e.Sample == nil {
		return 0
	}
	return keySample + 3
}

// Size returns width and height of the sheet in inches.
func (f *Figure) Size() (w, h float64) {
	return f.Width, (f.head()+2*margin+panelGap*vg.Length(len(f.Panels)-1)).Dots(72)/72 + f.PanelHeight*float64(len(f.Panels))
}

// head is the height above the panels.
func (f *Figure) head() vg.Length {
	rows, _ := f.rows()
	h := vg.Length(len(rows)) * keyRow
	if f.Synthetic {
		h += keyRow
	}
	if h > 0 {
		h += 3
	}
	return h
}

// check tells a caller's mistake before gonum panics over it.
func (f *Figure) check() error {
	if len(f.Panels) == 0 || len(f.Panels[0]) == 0 {
		return errors.New("plots: a figure without panels; it was made from no data")
	}
	for i, row := range f.Panels {
		if len(row) != len(f.Panels[0]) {
			return fmt.Errorf("plots: row %d has %d panels, row 0 has %d", i, len(row), len(f.Panels[0]))
		}
	}
	return nil
}

// Draw draws the figure on a canvas of its Size.
func (f *Figure) Draw(c draw.Canvas) {
	c.SetColor(paper)
	c.Fill(c.Rectangle.Path())
	y := c.Max.Y - margin
	sheet := c
	if f.Synthetic {
		mark := bold(lettering(sizeTick, draw.XRight, red))
		rest := lettering(sizeTick, draw.XRight, pale)
		note := "generated, not recorded"
		at := vg.Point{X: sheet.Max.X - margin, Y: y - keyRow/2}
		c.FillText(rest, at, note)
		at.X -= rest.Width(note) + 3
		c.FillText(mark, at, "SYNTHETIC DATA:")
		y -= keyRow
	}
	rows, widths := f.rows()
	for i, row := range rows {
		drawKeyRow(c, row, (sheet.Min.X+sheet.Max.X-widths[i])/2, y-keyRow/2)
		y -= keyRow
	}
	c = f.inner(sheet)
	if f.YLabel != "" {
		sty := lettering(sizeLabel, draw.XCenter, ink)
		sty.Rotation = math.Pi / 2
		c.FillText(sty, vg.Point{X: sheet.Min.X + margin + sizeLabel/2, Y: (c.Min.Y + c.Max.Y) / 2}, f.YLabel)
	}
	for i, row := range f.tiles(c) {
		for j, tile := range row {
			if p := f.Panels[i][j]; p != nil {
				p.Draw(tile)
			}
		}
	}
}

// inner is the part of the sheet that the panels share.
func (f *Figure) inner(sheet draw.Canvas) draw.Canvas {
	c := draw.Crop(sheet, margin, -margin, margin, -margin-f.head())
	if f.YLabel != "" {
		c.Min.X += sizeLabel + 3
	}
	return c
}

// tiles divides the inner part so that the axes of all panels are aligned.
func (f *Figure) tiles(inner draw.Canvas) [][]draw.Canvas {
	t := draw.Tiles{Rows: len(f.Panels), Cols: len(f.Panels[0]), PadX: panelGap, PadY: panelGap}
	return plot.Align(f.Panels, t, inner)
}

// fill completes the last row of the grid with empty panels.
func (f *Figure) fill(perRow int) {
	for last := len(f.Panels) - 1; len(f.Panels[last]) < perRow; {
		f.Panels[last] = append(f.Panels[last], nil)
	}
}

func drawKeyRow(c draw.Canvas, row []KeyEntry, x, y vg.Length) {
	sty := lettering(sizeTick, draw.XLeft, ink)
	for _, e := range row {
		if e.Sample != nil {
			e.Sample.Thumbnail(&draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: y - keyRow/2},
				Max: vg.Point{X: x + keySample, Y: y + keyRow/2},
			}})
		}
		c.FillText(sty, vg.Point{X: x + e.indent(), Y: y}, e.Name)
		x += e.indent() + sty.Width(e.Name) + keyGap
	}
}
