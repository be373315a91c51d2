package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCredits(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("a.ogg", "")
	put("b.ogg", "")
	if works, err := FindWorks(Songs, dir); err != nil || len(works) != 2 || works[0].Credit != nil {
		t.Errorf("without a table: %v, %v", works, err)
	}
	put(creditsName, "song,title,license\nb,B,CC0-1.0\nc,another,MIT\na,\"A, again\",CC-BY-4.0\n")
	works, err := FindWorks(Songs, dir)
	if err != nil || works[0].Credit["title"] != "A, again" || works[1].Credit["license"] != "CC0-1.0" || works[1].Credit["song"] != "b" {
		t.Errorf("%v, %v", works, err)
	}
	for table, want := range map[string]string{
		"":                                   "the first must be song",
		"name,license\na,x\n":                "the first must be song",
		"song,title\na,x\n":                  "another license",
		"song,license\na,x\n":                "no row with a license for song b",
		"song,license\na,x\nb,\n":            "no row with a license for song b",
		"song,license\na,x\nb,y\na,z\n":      "line 4: a has a row already",
		"song,license\na,x,y\nb,z\n":         "line 2: wrong number of fields",
		"song,license\n\"a\"\"x\"\",z\nb,\"": "works.csv",
	} {
		put(creditsName, table)
		if _, err := FindWorks(Songs, dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), creditsName) {
			t.Errorf("%q: %v, want %q", table, err, want)
		}
	}
}
