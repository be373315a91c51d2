package npz

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// align is where NumPy starts the elements, so that a file can be mapped into memory.
const align = 64

// Write writes a .npz as numpy.savez does, uncompressed, under a temporary name that is renamed at the end: the file is whole or
// it is not there.
func Write(path string, arrays ...Named) error {
	return atomically(path, func(w io.Writer) error { return WriteTo(w, arrays...) })
}

// WriteTo writes a .npz to w. The same arrays give the same bytes.
func WriteTo(w io.Writer, arrays ...Named) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		e, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return err
		}
		if err := writeArray(e, &a.Array); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return z.Close()
}

// WriteNPY writes one array; numpy.load(path, mmap_mode="r") maps it.
func WriteNPY(path string, a Array) error {
	return atomically(path, func(w io.Writer) error { return writeArray(w, &a) })
}

func atomically(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) { // the temporary name says nothing
			p.Path = path
		}
		return fmt.Errorf("npz: %w", err)
	}
	defer os.Remove(f.Name()) // gone after the rename
	b := bufio.NewWriterSize(f, chunk)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("npz: %s: %w", path, err)
	}
	return nil
}

func writeArray(w io.Writer, a *Array) error {
	descr, item, err := a.size()
	if err != nil {
		return err
	}
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = fmt.Sprint(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	pad := align - (len(magic)+4+len(text)+1)%align
	text += strings.Repeat(" ", pad%align) + "\n"
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	le := binary.LittleEndian
	switch {
	case a.F32 != nil:
		return write(w, a.F32, func(b []byte, v float32) []byte { return le.AppendUint32(b, math.Float32bits(v)) })
	case a.F64 != nil:
		return write(w, a.F64, func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) })
	case a.I32 != nil:
		return write(w, a.I32, func(b []byte, v int32) []byte { return le.AppendUint32(b, uint32(v)) })
	case a.I64 != nil:
		return write(w, a.I64, func(b []byte, v int64) []byte { return le.AppendUint64(b, uint64(v)) })
	case a.Bool != nil:
		return write(w, a.Bool, func(b []byte, v bool) []byte {
			if v {
				return append(b, 1)
			}
			return append(b, 0)
		})
	}
	return write(w, a.Str, func(b []byte, v string) []byte {
		n := 0
		for _, r := range v { // a byte that is no UTF-8 becomes U+FFFD
			b = le.AppendUint32(b, uint32(r))
			n += 4
		}
		return append(b, make([]byte, item-n)...)
	})
}

// write encodes v a chunk at a time.
func write[E any](w io.Writer, v []E, f func([]byte, E) []byte) error {
	buf := make([]byte, 0, 1<<16)
	for _, e := range v {
		if buf = f(buf, e); len(buf) >= 1<<16-64 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(buf)
	return err
}
