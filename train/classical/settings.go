package classical

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// model is what the package's own models can do besides: take their settings from text and go to a folder and back.
type model interface {
	Classifier
	settings(s *settings) // names every setting
	state(s *state)       // names everything that Fit learned
}

// registry holds every model under the name that commands and model folders use.
var registry = []struct {
	name string
	make func() model
}{
	{"tree", func() model { return &Tree{} }},
	{"forest", func() model { return &Forest{} }},
	{"extratrees", func() model { return &Forest{Extra: true} }},
	{"c45", func() model { return &C45{} }},
	{"svm", func() model { return &SVM{} }},
	{"knn", func() model { return &KNN{} }},
	{"gnb", func() model { return &GaussianNB{} }},
	{"mnb", func() model { return &MultinomialNB{} }},
	{"logistic", func() model { return &Logistic{} }},
	{"ridge", func() model { return &Ridge{} }},
	{"kmeans", func() model { return &KMeans{} }},
	{"minirocket", func() model { return &Rocket{} }},
	{"multirocket", func() model { return &Rocket{Multi: true} }},
	{"dummy", func() model { return &Dummy{} }},
}

// Names lists the models of New.
func Names() []string {
	var n []string
	for _, m := range registry {
		n = append(n, m.name)
	}
	return n
}

// New makes a model from its name and its settings under scikit-learn's names and in its notation: "n_estimators=400",
// "criterion=entropy", "max_depth=None". What is not set is scikit-learn's default; class_weight is "balanced" or the
// weights of the classes in order, "1:2:1". random_state and n_jobs are accepted by every model.
func New(name string, set map[string]string) (Classifier, error) {
	for _, r := range registry {
		if r.name != name {
			continue
		}
		m := r.make()
		return m, configure(name, m, set)
	}
	return nil, fmt.Errorf("%s: no such model; there are %s", name, strings.Join(Names(), ", "))
}

func configure(name string, m model, set map[string]string) error {
	s := settings{in: maps.Clone(set), known: []string{}}
	if s.in == nil {
		s.in = map[string]string{}
	}
	m.settings(&s)
	for _, k := range slices.Sorted(maps.Keys(s.in)) {
		if k != "random_state" && k != "n_jobs" {
			s.fail(k, fmt.Errorf("no such setting; there are %s", strings.Join(s.known, ", ")))
		}
	}
	if s.err != nil {
		return fmt.Errorf("%s: %w", name, s.err)
	}
	return nil
}

// Settings returns the settings of a model of this package as New would take them, and its name.
func Settings(c Classifier) (name string, set map[string]string, err error) {
	m, ok := c.(model)
	if !ok {
		return "", nil, fmt.Errorf("classical: a %T has no settings in text", c)
	}
	s := settings{out: map[string]string{}}
	m.settings(&s)
	return nameOf(m), s.out, nil
}

// nameOf finds a model in the registry by its type; forests differ by what they draw, rockets by what they sum up.
func nameOf(m model) string {
	switch v := m.(type) {
	case *Forest:
		if v.Extra {
			return "extratrees"
		}
	case *Rocket:
		return v.name()
	}
	for _, r := range registry {
		if fmt.Sprintf("%T", r.make()) == fmt.Sprintf("%T", m) {
			return r.name
		}
	}
	return ""
}

// settings goes through a model's fields: it fills them from in, or prints them to out when in is nil.
type settings struct {
	in, out map[string]string
	known   []string
	err     error // the first
}

func (s *settings) fail(name string, err error) {
	if s.err == nil {
		s.err = fmt.Errorf("setting %s: %w", name, err)
	}
}

// value hands a setting's text to parse; "None" is the zero value when none is true.
func (s *settings) value(name, now string, parse func(v string) error) {
	if s.in == nil {
		s.out[name] = now
		return
	}
	s.known = append(s.known, name)
	if v, ok := s.in[name]; ok {
		delete(s.in, name)
		if err := parse(v); err != nil {
			s.fail(name, fmt.Errorf("%q: %w", v, err))
		}
	}
}

// integer is a whole number from lo on; None is 0 where 0 stands for the default.
func (s *settings) integer(name string, p *int, lo int) {
	s.value(name, strconv.Itoa(*p), func(v string) error {
		if v == "None" || v == "0" {
			*p = 0
			return nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < lo {
			return fmt.Errorf("not a whole number from %d on", lo)
		}
		*p = n
		return nil
	})
}

// number is a real number of at least 0.
func (s *settings) number(name string, p *float64) {
	s.value(name, strconv.FormatFloat(*p, 'g', -1, 64), func(v string) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= 0 && f < 1e300) {
			return errors.New("not a number from 0 on")
		}
		*p = f
		return nil
	})
}

// seed is random_state.
func (s *settings) seed(p *uint64) {
	s.value("random_state", strconv.FormatUint(*p, 10), func(v string) error {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return errors.New("not a whole number from 0 on")
		}
		*p = n
		return nil
	})
}

// threads is n_jobs; -1 and None mean all processors. It is no property of a model and is not printed.
func (s *settings) threads(p *int) {
	if s.in == nil {
		return
	}
	s.value("n_jobs", "", func(v string) error {
		if v == "-1" || v == "None" {
			v = "0"
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return errors.New("not a number of threads")
		}
		*p = n
		return nil
	})
}

// choice is one of the names; their numbers count from 0.
func choice[T ~uint8](s *settings, name string, p *T, names ...string) {
	s.value(name, names[*p], func(v string) error {
		i := slices.Index(names, v)
		if i < 0 {
			return fmt.Errorf("not one of %s", strings.Join(names, ", "))
		}
		*p = T(i)
		return nil
	})
}

func (s *settings) boolean(name string, p *bool) {
	text := map[bool]string{false: "False", true: "True"}
	s.value(name, text[*p], func(v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return errors.New("not True or False")
		}
		*p = b
		return nil
	})
}

// penalties are numbers above 0, joined by colons.
func (s *settings) penalties(name string, p *[]float64) {
	var t []string
	for _, a := range *p {
		t = append(t, strconv.FormatFloat(a, 'g', -1, 64))
	}
	now := "None"
	if t != nil {
		now = strings.Join(t, ":")
	}
	s.value(name, now, func(v string) error {
		*p = nil
		if v == "None" {
			return nil
		}
		for _, w := range strings.Split(v, ":") {
			a, err := strconv.ParseFloat(w, 64)
			if err != nil || !(a > 0 && a < 1e300) {
				return errors.New("not penalties above 0 such as 0.1:1:10")
			}
			*p = append(*p, a)
		}
		return nil
	})
}

func (s *settings) classWeight(p *ClassWeight) {
	now := "None"
	if p.Balanced {
		now = "balanced"
	} else if p.W != nil {
		var t []string
		for _, w := range p.W {
			t = append(t, strconv.FormatFloat(w, 'g', -1, 64))
		}
		now = strings.Join(t, ":")
	}
	s.value("class_weight", now, func(v string) error {
		switch v {
		case "None":
			*p = ClassWeight{}
		case "balanced":
			*p = ClassWeight{Balanced: true}
		default:
			p.W = nil
			for _, t := range strings.Split(v, ":") {
				w, err := strconv.ParseFloat(t, 64)
				if err != nil || !(w > 0 && w < 1e300) {
					return errors.New("not balanced, None or weights above 0 such as 1:2:1")
				}
				p.W = append(p.W, w)
			}
		}
		return nil
	})
}

// FeatureCount is a number of features or a rule for one.
type FeatureCount int

// Rules for FeatureCount. 0 is the model's default: all for a tree, the square root for a forest.
const (
	AllFeatures  FeatureCount = -1
	SqrtFeatures FeatureCount = -2 // floor(sqrt(F))
	Log2Features FeatureCount = -3 // floor(log2(F))
)

// Of is the number of features that the rule means of f; 0 means all.
func (c FeatureCount) Of(f int) int { return c.of(f, AllFeatures) }

// of resolves the rule for f features; def stands in for 0.
func (c FeatureCount) of(f int, def FeatureCount) int {
	if c == 0 {
		c = def
	}
	switch c {
	case AllFeatures:
		return f
	case SqrtFeatures:
		return max(1, int(math.Sqrt(float64(f))))
	case Log2Features:
		return max(1, int(math.Log2(float64(f))))
	}
	return min(int(c), f)
}

var featureRules = map[string]FeatureCount{"None": AllFeatures, "sqrt": SqrtFeatures, "log2": Log2Features}

func (s *settings) features(name string, p *FeatureCount) {
	now := strconv.Itoa(int(*p))
	for k, v := range featureRules {
		if v == *p {
			now = k
		}
	}
	s.value(name, now, func(v string) error {
		if r, ok := featureRules[v]; ok {
			*p = r
			return nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return errors.New("not sqrt, log2, None or a number of features")
		}
		*p = FeatureCount(n)
		return nil
	})
}
