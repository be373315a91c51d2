package classical

import "math"

func (m *C45) rows(id int) (n, errors float64) {
	for c, v := range m.Count[id*m.K : (id+1)*m.K] {
		n += v
		if int32(c) != m.Nodes[id].Class {
			errors += v
		}
	}
	return n, errors
}

// treeErrors counts the training errors of a subtree's leaves.
func (m *C45) treeErrors(id int) float64 {
	node := m.Nodes[id]
	if node.Feature < 0 {
		_, e := m.rows(id)
		return e
	}
	sum := 0.0
	for c := range node.Children {
		sum += m.treeErrors(int(node.First + c))
	}
	return sum
}

// prune makes leaves of subtrees that are not expected to do better, and returns the expected errors.
func (m *C45) prune(id int) float64 {
	cf := m.Confidence
	if cf == 0 {
		cf = 0.25
	}
	n, e := m.rows(id)
	leaf := e + addErrors(n, e, cf)
	node := m.Nodes[id]
	if node.Feature < 0 {
		return leaf
	}
	sum := 0.0
	for c := range node.Children {
		sum += m.prune(int(node.First + c))
	}
	if leaf > sum+0.1 {
		return sum
	}
	m.Nodes[id].Feature, m.Nodes[id].Children = -1, 0
	return leaf
}

// addErrors is how many more errors than e a leaf of n rows is expected to make: the upper limit of the binomial at
// confidence cf, less e, with C4.5's approximations. n * U25%(e, n) of the book's chapter 4 is e + addErrors(n, e, 0.25).
func addErrors(n, e, cf float64) float64 {
	switch {
	case n == 0:
		return 0
	case e < 1e-6:
		return n * (1 - math.Exp(math.Log(cf)/n))
	case e < 0.9999:
		v := n * (1 - math.Exp(math.Log(cf)/n))
		return v + e*(addErrors(n, 1, cf)-v)
	case e+0.5 >= n:
		return 0.67 * (n - e)
	}
	// normal quantiles by C4.5's table
	val := []float64{0, 0.001, 0.005, 0.01, 0.05, 0.10, 0.20, 0.40, 1}
	dev := []float64{4, 3.09, 2.58, 2.33, 1.65, 1.28, 0.84, 0.25, 0}
	i := 1
	for cf > val[i] {
		i++
	}
	z := dev[i-1] + (dev[i]-dev[i-1])*(cf-val[i-1])/(val[i]-val[i-1])
	z *= z
	p := (e + 0.5 + z/2 + math.Sqrt(z*((e+0.5)*(1-(e+0.5)/n)+z/4))) / (n + z)
	return n*p - e
}
