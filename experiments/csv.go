package experiments

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
)

// cellColumns are the columns of cells.csv, as other programs rely on them.
var cellColumns = []string{"cell", "control", "study", "data", "representation", "net", "profile", "protocol", "normalize", "step_us",
	"points", "split", "seed", "n_train", "n_test", "correct", "accuracy", "ci_low", "ci_high", "macro_f1", "train_accuracy", "p_guess",
	"p_majority", "majority_share", "collapsed", "epochs", "batch", "drop_last", "optimizer_steps", "view_s", "params", "peak_bytes",
	"wall_s", "weights_sha256", "status", "reason"}

// summaryColumns are the grouping columns of cells.csv, then the summary; behind p_holm what explains it.
var summaryColumns = []string{"control", "study", "data", "representation", "net", "profile", "protocol", "normalize", "step_us", "points",
	"split", "epochs", "batch", "drop_last", "repeats", "mean", "sd", "median", "ci_low", "ci_high", "p_holm", "p", "n_train", "n_test", "collapsed"}

func cellsCSV(cells []*Cell) []byte {
	return writeCSV(cellColumns, func(add func(...string)) {
		for _, c := range cells {
			row := []string{c.ID, c.Control, c.Study, c.Data, c.Representation, c.Net, c.Profile, c.Protocol, c.Normalize, integer(c.StepUS),
				integer(c.Points), c.Split, strconv.FormatUint(c.Seed, 10)}
			if c.OK() {
				row = append(row, integer(c.NTrain), integer(c.NTest), integer(c.Correct), number(c.Accuracy), number(c.CILow), number(c.CIHigh),
					number(c.MacroF1), number(c.TrainAccuracy), number(c.PGuess), number(c.PMajority), number(c.MajorityShare),
					strconv.FormatBool(c.Collapsed))
			} else {
				row = append(row, make([]string, 12)...)
			}
			row = append(row, integer(c.Epochs), integer(c.Batch), strconv.FormatBool(c.DropLast))
			if c.OK() {
				row = append(row, integer(c.OptimizerSteps), viewField(c), integer(c.Params), integer(c.PeakBytes),
					strconv.FormatFloat(c.WallS, 'f', 3, 64), c.WeightsSHA256)
			} else {
				row = append(row, make([]string, 6)...)
			}
			add(append(row, c.Status, c.Reason)...)
		}
	})
}

// viewField is view_s: seconds, "global" for networks that see the whole series, empty where no network or no time is.
func viewField(c *Cell) string {
	if v, ok := c.View(); ok {
		return number(v)
	}
	if c.Params > 0 && c.ViewSteps == 0 {
		return "global"
	}
	return ""
}

func summaryCSV(groups []Group) []byte {
	return writeCSV(summaryColumns, func(add func(...string)) {
		for _, g := range groups {
			collapsed := 0
			for _, c := range g.Cells {
				if c.Collapsed {
					collapsed++
				}
			}
			add(g.Control, g.Study, g.Data, g.Representation, g.Net, g.Profile, g.Protocol, g.Normalize, integer(g.StepUS), integer(g.Points),
				g.SplitSpec, integer(g.Epochs), integer(g.Batch), strconv.FormatBool(g.DropLast), integer(g.Repeats), number(g.Mean), number(g.SD),
				number(g.Median), number(g.CILow), number(g.CIHigh), number(g.PHolm), number(g.P), integer(g.NTrain), integer(g.NTest),
				integer(collapsed))
		}
	})
}

func predictionsCSV(classes []string, rows []Prediction) []byte {
	return writeCSV(predictionColumns(classes), func(add func(...string)) {
		for _, p := range rows {
			row := []string{integer(p.CaptureID), p.Source, classes[p.True], classes[p.Predicted]}
			for _, s := range p.Scores {
				row = append(row, strconv.FormatFloat(float64(s), 'g', -1, 32))
			}
			add(row...)
		}
	})
}

func writeCSV(header []string, rows func(add func(...string))) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(header) // a bytes.Buffer takes everything
	rows(func(f ...string) { _ = w.Write(f) })
	w.Flush()
	return b.Bytes()
}

func integer[T int | int32 | int64](v T) string { return strconv.FormatInt(int64(v), 10) }

// number is the shortest text that reads back as v; nothing for a value that does not exist.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
