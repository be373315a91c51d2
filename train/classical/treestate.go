package classical

func (t *Tree) settings(s *settings) {
	choice(s, "criterion", &t.Criterion, "gini", "entropy")
	s.integer("max_depth", &t.MaxDepth, 1)
	s.integer("min_samples_split", &t.MinSplit, 2)
	s.integer("min_samples_leaf", &t.MinLeaf, 1)
	s.features("max_features", &t.MaxFeatures)
	splitter := uint8(0)
	if t.Random {
		splitter = 1
	}
	choice(s, "splitter", &splitter, "best", "random")
	t.Random = splitter == 1
	s.classWeight(&t.ClassWeight)
	s.seed(&t.Seed)
}

func (f *Forest) settings(s *settings) {
	s.integer("n_estimators", &f.Trees, 1)
	choice(s, "criterion", &f.Criterion, "gini", "entropy")
	s.integer("max_depth", &f.MaxDepth, 1)
	s.integer("min_samples_split", &f.MinSplit, 2)
	s.integer("min_samples_leaf", &f.MinLeaf, 1)
	s.features("max_features", &f.MaxFeatures)
	boot := f.bootstrap()
	s.boolean("bootstrap", &boot)
	f.Bootstrap = &boot
	s.classWeight(&f.ClassWeight)
	s.seed(&f.Seed)
	s.threads(&f.Threads)
}

// treeNodes is a run of trees in arrays: one value a node, trees one after the other.
type treeNodes struct {
	sizes                      []int // nodes of each tree
	feature, left, right, rows []int32
	threshold, weight, impure  []float64
	dist                       []float64
}

// treeState saves or loads trees that share K and F. Children are checked to lie behind their parent, so that no file
// can make a walk down a tree endless.
func treeState(s *state, trees *[]Tree, k, f int) {
	var a treeNodes
	if !s.loading() {
		for i := range *trees {
			t := &(*trees)[i]
			a.sizes = append(a.sizes, len(t.Nodes))
			a.dist = append(a.dist, t.Dist...)
			for _, n := range t.Nodes {
				a.feature, a.left, a.right, a.rows = append(a.feature, n.Feature), append(a.left, n.Left), append(a.right, n.Right), append(a.rows, n.Rows)
				a.threshold, a.weight, a.impure = append(a.threshold, n.Threshold), append(a.weight, n.Weight), append(a.impure, n.Impurity)
			}
		}
	}
	whole(s, "nodes", &a.sizes, -1, 1, 1<<31)
	total := 0
	for _, n := range a.sizes {
		total += n
	}
	whole(s, "feature", &a.feature, total, -1, int64(f))
	whole(s, "left", &a.left, total, -1, int64(total))
	whole(s, "right", &a.right, total, -1, int64(total))
	whole(s, "rows", &a.rows, total, 0, 1<<31)
	s.floats("threshold", &a.threshold, 0, total)
	s.floats("weight", &a.weight, 0, total)
	s.floats("impurity", &a.impure, 0, total)
	s.floats("share", &a.dist, total, total*k)
	if !s.loading() || s.err != nil {
		return
	}
	*trees = make([]Tree, len(a.sizes))
	at := 0
	for i, n := range a.sizes {
		t := Tree{K: k, F: f, Nodes: make([]Node, n), Dist: a.dist[at*k : (at+n)*k]}
		for j := range t.Nodes {
			p := at + j
			t.Nodes[j] = Node{Feature: a.feature[p], Left: a.left[p], Right: a.right[p], Rows: a.rows[p], Threshold: a.threshold[p], Weight: a.weight[p], Impurity: a.impure[p]}
			if v := &t.Nodes[j]; v.Feature >= 0 && (int(v.Left) <= j || int(v.Left) >= n || int(v.Right) <= j || int(v.Right) >= n) {
				s.fail("tree %d, node %d: children %d and %d of %d nodes", i, j, v.Left, v.Right, n)
				return
			}
		}
		(*trees)[i] = t
		at += n
	}
}

func (t *Tree) state(s *state) {
	s.ints("shape", &t.K, &t.F)
	one := []Tree{*t}
	treeState(s, &one, t.K, t.F)
	if s.loading() && s.err == nil {
		if len(one) != 1 {
			s.fail("%d trees instead of one", len(one))
			return
		}
		t.Nodes, t.Dist = one[0].Nodes, one[0].Dist
	}
}

func (f *Forest) state(s *state) {
	s.ints("shape", &f.K, &f.F)
	treeState(s, &f.Forest, f.K, f.F)
}
