package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Series generates a classification problem of time series as the archives have them: K classes, each a shape of its own in
// white noise of unit variance, drawn anew for the training and the test set.
//
// The shapes are orthogonal, of equal energy, and sum to zero over time, so that neither the level nor the spread of a
// series tells its class. Equally likely classes at d times K orthonormal shapes form a regular simplex; the best possible
// rule correlates with each shape and has accuracy SimplexAccuracy(Classes, d), which is Bayes.
type Series struct {
	Name     string
	Shape    string // ShapeBurst, ShapeWave or ShapeLink
	Classes  int    // K; 2 for ShapeLink
	Channels int    // C; 2 or more for ShapeLink
	Steps    int    // T
	Train    int    // series of each class
	Test     int
	Bayes    float64 // accuracy of the best possible rule, above 1/K and below 1
	Seed     uint64
}

// What tells the classes of Series apart.
const (
	ShapeBurst = "burst" // how often a short wave in the middle swings
	ShapeWave  = "wave"  // how often a wave that fills the series swings
	ShapeLink  = "link"  // whether two channels swing together or against each other
)

// Labelled is a set of labelled series.
type Labelled struct {
	X       []float32 // (N, C, T)
	Y       []int     // (N), 0 to K-1, one class after the other in turn
	N, C, T int
}

// Generate makes the training and the test set. The same value gives the same bits.
func (s Series) Generate() (train, test Labelled, err error) {
	shapes, err := s.shapes()
	if err != nil {
		return train, test, err
	}
	d := SimplexDistance(s.Classes, s.Bayes)
	draw := func(n int, stream uint64) Labelled {
		rng := rand.New(rand.NewPCG(s.Seed, stream))
		out := Labelled{N: n * s.Classes, C: s.Channels, T: s.Steps, X: make([]float32, 0, n*s.Classes*s.Channels*s.Steps)}
		for i := range out.N {
			k := i % s.Classes
			out.Y = append(out.Y, k)
			for _, v := range shapes[k] {
				out.X = append(out.X, float32(d*v+rng.NormFloat64()))
			}
		}
		return out
	}
	return draw(s.Train, 1), draw(s.Test, 2), nil
}

// shapes are K orthonormal vectors of C*T values.
func (s Series) shapes() ([][]float64, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("synth: series %s: "+format, append([]any{s.Name}, args...)...)
	}
	switch {
	case s.Classes < 2 || s.Channels < 1 || s.Train < 1 || s.Test < 1 || s.Steps < 16*s.Classes:
		return nil, bad("%d classes, %d channels, %d steps, %d and %d series of each class; at least 2 classes and 16 steps a class are needed", s.Classes, s.Channels, s.Steps, s.Train, s.Test)
	case !(s.Bayes > 1/float64(s.Classes) && s.Bayes < 1):
		return nil, bad("best accuracy %g; it lies between %.3g (guessing) and 1", s.Bayes, 1/float64(s.Classes))
	case s.Shape == ShapeLink && (s.Classes != 2 || s.Channels < 2):
		return nil, bad("shape link needs 2 classes and at least 2 channels, not %d and %d", s.Classes, s.Channels)
	}
	out := make([][]float64, s.Classes)
	for k := range out {
		out[k] = make([]float64, s.Channels*s.Steps)
		for t := range s.Steps {
			switch s.Shape {
			case ShapeBurst:
				if n, from := 8*s.Classes, s.Steps/2-4*s.Classes; t >= from && t < from+n {
					out[k][t] = wave(t-from, n, 2*(k+1))
				}
			case ShapeWave:
				out[k][t] = wave(t, s.Steps, 3*(k+1))
			case ShapeLink:
				out[k][t] = wave(t, s.Steps, 4)
				out[k][s.Steps+t] = wave(t, s.Steps, 4) * float64(1-2*k)
			default:
				return nil, bad("shape %q: unknown; use %s, %s or %s", s.Shape, ShapeBurst, ShapeWave, ShapeLink)
			}
		}
		norm := 0.0
		for _, v := range out[k] {
			norm += v * v
		}
		for i := range out[k] {
			out[k][i] /= math.Sqrt(norm)
		}
	}
	return out, nil
}

// wave is step t of n of a sine with whole swings, which sums to zero and is orthogonal to others.
func wave(t, n, swings int) float64 {
	return math.Sin(2 * math.Pi * float64(swings) * (float64(t) + 0.5) / float64(n))
}
