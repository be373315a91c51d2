package experiments

import (
	"testing"
	"time"
)

// TestForecast: a sweep whose fine steps take a hundred times as long is forecast by its coarse ones.
func TestForecast(t *testing.T) {
	cell := func(net string, steps, points int) Settings {
		return Settings{Net: net, Representation: Binned, StepUS: 1, Steps: steps, Points: points, Epochs: 10}
	}
	var items []item
	for _, s := range []Settings{
		{Control: ControlMajority, Net: "constant"}, {Control: ControlMajority, Net: "constant"},
		cell("fcn", 60, 100), cell("resnet", 60, 100), cell("fcn", 6000, 100), cell("resnet", 6000, 100), cell(Rocket, 60, 100), cell(Rocket, 6000, 100),
	} {
		items = append(items, item{settings: s})
	}
	f := newForecast(items, 2)
	step := func(i int, took, want time.Duration) {
		t.Helper()
		f.end(items[i].settings, took)
		if got := f.rest(); (got - want).Abs() > time.Millisecond {
			t.Errorf("after cell %d: %v left, want %v", i, got, want)
		}
	}
	step(0, 2*time.Second, 0) // of networks nothing is known
	step(1, 0, 0)             // was there
	step(2, time.Second, 0)   // of rockets nothing is known
	step(6, time.Second, (1+200+100)*time.Second)
	step(3, 3*time.Second, (100+300+100)*time.Second) // each network by itself
	step(4, 120*time.Second, (300+100)*time.Second)
	step(5, 0, 100*time.Second)
	step(7, time.Second, 0)
}
