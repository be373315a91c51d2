package nets_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"earshot/nets"
	"earshot/nets/kernel/cpu"
	"earshot/nets/nn"
	"earshot/nets/safetensors"
)

// uniform is the formula behind the goldens (testdata/gen_tsai.py): size values in [-1, 1), splitmix64 of FNV-1a(name)
// plus the index.
func uniform(name string, size int) []float64 {
	h := uint64(0xcbf29ce484222325)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	v := make([]float64, size)
	for i := range v {
		z := h + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		v[i] = float64(z>>40)/(1<<23) - 1
	}
	return v
}

// setFormula gives a model the weights of the goldens.
func setFormula(m *nn.Model) {
	for _, p := range m.Params() {
		if strings.HasSuffix(p.Name, "num_batches_tracked") {
			continue
		}
		scale, offset := 0.2, 0.0
		switch {
		case len(p.Shape) == 3 && p.Shape[1]*p.Shape[2] == 1:
			scale = 0.01 // before a batch norm such a gradient is zero but for eps: small weights make it more than noise
		case len(p.Shape) == 3:
			scale = math.Sqrt(6 / float64(p.Shape[1]*p.Shape[2]))
		case strings.HasPrefix(p.Name, "rnn."):
			scale = 0.1
		case len(p.Shape) == 2:
			scale = 1 / math.Sqrt(float64(p.Shape[1]))
		case strings.HasSuffix(p.Name, "running_var"):
			scale, offset = 0.5, 1
		case strings.HasSuffix(p.Name, "weight"):
			offset = 1
		}
		dst := p.Value.Float32s()
		for i, v := range uniform(p.Name, len(dst)) {
			dst[i] = float32(offset + scale*v)
		}
	}
}

func largest(v []float32) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(float64(x)))
	}
	return m
}

// relative is max|a-b| / max|b|.
func relative(a, b []float32, largest float64) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	d := 0.0
	for i := range a {
		e := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(e) {
			return math.Inf(1)
		}
		d = max(d, e)
	}
	return d / largest
}

// TestAgreesWithTsai compares logits, loss and gradients with tsai on PyTorch in float64. The files hold samples of each
// gradient; testdata/parity_tsai.py compares whole tensors.
func TestAgreesWithTsai(t *testing.T) {
	be, err := cpu.FromEnv(2)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/golden/*.safetensors")
	if len(files) != 4*2*4 {
		t.Fatalf("%d golden files, want 4 nets x 2 channels x 4 lengths", len(files))
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".safetensors")
		t.Run(name, func(t *testing.T) {
			g, err := safetensors.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			at := func(k string) int { return int(g[k].F32[0]) }
			n, c, steps := at("n"), at("c"), at("t")
			if steps == 6000 && testing.Short() {
				t.Skip("6000 steps take a while; run without -short")
			}
			net, _, _ := strings.Cut(name, "_")
			arch, err := nets.Lookup(net, "tsai")
			if err != nil {
				t.Fatal(err)
			}
			m, err := nn.NewModel(be, arch, c, steps, 3, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			setFormula(m)
			x := make([]float32, n*c*steps)
			for i, v := range uniform(fmt.Sprintf("x%d", at("seed")), len(x)) {
				x[i] = float32(1.5 * v)
			}
			y := make([]int32, n)
			for i := range y {
				y[i] = int32(i % 3)
			}
			tol := 1e-4
			if steps >= 6000 {
				tol = 1e-3
			}
			logits := make([]float32, n*3)
			if err := m.Forward(x, n, false, logits); err != nil {
				t.Fatal(err)
			}
			if e := relative(logits, g["eval"].F32, largest(g["eval"].F32)); !(e <= tol) {
				t.Errorf("logits in evaluation mode differ by %.1e of the largest: %v, want %v", e, logits, g["eval"].F32)
			}
			if err := m.Forward(x, n, true, logits); err != nil {
				t.Fatal(err)
			}
			if e := relative(logits, g["train"].F32, largest(g["train"].F32)); !(e <= tol) {
				t.Errorf("logits in training mode differ by %.1e of the largest: %v, want %v", e, logits, g["train"].F32)
			}
			loss, err := m.Step(x, y)
			if err != nil {
				t.Fatal(err)
			}
			if want := float64(g["loss"].F32[0]); math.Abs(loss-want) > tol*want {
				t.Errorf("loss %v, want %v", loss, want)
			}
			top := 0.0
			for k, v := range g {
				if strings.HasPrefix(k, "max.") {
					top = max(top, float64(v.F32[0]))
				}
			}
			seen := 0
			for _, p := range m.Params() {
				want, ok := g["grad."+p.Name]
				if !ok {
					continue
				}
				seen++
				biggest := float64(g["max."+p.Name].F32[0])
				if biggest < 1e-6*top {
					continue // zero but for rounding: a bias before a batch norm, say
				}
				k := len(want.F32)
				got := make([]float32, k)
				for i := range got {
					got[i] = p.Grad[i*len(p.Grad)/k]
				}
				if e := relative(got, want.F32, biggest); !(e <= tol) {
					t.Errorf("gradient of %s differs by %.1e of its largest", p.Name, e)
				}
			}
			if want := (len(g) - 7) / 2; seen != want {
				t.Errorf("%d gradients compared, the file holds %d", seen, want)
			}
		})
	}
}
