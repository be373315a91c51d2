package ref_test

import (
	"fmt"
	"slices"
	"testing"

	"earshot/nets/kernel"
	"earshot/nets/kernel/ref"
)

// conv64 is the cross-correlation of z = act(x) by its definition; z and y lie in tensors of XStride and YStride
// channels, and what y has between the rows stays.
func conv64(p kernel.Conv, z, w, b, y []float64) {
	for n := range p.N {
		for f := range p.F {
			for t := range p.T {
				sum := 0.0
				if b != nil {
					sum = b[f]
				}
				for c := range p.C {
					for k := range p.K {
						if u := t + k*max(p.Dilation, 1) - p.PadLeft; u >= 0 && u < p.T {
							sum += w[(f*p.C+c)*p.K+k] * z[(n*p.XStride+c)*p.T+u]
						}
					}
				}
				y[(n*p.YStride+f)*p.T+t] = sum
			}
		}
	}
}

func TestConv1D(t *testing.T) {
	for _, p := range []kernel.Conv{
		{N: 1, C: 1, F: 1, K: 1, T: 1},
		{N: 2, C: 3, F: 10, K: 5, T: 9, PadLeft: 2},
		{N: 2, C: 2, F: 3, K: 4, T: 7, PadLeft: 1},
		{N: 1, C: 2, F: 3, K: 9, T: 4, PadLeft: 4},
		{N: 2, C: 2, F: 2, K: 3, T: 11, PadLeft: 4, Dilation: 3},
		{N: 3, C: 2, F: 3, K: 3, T: 6, PadLeft: 1, XStride: 5, YStride: 4},
		{N: 1, C: 1, F: 2, K: 3, T: 5, PadLeft: -2},
	} {
		rng, be := newRand(), ref.New(threads)
		wide := p
		wide.XStride, wide.YStride = max(p.XStride, p.C), max(p.YStride, p.F)
		nx, ny := ((p.N-1)*wide.XStride+p.C)*p.T, ((p.N-1)*wide.YStride+p.F)*p.T
		w, wf := normals(rng, p.F*p.C*p.K)
		b, bf := normals(rng, p.F)
		dy, dyf := normals(rng, ny)
		for name, a := range acts(rng, wide.XStride) {
			t.Run(fmt.Sprintf("%+v/%s", p, name), func(t *testing.T) {
				x, xf := normals(rng, nx)
				y, yf := normals(rng, ny)
				z := a.apply(p.N, wide.XStride, p.T, x)
				act := a.narrow()
				if !act.Scale.None() {
					act.Scale, act.Shift = kernel.Host(act.Scale.Host[:p.C]), kernel.Host(act.Shift.Host[:p.C])
				}
				conv64(wide, z, w, b, y)
				be.Conv1D(p, yf, xf, act, wf, bf)
				near(t, "y", yf, y, 1e-5)

				loss := func() float64 { conv64(wide, z, w, b, y); return inside(wide, y, dy) }
				dz := slope(z, loss)
				old, dx := normals(rng, nx)
				for i := range old {
					if c := i / p.T % wide.XStride; c < p.C {
						old[i] += dz[i]
					}
				}
				be.Conv1DBackwardData(p, dx, dyf, wf, true)
				near(t, "dx added", dx, old, 1e-5)
				be.Conv1DBackwardData(p, dx, dyf, wf, false)
				for i := range old {
					if c := i / p.T % wide.XStride; c < p.C {
						old[i] = dz[i]
					}
				}
				near(t, "dx", dx, old, 1e-5)

				_, dw := normals(rng, len(w))
				_, db := normals(rng, len(b))
				be.Conv1DBackwardFilter(p, dw, db, dyf, xf, act)
				near(t, "dw", dw, slope(w, loss), 1e-5)
				near(t, "db", db, slope(b, loss), 1e-5)
				be.Conv1DBackwardFilter(p, dw, kernel.Buf{}, dyf, xf, act)
				near(t, "dw without db", dw, slope(w, loss), 1e-5)
			})
		}
	}
}

// inside is the inner product over the channels that belong to the convolution.
func inside(p kernel.Conv, y, dy []float64) float64 {
	sum := 0.0
	for i := range y {
		if i/p.T%p.YStride < p.F {
			sum += y[i] * dy[i]
		}
	}
	return sum
}

func TestConv1DThreadsDoNotChangeBits(t *testing.T) {
	p := kernel.Conv{N: 3, C: 5, F: 19, K: 3, T: 40, PadLeft: 1}
	var first []float32
	for _, threads := range []int{1, 2, 5} {
		be, rng := ref.New(threads), newRand()
		_, x := normals(rng, p.N*p.C*p.T)
		_, w := normals(rng, p.F*p.C*p.K)
		y, dx, dw := zeros(p.N*p.F*p.T), zeros(x.Len), zeros(w.Len)
		be.Conv1D(p, y, x, kernel.Act{ReLU: true}, w, kernel.Buf{})
		be.Conv1DBackwardData(p, dx, y, w, false)
		be.Conv1DBackwardFilter(p, dw, kernel.Buf{}, y, x, kernel.Act{ReLU: true})
		all := slices.Concat(y.Host, dx.Host, dw.Host)
		if first == nil {
			first = all
		} else if !slices.Equal(first, all) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
	}
}
