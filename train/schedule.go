package train

import "math"

// OneCycle is fastai's fit_one_cycle: the rate climbs on a cosine from Max/25 to Max over the first quarter and falls to
// Max/100000 over the rest, while the momentum runs 0.95, 0.85, 0.95 on the same two legs.
type OneCycle struct{ Max float64 }

// Constants of fastai.callback.schedule.fit_one_cycle and of Learner.moms.
const (
	cycleWarm     = 0.25
	cycleDiv      = 25
	cycleDivFinal = 1e5
	momentumHigh  = 0.95
	momentumLow   = 0.85
)

// At returns rate and momentum at position p in [0, 1) of the whole training. fastai finds the place on a leg in float32,
// and so does this.
func (s OneCycle) At(p float64) (lr, momentum float64) {
	leg := func(a, b, q float64) float64 { return a + (1+math.Cos(math.Pi*(1-q)))*(b-a)/2 }
	if q := float32(p); q < cycleWarm {
		at := float64(q / cycleWarm)
		return leg(s.Max/cycleDiv, s.Max, at), leg(momentumHigh, momentumLow, at)
	}
	at := float64((float32(p) - cycleWarm) / (1 - cycleWarm))
	return leg(s.Max, s.Max/cycleDivFinal, at), leg(momentumLow, momentumHigh, at)
}

// Position follows fastai's count of how much of the training is done: epoch/epochs at the start of each epoch, then one
// addition of 1/n for each of the n batches of the training. The sum is kept as it rounds, not computed afresh. The last
// batch stands at (n-1)/n, so that the end of the schedule is never reached.
type Position struct {
	Epochs   int     `json:"epochs"`
	PerEpoch int     `json:"per_epoch"` // batches
	At       float64 `json:"at"`
}

// Epoch begins epoch e, counted from 0.
func (p *Position) Epoch(e int) { p.At = float64(e) / float64(p.Epochs) }

// Next moves past one batch.
func (p *Position) Next() { p.At += 1 / float64(p.PerEpoch*p.Epochs) }

// Plateau is Keras' ReduceLROnPlateau as the networks' authors set it (dl-4-tsc, classifiers/fcn.py): when the training
// loss has not fallen by more than 1e-4 for 50 epochs the rate is halved, down to 1e-4.
type Plateau struct {
	LR   float64 `json:"lr"`
	Best float64 `json:"best"` // meaningful once Seen
	Seen bool    `json:"seen"`
	Wait int     `json:"wait"`
}

const (
	plateauFactor   = 0.5
	plateauPatience = 50
	plateauMinLR    = 1e-4
	plateauMinDelta = 1e-4 // Keras' default
)

// Epoch takes the mean training loss of an epoch and sets LR for the next one.
func (p *Plateau) Epoch(loss float64) {
	if !p.Seen || loss < p.Best-plateauMinDelta {
		p.Best, p.Seen, p.Wait = loss, true, 0
		return
	}
	if p.Wait++; p.Wait >= plateauPatience && p.LR > plateauMinLR {
		p.LR = max(p.LR*plateauFactor, plateauMinLR)
		p.Wait = 0
	}
}

// Stall is scikit-learn's rule for stopping: more than Patience epochs in a row whose measure of progress did not reach
// Tol above the highest one before.
type Stall struct {
	Tol      float64 `json:"tol"`
	Patience int     `json:"patience"`
	Best     float64 `json:"best"` // meaningful once Seen
	Seen     bool    `json:"seen"`
	Wait     int     `json:"wait"`
}

// Epoch takes the measure of an epoch, minus the loss or an accuracy, and reports whether it is the highest so far and
// whether to stop.
func (s *Stall) Epoch(v float64) (highest, stop bool) {
	if s.Seen && v < s.Best+s.Tol {
		s.Wait++
	} else {
		s.Wait = 0
	}
	if highest = !s.Seen || v > s.Best; highest {
		s.Best, s.Seen = v, true
	}
	return highest, s.Wait > s.Patience
}
