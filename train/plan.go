package train

import (
	"fmt"

	"earshot/nets/nn"
)

// DefaultRate is the speed that forecasts assume, in floating-point operations a second for each thread: what the vector
// kernels sustain over a whole training step on a 3 GHz core with AVX2. bench nets measures the machine at hand.
const DefaultRate = 50e9

// Request says what to forecast for a model: the training of N rows with Config, at Rate operations a second.
type Request struct {
	N      int
	Config Config
	Rate   float64
}

// Forecast is what a training will need; bytes count one step of Batch rows.
type Forecast struct {
	Net            string   `json:"net"`
	Profile        string   `json:"profile"`
	N              int      `json:"n"`
	Channels       int      `json:"channels"`
	Steps          int      `json:"steps"`
	Classes        int      `json:"classes"`
	Batch          int      `json:"batch"`
	Epochs         int      `json:"epochs"`
	OptimizerSteps int      `json:"optimizer_steps"`
	Parameters     int      `json:"parameters"`
	Bytes          nn.Bytes `json:"bytes"`
	FLOPs          float64  `json:"flops"`       // of the whole training
	MicroBatch     int      `json:"micro_batch"` // rows that are in memory at once; equals Batch
	Recompute      bool     `json:"recompute"`   // activations are recomputed in the backward pass; never yet
	Seconds        float64  `json:"seconds"`     // at the stated rate
	Status         string   `json:"status"`      // "ok" or "refused"
	Reason         string   `json:"reason,omitempty"`
}

// backwardCost is the work of a step in forward passes: one forward, and a backward pass that computes a gradient for
// the data and one for the weights.
const backwardCost = 3

// Plan forecasts a training without running or allocating anything of it.
func Plan(m *nn.Model, q Request) Forecast {
	arch, c, t, k := m.Arch()
	info := m.Info()
	batch, perEpoch := q.Config.Steps(q.N)
	f := Forecast{
		Net: arch.Name, Profile: arch.Profile, N: q.N, Channels: c, Steps: t, Classes: k, Batch: batch, Epochs: q.Config.Epochs,
		OptimizerSteps: perEpoch * q.Config.Epochs, Parameters: info.Parameters, Bytes: m.PlanBytes(batch), MicroBatch: batch, Status: "ok",
	}
	rows := q.N
	if q.Config.DropLast {
		rows = batch * perEpoch
	}
	f.FLOPs = backwardCost * float64(info.ForwardFlops) * float64(rows) * float64(q.Config.Epochs)
	if q.Rate > 0 {
		f.Seconds = f.FLOPs / q.Rate
	}
	if err := CheckMemory(m, batch, q.Config.Memory); err != nil {
		f.Status, f.Reason = "refused", err.Error()
	}
	return f
}

// RefusedError says with numbers why a training does not fit a memory limit.
type RefusedError struct {
	Net         string
	Batch, C, T int
	Bytes       nn.Bytes
	Limit       int64
	Fits        int // largest batch that fits; 0: none
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("%s: a step of %d x %d x %d needs %s (weights %s + optimizer %s + activations %s + workspace %s), the limit is %s",
		e.Net, e.Batch, e.C, e.T, Size(e.Bytes.Total), Size(e.Bytes.Weights), Size(e.Bytes.Optimizer), Size(e.Bytes.Activations), Size(e.Bytes.Workspace), Size(e.Limit))
	if e.Fits == 0 {
		return s + "; not even one row fits: use a coarser step or a higher --memory"
	}
	return fmt.Sprintf("%s; use --batch %d or less, a coarser step, or a higher --memory", s, e.Fits)
}

// CheckMemory returns a *RefusedError when a step of batch rows takes more than limit bytes; limit 0 allows everything.
func CheckMemory(m *nn.Model, batch int, limit int64) error {
	b := m.PlanBytes(batch)
	if limit <= 0 || b.Total <= limit {
		return nil
	}
	arch, c, t, _ := m.Arch()
	fits, over := 0, batch // invariant: fits rows fit, over rows do not
	for over-fits > 1 {
		if mid := (fits + over) / 2; m.PlanBytes(mid).Total <= limit {
			fits = mid
		} else {
			over = mid
		}
	}
	return &RefusedError{Net: arch.Name, Batch: batch, C: c, T: t, Bytes: b, Limit: limit, Fits: fits}
}

// Size prints bytes as people read them: "23.4 MiB".
func Size(b int64) string {
	v, unit := float64(b), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", b)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}
