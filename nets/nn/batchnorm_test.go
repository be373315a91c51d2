package nn_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"earshot/nets"
	"earshot/nets/nn"
)

func TestRunningStatistics(t *testing.T) {
	a, _ := nets.Lookup("fcn", "tsai")
	m := model(t, backend(t, 1), a, 1, 20, 2)
	x, y := batch(5, 4, 1, 20, 2)
	step(t, m, x, y)
	step(t, m, x, y)
	for _, p := range m.Params() {
		switch {
		case p.Name == "convblock1.1.num_batches_tracked":
			if got := p.Value.Int64s()[0]; got != 2 {
				t.Errorf("%s is %d after two steps", p.Name, got)
			}
		case p.Name == "convblock1.1.running_mean":
			if slices.Max(p.Value.Float32s()) == 0 {
				t.Errorf("%s did not move", p.Name)
			}
		}
	}
}

// The running statistics are a mean of those of the batches and of what they start from, weighed as each library does.
func TestRunningStatisticsWeighTheBatches(t *testing.T) {
	const n, steps, batches = 3, 8, 40
	for name, tt := range map[string]struct {
		rules  nn.Rules
		keep   float64 // of the weight of a batch when the next one comes
		starts bool    // mean 0 and variance 1 count as if all batches before the first had had them
	}{
		"tsai": {nn.Tsai, 0.9, true}, "Keras": {nn.Keras, 0.99, false},
	} {
		m := model(t, backend(t, 2), nn.Arch{Name: name, Rules: tt.rules, Build: func(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
			return b.Linear("fc", b.GAP(b.BatchNorm("bn", x, true)), classes)
		}}, 1, steps, 2)
		mean, variance, weight := 0.0, 0.0, 0.0 // sums over the batches so far
		if tt.starts {
			weight = 1 / (1 - tt.keep) // that of endless batches before the first
			variance = weight
		}
		for i := range batches {
			x, y := batch(uint64(i), n, 1, steps, 2)
			sum, square := 0.0, 0.0
			for j := range x {
				x[j] = x[j]*float32(1+i%5) + float32(i)
				sum += float64(x[j])
			}
			for _, v := range x {
				square += (float64(v) - sum/float64(len(x))) * (float64(v) - sum/float64(len(x)))
			}
			step(t, m, x, y)
			mean, variance, weight = tt.keep*mean+sum/float64(len(x)), tt.keep*variance+square/float64(len(x)-1), tt.keep*weight+1
			for _, p := range m.Params() {
				want, ok := map[string]float64{"bn.running_mean": mean / weight, "bn.running_var": variance / weight}[p.Name]
				if ok && math.Abs(float64(p.Value.Float32s()[0])-want) > 1e-4*(1+want) {
					t.Fatalf("%s: %s is %v after %d steps, want %v", name, p.Name, p.Value.Float32s()[0], i+1, want)
				}
			}
		}
	}
}

// Settle gives the statistics of all rows, in one batch or in several, and touches nothing else.
func TestSettle(t *testing.T) {
	const steps, classes = 12_000, 2 // so long that 8 rows are a batch
	for _, n := range []int{1, 5, 20} {
		m := model(t, backend(t, 2), nn.Arch{Name: "bn", Rules: nn.Tsai, Build: func(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
			return b.Linear("fc", b.GAP(b.BatchNorm("bn", x, true)), classes)
		}}, 1, steps, classes)
		x, _ := batch(7, n, 1, steps, classes)
		sum, square := 0.0, 0.0
		for i := range x {
			x[i] += 1 + float32(i/steps) // rows differ, and so do the parts
			sum += float64(x[i])
		}
		mean := sum / float64(len(x))
		for _, v := range x {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
		if err := m.Settle(x, n); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Params() {
			want, ok := map[string]float64{"bn.running_mean": mean, "bn.running_var": square / float64(len(x)-1)}[p.Name]
			if ok && math.Abs(float64(p.Value.Float32s()[0])-want) > 1e-4*(1+want) {
				t.Errorf("%d rows: %s is %v, want %v", n, p.Name, p.Value.Float32s()[0], want)
			}
		}
	}
	each(t, func(t *testing.T, a nn.Arch) {
		const n, c, steps, classes = 6, 2, 40, 3
		m := model(t, backend(t, 2), a, c, steps, classes)
		x, y := batch(8, n, c, steps, classes)
		step(t, m, x, y)
		weights := map[string][]float32{}
		for _, p := range m.Params() {
			if p.Trainable {
				weights[p.Name] = slices.Clone(p.Value.Float32s())
			}
		}
		if err := m.Settle(x, n); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Params() {
			if p.Trainable && !slices.Equal(weights[p.Name], p.Value.Float32s()) || strings.HasSuffix(p.Name, "num_batches_tracked") && p.Value.Int64s()[0] != 1 {
				t.Errorf("%s changed", p.Name)
			}
		}
		trained, tested := make([]float32, n*classes), make([]float32, n*classes)
		if err := errors.Join(m.Forward(x, n, true, trained), m.Forward(x, n, false, tested)); err != nil {
			t.Fatal(err)
		}
		for i, v := range tested { // n against n - 1 values in each variance
			if math.Abs(float64(v-trained[i])) > 0.02*(1+math.Abs(float64(v))) {
				t.Errorf("logit %d: %v by the running statistics, %v by those of the batch", i, v, trained[i])
			}
		}
		if want := a.Name == "fcn" || a.Name == "resnet" || a.Name == "inceptiontime"; a.Normalizes() != want {
			t.Errorf("has batch norm: %v", !want)
		}
		if err := m.Settle(x, n+1); err == nil {
			t.Error("took fewer rows than announced")
		}
	})
}
