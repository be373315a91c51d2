package classical

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// grower holds what growing needs: one per worker, used for tree after tree.
type grower struct {
	narrowed
	outputs   int       // more than one: several answers at once, each with classes of its own
	first     []int     // (outputs+1) first class of each output
	k         int       // classes of all outputs
	class     []float64 // weight of each class, nil when all are 1
	rows      []uint32  // of a node in rising order
	spare     []uint32
	left      []float64
	total     []float64
	order     []int32 // features; those constant in the node's ancestors come first, the nearest ancestor's last
	constants []int32
	rng       *rand.Rand
	nodes     []Node
	dist      []float64

	// sorting
	keys    []uint32
	touched []uint64 // a bit for each word of bits

	// narrowing
	from   int // rows from which it pays
	levels []narrowed
	level  int
	number []uint32 // (N)

	counts  bool    // weights are whole numbers
	xlogx   []int64 // i log2 i in units of perUnit: sums of them are exact, so that equal splits tie
	perUnit float64

	// whole weights of one output
	whole  bool
	nl, nt []int64 // (K) counts on the left, in the node
}

// newGrower takes the classes of each row's outputs, (N, outputs), numbered through: output o has first[o] to first[o+1].
func newGrower(r *ranks, y []int, first []int, class []float64) *grower {
	k := first[len(first)-1]
	words := (r.n + 63) / 64
	g := &grower{from: narrowFrom, k: k, first: first, outputs: len(first) - 1, class: class, rows: make([]uint32, 0, r.n), spare: make([]uint32, r.n),
		left: make([]float64, k), total: make([]float64, k), order: make([]int32, r.f), constants: make([]int32, r.f), keys: make([]uint32, r.n+64), touched: make([]uint64, (words+63)/64), nl: make([]int64, k), nt: make([]int64, k)}
	g.narrowed = narrowed{r: r, y: make([]int32, len(y)), info: make([]uint32, r.n), bits: make([]uint64, words)}
	for i, c := range y {
		g.y[i] = int32(c)
	}
	return g
}

// split is a candidate: rows with a place up to at go left.
type split struct {
	feature int32
	at      uint32
	score   float64 // proxy of the improvement: larger is better
	cut     float64
}

// grow fits t to the rows with positive weight.
func (g *grower) grow(t *Tree, w []float64) {
	g.w, g.rng = w, rand.New(rand.NewPCG(t.Seed, 0x7472656573))
	g.rows, g.nodes, g.dist = g.rows[:0], g.nodes[:0], g.dist[:0]
	g.counts = g.class == nil
	sum := 0.0
	for i, v := range w {
		if v > 0 {
			g.rows = append(g.rows, uint32(i))
			g.counts = g.counts && v == math.Trunc(v) && v < 1<<16
			sum += v
		}
	}
	g.whole = g.counts && g.outputs == 1 && g.k < 1<<16
	if g.whole {
		for _, i := range g.rows {
			g.info[i] = uint32(g.y[i])<<16 | uint32(w[i])
		}
	}
	if g.counts && t.Criterion == Entropy && len(g.xlogx) <= int(sum) {
		g.table(int(sum))
	}
	if g.class != nil {
		g.w = make([]float64, len(w))
		for i, v := range w {
			g.w[i] = v * g.class[g.y[i]]
		}
	}
	for i := range g.order {
		g.order[i] = int32(i)
	}
	g.node(t, 0, len(g.rows), 0, 0)
	t.K, t.F, t.Nodes, t.Dist = g.k, g.r.f, slices.Clone(g.nodes), slices.Clone(g.dist)
}

// table fills xlogx for counts up to n, as fine as sums of it leave room for.
func (g *grower) table(n int) {
	scale := math.Exp2(float64(60 - bits.Len64(uint64(xlog2x(float64(n))))))
	g.xlogx, g.perUnit = make([]int64, n+1), 1/scale
	for i := range g.xlogx {
		g.xlogx[i] = int64(xlog2x(float64(i)) * scale)
	}
}

// sums takes the node's class weights and returns their sum and impurity.
func (g *grower) sums(c Criterion, rows []uint32) (sum, impurity float64) {
	clear(g.total)
	if !g.whole {
		for _, i := range rows {
			for _, c := range g.classes(i) {
				g.total[c] += g.w[i]
			}
			sum += g.w[i]
		}
		return sum, g.impurity(c, sum)
	}
	clear(g.nt)
	info, nt := g.info, g.nt
	for _, i := range rows {
		v := info[i]
		nt[v>>16] += int64(v & (1<<16 - 1))
	}
	n, x := int64(0), int64(0)
	for c, v := range nt {
		n += v
		g.total[c] = float64(v)
	}
	if c == Gini {
		return float64(n), g.impurity(c, float64(n))
	}
	for _, v := range nt {
		x += g.xlogx[v]
	}
	return float64(n), float64(g.xlogx[n]-x) * g.perUnit / float64(n)
}

// node grows the subtree of rows [lo, hi) and returns its number. The first constant features of order are known to be
// constant here.
func (g *grower) node(t *Tree, lo, hi, depth, constant int) int32 {
	id := int32(len(g.nodes))
	sum, impurity := g.sums(t.Criterion, g.rows[lo:hi])
	g.nodes = append(g.nodes, Node{Feature: -1, Left: -1, Right: -1, Rows: int32(hi - lo), Weight: sum, Impurity: impurity})
	for _, v := range g.total {
		g.dist = append(g.dist, v/sum)
	}
	if impurity <= epsilon || hi-lo < max(2, t.MinSplit) || hi-lo < 2*max(1, t.MinLeaf) || (t.MaxDepth > 0 && depth >= t.MaxDepth) {
		return id
	}
	if m := hi - lo; g.r.n > g.from && m < g.r.n/narrowBy {
		if g.number == nil {
			g.number = make([]uint32, g.r.n)
		}
		was := g.narrow(g.rows[lo:hi], constant)
		defer func() { g.narrowed, g.level = was, g.level-1 }()
	}
	best, constant := g.best(t, lo, hi, sum, constant)
	if best.feature < 0 {
		return id
	}
	mid := lo + g.partition(g.rows[lo:hi], best)
	g.nodes[id].Feature, g.nodes[id].Threshold = best.feature, best.cut
	// The features that are constant here stay in front for both children: a child moves only those behind them.
	l := g.node(t, lo, mid, depth+1, constant)
	r := g.node(t, mid, hi, depth+1, constant)
	g.nodes[id].Left, g.nodes[id].Right = l, r
	return id
}

// partition puts the rows of the left side first, both sides in rising order, and returns their number.
func (g *grower) partition(rows []uint32, s split) int {
	place, _, _ := g.r.column(int(s.feature))
	spare := g.spare[:len(rows)]
	l, r := 0, 0
	for _, i := range rows {
		rows[l], spare[r] = i, i // one of the two is overwritten: no branch to guess
		left := int((uint64(place[i]) - uint64(s.at) - 1) >> 63)
		l, r = l+left, r+1-left
	}
	copy(rows[l:], spare[:r])
	return l
}

// best draws features until MaxFeatures of them were tried, and goes on while none of them varied.
func (g *grower) best(t *Tree, lo, hi int, sum float64, constant int) (split, int) {
	tries := t.MaxFeatures.of(g.r.f, AllFeatures)
	best := split{feature: -1, score: math.Inf(-1)}
	known, visited, varied := constant, 0, 0
	// Drawing mixes the known constants; ancestors and their other children know only the first few of them.
	copy(g.constants, g.order[:known])
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
			if g.whole && s.score == g.pure(t.Criterion, sum) {
				break // both sides are pure: no other split is better
			}
		}
	}
	copy(g.order, g.constants[:known])
	return best, constant
}

// pure is the score of a split into two pure sides.
func (g *grower) pure(c Criterion, sum float64) float64 {
	if c == Gini {
		return sum
	}
	return 0
}

// try finds the best cut of one feature, and whether the feature varies at all.
func (g *grower) try(t *Tree, f int32, lo, hi int, sum float64) (split, bool) {
	rows := g.rows[lo:hi]
	place, order, vals := g.r.column(int(f))
	out := split{feature: f, score: math.Inf(-1)}
	if t.Random {
		keys := g.keys[:len(rows)]
		a, b := uint32(math.MaxUint32), uint32(0)
		for j, i := range rows {
			p := place[i]
			keys[j] = p
			a, b = min(a, p), max(b, p)
		}
		if keyFloat(b) <= keyFloat(a)+least {
			return out, false
		}
		g.random(t, rows, keys, a, b, sum, &out)
		return out, true
	}
	keys := g.sorted(rows, place)
	if vals[keys[len(keys)-1]] <= vals[keys[0]]+least {
		return out, false
	}
	switch {
	case !g.whole:
		s := g.newScan(t, vals, keys[0], len(rows), sum, out)
		for _, p := range keys {
			s.reach(p)
			s.moveRow(order[p])
		}
		out = s.out
	case t.Criterion == Gini:
		g.gini(keys, order, vals, max(1, t.MinLeaf), &out)
	default:
		g.entropy(keys, order, vals, max(1, t.MinLeaf), &out)
	}
	return out, true
}
