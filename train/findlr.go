package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"earshot/nets/nn"
)

// Constants of fastai's Learner.lr_find.
const (
	findLow    = 1e-7
	findHigh   = 10.0
	findSteps  = 100
	findBeta   = 0.98 // of the smoothed loss (Recorder's AvgSmoothLoss)
	findStop   = 4    // times the lowest smoothed loss
	findMom    = 0.9  // fastai.optimizer.Adam's own; no schedule moves it here
	findFirst  = findSteps / 10
	findLast   = 5
	thirdOfLen = 3
)

// Search is the outcome of FindLR.
type Search struct {
	LR     []float64 // of each step
	Smooth []float64 // smoothed loss after it; NaN from where the loss was no number
	Best   float64   // fastai's suggestion "valley"
}

// FindLR is fastai's lr_find for profile "tsai": the rate grows geometrically from 1e-7 to 10 over 100 batches, until the
// smoothed loss is above four times its lowest value; a place on the longest descent is suggested as the highest rate of
// a one-cycle training. m has its weights back afterwards.
func FindLR(ctx context.Context, m *nn.Model, d Data, cfg Config, on func(Event)) (Search, error) {
	cfg.Profile, cfg.Dir = ProfileTsai, ""
	if cfg.LR == 0 {
		cfg.LR = findLow // plays no part
	}
	r, err := newRun(m, d, cfg)
	if err != nil {
		return Search{}, err
	}
	return r.findLR(ctx, func(epoch int) []int { return shuffled(d.N, cfg.Seed, epoch) }, on)
}

func (r *run) findLR(ctx context.Context, order func(epoch int) []int, on func(Event)) (Search, error) {
	r.keepBest() // here: the weights to come back to
	defer r.restoreBest()
	r.m.SetContext(ctx)
	defer r.m.SetContext(context.Background())
	r.sweep = func(step int) float64 { return findLow * math.Pow(findHigh/findLow, float64(step)/findSteps) }
	var s Search
	mean, lowest := 0.0, math.Inf(1)
	for i := range findSteps {
		epoch := i / r.perEpoch
		r.pos.Batch = i % r.perEpoch
		e, err := r.step(ctx, order(epoch))
		if errors.Is(err, errDiverged) { // fastai goes on with losses that are no numbers
			for i := i; i < findSteps; i++ {
				s.LR, s.Smooth = append(s.LR, r.sweep(i)), append(s.Smooth, math.NaN())
			}
			break
		}
		if err != nil {
			return s, fmt.Errorf("train: search of the rate: step %d: %w", i+1, err)
		}
		mean = findBeta*mean + (1-findBeta)*e.Loss
		smooth := mean / (1 - math.Pow(findBeta, float64(i+1)))
		s.LR, s.Smooth = append(s.LR, e.LR), append(s.Smooth, smooth)
		if on != nil {
			e.Epoch, e.Epochs, e.Steps = 1, 1, findSteps
			on(e)
		}
		lowest = min(lowest, smooth)
		if smooth > findStop*lowest {
			break
		}
	}
	var err error
	s.Best, err = valley(s.LR, s.Smooth)
	return s, err
}

// valley is fastai's suggestion of that name: of the losses without the first tenth, the last five steps and everything
// from the first NaN, the longest strictly falling subsequence; half of the way along as many steps before its end as it
// has members.
func valley(lr, loss []float64) (float64, error) {
	if len(loss) <= findFirst+findLast {
		return 0, fmt.Errorf("train: search of the rate: the loss diverged after %d steps; normalize the data", len(loss))
	}
	lr, loss = lr[findFirst:len(lr)-findLast], loss[findFirst:len(loss)-findLast]
	if i := slices.IndexFunc(loss, math.IsNaN); i == 0 {
		return 0, fmt.Errorf("train: search of the rate: the loss diverged within %d steps; normalize the data", findFirst)
	} else if i > 0 {
		loss = loss[:i]
	}
	length := make([]int, len(loss)) // of the longest one that ends here
	end := 0
	for i := range loss {
		length[i] = 1
		for j := range i {
			if loss[i] < loss[j] {
				length[i] = max(length[i], length[j]+1)
			}
		}
		if length[i] > length[end] {
			end = i
		}
	}
	if length[end] == 1 { // fastai starts at the first step where nothing falls
		return lr[0], nil
	}
	start := end - length[end]
	part := float64(end-start) / thirdOfLen
	return lr[start+int(part)+int(part/2)], nil
}
