package train

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// Epoch is one row of a history. Loss and accuracy are means over the rows as they were trained on, each batch with the
// weights that it met, normalized by the batch.
type Epoch struct {
	Epoch         int     `json:"epoch"` // from 1
	Steps         int     `json:"steps"` // optimizer steps since the start
	Loss          float64 `json:"loss"`
	TrainAccuracy float64 `json:"train_accuracy"`
	LR            float64 `json:"lr"` // of the epoch's last step
	Momentum      float64 `json:"momentum"`
	WallS         float64 `json:"wall_s"` // seconds of training; resumed parts add up
}

// History has one row for each epoch.
type History []Epoch

// Kept is the epoch whose weights Fit left in the model: the last, or in profile "paper" the one of the lowest loss.
func (h History) Kept(profile string) (kept Epoch) {
	for i, e := range h {
		if profile != ProfilePaper || i == 0 || e.Loss < kept.Loss {
			kept = e
		}
	}
	return kept
}

var historyColumns = []string{"epoch", "steps", "loss", "train_accuracy", "lr", "momentum", "wall_s"}

// WriteCSV writes history.csv. Numbers are the shortest that read back as the same value.
func (h History) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	_ = c.Write(historyColumns) // Error tells below
	for _, e := range h {
		_ = c.Write([]string{strconv.Itoa(e.Epoch), strconv.Itoa(e.Steps), f(e.Loss), f(e.TrainAccuracy), f(e.LR), f(e.Momentum),
			strconv.FormatFloat(e.WallS, 'f', 3, 64)})
	}
	c.Flush()
	return c.Error()
}

// ReadHistory reads what WriteCSV wrote.
func ReadHistory(r io.Reader) (History, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("train: history: %w", err)
	}
	if len(rows) == 0 || len(rows[0]) != len(historyColumns) || rows[0][0] != historyColumns[0] {
		return nil, fmt.Errorf("train: history: line 1: header differs from %v", historyColumns)
	}
	var h History
	for i, row := range rows[1:] {
		var v [7]float64
		for j, s := range row {
			if v[j], err = strconv.ParseFloat(s, 64); err != nil {
				return nil, fmt.Errorf("train: history: line %d: %s: %w", i+2, historyColumns[j], err)
			}
		}
		h = append(h, Epoch{Epoch: int(v[0]), Steps: int(v[1]), Loss: v[2], TrainAccuracy: v[3], LR: v[4], Momentum: v[5], WallS: v[6]})
	}
	return h, nil
}
