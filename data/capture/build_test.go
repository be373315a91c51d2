package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// order is what both of encoding/binary's byte orders are.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var le, be order = binary.LittleEndian, binary.BigEndian

var (
	hostA = netip.MustParseAddr("192.168.1.5")
	hostB = netip.MustParseAddr("203.0.113.7")
	hostC = netip.MustParseAddr("2001:db8::5")
	hostD = netip.MustParseAddr("2001:db8:1::7")
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// ether puts an Ethernet header, with VLAN tags, before an IP packet.
func ether(ip []byte, tags ...uint16) []byte {
	b := make([]byte, 12)
	for i := range tags {
		b = be.AppendUint16(b, []uint16{etherVLAN, etherQinQ}[(len(tags)-1-i)%2])
		b = be.AppendUint16(b, tags[i])
	}
	if ip[0]>>4 == 6 {
		return join(be.AppendUint16(b, etherIPv6), ip)
	}
	return join(be.AppendUint16(b, etherIPv4), ip)
}

// ip4 makes an IPv4 packet of which options are whole words; fragment holds the flags and the offset.
func ip4(src, dst netip.Addr, proto uint8, fragment uint16, options, body []byte) []byte {
	b := []byte{0x45 + byte(len(options)/4), 0}
	b = be.AppendUint16(b, uint16(20+len(options)+len(body)))
	b = be.AppendUint16(b, 7)
	b = be.AppendUint16(b, fragment)
	b = append(b, 64, proto, 0, 0)
	return join(b, src.AsSlice(), dst.AsSlice(), options, body)
}

// ip6 makes an IPv6 packet; body begins with the header that next names.
func ip6(src, dst netip.Addr, next uint8, body []byte) []byte {
	b := []byte{0x60, 0, 0, 0}
	b = be.AppendUint16(b, uint16(len(body)))
	return join(append(b, next, 64), src.AsSlice(), dst.AsSlice(), body)
}

func udpBytes(sport, dport uint16, size int) []byte {
	b := be.AppendUint16(be.AppendUint16(nil, sport), dport)
	return join(be.AppendUint16(b, uint16(8+size)), []byte{0, 0}, make([]byte, size))
}

func tcpBytes(sport, dport uint16, flags uint16, options []byte, size int) []byte {
	b := be.AppendUint16(be.AppendUint16(nil, sport), dport)
	b = be.AppendUint32(be.AppendUint32(b, 1000), 2000)
	b = be.AppendUint16(b, uint16(5+len(options)/4)<<12|flags)
	b = append(be.AppendUint16(b, 512), 0, 0, 0, 0)
	return join(b, options, make([]byte, size))
}

// item is a packet for a file: time in ticks of the file's clock, bytes, bytes to leave out at the end.
type item struct {
	ticks uint64
	data  []byte
	cut   int
}

func pcapBytes(o order, magic, snap, link uint32, items ...item) []byte {
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(o.AppendUint32(b, snap), link)
	per := uint64(1e6)
	if magic == magicNano {
		per = 1e9
	}
	for _, it := range items {
		b = o.AppendUint32(o.AppendUint32(b, uint32(it.ticks/per)), uint32(it.ticks%per))
		b = o.AppendUint32(o.AppendUint32(b, uint32(len(it.data)-it.cut)), uint32(len(it.data)))
		if magic == magicModified {
			b = append(b, make([]byte, 8)...)
		}
		b = append(b, it.data[:len(it.data)-it.cut]...)
	}
	return b
}

func block(o order, typ uint32, body []byte) []byte {
	body = append(body, make([]byte, -len(body)&3)...)
	n := uint32(len(body) + 12)
	return o.AppendUint32(join(o.AppendUint32(o.AppendUint32(nil, typ), n), body), n)
}

func section(o order) []byte {
	b := o.AppendUint16(o.AppendUint16(o.AppendUint32(nil, byteOrderMagic), 1), 0)
	return block(o, blockSection, append(b, 255, 255, 255, 255, 255, 255, 255, 255))
}

func option(o order, code uint16, value ...byte) []byte {
	return join(o.AppendUint16(o.AppendUint16(nil, code), uint16(len(value))), value, make([]byte, -len(value)&3))
}

func interfaceBlock(o order, link uint16, snap uint32, options ...[]byte) []byte {
	b := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, link), 0), snap)
	return block(o, blockInterface, join(b, join(options...)))
}

func enhanced(o order, id uint32, it item) []byte {
	b := o.AppendUint32(o.AppendUint32(o.AppendUint32(nil, id), uint32(it.ticks>>32)), uint32(it.ticks))
	b = o.AppendUint32(o.AppendUint32(b, uint32(len(it.data)-it.cut)), uint32(len(it.data)))
	return block(o, blockEnhanced, append(b, it.data[:len(it.data)-it.cut]...))
}

// readAll reads a capture to its end; the problem is nil at a clean one.
func readAll(t testing.TB, file []byte) ([]Record, *Problem) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []Record
	for {
		var p Record
		err := r.Next(&p)
		if err == nil {
			out = append(out, p)
			continue
		}
		if again := r.Next(&p); again != err {
			t.Errorf("after %v, Next returns %v", err, again)
		}
		if err == io.EOF {
			return out, nil
		}
		var problem *Problem
		if !errors.As(err, &problem) {
			t.Fatalf("error %v is no *Problem", err)
		}
		return out, problem
	}
}

// traffic makes n Ethernet packets of a plausible mix: TCP segments with time stamps, full and empty, some UDP, some IPv6.
func traffic(n int, seed uint64) []item {
	rng := rand.New(rand.NewPCG(seed, 1))
	stamp := []byte{1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 4}
	var kinds [][]byte
	for i := range 64 {
		port := uint16(40000 + i)
		kinds = append(kinds, ether(ip4(hostB, hostA, protoTCP, 0, nil, tcpBytes(443, port, 0x10, stamp, 1448))),
			ether(ip4(hostB, hostA, protoTCP, 0, nil, tcpBytes(443, port, 0x18, stamp, rng.IntN(1448)))),
			ether(ip4(hostA, hostB, protoTCP, 0, nil, tcpBytes(port, 443, 0x10, stamp, 0))),
			ether(ip4(hostB, hostA, protoUDP, 0, nil, udpBytes(443, port, 1200))),
			ether(ip6(hostC, hostD, protoTCP, tcpBytes(port, 443, 0x10, stamp, rng.IntN(300)))))
	}
	items := make([]item, n)
	for i := range items {
		items[i] = item{ticks: 1700000000e6 + uint64(i)*37, data: kinds[rng.IntN(len(kinds))]}
	}
	return items
}
