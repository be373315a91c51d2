package classical

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Fold is one division of rows into those to learn from and those to be asked about. As JSON it is a saved split.
type Fold struct {
	Train []int `json:"train"`
	Test  []int `json:"test"`
}

// foldsOf makes a fold of each number in of; -1 rows are never tested.
func foldsOf(of []int, k int) []Fold {
	folds := make([]Fold, k)
	for f := range folds {
		for i, o := range of {
			if o == f {
				folds[f].Test = append(folds[f].Test, i)
			} else {
				folds[f].Train = append(folds[f].Train, i)
			}
		}
	}
	return folds
}

func enough(kind string, n, k int, what string) error {
	if k < 2 || k > n {
		return fmt.Errorf("%s: %d folds of %d %s; between 2 and %d are possible", kind, k, n, what, n)
	}
	return nil
}

// KFold divides n rows into k runs of rows that follow each other, or with a rng at random. Sizes differ by one at most.
func KFold(n, k int, rng *rand.Rand) ([]Fold, error) {
	if err := enough("k-fold", n, k, "rows"); err != nil {
		return nil, err
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if rng != nil {
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	of, at := make([]int, n), 0
	for f := range k {
		size := n / k
		if f < n%k {
			size++
		}
		for range size {
			of[order[at]] = f
			at++
		}
	}
	return foldsOf(of, k), nil
}

// StratifiedKFold divides rows into k folds with each class's share the same as in all rows, as near as whole rows allow:
// scikit-learn's StratifiedKFold, shuffled when a rng is given.
func StratifiedKFold(y []int, k int, rng *rand.Rand) ([]Fold, error) {
	if err := enough("stratified", len(y), k, "rows"); err != nil {
		return nil, err
	}
	rows, order := byClass(y)
	// Classes in order of their first row, rows dealt to the folds in turn: fold f gets every k-th from f on.
	deal, at := make([]map[int]int, k), 0
	for f := range deal {
		deal[f] = map[int]int{}
	}
	for _, c := range order {
		for range rows[c] {
			deal[at%k][c]++
			at++
		}
	}
	of := make([]int, len(y))
	for _, c := range order {
		var to []int
		for f := range k {
			for range deal[f][c] {
				to = append(to, f)
			}
		}
		if rng != nil {
			rng.Shuffle(len(to), func(i, j int) { to[i], to[j] = to[j], to[i] })
		}
		for i, r := range rows[c] {
			of[r] = to[i]
		}
	}
	return foldsOf(of, k), nil
}

// byClass returns the rows of each class and the classes in order of their first row.
func byClass(y []int) (rows map[int][]int, order []int) {
	rows = map[int][]int{}
	for i, c := range y {
		if rows[c] == nil {
			order = append(order, c)
		}
		rows[c] = append(rows[c], i)
	}
	return rows, order
}

// StratifiedShuffle draws n independent splits with a test share of each class, rounded to whole rows class by class.
func StratifiedShuffle(y []int, n int, test float64, rng *rand.Rand) ([]Fold, error) {
	if !(test > 0 && test < 1) {
		return nil, fmt.Errorf("stratified shuffle: test share %v; it lies between 0 and 1", test)
	}
	rows, order := byClass(y)
	folds := make([]Fold, n)
	for f := range folds {
		for _, c := range order {
			r := slices.Clone(rows[c])
			rng.Shuffle(len(r), func(i, j int) { r[i], r[j] = r[j], r[i] })
			cut := int(test*float64(len(r)) + 0.5)
			folds[f].Test = append(folds[f].Test, r[:cut]...)
			folds[f].Train = append(folds[f].Train, r[cut:]...)
		}
		if len(folds[f].Test) == 0 || len(folds[f].Train) == 0 {
			return nil, errors.New("stratified shuffle: too few rows for a split")
		}
		slices.Sort(folds[f].Test)
		slices.Sort(folds[f].Train)
	}
	return folds, nil
}

// Grouped keeps the rows of a group together: the largest group goes to the lightest of k folds, then the next.
func Grouped(group []string, k int) ([]Fold, error) {
	size := map[string]int{}
	for _, g := range group {
		size[g]++
	}
	if err := enough("grouped", len(size), k, "groups"); err != nil {
		return nil, err
	}
	var names []string
	for g := range size {
		names = append(names, g)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(b, a)) })
	weight, to := make([]int, k), map[string]int{}
	for _, g := range names {
		f := 0
		for i, w := range weight {
			if w < weight[f] {
				f = i
			}
		}
		to[g] = f
		weight[f] += size[g]
	}
	of := make([]int, len(group))
	for i, g := range group {
		of[i] = to[g]
	}
	return foldsOf(of, k), nil
}

// LeaveOneGroupOut tests on each group in turn, in order of their names.
func LeaveOneGroupOut(group []string) ([]Fold, error) {
	names := slices.Compact(slices.Sorted(slices.Values(group)))
	if len(names) < 2 {
		return nil, fmt.Errorf("leave one group out: %d group; two or more are needed", len(names))
	}
	of := make([]int, len(group))
	for i, g := range group {
		of[i], _ = slices.BinarySearch(names, g)
	}
	return foldsOf(of, len(names)), nil
}

// TimeOrdered tests k times on later rows than those learned from: the rows in order of their time are cut into k+1
// stretches of n/(k+1) rows (the first takes the rest), and each but the first is tested by all before it.
func TimeOrdered(at []int64, k int) ([]Fold, error) {
	n := len(at)
	if k < 1 || k+1 > n {
		return nil, fmt.Errorf("time-ordered: %d folds of %d rows; between 1 and %d are possible", k, n, n-1)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	size := n / (k + 1)
	folds := make([]Fold, k)
	for f := range folds {
		from := n - (k-f)*size
		folds[f] = Fold{Train: slices.Clone(order[:from]), Test: slices.Clone(order[from : from+size])}
	}
	return folds, nil
}
