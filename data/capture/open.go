package capture

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the largest window that the zstd program itself accepts without being told to.
const maxZstdWindow = 128 << 20

var errNotCapture = errors.New("not a capture: neither pcap nor pcapng, plain or compressed by gzip or zstd; name a capture (data import reads csv, npz and UCR files with --format)")

// open looks at the first bytes, unpacks at most one layer of compression and chooses the container.
func (r *Reader) open(src io.Reader) error {
	r.window = newWindow(src)
	r.packed = r.window
	if unpack := compression(r.window.peek(4)); unpack != nil {
		packed := &windowReader{r.window}
		r.closers = append(r.closers, func() error { packed.w.free(); return nil })
		plain, done, err := unpack(packed)
		if err != nil {
			return fmt.Errorf("not readable: %w", err)
		}
		if done != nil {
			r.closers = append([]func() error{done}, r.closers...)
		}
		r.window = newWindow(plain)
	}
	file, err := newContainer(r.window)
	if err != nil {
		return err
	}
	r.file = file
	return nil
}

// compression tells a compressed stream by its magic; nil when it is none.
func compression(head []byte) func(io.Reader) (plain io.Reader, done func() error, err error) {
	switch {
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b:
		return func(src io.Reader) (io.Reader, func() error, error) {
			z, err := gzip.NewReader(src)
			return z, nil, err
		}
	case len(head) == 4 && le32(head) == 0xfd2fb528:
		return func(src io.Reader) (io.Reader, func() error, error) {
			z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
			if err != nil {
				return nil, nil, err
			}
			return z, func() error { z.Close(); return nil }, nil
		}
	}
	return nil
}

// newContainer tells the file format by its magic.
func newContainer(w *window) (container, error) {
	head := w.peek(4)
	if len(head) < 4 {
		if w.err != nil && w.err != io.EOF {
			return nil, fmt.Errorf("not readable: %w", w.err)
		}
		if len(head) == 0 {
			return nil, errors.New("is empty (0 bytes); record or copy it again")
		}
		return nil, errNotCapture
	}
	switch {
	case isPcap(head):
		return newPcap(w)
	case le32(head) == blockSection:
		return newPcapng(w)
	}
	return nil, errNotCapture
}

// windowReader reads a window as a stream.
type windowReader struct{ w *window }

func (r *windowReader) Read(p []byte) (int, error) {
	b := r.w.peek(1)
	if len(b) == 0 {
		return 0, r.w.err
	}
	b = r.w.peek(min(len(p), r.w.end-r.w.pos))
	r.w.take(copy(p, b))
	return len(b), nil
}

// IsCapture reports whether the file starts like a capture, looking through gzip and zstd. A damaged capture is one
// too. The error is about reading the file, not about its content.
func IsCapture(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("capture: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("capture: %w", err)
	}
	if !st.Mode().IsRegular() {
		return false, nil
	}
	var src io.Reader = f
	var head [4]byte
	n, err := io.ReadFull(src, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, fmt.Errorf("capture: %w", err)
	}
	if unpack := compression(head[:n]); unpack != nil {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return false, fmt.Errorf("capture: %w", err)
		}
		plain, done, err := unpack(f)
		if err != nil {
			return false, nil
		}
		if done != nil {
			defer done()
		}
		n, _ = io.ReadFull(plain, head[:])
	}
	return n == 4 && (isPcap(head[:]) || le32(head[:]) == blockSection), nil
}
