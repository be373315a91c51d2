package classical

// Criterion is the impurity that a split reduces.
type Criterion uint8

const (
	Gini    Criterion = iota // 1 - sum p²
	Entropy                  // - sum p log2 p
)

// Tree is a CART classification tree (Breiman et al., 1984), grown and read as scikit-learn's DecisionTreeClassifier:
// binary splits x <= threshold half way between neighboring values, best first by the criterion, every split kept whose
// two sides have MinLeaf rows. The zero value is scikit-learn's default: Gini, grown until the leaves are pure.
type Tree struct {
	Criterion   Criterion
	MaxDepth    int          // 0: no limit
	MinSplit    int          // rows that a node needs to be split; 0: 2
	MinLeaf     int          // rows that each side keeps; 0: 1
	MaxFeatures FeatureCount // tried at a node, drawn anew each time; 0: all
	Random      bool         // one random threshold a feature instead of the best one (extra trees; Geurts et al., 2006)
	ClassWeight ClassWeight
	Seed        uint64

	K, F  int
	Nodes []Node // Nodes[0] is the root
	Dist  []float64

	fold *shared
}

func (t *Tree) on(s *shared) { t.fold = s }

// Node is a split, or a leaf when Feature is -1. Its class shares are Dist[i*K : (i+1)*K] of node i.
type Node struct {
	Feature     int32
	Left, Right int32
	Rows        int32 // training rows that reached the node
	Threshold   float64
	Weight      float64 // of those rows
	Impurity    float64
}

// epsilon is the impurity under which a node counts as pure, and least the difference of two values that can be split.
const (
	epsilon = 2.220446049250313e-16
	least   = 1e-7
)

// Fit grows the tree.
func (t *Tree) Fit(x Matrix, y []int, k int) error {
	if err := check("tree", x, y, k); err != nil {
		return err
	}
	class, err := t.ClassWeight.of("tree", y, k)
	if err != nil {
		return err
	}
	newGrower(sharedRanks(t.fold, x, t.Random, 1), y, []int{0, k}, class).grow(t, rowWeights(nil, y))
	return nil
}

// Proba returns the class shares of each row's leaf, (N, K).
func (t *Tree) Proba(x Matrix) []float64 {
	p := make([]float64, 0, x.N*t.K)
	const block = 4096
	var w walker
	for lo := 0; lo < x.N; lo += block {
		w.load(x, lo, min(x.N, lo+block))
		for _, l := range w.walk(t) {
			p = append(p, t.Dist[int(l)*t.K:(int(l)+1)*t.K]...)
		}
	}
	return p
}

// Predict returns the most frequent class of each row's leaf.
func (t *Tree) Predict(x Matrix) []int { return argmaxRows(t.Proba(x), t.K) }

// Importances returns each feature's share of the impurity that the tree removed (mean decrease in impurity), (F). They
// sum to 1 unless the tree is a single leaf.
func (t *Tree) Importances() []float64 {
	imp := make([]float64, t.F)
	var sum float64
	for _, n := range t.Nodes {
		if n.Feature < 0 {
			continue
		}
		l, r := &t.Nodes[n.Left], &t.Nodes[n.Right]
		d := n.Weight*n.Impurity - l.Weight*l.Impurity - r.Weight*r.Impurity
		imp[n.Feature] += d
		sum += d
	}
	if sum > 0 {
		for i := range imp {
			imp[i] /= sum
		}
	}
	return imp
}

// Depth is the number of splits on the longest way from the root to a leaf.
func (t *Tree) Depth() int {
	depth, most := make([]int, len(t.Nodes)), 0
	for i, n := range t.Nodes { // parents stand before their children
		most = max(most, depth[i])
		if n.Feature >= 0 {
			depth[n.Left], depth[n.Right] = depth[i]+1, depth[i]+1
		}
	}
	return most
}
