package experiments

import (
	"context"
	"testing"
)

// The suspects for constant answers are protocols of their own, and the way of testing changes no weights.
func TestCollapse(t *testing.T) {
	s := tiny()
	s.Nets, s.Order, s.Controls = []string{"fcn"}, 0, nil
	s.Protocols = s.Protocols[:1]
	s = s.WithCollapse()
	dir := t.TempDir()
	if err := Sweep(context.Background(), s, Options{Dir: dir, Backend: backend(t)}); err != nil {
		t.Fatal(err)
	}
	r := tables(t, dir)
	by := map[string]*Cell{}
	for _, c := range r.Cells {
		by[c.Protocol] = c
	}
	base, stats := by["study"], by["study_batchstats"]
	if base == nil || stats == nil || len(by) != 6 {
		t.Fatalf("%d protocols", len(by))
	}
	if base.WeightsSHA256 != stats.WeightsSHA256 {
		t.Error("testing by batch statistics changed the weights")
	}
	same := true
	for i, p := range base.Predictions {
		for k, v := range p.Scores {
			same = same && v == stats.Predictions[i].Scores[k]
		}
	}
	if same {
		t.Error("batch statistics gave the scores of running statistics")
	}
	if scaled := by["study_scaled"].WeightsSHA256; base.WeightsSHA256 == scaled || by["study_log"].WeightsSHA256 == scaled {
		t.Error("normalization changed nothing")
	}
	// 15 captures are one incomplete batch of 64, capped at 15: nothing to drop.
	if by["study_keep"].OptimizerSteps != base.OptimizerSteps {
		t.Errorf("%d and %d optimizer steps", by["study_keep"].OptimizerSteps, base.OptimizerSteps)
	}
	for _, tab := range r.Tables() {
		if tab.Name == "collapse" && len(tab.Rows) != 6 {
			t.Errorf("%d rows in the table of constant answers", len(tab.Rows))
		}
	}
}
