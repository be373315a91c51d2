package dataset

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFindUCR(t *testing.T) {
	dir := t.TempDir()
	touch := func(names ...string) {
		for _, n := range names {
			path := filepath.Join(dir, filepath.FromSlash(n))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("1,2\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	touch("readme.md", "half/Half_TRAIN.ts", "_TRAIN.ts", "_TEST.ts", "b/Wave_TRAIN", "b/Wave_TEST", "b/Wave_TEST.png")
	if got, err := FindUCR(filepath.Join(dir, "half")); err == nil || !strings.Contains(err.Error(), "no pair of files") {
		t.Errorf("one half alone: %v, %v", got, err)
	}
	touch("a/Gun_TRAIN.tsv", "a/Gun_TRAIN.ts", "a/Gun_TEST.ts", "a/Gun_TEST.tsv", "c/Odd_TRAIN.TXT", "c/Odd_TEST.TXT")
	got, err := FindUCR(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name, train, test string) Problem {
		return Problem{name, filepath.Join(dir, train), filepath.Join(dir, test)}
	}
	want := []Problem{at("Gun", "a/Gun_TRAIN.ts", "a/Gun_TEST.ts"), at("Odd", "c/Odd_TRAIN.TXT", "c/Odd_TEST.TXT"), at("Wave", "b/Wave_TRAIN", "b/Wave_TEST")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
	touch("d/Gun_TRAIN.ts", "d/Gun_TEST.ts")
	if _, err := FindUCR(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "d/Gun_TRAIN.ts")+": also in "+filepath.Join(dir, "a/Gun_TRAIN.ts")) {
		t.Errorf("twice there: %v", err)
	}
	if _, err := FindUCR(filepath.Join(dir, "nothing")); err == nil {
		t.Error("no folder, no error")
	}
}
