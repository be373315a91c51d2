package experiments

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemoveParts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"figures/.part-1", "tables/.part-2", ".part-3", "figures/a.pdf", "cells/.part-x/history.csv"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	removeParts(dir)
	for name, there := range map[string]bool{"figures/.part-1": false, "tables/.part-2": false, ".part-3": false, "figures/a.pdf": true, "cells/.part-x/history.csv": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}
