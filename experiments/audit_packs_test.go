package experiments

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"earshot/data/dataset"
)

// The voice commands of the pack echo_N, which holds the same traffic as csv files of sizes and as pcaps of single
// requests cut from longer captures. No duplicates lie in either; together every request is there twice. Repeats of one
// command resemble each other more than their type: a forest falls from 68 to 43 % when commands are held out.
func TestAuditEchoPack(t *testing.T) {
	root := os.Getenv("EARSHOT_PACKS")
	if root == "" {
		t.Skip("set EARSHOT_PACKS to the folder that holds the unpacked data packs")
	}
	dir := filepath.Join(root, "echo_N", "vcf")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("echo_N is not unpacked there: %v", err)
	}
	sets := t.TempDir()
	open := func(name string, made error) *dataset.Set {
		t.Helper()
		if made != nil {
			t.Fatal(made)
		}
		s, err := dataset.Open(filepath.Join(sets, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	read := func(name, folder, csv string) *dataset.Set {
		o := dataset.ImportOptions{Format: dataset.Auto}
		var err error
		if csv != "" {
			o.Format = "csv"
		}
		if o.CSV, err = dataset.ParseCSVFormat(csv); err != nil {
			t.Fatal(err)
		}
		if o.Clients, err = dataset.ParsePrefixes("192.168.0.0/16"); err != nil {
			t.Fatal(err)
		}
		if csv != "" {
			o.Clients = nil
		}
		if o.Labels, err = dataset.NewLabeler("", filepath.Join(dir, "labels_N.csv"), "file"); err != nil {
			t.Fatal(err)
		}
		_, err = dataset.Import(context.Background(), []string{filepath.Join(dir, folder)}, o, filepath.Join(sets, name), func(string) {})
		return open(name, err)
	}
	by, err := dataset.ParseSplits("stratified:1")
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, s *dataset.Set, duplicates int) {
		r, err := AuditSet(s, "type6", nil, by, AuditOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		twins := 0
		for _, f := range r.Findings {
			if f.Kind == LeakDuplicate && f.Severity == SeveritySevere {
				twins++
			}
		}
		if (twins > 0) != (duplicates > 0) || worst(r, LeakGroup, "class_id") != SeveritySevere {
			t.Errorf("%s:%s", name, describe(r))
		}
		if g := r.Groups[0]; g.Random < 0.65 || g.Random > 0.75 || g.Held < 0.38 || g.Held > 0.48 {
			t.Errorf("%s: %+v", name, g)
		}
		a, err := openAudit(s, "type6", []string{"chat", "control_time", "fact", "longform", "sports", "weather"}, idsOf(s), AuditOptions{})
		if err != nil {
			t.Fatal(err)
		}
		same, wrong := 0, 0
		for _, k := range a.kins {
			if k.same() {
				if same++; a.rows[k.a].Labels["query"] != a.rows[k.b].Labels["query"] {
					wrong++
				}
			}
		}
		if same < duplicates || duplicates == 0 && same > 0 || wrong > 0 {
			t.Errorf("%s: %d pairs are the same traffic, %d of them of two commands; want %d", name, same, wrong, duplicates)
		}
		t.Logf("%s: %d captures, %d pairs of the same traffic", name, len(a.rows), same)
	}
	csv, requests := read("csv", "trace_csv", "time=1,size=2,direction=3,header=yes,unit=s,up=1"), read("requests", "requests", "")
	check("csv", csv, 0)
	check("requests", requests, 0)
	check("csv and requests", open("both", dataset.Merge(filepath.Join(sets, "both"), csv.Dir, requests.Dir)), 470) // of 495
}

func idsOf(s *dataset.Set) (ids []int64) {
	for _, c := range s.Included() {
		ids = append(ids, c.ID)
	}
	return ids
}
