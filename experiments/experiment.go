package experiments

import (
	"fmt"
	"time"

	"earshot/data/binning"
	"earshot/data/dataset"
	"earshot/data/synth"
	"earshot/train"
)

// Study is an experiment as a value: what is compared, on which data, how often, and what was published. Flags of the
// command change fields of it; the resolved value is stored in manifest.json, and the same value gives the same run.
type Study struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Paper string `json:"paper"`
	Claim string `json:"claim"` // what the study says, in one sentence

	Label      string      `json:"label"`   // axis of the data set
	Classes    []string    `json:"classes"` // sorted; nil before the data are known: all
	Nets       []string    `json:"nets"`
	Profile    string      `json:"profile"`
	StepsUS    []int64     `json:"steps_us"`
	DurationUS int64       `json:"duration_us"`    // what is looked at of each capture
	Order      int         `json:"order_packets"`  // T of the order-only representation (SP-30); 0: not run
	Direction  string      `json:"direction"`      // packets that count: down, up or both
	Size       string      `json:"size"`           // length that counts: payload, ip or frame
	Loss       float64     `json:"loss,omitempty"` // share of the packets that the eavesdropper misses (SP-03)
	Points     []int       `json:"points"`         // numbers of captures; nil before the data are known: all
	Seeds      []uint64    `json:"seeds"`
	Protocols  []Protocol  `json:"protocols"`
	Controls   []string    `json:"controls"` // those of a network are run with a rocket of Nets, or with the first
	Memory     int64       `json:"memory"`   // bytes a training step may need; 0: no limit
	Quick      bool        `json:"quick"`
	Generate   synth.Songs `json:"generate"` // what generated data are

	Sets      []FeatureSet    `json:"sets,omitempty"`              // tables of features that classical models learn from
	Models    []string        `json:"models,omitempty"`            // of the sets that name none
	Trees     int             `json:"trees,omitempty"`             // of a forest
	Occasions []string        `json:"occasions,omitempty"`         // splits that every protocol gets where the data have their axis, with several values
	NetTrials int             `json:"net_trials,omitempty"`        // networks see the first splits of each kind only; 0: all
	Requests  *synth.Requests `json:"generate_requests,omitempty"` // in place of Generate

	World *World `json:"world,omitempty"` // some of the classes are monitored, the rest is other

	Archive *Archive `json:"archive,omitempty"` // in place of one set of captures

	Recorded  Recorded  `json:"-"`
	Published Published `json:"-"`
}

// Recorded is the bundled data set that a study is meant for, and how much of it the study takes as long as nobody asks for more: as
// many classes and captures as were published.
type Recorded struct {
	Data    string   // bundled:NAME; empty: there is none
	Label   string   // on this axis
	Classes []string // where Study.Classes is nil
	Points  int      // where Study.Points is nil, too; all captures of the classes where there are fewer
}

// AllClasses alone in Study.Classes stands for every class of the data.
const AllClasses = "all"

// Protocol is how cells are trained and on which splits.
type Protocol struct {
	Name      string   `json:"name"`
	Splits    []string `json:"splits"` // specifications: random:1, stratified:5, group=day
	Epochs    int      `json:"epochs"` // 0: no networks under this protocol
	Batch     int      `json:"batch"`
	DropLast  bool     `json:"drop_last"`
	Normalize string   `json:"normalize"`
	LR        float64  `json:"lr"` // highest rate of the schedule
	Evaluate  string   `json:"evaluate,omitempty"`
	Edges     string   `json:"edges,omitempty"` // of histograms: dataset (fitted on test captures too) or train
}

// Published are the numbers of the study's own tables.
type Published struct {
	Label   string  // the study's question: the label axis, and how many values it had
	Classes int     // of it; 0: any number
	Guess   float64 // accuracy of guessing as the study printed it, a fraction
	Order   float64 // accuracy of the order-only encoding
	Cells   []PublishedCell

	Requests *RequestsPublished
}

// PublishedCell is one row of a published table. Points and Accuracy are 0 where the study prints None.
type PublishedCell struct {
	StepUS   int64
	Net      string
	Points   int
	Accuracy float64 // a fraction
}

// Find returns the published row of a network at a time step.
func (p Published) Find(stepUS int64, net string) (PublishedCell, bool) {
	for _, c := range p.Cells {
		if c.StepUS == stepUS && c.Net == net {
			return c, true
		}
	}
	return PublishedCell{}, false
}

// Check says what makes no sense in a study, before any data are read.
func (s Study) Check() error {
	bad := func(format string, args ...any) error {
		return &UsageError{fmt.Errorf("experiments: "+format, args...)}
	}
	if s.Archive != nil {
		return s.checkArchive()
	}
	if len(s.Protocols) == 0 || len(s.Seeds) == 0 {
		return bad("protocols and seeds: at least one of each is needed")
	}
	if len(s.Sets) == 0 && (len(s.Nets) == 0 || len(s.StepsUS) == 0 && s.Order == 0) {
		return bad("networks and steps: at least one of each is needed; studies with tables of features alone go without")
	}
	if err := s.checkSets(); err != nil {
		return err
	}
	if err := s.checkWorld(); err != nil {
		return err
	}
	for _, n := range s.Nets {
		if isRocket(n) {
			continue
		}
		if err := checkNet(n, s.Profile); err != nil {
			return err
		}
	}
	for _, us := range s.StepsUS {
		c := binning.Default()
		c.Step, c.Duration = time.Duration(us)*time.Microsecond, time.Duration(s.DurationUS)*time.Microsecond
		if _, err := c.Steps(); err != nil {
			return &UsageError{err}
		}
	}
	if s.Order < 0 || s.Memory < 0 {
		return bad("%d packets in order, %d bytes of memory: below 0", s.Order, s.Memory)
	}
	for _, c := range s.Controls {
		if controlNames[c] == "" {
			return bad("control %q: unknown; use %s, %s, %s, %s or %s", c, ControlMajority, ControlTotals, ControlDuration, ControlPermuted, ControlShuffled)
		}
	}
	for _, p := range s.Protocols {
		if len(s.Nets) > 0 && (p.Epochs < 0 || p.Epochs == 0 && len(s.Sets) == 0 || p.Epochs > 0 && (p.Batch < 1 || !(p.LR > 0))) {
			return bad("protocol %s: %d epochs, batch %d, rate %g: all must be above 0", p.Name, p.Epochs, p.Batch, p.LR)
		}
		if err := train.CheckNormalize(p.Normalize); err != nil {
			return &UsageError{err}
		}
		for _, spec := range p.Splits {
			if _, err := dataset.ParseSplits(spec); err != nil {
				return &UsageError{err}
			}
			if err := ApartFromLabel(spec, s.Label); err != nil && s.World == nil {
				return err
			}
		}
	}
	return nil
}
