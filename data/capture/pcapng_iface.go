package capture

import (
	"fmt"
	"math"
	"math/bits"
)

// iface is an interface of the current section.
type iface struct {
	link     uint32
	snap     uint32 // 0: no limit
	binary   bool   // ticks are 2^-exponent s, else 10^-exponent s
	exponent uint8
	offset   int64 // seconds added to each time
}

// options passes the block of n bytes at hand, whose options begin at byte from, and hands them over. Options
// beyond the window, which would be megabytes of comments, are passed unseen.
func (p *pcapngFile) options(from int, n int64, option func(code uint16, value []byte)) error {
	whole := int(min(n, windowBytes))
	b := p.w.peek(whole)
	if len(b) < whole {
		return p.w.cut("a block", int64(len(b)), n)
	}
	if n <= windowBytes {
		if err := p.walk(b[from:n-4], option); err != nil {
			return err
		}
	} else {
		_ = p.walk(b[from:], option) // the last option goes beyond
	}
	return p.finish(n, n)
}

// walk reads a list of options: code, length, value padded to whole words; 0 ends it.
func (p *pcapngFile) walk(o []byte, option func(code uint16, value []byte)) error {
	for len(o) >= 4 {
		code, size := p.u16(o), int(p.u16(o[2:]))
		if o = o[4:]; code == 0 {
			return nil
		}
		if size > len(o) {
			return fmt.Errorf("an option claims %d bytes where %d are left: the file is damaged here", size, len(o))
		}
		if option != nil {
			option(code, o[:size])
		}
		o = o[min(len(o), (size+3)&^3):]
	}
	return nil
}

// iface adds an interface: its link type, snapshot length, resolution and offset of its clock.
func (p *pcapngFile) iface() error {
	n, err := p.size(8)
	if err != nil {
		return err
	}
	f := iface{exponent: 6}
	h := p.w.peek(16)
	if len(h) < 16 {
		return p.w.cut("a block", int64(len(h)), n)
	}
	f.link, f.snap = uint32(p.u16(h[8:])), p.u32(h[12:])
	err = p.options(16, n, func(code uint16, v []byte) {
		switch {
		case code == 9 && len(v) >= 1: // if_tsresol
			f.binary, f.exponent = v[0]&0x80 != 0, v[0]&0x7f
		case code == 14 && len(v) >= 8: // if_tsoffset
			first, second := p.u32(v), p.u32(v[4:])
			if p.big {
				first, second = second, first
			}
			f.offset = int64(uint64(second)<<32 | uint64(first))
		}
	})
	p.ifaces = append(p.ifaces, f)
	return err
}

// micros turns ticks of the interface's clock into Unix microseconds, rounded down.
func (f *iface) micros(ticks uint64) int64 {
	var us uint64
	switch e := uint(f.exponent); {
	case f.binary:
		hi, lo := bits.Mul64(ticks, 1e6)
		if e < 64 {
			us = lo>>e | hi<<(64-e)
		} else {
			us = hi >> (e - 64)
		}
	case e <= 6:
		us = ticks * uint64(math.Pow10(6-int(e)))
	case e <= 25: // 10^19 is the largest power of ten in a uint64
		us = ticks / pow10(e-6)
	}
	return int64(us) + f.offset*1e6
}

func pow10(n uint) uint64 {
	v := uint64(1)
	for range n {
		v *= 10
	}
	return v
}
