package lab

import (
	"cmp"
	"slices"
	"time"

	"earshot/data/capture"
	"earshot/data/trace"
)

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
	slow      bool // the network may be slower than the music: a stall is not the rig's fault
}

// Reasons for doing a capture again, and what is written in health.csv.
const (
	statusOK       = "ok"
	statusStalled  = "stalled"  // whole, but the music stopped for lack of data; kept
	statusShort    = "short"    // fewer bytes on the link than the page received
	statusDrops    = "drops"    // packets were lost between link and recorder
	statusProtocol = "protocol" // another version of HTTP was spoken
	statusFailed   = "failed"   // the page or the browser failed
)

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

// failed says that the page reported an error that playback did not get over.
func (t *take) failed() bool {
	return t.state.Position == 0 || slices.ContainsFunc(t.responses, func(r response) bool { return r.Status >= 400 })
}

// stalled says that the music stood still: less was played than 90 % of the capture and 3 s less than all of it. Deliberate
// pauses do not count.
func (t *take) stalled() bool {
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
