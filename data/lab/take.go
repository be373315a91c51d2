package lab

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"earshot/data/capture"
	"earshot/data/trace"
)

// The addresses of every rig. Rigs cannot see each other, so that all have the same ones and no address tells a rig from another.
const (
	clientAddr = "10.77.0.2"
	serverAddr = "10.77.0.1"
	prefixBits = 24
)

// mtu is the largest IP packet of the links.
const mtu = 1500

// clientRule says who the client is.
var clientRule = capture.Rule{Clients: []netip.Prefix{netip.MustParsePrefix(clientAddr + "/32")}}

// take is one attempt at a capture: what the link showed, what the page saw and what the server sent.
type take struct {
	records   []capture.Record
	link      string
	drops     int64
	state     state
	responses []response
	played    int64 // Unix microseconds of pressing play
	duration  time.Duration
	protocol  string
	page      bool          // a web page: nothing plays
	step      time.Duration // by which the system's clock was set during the capture
}

// state is what the page saw; times are Unix milliseconds.
type state struct {
	Events    []event    `json:"events"`
	Transfers []transfer `json:"transfers"`
	Position  float64    `json:"position"` // seconds played
}

type event struct {
	MS     float64 `json:"ms"`
	Event  string  `json:"event"`
	Detail string  `json:"detail"`
}

type transfer struct {
	Begin float64 `json:"begin"`
	End   float64 `json:"end"`   // 0: not over
	Bytes int64   `json:"bytes"` // 0 out of the browser's cache
	File  string  `json:"file"`
}

// Reasons for doing a capture again, and what is written in health.csv.
const (
	statusOK       = "ok"
	statusStalled  = "stalled"  // whole, but the music stopped for lack of data; kept
	statusShort    = "short"    // fewer bytes on the link than the page received
	statusDrops    = "drops"    // packets were lost between link and recorder
	statusProtocol = "protocol" // another version of HTTP was spoken
	statusClock    = "clock"    // the system's clock was set meanwhile
	statusFailed   = "failed"   // the page or the browser failed
)

// clockStep is how far the clock may be off between packets and page: an order less than a segment of the fastest network.
const clockStep = 2 * time.Millisecond

// window drops what passed before play and after the capture's end.
func (t *take) window() {
	end := t.played + t.duration.Microseconds()
	t.records = slices.DeleteFunc(t.records, func(r capture.Record) bool { return r.UnixUS < t.played || r.UnixUS >= end })
}

// trace makes packets of the records.
func (t *take) trace(rule capture.Rule) (*trace.Trace, capture.Report) {
	a := capture.NewAssembler(rule)
	tr := &trace.Trace{Packets: make([]trace.Packet, 0, len(t.records))}
	for i := range t.records {
		tr.Packets = append(tr.Packets, a.Add(&t.records[i]))
	}
	a.Report.Link = t.link
	tr.Start, tr.Flows = a.Start(), a.Flows
	return tr, a.Report
}

// health compares what the page received with what the link showed.
func (t *take) health(tr *trace.Trace) health {
	h := health{Drops: t.drops, Status: statusOK}
	endMS := float64(t.played)/1000 + float64(t.duration.Milliseconds())
	for _, r := range t.state.Transfers {
		if r.Begin >= float64(t.played)/1000 && r.End > 0 && r.End < endMS {
			h.Expected += r.Bytes
		}
	}
	_, h.Seen, _ = tr.Bytes(trace.Payload)
	major := int(t.protocol[1] - '0')
	switch {
	case t.step.Abs() > clockStep:
		h.Status = statusClock
	case h.Drops > 0:
		h.Status = statusDrops
	case h.Seen < h.Expected || h.Seen == 0:
		h.Status = statusShort
	case slices.ContainsFunc(t.responses, func(r response) bool { return r.Protocol != major }):
		h.Status = statusProtocol
	case t.failed():
		h.Status = statusFailed
	case t.stalled():
		h.Status = statusStalled
	}
	return h
}

// failed says that nothing was played, or a file was refused. A page may name files that do not exist.
func (t *take) failed() bool {
	if t.page {
		return !slices.ContainsFunc(t.responses, func(r response) bool { return r.Status == 200 })
	}
	return t.state.Position == 0 || slices.ContainsFunc(t.responses, func(r response) bool { return r.Status >= 400 })
}

// stalled says that the music stood still: less was played than 90 % of the capture and 3 s less than all of it. Deliberate
// pauses do not count, nor does the silence behind a work that is shorter than the capture.
func (t *take) stalled() bool {
	if t.page {
		return false
	}
	want := t.duration.Seconds()
	paused := 0.0
	for _, e := range t.state.Events {
		switch e.Event {
		case "pause", "ended":
			paused = e.MS
		case "playing":
			if paused > 0 {
				want -= (e.MS - paused) / 1000
			}
			paused = 0
		case "skip", "seek": // the position is no measure then
			return false
		}
	}
	if paused > 0 {
		want -= t.duration.Seconds() - (paused-float64(t.played)/1000)/1000
	}
	return t.state.Position < min(0.9*want, want-3)
}

// truth lists what happened, by time.
func (t *take) truth(start int64) []truth {
	var list []truth
	for _, e := range t.state.Events {
		list = append(list, truth{At: int64(e.MS*1000) - start, From: "page", Event: e.Event, Detail: e.Detail})
	}
	for _, r := range t.responses {
		list = append(list, truth{
			At: r.Begin.UnixMicro() - start, Took: r.End.Sub(r.Begin).Microseconds(), From: "server", Event: "response",
			Detail: r.File, Bytes: r.Bytes, Status: r.Status,
		})
	}
	slices.SortStableFunc(list, func(a, b truth) int { return cmp.Compare(a.At, b.At) })
	return list
}
