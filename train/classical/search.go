package classical

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"earshot/train/metrics"
)

// Score judges predictions: the larger the better.
type Score func(truth, pred []int, k int) float64

// Accuracy is the share of right answers.
func Accuracy(truth, pred []int, k int) float64 {
	return metrics.NewConfusion(truth, pred, k).Accuracy()
}

// MacroF1 is the mean of the classes' F1.
func MacroF1(truth, pred []int, k int) float64 {
	return metrics.NewConfusion(truth, pred, k).MacroF1()
}

// BalancedAccuracy is the mean recall of the classes that occur.
func BalancedAccuracy(truth, pred []int, k int) float64 {
	c := metrics.NewConfusion(truth, pred, k)
	sum, n := 0.0, 0
	for i, r := range c.Recall() {
		if c.Actual()[i] > 0 {
			sum, n = sum+r, n+1
		}
	}
	return sum / float64(max(1, n))
}

// Point is a whole pipeline: a model with its settings, behind a scaler when Scale is set. Scaler and model are fitted on
// the training rows of a fold alone.
type Point struct {
	Model    string            `json:"model"`
	Settings map[string]string `json:"settings"`
	Scale    bool              `json:"scale,omitempty"`
}

// New makes the pipeline. seed is used where the settings name no random_state; threads 0 means all processors.
func (p Point) New(seed uint64, threads int) (Classifier, error) {
	c, err := p.model(seed, threads)
	if err == nil && p.Scale {
		return &Pipeline{Model: c}, nil
	}
	return c, err
}

func (p Point) model(seed uint64, threads int) (Classifier, error) {
	set := map[string]string{"random_state": strconv.FormatUint(seed, 10), "n_jobs": strconv.Itoa(threads)}
	maps.Copy(set, p.Settings)
	return New(p.Model, set)
}

// Grid is every combination of the values of axes, names in alphabetical order, the last one changing fastest; base is
// common to all.
func Grid(base Point, axes map[string][]string) []Point {
	points := []Point{base}
	for _, name := range slices.Sorted(maps.Keys(axes)) {
		var next []Point
		for _, p := range points {
			for _, v := range axes[name] {
				q := p
				q.Settings = map[string]string{name: v}
				for k, w := range p.Settings {
					if k != name {
						q.Settings[k] = w
					}
				}
				next = append(next, q)
			}
		}
		points = next
	}
	return points
}

// Draw makes the value of a setting in a random search.
type Draw func(rng *rand.Rand) string

// OneOf draws one of the values.
func OneOf(values ...string) Draw {
	return func(rng *rand.Rand) string { return values[rng.IntN(len(values))] }
}

// LogUniform draws from lo to hi with an even chance for each factor.
func LogUniform(lo, hi float64) Draw {
	return func(rng *rand.Rand) string {
		return strconv.FormatFloat(lo*math.Pow(hi/lo, rng.Float64()), 'g', 6, 64)
	}
}

// Random draws n points.
func Random(base Point, axes map[string]Draw, n int, seed uint64) []Point {
	rng := rand.New(rand.NewPCG(seed, 0x647261777321))
	points := make([]Point, n)
	for i := range points {
		points[i] = base
		points[i].Settings = maps.Clone(base.Settings)
		if points[i].Settings == nil {
			points[i].Settings = map[string]string{}
		}
		for _, name := range slices.Sorted(maps.Keys(axes)) {
			points[i].Settings[name] = axes[name](rng)
		}
	}
	return points
}

// Search fits points on folds. The zero Score is Accuracy.
type Search struct {
	Points  []Point
	Score   Score
	Seed    uint64                                                      // of the models; the same for every point and fold
	Threads int                                                         // 0: all processors; fits run side by side, each on one thread
	Make    func(p Point, seed uint64, threads int) (Classifier, error) // a point's model, without its scaler; nil: New. Its error ends the search
}

// Result is what a search found.
type Result struct {
	Scores [][]float64 // (points, folds)
	Mean   []float64   // (points)
	Best   int         // first point with the largest mean
}

func (s *Search) score() Score {
	if s.Score == nil {
		return Accuracy
	}
	return s.Score
}

// Run scores every point on every fold.
func (s *Search) Run(x Matrix, y []int, k int, folds []Fold) (Result, error) {
	if len(s.Points) == 0 || len(folds) == 0 {
		return Result{}, fmt.Errorf("search: %d points on %d folds: nothing to do", len(s.Points), len(folds))
	}
	for i, f := range folds {
		if err := f.check(x.N); err != nil {
			return Result{}, fmt.Errorf("search: fold %d: %w", i, err)
		}
	}
	r := Result{Scores: make([][]float64, len(s.Points)), Mean: make([]float64, len(s.Points))}
	for p := range r.Scores {
		r.Scores[p] = make([]float64, len(folds))
	}
	errs := make([]error, len(s.Points)*len(folds))
	h := s.shares(x, y, k, folds)
	parallel(s.Threads, len(errs), func(_, i int) {
		f, p := i/len(s.Points), i%len(s.Points) // fold by fold, so that few are kept at a time
		defer h.done(f)
		pred, err := s.predict(s.Points[p], h, f, k)
		if err != nil {
			errs[p*len(folds)+f] = fmt.Errorf("search: point %d, fold %d: %w", p, f, err)
			return
		}
		r.Scores[p][f] = s.score()(pick(y, folds[f].Test), pred, k)
	})
	for _, err := range errs {
		if err != nil {
			return Result{}, err
		}
	}
	for p, v := range r.Scores {
		for _, a := range v {
			r.Mean[p] += a / float64(len(v))
		}
		if r.Mean[p] > r.Mean[r.Best] {
			r.Best = p
		}
	}
	return r, nil
}

// model makes a point's model, without its scaler.
func (s *Search) model(p Point, threads int) (Classifier, error) {
	if s.Make != nil {
		return s.Make(p, s.Seed, threads)
	}
	return p.model(s.Seed, threads)
}

// predict is fit for a point of a grid, which shares its fold with others, and returns the answers alone.
func (s *Search) predict(p Point, h *foldShares, fold, k int) ([]int, error) {
	c, err := s.model(p, 1)
	if err != nil {
		return nil, err
	}
	c, scaled := shareScaled(c, p.Scale)
	d, err := h.get(fold, scaled)
	if err != nil {
		return nil, err
	}
	if m, ok := c.(sharer); ok {
		m.on(d)
	}
	if err := c.Fit(d.x, d.y, k); err != nil {
		return nil, err
	}
	return c.Predict(d.test), nil
}

// fit learns from a fold's training rows and answers for its test rows.
func (s *Search) fit(p Point, x Matrix, y []int, k int, f Fold, threads int) (Classifier, []int, error) {
	c, err := s.model(p, threads)
	if err == nil {
		if p.Scale {
			c = &Pipeline{Model: c}
		}
		err = c.Fit(x.Rows(f.Train), pick(y, f.Train), k)
	}
	if err != nil {
		return nil, nil, err
	}
	return c, c.Predict(x.Rows(f.Test)), nil
}

func pick(y, rows []int) []int {
	out := make([]int, len(rows))
	for i, r := range rows {
		out[i] = y[r]
	}
	return out
}

// check refuses rows that do not exist and rows on both sides.
func (f Fold) check(n int) error {
	seen := make([]bool, n)
	for _, r := range f.Train {
		if r < 0 || r >= n {
			return fmt.Errorf("row %d of %d", r, n)
		}
		seen[r] = true
	}
	for _, r := range f.Test {
		if r < 0 || r >= n {
			return fmt.Errorf("row %d of %d", r, n)
		}
		if seen[r] {
			return fmt.Errorf("row %d is learned from and tested on", r)
		}
	}
	if len(f.Train) == 0 || len(f.Test) == 0 {
		return errors.New("no rows on one side")
	}
	return nil
}
