package plots

import (
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BurstPanel is one capture: bytes in each time step, by direction. Up may be nil when only one direction was kept.
type BurstPanel struct {
	Name     string // the class, and the capture if wanted
	Step     time.Duration
	Down, Up []float64 // (T) bytes
}

// Burst draws captures under each other over one time axis: bytes from the server above the line, bytes to the server
// below it. All panels share both axes, so that heights can be compared.
func Burst(panels ...BurstPanel) *Figure {
	f := &Figure{Width: Single, PanelHeight: 0.6}
	if len(panels) == 0 {
		return f
	}
	seconds, top, bottom := 0.0, 0.0, 0.0
	for _, d := range panels {
		seconds = math.Max(seconds, d.Step.Seconds()*float64(max(len(d.Down), len(d.Up))))
		for _, v := range d.Down {
			top = math.Max(top, v)
		}
		for _, v := range d.Up {
			bottom = math.Max(bottom, v)
		}
	}
	divide, unit := byteUnit(math.Max(top, bottom))
	for i, d := range panels {
		p := newPlot("", "")
		p.X.Min, p.X.Max = 0, seconds
		p.Y.Min, p.Y.Max = -math.Max(1.05*bottom, 0.08*top)/divide, 1.05*top/divide
		p.Y.Tick.Marker = mirrored{}
		if i == len(panels)-1 {
			p.X.Label.Text = "Time (s)"
		} else {
			p.X.Tick.Marker = blank{p.X.Tick.Marker}
		}
		p.Add(bars{d.Down, d.Step.Seconds(), 1 / divide, blue}, bars{d.Up, d.Step.Seconds(), -1 / divide, red},
			header{d.Name, bold(lettering(sizeTick, draw.XRight, ink))})
		f.Panels = append(f.Panels, []*plot.Plot{p})
	}
	f.YLabel = unit + " per " + StepName(panels[0].Step)
	f.Key = []KeyEntry{{"from the server", sample{fill: blue}}}
	if bottom > 0 {
		f.Key = append(f.Key, KeyEntry{"to the server", sample{fill: red}})
	}
	return f
}

// byteUnit chooses the unit in which the largest value is a small number.
func byteUnit(most float64) (float64, string) {
	switch {
	case most >= 2e6:
		return 1e6, "MB"
	case most >= 2e3:
		return 1e3, "kB"
	}
	return 1, "Bytes"
}

// bars fills steps of equal width from 0.
type bars struct {
	v           []float64
	step, scale float64
	fill        color.Color
}

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	zero := fy(0)
	c.StrokeLine2(stroke(ink, 0.4), c.Min.X, zero, c.Max.X, zero)
	c.SetColor(b.fill)
	// A bar is at least a hairline wide: a burst of one millisecond must be seen in a minute.
	const hairline = 0.5
	for i, v := range b.v {
		if v == 0 {
			continue
		}
		x0, x1 := fx(float64(i)*b.step), fx(float64(i+1)*b.step)
		if x1-x0 < hairline {
			mid := (x0 + x1) / 2
			x0, x1 = mid-hairline/2, mid+hairline/2
		}
		c.Fill(vg.Rectangle{Min: vg.Point{X: x0, Y: zero}, Max: vg.Point{X: x1, Y: fy(v * b.scale)}}.Path())
	}
}

// mirrored marks 0 and one round value on each side that has room; values below 0 are written without a sign.
type mirrored struct{}

func (mirrored) Ticks(lo, hi float64) []plot.Tick {
	t := []plot.Tick{{Value: 0, Label: "0"}}
	for _, side := range []float64{hi, lo} {
		if v := roundBelow(math.Abs(side)); v > 0.25*(hi-lo) { // nearer to 0 its label would run into that of 0
			t = append(t, plot.Tick{Value: math.Copysign(v, side), Label: strconv.FormatFloat(v, 'g', 3, 64)})
		}
	}
	return t
}

// roundBelow is the largest of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not above x.
func roundBelow(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{8, 6, 5, 4, 3, 2, 1.5} {
		if m*p <= x {
			return m * p
		}
	}
	return p
}

// blank keeps the ticks but not their labels, for panels above others.
type blank struct{ plot.Ticker }

func (b blank) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	for _, t := range b.Ticker.Ticks(lo, hi) {
		if !t.IsMinor() {
			out = append(out, plot.Tick{Value: t.Value})
		}
	}
	return out
}
