// Package capture reads packet captures: pcap and pcapng, plain or compressed by gzip or zstd, told by content and not
// by name. Open and Next stream one Record per packet with memory that does not grow with the file; ReadTrace reads a
// whole capture into a trace.Trace and decides the direction of its packets by a Rule.
//
// Lengths are taken from the IP header and from the record's original length, never from the bytes that happen to be
// captured, so a capture cut to 64 bytes per packet counts as the full one does. Payload is what lies above the
// transport header of UDP and TCP, and above the IP header for every other protocol: tunnels are not opened. An IP
// length of 0 (segmentation offload) means the record's length. A packet that is not IP counts in FrameBytes only.
//
// Bytes from outside never panic and never make the reader allocate what a header claims. A capture that is cut or
// damaged yields every packet before the place, and then a *Problem.
//
// This is the only package that knows gopacket, and no gopacket type leaves it. gopacket decodes the link layers that
// are rare (802.11, radiotap, Prism, pflog); its readers lose the end of a cut pcapng without a word, stop at records
// longer than the header's snapshot length and allocate what a header claims, and its layers drop first fragments and
// TCP headers that are cut inside their options. Containers and the common path are therefore read here; tests compare
// the two on every packet that gopacket decodes.
package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"

	"earshot/data/trace"
)

// Record is one packet of a capture. Of the embedded Packet the sizes, the protocol and the TCP fields are filled;
// Time, Direction and Flow belong to a whole capture and are set by an Assembler.
type Record struct {
	UnixUS   int64          // arrival in Unix microseconds, nanoseconds rounded down
	Src, Dst netip.AddrPort // not valid when the packet is not IP; port 0 without UDP or TCP ports
	Damage   *Problem       // a length that no packet has; the sizes are then those of the bytes in the file
	trace.Packet
}

// Decoded reports whether the packet is IP and its header was read.
func (r *Record) Decoded() bool { return r.IPBytes > 0 }

// Problem is where a capture stopped being readable, the packets before it kept; or a record whose header is damaged and
// which was read as far as its bytes go (Record.Damage).
type Problem struct {
	Source string // name of the capture
	Packet int64  // number of the packet at fault, from 1
	Err    error
}

func (p *Problem) Error() string {
	return fmt.Sprintf("capture: %s: packet %d: %v", p.Source, p.Packet, p.Err)
}

func (p *Problem) Unwrap() error { return p.Err }

// Reader streams the packets of one capture. It is not safe for concurrent use.
type Reader struct {
	name    string
	size    int64   // of the file; 0: not known
	packed  *window // the file's own bytes: window, unless they are compressed
	window  *window
	file    container
	closers []func() error

	raw   raw
	links []uint32
	dec   decoder
	n     int64
	err   error
}

// container is a capture file format. next fills in the following packet; the bytes stay valid until the next call.
// It returns io.EOF at a clean end and any other error at a cut or damaged place.
type container interface {
	next(*raw) error
}

// raw is a packet as the container holds it.
type raw struct {
	unixUS int64
	link   uint32 // LINKTYPE_ number of the interface
	length int64  // bytes on the wire
	size   int64  // bytes in the file
	bytes  []byte // of them the first headBytes at least
}

// Open opens a capture file. An error means that nothing in it is readable.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s: is a folder; name a file in it", path)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("capture: %w", err)
	}
	r, err := NewReader(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closers = append(r.closers, f.Close)
	if st.Mode().IsRegular() {
		r.size = st.Size()
	}
	return r, nil
}

// NewReader reads a capture from a stream; name stands in errors. An error means that nothing in it is readable.
func NewReader(src io.Reader, name string) (*Reader, error) {
	r := &Reader{name: name}
	err := r.open(src)
	if err != nil {
		r.Close()
		var p *fs.PathError
		if errors.As(err, &p) {
			return nil, fmt.Errorf("capture: %w", p)
		}
		if !strings.Contains(err.Error(), "; ") {
			return nil, fmt.Errorf("capture: %s: %w; record or copy it again", name, err)
		}
		return nil, fmt.Errorf("capture: %s: %w", name, err)
	}
	return r, nil
}

// Next reads the next packet into p. It returns io.EOF at the clean end and a *Problem where the capture is cut or
// damaged; after either it returns the same again.
func (r *Reader) Next(p *Record) error {
	if r.err != nil {
		return r.err
	}
	if err := r.file.next(&r.raw); err != nil {
		if err != io.EOF {
			err = &Problem{Source: r.name, Packet: r.n + 1, Err: err}
		}
		r.err = err
		return err
	}
	r.n++
	if n := len(r.links); n == 0 || r.links[n-1] != r.raw.link {
		r.sawLink(r.raw.link)
	}
	p.UnixUS, p.Damage = r.raw.unixUS, nil
	if r.raw.length > maxWire {
		p.Damage = &Problem{Source: r.name, Packet: r.n, Err: fmt.Errorf(
			"the record claims %d bytes on the wire, more than a packet can have (%d); its %d bytes in the file are counted", r.raw.length, maxWire, r.raw.size)}
		r.raw.length = r.raw.size
	}
	r.dec.decode(p, &r.raw)
	return nil
}

// sawLink keeps the link types in order of appearance, the current one last.
func (r *Reader) sawLink(link uint32) {
	r.links = slices.DeleteFunc(r.links, func(l uint32) bool { return l == link })
	r.links = append(r.links, link)
}

// Link names the link types of the packets read so far, sorted and joined by commas; a pcap file's from the start.
func (r *Reader) Link() string {
	links := slices.Clone(r.links)
	if p, ok := r.file.(*pcapFile); ok && len(links) == 0 {
		links = append(links, p.link)
	}
	slices.Sort(links)
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = linkName(l)
	}
	return strings.Join(names, ",")
}

// Progress tells how many bytes of the file are read, and its size; the size of a stream is not known and 0.
func (r *Reader) Progress() (read, size int64) {
	if r.packed == nil {
		return r.size, r.size
	}
	return r.packed.read - int64(r.packed.end-r.packed.pos), r.size
}

// Close frees the reader and closes the file that Open opened.
func (r *Reader) Close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c())
	}
	r.closers = nil
	if r.window != nil {
		r.window.free()
		r.window, r.packed = nil, nil
	}
	if r.err == nil {
		r.err = fmt.Errorf("capture: %s: %w", r.name, os.ErrClosed)
	}
	return errors.Join(errs...)
}
