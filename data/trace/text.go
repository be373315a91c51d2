package trace

import (
	"fmt"
	"strconv"
	"strings"
)

const flagLetters = "FSRPAUECN" // in the order of the flag bits

const directionSigns = "?><" // in the order of Direction

// Parse reads the text notation, in which a test's trace can be read by eye:
//
//	0 <1448, 12 >60
//
// is a packet of 1448 bytes from the server at 0 us and one of 60 bytes from the client 12 us later. A packet is a time in
// microseconds, a direction (> up, < down, ? unknown) with a size, and any of the extras below; packets are separated by
// commas or line ends. One size stands for payload, IP and frame alike; three are written PAYLOAD/IP/FRAME. The trace may
// begin with @START, its Unix time in microseconds.
//
//	proto=6     IP protocol         flow=0   number of the flow; absent: none      flags=SA  TCP flags, of FSRPAUECN
//	seq= ack= win= mss= ws=         TCP fields                                     sackok    SACK permitted
//	sack=2      number of SACK blocks                                              ts=7:5    time stamp option
//
// Flows are made as far as packets name them, without addresses. The empty text is the empty trace.
func Parse(s string) (*Trace, error) {
	t := &Trace{}
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		end := strings.IndexAny(rest, ", \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		start, err := strconv.ParseInt(rest[:end], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("trace: start %q is not a whole number of microseconds", rest[:end])
		}
		t.Start, s = start, strings.TrimLeft(rest[end:], ", \t\r\n")
	}
	if s == "" {
		return t, nil
	}
	for i, item := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' }) {
		fields := strings.Fields(item)
		if len(fields) == 0 {
			continue
		}
		p, err := parsePacket(fields)
		if err != nil {
			return nil, fmt.Errorf("trace: packet %d: %q: %w", i+1, strings.TrimSpace(item), err)
		}
		t.Packets = append(t.Packets, p)
		for int(p.Flow) >= len(t.Flows) {
			t.Flows = append(t.Flows, Flow{Protocol: p.Protocol})
		}
	}
	return t, nil
}

// MustParse is Parse for tests and examples: it panics on an error.
func MustParse(s string) *Trace {
	t, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return t
}

// maxFlow keeps a mistyped number from making a long table.
const maxFlow = 1 << 16

func parsePacket(fields []string) (Packet, error) {
	p := Packet{Flow: -1}
	if len(fields) < 2 {
		return p, fmt.Errorf("wants a time and a size such as >60")
	}
	time, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return p, fmt.Errorf("time %q is not a whole number of microseconds", fields[0])
	}
	p.Time = time
	d := strings.IndexByte(directionSigns, fields[1][0])
	if d < 0 {
		return p, fmt.Errorf("size %q has no direction; > is up, < is down, ? is unknown", fields[1])
	}
	p.Direction = Direction(d)
	sizes := strings.Split(fields[1][1:], "/")
	if len(sizes) == 1 {
		sizes = []string{sizes[0], sizes[0], sizes[0]}
	}
	if len(sizes) != 3 {
		return p, fmt.Errorf("size %q is neither one number nor PAYLOAD/IP/FRAME", fields[1])
	}
	for i, dst := range []*int32{&p.PayloadBytes, &p.IPBytes, &p.FrameBytes} {
		v, err := strconv.ParseUint(sizes[i], 10, 31)
		if err != nil {
			return p, fmt.Errorf("size %q is not a number of bytes", sizes[i])
		}
		*dst = int32(v)
	}
	scaled := false
	for _, f := range fields[2:] {
		key, value, _ := strings.Cut(f, "=")
		scaled = scaled || key == "ws"
		if err := p.set(key, value); err != nil {
			return p, err
		}
	}
	if p.Protocol == 6 && !scaled {
		p.WindowScale = -1
	}
	return p, nil
}

// set reads one extra.
func (p *Packet) set(key, value string) error {
	bits := map[string]int{"proto": 8, "flow": 31, "seq": 32, "ack": 32, "win": 16, "mss": 16, "sack": 8, "ts": 32}[key]
	first, second := value, "0"
	switch key {
	case "sackok":
		p.SACKPermit = true
		return nil
	case "flags":
		for i := range len(value) {
			b := strings.IndexByte(flagLetters, value[i])
			if b < 0 {
				return fmt.Errorf("flag %q is none of %s", value[i], flagLetters)
			}
			p.TCPFlags |= 1 << b
		}
		return nil
	case "ws":
		v, err := strconv.ParseInt(value, 10, 8)
		if err != nil {
			return fmt.Errorf("ws=%s is not a number from -128 to 127", value)
		}
		p.WindowScale = int8(v)
		return nil
	case "ts":
		first, second, _ = strings.Cut(value, ":")
	}
	if bits == 0 {
		return fmt.Errorf("%q is no field of a packet", key)
	}
	v, err := strconv.ParseUint(first, 10, bits)
	w, err2 := strconv.ParseUint(second, 10, bits)
	if err != nil || err2 != nil {
		return fmt.Errorf("%s=%s is not a number of %d bits", key, value, bits)
	}
	switch key {
	case "proto":
		p.Protocol = uint8(v)
	case "flow":
		if v >= maxFlow {
			return fmt.Errorf("flow=%d is not below %d", v, maxFlow)
		}
		p.Flow = int32(v)
	case "seq":
		p.TCPSeq = uint32(v)
	case "ack":
		p.TCPAck = uint32(v)
	case "win":
		p.TCPWindow = uint16(v)
	case "mss":
		p.MSS = uint16(v)
	case "sack":
		p.SACKBlocks = uint8(v)
	case "ts":
		p.TSVal, p.TSEcr = uint32(v), uint32(w)
	}
	return nil
}

// Format writes a trace in the text notation, packets separated by ", ". Parse reads it back equal, but for the addresses
// of the flows, and flows that no packet names.
func Format(t *Trace) string {
	var b strings.Builder
	if t.Start != 0 {
		fmt.Fprintf(&b, "@%d ", t.Start)
	}
	for i := range t.Packets {
		if i > 0 {
			b.WriteString(", ")
		}
		t.Packets[i].format(&b)
	}
	return strings.TrimRight(b.String(), " ")
}

func (p *Packet) format(b *strings.Builder) {
	sign := directionSigns[Unknown]
	if int(p.Direction) < len(directionSigns) {
		sign = directionSigns[p.Direction]
	}
	fmt.Fprintf(b, "%d %c%d", p.Time, sign, p.PayloadBytes)
	if p.IPBytes != p.PayloadBytes || p.FrameBytes != p.PayloadBytes {
		fmt.Fprintf(b, "/%d/%d", p.IPBytes, p.FrameBytes)
	}
	number := func(key string, v uint32) {
		if v != 0 {
			fmt.Fprintf(b, " %s=%d", key, v)
		}
	}
	number("proto", uint32(p.Protocol))
	if p.Flow >= 0 {
		fmt.Fprintf(b, " flow=%d", p.Flow)
	}
	if p.TCPFlags != 0 {
		b.WriteString(" flags=")
		for i := range len(flagLetters) {
			if p.TCPFlags&(1<<i) != 0 {
				b.WriteByte(flagLetters[i])
			}
		}
	}
	number("seq", p.TCPSeq)
	number("ack", p.TCPAck)
	number("win", uint32(p.TCPWindow))
	number("mss", uint32(p.MSS))
	if absent := p.Protocol == 6; absent && p.WindowScale != -1 || !absent && p.WindowScale != 0 {
		fmt.Fprintf(b, " ws=%d", p.WindowScale)
	}
	if p.SACKPermit {
		b.WriteString(" sackok")
	}
	number("sack", uint32(p.SACKBlocks))
	if p.TSVal != 0 || p.TSEcr != 0 {
		fmt.Fprintf(b, " ts=%d:%d", p.TSVal, p.TSEcr)
	}
}

// String is Format.
func (t *Trace) String() string { return Format(t) }
