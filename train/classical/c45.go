package classical

import (
	"fmt"
	"math"
	"slices"
)

// C45 is Quinlan's decision tree (C4.5: Programs for Machine Learning, 1993, with the 1996 correction for continuous
// attributes, Release 8): splits by gain ratio among tests of at least average gain, multiway on nominal attributes,
// two-way on continuous ones at a value that occurs in the data, pruned by the pessimistic error of its leaves. Left out:
// missing values (fill them first), grouping of values, and raising a branch in place of its parent.
type C45 struct {
	MinObjects int     // rows that at least two outcomes of a test must have; 0: 2
	Confidence float64 // of pruning; 0: 0.25, 1 and more: do not prune
	Nominal    []int   // (F) values of each nominal attribute, numbered from 0; 0 or nil: continuous

	K, F  int
	Nodes []C45Node
	Count []float64 // (nodes, K) training rows
}

// C45Node tests one attribute, or is a leaf when Feature is -1. Children are Nodes[First : First+Children]: one for each
// value of a nominal attribute; for a continuous one <= Threshold, then above.
type C45Node struct {
	Feature, First, Children int32
	Class                    int32 // most frequent; a child without rows has its parent's
	Threshold                float64
}

// c45Test is a possible split.
type c45Test struct {
	feature    int
	gain, info float64 // bits; info is the split's own information
	cut        float64
}

const c45Epsilon = 1e-3 // C4.5's own

// Fit grows and prunes.
func (m *C45) Fit(x Matrix, y []int, k int) error {
	if err := check("c45", x, y, k); err != nil {
		return err
	}
	if m.Nominal != nil && len(m.Nominal) != x.F {
		return fmt.Errorf("c45: %d kinds of attributes for %d features", len(m.Nominal), x.F)
	}
	for j := range x.F {
		for i := range x.N {
			if v, n := x.X[i*x.F+j], m.values(j); n > 0 && (v != math.Trunc(v) || v < 0 || int(v) >= n) {
				return fmt.Errorf("c45: row %d: nominal feature %d is %v; its values are 0 to %d", i, j, v, n-1)
			}
		}
	}
	m.K, m.F, m.Nodes, m.Count = k, x.F, make([]C45Node, 1), make([]float64, k)
	rows := make([]int, x.N)
	for i := range rows {
		rows[i] = i
	}
	g := &c45Grower{m: m, x: x, y: y, sorted: make([][]float64, x.F)}
	g.grow(0, rows, -1)
	if m.Confidence < 1 {
		m.prune(0)
	}
	return nil
}

func (m *C45) values(j int) int {
	if m.Nominal == nil {
		return 0
	}
	return m.Nominal[j]
}

func (m *C45) minObjects() int {
	if m.MinObjects == 0 {
		return 2
	}
	return m.MinObjects
}

type c45Grower struct {
	m      *C45
	x      Matrix
	y      []int
	sorted [][]float64 // of each continuous attribute, all training values
}

// grow makes node id the tree of rows; above is the parent's class.
func (g *c45Grower) grow(id int, rows []int, above int32) {
	m := g.m
	count := m.Count[id*m.K : (id+1)*m.K]
	for _, i := range rows {
		count[g.y[i]]++
	}
	m.Nodes[id] = C45Node{Feature: -1, Class: above}
	if len(rows) == 0 {
		return
	}
	best := argmaxRows(count, m.K)[0]
	m.Nodes[id].Class = int32(best)
	if int(count[best]) == len(rows) || len(rows) < 2*m.minObjects() {
		return
	}
	t := g.choose(rows)
	if t.feature < 0 {
		return
	}
	n := 2
	if v := m.values(t.feature); v > 0 {
		n = v
	}
	first := len(m.Nodes)
	m.Nodes = append(m.Nodes, make([]C45Node, n)...)
	m.Count = append(m.Count, make([]float64, n*m.K)...)
	m.Nodes[id].Feature, m.Nodes[id].First, m.Nodes[id].Children, m.Nodes[id].Threshold = int32(t.feature), int32(first), int32(n), t.cut
	parts := make([][]int, n)
	for _, i := range rows {
		p := m.Nodes[id].outcome(g.x.X[i*g.x.F+t.feature], m.values(t.feature) > 0)
		parts[p] = append(parts[p], i)
	}
	for p, part := range parts {
		g.grow(first+p, part, int32(best))
	}
	// A test that leaves as many errors as a leaf would make is not worth having.
	if m.treeErrors(id) >= float64(len(rows))-m.Count[id*m.K+best]-c45Epsilon {
		m.Nodes[id].Feature, m.Nodes[id].Children = -1, 0
	}
}

func (n *C45Node) outcome(v float64, nominal bool) int {
	switch {
	case nominal:
		return int(v)
	case v <= n.Threshold:
		return 0
	}
	return 1
}

// leaf returns the node that answers for a row. A nominal value that training never had ends at the node above.
func (m *C45) leaf(row []float64) int {
	id := 0
	for m.Nodes[id].Feature >= 0 {
		n := &m.Nodes[id]
		o := n.outcome(row[n.Feature], m.values(int(n.Feature)) > 0)
		if o < 0 || o >= int(n.Children) {
			break
		}
		next := int(n.First) + o
		if r, _ := m.rows(next); r == 0 {
			break
		}
		id = next
	}
	return id
}

// Proba returns the class shares of each row's leaf, (N, K).
func (m *C45) Proba(x Matrix) []float64 {
	p := make([]float64, 0, x.N*m.K)
	for i := range x.N {
		l := m.leaf(x.Row(i))
		n, _ := m.rows(l)
		for _, v := range m.Count[l*m.K : (l+1)*m.K] {
			p = append(p, v/n)
		}
	}
	return p
}

// Predict returns the most frequent class of each row's leaf.
func (m *C45) Predict(x Matrix) []int {
	out := make([]int, x.N)
	for i := range out {
		out[i] = int(m.Nodes[m.leaf(x.Row(i))].Class)
	}
	return out
}

func (m *C45) settings(s *settings) {
	s.integer("min_objects", &m.MinObjects, 1)
	s.number("confidence", &m.Confidence)
}

func (m *C45) state(s *state) {
	s.ints("shape", &m.K, &m.F)
	var feature, first, children, class []int32
	var cut []float64
	for _, n := range m.Nodes {
		feature, first, children = append(feature, n.Feature), append(first, n.First), append(children, n.Children)
		class, cut = append(class, n.Class), append(cut, n.Threshold)
	}
	nominal := slices.Clone(m.Nominal)
	if nominal == nil {
		nominal = make([]int, m.F)
	}
	whole(s, "nominal", &nominal, m.F, 0, 1<<31)
	whole(s, "feature", &feature, -1, -1, int64(m.F))
	n := len(feature)
	whole(s, "first", &first, n, 0, int64(n)+1)
	whole(s, "children", &children, n, 0, int64(n)+1)
	whole(s, "class", &class, n, 0, int64(m.K))
	s.floats("threshold", &cut, 0, n)
	s.floats("count", &m.Count, n, n*m.K)
	if !s.loading() || s.err != nil {
		return
	}
	m.Nominal, m.Nodes = nominal, make([]C45Node, n)
	for i := range m.Nodes {
		m.Nodes[i] = C45Node{Feature: feature[i], First: first[i], Children: children[i], Class: class[i], Threshold: cut[i]}
		if v := &m.Nodes[i]; v.Feature >= 0 && (int(v.First) <= i || int(v.First+v.Children) > n || v.Children < 2) {
			s.fail("node %d: children %d to %d of %d nodes", i, v.First, v.First+v.Children, n)
			return
		}
	}
	if n == 0 {
		s.fail("no nodes")
	}
}
