package main

import (
	"strconv"
	"strings"

	"earshot/data/dataset/npz"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptNPY writes an array: npy FILE f4|i8 SHAPE V…, the values over and over until the shape is full; SHAPE as 4,1,60.
func scriptNPY(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 || neg {
		ts.Fatalf("usage: npy FILE f4|i8 SHAPE V…")
	}
	var shape []int
	size := 1
	for _, f := range strings.Split(args[2], ",") {
		n, err := strconv.Atoi(f)
		ts.Check(err)
		shape, size = append(shape, n), size*n
	}
	f32, i64 := make([]float32, size), make([]int64, size)
	for i := range size {
		v, err := strconv.ParseFloat(args[3+i%(len(args)-3)], 64)
		ts.Check(err)
		f32[i], i64[i] = float32(v), int64(v)
	}
	a := npz.Float32(f32, shape...)
	if args[1] == "i8" {
		a = npz.Int64(i64, shape...)
	}
	ts.Check(npz.WriteNPY(ts.MkAbs(args[0]), a))
}
