package capture

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Link types by the numbers of tcpdump.org/linktypes.html.
const (
	linkNull     = 0
	linkEthernet = 1
	linkPPP      = 9
	linkRawBSD   = 12
	linkRawOBSD  = 14
	linkPPPHDLC  = 50
	linkPPPoE    = 51
	linkRaw      = 101
	linkCHDLC    = 104
	link80211    = 105
	linkLoop     = 108
	linkSLL      = 113
	linkPFLog    = 117
	linkPrism    = 119
	linkRadiotap = 127
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

var linkNames = map[uint32]string{
	linkNull: "null", linkEthernet: "ethernet", linkPPP: "ppp", linkRawBSD: "raw", linkRawOBSD: "raw", linkPPPHDLC: "ppp_hdlc",
	linkPPPoE: "pppoe", linkRaw: "raw", linkCHDLC: "c_hdlc", link80211: "802.11", linkLoop: "loop", linkSLL: "linux_sll",
	linkPFLog: "pflog", linkPrism: "prism", linkRadiotap: "radiotap", linkIPv4: "ipv4", linkIPv6: "ipv6", linkSLL2: "linux_sll2",
}

// linkName names a link type; one whose packets are counted but not decoded says so.
func linkName(link uint32) string {
	if name, ok := linkNames[link]; ok {
		return name
	}
	return fmt.Sprintf("linktype-%d (not decoded)", link)
}

// EtherTypes that lead to IP.
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	etherVLAN   = 0x8100
	etherQinQ   = 0x88a8
	etherQinQ91 = 0x9100 // before 802.1ad
	etherQinQ92 = 0x9200
	etherMPLS   = 0x8847
	etherMPLSMc = 0x8848
	etherPPPoE  = 0x8864
	etherMin    = 0x0600 // below: a length, and 802.2 LLC follows
)

// ipAt finds the IP packet behind the link headers of b and returns its offset; ok is false when the packet is not IP or
// is cut before. Shims that leave the packet as it is are passed (VLAN, MPLS, PPPoE); tunnels over IP are not opened.
func ipAt(link uint32, b []byte) (off int, ok bool) {
	switch link {
	case linkEthernet:
		if len(b) < 14 {
			return 0, false
		}
		return behindEther(b, 14, binary.BigEndian.Uint16(b[12:]))
	case linkRaw, linkRawBSD, linkRawOBSD, linkIPv4, linkIPv6:
		return 0, true
	case linkNull, linkLoop:
		return 4, len(b) >= 4 && familyIP(b)
	case linkSLL:
		if len(b) < 16 {
			return 0, false
		}
		return behindEther(b, 16, binary.BigEndian.Uint16(b[14:]))
	case linkSLL2:
		if len(b) < 20 {
			return 0, false
		}
		return behindEther(b, 20, binary.BigEndian.Uint16(b))
	case linkPPP, linkPPPHDLC:
		if len(b) >= 2 && (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0 { // Cisco's framing under the PPP number
			return behindCHDLC(b)
		}
		return behindPPP(b, 0)
	case linkCHDLC:
		return behindCHDLC(b)
	case linkPPPoE:
		return behindPPP(b, 6)
	}
	return 0, false
}

// behindEther follows an EtherType to the IP packet that begins at off or behind the shims there.
func behindEther(b []byte, off int, typ uint16) (int, bool) {
	for {
		switch typ {
		case etherIPv4, etherIPv6:
			return off, true
		case etherVLAN, etherQinQ, etherQinQ91, etherQinQ92:
			if len(b) < off+4 {
				return 0, false
			}
			typ = binary.BigEndian.Uint16(b[off+2:])
			off += 4
		case etherPPPoE:
			return behindPPP(b, off+6)
		case etherMPLS, etherMPLSMc:
			for bottom := false; !bottom; off += 4 {
				if len(b) < off+4 {
					return 0, false
				}
				bottom = b[off+2]&1 != 0
			}
			return off, true // a pseudowire begins with a nibble that no IP version has
		case 4: // Linux's number for 802.2 LLC in a cooked capture
			typ = 0
		default:
			// 802.2 LLC with SNAP: AA AA 03, organization 0, EtherType
			if typ >= etherMin || len(b) < off+8 || b[off] != 0xaa || b[off+1] != 0xaa || b[off+2] != 3 {
				return 0, false
			}
			if b[off+3]|b[off+4]|b[off+5] != 0 {
				return 0, false
			}
			typ = binary.BigEndian.Uint16(b[off+6:])
			off += 8
			if typ < etherMin {
				return 0, false
			}
		}
	}
}

// behindPPP follows a PPP header at off: optional address and control, protocol of one or two bytes (RFC 1661).
func behindPPP(b []byte, off int) (int, bool) {
	if len(b) >= off+2 && b[off] == 0xff && b[off+1] == 3 {
		off += 2
	}
	if len(b) < off+2 {
		return 0, false
	}
	protocol := binary.BigEndian.Uint16(b[off:])
	if b[off]&1 != 0 { // compressed to one byte: the last byte of a protocol number is odd
		protocol = uint16(b[off])
		off--
	}
	return off + 2, protocol == 0x21 || protocol == 0x57 // IPv4, IPv6
}

func behindCHDLC(b []byte) (int, bool) {
	if len(b) < 4 {
		return 0, false
	}
	return behindEther(b, 4, binary.BigEndian.Uint16(b[2:]))
}

// familyIP reads the address family of a loopback header, in either byte order: AF_INET, and AF_INET6 of the BSDs,
// macOS, Windows and Linux.
func familyIP(b []byte) bool {
	f := min(binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b))
	switch f {
	case 2, 10, 23, 24, 28, 30:
		return true
	}
	return false
}

// rare decodes the link layers that a traffic study meets seldom, by gopacket. Its parser turns a panic of a layer on
// hostile bytes into an error, so that such a packet counts as not IP.
type rare struct {
	parsers map[uint32]*gopacket.DecodingLayerParser
	seen    []gopacket.LayerType
	snap    layers.SNAP
	pflog   layers.PFLog
}

// ip returns the IP packet inside b.
func (r *rare) ip(link uint32, b []byte) ([]byte, bool) {
	if r.parsers == nil {
		r.parsers = map[uint32]*gopacket.DecodingLayerParser{}
		shared := []gopacket.DecodingLayer{&layers.PrismHeader{}, &layers.RadioTap{}, &layers.Dot11{}, &layers.Dot11Data{},
			&layers.Dot11DataQOSData{}, &layers.LLC{}, &r.snap, &r.pflog}
		for link, first := range map[uint32]gopacket.LayerType{link80211: layers.LayerTypeDot11, linkPrism: layers.LayerTypePrismHeader,
			linkRadiotap: layers.LayerTypeRadioTap, linkPFLog: layers.LayerTypePFLog} {
			r.parsers[link] = gopacket.NewDecodingLayerParser(first, shared...)
		}
	}
	p := r.parsers[link]
	if p == nil {
		return nil, false
	}
	// The error is always one: the parser has no layer for IP, which is where it shall stop.
	_ = p.DecodeLayers(b, &r.seen)
	if len(r.seen) == 0 {
		return nil, false
	}
	switch r.seen[len(r.seen)-1] {
	case layers.LayerTypeSNAP:
		off, ok := behindEther(r.snap.Payload, 0, uint16(r.snap.Type))
		if ok {
			return r.snap.Payload[off:], true
		}
	case layers.LayerTypePFLog:
		return r.pflog.Payload, true
	}
	return nil, false
}
