package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"earshot/data/dataset/npz"
	"earshot/train"
	"earshot/train/classical"
	"earshot/train/metrics"

	"github.com/spf13/cobra"
)

type classifyFlags struct {
	model, train, test, label, out, save string
	set                                  []string
	scale, force                         bool
}

func newClassifyCommand(a *app) *cobra.Command {
	var f classifyFlags
	cmd := &cobra.Command{
		Use:   "classify --model NAME --train A.npz --test B.npz --out P.npz",
		Short: "Fit a classical model on one table and answer for another",
		Long: `Fit a classical model on the table of --train and write its answers for the rows of --test.

Tables are .npz files with X (N,F) and y (N), or with --label AXIS the label_AXIS that features writes; classes of the test
table may be missing. Of label_AXIS rows without a value, captures that have no such label, are neither learned nor counted. The
share of right answers stands beside its exact 95 % interval and the share of the test's most frequent class. The result holds pred (N), and where the model has them proba (N,K), decision (N; one column for each
class or, for svm, pair of classes beyond two classes), importances (F) and classes (K). Models:
` + strings.Join(train.ClassifierNames(), ", ") + `.

Settings have scikit-learn's names and notation; lists within a value are joined by colons:

	--set n_estimators=400,criterion=entropy,max_features=log2
	--set kernel=linear,C=0.5,class_weight=balanced
	--set hidden_layer_sizes=100:50,activation=tanh,alpha=0.001
	--set alphas=0.1:1:10

--seed is random_state and --threads is n_jobs, unless they are set. For minirocket and multirocket a row is a series of at
least 9 and 10 steps, and X is (N,C,T), or (N,T) for one channel.`,
		Example: `  earshot features cumulative monday --out monday.npz
  earshot features cumulative tuesday --out tuesday.npz
  earshot classify --model forest --set n_estimators=400 --train monday.npz --test tuesday.npz --label song --out answers.npz`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.classify(f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "", "name of the model")
	fl.StringSliceVar(&f.set, "set", nil, "settings, NAME=VALUE,…")
	fl.StringVar(&f.train, "train", "", "table to fit on (.npz with X and y)")
	fl.StringVar(&f.test, "test", "", "table to answer for (.npz with X)")
	fl.StringVar(&f.label, "label", "", "axis whose array label_AXIS holds the classes (default: array y)")
	fl.StringVar(&f.out, "out", "", "answers (.npz)")
	fl.StringVar(&f.save, "save", "", "also write the fitted model into this folder")
	fl.BoolVar(&f.scale, "standardize", false, "standardize features by the training table first")
	fl.BoolVar(&f.force, "force", false, "replace --out and --save when they exist")
	for _, name := range []string{"model", "train", "test", "out"} {
		cmd.MarkFlagRequired(name)
	}
	return cmd
}

// answer is the JSON of classify.
type answer struct {
	Model    string            `json:"model"`
	Settings map[string]string `json:"settings"`
	Train    int               `json:"n_train"`
	Test     int               `json:"n_test"`
	Features int               `json:"features"`
	Correct  *int              `json:"correct,omitempty"` // with y in the test table
	Accuracy *float64          `json:"accuracy,omitempty"`
	CILow    *float64          `json:"ci_low,omitempty"` // exact, 95 %
	CIHigh   *float64          `json:"ci_high,omitempty"`
	Labelled *int              `json:"labelled,omitempty"` // rows of the test table that have a class
	Majority *float64          `json:"majority,omitempty"` // share of the most frequent class among them
	Known    int               `json:"in_training"`        // rows of the test table that the training table has, too
	Fit      float64           `json:"fit_s"`
	Predict  float64           `json:"predict_s"`
}

func (a *app) classify(f classifyFlags) error {
	set := map[string]string{"random_state": strconv.FormatUint(a.seed, 10), "n_jobs": strconv.Itoa(a.threads)}
	for _, kv := range f.set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return usagef("--set: %q is not NAME=VALUE", kv)
		}
		set[k] = v
	}
	model, err := train.NewClassifier(f.model, set)
	if err != nil {
		return usagef("--model: %w", err)
	}
	if m, ok := model.(*train.MLP); ok {
		threads := m.Threads
		if threads == 0 {
			threads = a.workers()
		}
		if m.Backend, err = a.backendOn(threads); err != nil {
			return err
		}
	}
	if err := checkOut(f.out, f.force); err != nil {
		return err
	}
	if f.save != "" {
		if err := refuseExisting(f.save, f.force); err != nil {
			return err
		}
	}
	classesIn := "y"
	if f.label != "" {
		classesIn = "label_" + f.label
	}
	learn, err := readTable(f.train, classesIn)
	if err == nil && learn.y == nil {
		err = fmt.Errorf("%s: %s: no such array; the training table needs classes, in y or with --label AXIS in label_AXIS", f.train, classesIn)
	}
	if err != nil {
		return err
	}
	test, err := readTable(f.test, classesIn)
	if err != nil {
		return err
	}
	if test.x.F != learn.x.F {
		return fmt.Errorf("%s: X: %d features, %s has %d; both tables need the same columns", f.test, test.x.F, f.train, learn.x.F)
	}
	if learn.names != nil && test.names != nil && !slices.Equal(learn.names, test.names) {
		return fmt.Errorf("%s: X: its columns are not those of %s; both tables need the same columns", f.test, f.train)
	}
	if !slices.Equal(learn.edges, test.edges) {
		return fmt.Errorf("%s: edges: its histograms have other bins than those of %s; compute both tables from one data set (data merge), or take features that learn nothing from the data", f.test, f.train)
	}
	known := shared(learn.x, test.x)
	if known > 0 {
		a.logLine(fmt.Sprintf("classify: %d of %d rows of %s equal rows of %s; if these are the same captures, right answers to them show nothing", known, test.x.N, f.test, f.train))
	}
	if f.label != "" {
		if n := learn.labelled(); n > 0 {
			a.logLine(fmt.Sprintf("classify: %d rows of %s have no %s and are left out", n, f.train, f.label))
		}
	}
	classes, y := numbers(learn.y)
	c := model
	if f.scale {
		c = &classical.Pipeline{Model: model}
	}
	if err := takeSeries(model, f, learn.channels, test.channels); err != nil {
		return err
	}
	start := time.Now()
	if err := c.Fit(learn.x, y, len(classes)); err != nil {
		return fmt.Errorf("%s: %w", f.train, err)
	}
	fit := time.Since(start)
	start = time.Now()
	pred := c.Predict(test.x)
	took := time.Since(start)
	if err := npz.Write(f.out, answers(c, model, test.x, pred, classes, learn.integer)...); err != nil {
		return err
	}
	if f.save != "" {
		if err := train.SaveClassifier(f.save, classical.Info{Classes: classes, Features: learn.names, Rows: learn.x.N, Version: buildVersion().Version}, c); err != nil {
			return err
		}
	}
	r := answer{Model: f.model, Train: learn.x.N, Test: test.x.N, Features: learn.x.F, Known: known, Fit: fit.Seconds(), Predict: took.Seconds()}
	_, r.Settings, _ = train.ClassifierSettings(model)
	if _, clusters := model.(*classical.KMeans); test.y != nil && !clusters {
		r.score(pred, classes, test.y, f.label != "")
	}
	if a.json {
		return a.printJSON(r)
	}
	if r.Correct != nil {
		_, err = fmt.Fprintf(a.stdout, "%s: %d of %d right (%.2f %%; 95 %% interval %.1f to %.1f; the most frequent class is %.1f %%)\n",
			f.model, *r.Correct, *r.Labelled, 100**r.Accuracy, 100**r.CILow, 100**r.CIHigh, 100**r.Majority)
	} else {
		_, err = fmt.Fprintf(a.stdout, "%s: %d rows answered\n", f.model, r.Test)
	}
	return err
}

// score counts the right answers. An empty class of an axis is none: the row is not counted.
func (r *answer) score(pred []int, classes, y []string, axis bool) {
	right, labelled, most := 0, 0, 0
	count := map[string]int{}
	for i, p := range pred {
		if axis && y[i] == "" {
			continue
		}
		labelled++
		count[y[i]]++
		most = max(most, count[y[i]])
		if classes[p] == y[i] {
			right++
		}
	}
	if labelled == 0 {
		return
	}
	share, majority := float64(right)/float64(labelled), float64(most)/float64(labelled)
	low, high := metrics.ClopperPearson(right, labelled, 0.95)
	r.Correct, r.Labelled, r.Accuracy, r.CILow, r.CIHigh, r.Majority = &right, &labelled, &share, &low, &high, &majority
}

// shared counts the rows of test that are rows of train, too.
func shared(train, test classical.Matrix) (n int) {
	have := map[[sha256.Size]byte]bool{}
	var b []byte
	digest := func(row []float64) [sha256.Size]byte {
		b = b[:0]
		for _, v := range row {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return sha256.Sum256(b)
	}
	for i := range train.N {
		have[digest(train.Row(i))] = true
	}
	for i := range test.N {
		if have[digest(test.Row(i))] {
			n++
		}
	}
	return n
}

// takeSeries tells a model how many channels the series of a table (N,C,T) have.
func takeSeries(model classical.Classifier, f classifyFlags, train, test int) error {
	if train != test {
		return fmt.Errorf("%s: X: %d channels, %s has %d; both tables need the same shape", f.test, test, f.train, train)
	}
	if train == 0 {
		return nil
	}
	rocket, ok := model.(*classical.Rocket)
	if !ok {
		return fmt.Errorf("%s: X: series (N,C,T); %s takes rows of features (N,F)", f.train, f.model)
	}
	rocket.Channels = train
	return nil
}

// answers are the arrays of --out. model is what stands behind the scaler of c, if any.
func answers(c, model classical.Classifier, x classical.Matrix, pred []int, classes []string, integer bool) []npz.Named {
	behind := x
	if p, ok := c.(*classical.Pipeline); ok {
		behind = p.Scaler.Apply(x)
	}
	km, clusters := model.(*classical.KMeans)
	name := func(v []string) npz.Array {
		if !integer {
			return npz.Strings(v)
		}
		n := make([]int64, len(v))
		for i, s := range v {
			n[i], _ = strconv.ParseInt(s, 10, 64)
		}
		return npz.Int64(n)
	}
	var out []npz.Named
	add := func(n string, v npz.Array) { out = append(out, npz.Named{Name: n, Array: v}) }
	if clusters {
		n := make([]int64, len(pred))
		for i, p := range pred {
			n[i] = int64(p)
		}
		add("pred", npz.Int64(n))
		add("centers", npz.Float64(km.Centers, km.K, km.F))
		add("inertia", npz.Float64([]float64{km.Inertia}))
	} else {
		v := make([]string, len(pred))
		for i, p := range pred {
			v[i] = classes[p]
		}
		add("pred", name(v))
		add("proba", npz.Float64(c.Proba(x), x.N, len(classes)))
	}
	if d, ok := model.(classical.Decider); ok {
		v, columns := d.Decision(behind)
		if columns == 1 {
			add("decision", npz.Float64(v, x.N))
		} else {
			add("decision", npz.Float64(v, x.N, columns))
		}
	}
	if m, ok := model.(classical.Importancer); ok {
		add("importances", npz.Float64(m.Importances()))
	}
	add("classes", name(classes))
	return out
}

// table is X and the classes of a .npz as text, nil where there are none.
type table struct {
	x        classical.Matrix
	channels int // of series (N,C,T); 0: rows of features
	y        []string
	integer  bool      // y held whole numbers
	names    []string  // of the columns, where the file has them
	edges    []float64 // of histograms, where the file has them
}

// labelled drops the rows of an empty class and counts them.
func (t *table) labelled() (dropped int) {
	kept := classical.Matrix{F: t.x.F}
	var y []string
	for i, c := range t.y {
		if c == "" {
			dropped++
			continue
		}
		kept.X, y = append(kept.X, t.x.Row(i)...), append(y, c)
		kept.N++
	}
	if dropped > 0 {
		t.x, t.y = kept, y
	}
	return dropped
}

func readTable(path, classesIn string) (table, error) {
	m, err := npz.Read(path)
	if err != nil {
		return table{}, err
	}
	bad := func(name string, err error) (table, error) { return table{}, fmt.Errorf("%s: %s: %w", path, name, err) }
	x, ok := m["X"]
	if !ok {
		return bad("X", fmt.Errorf("no such array"))
	}
	t := table{}
	switch len(x.Shape) {
	case 2:
		t.x = classical.Matrix{N: x.Shape[0], F: x.Shape[1]}
	case 3:
		t.x, t.channels = classical.Matrix{N: x.Shape[0], F: x.Shape[1] * x.Shape[2]}, x.Shape[1]
	default:
		return bad("X", fmt.Errorf("shape %v; rows and features, or series, channels and steps are needed", x.Shape))
	}
	v, err := x.AsFloat64()
	if err != nil {
		return bad("X", err)
	}
	t.x.X = v
	for i, v := range v {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return bad("X", fmt.Errorf("row %d, feature %d is %v; fill or drop missing values first", i/t.x.F, i%t.x.F, v))
		}
	}
	if names, ok := m["names"]; ok && t.channels == 0 {
		if t.names, err = names.AsStrings(); err != nil || len(t.names) != t.x.F {
			return bad("names", fmt.Errorf("one for each of the %d columns of X is needed", t.x.F))
		}
	}
	if edges, ok := m["edges"]; ok {
		if t.edges, err = edges.AsFloat64(); err != nil {
			return bad("edges", err)
		}
	}
	y, ok := m[classesIn]
	if !ok {
		return t, nil
	}
	if y.Len() != t.x.N {
		return bad(classesIn, fmt.Errorf("%d classes for %d rows", y.Len(), t.x.N))
	}
	t.integer = y.I32 != nil || y.I64 != nil
	if t.y, err = y.AsStrings(); err != nil {
		return bad(classesIn, err)
	}
	return t, nil
}

// numbers sorts the classes, whole numbers by value, and numbers the rows.
func numbers(y []string) (classes []string, of []int) {
	classes = slices.Clone(y)
	slices.SortFunc(classes, func(a, b string) int {
		i, e := strconv.ParseInt(a, 10, 64)
		j, f := strconv.ParseInt(b, 10, 64)
		if e == nil && f == nil && i != j {
			if i < j {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	classes = slices.Compact(classes)
	at := map[string]int{}
	for i, c := range classes {
		at[c] = i
	}
	for _, c := range y {
		of = append(of, at[c])
	}
	return classes, of
}
