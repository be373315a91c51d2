package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"earshot/train/classical"
	"earshot/train/metrics"
)

// Names of AuditProbe.
const (
	ProbeAddress = "address"
	ProbePort    = "port"
	ProbeTime    = "time"
	ProbeLength  = "length"
	ProbeSession = "session"
	ProbeTotals  = "totals"
)

var probeWords = map[string]string{
	ProbeAddress: "addresses alone",
	ProbePort:    "ports alone",
	ProbeTime:    "the time of the capture alone",
	ProbeLength:  "the duration alone",
	ProbeSession: "the first TCP fields alone (windows, sequence numbers, time stamps, options)",
	ProbeTotals:  "packets and bytes of the whole capture alone",
}

// auditProber is a probe. has says which captures it can look at, and columns what it sees of them; they may look at the
// training captures to choose a vocabulary.
type auditProber struct {
	name, missing string
	has           func(*auditRow) bool
	columns       func(rows []*auditRow) func(*auditRow) []float64
}

// probes of captures in the order of the table.
var probes = []auditProber{
	{ProbeAddress, "no addresses", func(r *auditRow) bool { return r.hasHosts }, addressColumns},
	{ProbePort, "no ports", func(r *auditRow) bool { return len(r.ports) > 0 }, portColumns},
	{ProbeTime, "no clock: it starts at 0", (*auditRow).clocked, fixedColumns(timeColumns)},
	{ProbeLength, "no times", func(r *auditRow) bool { return r.DurationUS > 0 }, fixedColumns(func(r *auditRow) []float64 {
		return []float64{math.Log1p(float64(r.DurationUS))}
	})},
	{ProbeSession, "no TCP header", func(r *auditRow) bool { return r.hasTCP }, fixedColumns(func(r *auditRow) []float64 { return r.session })},
	{ProbeTotals, "no packets", func(r *auditRow) bool { return r.Packets > 0 }, fixedColumns(func(r *auditRow) []float64 {
		var out []float64
		for _, v := range []int64{r.sizes[0], r.sizes[1], r.sizes[2], r.BytesUnknown, r.BytesUp, r.BytesDown} {
			out = append(out, math.Log1p(float64(v)))
		}
		return out
	})},
}

func fixedColumns(f func(*auditRow) []float64) func([]*auditRow) func(*auditRow) []float64 {
	return func([]*auditRow) func(*auditRow) []float64 { return f }
}

// timeColumns are the start, the second of the day and the second of the week, all by UTC.
func timeColumns(r *auditRow) []float64 {
	s := float64(r.StartUS) / 1e6
	return []float64{s, math.Mod(s, 86400), math.Mod(s, 7*86400)}
}

// present makes columns of the words that at least two of the captures have, the most frequent first, at most n.
func present(rows []*auditRow, n int, words func(*auditRow) []string) func(*auditRow) []float64 {
	count := map[string]int{}
	for _, r := range rows {
		for _, w := range words(r) {
			count[w]++
		}
	}
	list := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	list = slices.DeleteFunc(list, func(w string) bool { return count[w] < 2 })
	list = list[:min(len(list), n)]
	return func(r *auditRow) []float64 {
		out := make([]float64, len(list)+1)
		have := words(r)
		for i, w := range list {
			if slices.Contains(have, w) {
				out[i] = 1
			}
		}
		out[len(list)] = float64(len(have))
		return out
	}
}

func addressColumns(rows []*auditRow) func(*auditRow) []float64 {
	return present(rows, 128, func(r *auditRow) []string { return r.hosts })
}

// portColumns are the servers' ports, and the clients': the first, the lowest, the highest. Systems that count them up
// tell the order of the captures.
func portColumns(rows []*auditRow) func(*auditRow) []float64 {
	servers := present(rows, 64, func(r *auditRow) []string { return r.ports })
	return func(r *auditRow) []float64 {
		return append(servers(r), float64(r.clients[0]), float64(slices.Min(r.clients)), float64(slices.Max(r.clients)))
	}
}

const (
	// probeRows bounds the training captures of a probe: more make it slower, not wiser.
	probeRows = 2000
	probeFold = 3
	// probeTrain and probeTest are what a probe needs at least.
	probeTrain, probeTest = 8, 3
)

func (a *auditor) probe(r *AuditResult) error {
	for _, p := range a.probers {
		var train, test []*auditRow
		for i := range a.rows {
			switch row := &a.rows[i]; {
			case row.side == noSide || !p.has(row):
			case row.side == testSide:
				test = append(test, row)
			default:
				train = append(train, row)
			}
		}
		absent := func(format string, args ...any) {
			r.Absent = append(r.Absent, AuditAbsent{p.name, fmt.Sprintf(format, args...)})
		}
		if len(train) < probeTrain || len(test) < probeTest {
			n := len(train) + len(test)
			switch without := len(a.rows) - n; {
			case n == 0:
				absent("%s in any capture", p.missing)
			case without == 0:
				absent("%d training and %d %s are too few", len(train), len(test), a.words.test)
			default:
				absent("%s in %d of %d captures; %d training and %d test captures are too few", p.missing, without, len(a.rows), len(train), len(test))
			}
			continue
		}
		if len(train) > probeRows {
			rng := stream("audit rows", a.Seed, p.name)
			rng.Shuffle(len(train), func(i, j int) { train[i], train[j] = train[j], train[i] })
			train = train[:probeRows]
		}
		columns := p.columns(train)
		x, y := probeMatrix(train, columns)
		xt, yt := probeMatrix(test, columns)
		if allEqual(x) && allEqual(xt) {
			absent("the same in all %s", a.words.many)
			continue
		}
		out := AuditProbe{Name: p.name, Features: x.F, NTrain: len(train), NTest: len(test)}
		if err := a.fit(&out, x, y, xt, yt); err != nil {
			return fmt.Errorf("experiments: audit: probe %s: %w", p.name, err)
		}
		r.Probes = append(r.Probes, out)
	}
	return nil
}

func probeMatrix(rows []*auditRow, columns func(*auditRow) []float64) (m classical.Matrix, y []int) {
	for _, r := range rows {
		v := columns(r)
		m.N, m.F = m.N+1, len(v)
		m.X = append(m.X, v...)
		y = append(y, r.class)
	}
	return m, y
}

func allEqual(m classical.Matrix) bool {
	for i := range m.N {
		if !slices.Equal(m.Row(i), m.Row(0)) {
			return false
		}
	}
	return true
}

// fit chooses between a forest and nearest neighbors by cross-validation on the training captures and asks the better
// one about the test captures.
func (a *auditor) fit(p *AuditProbe, x classical.Matrix, y []int, xt classical.Matrix, yt []int) error {
	models := []struct {
		name string
		make func() classical.Classifier
	}{
		{"forest", func() classical.Classifier {
			return &classical.Forest{Trees: 50, Seed: seed("audit probe", a.Seed, p.Name), Threads: a.Threads}
		}},
		{"knn", func() classical.Classifier {
			return &classical.Pipeline{Model: &classical.KNN{Neighbors: 3, Threads: a.Threads}}
		}},
	}
	folds, err := classical.StratifiedKFold(y, probeFold, stream("audit folds", a.Seed, p.Name))
	if err != nil {
		return err
	}
	best := models[0]
	for _, m := range models {
		right := 0
		for _, f := range folds {
			c := m.make()
			if err := c.Fit(x.Rows(f.Train), rowsOf(y, f.Train), a.k); err != nil {
				return err
			}
			right += agreement(c.Predict(x.Rows(f.Test)), rowsOf(y, f.Test))
		}
		if cv := float64(right) / float64(x.N); cv > p.CV || p.Model == "" {
			p.CV, p.Model, best = cv, m.name, m
		}
	}
	c := best.make()
	if err := c.Fit(x, y, a.k); err != nil {
		return err
	}
	predicted, constant := c.Predict(xt), majority(y, a.k)
	right, usual, onlyModel, onlyUsual := 0, 0, 0, 0
	for i, k := range yt {
		own, other := predicted[i] == k, constant == k
		switch {
		case own && !other:
			onlyModel++
		case other && !own:
			onlyUsual++
		}
		if own {
			right++
		}
		if other {
			usual++
		}
	}
	n := len(yt)
	p.Accuracy, p.Majority = float64(right)/float64(n), float64(usual)/float64(n)
	p.CILow, p.CIHigh = metrics.ClopperPearson(right, n, 0.95)
	p.P = metrics.McNemarExact(onlyModel, onlyUsual)
	return nil
}

func rowsOf(y, rows []int) []int {
	out := make([]int, len(rows))
	for i, r := range rows {
		out[i] = y[r]
	}
	return out
}

func agreement(a, b []int) (n int) {
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}
