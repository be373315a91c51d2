package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"earshot/nets"
	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
	"earshot/nets/nn"
	"earshot/train/classical"
)

// MLP trains nets.MLP on a table as scikit-learn's MLPClassifier does with its solver adam: the same first weights up to
// the random stream, penalty, batches, loss and rule for stopping. It is a classical.Classifier, so that it stands beside
// trees and support vectors in searches and protocols. NewMLP gives scikit-learn's defaults.
//
// Numbers are single precision where scikit-learn computes in double: features are rounded to 24 bits, and two trainings
// from the same weights part slowly (testdata/gen_sklearn_mlp.py measures how fast).
type MLP struct {
	Hidden     []int   // units of each hidden layer
	Activation string  // of the hidden layers: identity, logistic, tanh or relu
	Alpha      float64 // L2 penalty on the weights, over the rows of a batch
	Batch      int     // rows; 0: min(200, N)
	LR         float64 // Adam's rate; it stays
	Beta1      float64
	Beta2      float64
	Eps        float64
	MaxIter    int     // epochs at most
	Tol        float64 // by which the loss of an epoch must fall below the lowest one to count as progress
	Patience   int     // epochs without progress that are allowed
	Shuffle    bool    // the rows before each epoch
	EarlyStop  bool    // progress is accuracy on held-out rows, and the best weights are kept
	Validation float64 // share of rows held out then
	Seed       uint64
	Threads    int            // 0: all processors
	Backend    kernel.Backend // nil: the fastest of this processor, with Threads

	K, F      int
	Curve     []float64 // loss of each epoch, penalty included
	Scores    []float64 // accuracy on the held-out rows after each epoch, with EarlyStop
	Converged bool      // false: MaxIter came first

	mu    sync.Mutex // a network is for one goroutine at a time
	model *nn.Model
}

var _ classical.Classifier = (*MLP)(nil)

var curves = map[string]nn.Curve{"identity": nn.Identity, "logistic": nn.Logistic, "tanh": nn.Tanh, "relu": nn.ReLU}

// Fit trains on the rows of x with class numbers y in 0..k-1.
func (m *MLP) Fit(x classical.Matrix, y []int, k int) error {
	if err := m.check(x, y, k); err != nil {
		return err
	}
	if err := m.build(x.F, k); err != nil {
		return err
	}
	d, held, truth, err := m.split(x, y)
	if err != nil {
		return err
	}
	return m.train(d, held, truth)
}

func (m *MLP) check(x classical.Matrix, y []int, k int) error {
	if _, ok := curves[m.Activation]; !ok {
		return fmt.Errorf("mlp: activation %q: not one of identity, logistic, tanh, relu", m.Activation)
	}
	if x.N == 0 || x.F == 0 || k < 2 {
		return fmt.Errorf("mlp: %d rows of %d features in %d classes: nothing to learn from", x.N, x.F, k)
	}
	if len(x.X) != x.N*x.F || len(y) != x.N {
		return fmt.Errorf("mlp: %d values and %d classes for %d rows of %d features", len(x.X), len(y), x.N, x.F)
	}
	for i, v := range x.X {
		if f := float64(float32(v)); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("mlp: row %d, feature %d is %v; fill or drop missing values first, and scale what exceeds single precision", i/x.F, i%x.F, v)
		}
	}
	for i, c := range y {
		if c < 0 || c >= k {
			return fmt.Errorf("mlp: row %d has class %d of %d", i, c, k)
		}
	}
	if m.MaxIter < 1 || !(m.LR > 0) {
		return fmt.Errorf("mlp: %d epochs at rate %g: both must be above 0; NewMLP sets the defaults", m.MaxIter, m.LR)
	}
	return nil
}

// build makes the network with fresh weights.
func (m *MLP) build(f, k int) error {
	be := m.Backend
	var err error
	if be == nil {
		threads := m.Threads
		if threads <= 0 {
			threads = runtime.GOMAXPROCS(0)
		}
		if be, err = cpu.FromEnv(threads); err != nil {
			return fmt.Errorf("mlp: %w", err)
		}
	}
	arch := nets.MLP{Hidden: m.Hidden, Curve: curves[m.Activation]}.Arch()
	m.K, m.F = k, f
	if m.model, err = nn.NewModel(be, arch, 1, f, k, m.Seed); err != nil {
		return fmt.Errorf("mlp: %w", err)
	}
	m.model.SetDirect(true) // a step takes some 50 us
	return nil
}

// train runs the recipe from the weights that the network has. held and truth are the rows of EarlyStop.
func (m *MLP) train(d Data, held classical.Matrix, truth []int) error {
	opt, err := NewOptimizer(m.model, ProfileSklearn)
	if err != nil {
		return err
	}
	opt.LR, opt.Beta1, opt.Beta2, opt.Eps = m.LR, m.Beta1, m.Beta2, m.Eps
	batch := m.Batch
	if batch == 0 {
		batch = sklearnBatch
	}
	batch = min(batch, d.N)
	ys := make([]int32, batch)
	order := make([]int, d.N)
	for i := range order {
		order[i] = i
	}
	m.Curve, m.Scores, m.Converged = nil, nil, false
	stall := Stall{Tol: m.Tol, Patience: m.Patience}
	var best []values
	for epoch := range m.MaxIter {
		if m.Shuffle {
			order = shuffled(d.N, m.Seed, epoch)
		}
		sum := 0.0
		for at := 0; at < d.N; at += batch {
			rows := order[at:min(at+batch, d.N)]
			by, n := ys[:len(rows)], float64(len(rows))
			for i, r := range rows {
				by[i] = int32(d.Y[r])
			}
			penalty := m.Alpha / 2 * squares(m.model) / n // of the weights that the loss is computed with
			loss, err := m.model.StepRows(d.X, rows, by)
			if err != nil {
				return fmt.Errorf("mlp: epoch %d: %w", epoch+1, err)
			}
			opt.L2 = m.Alpha / n
			if err := m.model.Solve(opt); err != nil {
				return fmt.Errorf("mlp: epoch %d: %w", epoch+1, err)
			}
			sum += (loss + penalty) * n
		}
		loss := sum / float64(d.N)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("mlp: epoch %d: loss %v: %w; use a lower learning_rate_init or scale the features", epoch+1, loss, errDiverged)
		}
		m.Curve = append(m.Curve, loss)
		progress := -loss
		if m.EarlyStop {
			progress = classical.Accuracy(truth, m.predict(held), m.K)
			m.Scores = append(m.Scores, progress)
		}
		better, stop := stall.Epoch(progress)
		if better && m.EarlyStop {
			best = keepAll(best, m.model)
		}
		if stop {
			m.Converged = true
			break
		}
	}
	if best != nil {
		for i, p := range m.model.Params() {
			best[i].restore(p)
		}
	}
	m.model.Close() // frees what only training needs; the weights stay
	return nil
}

// split holds rows out for EarlyStop: as many as scikit-learn, stratified where it stratifies, for two classes.
func (m *MLP) split(x classical.Matrix, y []int) (d Data, held classical.Matrix, truth []int, err error) {
	use := make([]int, 0, x.N)
	if !m.EarlyStop {
		for i := range x.N {
			use = append(use, i)
		}
	} else {
		if !(m.Validation > 0 && m.Validation < 1) {
			return d, held, nil, fmt.Errorf("mlp: validation_fraction %g: it lies between 0 and 1", m.Validation)
		}
		rng := rand.New(rand.NewPCG(m.Seed, 0x68656c64)) // the word "held"
		out := rng.Perm(x.N)[:int(math.Ceil(m.Validation*float64(x.N)))]
		if m.K == 2 {
			f, err := classical.StratifiedShuffle(y, 1, m.Validation, rng)
			if err != nil {
				return d, held, nil, fmt.Errorf("mlp: %w", err)
			}
			out = f[0].Test
		}
		if len(out) < 2 || len(out) == x.N {
			return d, held, nil, fmt.Errorf("mlp: %d of %d rows held out; change validation_fraction", len(out), x.N)
		}
		is := make([]bool, x.N)
		for _, r := range out {
			is[r] = true
			truth = append(truth, y[r])
		}
		held = x.Rows(out)
		for i := range x.N {
			if !is[i] {
				use = append(use, i)
			}
		}
	}
	return table(x, y, use), held, truth, nil
}

// table is the given rows in single precision.
func table(x classical.Matrix, y, rows []int) Data {
	d := Data{N: len(rows), C: 1, T: x.F, X: make([]float32, 0, len(rows)*x.F)}
	for _, r := range rows {
		for _, v := range x.Row(r) {
			d.X = append(d.X, float32(v))
		}
		d.Y = append(d.Y, y[r])
	}
	return d
}

// squares is the sum of the squared weights, biases left out.
func squares(m *nn.Model) float64 {
	be, sum := m.Backend(), 0.0
	for _, p := range m.Params() {
		if p.Decay {
			sum += be.SumSquares(kernel.Host(float32s(p)))
		}
	}
	return sum
}

func keepAll(best []values, m *nn.Model) []values {
	if best == nil {
		best = make([]values, len(m.Params()))
	}
	for i, p := range m.Params() {
		best[i].keep(p)
	}
	return best
}

// Predict returns the class of each row.
func (m *MLP) Predict(x classical.Matrix) []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.predict(x)
}

func (m *MLP) predict(x classical.Matrix) []int {
	out := make([]int, x.N)
	logits := m.logits(x)
	for i := range out {
		out[i] = Argmax(logits[i*m.K : (i+1)*m.K])
	}
	return out
}

// Proba returns the probability of each class, (N, K) row-major.
func (m *MLP) Proba(x classical.Matrix) []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	logits := m.logits(x)
	out := make([]float64, len(logits))
	for i := range x.N {
		row, p := logits[i*m.K:(i+1)*m.K], out[i*m.K:(i+1)*m.K]
		top, sum := float64(row[Argmax(row)]), 0.0
		for j, v := range row {
			p[j] = math.Exp(float64(v) - top)
			sum += p[j]
		}
		for j := range p {
			p[j] /= sum
		}
	}
	return out
}

// logits of rows, layer by layer without a graph, which would take longer to make than the answers; as in the other
// classifiers, rows of another width are a mistake of the program.
func (m *MLP) logits(x classical.Matrix) []float32 {
	if m.model == nil {
		panic(errors.New("mlp: not fitted"))
	}
	if x.N == 0 {
		return nil
	}
	if x.F != m.F {
		panic(fmt.Errorf("mlp: rows of %d features; it was fitted on %d", x.F, m.F))
	}
	in := make([]float32, len(x.X))
	for i, v := range x.X {
		in[i] = float32(v)
	}
	be, layers := m.model.Backend(), m.layers()
	for i, l := range layers {
		w, b := float32s(l[0]), float32s(l[1])
		p := kernel.Linear{N: x.N, C: len(w) / len(b), F: len(b)}
		if i < len(layers)-1 {
			p.Curve = curves[m.Activation]
		}
		out := make([]float32, x.N*p.F)
		be.Linear(p, kernel.Host(out), kernel.Host(in), kernel.Host(w), kernel.Host(b))
		in = out
	}
	if len(in) == x.N*m.K {
		return in
	}
	out := make([]float32, x.N*m.K) // two classes: one unit, the logit of class 1 against 0
	for i, v := range in {
		out[2*i+1] = v
	}
	return out
}

// layers are weights (out, in) and biases of each layer.
func (m *MLP) layers() [][2]*nn.Param {
	var out [][2]*nn.Param
	for p := m.model.Params(); len(p) >= 2; p = p[2:] {
		out = append(out, [2]*nn.Param{p[0], p[1]})
	}
	return out
}
