package experiments

import (
	"earshot/train"
	"earshot/train/metrics"
)

// The values of Settings.Control. A cell without a control is a network trained on the true labels.
const (
	ControlMajority = "majority" // the constant answer: most frequent class of the training set
	ControlTotals   = "totals"   // bytes and packets of the whole capture are the only input
	ControlDuration = "duration" // the capture's length is the only input
	ControlPermuted = "permuted" // a network, its training labels permuted
	ControlShuffled = "shuffled" // a network, the time steps of every capture in random order
)

// The values of Cell.Status.
const (
	StatusOK      = "ok"
	StatusRefused = "refused" // does not fit into the memory allowed; Reason holds the arithmetic
	StatusFailed  = "failed"  // Reason holds the error; a resumed run tries again
)

// The values of Settings.Representation. A control that needs no series has its own name there.
const (
	Binned = "binned" // bytes in each time step (SP-32)
	Order  = "order"  // payload sizes in order of arrival, without time (SP-30)
	Whole  = "series" // series that never were packets, as an archive has them
)

// Rocket and MultiRocket are the names under which MiniRocket and MultiRocket, each with a ridge classifier, stand among the
// networks.
const (
	Rocket      = "minirocket"
	MultiRocket = "multirocket"
)

// The values of Settings.Evaluate; empty for batch norm's running statistics.
const (
	// EvaluateBatch tests with batch norm in training mode: one of the three suspects for constant answers (SP-53) is that
	// its running statistics lag after few steps.
	EvaluateBatch = "batch"
	// EvaluateSet replaces the running statistics, once training has ended, by those of the whole training set.
	EvaluateSet = "training set"
)

// Settings are all that decides a cell's result: two cells with the same settings have the same bits. The cell's name is
// made from them.
type Settings struct {
	Study          string   `json:"study"`
	Control        string   `json:"control"`
	Data           string   `json:"data"` // digest of the data set
	Label          string   `json:"label"`
	Classes        []string `json:"classes"` // K names, sorted; Prediction.True indexes them
	World          *World   `json:"world,omitempty"`
	Representation string   `json:"representation"`
	Net            string   `json:"net"`
	Profile        string   `json:"profile"`
	Protocol       string   `json:"protocol"`
	Normalize      string   `json:"normalize"`
	StepUS         int64    `json:"step_us"`     // 0: the representation has no time step
	Steps          int      `json:"steps"`       // T of the tensor
	DurationUS     int64    `json:"duration_us"` // what is looked at of each capture
	Direction      string   `json:"direction"`
	Size           string   `json:"size"`
	Points         int      `json:"points"`     // captures used, training and test together
	SplitSpec      string   `json:"split_spec"` // how the split was drawn: stratified:5
	Split          string   `json:"split"`      // its name in splits.json
	Seed           uint64   `json:"seed"`
	Epochs         int      `json:"epochs"`
	Batch          int      `json:"batch"`
	DropLast       bool     `json:"drop_last"`
	LR             float64  `json:"lr"`
	Evaluate       string   `json:"evaluate,omitempty"` // by which statistics batch norm is tested
	Dataset        string   `json:"dataset,omitempty"`  // of an archive
	Channels       int      `json:"channels,omitempty"` // C of an archive's series

	// Of a classical model on a table of features, which Representation names; Net names the model with its grid.
	Features *Features `json:"features,omitempty"`
	Part     string    `json:"part,omitempty"`     // FeatureSet.Part
	Model    string    `json:"model,omitempty"`    // what learns, by the name that newModel knows
	Grid     Grid      `json:"grid,omitempty"`     // what the inner search chooses from
	Folds    int       `json:"folds,omitempty"`    // of the inner search, stratified; 0 when Grid has one point
	Shuffles int       `json:"shuffles,omitempty"` // of each feature on the test set, for its permutation importance; 0: none is measured
}

// kind is what a cell runs.
type kind int

const (
	plain        kind = iota // a control that trains nothing worth the name: the constant answer, totals, duration
	network                  // a network on a series
	rocket                   // MiniRocket or MultiRocket and ridge on a series
	classicModel             // a classical model on a table of features
)

func (s Settings) kind() kind {
	switch {
	case s.Features != nil:
		return classicModel
	case s.StepUS == 0 && s.Representation != Order && s.Representation != Whole:
		return plain
	case isRocket(s.Net):
		return rocket
	}
	return network
}

// series reports whether the cell's model reads a time series.
func (s Settings) series() bool { k := s.kind(); return k == network || k == rocket }

// Result is what came out, apart from the predictions themselves.
type Result struct {
	NTrain         int               `json:"n_train"`
	NTest          int               `json:"n_test"`
	Correct        int               `json:"correct"`
	Accuracy       float64           `json:"accuracy"`
	CILow          float64           `json:"ci_low"` // Clopper-Pearson, 95 %
	CIHigh         float64           `json:"ci_high"`
	MacroF1        float64           `json:"macro_f1"`
	TrainAccuracy  float64           `json:"train_accuracy"` // on the training set, after training
	PGuess         float64           `json:"p_guess"`        // one-sided binomial against 1/K
	PMajority      float64           `json:"p_majority"`     // two-sided McNemar against the constant answer
	MajorityShare  float64           `json:"majority_share"` // accuracy of the constant answer
	Collapsed      bool              `json:"collapsed"`      // one class was predicted for every test point
	Predicted      []int             `json:"predicted"`      // test predictions of each class
	TrainPredicted []int             `json:"train_predicted"`
	Confusion      metrics.Confusion `json:"confusion"` // test points, row = true class
	OptimizerSteps int               `json:"optimizer_steps"`
	ViewSteps      int               `json:"view_steps"` // field of view of one output of the last convolution; 0 = global
	Params         int               `json:"params"`
	Ties           int64             `json:"ties"`           // packets of the captures used that lay between two steps
	Edge           int64             `json:"edge"`           // packets that the last half step dropped (SP-34)
	WeightsSHA256  string            `json:"weights_sha256"` // of the file weights.safetensors; empty for models that are not networks

	Chosen  map[string]string `json:"chosen,omitempty"`  // the grid point that the inner search chose
	Inner   float64           `json:"inner,omitempty"`   // its mean accuracy on the inner folds
	Missing int               `json:"missing,omitempty"` // values of the table that do not exist and were set to 0, in the captures used
}

// Cost is what may differ between two runs of the same cell.
type Cost struct {
	WallS     float64 `json:"wall_s"`
	PeakBytes int64   `json:"peak_bytes"` // peak resident memory of the process while the cell ran
}

// Cell is one row of cells.csv and its folder.
type Cell struct {
	Format int    `json:"format"`
	ID     string `json:"cell"` // name of its folder: what it is, then a digest of Settings
	Settings
	Status string `json:"status"`
	Reason string `json:"reason"` // of a cell that has no numbers
	Result
	Cost

	Predictions []Prediction  `json:"-"` // test points in order of capture_id; predictions.csv
	History     train.History `json:"-"` // one row per epoch, WallS left out; history.csv; empty where no network was trained
	Importances []Importance  `json:"-"` // one row per feature; importances.csv; empty where Shuffles is 0
}

// OK reports whether the cell has numbers.
func (c *Cell) OK() bool { return c.Status == StatusOK }

// View is the field of view in seconds; ok is false where it is the whole series.
func (c *Cell) View() (seconds float64, ok bool) {
	if c.ViewSteps == 0 || c.StepUS == 0 {
		return 0, false
	}
	return float64(c.ViewSteps) * float64(c.StepUS) / 1e6, true
}

// Importance is one row of importances.csv.
type Importance struct {
	Feature     string
	MDI         float64 // mean decrease in impurity, all summing to 1; NaN for models that have none
	Permutation float64 // accuracy lost on the test set when the feature is shuffled
}

// Prediction is one row of predictions.csv.
type Prediction struct {
	CaptureID int64
	Source    string
	True      int       // index into Classes
	Predicted int       // index into Classes
	Scores    []float32 // (K), sums to 1
}
