package classical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Halve is successive halving (Jamieson and Talwalkar, 2016): every point on few rows, the best 1/factor of them on
// factor times as many, until the last round has all rows. Each round draws its rows, and folds stratified folds, anew
// from the seed. It returns the best point of the last round and the number of each round's points and rows.
func (s *Search) Halve(x Matrix, y []int, k, folds, factor int) (best int, rounds [][2]int, err error) {
	if factor < 2 {
		return 0, nil, fmt.Errorf("halving: factor %d; two or more are needed", factor)
	}
	alive := make([]int, len(s.Points))
	for i := range alive {
		alive[i] = i
	}
	n := 1
	for p := len(alive); p > factor; p = (p + factor - 1) / factor {
		n++
	}
	for r := range n {
		rows := x.N
		for range n - 1 - r {
			rows /= factor
		}
		rows = min(x.N, max(rows, 2*folds*k))
		rounds = append(rounds, [2]int{len(alive), rows})
		rng := rand.New(rand.NewPCG(s.Seed, uint64(r)))
		use := make([]int, x.N)
		for i := range use {
			use[i] = i
		}
		if rows < x.N {
			part, err := StratifiedShuffle(y, 1, float64(rows)/float64(x.N), rng)
			if err != nil {
				return 0, nil, err
			}
			use = part[0].Test
		}
		cv, err := StratifiedKFold(pick(y, use), folds, rng)
		if err != nil {
			return 0, nil, err
		}
		round := *s
		round.Points = nil
		for _, p := range alive {
			round.Points = append(round.Points, s.Points[p])
		}
		res, err := round.Run(x.Rows(use), pick(y, use), k, cv)
		if err != nil {
			return 0, nil, err
		}
		order := make([]int, len(alive))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case res.Mean[a] > res.Mean[b]:
				return -1
			case res.Mean[a] < res.Mean[b]:
				return 1
			}
			return 0
		})
		keep := max(1, (len(alive)+factor-1)/factor)
		if r == n-1 {
			keep = 1
		}
		var next []int
		for _, i := range order[:keep] {
			next = append(next, alive[i])
		}
		alive = next
	}
	return alive[0], rounds, nil
}

// Trial is one outer fold of a nested search.
type Trial struct {
	Best  int     // point that the inner folds chose
	Inner float64 // its mean score there
	Model Classifier
	Pred  []int // of the outer fold's test rows
	Score float64
}

// Nested scores the whole procedure, search included (EC-40): in each outer fold the inner folds choose a point from the
// training rows alone, the point is fitted again on all of them, and the test rows are asked once. inner divides rows
// given by their numbers into folds of positions among them; rng depends on the outer fold's number alone.
func (s *Search) Nested(x Matrix, y []int, k int, outer []Fold, inner func(rows []int, rng *rand.Rand) ([]Fold, error)) ([]Trial, error) {
	trials, errs := make([]Trial, len(outer)), make([]error, len(outer))
	each := max(1, workers(s.Threads, math.MaxInt)/max(1, len(outer)))
	parallel(s.Threads, len(outer), func(_, o int) {
		f, t := outer[o], &trials[o]
		errs[o] = func() error {
			if err := f.check(x.N); err != nil {
				return err
			}
			cv, err := inner(f.Train, rand.New(rand.NewPCG(s.Seed, uint64(o))))
			if err != nil {
				return err
			}
			in := *s
			in.Threads, in.Seed = each, s.Seed+uint64(o)
			r, err := in.Run(x.Rows(f.Train), pick(y, f.Train), k, cv)
			if err != nil {
				return err
			}
			t.Best, t.Inner = r.Best, r.Mean[r.Best]
			t.Model, t.Pred, err = in.fit(s.Points[r.Best], x, y, k, f, each)
			if err != nil {
				return err
			}
			t.Score = s.score()(pick(y, f.Test), t.Pred, k)
			return nil
		}()
	})
	for o, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("nested: fold %d: %w", o, err)
		}
	}
	return trials, nil
}
