// Package safetensors reads and writes the weight format of that name: 8 bytes of header length, a JSON header, then the
// raw little-endian values. Nothing in such a file is executed, and no length in it is believed before it was compared
// with the size of the file.
//
// Float16, bfloat16, float32 and float64 come in and are float32 here; int64 (batch norm's num_batches_tracked) stays
// int64. Other types are an error that names the tensor.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tensor is one named array; either F32 or I64 holds its values, row-major. A scalar has an empty shape and one value.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	I64   []int64
}

// maxHeader bounds the JSON header, as the reference implementation does.
const maxHeader = 100 << 20

type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

var width = map[string]int64{"F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I64": 8}

// Read returns the tensors of a file by name.
func Read(path string) (map[string]Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	m, err := decode(f, st.Size())
	if err != nil {
		var p *fs.PathError
		switch {
		case errors.As(err, &p): // it could not be read at all
			return nil, fmt.Errorf("safetensors: %w", p)
		case !strings.Contains(err.Error(), "; "):
			return nil, fmt.Errorf("safetensors: %s: %w; copy or write it again", path, err)
		}
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return m, nil
}

func decode(r io.ReaderAt, size int64) (map[string]Tensor, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		if err != io.EOF {
			return nil, err
		}
		return nil, errors.New("shorter than a header; is it a safetensors file?")
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("header claims %d bytes in a file of %d; is it a safetensors file?", n, size)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, 8); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	delete(fields, "__metadata__")
	data := size - 8 - int64(n)
	out := make(map[string]Tensor, len(fields))
	var claimed int64
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var e entry
		if err := json.Unmarshal(fields[name], &e); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		count, err := e.check(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		// Overlapping ranges could make a small file ask for much memory.
		if claimed += e.Offsets[1] - e.Offsets[0]; claimed > data {
			return nil, fmt.Errorf("%s: tensors overlap", name)
		}
		b := make([]byte, e.Offsets[1]-e.Offsets[0])
		if _, err := r.ReadAt(b, 8+int64(n)+e.Offsets[0]); err != nil && !(errors.Is(err, io.EOF) && len(b) == 0) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		t := Tensor{Name: name, Shape: e.Shape}
		if e.DType == "I64" {
			t.I64 = make([]int64, count)
			for i := range t.I64 {
				t.I64[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			}
		} else {
			t.F32 = floats(e.DType, b, int(count))
		}
		out[name] = t
	}
	return out, nil
}

// check compares an entry with the bytes that there are and returns its number of values.
func (e *entry) check(data int64) (int64, error) {
	w, ok := width[e.DType]
	if !ok {
		return 0, fmt.Errorf("values of type %s; convert them to F32", e.DType)
	}
	if e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > data {
		return 0, fmt.Errorf("bytes %d to %d lie outside the file's %d", e.Offsets[0], e.Offsets[1], data)
	}
	count := int64(1)
	for _, d := range e.Shape {
		if d < 0 || (d > 0 && count > math.MaxInt64/int64(d)) {
			return 0, fmt.Errorf("shape %v", e.Shape)
		}
		count *= int64(d)
	}
	have := e.Offsets[1] - e.Offsets[0]
	if have%w != 0 || count != have/w {
		return 0, fmt.Errorf("shape %v of %s does not take %d bytes", e.Shape, e.DType, have)
	}
	return count, nil
}

func floats(dtype string, b []byte, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		switch dtype {
		case "F32":
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		case "F64":
			v[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		case "BF16":
			v[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		case "F16":
			v[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
		}
	}
	return v
}

// half widens an IEEE 754 binary16 value; every one is exact in float32.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exp {
	case 0:
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Write stores tensors in the given order: under a temporary name, synced, then renamed, so that path holds the old file
// or the new one and never a part.
func Write(path string, tensors []Tensor) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(Encode(tensors))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return nil
}

// Encode returns the bytes of a file.
func Encode(tensors []Tensor) []byte {
	var head, data bytes.Buffer
	head.WriteString(`{"__metadata__":{"format":"pt"}`)
	for _, t := range tensors {
		e := entry{DType: "F32", Shape: t.Shape, Offsets: [2]int64{int64(data.Len())}}
		if e.Shape == nil {
			e.Shape = []int{}
		}
		if t.I64 != nil {
			e.DType = "I64"
			for _, v := range t.I64 {
				data.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
			}
		} else {
			b := make([]byte, 0, 4*len(t.F32))
			for _, v := range t.F32 {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			data.Write(b)
		}
		e.Offsets[1] = int64(data.Len())
		name, _ := json.Marshal(t.Name)
		body, _ := json.Marshal(e)
		head.WriteByte(',')
		head.Write(name)
		head.WriteByte(':')
		head.Write(body)
	}
	head.WriteByte('}')
	for head.Len()%8 != 0 { // values start aligned, so that a reader may map them
		head.WriteByte(' ')
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(head.Len()))
	return append(append(out, head.Bytes()...), data.Bytes()...)
}
