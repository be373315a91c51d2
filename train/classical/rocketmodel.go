package classical

import (
	"fmt"
	"math"
	"slices"
)

// Rocket classifies series by the features of MiniRocket or MultiRocket: each is divided by its deviation, then a Ridge
// chooses its penalty among Alphas by leave-one-out error, as aeon's MiniRocketClassifier and MultiRocketClassifier do.
//
// A row of its matrices is a series, Channels runs of equally many steps: (N, F) is (N, C, T) with F = C*T. Values count in
// single precision.
type Rocket struct {
	Multi        bool // MultiRocket
	Kernels      int  // 0: 10,000, or 6,250 for MultiRocket
	MaxDilations int  // 0: 32
	Channels     int  // 0: 1
	Alphas       []float64
	ClassWeight  ClassWeight
	Seed         uint64
	Threads      int // 0: all processors

	mini  MiniRocket
	multi MultiRocket
	scale []float64 // what each feature is divided by
	ridge Ridge
}

// Fit fits the features, their scale and the ridge.
func (m *Rocket) Fit(x Matrix, y []int, k int) error {
	if err := check(m.name(), x, y, k); err != nil {
		return err
	}
	c := cmp0(m.Channels, 1)
	if x.F%c != 0 {
		return fmt.Errorf("%s: %d values of a row are not %d channels of equal length; set channels", m.name(), x.F, c)
	}
	series := single(x.X)
	var err error
	if m.Multi {
		m.multi = MultiRocket{Kernels: m.Kernels, MaxDilations: m.MaxDilations, Seed: m.Seed, Threads: m.Threads}
		err = m.multi.Fit(series, x.N, c, x.F/c)
	} else {
		m.mini = MiniRocket{Features: m.Kernels, MaxDilations: m.MaxDilations, Seed: m.Seed, Threads: m.Threads}
		err = m.mini.Fit(series, x.N, c, x.F/c)
	}
	if err != nil {
		return err
	}
	f, err := m.transform(series, x.N)
	if err != nil {
		return err
	}
	s := Scaler{KeepMean: true}
	s.fit(f.table(), m.Threads)
	m.scale = s.Scale
	for _, v := range m.scale {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("%s: values too large for single precision; scale the series", m.name())
		}
	}
	m.ridge = Ridge{Alphas: m.Alphas, ClassWeight: m.ClassWeight, Threads: m.Threads}
	if m.Alphas == nil {
		m.ridge.Alphas = RocketAlphas
	}
	if err := m.ridge.fit(f.table(), y, k, &s); err != nil {
		return fmt.Errorf("%s: %w", m.name(), err)
	}
	return nil
}

// Made is the number of features, once fitted.
func (m *Rocket) Made() int {
	if m.Multi {
		return m.multi.Made()
	}
	return m.mini.Made()
}

func (m *Rocket) name() string {
	if m.Multi {
		return "multirocket"
	}
	return "minirocket"
}

func (m *Rocket) transform(series []float32, n int) (singles, error) {
	if m.Multi {
		m.multi.Threads = m.Threads
		return m.multi.transform(series, n)
	}
	m.mini.Threads = m.Threads
	return m.mini.transform(series, n)
}

// Decision returns the ridge's decision values, (N, 1 or K). Features of a few series at a time are in memory. It panics
// when rows have another length than those of Fit.
func (m *Rocket) Decision(x Matrix) ([]float64, int) {
	const rows = 64
	columns := m.ridge.columns()
	out := make([]float64, 0, x.N*columns)
	for lo := 0; lo < x.N; lo += rows {
		hi := min(x.N, lo+rows)
		f, err := m.transform(single(x.X[lo*x.F:hi*x.F]), hi-lo)
		if err != nil {
			panic(err)
		}
		wide := f.wide()
		parallel(m.Threads, wide.N, func(_, i int) {
			row := wide.Row(i)
			for j, s := range m.scale {
				row[j] /= s
			}
		})
		d, _ := m.ridge.Decision(wide)
		out = append(out, d...)
	}
	return out, columns
}

// Predict returns the class of the largest decision value.
func (m *Rocket) Predict(x Matrix) []int {
	d, _ := m.Decision(x)
	return m.ridge.classes(d)
}

// Proba returns the softmax of the decision values, (N, K). They are not calibrated.
func (m *Rocket) Proba(x Matrix) []float64 {
	d, _ := m.Decision(x)
	return m.ridge.softmax(d)
}

func (m *Rocket) settings(s *settings) {
	s.integer("n_kernels", &m.Kernels, 1)
	s.integer("max_dilations_per_kernel", &m.MaxDilations, 1)
	s.integer("channels", &m.Channels, 1)
	s.penalties("alphas", &m.Alphas)
	s.classWeight(&m.ClassWeight)
	s.seed(&m.Seed)
	s.threads(&m.Threads)
}

func (m *Rocket) state(s *state) {
	features := 0
	if m.Multi {
		m.multi.Base.state(s, "base_")
		m.multi.Diff.state(s, "diff_")
		if s.err == nil && (m.multi.Diff.C != m.multi.Base.C || m.multi.Diff.T != m.multi.Base.T-1 || len(m.multi.Diff.Biases) != len(m.multi.Base.Biases)) {
			s.fail("array diff_shape does not go with array base_shape")
		}
		features = m.multi.Made()
	} else {
		m.mini.state(s, "base_")
		features = m.mini.Made()
	}
	s.floats("feature_scale", &m.scale, 0, features)
	m.ridge.state(s)
	if s.err == nil && (m.ridge.F != features || m.ridge.K < 2) {
		s.fail("array shape: %d features and %d classes; the kernels make %d features", m.ridge.F, m.ridge.K, features)
	}
}

// state keeps what fit found.
func (k *RocketKernels) state(s *state, prefix string) {
	s.prefix += prefix
	defer func() { s.prefix = s.prefix[:len(s.prefix)-len(prefix)] }()
	s.ints("shape", &k.C, &k.T)
	whole(s, "dilations", &k.Dilations, -1, 1, int64(max(2, (k.T-1)/8+1)))
	whole(s, "per_dilation", &k.PerDilation, len(k.Dilations), 1, 1<<20)
	combos := rocketKernels * len(k.Dilations)
	whole(s, "count", &k.Count, combos, 1, int64(k.C)+1)
	channels, biases := 0, 0
	for _, n := range k.Count {
		channels += n
	}
	for _, n := range k.PerDilation {
		biases += rocketKernels * n
	}
	whole(s, "channels", &k.Channels, channels, 0, int64(k.C))
	wide := make([]float64, len(k.Biases))
	for i, b := range k.Biases {
		wide[i] = float64(b)
	}
	s.floats("biases", &wide, 0, biases)
	if s.loading() {
		k.Biases = single(wide)
		if s.err == nil && (k.T < 9 || !slices.IsSorted(k.Dilations) || len(k.Dilations) == 0) {
			s.fail("array %sshape: %d steps, dilations %v", s.prefix, k.T, k.Dilations)
		}
	}
}
