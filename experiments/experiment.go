package experiments

import "earshot/data/synth"

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
	DurationUS int64       `json:"duration_us"`   // what is looked at of each capture
	Order      int         `json:"order_packets"` // T of the order-only representation (SP-30); 0: not run
	Direction  string      `json:"direction"`     // packets that count: down, up or both
	Size       string      `json:"size"`          // length that counts: payload, ip or frame
	Points     []int       `json:"points"`        // numbers of captures; nil before the data are known: all
	Seeds      []uint64    `json:"seeds"`
	Protocols  []Protocol  `json:"protocols"`
	Controls   []string    `json:"controls"` // the networks' controls are run with the first of Nets
	Memory     int64       `json:"memory"`   // bytes a training step may need; 0: no limit
	Quick      bool        `json:"quick"`
	Generate   synth.Songs `json:"generate"` // the data when none are given

	Published Published `json:"-"`
}

// Protocol is how cells are trained and on which splits.
type Protocol struct {
	Name      string   `json:"name"`
	Splits    []string `json:"splits"` // specifications: random:1, stratified:5, group=day
	Epochs    int      `json:"epochs"`
	Batch     int      `json:"batch"`
	DropLast  bool     `json:"drop_last"`
	Normalize string   `json:"normalize"`
	LR        float64  `json:"lr"` // highest rate of the schedule
	Evaluate  string   `json:"evaluate,omitempty"`
}

// Published are the numbers of the study's own tables.
type Published struct {
	Guess float64 // accuracy of guessing as the study printed it, a fraction
	Order float64 // accuracy of the order-only encoding
	Cells []PublishedCell
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
