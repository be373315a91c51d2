package experiments

import (
	"earshot/data/binning"
	"earshot/train"
	"earshot/train/classical"
)

// rocketLeast is the number of steps that MultiRocket needs, one more than MiniRocket; shorter series get zeros behind them.
const rocketLeast = 10

// isRocket says that a model of a study is a transform with a ridge classifier and not a network.
func isRocket(net string) bool { return net == Rocket || net == MultiRocket }

// fitRocket fits MiniRocket or MultiRocket and the ridge classifier behind it, the features scaled to unit variance, as
// their authors do. The series are normalized as the protocol says for networks. The number of threads changes no bit.
func (s *source) fitRocket(c *Cell, t *binning.Tensor, rowsTrain, rowsTest []int, threads int) (onTest, onTrain answers, err error) {
	d, test := s.rowsOf(t, c.Settings, rowsTrain), s.rowsOf(t, c.Settings, rowsTest)
	if c.Control == ControlPermuted {
		permute(d.Y, c.Settings)
	}
	norm := train.FitNormalizer(c.Normalize, d)
	norm.Apply(d.X, d.C, d.T)
	norm.Apply(test.X, d.C, d.T)
	x, z := padded(d), padded(test)
	k := len(d.Classes)
	m := classical.Rocket{Multi: c.Net == MultiRocket, Channels: d.C, Seed: seed(c.Net, c.Control, c.Representation, c.StepUS, c.Points, c.Split, c.Seed), Threads: threads}
	if err := m.Fit(x, d.Y, k); err != nil {
		return onTest, onTrain, err
	}
	machines := k
	if k == 2 {
		machines = 1
	}
	c.Params = (m.Made() + 1) * machines
	return say(&m, z, k), say(&m, x, k), nil
}

// padded are the series as rows of a matrix, each channel of rocketLeast steps at least.
func padded(d train.Data) classical.Matrix {
	long := max(d.T, rocketLeast)
	out := classical.Matrix{N: d.N, F: d.C * long, X: make([]float64, d.N*d.C*long)}
	for i := range d.N * d.C {
		for t, v := range d.X[i*d.T : (i+1)*d.T] {
			out.X[i*long+t] = float64(v)
		}
	}
	return out
}
