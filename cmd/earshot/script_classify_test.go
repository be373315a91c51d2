package main

import (
	"strconv"
	"strings"

	"earshot/data/dataset/npz"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptTable is the command table of TestScript. A class that is no number makes y text; "-" leaves y out. A semicolon in
// the first row ends a channel: X is then (N,C,T).
func scriptTable(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: table FILE ROW…")
	}
	var x []float64
	var y []string
	var numbers []int64
	for _, row := range args[1:] {
		v := strings.Split(strings.ReplaceAll(row, ";", ","), ",")
		for _, s := range v[:len(v)-1] {
			f, err := strconv.ParseFloat(s, 64)
			ts.Check(err)
			x = append(x, f)
		}
		y = append(y, v[len(v)-1])
		if n, err := strconv.ParseInt(y[len(y)-1], 10, 64); err == nil {
			numbers = append(numbers, n)
		}
	}
	shape := []int{len(y), len(x) / len(y)}
	if c := 1 + strings.Count(args[1], ";"); c > 1 {
		shape = []int{len(y), c, shape[1] / c}
	}
	arrays := []npz.Named{{Name: "X", Array: npz.Float64(x, shape...)}}
	switch {
	case len(numbers) == len(y):
		arrays = append(arrays, npz.Named{Name: "y", Array: npz.Int64(numbers)})
	case y[0] != "-":
		arrays = append(arrays, npz.Named{Name: "y", Array: npz.Strings(y)})
	}
	ts.Check(npz.Write(ts.MkAbs(args[0]), arrays...))
}
