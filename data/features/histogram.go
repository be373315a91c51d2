package features

import (
	"fmt"
	"math"
)

const histogramPaper = "Requests to a smart speaker (Echo, 2018), section Features, Table I"

var histogramSettings = []Setting{
	{"bins", "15", "bins of each of the two histograms"},
	{"edges", "train", "dataset: between the smallest and the largest value of all rows; train: of the training captures only, which are all when none are named; values outside count in the end bins"},
	acksSetting, directionSetting,
}

// span of the values that set the edges.
type extent struct{ low, high float64 }

var nothing = extent{math.Inf(1), math.Inf(-1)}

func (e *extent) add(v float64) { e.low, e.high = min(e.low, v), max(e.high, v) }

// edges widens an extent of one value, as NumPy does.
func (e extent) edges() (low, high float64) {
	switch {
	case e.low > e.high:
		return 0, 1
	case e.low == e.high:
		return e.low - .5, e.high + .5
	}
	return e.low, e.high
}

// histogram computes shares of packet sizes and of inter-arrival times.
type histogram struct {
	filter
	bins        int
	everything  bool // edges=dataset
	size, times extent
}

func openHistogram(s *settings) computer {
	return &histogram{filter: s.withDirection(s.withACKs(s.filter())), bins: s.number("bins", 1<<16),
		everything: s.choice("edges", "train", "dataset") == "dataset", size: nothing, times: nothing}
}

func (h *histogram) fields() []Field {
	out := make([]Field, 2*h.bins)
	for i := range h.bins {
		where := fmt.Sprintf("in [low + %d w, low + %d w), w = (high - low) / %d; the last bin holds high; 0 when there are none", i, i+1, h.bins)
		out[i] = Field{Name: numbered("size", i, h.bins) + h.suffix(), Unit: "share", Formula: "packets whose bytes lie " + where}
		out[h.bins+i] = Field{Name: numbered("iat", i, h.bins) + h.suffix(), Unit: "share", Formula: "inter-arrival times (s) of the packets that count that lie " + where}
	}
	return out
}

// each calls size for every packet that counts and gap for every time between two of them, in seconds; a clock that
// steps back counts as 0.
func (h *histogram) each(u *Unit, size, gap func(v float64)) {
	last, started := int64(0), false
	for i := range u.Packets {
		p := &u.Packets[i]
		if !h.keep(p) {
			continue
		}
		size(h.bytes(p))
		if started {
			gap(elapsed(last, p.Time) / 1e6)
		}
		last, started = p.Time, true
	}
}

func (h *histogram) fit(u *Unit, training bool) {
	if training || h.everything {
		h.each(u, h.size.add, h.times.add)
	}
}

func (h *histogram) learned() []float64 {
	sizeLow, sizeHigh := h.size.edges()
	timeLow, timeHigh := h.times.edges()
	return []float64{sizeLow, sizeHigh, timeLow, timeHigh}
}

func (h *histogram) row(u *Unit, dst []float64) {
	size, times := dst[:h.bins], dst[h.bins:]
	h.each(u, counter(size, h.size), counter(times, h.times))
	normalize(size)
	normalize(times)
}

// counter returns what enters a value into its bin, to the same bin as numpy.histogram: a value that rounding put beyond
// an edge is moved back.
func counter(bins []float64, e extent) func(v float64) {
	low, high := e.edges()
	n := len(bins)
	width := (high - low) / float64(n)
	edge := func(i int) float64 {
		if i == n {
			return high
		}
		return low + float64(i)*width
	}
	return func(v float64) {
		i := int(max(0, min(float64(n-1), (v-low)/(high-low)*float64(n))))
		if i > 0 && v < edge(i) {
			i--
		} else if i < n-1 && v >= edge(i+1) {
			i++
		}
		bins[i]++
	}
}

func normalize(x []float64) {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	if sum == 0 {
		return
	}
	for i := range x {
		x[i] /= sum
	}
}

// combined is two sets side by side.
type combined struct{ parts []computer }

// openCombined is the study's 22 + 2 * bins columns.
func openCombined(s *settings) computer {
	return &combined{[]computer{openTcptrace(kept(), 1)(s), openHistogram(s)}}
}

func (c *combined) connections() bool { return true }

func (c *combined) fields() (out []Field) {
	for _, p := range c.parts {
		out = append(out, p.fields()...)
	}
	return out
}

func (c *combined) fit(u *Unit, training bool) { c.parts[1].(fitter).fit(u, training) }

func (c *combined) learned() []float64 { return c.parts[1].(fitter).learned() }

func (c *combined) row(u *Unit, dst []float64) {
	n := len(c.parts[0].fields())
	c.parts[0].row(u, dst[:n])
	c.parts[1].row(u, dst[n:])
}
