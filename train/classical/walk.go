package classical

import "math"

// walker sends rows down trees, several at a time, since one alone waits for memory at every node.
type walker struct {
	nodes  []walkNode
	x      []float32 // (rows, F)
	rows   int
	f      int
	leaves []int32
}

// walkNode is a Node without what a walk does not need. Leaves lead back to themselves.
type walkNode struct {
	cut         float32
	feature     int32
	left, right int32
}

// load takes rows [lo, hi) of x.
func (w *walker) load(x Matrix, lo, hi int) {
	w.rows, w.f = hi-lo, x.F
	w.x, w.leaves = resize(w.x, w.rows*x.F), resize(w.leaves, w.rows)
	for i, v := range x.X[lo*x.F : hi*x.F] {
		w.x[i] = float32(v)
	}
}

// walk returns the leaf of each row loaded; the slice is used again.
func (w *walker) walk(t *Tree) []int32 {
	if w.rows < len(t.Nodes)/16 { // most nodes will not be met
		for i := range w.leaves {
			w.leaves[i] = t.leaf(w.x[i*w.f : (i+1)*w.f])
		}
		return w.leaves
	}
	w.nodes = resize(w.nodes, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Feature < 0 {
			w.nodes[i] = walkNode{left: int32(i), right: int32(i)}
			continue
		}
		w.nodes[i] = walkNode{floor32(n.Threshold), n.Feature, n.Left, n.Right}
	}
	const together = 8
	nodes := w.nodes
	for lo := 0; lo < w.rows; lo += together {
		n := min(together, w.rows-lo)
		var at [together]int32
		x := w.x[lo*w.f : (lo+n)*w.f]
		for moved := int32(1); moved != 0; {
			moved = 0
			row := 0
			for k := range at[:n] {
				node := &nodes[at[k]]
				next, right := node.left, node.right
				if !(x[row+int(node.feature)] <= node.cut) {
					next = right
				}
				moved |= next ^ at[k]
				at[k] = next
				row += w.f
			}
		}
		copy(w.leaves[lo:lo+n], at[:n])
	}
	return w.leaves
}

// leaf returns the number of the leaf that a row falls into.
func (t *Tree) leaf(row []float32) int32 {
	i := int32(0)
	for t.Nodes[i].Feature >= 0 {
		n := &t.Nodes[i]
		if float64(row[n.Feature]) <= n.Threshold {
			i = n.Left
		} else {
			i = n.Right
		}
	}
	return i
}

// floor32 is the largest float32 that is not above v: values in single precision are up to the one as they are up to the other.
func floor32(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}
