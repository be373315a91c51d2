package nets

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"earshot/nets/nn"
	"earshot/nets/safetensors"
)

// SaveWeights writes every parameter and running statistic of m as safetensors, under tsai's state_dict names and in
// their order, so that torch's load_state_dict takes the file as it is.
func SaveWeights(m *nn.Model, path string) error {
	return safetensors.Write(path, Weights(m))
}

// Weights returns the parameters and running statistics of m. The values are m's own: copy them before the next step.
func Weights(m *nn.Model) []safetensors.Tensor {
	var ts []safetensors.Tensor
	for _, p := range m.Params() {
		t := safetensors.Tensor{Name: p.Name, Shape: p.Shape}
		if f, i := values(p); i != nil {
			t.I64 = i
		} else {
			t.F32 = f
		}
		ts = append(ts, t)
	}
	return ts
}

// Gradients returns the gradients of m's last Step under the names of their parameters.
func Gradients(m *nn.Model) []safetensors.Tensor {
	var ts []safetensors.Tensor
	for _, p := range m.Params() {
		if p.Trainable {
			ts = append(ts, safetensors.Tensor{Name: p.Name, Shape: p.Shape, F32: p.Grad})
		}
	}
	return ts
}

// LoadWeights fills m from a safetensors file. Every missing, unknown or misshapen tensor is named in one error, and
// then m is unchanged.
func LoadWeights(m *nn.Model, path string) error {
	file, err := safetensors.Read(path)
	if err != nil {
		return err
	}
	if wrong := mismatches(m, file); len(wrong) > 0 {
		a, _, _, _ := m.Arch()
		return fmt.Errorf("weights: %s: does not fit %s (profile %s): %s", path, a.Name, a.Profile, strings.Join(wrong, "; "))
	}
	for _, p := range m.Params() {
		t := file[p.Name]
		f, i := values(p)
		switch {
		case i != nil && t.I64 != nil:
			copy(i, t.I64)
		case i != nil:
			i[0] = int64(t.F32[0])
		default:
			copy(f, t.F32)
		}
	}
	return nil
}

func mismatches(m *nn.Model, file map[string]safetensors.Tensor) []string {
	var wrong []string
	known := map[string]bool{}
	for _, p := range m.Params() {
		known[p.Name] = true
		t, ok := file[p.Name]
		_, count := values(p)
		switch {
		case !ok && count != nil:
			// Only a momentum of nothing would read the count of batches; files of old PyTorch versions lack it.
			file[p.Name] = safetensors.Tensor{Name: p.Name, Shape: p.Shape, I64: []int64{0}}
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s %v is missing", p.Name, p.Shape))
		case !slices.Equal(t.Shape, p.Shape) && (size(t.Shape) != 1 || size(p.Shape) != 1): // (1) and () are one value
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", p.Name, t.Shape, p.Shape))
		case count == nil && t.F32 == nil:
			wrong = append(wrong, fmt.Sprintf("%s holds integers", p.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if !known[name] {
			wrong = append(wrong, fmt.Sprintf("%s %v is not of this network", name, file[name].Shape))
		}
	}
	return wrong
}

// values returns what p holds: floats, or the count of batches that a batch norm has seen.
func values(p *nn.Param) ([]float32, []int64) {
	switch v := p.Value.Data().(type) {
	case []int64:
		return nil, v
	case int64: // a scalar is boxed: reach its backing
		return nil, p.Value.Int64s()
	}
	return p.Value.Float32s(), nil
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
