package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
)

// Data is a training set: N rows of C channels and T steps, row-major, as they came from binning, and the class of each
// row as an index of Classes.
type Data struct {
	X       []float32 // (N, C, T)
	N, C, T int
	Y       []int // (N)
	Classes []string
}

func (d Data) check() error {
	if d.N < 1 {
		return fmt.Errorf("train: data: no rows; check the labels and the split")
	}
	if len(d.X) != d.N*d.C*d.T || len(d.Y) != d.N {
		return fmt.Errorf("train: data: %d values and %d labels for %d x %d x %d", len(d.X), len(d.Y), d.N, d.C, d.T)
	}
	for i, y := range d.Y {
		if y < 0 || y >= len(d.Classes) {
			return fmt.Errorf("train: data: row %d: class %d of %d", i, y, len(d.Classes))
		}
	}
	for i, v := range d.X {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("train: data: row %d: value %v; clean the input", i/(d.C*d.T), v)
		}
	}
	return nil
}

// digest is over every bit of rows and labels: a checkpoint fits its own data only.
func (d Data) digest() string {
	h := sha256.New()
	fmt.Fprintln(h, d.N, d.C, d.T, d.Y, d.Classes)
	b := make([]byte, 0, 1<<16)
	for _, v := range d.X {
		if b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v)); len(b) == cap(b) {
			h.Write(b)
			b = b[:0]
		}
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// shuffled is the order of n rows in an epoch: a function of seed and epoch alone, so that a resumed training finds it
// again.
func shuffled(n int, seed uint64, epoch int) []int {
	return rand.New(rand.NewPCG(seed, 0x65706f6368<<24|uint64(epoch))).Perm(n) // the word "epoch" keeps streams apart
}

// gather copies the given rows into x and y and normalizes them.
func (d Data) gather(rows []int, norm Normalizer, x []float32, y []int32) ([]float32, []int32) {
	w := d.C * d.T
	for i, r := range rows {
		copy(x[i*w:(i+1)*w], d.X[r*w:(r+1)*w])
		y[i] = int32(d.Y[r])
	}
	x, y = x[:len(rows)*w], y[:len(rows)]
	norm.Apply(x, d.C, d.T)
	return x, y
}
