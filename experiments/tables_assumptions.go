package experiments

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"earshot/plots"
)

// secondUS is the coarse step of the assumptions' table: at it, the moment within a burst no longer counts.
const secondUS = 1_000_000

// assumptionTable holds the traffic against what the song study assumes of it: that every packet is seen (A, SP-03) and that
// the same song makes similar packets (B, SP-04).
func (r *Run) assumptionTable() (Table, error) {
	s, err := r.Series()
	if err != nil {
		return Table{}, err
	}
	t := Table{Name: "assumptions", Title: "Complete and deterministic? What the captures of a class have in common",
		Columns: []Column{{Name: "Class", Left: true}, {Name: "Captures"}, {Name: "Bytes of unknown peers %"}, {Name: "kB, mean"}, {Name: "SD %"}},
		Notes: []string{
			"Bytes of unknown peers: share of all bytes whose direction is not known, since neither end is a known client or server. kB and SD: bytes that the networks see of a capture, mean and standard deviation within the class.",
			"r in, r out: mean Pearson correlation at lag 0 of a capture with the others of its class, and with those of other classes. The most similar capture: share of the captures whose best match is of their own class.",
		}}
	if l := r.Manifest.Settings.Loss; l > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("The eavesdropper misses %s %% of the packets, drawn at random.", percent(l)))
	}
	var maps []Correlations
	for _, c := range []*Series{s, s.coarser(secondUS)} {
		if c == nil {
			continue
		}
		maps = append(maps, correlateCaptures(c))
		at := plots.StepName(time.Duration(c.StepUS) * time.Microsecond)
		t.Columns = append(t.Columns, Column{Name: "r in, " + at}, Column{Name: "r out, " + at}, Column{Name: "Most similar in class %, " + at, Wide: true})
	}
	for k, class := range s.Classes {
		var kb []float64
		unknown, all := int64(0), int64(0)
		for _, c := range r.Captures {
			if c.Class == k {
				kb = append(kb, float64(c.SeenBytes)/1e3)
				unknown, all = unknown+c.BytesUnknown, all+c.BytesUp+c.BytesDown+c.BytesUnknown
			}
		}
		mean, sd := meanSD(kb)
		row := []string{class, strconv.Itoa(len(kb)), percent(float64(unknown) / float64(max(1, all))), fixed(mean, 1), percent(sd / mean)}
		for _, m := range maps {
			in, out, nearest := m.class(k)
			row = append(row, fixed(in, 3), fixed(out, 3), percent(nearest))
		}
		t.add(row...)
	}
	return t, nil
}

// coarser adds steps up to longer ones; nil where that makes no longer ones.
func (s *Series) coarser(us int64) *Series {
	n := int(us / max(1, s.StepUS))
	if n < 2 || us%s.StepUS != 0 || s.T%n != 0 || s.T == n {
		return nil
	}
	c := &Series{N: s.N, C: s.C, T: s.T / n, Y: s.Y, Classes: s.Classes, CaptureID: s.CaptureID, StepUS: us, X: make([]float32, len(s.X)/n)}
	for i, v := range s.X {
		c.X[i/n] += v
	}
	return c
}

// class compares the captures of class k with each other and with all others: mean correlations, and how many of them are
// most similar to one of their own. A capture without a correlation (constant series) does not count.
func (c *Correlations) class(k int) (in, out, nearest float64) {
	first, end := 0, c.Ends[k]
	if k > 0 {
		first = c.Ends[k-1]
	}
	var sumIn, sumOut float64
	var nIn, nOut, hits, captures int
	for i := first; i < end; i++ {
		best, hit := math.Inf(-1), false
		for j, v := range c.Captures[i] {
			inside := j >= first && j < end
			if j == i || math.IsNaN(v) {
				continue
			}
			if inside {
				sumIn, nIn = sumIn+v, nIn+1
			} else {
				sumOut, nOut = sumOut+v, nOut+1
			}
			if v > best {
				best, hit = v, inside
			}
		}
		if !math.IsInf(best, -1) {
			captures++
			if hit {
				hits++
			}
		}
	}
	return sumIn / float64(nIn), sumOut / float64(nOut), float64(hits) / float64(captures)
}
