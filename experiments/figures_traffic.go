package experiments

import (
	"fmt"
	"math"
	"time"

	"earshot/plots"
)

// mostBlocks is the number of captures up to which every one of them has a row in the maps of captures.
const mostBlocks = 400

// SeriesFigures are the three correlation maps (SP-44) and the map of all captures.
func SeriesFigures(s *Series) []Figure {
	c := Correlate(s)
	at := fmt.Sprintf("bytes per %s", plots.StepName(time.Duration(s.StepUS)*time.Microsecond))
	thin, ends := c.thin(mostBlocks)
	pick := make([][]float64, len(thin))
	rows := make([][]float64, len(thin))
	shown := ""
	if len(thin) < s.N {
		shown = fmt.Sprintf(" %d of %d captures are drawn, the first of each class; the means are of all.", len(thin), s.N)
	}
	for i, a := range thin {
		for _, b := range thin {
			pick[i] = append(pick[i], c.Captures[a][b])
		}
		rows[i] = widen(s.Row(c.Order[a])[:s.T])
	}
	means := fmt.Sprintf("Mean within a class %s, between classes %s, each capture with the others.", fixed(c.Within, 3), fixed(c.Between, 3))
	if math.IsNaN(c.Within) { // one capture of each class
		means = fmt.Sprintf("Mean between classes %s, each capture with the others.", fixed(c.Between, 3))
	}
	return []Figure{
		{"correlation_classes", fmt.Sprintf("Correlation of classes (Pearson at lag 0; %s). The captures of a class are joined into one series, cut to the shortest (%d values). The diagonal is 1 by construction and says nothing; %s",
			at, c.Cut, "m"+means[1:]), plots.CorrelationMap(s.Classes, c.Songs)},
		{"correlation_captures", fmt.Sprintf("Correlation of captures (Pearson at lag 0; %s), ordered by class. %s%s", at, means, shown),
			plots.BlockMap(s.Classes, ends, pick)},
		{"correlation_lag", fmt.Sprintf("Largest normalized cross-correlation of the joined series (%s) over all lags shorter than one capture; below it the seconds by which the row comes after the column.", at),
			plots.LagMap(s.Classes, c.Max, c.Lag)},
		{"series", fmt.Sprintf("All captures as the networks see them, one row each (%s).%s", at, shown),
			plots.SeriesMap(s.Classes, ends, rows, time.Duration(s.StepUS)*time.Microsecond)},
	}
}

// thin chooses at most n captures, the first ones of each class: positions in Order, and the Ends that belong to them.
func (c *Correlations) thin(n int) (rows, ends []int) {
	each := max(1, n/len(c.Ends))
	if len(c.Order) <= n {
		each = n
	}
	first := 0
	for _, e := range c.Ends {
		for i := first; i < min(e, first+each); i++ {
			rows = append(rows, i)
		}
		ends = append(ends, len(rows))
		first = e
	}
	return rows, ends
}

// mostBursts is the number of captures that fit above each other.
const mostBursts = 8

func (r *Run) burstFigure(bursts []Burst) Figure {
	const bars = 600 // over the figure's width, at most
	window := float64(r.Manifest.Settings.DurationUS)
	step := roundStep(window / bars)
	var panels []plots.BurstPanel
	for _, b := range bursts[:min(mostBursts, len(bursts))] {
		panels = append(panels, b.panel(step, int(math.Ceil(window/float64(step.Microseconds())))))
	}
	return Figure{"burst", fmt.Sprintf("The first capture of each class (they may differ in more than the class): payload bytes per %s, down above the line and up below it.", plots.StepName(step)),
		plots.Burst(panels...)}
}

// roundStep is the smallest of 1, 2, 5 times a power of ten that is not below the microseconds.
func roundStep(us float64) time.Duration {
	for p := 1.0; ; p *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if m*p >= us {
				return time.Duration(m*p) * time.Microsecond
			}
		}
	}
}

// panel counts the payload bytes of each step; direction 1 is up, 2 is down.
func (b Burst) panel(step time.Duration, steps int) plots.BurstPanel {
	p := plots.BurstPanel{Name: b.Class, Step: step, Up: make([]float64, steps), Down: make([]float64, steps)}
	for _, k := range b.Packets {
		if i := k.TimeUS / step.Microseconds(); i < int64(steps) {
			switch k.Direction {
			case 1:
				p.Up[i] += float64(k.PayloadBytes)
			case 2:
				p.Down[i] += float64(k.PayloadBytes)
			}
		}
	}
	return p
}

func (r *Run) durationFigure() Figure {
	seconds := make([][]float64, len(r.Manifest.Settings.Classes))
	for _, c := range r.Captures {
		seconds[c.Class] = append(seconds[c.Class], float64(c.DurationUS)/1e6)
	}
	return Figure{"durations", "How long the captures last: every capture, the quartiles and the median of each class. Where classes differ here, the length alone names them, and a series of fixed length carries it as padding.",
		plots.Durations(r.Manifest.Settings.Classes, seconds, float64(r.Manifest.Settings.DurationUS)/1e6)}
}
