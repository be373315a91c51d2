package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"earshot/data/synth"
	"earshot/train"
)

// Requests is the smart-speaker study: what a user asks of an Echo, told from the packets that answer.
//
// Claim. A random forest on 22 connection fields of tcptrace and two histograms tells six types of request apart in 97 %
// of the cases; fields of the window advertisement carry most of it.
//
// Protocol "study" (EC-40): 100 random stratified 80/20 splits; in each the grid of every model is searched on stratified
// 3-fold splits of the 80 %. Features standardized by the rows that a model is fitted on. Histograms have equal
// bins between the smallest and the largest value of the whole data set, test captures included (EC-21): a leak that
// the study declares, kept under this protocol and shown by the next.
//
// Protocol "ours": the same models; edges of the bins from the training captures; beside random splits those that hold whole
// commands apart and, where the data have them, whole capture occasions (axis group). The networks of the song study and
// MiniRocket on the same files, binned. They read logarithms: a speaker's answer comes in bursts, and on bytes as they are batch
// norm's running statistics belong to the few largest (see train.Normalizer).
//
// Deviations. Folds, trials and models draw from our own streams. C4.5 of the study's text is its library's CART. The grid
// of gamma is ours: the study names none. The trees of a forest and the perceptron's defaults are the library's.
// Fields that do not exist in a capture, such as the window of a capture without a connection, count as 0.
//
// Cost, on two cores with AVX2: --quick about a minute; the default about half an hour for the tables (a forest and the
// perceptron are nine tenths of it) and an hour or two for the networks. --trials, --sets, --models, --bins and --nets take
// parts of it.
var Requests = Study{
	Name:  "requests",
	Title: "What is asked of a smart speaker",
	Paper: "the smart-speaker study (Echo, 2018)",
	Claim: "A random forest on 52 features of the answer's packets names the type of a request in 97 % of the cases.",

	Label:      "type",
	Nets:       []string{"fcn", "resnet", "lstm", "inceptiontime", Rocket},
	Profile:    "tsai",
	StepsUS:    []int64{100_000},
	DurationUS: 10_000_000,
	Direction:  "down",
	Size:       "payload",
	Seeds:      []uint64{1},
	Protocols: []Protocol{
		{Name: "study", Splits: []string{"stratified:100"}, Normalize: "train", Edges: EdgesDataset},
		{Name: "ours", Splits: []string{"stratified:20"}, Epochs: 25, Batch: 16, Normalize: train.NormalizeLog, LR: 1e-3, Edges: EdgesTrain},
	},
	Controls:  []string{ControlMajority, ControlTotals, ControlDuration, ControlPermuted, ControlShuffled},
	Memory:    4 << 30,
	Sets:      slices.Concat(requestSets, requestAblations, BinSweep(5, 10, 15, 25, 50, 100, 200)),
	Models:    modelNames,
	Trees:     400,
	Occasions: []string{"group=query", "group=group"},
	NetTrials: 10,
	Requests:  studyRequests(),
	Published: Published{Requests: &requestsPublished},
}

func studyRequests() *synth.Requests {
	r := synth.StudyRequests()
	return &r
}

// requestSets are the study's three (EC-20 to EC-23).
var requestSets = []FeatureSet{
	{Name: "tcptrace", Sets: "tcptrace22"},
	{Name: "histogram", Sets: "histogram", Set: map[string]string{"bins": "15", "acks": "no"}},
	{Name: "combined", Sets: "combined", Set: map[string]string{"bins": "15", "acks": "no"}},
}

// requestAblations are some of the features only, and all of them under the same model, a forest without a search (EC-61).
var requestAblations = []FeatureSet{
	ablation("combined", 2, nil),
	ablation("tcptrace", 0, nil),
	ablation("windows", 0, []string{"max_win_adv", "min_win_adv", "avg_win_adv"}),
	ablation("amounts", 0, []string{"total_packets", "unique_bytes_sent", "actual_data_pkts", "actual_data_bytes"}),
	ablation("histogram", 1, nil),
	ablation("sizes", 1, []string{"size_"}),
	ablation("times", 1, []string{"iat_"}),
}

func ablation(name string, set int, keep []string) FeatureSet {
	f := requestSets[set]
	f.Name, f.Keep, f.Models, f.Part = name, keep, []string{PlainForest}, PartAblation
	return f
}

// BinSweep are histograms of several numbers of bins, with and without packets that carry nothing (EC-24).
func BinSweep(bins ...int) (out []FeatureSet) {
	for _, b := range bins {
		for _, acks := range []string{"yes", "no"} {
			out = append(out, FeatureSet{Name: binName(b, acks == "yes"), Sets: "histogram",
				Set: map[string]string{"bins": strconv.Itoa(b), "acks": acks}, Models: []string{PlainForest}, Part: PartBins})
		}
	}
	return out
}

func binName(bins int, acks bool) string {
	return fmt.Sprintf("histogram%d_%s", bins, map[bool]string{true: "acks", false: "data"}[acks])
}

// quickerTables is the path in miniature for a study of feature tables.
func (s Study) quickerTables() Study {
	s = s.WithTrials(3).WithoutPart(PartBins)
	s.Sets = append(s.Sets, BinSweep(5, 15)...)
	s.Nets, s.StepsUS, s.NetTrials, s.Trees = []string{"fcn", Rocket}, []int64{500_000}, 1, 50
	for i := range s.Protocols {
		if s.Protocols[i].Epochs > 0 {
			s.Protocols[i].Epochs = 6
		}
	}
	r := *s.Requests
	r.PerClass = 30
	s.Requests = &r
	return s
}

// WithoutPart leaves the feature sets of one part of the report out.
func (s Study) WithoutPart(part string) Study {
	s.Sets = slices.DeleteFunc(slices.Clone(s.Sets), func(f FeatureSet) bool { return f.Part == part })
	return s
}

// WithSets keeps the study's own feature sets of these names only, and of the others those that are part of one of them. An
// unknown name is wrong usage.
func (s Study) WithSets(names []string) (Study, error) {
	var known []string
	kept := map[string]bool{} // of the package features
	for _, f := range s.Sets {
		if f.Part == "" {
			known = append(known, f.Name)
			kept[f.Sets] = kept[f.Sets] || slices.Contains(names, f.Name)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return s, &UsageError{fmt.Errorf("experiments: feature set %q: unknown; use %s", n, strings.Join(known, ", "))}
		}
	}
	s.Sets = slices.DeleteFunc(slices.Clone(s.Sets), func(f FeatureSet) bool { return !kept[f.Sets] })
	return s, nil
}

// WithTrials draws every protocol's random splits n times.
func (s Study) WithTrials(n int) Study {
	s.Protocols = slices.Clone(s.Protocols)
	for i := range s.Protocols {
		p := &s.Protocols[i]
		p.Splits = slices.Clone(p.Splits)
		for j, spec := range p.Splits {
			for _, kind := range []string{"random", "stratified"} {
				if len(spec) > len(kind) && spec[:len(kind)+1] == kind+":" {
					p.Splits[j] = fmt.Sprintf("%s:%d", kind, n)
				}
			}
		}
	}
	return s
}
