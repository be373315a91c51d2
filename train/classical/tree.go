package classical

import (
	"math"
	"math/rand/v2"
	"slices"
)

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
}

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
	newGrower(newRanks(x, 1), y, []int{0, k}, class).grow(t, rowWeights(nil, y))
	return nil
}

// grower holds what growing needs: one per worker, used for tree after tree.
type grower struct {
	r       *ranks
	y       []int32   // (N, outputs)
	outputs int       // more than one: several answers at once, each with classes of its own
	first   []int     // (outputs+1) first class of each output
	k       int       // classes of all outputs
	class   []float64 // weight of each class, nil when all are 1
	w       []float64
	rows    []int32
	keys    []uint64
	hist    []float64 // (distinct values, K)
	count   []int32   // rows at each distinct value
	weight  []float64 // of those rows, when there are several outputs
	left    []float64
	total   []float64
	order   []int32 // features; those constant in the node's ancestors come first
	rng     *rand.Rand
	integer bool      // weights are whole numbers: entropy reads a table
	xlogx   []float64 // i log2 i
}

// newGrower takes the classes of each row's outputs, (N, outputs), numbered through: output o has first[o] to first[o+1].
func newGrower(r *ranks, y []int, first []int, class []float64) *grower {
	k := first[len(first)-1]
	g := &grower{r: r, k: k, first: first, outputs: len(first) - 1, class: class, y: make([]int32, len(y)), rows: make([]int32, 0, r.n), keys: make([]uint64, r.n),
		hist: make([]float64, r.most*k), count: make([]int32, r.most), weight: make([]float64, r.most), left: make([]float64, k), total: make([]float64, k),
		order: make([]int32, r.f)}
	for i, c := range y {
		g.y[i] = int32(c)
	}
	return g
}

// split is a candidate: rows with a rank up to at go left.
type split struct {
	feature int32
	rank    uint32
	score   float64 // proxy of the improvement: larger is better
	cut     float64
}

// grow fits t to the rows with positive weight.
func (g *grower) grow(t *Tree, w []float64) {
	t.K, t.F, t.Nodes, t.Dist = g.k, g.r.f, t.Nodes[:0], t.Dist[:0]
	g.w, g.rng = w, rand.New(rand.NewPCG(t.Seed, 0x7472656573))
	g.rows, g.integer = g.rows[:0], g.class == nil
	for i, v := range w {
		if v > 0 {
			g.rows = append(g.rows, int32(i))
			g.integer = g.integer && v == math.Trunc(v)
		}
	}
	if g.class != nil {
		g.w = make([]float64, len(w))
		for i, v := range w {
			g.w[i] = v * g.class[g.y[i]]
		}
	}
	if g.integer && t.Criterion == Entropy {
		var sum float64
		for _, v := range g.w {
			sum += v
		}
		for i := len(g.xlogx); i <= int(sum); i++ {
			g.xlogx = append(g.xlogx, xlog2x(float64(i)))
		}
	}
	for i := range g.order {
		g.order[i] = int32(i)
	}
	g.node(t, 0, len(g.rows), 0, 0)
}

// node grows the subtree of rows [lo, hi) and returns its number. The first constant features of order are known to be
// constant here.
func (g *grower) node(t *Tree, lo, hi, depth, constant int) int32 {
	id := int32(len(t.Nodes))
	clear(g.total)
	var sum float64
	for _, i := range g.rows[lo:hi] {
		for _, c := range g.classes(i) {
			g.total[c] += g.w[i]
		}
		sum += g.w[i]
	}
	t.Nodes = append(t.Nodes, Node{Feature: -1, Left: -1, Right: -1, Rows: int32(hi - lo), Weight: sum, Impurity: g.impurity(t.Criterion, sum)})
	for _, v := range g.total {
		t.Dist = append(t.Dist, v/sum)
	}
	if t.Nodes[id].Impurity <= epsilon || hi-lo < max(2, t.MinSplit) || hi-lo < 2*max(1, t.MinLeaf) || (t.MaxDepth > 0 && depth >= t.MaxDepth) {
		return id
	}
	best, constant := g.best(t, lo, hi, sum, constant)
	if best.feature < 0 {
		return id
	}
	// partition: unstable, from both ends
	code := g.r.code[int(best.feature)*g.r.n:]
	i, j := lo, hi
	for i < j {
		if code[g.rows[i]] <= best.rank {
			i++
		} else {
			j--
			g.rows[i], g.rows[j] = g.rows[j], g.rows[i]
		}
	}
	t.Nodes[id].Feature, t.Nodes[id].Threshold = best.feature, best.cut
	// The features that are constant here stay in front for both children: a child moves only those behind them.
	l := g.node(t, lo, i, depth+1, constant)
	r := g.node(t, i, hi, depth+1, constant)
	t.Nodes[id].Left, t.Nodes[id].Right = l, r
	return id
}

// best draws features until MaxFeatures of them were tried, and goes on while none of them varied.
func (g *grower) best(t *Tree, lo, hi int, sum float64, constant int) (split, int) {
	tries := t.MaxFeatures.of(g.r.f, AllFeatures)
	best := split{feature: -1, score: math.Inf(-1)}
	known, visited, varied := constant, 0, 0
	// Known constants are drawn too, and count, as in scikit-learn: they thin out the useful features of deep nodes.
	end := g.r.f
	drawn := 0
	for end > constant && (visited < tries || varied == 0) {
		visited++
		p := drawn + g.rng.IntN(end-(constant-known)-drawn)
		if p < known { // a constant of an ancestor
			g.order[p], g.order[drawn] = g.order[drawn], g.order[p]
			drawn++
			continue
		}
		p += constant - known // skip constants found at this node
		f := g.order[p]
		s, vary := g.try(t, f, lo, hi, sum)
		if !vary {
			g.order[p], g.order[constant] = g.order[constant], g.order[p]
			constant++
			continue
		}
		varied++
		end--
		g.order[p], g.order[end] = g.order[end], g.order[p]
		if s.score > best.score {
			best = s
		}
	}
	return best, constant
}

// try finds the best cut of one feature, and whether the feature varies at all.
func (g *grower) try(t *Tree, f int32, lo, hi int, sum float64) (split, bool) {
	rows, code, vals := g.rows[lo:hi], g.r.code[int(f)*g.r.n:(int(f)+1)*g.r.n], g.r.values[f]
	a, b := code[rows[0]], code[rows[0]]
	for _, i := range rows {
		c := code[i]
		a, b = min(a, c), max(b, c)
	}
	if vals[b] <= vals[a]+least {
		return split{}, false
	}
	s := scan{g: g, t: t, sum: sum, n: len(rows), out: split{feature: f, score: math.Inf(-1)}, vals: vals, last: a}
	clear(g.left)
	s.start()
	if t.Random {
		s.random(rows, code, a, b)
		return s.out, true
	}
	if span := int(b-a) + 1; span <= 4*len(rows) {
		// Many rows for the values between: count classes at each value, no sorting.
		hist, count := g.hist[:span*g.k], g.count[:span]
		clear(hist)
		clear(count)
		if g.outputs == 1 {
			for _, i := range rows {
				c := int(code[i] - a)
				hist[c*g.k+int(g.y[i])] += g.w[i]
				count[c]++
			}
		} else {
			clear(g.weight[:span])
			for _, i := range rows {
				c := int(code[i] - a)
				for _, y := range g.classes(i) {
					hist[c*g.k+int(y)] += g.w[i]
				}
				g.weight[c] += g.w[i]
				count[c]++
			}
		}
		for c, m := range count {
			if m == 0 {
				continue
			}
			s.reach(a + uint32(c))
			sum := 0.0
			for k, w := range hist[c*g.k : (c+1)*g.k] {
				if w != 0 {
					s.move(int32(k), w)
					sum += w
				}
			}
			if g.outputs > 1 {
				sum = g.weight[c]
			}
			s.wl += sum
			s.rows += int(m)
		}
		return s.out, true
	}
	keys := g.keys[:len(rows)]
	for j, i := range rows {
		keys[j] = uint64(code[i])<<32 | uint64(i)
	}
	sortKeys(keys)
	for _, key := range keys {
		i := uint32(key)
		s.reach(uint32(key >> 32))
		s.moveRow(i, g.w[i])
	}
	return s.out, true
}

// scan walks a feature's values upward and keeps the best cut.
type scan struct {
	g      *grower
	t      *Tree
	vals   []float32
	out    split
	last   uint32  // rank of the rows on the left so far
	n      int     // rows of the node
	rows   int     // of them on the left
	sum    float64 // weight of the node
	wl     float64 // of it on the left
	sl, sr float64 // Gini: sums of squared class weights; entropy: sums of c log2 c
}

func (s *scan) start() {
	for _, v := range s.g.total {
		if s.t.Criterion == Gini {
			s.sr += v * v
		} else {
			s.sr += s.xlogx(v)
		}
	}
}

func (s *scan) xlogx(v float64) float64 {
	if s.g.integer {
		return s.g.xlogx[int(v)]
	}
	return xlog2x(v)
}

// move takes weight w of class k from the right to the left.
func (s *scan) move(k int32, w float64) {
	l, r := s.g.left[k], s.g.total[k]-s.g.left[k]
	if s.t.Criterion == Gini {
		s.sl += w * (2*l + w)
		s.sr += w * (w - 2*r)
	} else {
		s.sl += s.xlogx(l+w) - s.xlogx(l)
		s.sr += s.xlogx(max(r-w, 0)) - s.xlogx(r)
	}
	s.g.left[k] = l + w
}

// moveRow takes row i with weight w to the left.
func (s *scan) moveRow(i uint32, w float64) {
	if s.g.outputs == 1 {
		s.move(s.g.y[i], w)
	} else {
		for _, c := range s.g.classes(int32(i)) {
			s.move(c, w)
		}
	}
	s.wl += w
	s.rows++
}

// classes are row i's, one for each output.
func (g *grower) classes(i int32) []int32 {
	return g.y[int(i)*g.outputs : (int(i)+1)*g.outputs]
}

// reach says that the next rows have rank c: between them and the left lies a cut to judge.
func (s *scan) reach(c uint32) {
	if c == s.last || s.rows == 0 {
		s.last = c
		return
	}
	from := s.last
	s.last = c
	if s.vals[c] <= s.vals[from]+least {
		return // too near to be told apart
	}
	if ml := max(1, s.t.MinLeaf); s.rows < ml || s.n-s.rows < ml {
		return
	}
	if v := s.score(); v > s.out.score {
		s.out.score, s.out.rank = v, from
		s.out.cut = float64(s.vals[from])/2 + float64(s.vals[c])/2
		if s.out.cut == float64(s.vals[c]) || math.IsInf(s.out.cut, 0) {
			s.out.cut = float64(s.vals[from])
		}
	}
}

// score is larger for purer sides: what of the weighted impurity depends on the cut.
func (s *scan) score() float64 {
	wr := s.sum - s.wl
	if s.t.Criterion == Gini {
		return s.sl/s.wl + s.sr/wr
	}
	n := float64(s.g.outputs)
	if s.g.integer {
		return s.sl - n*s.g.xlogx[int(s.wl)] + s.sr - n*s.g.xlogx[int(wr)]
	}
	return s.sl - n*xlog2x(s.wl) + s.sr - n*xlog2x(wr)
}

// random judges one threshold drawn uniformly between the feature's extremes.
func (s *scan) random(rows []int32, code []uint32, a, b uint32) {
	lo, hi := float64(s.vals[a]), float64(s.vals[b])
	cut := lo + (hi-lo)*s.g.rng.Float64()
	if cut == hi {
		cut = lo
	}
	at := uint32(0)
	for _, i := range rows {
		if c := code[i]; float64(s.vals[c]) <= cut {
			s.moveRow(uint32(i), s.g.w[i])
			at = max(at, c)
		}
	}
	if ml := max(1, s.t.MinLeaf); s.rows < ml || s.n-s.rows < ml {
		return
	}
	s.out.score, s.out.rank, s.out.cut = s.score(), at, cut
}

// sortKeys sorts small nodes by insertion.
func sortKeys(k []uint64) {
	if len(k) > 24 {
		slices.Sort(k)
		return
	}
	for i := 1; i < len(k); i++ {
		v, j := k[i], i
		for ; j > 0 && k[j-1] > v; j-- {
			k[j] = k[j-1]
		}
		k[j] = v
	}
}

func xlog2x(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return v * math.Log2(v)
}

// impurity of the node in total: the mean over the outputs.
func (g *grower) impurity(c Criterion, sum float64) float64 {
	v := 0.0
	for o := range g.outputs {
		v += impurity(c, g.total[g.first[o]:g.first[o+1]], sum)
	}
	return v / float64(g.outputs)
}

func impurity(c Criterion, class []float64, sum float64) float64 {
	if c == Gini {
		sq := 0.0
		for _, v := range class {
			sq += v * v
		}
		return 1 - sq/(sum*sum)
	}
	h := 0.0
	for _, v := range class {
		if v > 0 {
			h -= v / sum * math.Log2(v/sum)
		}
	}
	return h
}

// leaf returns the number of the leaf that a row falls into.
func (t *Tree) leaf(row []float64) int32 {
	i := int32(0)
	for t.Nodes[i].Feature >= 0 {
		n := &t.Nodes[i]
		if float64(float32(row[n.Feature])) <= n.Threshold {
			i = n.Left
		} else {
			i = n.Right
		}
	}
	return i
}

// Proba returns the class shares of each row's leaf, (N, K).
func (t *Tree) Proba(x Matrix) []float64 {
	p := make([]float64, 0, x.N*t.K)
	for i := range x.N {
		l := int(t.leaf(x.Row(i)))
		p = append(p, t.Dist[l*t.K:(l+1)*t.K]...)
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
