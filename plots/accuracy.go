package plots

import (
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// AccuracyCurve is one panel of AccuracyVsStep.
type AccuracyCurve struct {
	Title      string // above the panel; "" for none
	Lines      []AccuracyLine
	References []Reference // chance, majority and whatever else a net must beat
}

// AccuracyLine is one net.
type AccuracyLine struct {
	Name   string
	Points []AccuracyPoint
}

// AccuracyPoint is one cell of the table. All values are fractions in [0, 1]; NaN is not drawn.
type AccuracyPoint struct {
	Step            time.Duration // 0: no time axis at all, as for a series of sizes in order of arrival
	Mean, Low, High float64       // Low and High: the interval
	Significant     bool          // gets the mark
	Published       float64       // hollow marker beside ours; 0 or NaN: none published
}

// SignificantMeans is what the mark above a point says.
const SignificantMeans = "* p < 0.05 after Holm"

// AccuracyVsStep draws accuracy against time step, coarse to fine from left to right: one line per net, dodged sideways so
// that intervals do not hide each other, with the references as thin lines. Order-only points stand apart on the left.
func AccuracyVsStep(curves ...AccuracyCurve) *Figure {
	f := &Figure{Width: Single, PanelHeight: 2.1}
	if len(curves) > 1 {
		f.Width = Double
	}
	looks := map[string]look{} // the same net looks the same in all panels
	significant, published := false, false
	var row []*plot.Plot
	for _, c := range curves {
		p := newPlot("Time step", "Accuracy (%)")
		p.Y.Min, p.Y.Max = 0, 1
		p.Y.Tick.Marker = percentTicks
		steps, hasOrder := stepAxis(&p.X, c)
		p.Add(title(c.Title), grid{y: true}, references(c.References))
		for i, l := range c.Lines {
			k, ok := looks[l.Name]
			if !ok {
				k = lookOf(len(looks))
				looks[l.Name] = k
				line, mark := k.line(1), draw.GlyphStyle{Color: k.color, Radius: 2, Shape: k.mark}
				f.Key = append(f.Key, KeyEntry{l.Name, sample{line: &line, mark: &mark}})
			}
			dodge := (float64(i) - float64(len(c.Lines)-1)/2) * min(0.09, 0.6/float64(len(c.Lines)))
			p.Add(accuracyLine{l, k, dodge})
			for _, q := range l.Points {
				significant = significant || q.Significant
				published = published || q.Published > 0
			}
		}
		if hasOrder && steps > 0 { // the order-only points have no place on the axis of steps
			p.Add(separator(-0.5))
		}
		row = append(row, p)
	}
	if published {
		hollow := draw.GlyphStyle{Color: ink, Radius: 2, Shape: marker{hollow: true}}
		f.Key = append(f.Key, KeyEntry{"published", sample{mark: &hollow}})
	}
	if significant {
		f.Key = append(f.Key, KeyEntry{Name: SignificantMeans})
	}
	f.Panels = [][]*plot.Plot{row}
	return f
}

var percentTicks = ticks([]float64{0, .2, .4, .6, .8, 1}, []string{"0", "20", "40", "60", "80", "100"})

// stepPlace is where a step lies on the axis: 0 for 1 s, one unit per factor of ten, finer to the right.
func stepPlace(step time.Duration) float64 {
	if step == 0 {
		return math.Inf(-1)
	}
	return -math.Log10(step.Seconds())
}

// stepAxis sets the ticks and the range of the axis and returns the number of steps. Order-only points lie one unit before
// the coarsest step.
func stepAxis(a *plot.Axis, c AccuracyCurve) (n int, hasOrder bool) {
	var at []float64
	var names []string
	seen := map[time.Duration]bool{}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range c.Lines {
		for _, q := range l.Points {
			if seen[q.Step] {
				continue
			}
			seen[q.Step] = true
			if q.Step == 0 {
				hasOrder = true
				continue
			}
			x := stepPlace(q.Step)
			at, names = append(at, x), append(names, StepName(q.Step))
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	n = len(at)
	if n == 0 {
		lo, hi = 0, 0
	}
	a.Min, a.Max = lo-0.3, hi+0.3
	if hasOrder {
		at, names = append(at, lo-1), append(names, "order only")
		a.Min = lo - 1.5
	}
	a.Tick.Marker = ticks(at, names)
	return n, hasOrder
}

// StepName writes a step as people say it: 1 s, 100 ms, 10 us.
func StepName(step time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Second, " s"}, {time.Millisecond, " ms"}, {time.Microsecond, " us"}} {
		if step >= u.unit && step%u.unit == 0 {
			return trimZeros(float64(step/u.unit)) + u.name
		}
	}
	return step.String()
}

// accuracyLine draws one net: the intervals, the line through the means, the markers, the marks.
type accuracyLine struct {
	AccuracyLine
	look
	dodge float64 // in units of the axis
}

func (l accuracyLine) Plot(c draw.Canvas, p *plot.Plot) {
	fx, fy := p.Transforms(&c)
	ours := draw.GlyphStyle{Color: l.color, Radius: 2, Shape: l.mark}
	theirs := ours
	theirs.Shape = marker{l.mark.shape, true}
	var line []vg.Point
	type dot struct {
		at  vg.Point
		sty draw.GlyphStyle
	}
	var dots []dot
	for _, q := range l.Points {
		x := stepPlace(q.Step)
		if q.Step == 0 {
			x = p.X.Min + 0.5
		}
		px := fx(x + l.dodge)
		if q.Published > 0 {
			dots = append(dots, dot{vg.Point{X: px, Y: fy(q.Published)}, theirs})
		}
		if math.IsNaN(q.Mean) {
			continue
		}
		at := vg.Point{X: px, Y: fy(q.Mean)}
		top := at.Y
		if q.Low < q.High {
			bar := stroke(l.color, 0.7)
			lo, hi := fy(max(q.Low, 0)), fy(min(q.High, 1))
			top = max(top, hi)
			c.StrokeLine2(bar, px, lo, px, hi)
			for _, y := range []vg.Length{lo, hi} {
				c.StrokeLine2(bar, px-1.4, y, px+1.4, y)
			}
		}
		dots = append(dots, dot{at, ours})
		if q.Significant {
			top = max(top, at.Y+ours.Radius) // a bar that ends at 100 % ends within the marker
			c.FillText(bold(lettering(sizeLabel, draw.XCenter, l.color)), vg.Point{X: px, Y: top + 1}, "*")
		}
		if q.Step != 0 {
			line = append(line, at)
		}
	}
	c.StrokeLines(l.look.line(1), line)
	for _, d := range dots {
		c.DrawGlyph(d.sty, d.at)
	}
}

// separator is a thin vertical line at x.
type separator float64

func (s separator) Plot(c draw.Canvas, p *plot.Plot) {
	fx, _ := p.Transforms(&c)
	x := fx(float64(s))
	c.StrokeLine2(stroke(gridGray, 0.8), x, c.Min.Y, x, c.Max.Y)
}
