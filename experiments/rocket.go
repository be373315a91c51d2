package experiments

import (
	"earshot/data/binning"
	"earshot/train"
	"earshot/train/classical"
)

// rocketLeast is the number of steps that MiniRocket needs; shorter series get zeros behind them.
const rocketLeast = 9

// isRocket says that a model of a study is a transform with a ridge classifier and not a network.
func isRocket(net string) bool { return net == Rocket }

// fitRocket fits MiniRocket and the ridge classifier behind it, the features scaled to unit variance, as its authors do.
// The series are normalized as the protocol says for networks.
func (s *source) fitRocket(c *Cell, t *binning.Tensor, rowsTrain, rowsTest []int) (onTest, onTrain answers, err error) {
	d, test := s.rowsOf(t, c.Settings, rowsTrain), s.rowsOf(t, c.Settings, rowsTest)
	if c.Control == ControlPermuted {
		permute(d.Y, c.Settings)
	}
	norm := train.FitNormalizer(c.Normalize, d)
	norm.Apply(d.X, d.C, d.T)
	norm.Apply(test.X, d.C, d.T)
	long := max(d.T, rocketLeast)
	x, z := pad(d.X, d.N*d.C, long), pad(test.X, test.N*d.C, long)
	r := classical.MiniRocket{Seed: seed("minirocket", c.Control, c.Representation, c.StepUS, c.Points, c.Split, c.Seed)}
	if err := r.Fit(x, d.N, d.C, long); err != nil {
		return onTest, onTrain, err
	}
	f, err := r.Transform(x, d.N)
	if err != nil {
		return onTest, onTrain, err
	}
	g, err := r.Transform(z, test.N)
	if err != nil {
		return onTest, onTrain, err
	}
	k := len(d.Classes)
	m := classical.Pipeline{Scaler: classical.Scaler{KeepMean: true}, Model: &classical.Ridge{Alphas: classical.RocketAlphas}}
	if err := m.Fit(f, d.Y, k); err != nil {
		return onTest, onTrain, err
	}
	machines := k
	if k == 2 {
		machines = 1
	}
	c.Params = (r.Made() + 1) * machines
	return say(&m, g, k), say(&m, f, k), nil
}

// pad gives each of n series long steps.
func pad(x []float32, n, long int) []float32 {
	t := len(x) / max(1, n)
	if t == long {
		return x
	}
	out := make([]float32, n*long)
	for i := range n {
		copy(out[i*long:], x[i*t:(i+1)*t])
	}
	return out
}
