package classical

import (
	"fmt"
	"math/rand/v2"
)

// Forest is a random forest (Breiman, 2001) or, with Extra, extremely randomized trees (Geurts et al., 2006): trees on
// bootstrap samples that try sqrt(F) features at a node, their probabilities averaged. The zero value is scikit-learn's
// RandomForestClassifier with its defaults; Extra draws thresholds and, unless Bootstrap, keeps every row.
type Forest struct {
	Trees       int // 0: 100
	Criterion   Criterion
	MaxDepth    int
	MinSplit    int
	MinLeaf     int
	MaxFeatures FeatureCount // 0: the square root
	Extra       bool
	Bootstrap   *bool // nil: true for a forest, false for extra trees
	ClassWeight ClassWeight
	Seed        uint64
	Threads     int // 0: all processors

	K, F   int
	Forest []Tree

	fold *shared
}

func (f *Forest) on(s *shared) { f.fold = s }

// Fit grows the trees, each from a seed of its own, so that their number of threads changes nothing.
func (f *Forest) Fit(x Matrix, y []int, k int) error {
	if err := check("forest", x, y, k); err != nil {
		return err
	}
	class, err := f.ClassWeight.of("forest", y, k)
	if err != nil {
		return err
	}
	if f.Trees < 0 {
		return fmt.Errorf("forest: %d trees", f.Trees)
	}
	f.grow(x, y, []int{0, k}, class)
	return nil
}

// grow grows the trees for the classes y (N, outputs), first as in newGrower.
func (f *Forest) grow(x Matrix, y, first []int, class []float64) {
	f.K, f.F = first[len(first)-1], x.F
	trees := f.Trees
	if trees == 0 {
		trees = 100
	}
	tries, boot := FeatureCount(f.MaxFeatures.of(x.F, SqrtFeatures)), f.bootstrap()
	r := sharedRanks(f.fold, x, f.Extra, f.Threads)
	f.Forest = make([]Tree, trees)
	type worker struct {
		g *grower
		w []float64
	}
	ws := make([]worker, workers(f.Threads, trees))
	parallel(f.Threads, trees, func(wk, i int) {
		w := &ws[wk]
		if w.g == nil {
			*w = worker{newGrower(r, y, first, class), make([]float64, x.N)}
		}
		// SplitMix's increment keeps neighboring trees' streams apart.
		seed := f.Seed + uint64(i+1)*0x9e3779b97f4a7c15
		if boot {
			clear(w.w)
			rng := rand.New(rand.NewPCG(seed, 0x626f6f74))
			for range x.N {
				w.w[rng.IntN(x.N)]++
			}
		} else {
			for j := range w.w {
				w.w[j] = 1
			}
		}
		t := &f.Forest[i]
		*t = Tree{Criterion: f.Criterion, MaxDepth: f.MaxDepth, MinSplit: f.MinSplit, MinLeaf: f.MinLeaf, MaxFeatures: tries,
			Random: f.Extra, Seed: seed}
		w.g.grow(t, w.w)
	})
}

func (f *Forest) bootstrap() bool {
	if f.Bootstrap != nil {
		return *f.Bootstrap
	}
	return !f.Extra
}

// Proba returns the mean of the trees' probabilities, (N, K).
func (f *Forest) Proba(x Matrix) []float64 {
	p := make([]float64, x.N*f.K)
	// As many rows at a time as the threads leave, since every tree is got ready for them anew.
	block := min(max(256, (x.N+workers(f.Threads, x.N)-1)/workers(f.Threads, x.N)), 1<<14)
	blocks := (x.N + block - 1) / block
	ws := make([]walker, workers(f.Threads, blocks))
	parallel(f.Threads, blocks, func(k, b int) {
		w := &ws[k]
		lo, hi := b*block, min(x.N, (b+1)*block)
		w.load(x, lo, hi)
		for t := range f.Forest {
			tree := &f.Forest[t]
			for i, l := range w.walk(tree) {
				out := p[(lo+i)*f.K : (lo+i+1)*f.K]
				for c, v := range tree.Dist[int(l)*f.K:][:len(out)] {
					out[c] += v
				}
			}
		}
	})
	for i := range p {
		p[i] /= float64(len(f.Forest))
	}
	return p
}

// Predict returns the most probable class of each row.
func (f *Forest) Predict(x Matrix) []int { return argmaxRows(f.Proba(x), f.K) }

// Importances returns the mean of the trees' importances, (F), summing to 1.
func (f *Forest) Importances() []float64 {
	imp := make([]float64, f.F)
	n := 0.0
	for i := range f.Forest {
		if len(f.Forest[i].Nodes) < 2 {
			continue // a tree that is one leaf has none
		}
		n++
		for j, v := range f.Forest[i].Importances() {
			imp[j] += v
		}
	}
	if n > 0 {
		for j := range imp {
			imp[j] /= n
		}
	}
	return imp
}
