package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"earshot/data/capture"
	"earshot/data/trace"
)

// playing is one attempt at a capture of a song from the service.
type playing struct {
	records  []capture.Record // everything that passed the interface
	link     string
	drops    int64
	peers    []netip.Addr // of the player's requests
	received int64        // bytes of the player's requests that ended meanwhile
	asked    int64        // Unix microseconds of asking for the song
	ended    int64
	position time.Duration // in the song, at the end
	duration time.Duration
	mtu      int32 // of the interface
	other    bool  // another song, an advertisement, or silence in the end
}

// Steps of starting a song: how long the service may take for each.
const (
	deviceWait = 30 * time.Second
	startWait  = 15 * time.Second
	pollEvery  = 500 * time.Millisecond
)

// attempt is the loop of the study: cache emptied, player opened and pressed, the song asked for by the service's own
// interface for programs, packets taken for the duration.
func (c *collector) attempt(ctx context.Context, song Song) (*playing, error) {
	o := c.o
	if err := o.Browser.Open(ctx, o.PlayerURL); err != nil {
		return nil, err
	}
	if err := o.Browser.Press(ctx); err != nil {
		return nil, err
	}
	device, err := c.device(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.API.Transfer(ctx, device); err != nil {
		return nil, err
	}
	if err := o.API.Pause(ctx, device); err != nil { // what the press began; the song starts from silence
		return nil, err
	}
	o.API.forget()
	live, err := capture.OpenLive(o.Interface)
	if err != nil {
		return nil, &ServiceError{Fatal: true, Err: err}
	}
	p := &playing{duration: o.Duration, mtu: int32(live.MTU())}
	done := make(chan error, 1)
	go func() { done <- p.take(live) }()
	err = c.play(ctx, song, device, p)
	live.Stop()
	err = errors.Join(err, <-done)
	p.link = live.Link()
	drops, e := live.Drops()
	p.drops = drops
	if err = errors.Join(err, e, live.Close()); err != nil {
		return nil, err
	}
	p.peers = o.Browser.Peers()
	return p, nil
}

// take reads packets until the capture is stopped.
func (p *playing) take(live *capture.Live) error {
	var r capture.Record
	for {
		if err := live.Next(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		p.records = append(p.records, r)
	}
}

// device waits for the browser to be among the account's devices.
func (c *collector) device(ctx context.Context) (string, error) {
	for end := c.o.Clock.Now().Add(deviceWait); ; {
		list, err := c.o.API.Devices(ctx)
		if err != nil {
			return "", err
		}
		for _, d := range list {
			if d.Name == c.o.Device || c.o.Device == "" && d.Active {
				if d.Restricted {
					return "", &ServiceError{Fatal: true, Err: fmt.Errorf("device %q takes no commands from programs; use the web player", d.Name)}
				}
				return d.ID, nil
			}
		}
		if !c.o.Clock.Now().Before(end) {
			return "", fmt.Errorf("the player is not among the account's devices (%s); is the browser's profile logged in, and --device right?", deviceNames(list))
		}
		if err := c.o.Clock.Wait(ctx, pollEvery); err != nil {
			return "", err
		}
	}
}

func deviceNames(list []Device) string {
	if len(list) == 0 {
		return "none"
	}
	s := ""
	for i, d := range list {
		if i > 0 {
			s += ", "
		}
		s += d.Name
	}
	return s
}

// play asks for the song, waits until it plays and for the duration, and looks what played in the end.
func (c *collector) play(ctx context.Context, song Song, device string, p *playing) error {
	o := c.o
	before := o.Browser.Received()
	begin := o.Clock.Now()
	p.asked = begin.UnixMicro()
	if err := o.API.Play(ctx, device, song.URI); err != nil {
		return err
	}
	for end := begin.Add(startWait); ; {
		s, err := o.API.State(ctx)
		if err != nil {
			return err
		}
		if s.Playing && s.URI == song.URI {
			break
		}
		if !o.Clock.Now().Before(end) {
			return fmt.Errorf("the song did not start (the service says: %s)", s)
		}
		if err := o.Clock.Wait(ctx, pollEvery); err != nil {
			return err
		}
	}
	if err := o.Clock.Wait(ctx, o.Duration-o.Clock.Now().Sub(begin)); err != nil {
		return err
	}
	p.ended, p.received = o.Clock.Now().UnixMicro(), o.Browser.Received()-before
	s, err := o.API.State(ctx)
	if err != nil {
		return err
	}
	p.position = s.Position
	p.other = s.URI != song.URI || !s.Playing
	return o.API.Pause(ctx, device)
}

// trace makes packets of the records that passed between this machine and the service's addresses, within the duration.
// unlisted are the others' addresses that meanwhile sent and received payload on the web's port, with its bytes: what the
// list may miss.
func (p *playing) trace(locals []netip.Prefix, h *hosts, own func(netip.AddrPort) bool) (t *trace.Trace, rep capture.Report, unlisted map[netip.Addr]int64) {
	a := capture.NewAssembler(capture.Rule{Clients: locals})
	t, unlisted = &trace.Trace{}, map[netip.Addr]int64{}
	end := p.asked + p.duration.Microseconds()
	for i := range p.records {
		r := &p.records[i]
		if !r.Decoded() || r.UnixUS < p.asked || r.UnixUS >= end || own(r.Src) || own(r.Dst) {
			continue
		}
		if !h.has(r.Src.Addr()) && !h.has(r.Dst.Addr()) {
			switch {
			case r.Src.Port() == 443:
				unlisted[r.Src.Addr()] += int64(r.PayloadBytes)
			case r.Dst.Port() == 443:
				unlisted[r.Dst.Addr()] += int64(r.PayloadBytes)
			}
			continue
		}
		t.Packets = append(t.Packets, a.Add(r))
	}
	a.Report.Link = p.link
	t.Start, t.Flows = a.Start(), a.Flows
	return t, a.Report, unlisted
}

// health says whether the capture is whole.
func (p *playing) health(t *trace.Trace) health {
	_, down, _ := t.Bytes(trace.Payload)
	h := health{Expected: p.received, Seen: down, Drops: p.drops, Status: statusOK}
	switch {
	case p.drops > 0:
		h.Status = statusDrops
	case p.other:
		h.Status = statusOther
	case down == 0:
		h.Status = statusEmpty
	case p.position < min(p.duration*9/10, p.duration-3*time.Second):
		h.Status = statusStalled
	}
	return h
}

// suggestShare of the capture's payload on the web's port to and from addresses on no list is worth a line: the list may miss
// a server.
const suggestShare = 0.01

// suggest names the addresses on no list that carried most, when they carried much.
func suggest(t *trace.Trace, unlisted map[netip.Addr]int64) (total int64, line string) {
	up, down, _ := t.Bytes(trace.Payload)
	peers := slices.SortedFunc(maps.Keys(unlisted), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(unlisted[b], unlisted[a]), a.Compare(b))
	})
	for _, n := range unlisted {
		total += n
	}
	if float64(total) <= suggestShare*float64(up+down) {
		return total, ""
	}
	var names []string
	for _, p := range peers[:min(3, len(peers))] {
		names = append(names, fmt.Sprintf("%s (%d bytes)", p, unlisted[p]))
	}
	return total, fmt.Sprintf("%d bytes on the web's port passed to and from addresses on no list, most with %s; add those that are the service's to %s", total, strings.Join(names, ", "), serversName)
}
