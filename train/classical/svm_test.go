package classical

import (
	"fmt"
	"math"
	"reflect"
	"testing"
)

// TestSVM compares decision values with SVC's. Both stop at a tolerance of 1e-3, so 1e-3 is what the values can be held
// to; where they agree far better the same steps were taken.
func TestSVM(t *testing.T) {
	var cases struct {
		SVC []struct {
			N, F, K       int
			Sep           float64
			Settings      map[string]string
			Decision      [][]float64
			Support, Pred []int
		}
		Coupling []struct {
			K               int
			Decision, Proba [][]float64
			A, B            []float64
		}
		Sigmoids []struct {
			Decision []float64
			First    int
			A, B     float64
		}
	}
	golden(t, "sklearn_svm", &cases)
	for _, c := range cases.SVC {
		t.Run(fmt.Sprint(c.N, c.F, c.K, c.Settings), func(t *testing.T) {
			x, y := formula(c.N, c.F, c.K, 41, c.Sep, 0)
			if c.Settings["class_weight"] != "" {
				x, y = thin(x, y)
			}
			xt, _ := formula(20, c.F, c.K, 41, c.Sep, c.N)
			m := fitted(t, "svm", c.Settings, x, y, c.K).(*SVM)
			d, _ := m.Decision(xt)
			near(t, "decision", d, flat(c.Decision), 1e-3)
			worst := 0.0
			for i, v := range flat(c.Decision) {
				worst = max(worst, math.Abs(d[i]-v))
			}
			t.Logf("largest difference %.2g; support vectors %v, SVC %v", worst, m.Count, c.Support)
			if got := m.Predict(xt); !reflect.DeepEqual(got, c.Pred) {
				t.Errorf("predictions %v, want %v", got, c.Pred)
			}
			m.NoShrinking = true
			if err := m.Fit(x, y, c.K); err != nil {
				t.Fatal(err)
			}
			d, _ = m.Decision(xt)
			near(t, "decision without shrinking", d, flat(c.Decision), 4e-3) // two stops, each within its tolerance
			m.NoShrinking, m.CacheMB = false, 0
			two, _ := m.Decision(xt)
			if !reflect.DeepEqual(d, two) {
				t.Error("the same machine answers differently")
			}
		})
	}
	for _, c := range cases.Coupling {
		for i, d := range c.Decision {
			near(t, fmt.Sprintf("coupling of %d classes", c.K), couple(d, c.A, c.B, c.K), c.Proba[i], 1e-4)
		}
	}
	for i, c := range cases.Sigmoids {
		a, b := sigmoid(c.Decision, c.First)
		near(t, fmt.Sprintf("sigmoid %d", i), []float64{a, b}, []float64{c.A, c.B}, 1e-4)
	}
}

// TestSVMProbability: probabilities are calibrated enough to beat the shares of the classes, and depend on the seed
// alone, not on threads or on the room for kernel rows.
func TestSVMProbability(t *testing.T) {
	x, y := formula(240, 6, 3, 71, 2, 0)
	xt, yt := formula(120, 6, 3, 71, 2, 240)
	fit := func(threads, cache int) *SVM {
		m := &SVM{Probability: true, Seed: 3, Threads: threads, CacheMB: cache}
		if err := m.Fit(x, y, 3); err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := fit(1, 0)
	p := m.Proba(xt)
	loss := 0.0
	for i, c := range yt {
		sum := 0.0
		for _, v := range p[i*3 : i*3+3] {
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("row %d sums to %v", i, sum)
		}
		loss -= math.Log(p[i*3+c]) / 120
	}
	if loss > 0.9*math.Log(3) {
		t.Errorf("log loss %.3f; guessing has %.3f", loss, math.Log(3))
	}
	for _, o := range []*SVM{fit(4, 0), fit(2, 1)} {
		if !reflect.DeepEqual(p, o.Proba(xt)) {
			t.Error("threads or cache change the probabilities")
		}
	}
}

// TestSVMSmallCache makes rows go and come back.
func TestSVMSmallCache(t *testing.T) {
	x, _ := formula(300, 4, 2, 81, 0.5, 0)
	small, large := newKernelRows(kernel{gamma: 0.2}, x, 1, new([]float32)), newKernelRows(kernel{gamma: 0.2}, x, 1<<30, new([]float32))
	for step := range 2000 {
		i, j := (step*7)%300, (step*step)%300
		a, b := small.row(i), small.row(j)
		if !reflect.DeepEqual(a, large.row(i)) || !reflect.DeepEqual(b, large.row(j)) {
			t.Fatalf("step %d: rows %d and %d differ", step, i, j)
		}
	}
}

// TestSVMAbsentClass: a class without rows takes part in no pair.
func TestSVMAbsentClass(t *testing.T) {
	x, y := formula(90, 5, 3, 91, 2, 0)
	var rows, c []int
	for i, v := range y {
		if v != 1 {
			rows, c = append(rows, i), append(c, v)
		}
	}
	m := SVM{Probability: true}
	if err := m.Fit(x.Rows(rows), c, 3); err != nil {
		t.Fatal(err)
	}
	for i, p := range m.Proba(x) {
		if i%3 == 1 && p != 0 {
			t.Fatalf("the absent class has probability %v", p)
		}
	}
	if a := accuracy(m.Predict(x.Rows(rows)), c); a < 0.9 {
		t.Errorf("accuracy %v", a)
	}
	if err := m.Fit(x.Rows(rows[:1]), c[:1], 3); err == nil {
		t.Error("one class was learned from")
	}
}

// TestSVMPacking: a machine large enough to put its shrunk rows out of sight answers alike with room for rows in both
// orders, in one and in neither.
func TestSVMPacking(t *testing.T) {
	x, y := formula(1000, 4, 2, 87, 0.5, 0)
	packed := 0
	solve := func(bytes int) []float64 {
		q := newKernelRows(kernel{gamma: 0.3}, x, bytes, new([]float32))
		s := &smo{rows: q, y: make([]float64, x.N), c: make([]float64, x.N), diag: make([]float64, x.N), eps: 1e-3}
		for i := range s.y {
			s.y[i], s.c[i], s.diag[i] = float64(1-2*y[i]), 50, 1
		}
		alpha, rho := s.solve(true)
		if s.pack.rows != nil {
			packed++
		}
		return append(alpha, rho)
	}
	want := solve(100 << 20)
	for _, bytes := range []int{4 * x.N * x.N, 4*x.N*x.N + 40*x.N, 400 * x.N, 1} {
		if !reflect.DeepEqual(want, solve(bytes)) {
			t.Errorf("%d bytes give another machine", bytes)
		}
	}
	if packed != 5 {
		t.Errorf("rows were put out of sight %d times of 5", packed)
	}
}
