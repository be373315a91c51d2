package classical

import (
	"reflect"
	"testing"
)

// FuzzSettings: whatever is accepted is printed in a form that gives the same model again.
func FuzzSettings(f *testing.F) {
	f.Add("forest", "max_features", "log2")
	f.Add("svm", "gamma", "0.5")
	f.Add("ridge", "alphas", "0.1:1:10")
	f.Add("multirocket", "alphas", "0.1:1")
	f.Add("logistic", "class_weight", "1:2:1")
	f.Add("tree", "max_depth", "None")
	f.Fuzz(func(t *testing.T, model, key, value string) {
		c, err := New(model, map[string]string{key: value})
		if err != nil {
			return
		}
		name, set, err := Settings(c)
		if err != nil || name != model {
			t.Fatalf("%s became %q: %v", model, name, err)
		}
		again, err := New(name, set)
		if err != nil {
			t.Fatalf("%s %v: %v", name, set, err)
		}
		if _, same, _ := Settings(again); !reflect.DeepEqual(same, set) {
			t.Fatalf("%s: %v became %v", name, set, same)
		}
	})
}
