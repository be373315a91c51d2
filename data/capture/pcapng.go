package capture

import (
	"errors"
	"fmt"
	"math/bits"
)

// Block types of draft-ietf-opsawg-pcapng. All others are skipped.
const (
	blockSection    = 0x0a0d0d0a // the same in both byte orders
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6

	byteOrderMagic = 0x1a2b3c4d
)

// pcapngFile reads the packet blocks of a pcapng file: any number of sections, each with its byte order and interfaces.
type pcapngFile struct {
	w        *window
	big      bool
	ifaces   []iface
	last     int64    // time of the packet before: a simple packet block has none
	comments []string // of section headers
	head     []byte   // copy of a packet's first bytes, for blocks longer than the window
}

func newPcapng(w *window) (*pcapngFile, error) {
	p := &pcapngFile{w: w}
	if err := p.section(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pcapngFile) u16(b []byte) uint16 {
	v := uint16(b[0]) | uint16(b[1])<<8
	if p.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (p *pcapngFile) u32(b []byte) uint32 {
	v := le32(b)
	if p.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcapngFile) next(r *raw) error {
	for {
		h := p.w.peek(8)
		if len(h) < 8 {
			if len(h) == 0 {
				return p.w.ended()
			}
			return p.w.cut("a block header", int64(len(h)), 8)
		}
		var err error
		switch p.u32(h) {
		case blockSection:
			err = p.section()
		case blockInterface:
			err = p.iface()
		case blockEnhanced, blockPacket:
			return p.packet(r, p.u32(h) == blockPacket)
		case blockSimple:
			return p.simple(r)
		case blockStatistics:
			var size int64
			if size, err = p.size(12); err == nil {
				err = p.options(20, size, nil)
			}
		default:
			var size int64
			if size, err = p.size(0); err == nil {
				err = p.finish(size, size)
			}
		}
		if err != nil {
			return err
		}
	}
}

// size reads the length of the block at hand, which must hold body bytes besides its frame of twelve.
func (p *pcapngFile) size(body int64) (int64, error) {
	n := int64(p.u32(p.w.peek(8)[4:]))
	if n < 12+body || n%4 != 0 {
		return 0, fmt.Errorf("a block of type %#x claims %d bytes: the file is damaged here", p.u32(p.w.peek(4)), n)
	}
	return n, nil
}

// finish moves to the end of a block of which left bytes are not yet taken, and checks the length repeated there.
func (p *pcapngFile) finish(left, size int64) error {
	if have := p.w.skip(left - 4); have < left-4 {
		return p.w.cut("a block", size-left+have, size)
	}
	b := p.w.peek(4)
	if len(b) < 4 {
		return p.w.cut("a block", size-4+int64(len(b)), size)
	}
	if again := int64(p.u32(b)); again != size {
		return fmt.Errorf("a block's two lengths differ (%d and %d): the file is damaged here", size, again)
	}
	p.w.take(4)
	return nil
}

// section starts a new section: its byte order holds from here on, and the interfaces before it are gone.
func (p *pcapngFile) section() error {
	const size = 16
	h := p.w.peek(size)
	if len(h) < size {
		return p.w.cut("a section header", int64(len(h)), size)
	}
	switch m := le32(h[8:]); {
	case m == byteOrderMagic:
		p.big = false
	case bits.ReverseBytes32(m) == byteOrderMagic:
		p.big = true
	default:
		return fmt.Errorf("a section header has the byte-order mark %#x: the file is damaged here", m)
	}
	if major := p.u16(h[12:]); major != 1 {
		return fmt.Errorf("pcapng version %d is not known; only 1 is", major)
	}
	p.ifaces = p.ifaces[:0]
	n, err := p.size(16)
	if err != nil {
		return err
	}
	return p.options(24, n, func(code uint16, v []byte) {
		if code == optComment && len(p.comments) < maxComments {
			p.comments = append(p.comments, string(v))
		}
	})
}

// maxComments bounds what is kept of the comments of all sections.
const maxComments = 16

// packet reads an enhanced packet block, or the obsolete packet block, whose interface number is half as wide.
func (p *pcapngFile) packet(r *raw, obsolete bool) error {
	const fixed = 28 // frame and fields before the packet's bytes
	n, err := p.size(20)
	if err != nil {
		return err
	}
	h := p.w.peek(fixed)
	if len(h) < fixed {
		return p.w.cut("a packet block", int64(len(h)), n)
	}
	id := p.u32(h[8:])
	if obsolete {
		id = uint32(p.u16(h[8:]))
	}
	if int64(id) >= int64(len(p.ifaces)) {
		return fmt.Errorf("the packet's interface %d is not described: the file is damaged here", id)
	}
	f := &p.ifaces[id]
	r.unixUS = f.micros(uint64(p.u32(h[12:]))<<32 | uint64(p.u32(h[16:])))
	size := int64(p.u32(h[20:]))
	r.length = int64(p.u32(h[24:]))
	r.link = f.link
	p.last = r.unixUS
	return p.body(r, fixed, size, n)
}

// simpleFixed is what lies before the packet's bytes in a simple packet block.
const simpleFixed = 12

// simple reads a simple packet block: no time (that of the packet before is kept), always the first interface.
func (p *pcapngFile) simple(r *raw) error {
	const fixed = simpleFixed
	n, err := p.size(4)
	if err != nil {
		return err
	}
	h := p.w.peek(fixed)
	if len(h) < fixed {
		return p.w.cut("a packet block", int64(len(h)), n)
	}
	if len(p.ifaces) == 0 {
		return errors.New("the packet's interface 0 is not described: the file is damaged here")
	}
	f := &p.ifaces[0]
	r.unixUS, r.link, r.length = p.last, f.link, int64(p.u32(h[8:]))
	size := r.length
	if f.snap > 0 {
		size = min(size, int64(f.snap))
	}
	return p.body(r, fixed, size, n)
}

// body takes the packet's size bytes behind the fixed part of a block of n bytes.
func (p *pcapngFile) body(r *raw, fixed int, size, n int64) error {
	r.size = size
	if size > maxRecord {
		return tooLong(size)
	}
	if int64(fixed)+(size+3)&^3+4 > n {
		return fmt.Errorf("the record claims %d bytes in a block of %d: the file is damaged here", size, n)
	}
	if n <= windowBytes { // the whole block fits: the bytes can stay where they are
		b := p.w.peek(int(n))
		if int64(len(b)) < n {
			return p.w.cut("a packet block", int64(len(b)), n)
		}
		if again := int64(p.u32(b[n-4:])); again != n {
			return fmt.Errorf("a block's two lengths differ (%d and %d): the file is damaged here", n, again)
		}
		end := fixed + (int(size)+3)&^3
		if fixed != simpleFixed && end < int(n)-4 { // a simple block has no options
			if err := p.walk(b[end:n-4], nil); err != nil {
				return err
			}
		}
		r.bytes = b[fixed : fixed+int(size)]
		p.w.take(int(n))
		return nil
	}
	b := p.w.peek(fixed + int(min(size, headBytes)))
	if len(b) < fixed {
		return p.w.cut("a packet block", int64(len(b)), n)
	}
	p.head = append(p.head[:0], b[fixed:]...)
	r.bytes = p.head
	return p.finish(n, n)
}

var _ container = (*pcapngFile)(nil)
