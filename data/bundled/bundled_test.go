package bundled_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"earshot/data/bundled"
	"earshot/data/dataset"
	"earshot/data/trace"
)

// TestSets: every bundled data set opens, all of its packets are those that were recorded, its tables are about its captures, and nothing lies
// beside them that does not belong into a program.
func TestSets(t *testing.T) {
	total := int64(0)
	for _, name := range bundled.Names() {
		t.Run(strings.TrimPrefix(name, bundled.Prefix), func(t *testing.T) {
			s, err := dataset.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			m := s.Manifest
			if m.License == "" || m.Authorized == "" || !strings.HasPrefix(m.Origin, "recorded by earshot") {
				t.Errorf("license %q, authorized %q, origin %q: each must be there", m.License, m.Authorized, m.Origin)
			}
			parts, packets := 0, int64(0)
			ids := make([]int64, len(s.Captures))
			for i := range ids {
				ids[i] = int64(i)
			}
			if err := s.Each(ids, func(c *dataset.Capture, tr *trace.Trace) error {
				if tr.Digest() != c.Digest || len(tr.Flows) > 0 {
					t.Errorf("capture %d: other packets than were recorded, or addresses (%d flows)", c.ID, len(tr.Flows))
				}
				packets += int64(len(tr.Packets))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			files, err := bundled.Files(name)
			if err != nil {
				t.Fatal(err)
			}
			list, err := fs.ReadDir(files, ".")
			if err != nil {
				t.Fatal(err)
			}
			allowed := []string{"README.md", "dataset.json", "health.csv", "record.json", "problems.csv"}
			for _, e := range list {
				st, err := e.Info()
				if err != nil {
					t.Fatal(err)
				}
				total += st.Size()
				switch part, _ := path.Match("*-[0-9][0-9][0-9][0-9][0-9][0-9].parquet", e.Name()); {
				case part:
					parts++
				case !slices.Contains(allowed, e.Name()):
					t.Errorf("%s does not belong here", e.Name())
				}
			}
			if most := 3 * int(1+packets/(2<<20)); parts > most {
				t.Errorf("%d parts, want %d at most; write it with data export --to compact", parts, most)
			}
			card, err := s.Card()
			if err != nil || !strings.HasPrefix(card, "# "+name) {
				t.Errorf("the card must begin with %q: %.40q, %v", "# "+name, card, err)
			}
			for _, part := range []string{"How it was made", "What it may be used for", "What is known to be easy in it", "Limits"} {
				if !strings.Contains(card, "\n## "+part+"\n") {
					t.Errorf("the card has no section %q", part)
				}
			}
			i, err := s.Info()
			if err != nil {
				t.Fatal(err)
			}
			counted := 0
			if i.Health != nil {
				for _, n := range i.Health.Captures {
					counted += n
				}
			}
			if counted != len(s.Captures) || i.Health.Drops != 0 {
				t.Errorf("health.csv: %+v of %d captures; every one needs its row, without lost packets", i.Health, len(s.Captures))
			}
			credited := map[string]bool{"none": true} // ad=none is no work
			for _, w := range m.Works {
				credited[w["song"]] = w["license"] != "" && w["artist"] != "" && w["source"] != ""
			}
			for _, axis := range []string{"song", "ad"} {
				for label := range i.Axes[axis] {
					if !credited[label] {
						t.Errorf("dataset.json: no work with artist, source and license for %s %s", axis, label)
					}
				}
			}
		})
	}
	if most := int64(12e6); total > most {
		t.Errorf("%d bytes of bundled data, want %d at most", total, most)
	}
}

func TestNames(t *testing.T) {
	if !slices.Contains(bundled.Names(), "bundled:songs") || !slices.IsSorted(bundled.Names()) {
		t.Errorf("%q", bundled.Names())
	}
	for path, want := range map[string]bool{"bundled:songs": true, "bundled:": true, "bundled:no such": true, "songs": false, "./bundled:songs": false, "bundled:songs/x": false, "x/bundled:songs": false} {
		if got := bundled.Is(path); got != want {
			t.Errorf("Is(%q) = %v", path, got)
		}
	}
	for _, bad := range []string{"songs", "bundled:", "bundled:opera", "bundled:.."} {
		if _, err := bundled.Files(bad); err == nil || !strings.Contains(err.Error(), "there are bundled:") {
			t.Errorf("Files(%q): %v", bad, err)
		}
	}
}
