package cpu

import (
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"earshot/nets/kernel/internal/interp"
)

// Interpreted opens a tier, on any machine, whose micro-kernels are run by the interpreter: the drivers are the real
// ones. The micro-kernels may touch the backend's scratch and what memory returns, nothing else.
func Interpreted(t testing.TB, name string, memory func() []any) *Backend {
	t.Helper()
	for i := range tiers {
		if tiers[i].name != name {
			continue
		}
		own := tiers[i]
		be := newBackend(&own, 1)
		replaceAssembly(t, reflect.ValueOf(&own).Elem(), assembly(t, "_"+name+"_amd64.s"), func() []any {
			return slicesOf(reflect.ValueOf(be).Elem(), memory())
		})
		return be
	}
	t.Fatalf("no tier %q in this build", name)
	return nil
}

// assembly parses the generated files whose names end in suffix, by function.
func assembly(t testing.TB, suffix string) map[string]*interp.Unit {
	t.Helper()
	files, err := filepath.Glob("*" + suffix)
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly *%s: %v", suffix, err)
	}
	functions := map[string]*interp.Unit{}
	for _, file := range files {
		u, err := interp.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range u.Functions() {
			functions[name] = u
		}
	}
	return functions
}

// replaceAssembly puts the interpreter in the place of every assembly function in a table of them.
func replaceAssembly(t testing.TB, v reflect.Value, functions map[string]*interp.Unit, memory func() []any) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			replaceAssembly(t, v.Field(i), functions, memory)
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			replaceAssembly(t, v.Index(i), functions, memory)
		}
	case reflect.Func:
		if v.IsNil() {
			return
		}
		name := runtime.FuncForPC(v.Pointer()).Name()
		name = name[strings.LastIndex(name, ".")+1:]
		u := functions[name]
		if u == nil {
			if name != "missingAVX2" && name != "missingAVX512" {
				t.Fatalf("%s stands in the table of a tier, but in none of its assembly files", name)
			}
			return
		}
		v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // settable, though the field is not exported
		v.Set(reflect.MakeFunc(v.Type(), func(in []reflect.Value) []reflect.Value {
			args := make([]any, len(in))
			for i := range in {
				args[i] = in[i].Interface()
			}
			u.RunIn(memory(), name, args...)
			return nil
		}))
	}
}

// slicesOf appends every slice of numbers that a struct holds.
func slicesOf(v reflect.Value, found []any) []any {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			found = slicesOf(v.Field(i), found)
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.Float32, reflect.Float64, reflect.Int64, reflect.Int32:
			found = append(found, reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem().Interface())
		default:
			for i := range v.Len() {
				found = slicesOf(v.Index(i), found)
			}
		}
	}
	return found
}
