package experiments

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"earshot/data/dataset"
	"earshot/data/features"
	"earshot/data/trace"
	"earshot/train/classical"
)

// FeatureSet is a table of features that a study's classical models learn from.
type FeatureSet struct {
	Name   string            `json:"name"` // in the column representation
	Sets   string            `json:"sets"` // of the package features, parted by commas
	Set    map[string]string `json:"set,omitempty"`
	Keep   []string          `json:"keep,omitempty"`   // beginnings of the names of the columns that stay; nil: all
	Models []string          `json:"models,omitempty"` // nil: the study's
	Part   string            `json:"part,omitempty"`   // of the report: empty for the study's own sets, PartAblation, PartBins
}

// Parts of the report that have feature sets of their own.
const (
	PartAblation = "ablation" // some of the features only
	PartBins     = "bins"     // histograms of other numbers of bins; with the first protocol and kind of split only
)

// Features say which table of features a cell's model sees. The zero Set has the defaults of the package features.
type Features struct {
	Sets string            `json:"sets"`
	Set  map[string]string `json:"set,omitempty"`
	Keep []string          `json:"keep,omitempty"`
	Size string            `json:"size"` // bytes of a packet
}

// Of a histogram's edges: fitted on all captures, those of the test set too, as the smart-speaker study did, or on the
// training set.
const (
	EdgesDataset = "dataset"
	EdgesTrain   = "train"
)

// features resolves a set under a protocol.
func (f FeatureSet) features(p Protocol) (*Features, error) {
	out := &Features{Sets: f.Sets, Set: maps.Clone(f.Set), Keep: f.Keep, Size: "ip"}
	if p.Edges != "" {
		for name := range strings.SplitSeq(f.Sets, ",") {
			set, err := features.Lookup(name)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(set.Settings, func(s features.Setting) bool { return s.Name == "edges" }) {
				if out.Set == nil {
					out.Set = map[string]string{}
				}
				out.Set["edges"] = p.Edges
			}
		}
	}
	_, err := features.New(out.Sets, features.Options{Size: trace.IP, Set: out.Set})
	return out, err
}

// checkSets says what is wrong with the study's feature sets and models.
func (s Study) checkSets() error {
	bad := func(format string, args ...any) error {
		return &UsageError{fmt.Errorf("experiments: "+format, args...)}
	}
	for _, f := range s.Sets {
		if len(f.Models) == 0 && len(s.Models) == 0 {
			return bad("feature set %s: no models", f.Name)
		}
		for _, m := range append(slices.Clone(f.Models), s.Models...) {
			if _, ok := models[m]; !ok {
				return bad("model %q: unknown; use %s", m, strings.Join(modelNames, ", "))
			}
		}
		for _, p := range s.Protocols {
			if !slices.Contains([]string{"", EdgesDataset, EdgesTrain}, p.Edges) {
				return bad("edges %q: unknown; use %s or %s", p.Edges, EdgesDataset, EdgesTrain)
			}
			if _, err := f.features(p); err != nil {
				return &UsageError{err}
			}
		}
	}
	if s.Trees < 0 || s.NetTrials < 0 {
		return bad("%d trees, %d trials of networks: below 0", s.Trees, s.NetTrials)
	}
	return nil
}

// tableCache holds the tables of features that cells share.
type tableCache struct {
	mu    sync.Mutex
	order []string // oldest first
	made  map[string]*table

	reading sync.Mutex
	traces  []*trace.Trace // of the captures, when they fit
}

// table is a matrix of all captures of the run, in the order of source.rows.
type table struct {
	once    sync.Once
	x       classical.Matrix
	names   []string
	missing []int // (N) values that do not exist
	err     error
}

// Limits of what is kept in memory: tables of as many splits as cells may be at work on, and traces of a few hundred
// megabytes.
const (
	keepTables  = 64
	keepPackets = 3 << 20
)

// table makes the features of all captures, or finds them. With edges of the training set they are those of one split.
func (s *source) table(f *Features, train []int64) (*table, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	key := string(b)
	if f.Set["edges"] == EdgesTrain {
		key += fmt.Sprint(train)
	}
	s.tables.mu.Lock()
	t := s.tables.made[key]
	if t == nil {
		t = new(table)
		if s.tables.made == nil {
			s.tables.made = map[string]*table{}
		}
		s.tables.made[key] = t
		s.tables.order = append(s.tables.order, key)
		if len(s.tables.order) > keepTables {
			delete(s.tables.made, s.tables.order[0])
			s.tables.order = s.tables.order[1:]
		}
	}
	s.tables.mu.Unlock()
	t.once.Do(func() { t.err = s.extract(f, train, t) })
	return t, t.err
}

func (s *source) extract(f *Features, train []int64, t *table) error {
	size := map[string]trace.Size{"payload": trace.Payload, "ip": trace.IP, "frame": trace.Frame}[f.Size]
	x, err := features.New(f.Sets, features.Options{Size: size, Set: f.Set})
	if err != nil {
		return err
	}
	x.Train(train)
	m, err := x.Extract(s.each)
	if err != nil {
		return fmt.Errorf("experiments: features %s: %w", f.Sets, err)
	}
	var keep []int
	for i, name := range m.Names() {
		if f.Keep == nil || slices.ContainsFunc(f.Keep, func(k string) bool { return strings.HasPrefix(name, k) }) {
			keep = append(keep, i)
			t.names = append(t.names, name)
		}
	}
	t.x = classical.Matrix{N: m.N, F: len(keep), X: make([]float64, 0, m.N*len(keep))}
	t.missing = make([]int, m.N)
	existing := make([]bool, len(keep))
	for i := range m.N {
		row := m.Row(i)
		for j, k := range keep {
			v := row[k]
			if math.IsNaN(v) {
				t.missing[i]++
				v = 0 // what does not exist, such as the window of a capture without a connection
			} else {
				existing[j] = true
			}
			t.x.X = append(t.x.X, v)
		}
	}
	var never []string
	for j, ok := range existing {
		if !ok {
			never = append(never, t.names[j])
		}
	}
	if n := len(never); n > 0 {
		return &UsageError{fmt.Errorf("experiments: features %s: no capture has a value of %s (%d of %d columns; a csv or a compact copy has no TCP headers); choose other --sets", f.Sets, never[0], n, len(keep))}
	}
	return nil
}

// checkTables makes the tables of the study once, so that data that lack a feature are told from the start.
func (s *source) checkTables() error {
	for _, f := range s.study.Sets {
		if f.Part == PartBins {
			continue // the same packets as in the study's own histograms
		}
		p := s.study.Protocols[0]
		table, err := f.features(p)
		if err == nil {
			_, err = s.table(table, s.ids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// each hands the run's captures to a features.Extractor.
func (s *source) each(f func(c features.Item, t *trace.Trace) error) error {
	packets := int64(0)
	for _, c := range s.rows {
		packets += c.Packets
	}
	if packets > keepPackets {
		return s.set.Each(s.ids, func(c *dataset.Capture, t *trace.Trace) error {
			return f(features.Item{ID: c.ID, Source: c.Source}, t)
		})
	}
	s.tables.reading.Lock() // one reads, the others wait for what it read
	var err error
	if s.tables.traces == nil {
		var held []*trace.Trace
		err = s.set.Each(s.ids, func(_ *dataset.Capture, t *trace.Trace) error {
			held = append(held, t)
			return nil
		})
		if err == nil {
			s.tables.traces = held
		}
	}
	kept := s.tables.traces
	s.tables.reading.Unlock()
	if err != nil {
		return err
	}
	for i, t := range kept {
		if err := f(features.Item{ID: s.rows[i].ID, Source: s.rows[i].Source}, t); err != nil {
			return err
		}
	}
	return nil
}
