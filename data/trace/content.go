package trace

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// Filter returns a trace of the packets that keep accepts. Times stay as they are and the flows are shared with t.
func (t *Trace) Filter(keep func(*Packet) bool) *Trace {
	out := &Trace{Start: t.Start, Flows: t.Flows}
	for i := range t.Packets {
		if keep(&t.Packets[i]) {
			out.Packets = append(out.Packets, t.Packets[i])
		}
	}
	return out
}

// Bytes sums the length that s names over the packets of each direction.
func (t *Trace) Bytes(s Size) (up, down, unknown int64) {
	var sum [3]int64
	for i := range t.Packets {
		sum[min(t.Packets[i].Direction, Down)] += int64(t.Packets[i].Bytes(s))
	}
	return sum[Up], sum[Down], sum[Unknown]
}

// Duration is the time from the first packet to the last in microseconds; less than 0 when the clock stepped back so far.
func (t *Trace) Duration() int64 {
	if len(t.Packets) == 0 {
		return 0
	}
	return t.Packets[len(t.Packets)-1].Time - t.Packets[0].Time
}

// Empty reports whether there is no packet, or none with a payload byte (SP-36).
func (t *Trace) Empty() bool {
	for i := range t.Packets {
		if t.Packets[i].PayloadBytes > 0 {
			return false
		}
	}
	return true
}

// Digest is the SHA-256, in hexadecimal, of the list of (time since the first packet, direction, payload bytes). Captures
// with equal digests are duplicates (SP-36), whatever their names, addresses, link types and clocks.
func (t *Trace) Digest() string {
	return digest(t.Packets, func(b []byte, p *Packet) []byte {
		b = binary.LittleEndian.AppendUint64(b, uint64(p.Time-t.Packets[0].Time))
		b = append(b, byte(p.Direction))
		return binary.LittleEndian.AppendUint32(b, uint32(p.PayloadBytes))
	})
}

// nearPackets is the number of leading sizes that make two captures near duplicates (SP-36).
const nearPackets = 100

// Signature is the SHA-256, in hexadecimal, of the payload bytes of the first 100 packets. Captures with equal signatures
// and different digests are near duplicates (SP-36).
func (t *Trace) Signature() string {
	return digest(t.Packets[:min(len(t.Packets), nearPackets)], func(b []byte, p *Packet) []byte {
		return binary.LittleEndian.AppendUint32(b, uint32(p.PayloadBytes))
	})
}

// digest hashes what row appends for each packet, some thousand bytes at a time.
func digest(packets []Packet, row func([]byte, *Packet) []byte) string {
	var h hash.Hash = sha256.New()
	buf := make([]byte, 0, 4096)
	for i := range packets {
		if buf = row(buf, &packets[i]); len(buf) > 4000 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}
