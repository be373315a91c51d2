package dataset

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Split is one division of captures into training and test. It is a value to be saved with the results, never drawn
// again: splits.json maps Name to it.
type Split struct {
	Name  string  `json:"-"`
	Train []int64 `json:"train"` // capture ids, ascending
	Test  []int64 `json:"test"`
}

// Splitter is a way of dividing captures. What it holds apart is what a result may claim:
//
//	random:N       N draws of 20 % of the captures, whatever their class; the song study drew once
//	stratified:N   N draws with every class in proportion
//	group=AXIS     whole values of the axis are held out: the values, shuffled, are dealt into 5 folds (group=AXIS:K into K), each
//	               of which is the test set once; with fewer values than folds, each value is a fold of its own
//	time=AXIS      the last 20 % in order of the axis's values, those in order of their earliest capture (of their names, day2 before
//	               day10, where a capture has no clock), then of the start time; time=start_us by start time alone
//	official       the axis "split" says train or test, as published archives do
//	open:N         N folds for a label with the value Other: the captures of every monitored class are dealt into N folds, and
//	               so are the values that Other gathers, whole, so that each fold tests others that training has not
//	               seen, and every capture once; without N as many folds as there are such values, at most 5
//
// 20 % of N captures are floor(0.2 N), as in the song study.
type Splitter struct {
	kind  string // random, stratified, group, time, official, open
	axis  string
	count int
}

const testShare = 5 // one in five

// startAxis orders captures by their clock instead of a label.
const startAxis = "start_us"

// ParseSplits reads one spec, as above.
func ParseSplits(spec string) (Splitter, error) {
	bad := func(why string) (Splitter, error) {
		return Splitter{}, fmt.Errorf("dataset: split %q: %s; use random:N, stratified:N, group=AXIS, time=AXIS, official or open:N", spec, why)
	}
	kind, rest, axis := strings.Cut(spec, "=")
	if axis {
		name, folds, many := strings.Cut(rest, ":")
		sp := Splitter{kind: kind, axis: name, count: testShare}
		if many {
			n, err := strconv.Atoi(folds)
			if err != nil || n < 2 || kind != "group" {
				return bad("the number of folds is 2 or more, and for groups only")
			}
			sp.count = n
		}
		if kind != "group" && kind != "time" {
			return bad("no such kind")
		}
		if name == "" {
			return bad("no axis")
		}
		return sp, nil
	}
	kind, rest, many := strings.Cut(spec, ":")
	switch kind {
	case "official":
		if many {
			return bad("it takes no number")
		}
		return Splitter{kind: kind, axis: "split"}, nil
	case "open":
		n := 0
		if many {
			var err error
			if n, err = strconv.Atoi(rest); err != nil || n < 2 {
				return bad("the number of folds is 2 or more")
			}
		}
		return Splitter{kind: kind, count: n}, nil
	case "random", "stratified":
		n := 1
		if many {
			var err error
			if n, err = strconv.Atoi(rest); err != nil || n < 1 {
				return bad("the number of repeats is 1 or more")
			}
		}
		return Splitter{kind: kind, count: n}, nil
	}
	return bad("no such kind")
}

// String is the spec that ParseSplits reads.
func (sp Splitter) String() string {
	switch sp.kind {
	case "official":
		return sp.kind
	case "time":
		return "time=" + sp.axis
	case "group":
		if sp.count == testShare {
			return "group=" + sp.axis
		}
		return fmt.Sprintf("group=%s:%d", sp.axis, sp.count)
	case "open":
		if sp.count == 0 {
			return sp.kind
		}
	}
	return fmt.Sprintf("%s:%d", sp.kind, sp.count)
}

// Split divides caps (which should be those of Set.Labelled). The same captures, label and seed give the same splits.
func (sp Splitter) Split(caps []Capture, label string, seed uint64) ([]Split, error) {
	if len(caps)/testShare == 0 && sp.kind != "official" {
		return nil, fmt.Errorf("dataset: split %s: %d captures are too few to hold out 20 %%; at least %d are needed", sp, len(caps), testShare)
	}
	if sp.axis != "" && sp.axis != startAxis {
		for _, c := range caps {
			if _, ok := c.Labels[sp.axis]; !ok {
				return nil, Unknown(fmt.Sprintf("dataset: split %s: no label axis %q; there are %s", sp, sp.axis, listOr(axesOf(c.Labels), "none")))
			}
		}
	}
	caps = slices.Clone(caps)
	slices.SortFunc(caps, func(a, b Capture) int { return cmp.Compare(a.ID, b.ID) })
	switch sp.kind {
	case "group":
		return sp.groups(caps, seed)
	case "time":
		return sp.time(caps), nil
	case "official":
		return sp.official(caps)
	case "open":
		return sp.open(caps, label, seed)
	}
	var splits []Split
	for i := range sp.count {
		name := fmt.Sprintf("%s-%d", sp.kind, i+1)
		r := stream(seed, name)
		var test []bool
		if sp.kind == "random" {
			test = make([]bool, len(caps))
			for _, at := range r.Perm(len(caps))[:len(caps)/testShare] {
				test[at] = true
			}
		} else {
			test = stratify(caps, label, r)
		}
		splits = append(splits, divide(name, caps, func(i int) bool { return test[i] }))
	}
	return splits, nil
}

// stream is a random stream of its own for every name.
func stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func divide(name string, caps []Capture, test func(i int) bool) Split {
	s := Split{Name: name}
	for i, c := range caps {
		if test(i) {
			s.Test = append(s.Test, c.ID)
		} else {
			s.Train = append(s.Train, c.ID)
		}
	}
	return s
}

// stratify draws floor(0.2 N) captures so that each class's share is within one capture of proportional (largest
// remainders; equal ones are drawn).
func stratify(caps []Capture, label string, r *rand.Rand) []bool {
	rows := map[string][]int{}
	var classes []string
	for i, c := range caps {
		k := c.Labels[label]
		if rows[k] == nil {
			classes = append(classes, k)
		}
		rows[k] = append(rows[k], i)
	}
	slices.Sort(classes)
	n, total := len(caps), len(caps)/testShare
	take := make(map[string]int, len(classes))
	left := total
	for _, k := range classes {
		take[k] = len(rows[k]) * total / n
		left -= take[k]
	}
	order := make([]string, len(classes)) // drawn first, so that the stable sort leaves equal remainders in random order
	for i, at := range r.Perm(len(classes)) {
		order[i] = classes[at]
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(len(rows[b])*total%n, len(rows[a])*total%n) })
	for _, k := range order[:left] {
		take[k]++
	}
	test := make([]bool, n)
	for _, k := range classes {
		for _, at := range r.Perm(len(rows[k]))[:take[k]] {
			test[rows[k][at]] = true
		}
	}
	return test
}

func (sp Splitter) groups(caps []Capture, seed uint64) ([]Split, error) {
	var values []string
	for _, c := range caps {
		if v := c.Labels[sp.axis]; !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	if len(values) < 2 {
		return nil, fmt.Errorf("dataset: split %s: all captures have the same %s %q", sp, sp.axis, listOr(values, ""))
	}
	slices.SortFunc(values, Natural)
	r := stream(seed, "group="+sp.axis)
	r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	folds := min(sp.count, len(values))
	fold := map[string]int{}
	for i, v := range values {
		fold[v] = i % folds
	}
	var splits []Split
	for k := range folds {
		splits = append(splits, divide(fmt.Sprintf("%s-%d", sp.axis, k+1), caps, func(i int) bool { return fold[caps[i].Labels[sp.axis]] == k }))
	}
	return splits, nil
}

func (sp Splitter) time(caps []Capture) []Split {
	clock := true
	first := map[string]int64{} // of each value of the axis
	for _, c := range caps {
		clock = clock && c.StartUS > 0
		v := c.Labels[sp.axis]
		if t, ok := first[v]; !ok || c.StartUS < t {
			first[v] = c.StartUS
		}
	}
	slices.SortStableFunc(caps, func(a, b Capture) int {
		if va, vb := a.Labels[sp.axis], b.Labels[sp.axis]; va != vb {
			if d := cmp.Compare(first[va], first[vb]); clock && d != 0 {
				return d
			}
			return Natural(va, vb)
		}
		return cmp.Compare(a.StartUS, b.StartUS)
	})
	late := len(caps) - len(caps)/testShare
	s := divide("time-"+sp.axis, caps, func(i int) bool { return i >= late })
	slices.Sort(s.Train)
	slices.Sort(s.Test)
	return []Split{s}
}

func (sp Splitter) official(caps []Capture) ([]Split, error) {
	for _, c := range caps {
		if v := c.Labels["split"]; v != "train" && v != "test" {
			return nil, fmt.Errorf("dataset: split official: %s: axis split is %q, not train or test", c.Source, v)
		}
	}
	s := divide("official", caps, func(i int) bool { return caps[i].Labels["split"] == "test" })
	if len(s.Train) == 0 || len(s.Test) == 0 {
		return nil, fmt.Errorf("dataset: split official: %d training and %d test captures", len(s.Train), len(s.Test))
	}
	return []Split{s}, nil
}
