package experiments

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"earshot/train"
)

// keep writes the cell's files into part, where its weights lie already, and gives the folder its final name. A kill
// before the renaming loses the cell, which is then made again from its checkpoint; a kill after it loses nothing.
func (c *Cell) keep(part, final string) error {
	if c.OK() {
		sum, err := fileSHA256(filepath.Join(part, weightsName))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		c.WeightsSHA256 = sum
		if err := writeInto(part, "predictions.csv", predictionsCSV(c.Classes, c.Predictions)); err != nil {
			return err
		}
		if len(c.History) > 0 {
			if err := writeInto(part, "history.csv", historyCSV(c.History)); err != nil {
				return err
			}
		}
		if len(c.Importances) > 0 {
			if err := writeInto(part, "importances.csv", importancesCSV(c.Importances)); err != nil {
				return err
			}
		}
	}
	b, err := marshal(c)
	if err != nil {
		return fmt.Errorf("experiments: cell %s: %w", c.ID, err)
	}
	if err := writeInto(part, "cell.json", b); err != nil {
		return err
	}
	if err := train.RemoveCheckpoint(part); err != nil {
		return err
	}
	if err := os.RemoveAll(final); err != nil { // a refused or failed cell, tried again
		return fmt.Errorf("experiments: %w", err)
	}
	if err := os.Rename(part, final); err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	return syncDir(filepath.Dir(final))
}

func importancesCSV(rows []Importance) []byte {
	return writeCSV(importanceColumns, func(add func(...string)) {
		for _, r := range rows {
			add(r.Feature, number(r.MDI), number(r.Permutation))
		}
	})
}

func historyCSV(h train.History) []byte {
	return writeCSV(historyColumns, func(add func(...string)) {
		for _, e := range h {
			add(integer(e.Epoch), integer(e.Steps), number(e.Loss), number(e.TrainAccuracy), number(e.LR), number(e.Momentum))
		}
	})
}

// fileSHA256 is the digest of a file in hexadecimal.
func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("experiments: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("experiments: %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
