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
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

const (
	magic = "\x93NUMPY"
	// maxHeader bounds the text of a header: NumPy itself refuses longer ones.
	maxHeader = 1 << 16
	// maxDims is NumPy's own limit.
	maxDims = 64
	// maxInflate is the largest ratio that deflate can reach; a zip entry that claims more lies.
	maxInflate = 1032
	// chunk is how many bytes are decoded at a time: memory grows with the bytes that have arrived.
	chunk = 1 << 20
)

// Read returns every array of a .npz by its name without ".npy". A .npy is read too, as the array "X".
func Read(path string) (map[string]Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var first [len(magic)]byte
	n, err := f.ReadAt(first[:], 0)
	if n == 0 && err != nil && err != io.EOF {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if string(first[:n]) == magic {
		a, err := readArray(bufio.NewReaderSize(f, chunk), st.Size())
		if err != nil {
			return nil, bad(path, err)
		}
		return map[string]Array{"X": a}, nil
	}
	m, err := ReadFrom(f, st.Size())
	if errors.Is(err, zip.ErrFormat) {
		err = errors.New("no .npz (a zip of arrays), or a part of one")
	}
	if err != nil {
		return nil, bad(path, err)
	}
	return m, nil
}

// bad is the error about the content of a file.
func bad(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) { // it could not be read at all
		return fmt.Errorf("npz: %w", p)
	}
	remedy := ""
	if !strings.Contains(err.Error(), "; ") {
		remedy = "; save or copy it again"
	}
	return fmt.Errorf("npz: %s: %w%s", path, err, remedy)
}

// ReadFrom reads a .npz of size bytes.
func ReadFrom(r io.ReaderAt, size int64) (map[string]Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	arrays := make(map[string]Array)
	for _, e := range z.File {
		name, ok := strings.CutSuffix(e.Name, ".npy")
		if !ok {
			continue // NumPy writes nothing else; others may keep a note in the zip
		}
		if _, twice := arrays[name]; twice {
			return nil, fmt.Errorf("%s: two arrays of this name", e.Name)
		}
		if e.UncompressedSize64 > maxInflate*(e.CompressedSize64+1024) || e.CompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("%s: claims %d bytes, more than %d compressed bytes can hold", e.Name, e.UncompressedSize64, e.CompressedSize64)
		}
		body, err := e.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
		b := bufio.NewReaderSize(body, 1<<16)
		a, err := readArray(b, int64(e.UncompressedSize64))
		if err == nil {
			_, err = b.ReadByte() // the end: here the zip's checksum is compared
			if err == nil {
				err = errors.New("bytes behind the array")
			} else if err == io.EOF {
				err = nil
			}
		}
		body.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
		arrays[name] = a
	}
	return arrays, nil
}

// ReadNPY reads a .npy.
func ReadNPY(path string) (Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return Array{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Array{}, err
	}
	a, err := readArray(bufio.NewReaderSize(f, chunk), st.Size())
	if err != nil {
		return Array{}, bad(path, err)
	}
	return a, nil
}

// readArray reads one array of at most size bytes, header included.
func readArray(r io.Reader, size int64) (Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	n := int64(1)
	for _, d := range h.shape {
		if d != 0 && n > math.MaxInt64/int64(d) {
			return Array{}, fmt.Errorf("shape %v is too large", h.shape)
		}
		n *= int64(d)
	}
	if item := int64(max(h.item, 1)); n > 0 && n > (size-h.bytes)/item {
		return Array{}, fmt.Errorf("shape %v of %s needs more than the %d bytes that are there", h.shape, h.descr, size-h.bytes)
	}
	a := Array{Shape: h.shape, DType: h.descr}
	var order binary.ByteOrder = binary.LittleEndian
	if h.big {
		order = binary.BigEndian
	}
	if err := h.elements(&a, r, int(n), order); err != nil {
		return Array{}, err
	}
	if h.fortran && len(h.shape) > 1 {
		a.transpose()
	}
	return a, nil
}

// elements reads n elements of the header's type into the slice of a that its kind belongs to.
func (h *header) elements(a *Array, r io.Reader, n int, o binary.ByteOrder) (err error) {
	switch h.kind {
	case "f2":
		a.F32, err = read(r, n, 2, func(b []byte) float32 { return halfToFloat(o.Uint16(b)) })
	case "f4":
		a.F32, err = read(r, n, 4, func(b []byte) float32 { return math.Float32frombits(o.Uint32(b)) })
	case "f8":
		a.F64, err = read(r, n, 8, func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) })
	case "i1":
		a.I32, err = read(r, n, 1, func(b []byte) int32 { return int32(int8(b[0])) })
	case "u1":
		a.I32, err = read(r, n, 1, func(b []byte) int32 { return int32(b[0]) })
	case "i2":
		a.I32, err = read(r, n, 2, func(b []byte) int32 { return int32(int16(o.Uint16(b))) })
	case "u2":
		a.I32, err = read(r, n, 2, func(b []byte) int32 { return int32(o.Uint16(b)) })
	case "i4":
		a.I32, err = read(r, n, 4, func(b []byte) int32 { return int32(o.Uint32(b)) })
	case "u4":
		a.I64, err = read(r, n, 4, func(b []byte) int64 { return int64(o.Uint32(b)) })
	case "i8":
		a.I64, err = read(r, n, 8, func(b []byte) int64 { return int64(o.Uint64(b)) })
	case "u8":
		a.I64, err = read(r, n, 8, func(b []byte) int64 { return int64(o.Uint64(b)) })
		for i, v := range a.I64 {
			if v < 0 {
				return fmt.Errorf("element %d: %d does not fit into 63 bits", i, uint64(v))
			}
		}
	case "b1":
		a.Bool, err = read(r, n, 1, func(b []byte) bool { return b[0] != 0 })
	case "U":
		var text []byte
		a.Str, err = read(r, n, h.item, func(b []byte) string {
			text = text[:0]
			for i := 0; i+4 <= len(b); i += 4 {
				text = utf8.AppendRune(text, rune(o.Uint32(b[i:])))
			}
			return strings.TrimRight(string(text), "\x00") // padding; NumPy drops it too
		})
	}
	return err
}

// read decodes n items, growing the slice as bytes arrive.
func read[E any](r io.Reader, n, item int, f func([]byte) E) ([]E, error) {
	if item == 0 { // '<U0': n empty strings, in no bytes at all
		return make([]E, n), nil
	}
	per := max(1, chunk/item)
	v := make([]E, 0, min(n, per))
	buf := make([]byte, min(n, per)*item)
	for len(v) < n {
		b := buf[:min(n-len(v), per)*item]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("cut after %d of %d elements: %w", len(v), n, err)
		}
		for ; len(b) > 0; b = b[item:] {
			v = append(v, f(b[:item]))
		}
	}
	return v, nil
}

// transpose brings elements in Fortran order (first index fastest) into C order.
func (a *Array) transpose() {
	a.F32, a.F64 = transposed(a.F32, a.Shape), transposed(a.F64, a.Shape)
	a.I32, a.I64 = transposed(a.I32, a.Shape), transposed(a.I64, a.Shape)
	a.Bool, a.Str = transposed(a.Bool, a.Shape), transposed(a.Str, a.Shape)
}

func transposed[E any](v []E, shape []int) []E {
	if v == nil {
		return nil
	}
	out := make([]E, len(v))
	stride := make([]int, len(shape)) // of v
	s := 1
	for i, d := range shape {
		stride[i] = s
		s *= d
	}
	at := make([]int, len(shape))
	src := 0
	for i := range out {
		out[i] = v[src]
		for k := len(shape) - 1; k >= 0; k-- {
			at[k]++
			src += stride[k]
			if at[k] < shape[k] {
				break
			}
			src -= stride[k] * shape[k]
			at[k] = 0
		}
	}
	return out
}

// halfToFloat widens IEEE half precision exactly.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp == 0:
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(f))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Names lists the arrays of a .npz without reading them; X for a .npy.
func Names(path string) ([]string, error) {
	z, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) {
		if _, err := ReadNPY(path); err != nil {
			return nil, err
		}
		return []string{"X"}, nil
	}
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var names []string
	for _, e := range z.File {
		if n, ok := strings.CutSuffix(e.Name, ".npy"); ok {
			names = append(names, n)
		}
	}
	return names, nil
}
