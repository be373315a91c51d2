package features

import "earshot/data/trace"

// side is what tcptrace 6.6.7 keeps of one direction of a connection. Times are Unix microseconds, 0 means none: a
// capture whose clock starts at 0 shows the same oddities here as there.
type side struct {
	packets, acks, pureAcks uint64
	syns, fins, rsts        uint8 // the program's counters are bytes

	ack, syn, fin, windowEnd, latest uint32
	visited                          [4]bool // quadrants of the sequence space
	wraps                            uint64

	mss                        uint32
	wsSeen, tsSeen, sackPermit bool
	scale                      uint8

	sackPackets, sacksSent, sackBlocksMax uint64

	dataPackets, dataBytes, pushed, unique uint64
	urgent                                 uint64
	segMax, segMin                         uint64
	resentPackets, resentBytes             uint64
	probes, probeBytes, outOfOrder         uint64

	winMax, winMin, winSum, winLast, winZero uint64
	scaled                                   bool // the window statistics run over scaled packets only
	scaledPackets                            uint64

	acked                  bool // the other side acknowledged data
	initBytes, initPackets uint64
	owinMax, owinMin       uint64
	owinSum, owinCount     uint64
	owinWeighted, owinPrev uint64
	owinTime               int64
	firstData, lastData    int64
	last                   int64
	idleMax                float64

	space                         sequenceSpace
	rtt, full, ambiguous, retrans moments
	rttLast, handshake            float64
	fullSize                      uint64
	cumAcked, dupAcks, tripleDups uint64
	postLoss, retransMax          uint64
}

// connection is one TCP connection as tcptrace tells them apart.
type connection struct {
	flow        int32
	first, last int64
	aUp         bool    // the first packet went up
	sides       [2]side // up, down
}

// idleLimit ends a connection: a packet after a longer silence starts a new one on the same ports.
const idleLimit = 240e6

// renewed tells whether p starts a new connection on the ports of c.
func (c *connection) renewed(p *trace.Packet, now int64) bool {
	if elapsed(c.last, now) > idleLimit {
		return true
	}
	if p.TCPFlags&trace.SYN == 0 {
		return false
	}
	this, other := c.pick(p)
	ended := this.fins >= 1 || other.fins >= 1 || this.rsts >= 1 || other.rsts >= 1
	return ended && (p.TCPSeq > other.windowEnd || p.TCPSeq < this.syn) || this.syns > 1 && this.syn != p.TCPSeq
}

// pick returns the sender's and the receiver's side.
func (c *connection) pick(p *trace.Packet) (this, other *side) {
	if p.Direction == trace.Up {
		return &c.sides[0], &c.sides[1]
	}
	return &c.sides[1], &c.sides[0]
}

// add takes the next packet of the connection.
func (c *connection) add(p *trace.Packet, now int64) {
	this, other := c.pick(p)
	if c.first == 0 {
		c.first = now
	}
	c.last = now
	var (
		syn, fin = p.TCPFlags&trace.SYN != 0, p.TCPFlags&trace.FIN != 0
		rst, ack = p.TCPFlags&trace.RST != 0, p.TCPFlags&trace.ACK != 0
		payload  = p.PayloadBytes
		start    = uint64(p.TCPSeq)
		end      = start + uint64(payload)
	)
	if syn {
		this.syns++
	}
	if rst {
		this.rsts++
	}
	if fin {
		this.fins++
	}
	window := uint64(0)
	if ack || syn {
		window = uint64(p.TCPWindow)
		if this.wsSeen && other.wsSeen && !syn {
			window <<= this.scale & 63
		}
	}
	if this.last != 0 {
		this.idleMax = max(this.idleMax, elapsed(this.last, now))
	}
	this.last = now
	this.wrap(start, end)
	if syn {
		this.syn, other.ack = p.TCPSeq, p.TCPSeq
	}
	if fin {
		this.fin = uint32(end)
	}
	if ack {
		this.windowEnd = p.TCPAck + uint32(window)
	}
	this.options(other, p, syn)
	this.data(p, now)
	this.packets++
	if this.scaled {
		this.scaledPackets++
	}
	this.latest = uint32(end)

	again, outOfOrder := this.transmit(other, p, now)
	if ack {
		other.acknowledge(this, p.TCPAck, payload, window, now)
		if p.TCPAck == other.syn+1 && other.syns == 1 {
			other.handshake = float64(uint64(other.rttLast))
		}
	}
	if again > 0 {
		this.resentPackets++
		this.resentBytes += uint64(again)
	}
	if rst {
		if ack {
			this.acks++
		}
		return
	}
	this.window(other, window, syn, ack)
	if ack {
		this.acks++
		if payload == 0 && !syn && !fin {
			this.pureAcks++
		}
		if p.SACKBlocks > 0 {
			this.sackPackets++
			this.sackBlocksMax = max(this.sackBlocksMax, uint64(p.SACKBlocks))
		}
		this.ack = p.TCPAck
		if other.syn+1 != p.TCPAck {
			other.acked = true
		}
	}
	if payload > 0 && !this.acked && again <= 0 {
		this.initBytes += uint64(payload)
		this.initPackets++
	}
	if !syn && !outOfOrder && again <= 0 {
		owin := uint64(payload)
		if other.ack != 0 {
			owin = end - uint64(other.ack-1) // below 0 after a wrap: the program's numbers, too, are huge then
		}
		this.outstanding(owin, now)
	}
}

// wrap counts how often the sequence numbers came around to the SYN's quadrant.
func (s *side) wrap(start, end uint64) {
	if s.visited == [4]bool{true, true, true, true} && end>>30 == uint64(s.syn>>30) && end >= uint64(s.syn) {
		s.wraps++
		s.visited = [4]bool{}
	}
	s.visited[start>>30] = true
	if end>>30 < 4 {
		s.visited[end>>30] = true
	}
}

func (s *side) options(other *side, p *trace.Packet, syn bool) {
	if p.MSS != 0 && p.MSS != 1<<16-1 { // the program keeps a signed 16-bit number, of which -1 means absent
		s.mss = uint32(int32(int16(p.MSS)))
	}
	if p.WindowScale >= 0 {
		s.scale, s.wsSeen = uint8(p.WindowScale), true
	}
	s.tsSeen = s.tsSeen || p.TSVal != 0 || p.TSEcr != 0
	if !syn && (!s.wsSeen || !other.wsSeen) {
		s.scale, other.scale = 0, 0
	}
	s.sackPermit = s.sackPermit || p.SACKPermit
	if p.SACKBlocks > 0 {
		s.sacksSent++
	}
}

func (s *side) data(p *trace.Packet, now int64) {
	if p.PayloadBytes <= 0 {
		return
	}
	n := uint64(p.PayloadBytes)
	s.dataPackets++
	s.dataBytes += n
	if p.TCPFlags&trace.PSH != 0 {
		s.pushed++
	}
	if p.TCPFlags&trace.URG != 0 {
		s.urgent++
	}
	s.segMax = max(s.segMax, n)
	if s.segMin == 0 || n < s.segMin {
		s.segMin = n
	}
	if s.firstData == 0 {
		s.firstData = now
	}
	s.lastData = now
}

// transmit enters what the packet occupies in the sequence space. It returns the bytes that were sent before.
func (s *side) transmit(other *side, p *trace.Packet, now int64) (again int, outOfOrder bool) {
	syn, fin := p.TCPFlags&trace.SYN != 0, p.TCPFlags&trace.FIN != 0
	if !syn && !fin && p.PayloadBytes <= 0 {
		return 0, false
	}
	if other.winLast == 0 && other.packets > 0 && !syn {
		s.probes++
		s.probeBytes += uint64(p.PayloadBytes)
		return 0, false
	}
	length := uint32(p.PayloadBytes)
	if syn {
		length++
	}
	if fin {
		length++
	}
	again, outOfOrder = s.send(p.TCPSeq, length, now)
	if outOfOrder {
		s.outOfOrder++
	}
	old := again
	if syn && s.syns > 1 {
		old--
	}
	if fin && s.fins > 1 {
		old--
	}
	if n := int(p.PayloadBytes); old < n {
		s.unique += uint64(n - old)
	}
	return again, outOfOrder
}

// window keeps the statistics of advertised windows. The first scaled one starts them anew.
func (s *side) window(other *side, window uint64, syn, ack bool) {
	s.winLast = window
	if !ack && !syn {
		return
	}
	s.winMax = max(s.winMax, window)
	if window > 0 && s.wsSeen && other.wsSeen && !syn && !s.scaled {
		s.scaled, s.scaledPackets = true, 1
		s.winMin, s.winMax, s.winSum = window, window, 0
	} else if window > 0 && (s.winMin == 0 || window < s.winMin) {
		s.winMin = window
	}
	s.winSum += window
	if ack && window == 0 {
		s.winZero++
	}
}

// outstanding takes a sample of the data under way.
func (s *side) outstanding(owin uint64, now int64) {
	s.owinMax = max(s.owinMax, owin)
	if owin > 0 && (s.owinMin == 0 || owin < s.owinMin) {
		s.owinMin = owin
	}
	s.owinSum += owin
	s.owinCount++
	if s.owinTime/1e6 != 0 { // whole seconds: a clock that starts at 0 has no earlier sample during its first second
		s.owinWeighted += whole(float64(s.owinPrev) * (elapsed(s.owinTime, now) / 1e6))
	}
	s.owinTime, s.owinPrev = now, owin
}

// whole truncates as the program does on its usual machine, where what 64 bits do not hold becomes 0.
func whole(v float64) uint64 {
	if v >= 1<<64 {
		return 0
	}
	return uint64(v)
}

// finish adds the silence up to the end of the capture, for connections that were not closed.
func (c *connection) finish(end int64) {
	up, down := &c.sides[0], &c.sides[1]
	if up.fins >= 1 && down.fins >= 1 || int(up.rsts)+int(down.rsts) != 0 {
		return
	}
	for i := range c.sides {
		if s := &c.sides[i]; s.last != 0 {
			s.idleMax = max(s.idleMax, elapsed(s.last, end))
		}
	}
}
