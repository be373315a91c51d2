package capture

import (
	"bytes"
	"net/netip"
	"testing"

	"earshot/data/trace"
)

// one decodes a single packet of the given link type and length on the wire (0: as captured).
func one(link uint32, b []byte, wire int64) Record {
	if wire == 0 {
		wire = int64(len(b))
	}
	var p Record
	var d decoder
	d.decode(&p, &raw{link: link, bytes: b, length: wire})
	return p
}

// TestLinks: the same IP packet behind every link header.
func TestLinks(t *testing.T) {
	v4 := ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100))
	v6 := ip6(hostC, hostD, protoUDP, udpBytes(5000, 443, 100))
	snap := func(typ uint16) []byte { return be.AppendUint16([]byte{0xaa, 0xaa, 3, 0, 0, 0}, typ) }
	mac := make([]byte, 12)
	dot11 := append([]byte{0x08, 0x01}, make([]byte, 22)...) // data frame to an access point
	qos := append([]byte{0x88, 0x01}, make([]byte, 24)...)   // the same with a QoS field
	fcs := make([]byte, 4)
	for _, c := range []struct {
		name string
		link uint32
		head []byte
		tail []byte
		v6   bool
	}{
		{"ethernet", linkEthernet, append(mac, 8, 0), nil, false},
		{"ethernet v6", linkEthernet, append(mac, 0x86, 0xdd), nil, true},
		{"ethernet, version against type", linkEthernet, append(mac, 8, 0), nil, true},
		{"vlan", linkEthernet, append(mac, 0x81, 0, 0, 5, 8, 0), nil, false},
		{"qinq", linkEthernet, append(mac, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd), nil, true},
		{"padding", linkEthernet, append(mac, 8, 0), make([]byte, 30), false},
		{"snap", linkEthernet, join(mac, []byte{0, 136}, snap(etherIPv4)), nil, false},
		{"pppoe", linkEthernet, append(mac, 0x88, 0x64, 0x11, 0, 0, 1, 0, 130, 0, 0x21), nil, false},
		{"mpls", linkEthernet, append(mac, 0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64), nil, false},
		{"raw 101", linkRaw, nil, nil, true}, {"raw 12", linkRawBSD, nil, nil, false}, {"raw 14", linkRawOBSD, nil, nil, false},
		{"ipv4", linkIPv4, nil, nil, false}, {"ipv6", linkIPv6, nil, nil, true},
		{"null, little", linkNull, []byte{2, 0, 0, 0}, nil, false}, {"null, big, v6 of macOS", linkNull, []byte{0, 0, 0, 30}, nil, true},
		{"loop", linkLoop, []byte{0, 0, 0, 24}, nil, true},
		{"sll", linkSLL, append(make([]byte, 14), 8, 0), nil, false},
		{"sll, vlan", linkSLL, append(make([]byte, 14), 0x81, 0, 0, 1, 0x86, 0xdd), nil, true},
		{"sll, llc", linkSLL, join(make([]byte, 14), []byte{0, 4}, snap(etherIPv4)), nil, false},
		{"sll2", linkSLL2, append([]byte{8, 0}, make([]byte, 18)...), nil, false},
		{"ppp", linkPPP, []byte{0xff, 3, 0, 0x21}, nil, false}, {"ppp, compressed", linkPPP, []byte{0x57}, nil, true},
		{"ppp_hdlc", linkPPPHDLC, []byte{0xff, 3, 0, 0x57}, nil, true}, {"ppp_hdlc, cisco", linkPPPHDLC, []byte{0x0f, 0, 8, 0}, nil, false},
		{"c_hdlc", linkCHDLC, []byte{0x0f, 0, 0x86, 0xdd}, nil, true},
		{"pppoe link", linkPPPoE, []byte{0x11, 0, 0, 1, 0, 130, 0, 0x21}, nil, false},
		{"802.11", link80211, join(dot11, snap(etherIPv4)), fcs, false},
		{"802.11 qos v6", link80211, join(qos, snap(etherIPv6)), fcs, true},
		{"radiotap", linkRadiotap, join([]byte{0, 0, 8, 0, 0, 0, 0, 0}, dot11, snap(etherIPv4)), fcs, false},
		{"radiotap, fcs flag", linkRadiotap, join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, qos, snap(etherIPv4)), fcs, false},
	} {
		ip := v4
		if c.v6 {
			ip = v6
		}
		b := join(c.head, ip, c.tail)
		p := one(c.link, b, 0)
		if !p.Decoded() || p.Protocol != protoUDP || p.PayloadBytes != 100 || int(p.IPBytes) != len(ip) || int(p.FrameBytes) != len(b) ||
			p.Src.Port() != 5000 || p.Dst.Port() != 443 || p.Flow != -1 {
			t.Errorf("%s: %+v", c.name, p)
		}
		for n := range b { // cut anywhere: sizes as long as the IP header is there, no panic
			if q := one(c.link, b[:n], int64(len(b))); q.Decoded() && q.IPBytes != p.IPBytes || q.FrameBytes != p.FrameBytes {
				t.Errorf("%s cut at %d: %+v", c.name, n, q)
			}
		}
	}
}

func TestNotIP(t *testing.T) {
	mac := make([]byte, 12)
	v4 := ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(1, 2, 3))
	short := append([]byte(nil), v4...)
	be.PutUint16(short[2:], 19) // shorter than its header
	for name, c := range map[string]struct {
		link uint32
		b    []byte
	}{
		"arp": {linkEthernet, append(mac, 8, 6, 0, 1)}, "lldp": {linkEthernet, append(mac, 0x88, 0xcc, 2, 7)},
		"802.3 without snap": {linkEthernet, append(mac, 0, 38, 0x42, 0x42, 3, 0, 0, 0, 0, 0)}, "nothing": {linkEthernet, nil},
		"pppoe discovery": {linkEthernet, append(mac, 0x88, 0x63, 0x11, 9)}, "version 5": {linkRaw, []byte{0x50, 0, 0, 0}},
		"usb": {189, v4}, "null, AppleTalk": {linkNull, join([]byte{16, 0, 0, 0}, v4)}, "ppp lcp": {linkPPP, []byte{0xc0, 0x21, 1}},
		"header of 4 words": {linkRaw, append([]byte{0x44}, v4[1:]...)}, "length below the header": {linkRaw, short},
		"half a header": {linkRaw, v4[:19]}, "half a v6 header": {linkRaw, ip6(hostC, hostD, 6, nil)[:39]},
		"beacon": {link80211, append([]byte{0x80, 0}, make([]byte, 60)...)}, "radiotap of nothing": {linkRadiotap, []byte{0, 0, 255, 255, 255, 255, 255, 255}},
	} {
		want := Record{Packet: trace.Packet{Flow: -1, FrameBytes: 1000}}
		if p := one(c.link, c.b, 1000); p != want || p.Decoded() {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestLengths: payload, IP and frame bytes by the rules of the package comment.
func TestLengths(t *testing.T) {
	udp, mf := udpBytes(5000, 443, 100), uint16(0x2000)
	stamp := []byte{1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 4}
	noLength := func(ip []byte, at int) []byte {
		b := append([]byte(nil), ip...)
		be.PutUint16(b[at:], 0)
		return b
	}
	v6 := func(next uint8, body ...[]byte) []byte { return ip6(hostC, hostD, next, join(body...)) }
	for _, c := range []struct {
		name         string
		ip           []byte
		wire         int64 // 0: as captured
		proto        uint8
		payload, ip_ int32
		sport        uint16
	}{
		{"udp", ip4(hostA, hostB, 17, 0, nil, udp), 0, 17, 100, 128, 5000},
		{"ip options", ip4(hostA, hostB, 17, 0, make([]byte, 12), udp), 0, 17, 100, 140, 5000},
		{"tcp options", ip4(hostA, hostB, 6, 0, nil, tcpBytes(5000, 443, 0x10, stamp, 77)), 0, 6, 77, 129, 5000},
		{"tcp, no payload", ip4(hostA, hostB, 6, 0, nil, tcpBytes(5000, 443, 0x10, nil, 0)), 0, 6, 0, 40, 5000},
		{"first fragment", ip4(hostA, hostB, 17, mf, nil, udp), 0, 17, 100, 128, 5000},
		{"later fragment", ip4(hostA, hostB, 17, 185, nil, udp), 0, 17, 108, 128, 0},
		{"don't fragment", ip4(hostA, hostB, 17, 0x4000, nil, udp), 0, 17, 100, 128, 5000},
		{"esp", ip4(hostA, hostB, 50, 0, nil, make([]byte, 64)), 0, 50, 64, 84, 0},
		{"icmp", ip4(hostA, hostB, 1, 0, nil, make([]byte, 64)), 0, 1, 64, 84, 0},
		{"gre is not opened", ip4(hostA, hostB, 47, 0, nil, join([]byte{0, 0, 8, 0}, ip4(hostB, hostA, 17, 0, nil, udp))), 0, 47, 132, 152, 0},
		{"ip in ip is not opened", ip4(hostA, hostB, 4, 0, nil, ip4(hostB, hostA, 17, 0, nil, udp)), 0, 4, 128, 148, 0},
		{"offload, length 0", noLength(ip4(hostA, hostB, 6, 0, nil, tcpBytes(5000, 443, 0x10, nil, 10)), 2), 30014, 6, 29960, 30000, 5000},
		{"udp shorter than its header", ip4(hostA, hostB, 17, 0, nil, udp[:5]), 0, 17, 0, 25, 5000},
		{"udp without ports", ip4(hostA, hostB, 17, 0, nil, udp[:3]), 0, 17, 0, 23, 0},
		{"v6 udp", v6(17, udp), 0, 17, 100, 148, 5000},
		{"v6 hop by hop, routing, options", v6(0, []byte{43, 0, 1, 4, 0, 0, 0, 0}, []byte{60, 1}, make([]byte, 14), []byte{17, 0, 0, 0, 0, 0, 0, 0}, udp), 0, 17, 100, 180, 5000},
		{"v6 first fragment", v6(44, []byte{17, 0, 0, 1, 0, 0, 0, 9}, udp), 0, 17, 100, 156, 5000},
		{"v6 later fragment", v6(44, []byte{17, 0, 5, 0xb0, 0, 0, 0, 9}, udp), 0, 17, 108, 156, 0},
		{"v6 esp", v6(50, make([]byte, 64)), 0, 50, 64, 104, 0},
		{"v6 ah", v6(51, make([]byte, 64)), 0, 51, 64, 104, 0},
		{"v6 icmp", v6(58, make([]byte, 64)), 0, 58, 64, 104, 0},
		{"v6 nothing follows", v6(59), 54 + 6, 59, 0, 40, 0},
		{"v6 offload, length 0", noLength(v6(6, tcpBytes(5000, 443, 0x10, nil, 10)), 4), 70014, 6, 69940, 70000, 5000},
		{"v6 header past the end", v6(0, []byte{17, 200, 0, 0, 0, 0, 0, 0}), 0, 0, 8, 48, 0},
	} {
		b := ether(c.ip)
		p := one(linkEthernet, b, c.wire)
		frame := c.wire
		if frame == 0 {
			frame = int64(len(b))
		}
		if p.Protocol != c.proto || p.PayloadBytes != c.payload || p.IPBytes != c.ip_ || p.FrameBytes != int32(frame) || p.Src.Port() != c.sport {
			t.Errorf("%s: protocol %d, payload %d, ip %d, frame %d, port %d; want %d, %d, %d, %d, %d", c.name, p.Protocol, p.PayloadBytes,
				p.IPBytes, p.FrameBytes, p.Src.Port(), c.proto, c.payload, c.ip_, frame, c.sport)
		}
		if p.Protocol != 6 && (p.WindowScale != 0 || p.TCPFlags != 0) {
			t.Errorf("%s: TCP fields on another protocol: %+v", c.name, p)
		}
	}
	if p := one(linkEthernet, ether(ip4(hostA, hostB, 17, 0, nil, udp)), 4e9); p.FrameBytes != 1<<31-1 {
		t.Errorf("a record of 4 GB is %d bytes long", p.FrameBytes)
	}
}

func TestTCPFields(t *testing.T) {
	syn := []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 4, 1, 3, 3, 7}
	sack := []byte{1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}
	plain := trace.Packet{Protocol: 6, Flow: -1, TCPFlags: trace.ACK, TCPSeq: 1000, TCPAck: 2000, TCPWindow: 512, WindowScale: -1}
	for _, c := range []struct {
		name    string
		flags   uint16
		options []byte
		want    func(p *trace.Packet)
	}{
		{"none", trace.ACK, nil, func(p *trace.Packet) {}},
		{"syn", trace.SYN, syn, func(p *trace.Packet) {
			p.TCPFlags, p.MSS, p.SACKPermit, p.TSVal, p.TSEcr, p.WindowScale = trace.SYN, 1460, true, 9, 4, 7
		}},
		{"nine flags", 0x1ff, nil, func(p *trace.Packet) { p.TCPFlags = 0x1ff }},
		{"sack", trace.ACK, sack, func(p *trace.Packet) { p.SACKBlocks = 2 }},
		{"time stamps alone", trace.ACK, []byte{1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 4}, func(p *trace.Packet) { p.TSVal, p.TSEcr = 9, 4 }},
		{"end of list", trace.ACK, []byte{0, 4, 2, 0}, func(p *trace.Packet) {}},
		{"length 0", trace.ACK, []byte{2, 0, 4, 2}, func(p *trace.Packet) {}},
		{"length past the end", trace.ACK, []byte{1, 1, 2, 40}, func(p *trace.Packet) {}},
		{"wrong length", trace.ACK, []byte{2, 3, 9, 3, 2, 4, 2, 0}, func(p *trace.Packet) { p.SACKPermit = true }},
		{"absurd window scale", trace.ACK, []byte{3, 3, 255, 1}, func(p *trace.Packet) { p.WindowScale = 127 }},
		{"unknown option", trace.ACK, []byte{253, 4, 1, 1, 4, 2, 1, 1}, func(p *trace.Packet) { p.SACKPermit = true }},
	} {
		want := plain
		c.want(&want)
		ip := ip4(hostA, hostB, 6, 0, nil, tcpBytes(1, 2, c.flags, c.options, 10))
		want.PayloadBytes, want.IPBytes, want.FrameBytes = 10, int32(len(ip)), int32(len(ip))
		got := one(linkRaw, ip, 0).Packet
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
		// A snapshot that ends inside the options keeps ports, flags, sizes and the options before the cut.
		for n := 36; n < len(ip); n++ {
			cut := one(linkRaw, ip[:n], int64(len(ip)))
			if cut.TCPFlags != want.TCPFlags || cut.PayloadBytes != 10 || cut.TCPWindow != 512 || cut.Dst != netip.AddrPortFrom(hostB, 2) {
				t.Errorf("%s cut at %d: %+v", c.name, n, cut)
			}
		}
	}
	// Before the length field a header counts as 20 bytes.
	ip := ip4(hostA, hostB, 6, 0, nil, tcpBytes(1, 2, trace.ACK, nil, 10))
	for n := 20; n < 36; n++ {
		if p := one(linkRaw, ip[:n], int64(len(ip))); p.PayloadBytes != 10 || p.Protocol != 6 || n >= 24 && p.Dst.Port() != 2 {
			t.Errorf("cut at %d: %+v", n, p)
		}
	}
}

func TestLinkNames(t *testing.T) {
	it := traffic(1, 1)[0]
	ip := it.data[14:]
	for _, c := range []struct {
		file []byte
		want string
	}{
		{pcapBytes(le, magicMicro, 0, linkRaw), "raw"},
		{pcapBytes(le, magicMicro, 0, 0xf0000000|linkEthernet, it), "ethernet"},
		{pcapBytes(le, magicMicro, 0, 147, it), "linktype-147 (not decoded)"},
		{join(section(le), interfaceBlock(le, linkSLL2, 0), interfaceBlock(le, linkEthernet, 0), interfaceBlock(le, linkRaw, 0),
			enhanced(le, 2, item{data: ip}), enhanced(le, 1, it), enhanced(le, 2, item{data: ip})), "ethernet,raw"},
	} {
		r, err := NewReader(bytes.NewReader(c.file), "x")
		if err != nil {
			t.Fatal(err)
		}
		var p Record
		for r.Next(&p) == nil {
		}
		if got := r.Link(); got != c.want {
			t.Errorf("link %q, want %q", got, c.want)
		}
		r.Close()
		if err := r.Next(&p); err == nil {
			t.Error("a closed reader reads")
		}
	}
}
