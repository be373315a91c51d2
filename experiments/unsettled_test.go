package experiments

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earshot/data/synth"
	"earshot/train"
)

// A network with batch norm is unsettled when testing costs it training series that it had right in the epoch it kept.
func TestUnsettled(t *testing.T) {
	history := func(accuracy ...float64) (h train.History) {
		for i, a := range accuracy {
			h = append(h, train.Epoch{Epoch: i + 1, Loss: []float64{0.5, 0.001, 0.01}[i], TrainAccuracy: a}) // the second is the best
		}
		return h
	}
	for _, c := range []struct {
		name, net, profile, evaluate string
		h                            train.History
		tested                       float64
		want                         bool
	}{
		{"chance after training at no loss", "inceptiontime", "paper", "", history(0.6, 1, 0.9), 0.5, true},
		{"just too much", "fcn", "paper", "", history(0.6, 1, 0.9), 0.89, true},
		{"not too much", "fcn", "paper", "", history(0.6, 1, 0.9), 0.91, false},
		{"better when tested", "resnet", "paper", "", history(0.6, 0.7, 0.9), 1, false},
		{"the last epoch is kept elsewhere", "resnet", "tsai", "", history(0.6, 1, 0.5), 0.5, false},
		{"and judged", "resnet", "tsai", "", history(0.6, 0.5, 1), 0.5, true},
		{"no batch norm", "lstm", "paper", "", history(0.6, 1, 0.9), 0.5, false},
		{"tested as trained", "fcn", "tsai", EvaluateBatch, history(1, 1, 1), 0.5, false},
		{"no epochs", Rocket, "", "", nil, 0.5, false},
	} {
		cell := &Cell{Settings: Settings{Representation: Whole, Net: c.net, Profile: c.profile, Evaluate: c.evaluate}, History: c.h}
		cell.TrainAccuracy = c.tested
		if got := cell.unsettled(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// An unsettled network keeps its numbers, with a mark, and takes no part in verdicts and ranks.
func TestUnsettledReport(t *testing.T) {
	s := tinyArchive()
	s.Nets, s.Controls, s.Seeds = []string{"fcn", "lstm", Rocket, MultiRocket}, nil, []uint64{1}
	s.Archive = &Archive{Generate: []synth.Series{
		{Name: "Coffee", Shape: synth.ShapeWave, Classes: 2, Channels: 1, Steps: 48, Train: 8, Test: 10, Bayes: 0.999},
		{Name: "GunPoint", Shape: synth.ShapeWave, Classes: 2, Channels: 1, Steps: 32, Train: 8, Test: 10, Bayes: 0.999},
	}}
	r := runArchive(t, s, "", t.TempDir())
	set := func(trained, tested float64) {
		for _, c := range r.Cells {
			if c.Net == "fcn" && c.Dataset == "Coffee" {
				for i := range c.History {
					c.History[i].TrainAccuracy = trained
				}
				c.TrainAccuracy = tested
			}
		}
		r.groups = nil
	}
	report := func() string {
		if err := WriteReport(r); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(r.Dir, "report.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	set(1, 0.95)
	settled := report()
	set(1, 0.5)
	unsettled := report()
	for _, want := range []string{" ! |", "FCN is not judged: on Coffee the statistics that batch norm was tested by do not fit its weights.", "| unsettled |", "!: tested by batch norm statistics"} {
		if strings.Contains(settled, want) || !strings.Contains(unsettled, want) {
			t.Errorf("%q: settled %v, unsettled %v", want, strings.Contains(settled, want), strings.Contains(unsettled, want))
		}
	}
	if n := r.standing(r.Summary()).Nets; !slices.Equal(n, []string{"lstm", Rocket, MultiRocket}) {
		t.Errorf("ranked: %v", n)
	}
	for text, n := range map[string]int{settled: 4, unsettled: 3} { // verdicts on FCN and MiniRocket
		if want := fmt.Sprintf("of %d accuracies agree", n); !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}
