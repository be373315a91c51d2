package experiments

import (
	"fmt"
	"slices"

	"earshot/data/synth"
	"earshot/nets"
	"earshot/train"
)

// Archive makes a Study run over the problems of an archive of time series instead of one set of captures. Every problem
// has its official split; a repeat is a seed.
type Archive struct {
	Datasets []string       `json:"datasets,omitempty"` // nil: all that the folder has
	Generate []synth.Series `json:"generate,omitempty"` // the problems when no folder is given; their seeds follow from Study.Seeds
}

// Archives holds the networks and transforms against the accuracies that were published for them on the UCR archive.
//
// Claim. None of its own: whoever builds a network anew must reach what its authors reached, on their data, before
// saying anything about traffic.
//
// Protocol: official splits, no validation set, one result for each seed. Networks are trained in profile paper (their
// authors' kernels, first weights, optimizer, batches, each series z-normalized, the weights of the epoch with the lowest
// training loss); MiniRocket and MultiRocket see the series as they are.
//
// A network with batch norm that names fewer of its own training series right when tested than in training, by more than ten
// points, is unsettled: its numbers stand in the tables with a mark, and it is neither ranked nor judged.
//
// Deviations. 150 epochs in place of 1500 (ResNet, InceptionTime) or 2000 (FCN), three runs in place of five. Of so short
// a training batch norm's running statistics are behind, most of InceptionTime, which takes one batch an epoch from 64
// series: they are replaced by those of the training set (EvaluateSet) before the network is tested. InceptionTime is
// one network and stands beside one network's published numbers. For the LSTM and MultiRocket none are kept here.
// --epochs 0 --runs 5 is the published recipe: its amount of work, and the running statistics.
//
// Cost, with AVX2: --quick under a minute on two cores; seven small problems of the archive (44,000 steps of training
// series) 35 minutes of one core, some twenty on two. The published recipe is ten to thirteen times the epochs, and five runs.
var Archives = Study{
	Name:  "archive",
	Title: "The models on an archive of time series",
	Claim: "Whoever builds a model anew must reach what its authors reached, on their data, before saying anything about traffic.",

	Label:     "class",
	Nets:      []string{"fcn", "resnet", "lstm", "inceptiontime", Rocket, MultiRocket},
	Profile:   train.ProfilePaper,
	Seeds:     []uint64{1, 2, 3},
	Protocols: []Protocol{{Name: "official", Splits: []string{"official"}, Epochs: 150, Evaluate: EvaluateSet}},
	Controls:  []string{ControlMajority, ControlTotals, ControlPermuted},
	Memory:    4 << 30,
	Archive: &Archive{Generate: []synth.Series{
		{Name: "burst", Shape: synth.ShapeBurst, Classes: 3, Channels: 1, Steps: 64, Train: 20, Test: 100, Bayes: 0.99},
		{Name: "link", Shape: synth.ShapeLink, Classes: 2, Channels: 2, Steps: 32, Train: 30, Test: 150, Bayes: 0.97},
		{Name: "wave", Shape: synth.ShapeWave, Classes: 3, Channels: 1, Steps: 48, Train: 20, Test: 100, Bayes: 0.95},
		{Name: "wave_noisy", Shape: synth.ShapeWave, Classes: 2, Channels: 1, Steps: 48, Train: 30, Test: 150, Bayes: 0.8},
	}},
}

// quickerArchive is one run of few epochs.
func (s Study) quickerArchive() Study {
	s.Quick = true
	s.Seeds = s.Seeds[:1]
	s.Protocols = slices.Clone(s.Protocols)
	for i := range s.Protocols {
		s.Protocols[i].Epochs = 60
	}
	return s
}

// checkArchive is Check for the study of an archive.
func (s Study) checkArchive() error {
	bad := func(format string, args ...any) error {
		return &UsageError{fmt.Errorf("experiments: "+format, args...)}
	}
	if len(s.Nets) == 0 || len(s.Protocols) == 0 || len(s.Seeds) == 0 {
		return bad("networks, protocols and runs: at least one of each is needed")
	}
	for _, n := range s.Nets {
		if isRocket(n) {
			continue
		}
		if err := checkNet(n, s.Profile); err != nil {
			return err
		}
		if _, err := train.Recipe(n, s.Profile, 1); err != nil {
			return &UsageError{err}
		}
	}
	for _, c := range s.Controls {
		if !slices.Contains(archiveControls, c) {
			return bad("control %q: not one of an archive; use majority, totals, permuted or shuffled", c)
		}
	}
	for _, p := range s.Protocols {
		if p.Epochs < 0 || p.Batch < 0 || p.LR < 0 || s.Memory < 0 {
			return bad("protocol %s: %d epochs, batch %d, rate %g: below 0", p.Name, p.Epochs, p.Batch, p.LR)
		}
		if p.Normalize != "" {
			if err := train.CheckNormalize(p.Normalize); err != nil {
				return &UsageError{err}
			}
		}
		if p.Evaluate != "" && p.Evaluate != EvaluateBatch && p.Evaluate != EvaluateSet {
			return bad("protocol %s: batch norm by %q; it is %q, %q or empty", p.Name, p.Evaluate, EvaluateBatch, EvaluateSet)
		}
		if !slices.Equal(p.Splits, []string{"official"}) {
			return bad("splits %v: an archive has its official split and no other", p.Splits)
		}
	}
	return nil
}

// archiveControls are the controls that series have. Without traffic there is no length and no byte to count: totals are
// mean and standard deviation of each channel.
var archiveControls = []string{ControlMajority, ControlTotals, ControlPermuted, ControlShuffled}

// planArchive lists the cells of all problems: problem after problem, the controls first.
func (s *source) planArchive() ([]item, map[string]Split, error) {
	splits := map[string]Split{}
	var out []item
	for _, p := range s.problems {
		split := p.official()
		splits[p.dataset] = split
		add := func(c Settings) { out = append(out, item{c.id(), c, split}) }
		for _, proto := range s.study.Protocols {
			for _, control := range archiveControls {
				if !slices.Contains(s.study.Controls, control) {
					continue
				}
				if control == ControlMajority || control == ControlTotals { // without a seed
					c := p.settings(proto, s.study.Seeds[0])
					c.plain(control)
					add(c)
					continue
				}
				for _, seed := range s.study.Seeds {
					c := p.settings(proto, seed)
					c.Control = control
					if err := c.train(s.study.controlNet(), proto, len(split.Train)); err != nil {
						return nil, nil, err
					}
					add(c)
				}
			}
			for _, net := range s.study.Nets {
				for _, seed := range s.study.Seeds {
					c := p.settings(proto, seed)
					if err := c.train(net, proto, len(split.Train)); err != nil {
						return nil, nil, err
					}
					add(c)
				}
			}
		}
	}
	return out, splits, nil
}

// settings are what all cells of a problem share.
func (s *source) settings(p Protocol, seed uint64) Settings {
	return Settings{
		Study: s.study.Name, Data: s.info.Digest, Dataset: s.dataset, Label: s.study.Label, Classes: s.study.Classes, Representation: Whole,
		Profile: s.study.Profile, Protocol: p.Name, Channels: s.tensor.C, Steps: s.tensor.T, Points: s.tensor.N, SplitSpec: "official", Split: s.dataset, Seed: seed,
	}
}

// train makes the settings those of a network in its profile's recipe for n training series, under what the protocol
// says otherwise; or those of a rocket, which has no epochs and takes the series as they are. What the protocol says about
// batch norm's statistics holds for trainings that are shorter than the recipe's.
func (c *Settings) train(net string, p Protocol, n int) error {
	c.Net = net
	if isRocket(net) {
		c.Profile, c.Normalize = "", train.NormalizeNone
		return nil
	}
	r, err := train.Recipe(net, c.Profile, n)
	if err != nil {
		return &UsageError{err}
	}
	c.Epochs, c.Batch, c.LR, c.DropLast, c.Normalize = r.Epochs, r.Batch, r.LR, r.DropLast, r.Normalize
	if p.Epochs > 0 {
		c.Epochs = p.Epochs
	}
	if p.Evaluate != "" && c.Epochs < r.Epochs {
		arch, err := nets.Lookup(net, c.Profile)
		if err != nil {
			return &UsageError{err}
		}
		if arch.Normalizes() {
			c.Evaluate = p.Evaluate
		}
	}
	if p.Batch > 0 {
		c.Batch = p.Batch
	}
	if p.LR > 0 {
		c.LR = p.LR
	}
	if p.Normalize != "" {
		c.Normalize = p.Normalize
	}
	return nil
}

// official is the split that the archive's files make.
func (s *source) official() (out Split) {
	for _, c := range s.captures {
		if c.Labels[splitLabel] == trainHalf {
			out.Train = append(out.Train, c.ID)
		} else {
			out.Test = append(out.Test, c.ID)
		}
	}
	return out
}
