package dataset

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// pythonWithParquet is an interpreter that can read Parquet files; the test is skipped without one.
func pythonWithParquet(t *testing.T) string {
	python := os.Getenv("EARSHOT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import pandas, pyarrow, duckdb").Run(); err != nil {
		t.Skip("no python with pandas, pyarrow and duckdb; set EARSHOT_PYTHON")
	}
	return python
}

// TestPython lets pandas and DuckDB read a data set as it lies, where there are both. Sums are compared with ours.
func TestPython(t *testing.T) {
	python := pythonWithParquet(t)
	small(t, 500)
	dir := filepath.Join(t.TempDir(), "ds")
	fill(t, dir, 300, 400, 0, 5, 700)
	out, err := exec.Command(python, "testdata/read_dataset.py", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	i, err := s.Info()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.runs) < 2 {
		t.Errorf("%d runs; the test wants several", len(s.runs))
	}
	flows := 0
	for _, c := range s.Captures {
		flows += int(c.Flows)
	}
	want := fmt.Sprintf(`{"captures": %d, "packets": %d, "flows": %d, "payload": %d}`+"\n", i.Captures, i.Packets, flows, i.Bytes.Payload)
	if string(out) != want {
		t.Errorf("python reads %s, earshot %s", out, want)
	}
}
