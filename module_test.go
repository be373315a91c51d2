// Package earshot has no code of its own; its tests state what holds for the whole module.
package earshot

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers is who may import whom inside the module: a package may import those named on its line and nothing else of
// earshot. It is a statement of policy: change it together with the design, not to make a build pass.
var layers = map[string][]string{
	"data/trace":                    {},
	"data/capture":                  {"data/trace"},
	"data/binning":                  {"data/trace"},
	"data/features":                 {"data/trace"},
	"data/defense":                  {"data/trace"},
	"data/synth":                    {"data/trace"},
	"data/dataset/npz":              {},
	"data/bundled":                  {},
	"data/dataset":                  {"data/trace", "data/capture", "data/binning", "data/bundled", "data/dataset/npz"},
	"data/lab":                      {"data/trace", "data/capture", "data/dataset"},
	"data/lab/servicetest":          {},
	"nets/kernel":                   {},
	"nets/kernel/internal/parallel": {},
	"nets/kernel/ref":               {"nets/kernel", "nets/kernel/internal/parallel"},
	"nets/kernel/cpu":               {"nets/kernel", "nets/kernel/ref", "nets/kernel/internal/parallel"},
	"nets/safetensors":              {},
	"nets/nn":                       {"nets/kernel"},
	"nets":                          {"nets/nn", "nets/kernel", "nets/safetensors"},
	"train":                         {"nets", "nets/nn", "nets/kernel", "nets/kernel/cpu", "nets/safetensors", "train/metrics", "train/classical", "data/dataset/npz"}, // train.MLP is a classical.Classifier
	"train/metrics":                 {},
	"train/classical":               {"train/metrics", "data/dataset/npz"},
	"plots":                         {"data/trace", "train/metrics"},
	"experiments":                   {"*"},
	"cmd/earshot":                   {"*"},
	"nets/kernel/internal/interp":   {},
}

// fences name who alone may import a library from outside.
var fences = map[string][]string{
	"github.com/google/gopacket": {"data/capture"},
	"golang.org/x/net/bpf":       {"data/capture"},
	"gorgonia.org/gorgonia":      {"nets", "nets/nn", "train"},
	"gorgonia.org/tensor":        {"nets", "nets/nn", "train", "data/binning"},
	"gonum.org/v1/plot":          {"plots"},

	"github.com/chromedp":        {"data/lab"},
	"github.com/quic-go/quic-go": {"data/lab"},
	"github.com/vishvananda":     {"data/lab"},
}

func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "earshot/")
		if name == "earshot" {
			continue
		}
		allowed, ok := layers[name]
		if !ok {
			t.Errorf("%s: not in the table of layers; say there what it may import", name)
			continue
		}
		for _, imp := range p.Imports {
			if in, ok := strings.CutPrefix(imp, "earshot/"); ok {
				if !slices.Contains(allowed, in) && !slices.Contains(allowed, "*") {
					t.Errorf("%s imports %s; allowed: %v", name, in, allowed)
				}
				if strings.HasPrefix(in, "cmd/") || (in == "experiments" && name != "cmd/earshot") {
					t.Errorf("%s imports %s, which stands above everything", name, in)
				}
			}
			for lib, who := range fences {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(who, name) {
					t.Errorf("%s imports %s; only %v may", name, imp, who)
				}
			}
		}
	}
}

// TestPins fails when a line that keeps the module working is lost, for instance to go get -u.
func TestPins(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range []struct{ line, why string }{
		{"go4.org/unsafe/assume-no-moving-gc v0.0.0-20231121144256-b99613f794b6", "older versions, which gorgonia.org/tensor asks for, panic at start on every Go newer than themselves"},
		{"gorgonia.org/gorgonia v0.9.18", "the operators rely on how this version's TapeMachine orders a program"},
		{"gorgonia.org/tensor v0.9.24", "goes with gorgonia v0.9.18"},
		{"github.com/google/gopacket v1.1.19", "the guards of data/capture were written against this version"},
	} {
		if !strings.Contains(string(mod), pin.line) {
			t.Errorf("go.mod lost %q: %s", pin.line, pin.why)
		}
	}
}
