package experiments

import "time"

// forecast says how long the rest of a sweep takes, by what its cells took until now. Coarse steps come first in a sweep: by the number
// of cells alone, the rest would seem a tenth of what it is.
type forecast struct {
	threads int // of cells that train no network and share the machine
	left    map[work]float64
	did     map[work]float64
	took    map[work]time.Duration
}

// work is what cells have in common that take the same time for the same amount.
type work struct {
	kind kind
	name string // of the model
}

// amount is what the time of a cell grows with: values that a network or a rocket reads; of other cells, their number.
func amount(s Settings) (work, float64) {
	w := work{s.kind(), s.Net}
	switch w.kind {
	case network:
		return w, float64(s.Points) * float64(s.Steps) * float64(max(1, s.Channels)) * float64(s.Epochs)
	case rocket:
		return w, float64(s.Points) * float64(s.Steps) * float64(max(1, s.Channels))
	case classicModel:
		w.name += " " + s.Representation + " " + s.Part
	}
	return w, 1
}

func newForecast(items []item, threads int) *forecast {
	f := &forecast{threads: threads, left: map[work]float64{}, did: map[work]float64{}, took: map[work]time.Duration{}}
	for _, it := range items {
		w, n := amount(it.settings)
		f.left[w] += n
	}
	return f
}

// end takes a cell off; took is 0 when it was there before.
func (f *forecast) end(s Settings, took time.Duration) {
	w, n := amount(s)
	f.left[w] -= n
	if took > 0 {
		f.did[w] += n
		f.took[w] += took
	}
}

// pace is the time of one unit of work, by the model itself or else by all of its kind; ok is false while none is known.
func (f *forecast) pace(w work) (seconds float64, ok bool) {
	if n := f.did[w]; n > 0 {
		return f.took[w].Seconds() / n, true
	}
	did, took := 0.0, time.Duration(0)
	for o, n := range f.did {
		if o.kind == w.kind {
			did, took = did+n, took+f.took[o]
		}
	}
	return took.Seconds() / did, did > 0
}

// rest is the time that the cells need that are left; 0 while it is not known.
func (f *forecast) rest() time.Duration {
	sum := 0.0
	for w, n := range f.left {
		if n <= 0 {
			continue
		}
		pace, ok := f.pace(w)
		if !ok {
			return 0
		}
		if w.kind == plain || w.kind == classicModel {
			pace /= float64(f.threads)
		}
		sum += n * pace
	}
	return time.Duration(sum * float64(time.Second))
}
