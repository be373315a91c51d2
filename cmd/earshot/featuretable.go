package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"earshot/data/dataset/npz"
	"earshot/data/features"

	"github.com/parquet-go/parquet-go"
)

// writeFeatures writes a table in the format of its extension. The columns of csv and Parquet are capture_id, source,
// connection (from 1, where rows are connections), label_AXIS, features.
func writeFeatures(path string, m *features.Matrix, axes []string) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz":
		return npz.Write(path, featureArrays(m, axes)...)
	case ".parquet":
		b, err := featureParquet(m, axes)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return replaceFile(path, b)
	}
	b, err := featureCSV(m, axes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return replaceFile(path, b)
}

func perConnection(m *features.Matrix) bool { return m.Per == features.PerConnection }

func featureArrays(m *features.Matrix, axes []string) []npz.Named {
	a := []npz.Named{
		{Name: "X", Array: npz.Float64(m.X, m.N, m.F)},
		{Name: "names", Array: npz.Strings(m.Names())},
		{Name: "capture_id", Array: npz.Int64(m.CaptureID)},
		{Name: "capture", Array: npz.Strings(m.Source)},
	}
	if m.Edges != nil {
		a = append(a, npz.Named{Name: "edges", Array: npz.Float64(m.Edges)})
	}
	if perConnection(m) {
		number := make([]int64, m.N)
		for i, n := range m.Number {
			number[i] = int64(n)
		}
		a = append(a, npz.Named{Name: "connection", Array: npz.Int64(number)})
	}
	for k, axis := range axes {
		labels := make([]string, m.N)
		for i := range labels {
			labels[i] = m.Labels[i][k]
		}
		a = append(a, npz.Named{Name: "label_" + axis, Array: npz.Strings(labels)})
	}
	return a
}

func featureCSV(m *features.Matrix, axes []string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	line := []string{"capture_id", "source"}
	if perConnection(m) {
		line = append(line, "connection")
	}
	for _, axis := range axes {
		line = append(line, "label_"+axis)
	}
	_ = w.Write(append(line, m.Names()...)) // Error tells below
	for i := range m.N {
		line = append(line[:0], strconv.FormatInt(m.CaptureID[i], 10), m.Source[i])
		if perConnection(m) {
			line = append(line, strconv.Itoa(m.Number[i]))
		}
		line = append(line, m.Labels[i]...)
		for _, v := range m.Row(i) {
			if math.IsNaN(v) {
				line = append(line, "")
			} else {
				line = append(line, strconv.FormatFloat(v, 'f', -1, 64))
			}
		}
		_ = w.Write(line)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// featureParquet writes a file whose columns are known only at run time: a struct type is made for them.
func featureParquet(m *features.Matrix, axes []string) ([]byte, error) {
	var fields []reflect.StructField
	add := func(name string, t reflect.Type) {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", len(fields)), Type: t, Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", name))})
	}
	add("capture_id", reflect.TypeFor[int64]())
	add("source", reflect.TypeFor[string]())
	if perConnection(m) {
		add("connection", reflect.TypeFor[int64]())
	}
	for _, axis := range axes {
		add("label_"+axis, reflect.TypeFor[string]())
	}
	for _, name := range m.Names() {
		add(name, reflect.TypeFor[float64]())
	}
	row := reflect.New(reflect.StructOf(fields))
	var b bytes.Buffer
	w := parquet.NewWriter(&b, parquet.SchemaOf(row.Interface()), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("earshot", "1", ""))
	for i := range m.N {
		v := row.Elem()
		v.Field(0).SetInt(m.CaptureID[i])
		v.Field(1).SetString(m.Source[i])
		at := 2
		if perConnection(m) {
			v.Field(at).SetInt(int64(m.Number[i]))
			at++
		}
		for _, l := range m.Labels[i] {
			v.Field(at).SetString(l)
			at++
		}
		for _, x := range m.Row(i) {
			v.Field(at).SetFloat(x)
			at++
		}
		if err := w.Write(row.Interface()); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
