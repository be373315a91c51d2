package classical

import (
	"math"
	"reflect"
	"testing"
)

// TestKMeans: the best of 20 starts is within 1 % of scikit-learn's best of 20, and one start with scikit-learn's own
// centers ends at scikit-learn's centers.
func TestKMeans(t *testing.T) {
	var cases []struct {
		N, F, K    int
		Sep        float64
		Inertia    float64
		First, End [][]float64
		FromFirst  float64 `json:"from_first"`
		Labels     []int
	}
	golden(t, "sklearn_kmeans", &cases)
	for _, c := range cases {
		x, y := formula(c.N, c.F, c.K, 201, c.Sep, 0)
		m := KMeans{Clusters: c.K, Starts: 20, Seed: 1}
		if err := m.Fit(x, y, c.K); err != nil {
			t.Fatal(err)
		}
		if m.Inertia > 1.01*c.Inertia {
			t.Errorf("inertia %.4f, scikit-learn's best is %.4f", m.Inertia, c.Inertia)
		}
		h := newHamerly(x, flat(c.First), 1)
		h.run(300, 0)
		near(t, "inertia", []float64{h.inertia()}, []float64{c.FromFirst}, 1e-9)
		near(t, "centers", h.centers, flat(c.End), 1e-8)
		for i, l := range c.Labels {
			if int(h.of[i]) != l {
				t.Fatalf("row %d is in cluster %d, want %d", i, h.of[i], l)
			}
		}
	}
}

// TestKMeansThreads: more than one block of rows, the same bits at any number of threads.
func TestKMeansThreads(t *testing.T) {
	x, y := formula(3000, 5, 4, 211, 1, 0)
	fit := func(threads int) *KMeans {
		m := &KMeans{Clusters: 7, Starts: 3, Seed: 9, Threads: threads}
		if err := m.Fit(x, y, 4); err != nil {
			t.Fatal(err)
		}
		return m
	}
	one := fit(1)
	if three := fit(3); !reflect.DeepEqual(one.Centers, three.Centers) || one.Inertia != three.Inertia {
		t.Error("threads change the centers")
	}
	// Lloyd's fixed point: each center is the mean of its rows, inertia is what Predict gives.
	sum, n, inertia := make([]float64, 7*5), make([]float64, 7), 0.0
	d, _ := one.Decision(x)
	for i, c := range one.Predict(x) {
		n[c]++
		inertia += d[i*7+c] * d[i*7+c]
		for j, v := range x.Row(i) {
			sum[c*5+j] += v
		}
	}
	for c := range n {
		for j := range 5 {
			sum[c*5+j] /= n[c]
		}
	}
	near(t, "means", one.Centers, sum, 2e-2)
	near(t, "inertia", []float64{one.Inertia}, []float64{inertia}, 1e-9)
}

// TestKMeansEmpty: more clusters than different rows leaves some empty at first.
func TestKMeansEmpty(t *testing.T) {
	x := Matrix{N: 6, F: 1, X: []float64{1, 1, 1, 1, 1, 9}}
	m := KMeans{Clusters: 3}
	if err := m.Fit(x, make([]int, 6), 1); err != nil {
		t.Fatal(err)
	}
	if m.Inertia != 0 || math.IsNaN(m.Centers[0]+m.Centers[1]+m.Centers[2]) {
		t.Errorf("inertia %v, centers %v", m.Inertia, m.Centers)
	}
	if err := (&KMeans{Clusters: 7}).Fit(x, nil, 1); err == nil {
		t.Error("seven clusters of six rows")
	}
}
