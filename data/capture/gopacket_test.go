package capture

import (
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestAgainstGopacket: on every packet that gopacket decodes without complaint, addresses, ports, lengths, flags and
// options are those that it found. Generated traffic always, the nDPI pack when it is there.
func TestAgainstGopacket(t *testing.T) {
	items := traffic(500, 5)
	var d decoder
	for i, it := range items {
		compare(t, i, &d, &raw{link: linkEthernet, bytes: it.data, length: int64(len(it.data))})
	}
	root := pack(t, "ndpi/ndpi/pcap")
	files, err := filepath.Glob(filepath.Join(root, "*.pcap*"))
	if err != nil {
		t.Fatal(err)
	}
	compared, packets := 0, 0
	for _, path := range files {
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; r.file.next(&r.raw) == nil; n++ {
			packets++
			if compare(t, n, &d, &r.raw) {
				compared++
			}
			if t.Failed() {
				t.Fatal(path)
			}
		}
		r.Close()
	}
	t.Logf("%d of %d packets compared", compared, packets)
}

// compare reports whether gopacket found IP and a transport layer to compare with.
func compare(t *testing.T, n int, d *decoder, r *raw) bool {
	if r.link > 255 || int64(len(r.bytes)) != r.length {
		return false
	}
	p := gopacket.NewPacket(r.bytes, layers.LinkType(r.link), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	var rec Record
	d.decode(&rec, r)
	var size int // above the outermost IP header
	switch ip := p.NetworkLayer().(type) {
	case *layers.IPv4:
		if ip.Version != 4 || p.Metadata().Truncated || len(ip.Contents)+len(ip.Payload) != int(ip.Length) || ip.FragOffset != 0 {
			return false
		}
		size = int(ip.Length) - 4*int(ip.IHL)
		if rec.Protocol != uint8(ip.Protocol) || rec.IPBytes != int32(ip.Length) || string(rec.Src.Addr().AsSlice()) != string(ip.SrcIP) {
			t.Errorf("packet %d: %+v; gopacket %+v", n, rec, ip)
		}
	case *layers.IPv6:
		if len(ip.Payload) != int(ip.Length) || rec.Protocol != uint8(ip.NextHeader) {
			return false
		}
		size = int(ip.Length)
		if rec.IPBytes != 40+int32(ip.Length) || string(rec.Dst.Addr().AsSlice()) != string(ip.DstIP) {
			t.Errorf("packet %d: %+v; gopacket %+v", n, rec, ip)
		}
	default:
		return false
	}
	if len(p.Layers()) < 3 || p.ErrorLayer() != nil {
		return false
	}
	switch l := p.TransportLayer().(type) {
	case *layers.UDP:
		if rec.Protocol != protoUDP {
			return false // in a tunnel
		}
		if rec.Src.Port() != uint16(l.SrcPort) || rec.Dst.Port() != uint16(l.DstPort) || int(rec.PayloadBytes) != max(0, size-8) {
			t.Errorf("packet %d: %+v; gopacket %+v", n, rec, l)
		}
	case *layers.TCP:
		if rec.Protocol != protoTCP {
			return false
		}
		want := Record{UnixUS: rec.UnixUS, Src: rec.Src, Dst: rec.Dst, Packet: rec.Packet}
		want.PayloadBytes, want.TCPSeq, want.TCPAck, want.TCPWindow = int32(max(0, size-4*int(l.DataOffset))), l.Seq, l.Ack, l.Window
		want.MSS, want.WindowScale, want.SACKPermit, want.SACKBlocks, want.TSVal, want.TSEcr, want.TCPFlags = 0, -1, false, 0, 0, 0, 0
		for bit, set := range []bool{l.FIN, l.SYN, l.RST, l.PSH, l.ACK, l.URG, l.ECE, l.CWR, l.NS} {
			if set {
				want.TCPFlags |= 1 << bit
			}
		}
		for _, o := range l.Options {
			switch v := o.OptionData; {
			case o.OptionType == layers.TCPOptionKindMSS && len(v) == 2:
				want.MSS = be.Uint16(v)
			case o.OptionType == layers.TCPOptionKindWindowScale && len(v) == 1:
				want.WindowScale = int8(min(v[0], 127))
			case o.OptionType == layers.TCPOptionKindSACKPermitted:
				want.SACKPermit = true
			case o.OptionType == layers.TCPOptionKindSACK:
				want.SACKBlocks = uint8(len(v) / 8)
			case o.OptionType == layers.TCPOptionKindTimestamps && len(v) == 8:
				want.TSVal, want.TSEcr = be.Uint32(v), be.Uint32(v[4:])
			}
		}
		if rec != want || rec.Src.Port() != uint16(l.SrcPort) || rec.Dst.Port() != uint16(l.DstPort) {
			t.Errorf("packet %d: %+v; gopacket %+v", n, rec, l)
		}
	default:
		return false
	}
	return true
}
