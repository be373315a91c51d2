package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// earshotIn runs a command in-process and returns its stdout.
func earshotIn(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := newRootCommand(&app{stdout: &stdout, stderr: &stderr})
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		t.Fatalf("earshot %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// readLines reads a csv file, without the lines that tcptrace comments.
func readLines(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.FieldsPerRecord = '#', -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rows
}

// TestFeaturesTcptrace: from the capture file through the data set to the table, a connection's columns are what the
// program prints, under its names in lower case. The client speaks first, so that a2b is up.
func TestFeaturesTcptrace(t *testing.T) {
	dir := t.TempDir()
	from := "../../data/features/testdata/tcptrace_handshake"
	earshotIn(t, "data", "import", from+".pcap.gz", "--out", filepath.Join(dir, "ds"), "--clients", "10.0.0.0/8")
	out := filepath.Join(dir, "F.csv")
	earshotIn(t, "features", "tcptrace,tcptrace_extra", filepath.Join(dir, "ds"), "--per", "connection", "--out", out)
	got, want := readLines(t, out), readLines(t, from+".csv")
	if len(got) != len(want) {
		t.Fatalf("%d rows, the program has %d", len(got)-1, len(want)-1)
	}
	compared := 0
	for i, row := range want[1:] {
		for j, text := range row {
			name, ok := strings.CutSuffix(want[0][min(j, len(want[0])-1)], "_a2b")
			side := "_up"
			if !ok {
				name, ok = strings.CutSuffix(want[0][min(j, len(want[0])-1)], "_b2a")
				side = "_down"
			}
			text = strings.TrimSpace(text)
			w, err := strconv.ParseFloat(text, 64)
			if !ok || err != nil && text != "NA" {
				continue // names, times and texts such as 1/1 and Y/N
			}
			column := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
					return r
				}
				return '_'
			}, strings.ToLower(name)) + side
			at := slices.Index(got[0], column)
			if at < 0 {
				t.Fatalf("no column %s for the program's %s", column, want[0][j])
			}
			g := got[i+1][at]
			if slices.Contains([]string{"dsack_pkts_sent", "truncated_data", "truncated_packets", "hardware_dups"}, strings.TrimSuffix(strings.TrimSuffix(column, "_up"), "_down")) && g == "" {
				continue // need what a data set does not hold
			}
			compared++
			if v, err := strconv.ParseFloat(g, 64); text == "NA" && g != "" || text != "NA" && (err != nil || v != w) {
				t.Errorf("connection %d: %s: %q, the program prints %s", i+1, column, g, text)
			}
		}
	}
	if compared < 200 {
		t.Errorf("only %d values were compared", compared)
	}
}

// TestFeaturesPython: pandas and NumPy read the three formats and find the same table.
func TestFeaturesPython(t *testing.T) {
	python := os.Getenv("EARSHOT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import pandas, pyarrow, numpy").Run(); err != nil {
		t.Skip("no python with pandas, pyarrow and numpy; set EARSHOT_PYTHON")
	}
	dir := t.TempDir()
	ds := filepath.Join(dir, "ds")
	earshotIn(t, "data", "import", "../../data/features/testdata", "--out", ds, "--clients", "10.0.0.0/8", "--label", `tcptrace_(?P<kind>\w+)\.pcap`)
	for _, per := range []string{"capture", "connection"} {
		for _, ext := range []string{".csv", ".parquet", ".npz"} {
			earshotIn(t, "features", "tcptrace,cicflowmeter", ds, "--per", per, "--out", filepath.Join(dir, per+ext))
		}
		out, err := exec.Command(python, "testdata/read_features.py", filepath.Join(dir, per)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s: %s", per, out)
	}
}
