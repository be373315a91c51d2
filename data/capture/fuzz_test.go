package capture

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// checkRead reads hostile bytes: no panic, no endless stream, sizes that a Packet can have, memory in proportion to the
// bytes and not to what they claim.
func checkRead(t *testing.T, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := NewReader(bytes.NewReader(b), "fuzz")
	if err != nil {
		return
	}
	defer r.Close()
	a := NewAssembler(Rule{})
	for n := 0; ; n++ {
		var p Record
		if err := r.Next(&p); err != nil {
			if err != io.EOF && err.(*Problem).Packet != int64(n+1) {
				t.Errorf("%v after %d packets", err, n)
			}
			break
		}
		if n > len(b) { // a packet takes at least its header of 16 bytes
			t.Fatalf("%d packets in %d bytes", n, len(b))
		}
		if p.FrameBytes < 0 || p.IPBytes < 0 || p.PayloadBytes < 0 || p.PayloadBytes > p.IPBytes || p.Decoded() != p.Src.IsValid() {
			t.Errorf("packet %d: %+v", n+1, p)
		}
		if q := a.Add(&p); int(q.Flow) >= len(a.Flows) || q.Flow < 0 && p.Decoded() {
			t.Errorf("packet %d: flow %d of %d", n+1, q.Flow, len(a.Flows))
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20+uint64(len(b))*64 {
		t.Errorf("%d bytes allocated for %d", grown, len(b))
	}
}

// seeds are three short packets, one of them cut: a fuzzer is quick on small inputs.
func seeds() []item {
	udp := ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 30)))
	tcp := ether(ip4(hostA, hostB, protoTCP, 0, nil, tcpBytes(5000, 443, 2, []byte{2, 4, 5, 0xb4, 4, 2, 1, 1}, 0)))
	return []item{{1700000000e6, udp, 0}, {1700000001e6, tcp, 6}, {1700000002e6, ether(ip6(hostC, hostD, 17, udp[34:])), 0}}
}

func FuzzPcap(f *testing.F) {
	items := seeds()
	for _, magic := range []uint32{magicMicro, magicNano, magicModified} {
		f.Add(pcapBytes(le, magic, 96, linkEthernet, items...))
	}
	f.Add(pcapBytes(be, magicMicro, 0, linkRaw, item{data: items[0].data[14:]}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 && isPcap(b) { // the other containers have their own fuzz test
			checkRead(t, b)
		}
	})
}

func FuzzPcapng(f *testing.F) {
	it := seeds()[0]
	for _, o := range []order{le, be} {
		f.Add(join(section(o), interfaceBlock(o, linkEthernet, 96, option(o, 9, 9), option(o, 14, 0, 0, 0, 0, 0, 0, 0, 1)),
			enhanced(o, 0, it), block(o, 5, make([]byte, 8)), block(o, blockSimple, append(o.AppendUint32(nil, 60), it.data[:60]...)), section(o)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 && le32(b) == blockSection {
			checkRead(t, b)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for i, it := range traffic(8, 1) {
		f.Add(uint32(linkEthernet), it.data[:min(len(it.data), 100)], uint32(len(it.data)))
		f.Add(uint32(linkRaw), it.data[14:60], uint32(i))
	}
	f.Add(uint32(linkRadiotap), make([]byte, 40), uint32(40))
	f.Add(uint32(linkPPP), []byte{0xff, 3, 0, 0x57, 0x60}, uint32(1<<31))
	f.Add(uint32(link80211), append([]byte{0x88, 1}, make([]byte, 60)...), uint32(62))
	var d decoder
	f.Fuzz(func(t *testing.T, link uint32, b []byte, wire uint32) {
		var p Record
		d.decode(&p, &raw{link: link % 300, bytes: b, length: int64(wire)})
		if p.FrameBytes < 0 || p.IPBytes < 0 || p.PayloadBytes < 0 || p.PayloadBytes > p.IPBytes || p.Decoded() != p.Src.IsValid() || p.Flow != -1 {
			t.Errorf("%+v", p)
		}
	})
}
