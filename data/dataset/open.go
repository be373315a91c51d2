package dataset

import (
	"fmt"
	"slices"
)

// Other is the value that Set.Derive's callers give to everything that an eavesdropper in an open world does not monitor,
// and by which the split open:N knows it.
const Other = "other"

// Derive adds a label axis to the opened set: value says what each capture has on it, "" for none. Nothing is written,
// and Manifest and Digest stay those of the folder. It is an error when there is such an axis.
func (s *Set) Derive(axis string, value func(*Capture) string) error {
	if slices.Contains(s.axes(), axis) {
		return Unknown(fmt.Sprintf("dataset: %s: there is a label axis %q already; the derived one needs its name, so give the other one another", s.Dir, axis))
	}
	for i := range s.Captures {
		c := &s.Captures[i]
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		c.Labels[axis] = value(c)
	}
	s.derived = append(s.derived, axis)
	return nil
}

// axes are the label axes, derived ones last.
func (s *Set) axes() []string { return slices.Concat(s.Manifest.Axes, s.derived) }

// Over is the splitter for a label whose value Other gathers several values of axis, which open:N needs to know. Other
// kinds of splits are left as they are.
func (sp Splitter) Over(axis string) Splitter {
	if sp.kind == "open" {
		sp.axis = axis
	}
	return sp
}

// Open reports whether the splitter is of the kind open.
func (sp Splitter) Open() bool { return sp.kind == "open" }

// HeldOut is the axis whose values the splitter keeps on one side; "" for none.
func (sp Splitter) HeldOut() string {
	if sp.kind == "group" {
		return sp.axis
	}
	return ""
}

// open deals the captures of every monitored class, and the values that are Other, into folds.
func (sp Splitter) open(caps []Capture, label string, seed uint64) ([]Split, error) {
	if sp.axis == "" {
		return nil, Unknown(fmt.Sprintf("dataset: split %s: the label has no values that are not monitored; run songs --monitored makes a label that has", sp))
	}
	var classes, others []string
	rows := map[string][]int{} // of a monitored class
	for i, c := range caps {
		k, v := c.Labels[label], c.Labels[sp.axis]
		switch {
		case k != Other:
			if rows[k] == nil {
				classes = append(classes, k)
			}
			rows[k] = append(rows[k], i)
		case !slices.Contains(others, v):
			others = append(others, v)
		}
	}
	folds := sp.count
	if folds == 0 {
		folds = min(testShare, len(others))
	}
	if len(others) < max(2, folds) {
		return nil, Unknown(fmt.Sprintf("dataset: split %s: the captures not monitored are of %d values of %s; %d are needed, one for each fold: take fewer folds (2 at least), or monitor less", sp, len(others), sp.axis, max(2, folds)))
	}
	slices.Sort(classes)
	slices.SortFunc(others, Natural)
	r := stream(seed, "open")
	fold := make([]int, len(caps))
	next := 0 // the dealing goes on from class to class, so that the folds are of one size
	for _, k := range classes {
		if len(rows[k]) < folds {
			return nil, Unknown(fmt.Sprintf("dataset: split %s: %s has %d captures, and %d folds; take fewer folds, or do not monitor it", sp, k, len(rows[k]), folds))
		}
		for _, at := range r.Perm(len(rows[k])) {
			fold[rows[k][at]] = next % folds
			next++
		}
	}
	r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for i, c := range caps {
		if c.Labels[label] == Other {
			fold[i] = slices.Index(others, c.Labels[sp.axis]) % folds
		}
	}
	var splits []Split
	for k := range folds {
		splits = append(splits, divide(fmt.Sprintf("open-%d", k+1), caps, func(i int) bool { return fold[i] == k }))
	}
	return splits, nil
}
