// Package bundled holds the data sets that are part of the program, so that studies run on recorded traffic wherever the program runs.
// Each is a folder here in the format of data/dataset, as `earshot data export DS --to compact` writes it, and a data card, README.md.
// data/dataset opens them: bundled:NAME stands wherever a command or a function takes the folder of a data set to read.
//
// To replace or add one, record it, write a compact copy over its folder, and read its card again (a card that is there stays):
//
//	earshot data export RECORDING --to compact --force --out data/bundled/NAME
//
// Everything together stays below 12 MB (a test).
package bundled

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Prefix begins the name of a bundled data set where a folder could stand.
const Prefix = "bundled:"

//go:embed */*.json */*.parquet */*.csv */README.md
var files embed.FS

// Is reports whether path means a bundled data set, one that exists or not. A folder of such a name is ./bundled:NAME.
func Is(path string) bool { return strings.HasPrefix(path, Prefix) && !strings.ContainsAny(path, `/\`) }

// Names are the bundled data sets with their prefix, sorted.
func Names() []string {
	found, err := fs.Glob(files, "*/dataset.json")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, f := range found {
		found[i] = Prefix + strings.TrimSuffix(f, "/dataset.json")
	}
	slices.Sort(found)
	return found
}

// Files are those of a bundled data set, at the root.
func Files(path string) (fs.FS, error) {
	if names := Names(); !slices.Contains(names, path) {
		return nil, fmt.Errorf("%s: no such data set in this program; there are %s", path, strings.Join(names, ", "))
	}
	return fs.Sub(files, strings.TrimPrefix(path, Prefix))
}
