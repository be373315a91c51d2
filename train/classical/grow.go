package classical

import (
	"math"
	"math/rand/v2"
)

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
