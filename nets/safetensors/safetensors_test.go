package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	in := []Tensor{
		{Name: "convblock1.0.weight", Shape: []int{2, 1, 3}, F32: []float32{1, -2, 3.5, float32(math.Inf(1)), math.SmallestNonzeroFloat32, 0}},
		{Name: "convblock1.1.num_batches_tracked", Shape: []int{}, I64: []int64{1 << 40}},
		{Name: "empty", Shape: []int{0, 4}, F32: []float32{}},
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := Write(path, in); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range in {
		if !reflect.DeepEqual(got[w.Name], w) {
			t.Errorf("%s: got %+v, want %+v", w.Name, got[w.Name], w)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func file(header string, data ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

func TestTypesWiden(t *testing.T) {
	// 1.5 in every type; the half also as its smallest subnormal (2^-24) and as minus infinity.
	b := file(`{"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]},"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}`,
		0x00, 0x3e, 0x01, 0x00, 0x00, 0xfc, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f)
	m, err := decode(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m["h"].F32, []float32{1.5, 1.0 / (1 << 24), float32(math.Inf(-1))}; !reflect.DeepEqual(got, want) {
		t.Errorf("half: %v, want %v", got, want)
	}
	if m["b"].F32[0] != 1.5 || m["d"].F32[0] != 1.5 {
		t.Errorf("bfloat16 %v, float64 %v, want 1.5", m["b"].F32, m["d"].F32)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"empty file", "shorter than a header", nil},
		{"header length", "header claims", binary.LittleEndian.AppendUint64(nil, 1<<60)},
		{"not json", "header:", file(`{"a":`)},
		{"outside", "outside the file", file(`{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`)},
		{"shape", "does not take", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 0, 0, 0, 0)},
		{"overflow", "shape", file(`{"a":{"dtype":"F32","shape":[4611686018427387904,4,4],"data_offsets":[0,4]}}`, 0, 0, 0, 0)},
		{"negative", "shape", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 0, 0, 0, 0)},
		{"type", "of type U8", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 0)},
		{"overlap", "overlap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 0, 0, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(bytes.NewReader(c.b), int64(len(c.b)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode([]Tensor{{Name: "a", Shape: []int{2}, F32: []float32{1, 2}}, {Name: "n", I64: []int64{3}}}))
	f.Add(file(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var total int
		for _, x := range m {
			total += 2 * len(x.F32)
		}
		if total > len(b) {
			t.Fatalf("%d bytes of values from a file of %d", total, len(b))
		}
	})
}
