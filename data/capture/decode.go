package capture

import (
	"encoding/binary"
	"math"
	"net/netip"

	"earshot/data/trace"
)

// IP protocol numbers with a meaning here.
const (
	protoHopByHop = 0
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoDestOpts = 60
	protoMobility = 135
	protoHIP      = 139
	protoShim6    = 140
)

// decoder turns captured bytes into the fields of a Record. The common path keeps no state and allocates nothing.
type decoder struct{ rare rare }

// decode fills in all of p but UnixUS.
func (d *decoder) decode(p *Record, r *raw) {
	p.Src, p.Dst = netip.AddrPort{}, netip.AddrPort{}
	p.Packet = trace.Packet{Flow: -1, FrameBytes: clamp(r.length)}
	b := r.bytes
	off, ok := ipAt(r.link, b)
	if ok {
		b = b[off:]
	} else if b, ok = d.rare.ip(r.link, b); ok {
		off = len(r.bytes) - len(b)
	} else {
		return
	}
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 { // the version of the packet itself decides, not what the link header says
	case 4:
		ipv4(p, b, r.length-int64(off))
	case 6:
		ipv6(p, b, r.length-int64(off))
	}
	if p.Damage != nil { // then the IP header's length is no better than the record's
		over := max(0, p.IPBytes-clamp(r.length-int64(off)))
		p.IPBytes, p.PayloadBytes = p.IPBytes-over, max(0, p.PayloadBytes-over)
	}
}

// ipv4 decodes an IPv4 packet of which b was captured; wire is what the record leaves for it.
func ipv4(p *Record, b []byte, wire int64) {
	if len(b) < 20 {
		return
	}
	header := int64(b[0]&15) * 4
	total := int64(binary.BigEndian.Uint16(b[2:]))
	if total == 0 { // segmentation offload: the card fills it in
		total = wire
	}
	if header < 20 || total < header {
		return
	}
	src, dst := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	p.Protocol, p.IPBytes = b[9], clamp(total)
	if fragment := binary.BigEndian.Uint16(b[6:]) & 0x1fff; fragment != 0 {
		p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
		p.PayloadBytes = clamp(total - header)
		return
	}
	b = b[:min(int64(len(b)), total)] // what follows is padding, not a header
	transport(p, src, dst, b[min(int(header), len(b)):], total-header)
}

// ipv6 decodes an IPv6 packet and walks its extension headers (RFC 8200). Authentication and encryption are protocols of
// their own, as in IPv4.
func ipv6(p *Record, b []byte, wire int64) {
	const header = 40
	if len(b) < header {
		return
	}
	size := int64(binary.BigEndian.Uint16(b[4:]))
	next := b[6]
	if size == 0 && next != 59 { // a jumbogram or segmentation offload; 59 says that nothing follows
		size = max(0, wire-header)
	}
	src, dst := netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	p.IPBytes = clamp(header + size)
	b = b[header:min(int64(len(b)), header+size)]
	for {
		length := 0
		later := false // a fragment that is not the first: what follows is no header
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6:
			if len(b) >= 2 {
				length = 8 + int(b[1])*8
			}
		case protoFragment:
			if len(b) >= 4 {
				length = 8
				later = binary.BigEndian.Uint16(b[2:])>>3 != 0
			}
		}
		if length == 0 || int64(length) > size {
			break
		}
		next = b[0]
		b, size = b[min(length, len(b)):], size-int64(length)
		if later {
			p.Protocol, p.PayloadBytes = next, clamp(size)
			p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
			return
		}
	}
	p.Protocol = next
	transport(p, src, dst, b, size)
}

// transport decodes what IP carries: size bytes on the wire, of which b was captured. A header that is cut gives what is
// there; a TCP header cut before its length counts as the smallest one.
func transport(p *Record, src, dst netip.Addr, b []byte, size int64) {
	var sport, dport uint16
	switch p.Protocol {
	case protoUDP:
		if len(b) >= 4 {
			sport, dport = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		size -= 8
	case protoTCP:
		if len(b) >= 4 {
			sport, dport = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		size -= tcp(p, b)
	}
	p.Src, p.Dst = netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport)
	p.PayloadBytes = clamp(max(0, size))
}

// tcp decodes a TCP header and returns its length.
func tcp(p *Record, b []byte) int64 {
	p.WindowScale = -1
	if len(b) >= 8 {
		p.TCPSeq = binary.BigEndian.Uint32(b[4:])
	}
	if len(b) >= 12 {
		p.TCPAck = binary.BigEndian.Uint32(b[8:])
	}
	if len(b) < 13 {
		return 20
	}
	length := int64(b[12] >> 4 * 4) // less than 20 is wrong, but it is what the sender claims
	if len(b) < 16 {
		if len(b) >= 14 {
			p.TCPFlags = uint16(b[12]&1)<<8 | uint16(b[13])
		}
		return length
	}
	p.TCPFlags = uint16(b[12]&1)<<8 | uint16(b[13])
	p.TCPWindow = binary.BigEndian.Uint16(b[14:])
	if length > 20 && len(b) > 20 {
		options(p, b[20:min(int64(len(b)), length)])
	}
	return length
}

// options reads the TCP options that features need, as far as they were captured.
func options(p *Record, o []byte) {
	// The usual segment of a connection with time stamps: NOP NOP TS.
	if len(o) == 12 && le32(o) == 0x0a080101 {
		p.TSVal, p.TSEcr = binary.BigEndian.Uint32(o[4:]), binary.BigEndian.Uint32(o[8:])
		return
	}
	for len(o) > 0 {
		kind := o[0]
		if kind == 0 {
			return
		}
		if kind == 1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 {
			return
		}
		size := int(o[1])
		v := o[2:min(size, len(o))]
		switch {
		case kind == 4:
			p.SACKPermit = true
		case kind == 5:
			p.SACKBlocks = uint8((size - 2) / 8) // the length counts blocks that are cut off, too
		case size > len(o): // cut
		case kind == 2 && len(v) == 2:
			p.MSS = binary.BigEndian.Uint16(v)
		case kind == 3 && len(v) == 1:
			p.WindowScale = int8(min(v[0], math.MaxInt8))
		case kind == 8 && len(v) == 8:
			p.TSVal, p.TSEcr = binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
		}
		o = o[min(size, len(o)):]
	}
}

// clamp fits a length into the packet's field; an IPv4 header's and Next's limits keep it below anyway.
func clamp(n int64) int32 { return int32(min(n, math.MaxInt32)) }
