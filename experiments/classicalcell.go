package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"earshot/train/classical"
)

// answers are what a model says of captures.
type answers struct {
	scores [][]float32 // (N, K)
	class  []int       // (N); nil: the one with the highest score. Votes and rounded scores can be equal.
}

// of is the class of answer i.
func (a answers) of(i int) int {
	if a.class != nil {
		return a.class[i]
	}
	return argmax(a.scores[i])
}

// fitClassical chooses a grid point on folds of the training captures, fits it on all of them and returns what it says of
// test and training captures (EC-40). The table's scaler is fitted on the rows that the model is fitted on (EC-06).
func (s *source) fitClassical(ctx context.Context, kernels string, c *Cell, split Split, rowsTrain, rowsTest []int) (onTest, onTrain answers, err error) {
	t, err := s.table(c.Features, split.Train)
	if err != nil {
		return onTest, onTrain, err
	}
	for _, i := range slices.Concat(rowsTrain, rowsTest) {
		c.Missing += t.missing[i]
	}
	k := len(s.study.Classes)
	x, y := t.x.Rows(rowsTrain), s.classes(rowsTrain)
	if c.Control == ControlPermuted {
		permute(y, c.Settings)
	}
	of := []any{c.Net, c.Control, c.Representation, c.Points, c.Split, c.Seed}
	base := seed("classical", of...)
	// Every fit asks here first, so that an interrupt waits for one fit and not for a search.
	model := func(p classical.Point, seed uint64, threads int) (classical.Classifier, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		resolved := map[string]string{}
		for name, v := range p.Settings {
			resolved[name] = resolve(name, v, t.x.F)
		}
		return newModel(p.Model, resolved, kernels, seed, threads)
	}
	points, same := c.Grid.points(classical.Point{Model: c.Model, Scale: c.Normalize == "train"}, t.x.F)
	best := 0
	if c.Folds > 0 {
		folds, err := classical.StratifiedKFold(y, c.Folds, rand.New(rand.NewPCG(seed("inner folds", c.Points, c.Split, c.Seed), 0)))
		if err != nil {
			return onTest, onTrain, fmt.Errorf("experiments: inner folds: %w", err)
		}
		search := classical.Search{Seed: base, Threads: 1, Make: model}
		at := make([]int, len(points)) // of each point's twin among those that are fitted
		for i, first := range same {
			if first < i {
				at[i] = at[first]
				continue
			}
			at[i] = len(search.Points)
			search.Points = append(search.Points, points[i])
		}
		r, err := search.Run(x, y, k, folds)
		if err != nil {
			return onTest, onTrain, err
		}
		best = slices.Index(at, r.Best)
		c.Inner = r.Mean[r.Best]
	}
	c.Chosen = points[best].Settings
	m, err := model(points[best], base, 1)
	if err == nil {
		if points[best].Scale {
			m = &classical.Pipeline{Model: m}
		}
		err = m.Fit(x, y, k)
	}
	if err != nil {
		return onTest, onTrain, err
	}
	test := t.x.Rows(rowsTest)
	onTest, onTrain = say(m, test, k), say(m, x, k)
	if c.Shuffles > 0 {
		c.Importances = importances(m, t.names, test, s.classes(rowsTest), k, c.Shuffles, seed("shuffles", of...))
	}
	return onTest, onTrain, nil
}

// classes of some rows of the run.
func (s *source) classes(rows []int) []int {
	y := make([]int, len(rows))
	for i, row := range rows {
		y[i] = s.captures[row].Class
	}
	return y
}

// say asks a model about rows.
func say(m classical.Classifier, x classical.Matrix, k int) answers {
	a := answers{class: m.Predict(x)}
	p := m.Proba(x)
	for i := range x.N {
		row := make([]float32, k)
		for j := range row {
			row[j] = float32(p[i*k+j])
		}
		a.scores = append(a.scores, row)
	}
	return a
}

// importances of a fitted model's features: what the model itself says, and what shuffling each of them costs on rows that
// it has not seen (EC-60).
func importances(m classical.Classifier, names []string, x classical.Matrix, y []int, k, shuffles int, seed uint64) []Importance {
	lost, _ := classical.Permutation(m, x, y, k, shuffles, classical.Accuracy, seed, 1)
	inside := m
	if p, ok := m.(*classical.Pipeline); ok {
		inside = p.Model
	}
	var mdi []float64
	if f, ok := inside.(interface{ Importances() []float64 }); ok {
		mdi = f.Importances()
	}
	out := make([]Importance, len(names))
	for i, name := range names {
		out[i] = Importance{Feature: name, MDI: math.NaN(), Permutation: lost[i]}
		if mdi != nil {
			out[i].MDI = mdi[i]
		}
	}
	return out
}
