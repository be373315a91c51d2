package classical

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
)

// Permutation measures how much worse a fitted model scores when a feature's values are shuffled among the rows of x,
// which should be rows that it has not learned from (Breiman, 2001). mean and sd (n - 1) run over the repeats, both (F).
func Permutation(c Classifier, x Matrix, y []int, k, repeats int, score Score, seed uint64, threads int) (mean, sd []float64) {
	base := score(y, c.Predict(x), k)
	drop := make([]float64, x.F*repeats)
	parallel(threads, len(drop), func(_, i int) {
		j := i / repeats
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		z := Matrix{N: x.N, F: x.F, X: append([]float64{}, x.X...)}
		for r, from := range rng.Perm(x.N) {
			z.X[r*x.F+j] = x.X[from*x.F+j]
		}
		drop[i] = base - score(y, c.Predict(z), k)
	})
	mean, sd = make([]float64, x.F), make([]float64, x.F)
	for j := range mean {
		d := drop[j*repeats : (j+1)*repeats]
		for _, v := range d {
			mean[j] += v / float64(repeats)
		}
		for _, v := range d {
			sd[j] += (v - mean[j]) * (v - mean[j])
		}
		sd[j] = math.Sqrt(sd[j] / float64(max(1, repeats-1)))
	}
	return mean, sd
}

// Bin is a bar of a reliability diagram: answers whose probability lay in (Lo, Hi].
type Bin struct {
	Lo, Hi     float64
	N          int
	Confidence float64 // mean probability of the answers
	Accuracy   float64 // share of them that were right
}

// Reliability sorts the most probable answers of p (N, K) into bins of equal width by their probability.
func Reliability(p []float64, y []int, k, bins int) []Bin {
	out := make([]Bin, bins)
	for i, c := range argmaxRows(p, k) {
		v := p[i*k+c]
		b := &out[min(bins-1, max(0, int(math.Ceil(v*float64(bins)))-1))]
		b.N++
		b.Confidence += v
		if c == y[i] {
			b.Accuracy++
		}
	}
	for i := range out {
		b := &out[i]
		b.Lo, b.Hi = float64(i)/float64(bins), float64(i+1)/float64(bins)
		if b.N > 0 {
			b.Confidence /= float64(b.N)
			b.Accuracy /= float64(b.N)
		}
	}
	return out
}

// ECE is the expected calibration error (Naeini et al., 2015): the mean gap of confidence and accuracy, by rows.
func ECE(bins []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += float64(b.N) * math.Abs(b.Confidence-b.Accuracy)
		n += b.N
	}
	return sum / float64(max(1, n))
}

// LogLoss is the mean of -log p of the true class; probabilities are kept off 0 by 2^-52.
func LogLoss(p []float64, y []int, k int) float64 {
	sum := 0.0
	for i, c := range y {
		sum -= math.Log(min(max(p[i*k+c], epsilon), 1-epsilon))
	}
	return sum / float64(len(y))
}

// Brier is the mean squared distance of the probabilities from the truth, summed over the K classes.
func Brier(p []float64, y []int, k int) float64 {
	sum := 0.0
	for i, v := range p {
		if i%k == y[i/k] {
			v--
		}
		sum += v * v
	}
	return sum / float64(len(y))
}

// DOT writes the tree in Graphviz's language: tests with feature names, leaves with their class; every node its rows and
// impurity. Missing names are numbers.
func (t *Tree) DOT(w io.Writer, features, classes []string) error {
	name := func(names []string, kind string, i int) string {
		if i < len(names) {
			return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(names[i])
		}
		return fmt.Sprintf("%s %d", kind, i)
	}
	var b strings.Builder
	b.WriteString("digraph tree {\n\tnode [shape=box, style=rounded, fontname=\"Helvetica\"];\n\tedge [fontname=\"Helvetica\"];\n")
	for i, n := range t.Nodes {
		what := name(classes, "class", argmaxRows(t.Dist[i*t.K:(i+1)*t.K], t.K)[0])
		if n.Feature >= 0 {
			what = fmt.Sprintf("%s <= %.6g", name(features, "feature", int(n.Feature)), n.Threshold)
		}
		fmt.Fprintf(&b, "\tn%d [label=\"%s\\n%d rows, %s %.3f\"];\n", i, what, n.Rows, [...]string{"Gini", "entropy"}[t.Criterion], n.Impurity)
	}
	for i, n := range t.Nodes {
		if n.Feature >= 0 {
			fmt.Fprintf(&b, "\tn%d -> n%d [label=\"yes\"];\n\tn%d -> n%d [label=\"no\"];\n", i, n.Left, i, n.Right)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
