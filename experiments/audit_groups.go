package experiments

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	groupRows = 1500 // captures that neighbors are looked for among, drawn by the seed
	groupRuns = 1999 // permutations of the groups
)

// axisOf is an axis that a split may or may not hold apart: a label axis, or something that every capture has.
type axisOf struct {
	name  string
	value func(*auditRow) string
	label bool
}

// axes are the label axes but the classes' own, then what the captures themselves tell.
func (a *auditor) axes(label string) []axisOf {
	var out []axisOf
	for _, axis := range slices.Sorted(maps.Keys(a.rows[0].Labels)) {
		if axis != label && axis != "split" && axis != a.World {
			out = append(out, axisOf{axis, func(r *auditRow) string { return r.Labels[axis] }, true})
		}
	}
	return append(out,
		axisOf{"source file", (*auditRow).file, false},
		axisOf{"client", func(r *auditRow) string { return r.client }, false},
		axisOf{"UTC day", func(r *auditRow) string {
			if !r.clocked() {
				return ""
			}
			return time.UnixMicro(r.StartUS).UTC().Format(time.DateOnly)
		}, false},
	)
}

// groups looks at every axis whose values lie on both sides of the split. What such a value is worth to a model is
// measured without the split: the class of the nearest neighbor in shape, looked for outside the capture's own group,
// against the same outside groups of the same sizes that are drawn at random within each class.
func (a *auditor) groups(r *AuditResult) {
	seen := map[string]string{} // partition to axis
	for _, axis := range a.axes(r.Label) {
		g := a.grouping(axis)
		absent := func(reason string) {
			if axis.label {
				r.Absent = append(r.Absent, AuditAbsent{"group " + axis.name, reason})
			}
		}
		other, known := seen[g.partition]
		seen[g.partition] = cmp.Or(other, axis.name)
		switch {
		case g.values < 2:
			absent("one value only")
		case !g.repeated:
			absent("every capture has its own value")
		case !g.divides:
			absent("it says no more than " + r.Label + ": every class has one value")
		case known:
			absent("the same groups as " + other)
		case g.shared == 0:
			absent("the split holds it apart")
		default:
			m := a.gap(axis)
			r.Groups = append(r.Groups, AuditGroup{Axis: axis.name, Groups: g.values,
				Shared: float64(g.shared) / float64(r.NTest), Random: m.random, Held: m.held, P: m.p})
		}
	}
}

type grouping struct {
	values    int
	repeated  bool   // a value has two captures
	divides   bool   // a class has two values
	shared    int    // test captures whose value is in training too
	partition string // which captures have the same value
}

func (a *auditor) grouping(axis axisOf) (g grouping) {
	count, training, classValue := map[string]int{}, map[string]bool{}, map[int]string{}
	number := map[string]int{}
	var partition []byte
	for i := range a.rows {
		row := &a.rows[i]
		if row.side == noSide {
			continue
		}
		v := axis.value(row)
		if _, ok := number[v]; !ok {
			number[v] = len(number)
		}
		partition = binary.AppendUvarint(partition, uint64(number[v]))
		if v == "" {
			continue
		}
		count[v]++
		g.repeated = g.repeated || count[v] > 1
		if old, ok := classValue[row.class]; ok && old != v {
			g.divides = true
		}
		classValue[row.class] = v
		training[v] = training[v] || row.side == trainSide
	}
	for i := range a.rows {
		if v := axis.value(&a.rows[i]); v != "" && a.rows[i].side == testSide && training[v] {
			g.shared++
		}
	}
	g.values, g.partition = len(count), string(partition)
	return g
}

// neighbors are the captures looked at, each with all others from near to far.
type neighbors struct {
	rows  []int // of the auditor
	order [][]int32
}

// neighbors ranks each number of the shapes over the captures, so that no unit counts more than another, and sorts by
// Manhattan distance; equal distances by row.
func (a *auditor) neighbors() *neighbors {
	n := &neighbors{}
	for i := range a.rows {
		n.rows = append(n.rows, i)
	}
	if len(n.rows) > groupRows {
		rng := stream("audit groups", a.Seed)
		rng.Shuffle(len(n.rows), func(i, j int) { n.rows[i], n.rows[j] = n.rows[j], n.rows[i] })
		n.rows = n.rows[:groupRows]
		slices.Sort(n.rows)
	}
	m, f := len(n.rows), len(a.rows[0].shape)
	x := make([]float64, m*f)
	order := make([]int, m)
	for j := range f {
		at := func(i int) float64 { return a.rows[n.rows[i]].shape[j] }
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(p, q int) int { return cmp.Compare(at(p), at(q)) })
		for lo := 0; lo < m; {
			hi := lo
			for hi < m && at(order[hi]) == at(order[lo]) {
				hi++
			}
			for _, i := range order[lo:hi] {
				x[i*f+j] = float64(lo+hi-1) / 2
			}
			lo = hi
		}
	}
	d := make([]float64, m)
	for i := range m {
		own := x[i*f : (i+1)*f]
		list := make([]int32, 0, m-1)
		for k := range m {
			d[k] = 0
			for j, v := range x[k*f : (k+1)*f] {
				d[k] += math.Abs(v - own[j])
			}
			if k != i {
				list = append(list, int32(k))
			}
		}
		slices.SortFunc(list, func(p, q int32) int { return cmp.Or(cmp.Compare(d[p], d[q]), cmp.Compare(p, q)) })
		n.order = append(n.order, list)
	}
	return n
}

// gapped is what holding out groups costs a nearest neighbor.
type gapped struct {
	random float64 // accuracy of the nearest neighbor outside random groups, the mean of the permutations
	held   float64 // outside the own group
	p      float64 // share of the permutations that are as bad as that
}

// gap measures an axis. A capture without a value is a group of its own.
func (a *auditor) gap(axis axisOf) gapped {
	if g, ok := a.gaps[axis.name]; ok {
		return g
	}
	if a.near == nil {
		a.near = a.neighbors()
	}
	n := a.near
	group, number := make([]int, len(n.rows)), map[string]int{}
	byClass := make([][]int, a.k)
	for i, row := range n.rows {
		if v := axis.value(&a.rows[row]); v == "" {
			group[i] = -1 - i
		} else {
			if _, ok := number[v]; !ok {
				number[v] = len(number)
			}
			group[i] = number[v]
		}
		class := a.rows[row].class
		byClass[class] = append(byClass[class], i)
	}
	right := func() (k int) {
		for i, row := range n.rows {
			for _, j := range n.order[i] {
				if group[j] != group[i] {
					if a.rows[n.rows[j]].class == a.rows[row].class {
						k++
					}
					break
				}
			}
		}
		return k
	}
	own := right()
	rng := stream("audit permutations", a.Seed, axis.name)
	sum, worse := 0, 0
	for range groupRuns {
		for _, rows := range byClass {
			rng.Shuffle(len(rows), func(i, j int) { group[rows[i]], group[rows[j]] = group[rows[j]], group[rows[i]] })
		}
		k := right()
		sum += k
		if k <= own {
			worse++
		}
	}
	m := float64(len(n.rows))
	g := gapped{float64(sum) / groupRuns / m, float64(own) / m, float64(worse+1) / (groupRuns + 1)}
	a.gaps[axis.name] = g
	return g
}
