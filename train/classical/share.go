package classical

import "sync"

// shared is a fold of a search: its rows, and what the fits of many points on them have in common. Everything is made once,
// by the first point that asks, and is what that point would have made by itself, so that sharing changes no answer.
type shared struct {
	x         Matrix // training rows
	y         []int
	test      Matrix
	neighbors int // the most that a point asks for

	mu   sync.Mutex
	made map[any]*onceMade
	room int // bytes
}

type onceMade struct {
	once sync.Once
	v    any
}

// sharer is a model that can make use of a fold. Fit and Predict are then asked about its rows alone.
type sharer interface {
	on(*shared)
}

// share returns what key stands for, which takes the given bytes. Without a fold or room it is made for the caller alone.
func share[T any](s *shared, key any, bytes int, make func() T) T {
	if s == nil {
		return make()
	}
	s.mu.Lock()
	m := s.made[key]
	if m == nil && bytes <= s.room {
		m = &onceMade{}
		s.made[key] = m
		s.room -= bytes
	}
	s.mu.Unlock()
	if m == nil {
		return make()
	}
	m.once.Do(func() { m.v = make() })
	return m.v.(T)
}

// asks says whether x is the fold's test rows.
func (s *shared) asks(x Matrix) bool {
	return s != nil && len(x.X) > 0 && len(x.X) == len(s.test.X) && &x.X[0] == &s.test.X[0]
}

// foldShares hands out the folds of a search: for each the plain rows and the standardized ones.
type foldShares struct {
	x         Matrix
	y         []int
	k         int
	folds     []Fold
	neighbors int
	mu        sync.Mutex
	of        map[foldKey]*shared
	left      []int // points that still have to ask
}

type foldKey struct {
	fold   int
	scaled bool
}

// shareRoom bounds what is kept for one fold.
const shareRoom = 128 << 20

func (s *Search) shares(x Matrix, y []int, k int, folds []Fold) *foldShares {
	h := &foldShares{x: x, y: y, k: k, folds: folds, of: map[foldKey]*shared{}, left: make([]int, len(folds))}
	for f := range folds {
		h.left[f] = len(s.Points)
	}
	for _, p := range s.Points {
		if c, err := New(p.Model, p.Settings); err == nil {
			if m, ok := c.(*KNN); ok {
				h.neighbors = max(h.neighbors, m.neighbors())
			}
		}
	}
	return h
}

// get returns a fold's rows, standardized by the training rows when scaled.
func (h *foldShares) get(fold int, scaled bool) (*shared, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := foldKey{fold, scaled}
	if s := h.of[key]; s != nil {
		return s, nil
	}
	f := h.folds[fold]
	s := &shared{x: h.x.Rows(f.Train), y: pick(h.y, f.Train), test: h.x.Rows(f.Test), made: map[any]*onceMade{}, room: shareRoom}
	s.neighbors = min(h.neighbors, s.x.N)
	if scaled {
		if err := check("pipeline", s.x, s.y, h.k); err != nil {
			return nil, err
		}
		var scaler Scaler
		scaler.Fit(s.x)
		s.x, s.test = scaler.Apply(s.x), scaler.Apply(s.test)
	}
	h.of[key] = s
	return s, nil
}

// shareScaled says whether a point's model takes a fold's standardized rows. Ridge standardizes as it reads, which rounds
// otherwise, so that it keeps its own scaler and takes the plain ones.
func shareScaled(c Classifier, scale bool) (Classifier, bool) {
	if _, ok := c.(*Ridge); ok && scale {
		return &Pipeline{Model: c}, false
	}
	return c, scale
}

// done forgets a fold after its last point.
func (h *foldShares) done(fold int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left[fold]--; h.left[fold] == 0 {
		delete(h.of, foldKey{fold, false})
		delete(h.of, foldKey{fold, true})
	}
}
