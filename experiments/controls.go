package experiments

import (
	"math"
	"slices"
)

// predictPlain makes the predictions of a control that trains no network (SP-54), on the test points and on the
// training points: the constant answer, or logistic regression on two numbers of a capture. The numbers are those of
// what the networks see: the packets in the chosen direction within the duration.
func (s *source) predictPlain(c Settings, train, test []int) (onTest, onTrain [][]float32, err error) {
	k := len(s.study.Classes)
	y := make([]int, len(train))
	for i, row := range train {
		y[i] = s.captures[row].Class
	}
	if c.Control == ControlMajority {
		score := make([]float32, k)
		score[majority(y, k)] = 1
		return repeat(score, len(test)), repeat(score, len(train)), nil
	}
	features := func(row int) []float64 {
		if s.dataset != "" {
			return s.levels(row)
		}
		q := s.captures[row]
		if c.Control == ControlDuration {
			return []float64{math.Log1p(float64(min(q.DurationUS, s.study.DurationUS)))}
		}
		return []float64{math.Log1p(float64(q.SeenBytes)), math.Log1p(float64(q.SeenPackets))}
	}
	x := make([][]float64, len(train))
	for i, row := range train {
		x[i] = features(row)
	}
	l, err := fitLogistic(x, y, k)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range test {
		onTest = append(onTest, l.scores(features(row)))
	}
	for i := range train {
		onTrain = append(onTrain, l.scores(x[i]))
	}
	return onTest, onTrain, nil
}

func repeat(v []float32, n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// permute replaces the training labels by a permutation of them: what is left to learn is nothing, and a network that
// still does better than guessing has seen the test set.
func permute(y []int, c Settings) {
	r := stream("permuted labels", c.Seed, c.Split, c.Points)
	r.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
}

// shuffleTime puts the time steps of one capture into an order of its own: sizes stay, what their order adds is gone.
// x is (C, T); the channels stay aligned.
func shuffleTime(x []float32, channels int, c Settings, capture int64) {
	steps := len(x) / channels
	r := stream("shuffled time", c.Seed, capture)
	r.Shuffle(steps, func(i, j int) {
		for ch := range channels {
			row := x[ch*steps:]
			row[i], row[j] = row[j], row[i]
		}
	})
}

// argmax is the class of a row of scores; the first of equal ones.
func argmax(scores []float32) int { return slices.Index(scores, slices.Max(scores)) }

// controlNet is the model of permuted labels and shuffled time: a rocket where there is one, else the first. A control by a model that
// learns nothing either way would show nothing, and networks of few epochs are such models.
func (s Study) controlNet() string {
	if i := slices.IndexFunc(s.Nets, isRocket); i >= 0 {
		return s.Nets[i]
	}
	return s.Nets[0]
}
