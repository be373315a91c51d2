package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// The first four bytes of a pcap file, in the writer's byte order (draft-ietf-opsawg-pcap).
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's patched libpcap: eight more bytes in each record header
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func isPcap(head []byte) bool {
	_, _, ok := pcapMagic(le32(head))
	return ok
}

func pcapMagic(m uint32) (magic uint32, big, ok bool) {
	switch m {
	case magicMicro, magicNano, magicModified:
		return m, false, true
	}
	switch m = bits.ReverseBytes32(m); m {
	case magicMicro, magicNano, magicModified:
		return m, true, true
	}
	return 0, false, false
}

// pcapFile reads the records of a pcap file. The header's snapshot length is not believed: programs write 0 or less
// than what they then store.
type pcapFile struct {
	w      *window
	big    bool // written by a big-endian machine
	nano   bool
	header int // bytes of a record header
	link   uint32
}

func newPcap(w *window) (*pcapFile, error) {
	const size = 24
	h := w.peek(size)
	if len(h) < size {
		return nil, w.cut("the pcap header", int64(len(h)), size)
	}
	magic, big, _ := pcapMagic(le32(h))
	p := &pcapFile{w: w, big: big, nano: magic == magicNano, header: 16}
	if magic == magicModified {
		p.header = 24
	}
	major := p.u32(h[4:]) & 0xffff
	if big {
		major = p.u32(h[4:]) >> 16
	}
	if major < 2 { // later ones do not exist: like Wireshark, believe the magic
		return nil, fmt.Errorf("pcap version %d is not known; 2 is", major)
	}
	p.link = p.u32(h[20:]) & 0x03ffffff // the bits above tell about a frame check sequence
	w.take(size)
	return p, nil
}

func (p *pcapFile) u32(b []byte) uint32 {
	v := le32(b)
	if p.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcapFile) next(r *raw) error {
	h := p.w.peek(p.header)
	if len(h) < p.header {
		if len(h) == 0 {
			return p.w.ended()
		}
		return p.w.cut("a record header", int64(len(h)), int64(p.header))
	}
	fraction, size := int64(p.u32(h[4:])), p.u32(h[8:])
	if p.nano {
		fraction /= 1000
	}
	r.unixUS = int64(p.u32(h))*1e6 + fraction
	r.length = int64(p.u32(h[12:]))
	r.link = p.link
	if size > maxRecord {
		return tooLong(int64(size))
	}
	total := p.header + int(size)
	b := p.w.peek(total)
	if len(b) < total {
		return p.w.cut("a packet", int64(len(b)-p.header), int64(size))
	}
	r.bytes, r.size = b[p.header:], int64(size)
	p.w.take(total)
	return nil
}

func tooLong(n int64) error {
	return fmt.Errorf("the record claims %d bytes, more than a packet can have (%d): the file is damaged here", n, maxRecord)
}

var _ container = (*pcapFile)(nil)
var _ io.Reader = (*windowReader)(nil)
