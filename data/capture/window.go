package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// maxRecord is the longest packet that libpcap and Wireshark accept; more means that the file is damaged.
	maxRecord = 262144
	// maxWire is twice the longest packet that Linux joins behind offload (GSO_MAX_SIZE, 512 KiB): a record that claims
	// more on the wire is damaged, and the claim is not counted.
	maxWire = 1 << 20
	// headBytes of a packet are always at hand: link, IP and transport headers end long before.
	headBytes = 4096
	// windowBytes hold the longest record with its header.
	windowBytes = 2 * maxRecord
)

// window is a buffered view of the stream with a fixed size, whatever the file claims. It differs from bufio.Reader in
// that the common peek is small enough to be inlined, which is worth a fifth of the reading time.
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int
	read     int64 // bytes taken from src
	err      error // why src gave no more; io.EOF at its end
}

var windows = sync.Pool{New: func() any { b := make([]byte, windowBytes); return &b }}

func newWindow(src io.Reader) *window { return &window{src: src, buf: *windows.Get().(*[]byte)} }

// free gives the buffer back; a second call does nothing.
func (w *window) free() {
	if w.buf == nil {
		return
	}
	buf := w.buf // the pool keeps the pointer, which must not be into w
	windows.Put(&buf)
	w.buf, w.pos, w.end, w.err = nil, 0, 0, io.ErrClosedPipe
}

// peek returns the next n bytes without taking them, fewer when the stream ends before; n is at most windowBytes.
func (w *window) peek(n int) []byte {
	if w.end-w.pos < n {
		return w.fill(n)
	}
	return w.buf[w.pos : w.pos+n]
}

// take moves past n bytes that were peeked.
func (w *window) take(n int) { w.pos += n }

func (w *window) fill(n int) []byte {
	if w.pos > 0 {
		w.end = copy(w.buf, w.buf[w.pos:w.end])
		w.pos = 0
	}
	for empty := 0; w.end < n && w.err == nil; {
		m, err := w.src.Read(w.buf[w.end:])
		w.end += m
		w.read += int64(m)
		if w.err = err; m == 0 && err == nil {
			if empty++; empty == 100 { // as bufio does with a reader that neither reads nor fails
				w.err = io.ErrNoProgress
			}
		}
	}
	return w.buf[:min(n, w.end)]
}

// skip moves past n bytes and returns how many there were.
func (w *window) skip(n int64) int64 {
	left := n
	for left > 0 {
		b := w.peek(int(min(left, windowBytes)))
		if len(b) == 0 {
			break
		}
		w.take(len(b))
		left -= int64(len(b))
	}
	return n - left
}

// cut describes the end of the stream inside a thing of which have of want bytes are there.
func (w *window) cut(what string, have, want int64) error {
	if w.err != nil && !errors.Is(w.err, io.EOF) {
		return fmt.Errorf("%s: %d of %d bytes are readable: %w", what, have, want, w.err)
	}
	return fmt.Errorf("the file is cut inside %s: %d of %d bytes are there", what, have, want)
}

// ended reports the state before a new record when nothing is left: io.EOF, or why the stream failed.
func (w *window) ended() error {
	if w.err == nil || w.err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("reading the next record: %w", w.err)
}
