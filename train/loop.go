package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"earshot/nets/kernel"
	"earshot/nets/nn"
)

// Event tells a caller how far a training is, after each step.
type Event struct {
	Epoch, Epochs int     // counted from 1
	Step, Steps   int     // optimizer steps done, and of the whole training
	Loss          float64 // of this batch
	LR, Momentum  float64 // of this step
	TrainAccuracy float64 // of the epoch so far
	EpochDone     bool
}

// Fit trains m on d and returns a row for each epoch. The weights are m's own: those of the last step, or in profile
// "paper" those of the epoch with the lowest loss. Profile "sklearn" may end before its last epoch. on may be nil.
//
// With cfg.Dir set, Fit resumes from the checkpoint there and writes one from time to time; the outcome has the same
// bits as that of an undisturbed training. When ctx ends, Fit writes a checkpoint, puts nothing else in order, and
// returns ctx's error. The last checkpoint stays until RemoveCheckpoint.
func Fit(ctx context.Context, m *nn.Model, d Data, cfg Config, on func(Event)) (History, error) {
	r, err := newRun(m, d, cfg)
	if err != nil {
		return nil, err
	}
	m.SetContext(ctx)
	defer m.SetContext(context.Background())
	saved := time.Now()
	pause := cfg.CheckpointEvery
	if pause == 0 {
		pause = checkpointPause
	}
	for r.pos.Epoch < cfg.Epochs && !r.pos.Stopped {
		order := shuffled(d.N, cfg.Seed, r.pos.Epoch)
		for r.pos.Batch < r.perEpoch {
			e, err := r.step(ctx, order)
			if err != nil {
				if cfg.Dir != "" && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
					if err := r.save(); err != nil {
						return r.pos.History, err
					}
				}
				return r.pos.History, fmt.Errorf("train: epoch %d, batch %d: %w", r.pos.Epoch+1, r.pos.Batch+1, err)
			}
			if on != nil {
				on(e)
			}
			if cfg.Dir != "" && time.Since(saved) >= pause {
				if err := r.save(); err != nil {
					return r.pos.History, err
				}
				saved = time.Now()
			}
		}
		r.endEpoch()
	}
	if r.pos.HaveBest {
		r.restoreBest()
	}
	return r.pos.History, nil
}

// errDiverged is the cause when a loss is no number any more.
var errDiverged = errors.New("the training diverged")

// run is a training under way.
type run struct {
	m      *nn.Model
	be     kernel.Backend
	params []*nn.Param
	d      Data
	cfg    Config
	norm   Normalizer
	opt    *Adam

	batch, perEpoch int
	settings        string
	pos             position
	best            []values // of every parameter, once pos.HaveBest
	running         []values // running statistics before the step, in order of params; empty for the others

	sweep func(step int) float64 // rates of FindLR instead of the profile's

	x []float32 // a batch
	y []int32
}

// values is a copy of a parameter.
type values struct {
	f32 []float32
	i64 []int64
}

func newRun(m *nn.Model, d Data, cfg Config) (*run, error) {
	if err := cfg.check(d); err != nil {
		return nil, err
	}
	arch, c, t, k := m.Arch()
	if c != d.C || t != d.T || k != len(d.Classes) {
		return nil, fmt.Errorf("train: %s: made for %d channels, %d steps, %d classes; the data have %d, %d, %d", arch.Name, c, t, k, d.C, d.T, len(d.Classes))
	}
	r := &run{m: m, be: m.Backend(), params: m.Params(), d: d, cfg: cfg, norm: FitNormalizer(cfg.Normalize, d)}
	r.cut(cfg.Steps(d.N))
	if err := CheckMemory(m, r.batch, cfg.Memory); err != nil {
		return nil, err
	}
	var err error
	if r.opt, err = NewOptimizer(m, cfg.Profile); err != nil {
		return nil, err
	}
	r.pos.Plateau, r.pos.Stall = Plateau{LR: cfg.LR}, Stall{Tol: sklearnTol, Patience: sklearnPatience}
	r.running = make([]values, len(r.params))
	if cfg.Dir == "" {
		return r, nil
	}
	s, err := json.Marshal(struct {
		Config
		Net, NetProfile string
		Data            string
	}{cfg, arch.Name, arch.Profile, d.digest()})
	if err != nil {
		return nil, fmt.Errorf("train: settings: %w", err)
	}
	sum := sha256.Sum256(s)
	r.settings = hex.EncodeToString(sum[:])
	_, err = r.load()
	return r, err
}

// cut says into how many batches of how many rows an epoch falls.
func (r *run) cut(batch, perEpoch int) {
	r.batch, r.perEpoch = batch, perEpoch
	r.pos.Place = Position{Epochs: r.cfg.Epochs, PerEpoch: perEpoch}
	r.x, r.y = make([]float32, batch*r.d.C*r.d.T), make([]int32, batch)
}

// NewOptimizer returns the profile's solver for the trainable parameters of a model.
func NewOptimizer(m *nn.Model, profile string) (*Adam, error) {
	var slots []Slot
	for _, p := range m.Params() {
		if p.Trainable {
			slots = append(slots, Slot{Name: p.Name, Len: len(float32s(p)), Decay: p.Decay})
		}
	}
	switch profile {
	case ProfilePaper:
		return NewKerasAdam(m.Backend(), slots)
	case ProfileSklearn:
		return NewSklearnAdam(m.Backend(), slots)
	}
	return NewFastAdam(m.Backend(), slots)
}

// step trains on the next batch of the epoch. When it fails, weights and running statistics are those before it.
func (r *run) step(ctx context.Context, order []int) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, err
	}
	began := time.Now()
	from := r.pos.Batch * r.batch
	rows := order[from:min(from+r.batch, len(order))]
	x, y := r.d.gather(rows, r.norm, r.x, r.y)
	if r.pos.Batch == 0 {
		r.pos.Place.Epoch(r.pos.Epoch)
	}
	lr, beta := r.rates()
	r.keepRunning()
	penalty := 0.0
	if r.cfg.Profile == ProfileSklearn {
		r.opt.L2 = sklearnAlpha / float64(len(rows))
		penalty = r.opt.L2 / 2 * squares(r.m) // of the weights that the loss is computed with
	}
	loss, err := r.m.Step(x, y)
	loss += penalty
	if err == nil && (math.IsNaN(loss) || math.IsInf(loss, 0)) {
		err = fmt.Errorf("loss is %v: %w; lower --lr or normalize", loss, errDiverged)
	}
	if err != nil {
		r.restoreRunning()
		return Event{}, err
	}
	correct := countCorrect(r.m.Logits(), y)
	r.opt.LR, r.opt.Beta1 = lr, beta
	if err := r.m.Solve(r.opt); err != nil {
		return Event{}, err
	}
	p := &r.pos
	p.Place.Next()
	p.LR, p.Momentum = lr, beta
	p.Batch++
	p.Steps = r.opt.Steps
	p.Loss += loss * float64(len(rows))
	p.Correct += correct
	p.Rows += len(rows)
	p.WallS += time.Since(began).Seconds()
	return Event{
		Epoch: p.Epoch + 1, Epochs: r.cfg.Epochs, Step: p.Steps, Steps: r.perEpoch * r.cfg.Epochs,
		Loss: loss, LR: lr, Momentum: beta, TrainAccuracy: float64(p.Correct) / float64(p.Rows),
		EpochDone: p.Batch == r.perEpoch,
	}, nil
}

// rates are those of the next step.
func (r *run) rates() (lr, beta float64) {
	if r.sweep != nil {
		return r.sweep(r.pos.Steps), findMom
	}
	if r.cfg.Profile == ProfilePaper {
		return r.pos.Plateau.LR, kerasBeta1
	}
	if r.cfg.Profile == ProfileSklearn {
		return r.cfg.LR, kerasBeta1
	}
	return OneCycle{Max: r.cfg.LR}.At(r.pos.Place.At)
}

// endEpoch writes the epoch's row and makes ready for the next one.
func (r *run) endEpoch() {
	p := &r.pos
	loss := p.Loss / float64(p.Rows)
	p.History = append(p.History, Epoch{
		Epoch: p.Epoch + 1, Steps: p.Steps, Loss: loss, TrainAccuracy: float64(p.Correct) / float64(p.Rows),
		LR: p.LR, Momentum: p.Momentum, WallS: p.WallS,
	})
	if r.cfg.Profile == ProfilePaper {
		p.Plateau.Epoch(loss)
		if !p.HaveBest || loss < p.Best { // Keras' ModelCheckpoint(monitor="loss", save_best_only=True)
			p.Best, p.HaveBest = loss, true
			r.keepBest()
		}
	}
	if r.cfg.Profile == ProfileSklearn {
		_, p.Stopped = p.Stall.Epoch(-loss)
	}
	p.Epoch++
	p.Batch, p.Loss, p.Correct, p.Rows = 0, 0, 0, 0
}

func (r *run) keepBest() {
	if r.best == nil {
		r.best = make([]values, len(r.params))
	}
	for i, p := range r.params {
		r.best[i].keep(p)
	}
}

func (r *run) restoreBest() {
	for i, p := range r.params {
		r.best[i].restore(p)
	}
}

// keepRunning remembers the running statistics: a step that is stopped half way has updated some of them.
func (r *run) keepRunning() {
	for i, p := range r.params {
		if !p.Trainable {
			r.running[i].keep(p)
		}
	}
}

func (r *run) restoreRunning() {
	for i, p := range r.params {
		if !p.Trainable {
			r.running[i].restore(p)
		}
	}
}

func (v *values) keep(p *nn.Param) {
	v.f32 = append(v.f32[:0], float32s(p)...)
	v.i64 = append(v.i64[:0], int64s(p)...)
}

func (v *values) restore(p *nn.Param) {
	copy(float32s(p), v.f32)
	copy(int64s(p), v.i64)
}

// countCorrect counts the rows of logits (n, K) whose largest one is that of the row's class; the first of equals wins.
func countCorrect(logits []float32, y []int32) int {
	k, right := len(logits)/len(y), 0
	for i, want := range y {
		if Argmax(logits[i*k:(i+1)*k]) == int(want) {
			right++
		}
	}
	return right
}

// Argmax returns the index of the largest value, the first of equals; 0 for none.
func Argmax(v []float32) int {
	at := 0
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}
