package experiments

import (
	"earshot/data/synth"
	"earshot/train"
)

// Studies are the experiments that "earshot run" knows, by name.
var Studies = map[string]Study{"songs": Songs, "requests": Requests, "archive": Archives}

// Songs is the song study: which of three songs is being streamed, told from the sizes and times of encrypted packets.
//
// Claim. Accuracy rises with finer time steps, because the service sends about 325 kB in a burst every 10 s, so that at
// 1 s or 0.1 s all captures look alike; the best cell is XceptionTime at 10 ms with 75 % (3 of 4 test points).
//
// Protocol "study": 111 captures of 60 s, received payload bytes per step, nearest step, one random 20 % as test set,
// 25 epochs of the library's default recipe: batch 64, the incomplete batch dropped, no normalization. 89 training
// points are one batch an epoch, so 25 epochs are 25 optimizer steps. Protocol "ours": stratified repeats, batch 16,
// nothing dropped, standardized by the training set: 150 optimizer steps in the same 25 epochs.
//
// Deviations. Four of the nine networks, and beside them MiniRocket, which learns nothing but a linear rule. The captures are ours (the study
// published none): three songs of the bundled recording, 37 captures each, or generated ones whose best possible accuracy is known.
// The study does not say how it normalized or rounded; what we chose is in manifest.json. What the study mixes is shown
// apart: optimizer steps, number of points and field of view in seconds stand in every row.
//
// Cost, on two cores with AVX2: --quick about two minutes; the default about 10^15 operations, two to three hours,
// nine tenths of it at 10 ms.
var Songs = Study{
	Name:  "songs",
	Title: "Which song is being streamed",
	Paper: "the song study (Spotify, 2022)",
	Claim: "Finer time steps name the song more often.",

	Label:      "song",
	Nets:       []string{"fcn", "resnet", "lstm", "inceptiontime", Rocket},
	Profile:    "tsai",
	StepsUS:    []int64{1_000_000, 100_000, 10_000},
	DurationUS: 60_000_000,
	Order:      1000,
	Direction:  "down",
	Size:       "payload",
	Seeds:      []uint64{1},
	Protocols: []Protocol{
		{Name: "study", Splits: []string{"random:1"}, Epochs: 25, Batch: 64, DropLast: true, Normalize: "none", LR: 1e-3},
		{Name: "ours", Splits: []string{"stratified:5"}, Epochs: 25, Batch: 16, Normalize: "train", LR: 1e-3},
	},
	Controls:  []string{ControlMajority, ControlTotals, ControlDuration, ControlPermuted, ControlShuffled},
	Memory:    4 << 30, // what the study's own graphics card had
	Generate:  synth.StudySongs(),
	Recorded:  Recorded{Data: "bundled:songs", Label: "song", Classes: []string{"battle", "nebula", "wanderer"}, Points: 111},
	Published: songsPublished,
}

// Full adds the study's finest step, 1 ms.
func (s Study) Full() Study {
	s.StepsUS = append(append([]int64{}, s.StepsUS...), 1_000)
	return s
}

// Quicker is the whole path in miniature: two steps, few epochs, few repeats. Its numbers are for looking at the path,
// not at the claim.
func (s Study) Quicker() Study {
	s.Quick = true
	if len(s.Sets) > 0 {
		return s.quickerTables()
	}
	if s.Archive != nil {
		return s.quickerArchive()
	}
	s.StepsUS = []int64{1_000_000, 100_000}
	s.Order = 100
	s.Protocols = append([]Protocol{}, s.Protocols...)
	for i := range s.Protocols {
		switch p := &s.Protocols[i]; p.Name {
		case "study":
			p.Epochs = 10
		case "ours":
			p.Splits, p.Epochs = []string{"stratified:3"}, 6
		}
	}
	return s
}

// WithCollapse adds the study's protocol with each of the suspects for its constant answers changed alone, and all three of SP-53
// together: the dropped batch, the raw byte values, batch norm's lagging running statistics. The fourth, the values' heavy tail
// (train.NormalizeLog), stands beside the raw values.
func (s Study) WithCollapse() Study {
	var out []Protocol
	for _, p := range s.Protocols {
		out = append(out, p)
		if p.Name != "study" {
			continue
		}
		for _, v := range []struct {
			name   string
			change func(*Protocol)
		}{
			{"study_keep", func(q *Protocol) { q.DropLast = false }},
			{"study_scaled", func(q *Protocol) { q.Normalize = train.NormalizeTrain }},
			{"study_log", func(q *Protocol) { q.Normalize = train.NormalizeLog }},
			{"study_batchstats", func(q *Protocol) { q.Evaluate = EvaluateBatch }},
			{"study_all", func(q *Protocol) { q.DropLast, q.Normalize, q.Evaluate = false, "train", EvaluateBatch }},
		} {
			q := p
			q.Name = v.name
			v.change(&q)
			out = append(out, q)
		}
	}
	s.Protocols = out
	return s
}
