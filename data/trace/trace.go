// Package trace holds the one object that every part of earshot speaks of: a Trace, the packets of one capture in the
// order of their arrival. Time, direction and size are separate fields; nothing is encoded in a sign or a zero.
package trace

import "net/netip"

// Direction says which end sent a packet.
type Direction uint8

const (
	Unknown Direction = iota // the two ends could not be told apart
	Up                       // client to server
	Down                     // server to client
)

// Size names one of a packet's three lengths.
type Size uint8

const (
	Payload Size = iota // bytes above the transport header (UDP, TCP), above the IP header for every other protocol
	IP                  // bytes of the IP packet, header included; 0 when the packet is not IP
	Frame               // bytes of the record on the wire, from the capture's original length
)

// TCP flag bits, in the order of the header.
const (
	FIN uint16 = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	NS
)

// Packet is one record of a capture. The TCP fields are zero for other protocols.
type Packet struct {
	Time         int64 // microseconds since the capture's first packet; nanoseconds are rounded down
	Direction    Direction
	Protocol     uint8 // IP protocol number (6 TCP, 17 UDP, 50 ESP); 0 when the packet is not IP
	Flow         int32 // index into Trace.Flows, -1 when the packet is not IP
	PayloadBytes int32
	IPBytes      int32
	FrameBytes   int32

	TCPFlags    uint16
	TCPSeq      uint32
	TCPAck      uint32
	TCPWindow   uint16 // as sent, unscaled
	MSS         uint16 // 0: option absent
	WindowScale int8   // -1: option absent
	SACKPermit  bool
	SACKBlocks  uint8  // number of blocks in a SACK option
	TSVal       uint32 // timestamp option; both 0 when absent
	TSEcr       uint32
}

// Bytes returns the length of the packet that s names.
func (p *Packet) Bytes(s Size) int32 {
	switch s {
	case IP:
		return p.IPBytes
	case Frame:
		return p.FrameBytes
	}
	return p.PayloadBytes
}

// Flow is a 5-tuple. Client is the end that the direction rule calls the client, or the sender of the flow's first
// packet when no rule decides.
type Flow struct {
	Client, Server netip.AddrPort
	Protocol       uint8
}

// Trace is one capture.
type Trace struct {
	Start   int64 // Unix microseconds of the first packet; 0 when the source has no clock
	Packets []Packet
	Flows   []Flow
}
