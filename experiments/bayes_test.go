package experiments

import (
	"context"
	"math"
	"testing"
	"time"

	"earshot/data/binning"
	"earshot/data/synth"
	"earshot/data/trace"
	"earshot/nets"
	"earshot/nets/nn"
	"earshot/train"
)

// A network that has learned all there is comes as close to the generator's known best accuracy as 1000 captures let it:
// within 3 points on average over 5 seeds, each with data of its own. It is the whole path at work: packets, binning,
// training, prediction. At 10 s steps each segment of a song is one step, and the LSTM sees them all.
func TestNetworkReachesBayes(t *testing.T) {
	nTrain, nTest, seeds, tol := 1000, 2000, 5, 0.03
	if testing.Short() {
		seeds, tol = 1, 0.05 // one network of one sample
	}
	be := backend(t)
	arch, err := nets.Lookup("lstm", "tsai")
	if err != nil {
		t.Fatal(err)
	}
	for _, bayes := range []float64{0.6, 0.8, 0.95} {
		mean := 0.0
		for s := range seeds {
			g := synth.StudySongs()
			g.Bayes, g.Seed, g.PerClass = bayes, uint64(s+1), (nTrain+nTest+2)/3
			c := binning.Default()
			c.Step = 10 * time.Second
			steps, err := c.Steps()
			if err != nil {
				t.Fatal(err)
			}
			var x []float32
			var y []int
			err = g.Generate(func(class, _ int, tr *trace.Trace) error {
				row := make([]float32, steps)
				_, err := binning.Bin(c, tr, row)
				x, y = append(x, row...), append(y, class)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			m, err := nn.NewModel(be, arch, 1, steps, g.Classes, g.Seed)
			if err != nil {
				t.Fatal(err)
			}
			d := train.Data{X: x[:nTrain*steps], N: nTrain, C: 1, T: steps, Y: y[:nTrain], Classes: []string{"a", "b", "c"}}
			cfg := train.Config{Profile: "tsai", Epochs: 25, Batch: 64, LR: 1e-3, Normalize: train.NormalizeTrain, Seed: g.Seed}
			if _, err := train.Fit(context.Background(), m, d, cfg, nil); err != nil {
				t.Fatal(err)
			}
			scores, err := train.Predict(m, train.FitNormalizer(cfg.Normalize, d), x[nTrain*steps:(nTrain+nTest)*steps], nTest, 64)
			m.Close()
			if err != nil {
				t.Fatal(err)
			}
			right := 0
			for i, row := range split(scores, g.Classes) {
				if argmax(row) == y[nTrain+i] {
					right++
				}
			}
			mean += float64(right) / float64(nTest) / float64(seeds)
		}
		t.Logf("best %.3f, network %.4f", bayes, mean)
		if math.Abs(mean-bayes) > tol {
			t.Errorf("best rule %.2f: the network is right on %.4f, allowed ±%g", bayes, mean, tol)
		}
	}
}
