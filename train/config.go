package train

import (
	"fmt"
	"time"
)

// Profiles of training.
const (
	ProfileTsai    = "tsai"
	ProfilePaper   = "paper"
	ProfileSklearn = "sklearn"
)

// Config is everything that decides the result of a training, but for the data and the first weights; the last fields
// decide only where and how it runs.
type Config struct {
	Profile   string  `json:"profile"` // "tsai", "paper" or "sklearn"
	Epochs    int     `json:"epochs"`
	Batch     int     `json:"batch"`     // rows of a batch; capped at the size of the training set
	LR        float64 `json:"lr"`        // highest rate of the cycle; the first rate in profile "paper"
	DropLast  bool    `json:"drop_last"` // leave an incomplete last batch out of the epoch
	Normalize string  `json:"normalize"` // one of Normalizations
	Seed      uint64  `json:"seed"`      // of the order of the rows

	Memory          int64         `json:"-"` // bytes that a step may use; 0: no limit
	Dir             string        `json:"-"` // folder of the checkpoint; "": none is written
	CheckpointEvery time.Duration `json:"-"` // pause between checkpoints; 0: half a minute
}

// Defaults of MLPClassifier.
const (
	sklearnEpochs   = 200
	sklearnBatch    = 200 // rows at most
	sklearnAlpha    = 1e-4
	sklearnTol      = 1e-4
	sklearnPatience = 10
)

// checkpointPause bounds the work that a kill can cost.
const checkpointPause = 30 * time.Second

// Recipe returns the settings of a profile for a network and a training set of n rows.
//
// "tsai": 25 epochs of one cycle up to 1e-3, batch 64, the incomplete batch dropped, no normalization (SP-41, library
// defaults). "paper": Adam at 1e-3 with the epochs and batches of dl-4-tsc (Ismail Fawaz et al. 2019: FCN, ResNet) and of
// InceptionTime (2020), every batch kept, each series z-normalized as the archive is. The LSTM has no publication with a
// recipe of its own and takes ResNet's. "sklearn": MLPClassifier's defaults (see MLP), Adam at 1e-3 with its penalty on the
// weights, at most 200 epochs, fewer once the loss stalls.
func Recipe(net, profile string, n int) (Config, error) {
	switch profile {
	case ProfileTsai, "tsai1": // the same training; tsai1 starts the LSTM otherwise
		return Config{Profile: ProfileTsai, Epochs: 25, Batch: 64, LR: 1e-3, DropLast: true, Normalize: NormalizeNone}, nil
	case ProfilePaper:
		c := Config{Profile: profile, Epochs: 1500, Batch: max(1, min(n/10, 64)), LR: 1e-3, Normalize: NormalizeSample}
		switch net {
		case "fcn":
			c.Epochs, c.Batch = 2000, max(1, min(n/10, 16))
		case "inceptiontime":
			c.Batch = 64
		}
		return c, nil
	case ProfileSklearn:
		return Config{Profile: profile, Epochs: sklearnEpochs, Batch: max(1, min(n, sklearnBatch)), LR: 1e-3, Normalize: NormalizeNone}, nil
	}
	return Config{}, fmt.Errorf("train: profile %q: unknown; use tsai, paper or sklearn", profile)
}

// Steps returns the rows of a full batch and the number of batches of an epoch over n rows.
func (c Config) Steps(n int) (batch, perEpoch int) {
	batch = min(c.Batch, n)
	if batch < 1 {
		return 0, 0
	}
	if c.DropLast {
		return batch, n / batch
	}
	return batch, (n + batch - 1) / batch
}

// check names the first setting that makes no sense for the data.
func (c Config) check(d Data) error {
	if err := CheckNormalize(c.Normalize); err != nil {
		return err
	}
	switch {
	case c.Profile != ProfileTsai && c.Profile != ProfilePaper && c.Profile != ProfileSklearn:
		return fmt.Errorf("train: profile %q: unknown; use tsai, paper or sklearn", c.Profile)
	case c.Epochs < 1:
		return fmt.Errorf("train: %d epochs; at least 1 is needed", c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("train: batch of %d rows; at least 1 is needed", c.Batch)
	case !(c.LR > 0):
		return fmt.Errorf("train: rate %g; it must be above 0", c.LR)
	}
	return d.check()
}
