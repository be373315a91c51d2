package features

import (
	"time"

	"earshot/data/trace"
)

// Unit is what one row describes: the packets of a capture or of a connection. Of captures, Packets holds those that
// are not IP, too.
type Unit struct {
	Start   int64 // Unix microseconds of the capture's first packet
	End     int64 // time of the capture's last packet
	Packets []trace.Packet

	connections []*connection // of tcptrace; nil: not yet told apart
	told        bool
}

// Capture is the unit of a whole capture.
func Capture(t *trace.Trace) *Unit {
	u := &Unit{Start: t.Start, Packets: t.Packets}
	if n := len(t.Packets); n > 0 {
		u.End = t.Packets[n-1].Time
	}
	return u
}

// tcp tells the TCP connections apart as tcptrace does.
func (u *Unit) tcp() []*connection {
	if !u.told {
		u.connections, _ = tcpConnections(u, false)
		u.told = true
	}
	return u.connections
}

// tcpConnections runs tcptrace's state machine over the packets of known direction. It returns the connections in order
// of their first packet and, if asked, the packets of each.
func tcpConnections(u *Unit, members bool) (conns []*connection, packets [][]trace.Packet) {
	const tcp = 6
	live := map[int32]int{} // by flow
	for i := range u.Packets {
		p := &u.Packets[i]
		if p.Protocol != tcp || p.Flow < 0 || p.Direction == trace.Unknown || headless(p) {
			continue
		}
		now := u.Start + p.Time
		at, ok := live[p.Flow]
		if !ok || conns[at].renewed(p, now) {
			at = len(conns)
			live[p.Flow] = at
			conns = append(conns, &connection{flow: p.Flow, aUp: p.Direction == trace.Up})
			packets = append(packets, nil)
		}
		conns[at].add(p, now)
		if members {
			packets[at] = append(packets[at], *p)
		}
	}
	for _, c := range conns {
		c.finish(u.Start + u.End)
	}
	return conns, packets
}

// headless tells a packet without a whole TCP header: a later fragment, or one shorter than the two headers.
func headless(p *trace.Packet) bool {
	return p.IPBytes < 40 || p.TCPFlags == 0 && p.TCPSeq == 0 && p.TCPAck == 0 && p.TCPWindow == 0
}

// cutTCP makes a unit of each TCP connection.
func cutTCP(whole *Unit) []*Unit {
	conns, packets := tcpConnections(whole, true)
	units := make([]*Unit, len(conns))
	for i, c := range conns {
		units[i] = &Unit{Start: whole.Start, End: whole.End, Packets: packets[i], connections: []*connection{c}, told: true}
	}
	return units
}

// cutFlows makes a unit of each flow. A packet after a silence of more than idle, or more than active behind the flow's
// first packet, begins a new one.
func cutFlows(whole *Unit, idle, active time.Duration) []*Unit {
	var units []*Unit
	live := map[int32]*Unit{}
	for i := range whole.Packets {
		p := &whole.Packets[i]
		if p.Flow < 0 {
			continue
		}
		u := live[p.Flow]
		if u == nil || p.Time-u.Packets[len(u.Packets)-1].Time > idle.Microseconds() || p.Time-u.Packets[0].Time > active.Microseconds() {
			u = &Unit{Start: whole.Start, End: whole.End}
			live[p.Flow] = u
			units = append(units, u)
		}
		u.Packets = append(u.Packets, *p)
	}
	return units
}
