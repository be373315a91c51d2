package capture

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// benchPackets is enough that opening the file does not show.
const benchPackets = 1_000_000

// BenchmarkRead reads a file of a million packets from the page cache (mean 740 bytes full, 92 cut). gopacket is its
// documented fast way, without the lengths and fields that a Record has.
func BenchmarkRead(b *testing.B) {
	items := traffic(benchPackets, 1)
	cut := append([]item(nil), items...)
	for i := range cut {
		cut[i].cut = max(0, len(cut[i].data)-96)
	}
	ng := func(items []item) []byte {
		file := bytes.NewBuffer(make([]byte, 0, benchPackets*900))
		file.Write(join(section(le), interfaceBlock(le, linkEthernet, 0)))
		for _, it := range items {
			file.Write(enhanced(le, 0, it))
		}
		return file.Bytes()
	}
	for _, c := range []struct {
		format, snap string
		file         func() []byte
	}{
		{"pcap", "full", func() []byte { return pcapBytes(le, magicMicro, 65535, linkEthernet, items...) }},
		{"pcap", "96", func() []byte { return pcapBytes(le, magicMicro, 65535, linkEthernet, cut...) }},
		{"pcapng", "full", func() []byte { return ng(items) }},
		{"pcapng", "96", func() []byte { return ng(cut) }},
	} {
		path := filepath.Join(b.TempDir(), "x")
		if err := os.WriteFile(path, c.file(), 0o644); err != nil {
			b.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, impl := range []struct {
			name string
			read func(path string) (int, error)
		}{{"records", countRecords}, {"assembled", countAssembled}, {"trace", countTrace}, {"gopacket", countGopacket}} {
			if impl.name == "gopacket" && c.format == "pcapng" {
				continue
			}
			b.Run(fmt.Sprintf("format=%s/snap=%s/impl=%s", c.format, c.snap, impl.name), func(b *testing.B) {
				b.SetBytes(st.Size())
				b.ReportAllocs()
				for b.Loop() {
					if n, err := impl.read(path); n != benchPackets || err != nil {
						b.Fatal(n, err)
					}
				}
				b.ReportMetric(benchPackets*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpackets/s")
			})
		}
	}
}

func countRecords(path string) (n int, err error) {
	r, err := Open(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var p Record
	for {
		if err := r.Next(&p); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func countAssembled(path string) (n int, err error) {
	r, err := Open(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	a := NewAssembler(Rule{})
	var p Record
	for {
		if err := r.Next(&p); err == io.EOF {
			return int(a.Report.Records), nil
		} else if err != nil {
			return n, err
		}
		a.Add(&p)
	}
}

func countTrace(path string) (int, error) {
	t, _, err := ReadTrace(path, Rule{})
	if err != nil {
		return 0, err
	}
	return len(t.Packets), nil
}

func countGopacket(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		return 0, err
	}
	var (
		eth  layers.Ethernet
		vlan layers.Dot1Q
		ip4  layers.IPv4
		ip6  layers.IPv6
		tcp  layers.TCP
		udp  layers.UDP
		body gopacket.Payload
	)
	p := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &vlan, &ip4, &ip6, &tcp, &udp, &body)
	p.IgnoreUnsupported = true
	seen := make([]gopacket.LayerType, 0, 8)
	for {
		b, _, err := r.ZeroCopyReadPacketData()
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		_ = p.DecodeLayers(b, &seen) // cut headers are errors here
		n++
	}
}
