package binning

import "gorgonia.org/tensor"

// Tensor is the series of N captures with what a table needs to know about each row. Rows are in order of capture_id.
type Tensor struct {
	X       []float32 // (N, C, T)
	N, C, T int

	Y       []int    // (N), index into Classes
	Classes []string // (K), sorted

	CaptureID []int64  // (N)
	Source    []string // (N)
	Touched   []Touched
	Config    Config
}

// Row returns the (C, T) series of row i; it is not a copy.
func (t *Tensor) Row(i int) []float32 {
	n := t.C * t.T
	return t.X[i*n : (i+1)*n : (i+1)*n]
}

// Subset returns a copy of the given rows, in the given order. The classes stay, also those that lose all rows.
func (t *Tensor) Subset(rows []int) *Tensor {
	s := &Tensor{N: len(rows), C: t.C, T: t.T, Classes: t.Classes, Config: t.Config}
	s.X = make([]float32, 0, len(rows)*t.C*t.T)
	for _, i := range rows {
		s.X = append(s.X, t.Row(i)...)
		s.Y = append(s.Y, t.Y[i])
		s.CaptureID = append(s.CaptureID, t.CaptureID[i])
		s.Source = append(s.Source, t.Source[i])
		s.Touched = append(s.Touched, t.Touched[i])
	}
	return s
}

// Dense returns X as a (N, C, T) tensor over the same memory.
func (t *Tensor) Dense() *tensor.Dense {
	return tensor.New(tensor.WithShape(t.N, t.C, t.T), tensor.WithBacking(t.X))
}
