package train

import (
	"math"
	"testing"
)

func TestNormalizers(t *testing.T) {
	d := Data{X: []float32{0, 2, 4, 6, 10, 10, 10, 10}, N: 2, C: 1, T: 4, Y: []int{0, 1}, Classes: []string{"a", "b"}}
	for _, c := range []struct {
		mode      string
		mean, std []float64
		want      []float64
	}{
		{NormalizeNone, nil, nil, []float64{0, 2, 4, 6, 10, 10, 10, 10}},
		// statistics.stdev of the eight values is sqrt(120/7)
		{NormalizeTrain, []float64{6.5}, []float64{math.Sqrt(118.0 / 7)}, nil},
		// numpy 2: y = np.sign(x) * np.log1p(abs(x)); y.mean(), y.std(ddof=1)
		{NormalizeLog, []float64{1.7806926801688756}, []float64{0.8632563971521079}, []float64{
			-2.0627622176254934, -0.7901249197236839, -0.19838227472133035, 0.1913886412327691, 0.714970192709435, 0.714970192709435, 0.714970192709435, 0.714970192709435,
		}},
		{NormalizeSample, nil, nil, []float64{-3 / math.Sqrt(20.0/3), -1 / math.Sqrt(20.0/3), 1 / math.Sqrt(20.0/3), 3 / math.Sqrt(20.0/3), 0, 0, 0, 0}},
	} {
		n := FitNormalizer(c.mode, d)
		tolerance := 1e-12
		if c.mode == NormalizeLog {
			tolerance = 1e-7 // logarithms are float32
		}
		if c.mean != nil && (math.Abs(n.Mean[0]-c.mean[0]) > tolerance || math.Abs(n.Std[0]-c.std[0]) > tolerance) {
			t.Errorf("%s: mean %v std %v, want %v %v", c.mode, n.Mean, n.Std, c.mean, c.std)
		}
		if c.want == nil {
			for _, v := range d.X {
				c.want = append(c.want, (float64(v)-c.mean[0])/c.std[0])
			}
		}
		x := append([]float32(nil), d.X...)
		n.Apply(x, d.C, d.T)
		for i := range x {
			if math.Abs(float64(x[i])-c.want[i]) > 1e-6 {
				t.Errorf("%s: value %d: %v, want %v", c.mode, i, x[i], c.want[i])
			}
		}
	}
	x := []float32{-3, 0, math.E - 1}
	Normalizer{Mode: NormalizeLog, Mean: []float64{0}, Std: []float64{2}}.Apply(x, 1, 3)
	for i, want := range []float64{-math.Log(4) / 2, 0, 0.5} { // values below 0 keep their sign
		if math.Abs(float64(x[i])-want) > 1e-6 {
			t.Errorf("log: %v, want %v", x[i], want)
		}
	}
	if err := CheckNormalize("batch"); err == nil {
		t.Error("an unknown mode passed")
	}
}

func TestMomentsKeepTheVarianceOfLargeValues(t *testing.T) {
	x := make([]float32, 1000)
	for i := range x {
		x[i] = 1e6 + float32(i%2)
	}
	if mean, std := moments(x, false); math.Abs(mean-1e6-0.5) > 1e-9 || math.Abs(std-math.Sqrt(250.0/999)) > 1e-9 {
		t.Errorf("mean %v, std %v", mean, std)
	}
}
