package dataset

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestMergeSides: what recorders keep beside the captures follows them under their new numbers.
func TestMergeSides(t *testing.T) {
	out := t.TempDir()
	set := func(name string, caps, files map[string]string) string {
		dir := filepath.Join(out, name)
		src := tree(t, caps)
		t.Chdir(src) // so that the same path in two sets is the same source
		if _, _, _, err := imported(t, dir, ImportOptions{Clients: client10}, "."); err != nil {
			t.Fatal(err)
		}
		for f, text := range files {
			if err := os.WriteFile(filepath.Join(dir, f), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	common := pcapText("0 >9, 10 <900")
	a := set("a", map[string]string{"b.pcap": pcapText("0 >1"), "x.pcap": common, "z.pcap": pcapText("0 >2")}, map[string]string{
		"health.csv":  "capture_id,status\n0,ok\n-1,failed\n1,\"a, b\"\n2,ok\n",
		"truth.jsonl": "{\"capture_id\":2,\"t_us\":5}\n{\"capture_id\":0,\"t_us\":7}\n",
		"kinds.csv":   "name,kind\nb,song\n", "servers.txt": "# list\n192.0.2.1\n", "record.json": "{}", "other.csv": "x\n1\n",
	})
	b := set("b", map[string]string{"a.pcap": pcapText("0 >3"), "x.pcap": common}, map[string]string{
		"health.csv":  "capture_id,status\n0,stalled\n1,ok\n",
		"truth.jsonl": "{\"capture_id\":1,\"t_us\":5}\n{\"capture_id\":0,\"t_us\":1}\n{\"capture_id\":0,\"t_us\":2}\n",
		"kinds.csv":   "name,kind\na,song\nb,song\n", "servers.txt": "# list\n192.0.2.2", "other.csv": "y\n1\n",
	})
	one, two := Work{"song": "a", "license": "x"}, Work{"song": "b", "license": "y"}
	for dir, works := range map[string][]Work{a: {one}, b: {two, one}} {
		m, err := readManifest(os.DirFS(dir), dir)
		if err == nil {
			m.Works = works
			err = m.write(dir)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	all := filepath.Join(out, "all")
	if err := Merge(all, a, b); err != nil {
		t.Fatal(err)
	}
	s, err := Open(all)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.Manifest.Works, []Work{one, two}) {
		t.Errorf("works %v", s.Manifest.Works)
	}
	var order string
	for _, c := range s.Captures {
		order += filepath.Base(c.Source) + " "
	}
	if order != "a.pcap b.pcap x.pcap z.pcap " { // x of a, as it came first
		t.Errorf("order %s", order)
	}
	for name, want := range map[string]string{
		"health.csv":  "capture_id,status\n-1,failed\n0,stalled\n1,ok\n2,\"a, b\"\n3,ok\n",
		"truth.jsonl": "{\"capture_id\":0,\"t_us\":1}\n{\"capture_id\":0,\"t_us\":2}\n{\"capture_id\":1,\"t_us\":7}\n{\"capture_id\":3,\"t_us\":5}\n",
		"kinds.csv":   "name,kind\nb,song\na,song\n",
		"servers.txt": "# list\n192.0.2.1\n192.0.2.2\n",
	} {
		if got, err := os.ReadFile(filepath.Join(all, name)); string(got) != want {
			t.Errorf("%s:\n%s\nwant\n%s%v", name, got, want, err)
		}
	}
	for _, name := range []string{"record.json", "other.csv"} {
		if _, err := os.Stat(filepath.Join(all, name)); err == nil {
			t.Errorf("%s came along", name)
		}
	}
}
