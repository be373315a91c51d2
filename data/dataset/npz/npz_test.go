package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestNumPy reads what NumPy wrote (testdata/gen_numpy.py), stored and compressed.
func TestNumPy(t *testing.T) {
	inf := math.Inf(1)
	f2 := func(last float64) []float32 { return []float32{0, 1, -2.5, 65504, 5.9604645e-8, float32(last)} }
	quarters := []float32{0, .25, .5, .75, 1, 1.25}
	thirds := []float64{0, 1. / 3, 2. / 3, 1, 4. / 3, 5. / 3}
	cube := make([]int64, 24)
	for i := range cube {
		cube[i] = int64(i)
	}
	i64 := []int64{math.MinInt64, math.MaxInt64}
	text := []string{"a", "song ♪", ""}
	want := map[string]Array{
		"f2":         {Shape: []int{2, 3}, DType: "<f2", F32: f2(inf)},
		"f2be":       {Shape: []int{2, 3}, DType: ">f2", F32: f2(-inf)},
		"f4":         {Shape: []int{2, 3}, DType: "<f4", F32: quarters},
		"f4be":       {Shape: []int{2, 3}, DType: ">f4", F32: quarters},
		"f4fortran":  {Shape: []int{2, 3}, DType: "<f4", F32: []float32{0, 1, 2, 3, 4, 5}},
		"f8":         {Shape: []int{2, 3}, DType: "<f8", F64: thirds},
		"f8be":       {Shape: []int{2, 3}, DType: ">f8", F64: thirds},
		"i1":         {Shape: []int{2}, DType: "|i1", I32: []int32{-128, 127}},
		"u1":         {Shape: []int{2}, DType: "|u1", I32: []int32{0, 255}},
		"i2":         {Shape: []int{2}, DType: "<i2", I32: []int32{-32768, 32767}},
		"u2be":       {Shape: []int{2}, DType: ">u2", I32: []int32{0, 65535}},
		"i4":         {Shape: []int{2}, DType: "<i4", I32: []int32{math.MinInt32, math.MaxInt32}},
		"u4":         {Shape: []int{2}, DType: "<u4", I64: []int64{0, math.MaxUint32}},
		"i8":         {Shape: []int{2}, DType: "<i8", I64: i64},
		"i8be":       {Shape: []int{2}, DType: ">i8", I64: i64},
		"u8":         {Shape: []int{2}, DType: "<u8", I64: []int64{0, math.MaxInt64}},
		"bool":       {Shape: []int{2, 2}, DType: "|b1", Bool: []bool{true, false, false, true}},
		"str":        {Shape: []int{3}, DType: "<U6", Str: text},
		"strbe":      {Shape: []int{3}, DType: ">U6", Str: text},
		"strfortran": {Shape: []int{2, 2}, DType: "<U1", Str: []string{"a", "b", "c", "d"}},
		"cube":       {Shape: []int{2, 3, 4}, DType: "<i8", I64: cube},
		"scalar":     {Shape: []int{}, DType: "<i8", I64: []int64{42}},
		"none":       {Shape: []int{0, 3}, DType: "<f4", F32: []float32{}},
	}
	for _, file := range []string{"stored.npz", "compressed.npz"} {
		got, err := Read("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range want {
			if !reflect.DeepEqual(got[name], w) {
				t.Errorf("%s: %s:\n got %+v\nwant %+v", file, name, got[name], w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d arrays, want %d", file, len(got), len(want))
		}
	}
	for _, read := range []func() (Array, error){
		func() (Array, error) { return ReadNPY("testdata/single.npy") },
		func() (Array, error) { m, err := Read("testdata/single.npy"); return m["X"], err },
	} {
		if a, err := read(); err != nil || !reflect.DeepEqual(a.F32, []float32{0, 1, 2, 3, 4, 5}) || !reflect.DeepEqual(a.Shape, []int{2, 3}) {
			t.Error(a, err)
		}
	}
	if m, err := Read("testdata/version2.npz"); err != nil || !reflect.DeepEqual(m["v"].I32, []int32{0, 1, 2, 3, 4, 5}) {
		t.Error(m, err)
	}
	if names, err := Names("testdata/stored.npz"); err != nil || len(names) != len(want) {
		t.Error(names, err)
	}
}

func TestRefused(t *testing.T) {
	for file, why := range map[string]string{
		"object.npz":   "npz: testdata/object.npz: o.npy: object arrays (pickles) are refused",
		"struct.npz":   "structured arrays are not supported",
		"toobig.npz":   "u.npy: element 0: 9223372036854775808 does not fit into 63 bits",
		"gen_numpy.py": "no .npz (a zip of arrays), or a part of one; save or copy it again",
	} {
		if _, err := Read("testdata/" + file); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s", file, err, why)
		}
	}
}

// npy builds a file from a header's text and its elements.
func npy(head string, body []byte) []byte {
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(head)))
	return append(append(b, head...), body...)
}

func TestHostile(t *testing.T) {
	for _, tc := range []struct{ name, head, err string }{
		{"claims more than there is", "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", "needs more than"},
		{"product overflows", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }", "too large"},
		{"zero hides an overflow", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }", "too large"},
		{"negative", "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "shape (-1,)"},
		{"wide text", "{'descr': '<U9999999', 'fortran_order': False, 'shape': (1,), }", "needs more than"},
		{"empty text", "{'descr': '<U0', 'fortran_order': False, 'shape': (999999999,), }", "needs more than"},
		{"no shape", "{'descr': '<f8', 'fortran_order': False}", "lacks"},
		{"twice", "{'descr': '<f8', 'descr': '<f4'}", `key "descr"`},
		{"unknown", "{'descr': '<f8', 'order': False}", `unknown key "order"`},
		{"type", "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", `type "<c8" is not supported`},
		{"order", "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,), }", "fortran_order"},
		{"many dimensions", "{'descr': '<f8', 'fortran_order': False, 'shape': (" + strings.Repeat("1,", 65) + "), }", "more than 64"},
		{"not a dictionary", "[1, 2]", "no dictionary"},
		{"string without end", "{'descr", "no dictionary"},
	} {
		b := npy(tc.head, make([]byte, 64))
		if _, err := readArray(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.err)
		}
	}
	// A cut file, at every length.
	whole := npy("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", make([]byte, 6))
	for n := range len(whole) {
		if _, err := readArray(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
	// A zip entry that says more than its bytes can unpack to.
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, _ := z.CreateRaw(&zip.FileHeader{Name: "x.npy", Method: zip.Deflate, CompressedSize64: 3, UncompressedSize64: 1 << 40})
	w.Write([]byte{3, 0, 0})
	z.Close()
	if _, err := ReadFrom(bytes.NewReader(buf.Bytes()), int64(buf.Len())); err == nil || !strings.Contains(err.Error(), "more than 3 compressed bytes can hold") {
		t.Error(err)
	}
}

func written() []Named {
	f := []float32{0, .25, .5, .75, 1, 1.25}
	return []Named{
		{"f32", Float32(f, 1, 2, 3)},
		{"f64", Float64([]float64{0.1, math.Inf(-1)})},
		{"i64", Int64([]int64{math.MinInt64, math.MaxInt64}, 2, 1)},
		{"i32", Int32([]int32{-1, 2})},
		{"str", Strings([]string{"a", "song ♪", ""})},
		{"bool", Array{Shape: []int{2}, Bool: []bool{true, false}}},
		{"scalar", Scalar(7)},
		{"none", Float32(nil, 0, 4)},
	}
}

func TestRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.npz")
	if err := Write(file, written()...); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range written() {
		g := got[n.Name]
		g.DType = ""
		if n.F32 == nil && n.Name == "none" {
			n.F32 = []float32{}
		}
		if !reflect.DeepEqual(g, n.Array) {
			t.Errorf("%s: got %+v, want %+v", n.Name, g, n.Array)
		}
	}
	var one, two bytes.Buffer
	if WriteTo(&one, written()...) != nil || WriteTo(&two, written()...) != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same arrays give different bytes")
	}
	if err := Write(file, Named{"x", Float32([]float32{1}, 2)}); err == nil || !strings.Contains(err.Error(), "1 elements for shape [2]") {
		t.Error(err)
	}
	if m, err := Read(file); err != nil || len(m) != len(written()) {
		t.Error("a failed write touched the file that was there", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".tmp-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

// TestPython lets NumPy read what Write wrote, where there is one.
func TestPython(t *testing.T) {
	interpreter, ok := python("numpy")
	if !ok {
		t.Skip("no python with numpy; set EARSHOT_PYTHON")
	}
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "a.npz"), written()...); err != nil {
		t.Fatal(err)
	}
	if err := WriteNPY(filepath.Join(dir, "a.npy"), Float32([]float32{0, 1, 2, 3, 4, 5}, 2, 3)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(interpreter, "testdata/check_numpy.py", filepath.Join(dir, "a.npz"), filepath.Join(dir, "a.npy")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// python is an interpreter that has the module: $EARSHOT_PYTHON, else python3.
func python(module string) (string, bool) {
	p := os.Getenv("EARSHOT_PYTHON")
	if p == "" {
		p = "python3"
	}
	return p, exec.Command(p, "-c", "import "+module).Run() == nil
}

func TestConversions(t *testing.T) {
	a := Array{Shape: []int{2}, F64: []float64{1, 2.5}}
	if v, err := a.AsFloat32(); err != nil || v[1] != 2.5 {
		t.Error(v, err)
	}
	if _, err := a.AsInt64(); err == nil || err.Error() != "npz: element 1: 2.5 is not a whole number" {
		t.Error(err)
	}
	i := Int64([]int64{3, 4})
	if v, err := i.AsStrings(); err != nil || fmt.Sprint(v) != "[3 4]" {
		t.Error(v, err)
	}
	s := Strings([]string{"a"})
	if _, err := s.AsFloat64(); err == nil {
		t.Error("text became numbers")
	}
}

func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float32{0: 0, 0x3c00: 1, 0xc100: -2.5, 0x7bff: 65504, 1: 1.0 / (1 << 24), 0x03ff: 1023.0 / (1 << 24), 0x0400: 1.0 / (1 << 14), 0xfc00: float32(math.Inf(-1))} {
		if got := halfToFloat(h); got != want {
			t.Errorf("%#04x: %v, want %v", h, got, want)
		}
	}
	if !math.IsNaN(float64(halfToFloat(0x7e00))) || !math.Signbit(float64(halfToFloat(0x8000))) {
		t.Error("NaN or -0")
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.np?")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := readArray(bytes.NewReader(b), int64(len(b))); err == nil {
			check(t, a)
		}
		m, err := ReadFrom(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, a := range m {
			check(t, a)
		}
	})
}

// check holds an array that was read against its own shape, by writing it.
func check(t *testing.T, a Array) {
	if _, _, err := a.size(); err != nil {
		t.Error(err)
	}
}
