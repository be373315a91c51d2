package plots

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// SeriesMap draws every capture as a row of colored cells, bytes[i][t] in time step t, on a logarithmic color scale.
// Captures are ordered by class and ends[k] is the number of captures in the classes 0 to k. What a reader sees at a glance
// here, a net can learn; what differs within a class, it must overlook.
func SeriesMap(classes []string, ends []int, bytes [][]float64, step time.Duration) *Figure {
	if len(bytes) == 0 {
		return &Figure{}
	}
	logs := make([][]float64, len(bytes))
	most := 1.0
	for i, row := range bytes {
		logs[i] = make([]float64, len(row))
		for t, v := range row {
			logs[i][t] = math.Log10(1 + v)
			most = math.Max(most, logs[i][t])
		}
	}
	most = math.Ceil(most)
	s := scale{hi: most, color: Viridis, name: "Bytes per " + StepName(step), text: func(v float64) string {
		if v == 0 {
			return "0"
		}
		return decade(v)
	}}
	for v := 0.0; v <= most; v++ {
		s.ticks = append(s.ticks, v)
	}
	p := newPlot("Time (s)", "")
	newMatrix(p, logs, s)
	p.Add(rowBlocks(ends))
	var y []float64
	first, smallest := 0, len(bytes)
	for _, e := range ends {
		y = append(y, float64(len(bytes)-1)-float64(first+e-1)/2)
		smallest = min(smallest, e-first)
		first = e
	}
	f := &Figure{Width: Single, PanelHeight: math.Max(1.6, math.Min(7, 0.5+0.12*float64(len(classes))))}
	setNames(&p.Y, y, classes, 65*f.PanelHeight*float64(smallest)/float64(len(bytes)))
	p.Y.Tick.Label.YAlign = middleOfTick(p.Y.Tick.Label.Font)
	p.X.Tick.Marker = timeTicks{step}
	f.Panels = [][]*plot.Plot{{p}}
	return f
}

// decade writes 10 to the power v with the suffixes of the SI.
func decade(v float64) string {
	for _, u := range []struct {
		power float64
		name  string
	}{{9, "G"}, {6, "M"}, {3, "k"}} {
		if v >= u.power {
			return fmt.Sprintf("%.0f %s", math.Pow(10, v-u.power), u.name)
		}
	}
	return fmt.Sprintf("%.0f", math.Pow(10, v))
}

// timeTicks marks seconds on an axis that counts columns of one step each; column 0 begins at -0.5.
type timeTicks struct{ step time.Duration }

func (t timeTicks) Ticks(lo, hi float64) []plot.Tick {
	s := t.step.Seconds()
	out := rounded{8}.Ticks((lo+0.5)*s, (hi+0.5)*s)
	for i := range out {
		out[i].Value = out[i].Value/s - 0.5
	}
	return out
}

// rowBlocks draws where a class ends in a map of captures.
type rowBlocks []int

func (b rowBlocks) Plot(c draw.Canvas, p *plot.Plot) {
	_, fy := p.Transforms(&c)
	for _, e := range b[:len(b)-1] {
		y := fy(float64(b[len(b)-1]-e) - 0.5)
		c.StrokeLine2(stroke(paper, 0.8), c.Min.X, y, c.Max.X, y)
	}
}
