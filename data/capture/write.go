package capture

import (
	"bufio"
	"encoding/binary"
	"io"
	"strings"
)

// Heading is what a recorded file says of itself.
type Heading struct {
	Interface  string
	Link       uint32 // LINKTYPE_ number
	Filter     string // in force while recording; may be empty
	Authorized string // the operator's statement that this traffic may be recorded
}

// Comments of a section header that begin so carry the operator's statement and the filter.
const (
	authorizedComment = "authorized: "
	filterComment     = "filter: "
)

// Options of pcapng blocks (draft-ietf-opsawg-pcapng).
const (
	optEnd       = 0
	optComment   = 1
	optUserAppl  = 4 // of a section
	optName      = 2 // of an interface
	optResolv    = 9 // of an interface: the clock's resolution
	optPackFlags = 2 // of a packet: bit 0 received, bit 1 sent
	optReceived  = 4 // of statistics
	optDropped   = 5 // of statistics

	microseconds = 6     // 10^-6 s
	longest      = 65535 // bytes of an option
)

// Writer writes a pcapng of one section and one interface, little-endian, in microseconds. After Flush the file ends with a
// whole block.
type Writer struct {
	w     *bufio.Writer
	block []byte
	n     int64 // bytes written
}

// NewWriter writes the heading.
func NewWriter(w io.Writer, h Heading) (*Writer, error) {
	x := &Writer{w: bufio.NewWriterSize(w, 1<<20)}
	le := binary.LittleEndian
	x.begin(blockSection)
	x.block = le.AppendUint32(x.block, byteOrderMagic)
	x.block = le.AppendUint32(x.block, 1) // version 1.0
	x.block = le.AppendUint64(x.block, ^uint64(0))
	x.option(optUserAppl, []byte("earshot"))
	if h.Authorized != "" {
		x.option(optComment, []byte(authorizedComment+h.Authorized))
	}
	if h.Filter != "" {
		x.option(optComment, []byte(filterComment+h.Filter))
	}
	x.option(optEnd, nil)
	if err := x.end(); err != nil {
		return nil, err
	}
	x.begin(blockInterface)
	x.block = le.AppendUint16(x.block, uint16(h.Link))
	x.block = le.AppendUint16(x.block, 0)
	x.block = le.AppendUint32(x.block, 0) // snapshot length: none
	x.option(optName, []byte(h.Interface))
	x.option(optResolv, []byte{microseconds})
	x.option(optEnd, nil)
	return x, x.end()
}

// Packet writes one packet: its time in Unix microseconds, its length on the wire and its bytes.
func (x *Writer) Packet(unixUS, wire int64, frame []byte, sent bool) error {
	le := binary.LittleEndian
	x.begin(blockEnhanced)
	for _, v := range []uint32{0, uint32(uint64(unixUS) >> 32), uint32(unixUS), uint32(len(frame)), uint32(wire)} {
		x.block = le.AppendUint32(x.block, v)
	}
	x.padded(frame)
	flags := uint32(1)
	if sent {
		flags = 2
	}
	x.option(optPackFlags, le.AppendUint32(nil, flags))
	x.option(optEnd, nil)
	return x.end()
}

// Statistics ends a file: packets that passed the filter, and those of them that were lost.
func (x *Writer) Statistics(unixUS, received, dropped int64) error {
	le := binary.LittleEndian
	x.begin(blockStatistics)
	for _, v := range []uint32{0, uint32(uint64(unixUS) >> 32), uint32(unixUS)} {
		x.block = le.AppendUint32(x.block, v)
	}
	x.option(optReceived, le.AppendUint64(nil, uint64(received)))
	x.option(optDropped, le.AppendUint64(nil, uint64(dropped)))
	x.option(optEnd, nil)
	return x.end()
}

// Bytes is how long the file is, what is not flushed yet included.
func (x *Writer) Bytes() int64 { return x.n }

// Flush hands all blocks to the file.
func (x *Writer) Flush() error { return x.w.Flush() }

func (x *Writer) begin(kind uint32) {
	x.block = binary.LittleEndian.AppendUint32(x.block[:0], kind)
	x.block = append(x.block, 0, 0, 0, 0) // the length, see end
}

func (x *Writer) padded(b []byte) {
	x.block = append(x.block, b...)
	x.block = append(x.block, make([]byte, -len(b)&3)...)
}

func (x *Writer) option(code uint16, value []byte) {
	value = value[:min(len(value), longest)]
	x.block = binary.LittleEndian.AppendUint16(x.block, code)
	x.block = binary.LittleEndian.AppendUint16(x.block, uint16(len(value)))
	x.padded(value)
}

func (x *Writer) end() error {
	n := uint32(len(x.block) + 4)
	binary.LittleEndian.PutUint32(x.block[4:], n)
	x.block = binary.LittleEndian.AppendUint32(x.block, n)
	x.n += int64(n)
	_, err := x.w.Write(x.block)
	return err
}

// Statement returns what the file says of its recording: the operator's statement, and the filter that was in force. Both
// are empty for files of other programs.
func (r *Reader) Statement() (authorized, filter string) {
	p, ok := r.file.(*pcapngFile)
	if !ok {
		return "", ""
	}
	for _, c := range p.comments {
		if s, ok := strings.CutPrefix(c, authorizedComment); ok {
			authorized = s
		}
		if s, ok := strings.CutPrefix(c, filterComment); ok {
			filter = s
		}
	}
	return authorized, filter
}
