package capture

import (
	"strings"
	"testing"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      iface
		ticks  uint64
		micros int64
	}{
		{"default", iface{exponent: 6}, 1700000000123456, 1700000000123456},
		{"nanoseconds, rounded down", iface{exponent: 9}, 1700000000123456999, 1700000000123456},
		{"seconds", iface{exponent: 0}, 1700000000, 1700000000e6},
		{"picoseconds", iface{exponent: 12}, 5123456789, 5123},
		{"finer than a tick can count", iface{exponent: 127}, 1 << 63, 0},
		{"2^-20 s", iface{binary: true, exponent: 20}, 3 << 19, 1500000},
		{"2^-32 s (NTP)", iface{binary: true, exponent: 32}, 1700000000<<32 | 1<<31, 1700000000500000},
		{"2^0 s", iface{binary: true}, 12, 12000000},
		{"2^-64 s", iface{binary: true, exponent: 64}, 1 << 63, 500000},
		{"2^-127 s", iface{binary: true, exponent: 127}, 1 << 63, 0},
		{"offset", iface{exponent: 6, offset: 1700000000}, 5, 1700000000000005},
		{"offset back", iface{exponent: 6, offset: -2}, 5000000, 3000000},
	} {
		if got := c.f.micros(c.ticks); got != c.micros {
			t.Errorf("%s: %d us, want %d", c.name, got, c.micros)
		}
	}
}

// TestSections: two sections of different byte order, several interfaces with their own clocks and link types, all three
// packet blocks, blocks to skip.
func TestSections(t *testing.T) {
	ip := ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100))
	eth := ether(ip)
	var file []byte
	for _, o := range []order{le, be} {
		obsolete := o.AppendUint32(o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, 1), 0xffff), 0), 7000)
		obsolete = append(o.AppendUint32(o.AppendUint32(obsolete, uint32(len(ip))), uint32(len(ip))), ip...)
		simple := append(o.AppendUint32(nil, uint32(len(eth))), eth[:96]...)
		file = join(file, section(o),
			interfaceBlock(o, linkEthernet, 96, option(o, 2, []byte("eth0")...), option(o, 9, 9), option(o, 0)),
			interfaceBlock(o, linkRaw, 0, option(o, 9, 0x80|10), option(o, 14, o.AppendUint64(nil, 50)...)),
			block(o, 0x0bad, []byte("a custom block")),
			enhanced(o, 0, item{1700000000123456789, eth, 0}),
			enhanced(o, 1, item{1024 * 3, ip, 90}),
			block(o, blockPacket, obsolete),
			block(o, blockSimple, simple),
			block(o, 5, make([]byte, 12)))
	}
	got, problem := readAll(t, file)
	if problem != nil || len(got) != 8 {
		t.Fatalf("%d packets, %v", len(got), problem)
	}
	times := []int64{1700000000123456, 53e6, 50e6 + 7000*1000000/1024, 50e6 + 7000*1000000/1024}
	for i, p := range got {
		frame := int32(len(eth))
		if i%4 == 1 || i%4 == 2 {
			frame = int32(len(ip))
		}
		if p.UnixUS != times[i%4] || p.FrameBytes != frame || p.PayloadBytes != 100 || p.IPBytes != 128 || p.Src.Addr() != hostA {
			t.Errorf("packet %d: %+v; want time %d, frame %d", i+1, p, times[i%4], frame)
		}
	}
}

func TestPcapngDamage(t *testing.T) {
	it := traffic(1, 3)[0]
	head := join(section(le), interfaceBlock(le, linkEthernet, 0), enhanced(le, 0, it))
	good := enhanced(le, 0, it)
	change := func(at int, v uint32) []byte {
		b := append([]byte(nil), good...)
		le.PutUint32(b[at:], v)
		return b
	}
	for name, c := range map[string]struct {
		tail []byte
		want string
	}{
		"unknown interface":     {enhanced(le, 7, it), "interface 7"},
		"two lengths":           {change(len(good)-4, 8), "two lengths differ"},
		"short block":           {change(4, 8), "claims 8 bytes"},
		"odd block":             {change(4, uint32(len(good)-1)), "claims"},
		"option over its block": {withOption(le, it, option(le, 1, 'h', 'i'), 0x3030), "option claims 12336 bytes"},
		"statistics' option":    {block(le, blockStatistics, append(make([]byte, 12), 1, 0, 9, 0)), "option claims 9 bytes"},
		"interface's option":    {interfaceBlock(le, 1, 0, []byte{1, 0, 200, 0}), "option claims 200 bytes"},
		"huge block":            {change(4, 0xfffffff0), "cut inside"},
		"packet over its block": {change(20, uint32(len(good))), "in a block of"},
		"huge packet":           {change(20, 0xffffff00), "more than a packet"},
		"new section, no order": {join(section(le)[:8], []byte("junkjunkjunkjunk")), "byte-order"},
		"version 9":             {join(section(le)[:12], []byte{9, 0, 0, 0}, make([]byte, 12)), "version 9"},
		"simple, no interface":  {join(section(le), block(le, blockSimple, make([]byte, 8))), "interface 0"},
		"unknown block cut":     {block(le, 77, make([]byte, 100))[:60], "cut inside a block"},
	} {
		got, problem := readAll(t, join(head, c.tail))
		if len(got) != 1 || problem == nil || problem.Packet != 2 || !strings.Contains(problem.Error(), c.want) {
			t.Errorf("%s: %d packets, %v; want %q", name, len(got), problem, c.want)
		}
	}
}

// withOption is an enhanced packet block with an option, whose length is replaced unless size is 0.
func withOption(o order, it item, opt []byte, size uint16) []byte {
	b := enhanced(o, 0, it)
	body := append([]byte(nil), b[8:len(b)-4]...)
	if size > 0 {
		o.PutUint16(opt[2:], size)
	}
	return block(o, blockEnhanced, append(body, opt...))
}

// TestLongBlocks: a block longer than the window, as an unknown block or with a packet and long options, is passed.
func TestLongBlocks(t *testing.T) {
	it := traffic(1, 3)[0]
	long := make([]byte, 3*windowBytes)
	packet := le.AppendUint32(le.AppendUint32(make([]byte, 12), uint32(len(it.data))), uint32(len(it.data)))
	packet = join(packet, it.data, make([]byte, -len(it.data)&3), long)
	file := join(section(le), interfaceBlock(le, linkEthernet, 0, long[:1<<17]), block(le, 99, long), block(le, blockEnhanced, packet), enhanced(le, 0, it))
	got, problem := readAll(t, file)
	if problem != nil || len(got) != 2 {
		t.Fatalf("%d packets, %v", len(got), problem)
	}
	if a, b := got[0].Packet, got[1].Packet; a != b {
		t.Errorf("%+v differs from %+v", a, b)
	}
	if got, problem := readAll(t, file[:len(file)-len(enhanced(le, 0, it))-5]); problem == nil || len(got) != 0 {
		t.Errorf("cut inside the long block: %d packets, %v", len(got), problem)
	}
}
