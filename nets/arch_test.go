package nets_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"earshot/nets"
	"earshot/nets/kernel/ref"
	"earshot/nets/nn"
)

func newModel(t *testing.T, net, profile string, c, steps int) *nn.Model {
	t.Helper()
	a, err := nets.Lookup(net, profile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.NewModel(ref.New(1), a, c, steps, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestStateIsTsais compares names, shapes, order and weight decay with tsai's state_dicts (testdata/gen_state.py). With
// 128 channels, the shortcuts of the input are batch norms alone.
func TestStateIsTsais(t *testing.T) {
	file, err := os.ReadFile("testdata/state_tsai.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(file)), "\n")[1:] {
		f := strings.SplitN(l, " ", 3)
		want[f[0]+" "+f[1]] = append(want[f[0]+" "+f[1]], f[2])
	}
	for key, lines := range want {
		var net string
		var c int
		fmt.Sscan(key, &net, &c)
		var got []string
		for _, p := range newModel(t, net, "tsai", c, 10).Params() {
			shape, kind := strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Shape), " ", ","), "[]"), "state"
			if shape == "" {
				shape = "-"
			}
			if p.Decay {
				kind = "decayed"
			} else if p.Trainable {
				kind = "spared"
			}
			got = append(got, p.Name+" "+shape+" "+kind)
		}
		if g, w := strings.Join(got, "\n"), strings.Join(lines, "\n"); g != w {
			t.Errorf("%s: state\n%s\nwant\n%s", key, g, w)
		}
	}
}

// TestSizes holds parameters (7-nets.md's table for profile tsai), field of view and work against published numbers and
// counts by hand.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		net, profile string
		c            int
		parameters   int
		view         int     // sum of kernels - 1, plus 1
		gmac         float64 // forward, one sample of 6000 steps
	}{
		{"fcn", "tsai", 1, 264451, 13, 1.578},
		{"fcn", "tsai", 2, 265347, 13, 1.584},
		{"fcn", "paper", 1, 264579, 14, 1.579},
		{"resnet", "tsai", 1, 478595, 37, 2.854},
		{"resnet", "tsai", 2, 479107, 37, 2.857},
		{"resnet", "paper", 1, 503235, 40, 3.002},
		{"lstm", "tsai", 1, 41503, 0, 0.242},
		{"lstm", "tsai", 2, 41903, 0, 0.245},
		{"lstm", "tsai1", 1, 41503, 0, 0.242},
		{"lstm", "paper", 1, 41503, 0, 0.242},
		{"inceptiontime", "tsai", 1, 388739, 229, 2.318},
		{"inceptiontime", "tsai", 2, 455427, 229, 2.718},
		{"inceptiontime", "paper", 1, 420579, 235, 2.509},
		{"mlp", "sklearn", 1, 6000*100 + 100 + 100*3 + 3, 0, 0.001},
		{"mlp", "sklearn", 2, 12000*100 + 100 + 100*3 + 3, 0, 0.001},
	} {
		m := newModel(t, tt.net, tt.profile, tt.c, 6000)
		i := m.Info()
		if i.Parameters != tt.parameters || i.FieldOfViewSteps != tt.view {
			t.Errorf("%s %s, %d channels: %d parameters, view %d; want %d, %d", tt.net, tt.profile, tt.c,
				i.Parameters, i.FieldOfViewSteps, tt.parameters, tt.view)
		}
		if got := fmt.Sprintf("%.3f", float64(i.ForwardFlops)/2e9); got != fmt.Sprintf("%.3f", tt.gmac) {
			t.Errorf("%s %s, %d channels: %s GMAC, want %.3f", tt.net, tt.profile, tt.c, got, tt.gmac)
		}
		if i.ActivationBytes < 4*6000 {
			t.Errorf("%s %s: %d bytes of activations", tt.net, tt.profile, i.ActivationBytes)
		}
	}
}

// TestMLPShapes counts what scikit-learn counts: two classes have one output.
func TestMLPShapes(t *testing.T) {
	for _, tt := range []struct {
		hidden  []int
		classes int
		want    []int
	}{
		{[]int{100}, 6, []int{104 * 100, 100, 100 * 6, 6}},
		{[]int{100, 50}, 2, []int{104 * 100, 100, 100 * 50, 50, 50, 1}},
		{nil, 3, []int{104 * 3, 3}},
	} {
		m, err := nn.NewModel(ref.New(1), nets.MLP{Hidden: tt.hidden, Curve: nn.Tanh}.Arch(), 2, 52, tt.classes, 1)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, p := range m.Params() {
			got = append(got, len(p.Value.Float32s()))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v, %d classes: tensors of %v values, want %v", tt.hidden, tt.classes, got, tt.want)
		}
		logits := make([]float32, 3*tt.classes)
		if err := m.Forward(make([]float32, 3*104), 3, false, logits); err != nil {
			t.Fatal(err)
		}
		if tt.classes == 2 && (logits[0] != 0 || logits[1] == 0) {
			t.Errorf("logits %v; the first of two stays 0", logits)
		}
	}
	if a, err := nets.Lookup("mlp", ""); err != nil || a.Profile != "sklearn" {
		t.Errorf("mlp without a profile: %s, %v", a.Profile, err)
	}
	if a, err := nets.Lookup("fcn", ""); err != nil || a.Profile != "tsai" {
		t.Errorf("fcn without a profile: %s, %v", a.Profile, err)
	}
}

func TestLookup(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range nets.All {
		if got, err := nets.Lookup(a.Name, a.Profile); err != nil || got.Name != a.Name || got.Profile != a.Profile {
			t.Errorf("Lookup(%s, %s) = %s %s, %v", a.Name, a.Profile, got.Name, got.Profile, err)
		}
		if key := a.Name + "/" + a.Profile; seen[key] || a.Paper == "" {
			t.Errorf("%s: twice, or without paper", key)
		} else {
			seen[key] = true
		}
	}
	for _, tt := range []struct{ name, profile, want string }{
		{"fcm", "tsai", `nets: "fcm": unknown network; choose one of fcn, resnet, lstm, inceptiontime, mlp`},
		{"lstm", "keras", `nets: lstm: no profile "keras"; choose one of tsai, tsai1, paper`},
	} {
		if _, err := nets.Lookup(tt.name, tt.profile); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
