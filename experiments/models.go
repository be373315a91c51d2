package experiments

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"earshot/nets/kernel/cpu"
	"earshot/train"
	"earshot/train/classical"
)

// Grid is what an inner search chooses from: a setting's name and its values, parted by |. A setting with one value is
// fixed. Values may count in p, the number of features: 0.1/p.
type Grid map[string]string

// gridModel is a classical model of the studies with its grid.
type gridModel struct {
	title string
	model string // as newModel knows it
	grid  Grid
}

// models are the classical models of the studies, by the name in the column net (EC-30 to EC-35). A forest's number of trees is
// the study's.
var models = map[string]gridModel{
	"tree":       {"decision tree", "tree", Grid{"criterion": "gini|entropy"}},
	"forest":     {"random forest", "forest", Grid{"criterion": "gini|entropy", "max_features": "sqrt|log2"}},
	PlainForest:  {"forest, no search", "forest", nil},
	"svm_linear": {"SVM, linear", "svm", Grid{"kernel": "linear", "C": "0.1|0.5|1|5|10"}},
	"svm_rbf":    {"SVM, RBF", "svm", Grid{"kernel": "rbf", "C": "0.1|0.5|1|5|10", "gamma": "0.1/p|1/p|10/p|0.01|0.1|1"}},
	"mlp":        {"MLP", "mlp", Grid{"hidden_layer_sizes": "100|300|100:100", "activation": "logistic|relu"}},
	"knn":        {"k nearest neighbors", "knn", Grid{"n_neighbors": "1|3|5|7|9|11", "weights": "uniform|distance", "metric": "manhattan|euclidean"}},
}

// PlainForest is the random forest with the library's defaults and no inner search: what tables use that compare features
// and not models.
const PlainForest = "forest_plain"

// modelNames are the names of the models that stand in the study's tables, in their order there.
var modelNames = []string{"tree", "forest", "svm_linear", "svm_rbf", "mlp", "knn"}

// shuffles of a feature for its permutation importance in one trial; tables show the mean over trials.
const shuffles = 3

// innerFolds of the search for a grid point (EC-40).
const innerFolds = 3

// newModel makes a classical model, or the multilayer perceptron in its classical recipe, from settings under
// scikit-learn's names. Every cell's model comes from here. kernels names the tier that a perceptron computes with.
func newModel(name string, settings map[string]string, kernels string, seed uint64, threads int) (classical.Classifier, error) {
	set := map[string]string{"random_state": strconv.FormatUint(seed, 10), "n_jobs": strconv.Itoa(threads)}
	maps.Copy(set, settings)
	c, err := train.NewClassifier(name, set)
	if m, ok := c.(*train.MLP); ok && err == nil {
		m.Backend, err = cpu.Open(kernels, threads)
	}
	return c, err
}

// points are the grid's combinations for p features, and for each the first one that is the same once values are resolved:
// sqrt(22) and log2(22) are both 4 features, and equal settings give equal bits.
func (g Grid) points(base classical.Point, p int) (points []classical.Point, same []int) {
	axes := map[string][]string{}
	for name, values := range g {
		axes[name] = strings.Split(values, "|")
	}
	points = classical.Grid(base, axes)
	same = make([]int, len(points))
	var keys []string
	for i := range points {
		resolved := map[string]string{}
		for name, v := range points[i].Settings {
			resolved[name] = resolve(name, v, p)
		}
		key := fmt.Sprint(resolved) // maps print sorted
		same[i] = slices.Index(append(keys, key), key)
		keys = append(keys, key)
	}
	return points, same
}

// resolve turns a value that depends on p, the number of features, into a number.
func resolve(name, v string, p int) string {
	if a, ok := strings.CutSuffix(v, "/p"); ok {
		if f, err := strconv.ParseFloat(a, 64); err == nil {
			return strconv.FormatFloat(f/float64(p), 'g', -1, 64)
		}
	}
	if name == "max_features" {
		switch v {
		case "sqrt":
			return strconv.Itoa(classical.SqrtFeatures.Of(p))
		case "log2":
			return strconv.Itoa(classical.Log2Features.Of(p))
		}
	}
	return v
}

// combinations is the number of points of a grid.
func (g Grid) combinations() int {
	n := 1
	for _, values := range g {
		n *= strings.Count(values, "|") + 1
	}
	return n
}
