package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"earshot/data/dataset"
	"earshot/data/features"
	"earshot/data/trace"
	"earshot/train/classical"
)

// A cell is what the library's own search gives, without the twins that the study leaves out.
func TestFitClassical(t *testing.T) {
	study := tinyRequests()
	s, err := openSource(study, "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tcptrace", "histogram"} {
		i := slices.IndexFunc(items, func(it item) bool {
			return it.settings.Net == "forest" && it.settings.Representation == name && it.settings.Control == "" && it.settings.Protocol == "ours"
		})
		it := items[i]
		c, err := s.make(context.Background(), backend(t), it, t.TempDir(), nil)
		if err != nil || !c.OK() {
			t.Fatalf("%v %s", err, c.Reason)
		}
		x, err := features.New(it.settings.Features.Sets, features.Options{Size: trace.IP, Set: it.settings.Features.Set})
		if err != nil {
			t.Fatal(err)
		}
		x.Train(it.split.Train)
		m, err := x.Extract(func(f func(features.Item, *trace.Trace) error) error {
			return s.set.Each(s.ids, func(c *dataset.Capture, t *trace.Trace) error { return f(features.Item{ID: c.ID}, t) })
		})
		if err != nil {
			t.Fatal(err)
		}
		all := classical.Matrix{N: m.N, F: m.F, X: m.X}
		rows, _ := s.rowsFor(it.split.Train)
		test, _ := s.rowsFor(it.split.Test)
		y := s.classes(rows)
		p := classical.Point{Model: "forest", Settings: map[string]string{"n_estimators": "5"}, Scale: true}
		search := classical.Search{Seed: seed("classical", "forest", "", name, 45, it.settings.Split, it.settings.Seed),
			Points: classical.Grid(p, map[string][]string{"criterion": {"gini", "entropy"}, "max_features": {"sqrt", "log2"}})}
		folds, err := classical.StratifiedKFold(y, 3, rand.New(rand.NewPCG(seed("inner folds", 45, it.settings.Split, it.settings.Seed), 0)))
		if err != nil {
			t.Fatal(err)
		}
		found, err := search.Run(all.Rows(rows), y, 3, folds)
		if err != nil {
			t.Fatal(err)
		}
		best := search.Points[found.Best]
		if !reflect.DeepEqual(best.Settings, c.Chosen) || found.Mean[found.Best] != c.Inner {
			t.Errorf("%s: the search chose %v with %g, the cell %v with %g", name, best.Settings, found.Mean[found.Best], c.Chosen, c.Inner)
		}
		model, err := best.New(search.Seed, 1)
		if err == nil {
			err = model.Fit(all.Rows(rows), y, 3)
		}
		if err != nil {
			t.Fatal(err)
		}
		pred := model.Predict(all.Rows(test))
		for i, q := range c.Predictions {
			if q.Predicted != pred[i] {
				t.Errorf("%s: capture %d: %d, want %d", name, q.CaptureID, q.Predicted, pred[i])
			}
		}
	}
}

func TestGrids(t *testing.T) {
	for _, c := range []struct {
		model         string
		p, all, fewer int
	}{{"tree", 22, 2, 2}, {"forest", 22, 4, 2}, {"forest", 52, 4, 4}, {"svm_linear", 52, 5, 5}, {"svm_rbf", 52, 30, 30}, {"svm_rbf", 100, 30, 20}, {"knn", 30, 24, 24}, {"mlp", 30, 6, 6}} {
		m := models[c.model]
		axes := map[string][]string{}
		for name, values := range m.grid {
			axes[name] = strings.Split(values, "|")
		}
		points := classical.Grid(classical.Point{Model: m.model}, axes)
		different := map[string]bool{}
		for _, p := range points {
			set := map[string]string{}
			for name, v := range p.Settings {
				set[name] = resolve(name, v, c.p)
			}
			different[fmt.Sprint(set)] = true
			if c.model == "mlp" {
				continue // a network, made elsewhere
			}
			if _, err := classical.New(p.Model, set); err != nil {
				t.Errorf("%s %v: %v", c.model, set, err)
			}
		}
		if len(points) != c.all || len(different) != c.fewer || m.grid.combinations() != c.all {
			t.Errorf("%s with %d features: %d points, %d different, %d counted; want %d, %d", c.model, c.p, len(points), len(different), m.grid.combinations(), c.all, c.fewer)
		}
	}
	if got := resolve("gamma", "0.1/p", 50); got != "0.002" {
		t.Errorf("0.1/p of 50 features is %s", got)
	}
}

// Edges of the whole data set move when a test capture holds a larger value; edges of the training set do not.
func TestEdges(t *testing.T) {
	s, err := openSource(tinyRequests(), "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	train := s.ids[:30]
	table := func(edges string, train []int64) *tableValue {
		f, err := FeatureSet{Sets: "histogram", Keep: []string{"iat_"}}.features(Protocol{Edges: edges})
		if err != nil {
			t.Fatal(err)
		}
		tab, err := s.table(f, train)
		if err != nil {
			t.Fatal(err)
		}
		return &tableValue{tab.x.X, tab.names}
	}
	before := [2]*tableValue{table(EdgesDataset, train), table(EdgesTrain, train)}
	if len(before[0].names) != 15 || !strings.HasPrefix(before[0].names[0], "iat_") {
		t.Errorf("columns kept: %v", before[0].names)
	}
	packets := s.tables.traces[44].Packets
	for i := range packets[len(packets)/2:] {
		packets[len(packets)/2+i].Time += 60_000_000 // a minute of silence in a test capture
	}
	s.tables.made, s.tables.order = nil, nil
	after := [2]*tableValue{table(EdgesDataset, train), table(EdgesTrain, train)}
	rows := 30 * 15
	if reflect.DeepEqual(before[0].x[:rows], after[0].x[:rows]) {
		t.Error("edges of the data set: a test capture's silence left the training rows as they were")
	}
	if !reflect.DeepEqual(before[1].x[:rows], after[1].x[:rows]) {
		t.Error("edges of the training set: a test capture's silence changed the training rows")
	}
}

type tableValue struct {
	x     []float64
	names []string
}
