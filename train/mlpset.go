package train

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// NewMLP makes an MLP from settings under scikit-learn's names and in its notation, the sizes of hidden layers joined by
// colons: "hidden_layer_sizes=100:50", "activation=tanh", "batch_size=auto". What is not set is scikit-learn's default.
func NewMLP(set map[string]string) (*MLP, error) {
	m := &MLP{
		Hidden: []int{100}, Activation: "relu", Alpha: sklearnAlpha, LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
		MaxIter: sklearnEpochs, Tol: sklearnTol, Patience: sklearnPatience, Shuffle: true, Validation: 0.1,
	}
	table := m.settings()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		i := slices.IndexFunc(table, func(s setting) bool { return s.name == name })
		if i < 0 {
			var known []string
			for _, s := range table {
				known = append(known, s.name)
			}
			return nil, fmt.Errorf("mlp: setting %s: no such setting; there are %s", name, strings.Join(known, ", "))
		}
		if err := table[i].parse(set[name]); err != nil {
			return nil, fmt.Errorf("mlp: setting %s: %q: %w", name, set[name], err)
		}
	}
	return m, nil
}

// Settings returns the settings as NewMLP would take them.
func (m *MLP) Settings() map[string]string {
	set := map[string]string{}
	for _, s := range m.settings() {
		if s.text != nil {
			set[s.name] = s.text()
		}
	}
	return set
}

// setting is one field of a model as text: how it is read, and how it is printed, nil for what is no property of the
// model.
type setting struct {
	name  string
	parse func(v string) error
	text  func() string
}

func (m *MLP) settings() []setting {
	var solver string
	return []setting{
		sizes("hidden_layer_sizes", &m.Hidden),
		oneOf("activation", &m.Activation, "identity", "logistic", "tanh", "relu"),
		hidden(oneOf("solver", &solver, "adam")), // the others of scikit-learn are not there
		number("alpha", &m.Alpha, 0, 1e300),
		whole("batch_size", &m.Batch, 1, "auto"),
		number("learning_rate_init", &m.LR, 1e-300, 1e300),
		whole("max_iter", &m.MaxIter, 1, ""),
		truth("shuffle", &m.Shuffle),
		number("tol", &m.Tol, 0, 1e300),
		truth("early_stopping", &m.EarlyStop),
		number("validation_fraction", &m.Validation, 0, 1),
		number("beta_1", &m.Beta1, 0, 1),
		number("beta_2", &m.Beta2, 0, 1),
		number("epsilon", &m.Eps, 1e-300, 1e300),
		whole("n_iter_no_change", &m.Patience, 1, ""),
		{"random_state", func(v string) (err error) {
			if m.Seed, err = strconv.ParseUint(v, 10, 64); err != nil {
				return errors.New("not a whole number from 0 on")
			}
			return nil
		}, func() string { return strconv.FormatUint(m.Seed, 10) }},
		hidden(whole("n_jobs", &m.Threads, 1, "-1", "None", "0")),
	}
}

func hidden(s setting) setting {
	s.text = nil
	return s
}

func sizes(name string, p *[]int) setting {
	return setting{name, func(v string) error {
		*p = []int{}
		if v == "" {
			return nil
		}
		for _, t := range strings.Split(v, ":") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 1 || n > 1<<20 {
				return errors.New("not sizes from 1 on such as 100 or 100:50")
			}
			*p = append(*p, n)
		}
		return nil
	}, func() string {
		var t []string
		for _, n := range *p {
			t = append(t, strconv.Itoa(n))
		}
		return strings.Join(t, ":")
	}}
}

func oneOf(name string, p *string, values ...string) setting {
	return setting{name, func(v string) error {
		if !slices.Contains(values, v) {
			return fmt.Errorf("not one of %s", strings.Join(values, ", "))
		}
		*p = v
		return nil
	}, func() string { return *p }}
}

// number is from lo on and below hi.
func number(name string, p *float64, lo, hi float64) setting {
	return setting{name, func(v string) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= lo && f < hi) {
			return fmt.Errorf("not a number from %g to %g", lo, hi)
		}
		*p = f
		return nil
	}, func() string { return strconv.FormatFloat(*p, 'g', -1, 64) }}
}

// whole is from lo on; the words stand for 0, the first is printed.
func whole(name string, p *int, lo int, words ...string) setting {
	return setting{name, func(v string) error {
		if v != "" && slices.Contains(words, v) {
			*p = 0
			return nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < lo {
			return fmt.Errorf("not a whole number from %d on", lo)
		}
		*p = n
		return nil
	}, func() string {
		if *p == 0 {
			return words[0]
		}
		return strconv.Itoa(*p)
	}}
}

func truth(name string, p *bool) setting {
	return setting{name, func(v string) (err error) {
		if *p, err = strconv.ParseBool(v); err != nil {
			return errors.New("not True or False")
		}
		return nil
	}, func() string {
		if *p {
			return "True"
		}
		return "False"
	}}
}
