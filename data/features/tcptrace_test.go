package features

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"earshot/data/capture"
)

// printedRow is a connection as the program printed it.
type printedRow map[string]string

// readTcptrace reads the output of "tcptrace -l -r -W --csv -n".
func readTcptrace(t testing.TB, path string) []printedRow {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			kept = append(kept, line)
		}
	}
	r := csv.NewReader(strings.NewReader(strings.Join(kept, "")))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var rows []printedRow
	for i := 1; i < len(lines); i++ {
		row := printedRow{}
		for j, v := range lines[i] {
			if j < len(lines[0]) {
				row[lines[0][j]] = strings.TrimSpace(v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// columnName is the documented column of one of the program's.
func columnName(csvName string) (name string, dir int) {
	base, ok := strings.CutSuffix(csvName, "_a2b")
	if !ok {
		base, ok = strings.CutSuffix(csvName, "_b2a")
		dir = 1
	}
	if !ok {
		return "", 0
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(base)), dir
}

// number is what the column holds of a printed text.
func number(name, text string) float64 {
	switch {
	case text == "NA":
		return nan
	case name == "syn_fin_pkts_sent":
		syn, fin, _ := strings.Cut(text, "/")
		a, _ := strconv.ParseFloat(syn, 64)
		b, _ := strconv.ParseFloat(fin, 64)
		return a + b
	case name == "req_1323_ws_ts":
		return flag(text[0] == 'Y') + 2*flag(text[2] == 'Y')
	case name == "req_sack":
		return flag(text == "Y")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.Inf(1)
	}
	return v
}

// notStored are the fields that need what a trace does not hold; they are compared where they exist.
var notStored = []string{"dsack_pkts_sent", "urgent_data_bytes", "truncated_data", "truncated_packets", "hardware_dups"}

// agreement counts values by field.
type agreement struct {
	captures, connections, clean int
	same, different, missing     map[string]int
}

func newAgreement() *agreement {
	return &agreement{same: map[string]int{}, different: map[string]int{}, missing: map[string]int{}}
}

// compare holds a capture against the program's output and returns the differences as text.
func (a *agreement) compare(t testing.TB, pcap, output string) (bad []string) {
	t.Helper()
	tr, _, err := capture.ReadTrace(pcap, capture.Rule{})
	if err != nil {
		t.Fatal(err)
	}
	want := readTcptrace(t, output)
	got := Capture(tr).tcp()
	a.captures++
	if len(got) != len(want) {
		bad = append(bad, fmt.Sprintf("%d connections, the program has %d", len(got), len(want)))
	}
	for i, c := range got[:min(len(got), len(want))] {
		a.connections++
		before := len(bad)
		f := tr.Flows[c.flow]
		host, port := f.Client.Addr(), f.Client.Port()
		if !c.aUp {
			host, port = f.Server.Addr(), f.Server.Port()
		}
		if want[i]["port_a"] != fmt.Sprint(port) || host.Is4() && want[i]["host_a"] != host.String() {
			bad = append(bad, fmt.Sprintf("connection %d is of %s:%d, the program's of %s:%s", i+1, host, port, want[i]["host_a"], want[i]["port_a"]))
			continue
		}
		for column, text := range want[i] {
			name, dir := columnName(column)
			if name == "" {
				continue
			}
			if !c.aUp {
				dir = 1 - dir
			}
			k := slices.IndexFunc(allTcptrace, func(f tcpField) bool { return f.name == name })
			if k < 0 {
				t.Fatalf("%s: no field %s for the program's %s", output, name, column)
			}
			g, w := allTcptrace[k].merged([]*connection{c}, dir), number(name, text)
			switch {
			case g == w || math.IsNaN(g) && math.IsNaN(w):
				a.same[name]++
			case math.IsNaN(g) && slices.Contains(notStored, name):
				a.missing[name]++
			default:
				a.different[name]++
				bad = append(bad, fmt.Sprintf("connection %d: %s: %v, the program prints %s", i+1, column, g, text))
			}
		}
		if len(bad) == before {
			a.clean++
		}
	}
	return bad
}

var allTcptrace = slices.Concat(tcptraceFields, tcptraceExtra)

func (a *agreement) report(t testing.TB) {
	total := func(m map[string]int) (n int) {
		for _, v := range m {
			n += v
		}
		return n
	}
	t.Logf("%d captures, %d connections, %d of them without a difference; values: %d equal, %d different, %d not stored in traces",
		a.captures, a.connections, a.clean, total(a.same), total(a.different), total(a.missing))
	for _, f := range allTcptrace {
		if n := a.different[f.name]; n > 0 {
			t.Logf("  %s: %d different", f.name, n)
		}
	}
	for _, f := range notStored {
		t.Logf("  %s: %d equal, %d not known", f, a.same[f], a.missing[f])
	}
}

// TestTcptraceGenerated compares generated captures with the program's output: testdata/gen_tcptrace.py.
func TestTcptraceGenerated(t *testing.T) {
	outputs, _ := filepath.Glob("testdata/tcptrace_*.csv")
	if len(outputs) == 0 {
		t.Fatal("no outputs in testdata")
	}
	a := newAgreement()
	for _, o := range outputs {
		for _, b := range a.compare(t, strings.TrimSuffix(o, ".csv")+".pcap.gz", o) {
			t.Errorf("%s: %s", o, b)
		}
	}
	a.report(t)
}

// explained are the captures of the packs in which the program and a trace see different packets.
var explained = map[string]struct {
	connections int // with a difference, or missing on one side
	why         string
}{
	"BGP_redist.pcap":            {1, "one of the two packets lies below an MPLS label, which the program does not read"},
	"line.pcap":                  {1, "one packet has an IP length of 0 (segmentation offload): the program drops it, a trace takes the record's length"},
	"fuzz-2006-09-29-28586.pcap": {2, "damaged packets: a TCP header longer than its packet, and a SACK permitted option cut by the packet's end"},
}

// TestTcptracePacks compares every TCP capture of the packs with the program's stored output.
func TestTcptracePacks(t *testing.T) {
	root := os.Getenv("EARSHOT_PACKS")
	if root == "" {
		t.Skip("set EARSHOT_PACKS to the folder that holds the unpacked data packs")
	}
	for _, pack := range []struct{ name, captures, outputs string }{
		{"echo_N long", "echo_N/vcf/capture_files", "echo_N/tcptrace_ref/vcf"},
		{"echo_N requests", "echo_N/vcf/requests", "echo_N/tcptrace_ref/requests"},
		{"ndpi", "ndpi/ndpi/pcap", "ndpi/tcptrace_ref/ndpi"},
	} {
		t.Run(pack.name, func(t *testing.T) {
			a := newAgreement()
			dir := filepath.Join(root, pack.captures)
			if _, err := os.Stat(dir); err != nil {
				t.Skipf("%s is not unpacked", dir)
			}
			filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				rel, _ := filepath.Rel(dir, path)
				output := filepath.Join(root, pack.outputs, strings.TrimSuffix(rel, filepath.Ext(rel))+".csv")
				if _, err := os.Stat(output); err != nil {
					return nil
				}
				connections, clean := a.connections, a.clean
				bad := a.compare(t, path, output)
				if e, ok := explained[rel]; ok {
					if n := a.connections - connections - (a.clean - clean); n != e.connections {
						t.Errorf("%s: %d connections differ; %d do because: %s", rel, n, e.connections, e.why)
					}
					return nil
				}
				for _, b := range bad {
					t.Errorf("%s: %s", rel, b)
				}
				return nil
			})
			a.report(t)
		})
	}
}
