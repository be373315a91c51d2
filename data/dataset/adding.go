package dataset

import (
	"fmt"
	"slices"

	"earshot/data/trace"
)

// adding is a capture whose packets arrive in pieces.
type adding struct {
	w   *Writer
	c   Capture
	id  int64
	sum *summary
}

func (w *Writer) begin() (*adding, error) {
	if w.bad == nil && w.shape != [2]int{} {
		w.bad = fmt.Errorf("dataset: %s: the set holds series; packets need a set of their own", w.dir)
	}
	if w.packets == nil && w.dir != "" && w.bad == nil {
		number := fmt.Sprintf("%06d.parquet", w.commits)
		w.packets, w.bad = createPart[packetRow](w.dir, "packets-"+number)
		if w.bad == nil {
			w.flows, w.bad = createPart[flowRow](w.dir, "flows-"+number)
		}
	}
	return &adding{w: w, id: int64(len(w.captures)), sum: newSummary()}, w.bad
}

// packets takes the next packets of the capture, in their order.
func (a *adding) packets(pk []trace.Packet) error {
	w := a.w
	a.sum.add(&a.c, pk)
	if w.packets == nil {
		return nil
	}
	for len(pk) > 0 && w.bad == nil {
		n := min(len(pk), 4096)
		w.rows = w.rows[:0]
		for i := range pk[:n] {
			w.rows = append(w.rows, toRow(a.id, &pk[i]))
		}
		w.bad = w.packets.write(w.rows)
		pk = pk[n:]
	}
	return w.bad
}

// end closes the capture: sums and digests replace those in c, and the marks are set. A full run is committed.
func (a *adding) end(c Capture, flows []trace.Flow) (Capture, error) {
	w, s := a.w, &a.c
	a.sum.end(s)
	c.ID, c.Digest, c.NearDigest, c.Excluded = a.id, s.Digest, s.NearDigest, s.Excluded
	c.DurationUS, c.Packets, c.Flows = s.DurationUS, s.Packets, int64(len(flows))
	c.BytesUp, c.BytesDown, c.BytesUnknown = s.BytesUp, s.BytesDown, s.BytesUnknown
	c.BytesIP, c.BytesFrame, c.Oversize = s.BytesIP, s.BytesFrame, s.Oversize
	if w.flows != nil && w.bad == nil {
		rows := make([]flowRow, len(flows))
		for i, f := range flows {
			rows[i] = flowToRow(a.id, i, f)
		}
		w.bad = w.flows.write(rows)
	}
	if err := w.enter(&c); err != nil {
		return c, err
	}
	if w.packets != nil && (w.packets.rows >= runPackets || len(w.captures)-w.done >= runCaptures) {
		return c, w.Commit()
	}
	return c, w.bad
}

// enter marks c and lists it.
func (w *Writer) enter(c *Capture) error {
	if w.bad != nil {
		return w.bad
	}
	c.Source, c.Problem = Text(c.Source), Text(c.Problem)
	if w.bad = w.checkLabels(c); w.bad != nil { // its packets are written: the run cannot be committed
		return w.bad
	}
	labels := make(map[string]string, len(w.manifest.Axes))
	for _, a := range w.manifest.Axes {
		labels[a] = Text(c.Labels[a])
	}
	c.Labels = labels
	if _, seen := w.first[c.Digest]; c.Excluded == "" && seen {
		c.Excluded = Duplicate
	} else if c.Excluded == "" {
		w.first[c.Digest] = c.ID
	}
	w.captures = append(w.captures, *c)
	if c.Problem != "" {
		w.AddProblem(c.Source, c.ProblemAt, c.Problem)
	}
	return nil
}

func (w *Writer) checkLabels(c *Capture) error {
	for a, v := range c.Labels {
		if v != "" && !slices.Contains(w.manifest.Axes, a) {
			return fmt.Errorf("dataset: %s: label axis %q is not one of the data set's %v", c.Source, a, w.manifest.Axes)
		}
	}
	return nil
}
