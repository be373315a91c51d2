package experiments

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"earshot/data/dataset"
)

// item is a cell that the sweep will make.
type item struct {
	id       string
	settings Settings
	split    Split
}

// plan lists the cells of a study in the order of the sweep, and the splits that they use. Coarse steps come first, so
// that the tables fill from the cheap end.
func (s *source) plan() ([]item, map[string]Split, error) {
	if s.problems != nil {
		return s.planArchive()
	}
	splits := map[string]Split{}
	var divisions []division
	for _, points := range s.study.Points {
		caps := s.subset(points)
		for pi, p := range s.study.Protocols {
			for si, spec := range p.Splits {
				sp, err := dataset.ParseSplits(spec)
				if err != nil {
					return nil, nil, &UsageError{err}
				}
				drawn, err := s.over(sp).Split(caps, s.study.Label, s.study.Seeds[0])
				if err != nil {
					return nil, nil, &UsageError{err}
				}
				for trial, v := range drawn {
					name := v.Name
					if points != len(s.rows) {
						name = fmt.Sprintf("%s@%d", name, points)
					}
					if len(v.Train) == 0 || len(v.Test) == 0 {
						return nil, nil, &UsageError{fmt.Errorf("experiments: split %s of %d points: %d training and %d test captures", spec, points, len(v.Train), len(v.Test))}
					}
					made := Split{v.Train, v.Test}
					if other, ok := splits[name]; ok && !reflect.DeepEqual(other, made) { // group=day and group=day:3
						name += "-of-" + fileName(spec)
					}
					splits[name] = made
					divisions = append(divisions, division{p, points, sp.String(), name, trial, pi == 0 && si == 0})
				}
			}
		}
	}
	var out []item
	seen := map[string]bool{}
	add := func(d division, seed uint64, change func(*Settings)) {
		c := Settings{
			Study: s.study.Name, Data: s.info.Digest, Label: s.study.Label, Classes: s.study.Classes, World: s.study.World, Profile: s.study.Profile,
			Protocol: d.protocol.Name, Normalize: d.protocol.Normalize, DurationUS: s.study.DurationUS, Direction: s.study.Direction,
			Size: s.study.Size, Points: d.points, SplitSpec: d.spec, Split: d.name, Seed: seed, Epochs: d.protocol.Epochs,
			Batch: d.protocol.Batch, DropLast: d.protocol.DropLast, LR: d.protocol.LR, Evaluate: d.protocol.Evaluate,
		}
		change(&c)
		if id := c.id(); !seen[id] { // a value named twice in a list is one cell
			seen[id] = true
			out = append(out, item{id, c, splits[d.name]})
		}
	}
	for _, d := range divisions {
		for _, control := range []string{ControlMajority, ControlTotals, ControlDuration} {
			if slices.Contains(s.study.Controls, control) {
				add(d, s.study.Seeds[0], func(c *Settings) { c.plain(control) })
			}
		}
	}
	for _, d := range divisions {
		for _, seed := range s.study.Seeds {
			for _, f := range s.study.Sets {
				if f.Part == PartBins && !d.first {
					continue
				}
				table, err := f.features(d.protocol)
				if err != nil {
					return nil, nil, &UsageError{err}
				}
				names := f.Models
				if names == nil {
					names = s.study.Models
				}
				for _, name := range names {
					add(d, seed, func(c *Settings) { s.classical(c, f, table, name) })
				}
				if f.Part == "" && slices.Contains(s.study.Controls, ControlPermuted) {
					add(d, seed, func(c *Settings) {
						s.classical(c, f, table, PlainForest)
						c.Control, c.Shuffles = ControlPermuted, 0
					})
				}
			}
		}
	}
	for _, r := range s.representations() {
		for _, d := range divisions {
			if d.protocol.Epochs == 0 || s.study.NetTrials > 0 && d.trial >= s.study.NetTrials {
				continue
			}
			for _, seed := range s.study.Seeds {
				for _, net := range s.study.Nets {
					set := func(control string) func(c *Settings) {
						return func(c *Settings) {
							c.Control, c.Net, c.Representation, c.StepUS, c.Steps = control, net, r.name, r.stepUS, r.steps
							if isRocket(net) {
								c.Epochs, c.Batch, c.LR, c.DropLast = 0, 0, 0, false
							}
						}
					}
					add(d, seed, set(""))
					for _, control := range []string{ControlPermuted, ControlShuffled} {
						if net == s.study.controlNet() && slices.Contains(s.study.Controls, control) {
							add(d, seed, set(control))
						}
					}
				}
			}
		}
	}
	return out, splits, nil
}

// division is one split under one protocol.
type division struct {
	protocol   Protocol
	points     int
	spec, name string
	trial      int  // number of the split among those of its spec
	first      bool // of the first protocol and its first spec
}

// classical makes the settings those of a model on a table of features.
func (s *source) classical(c *Settings, f FeatureSet, table *Features, name string) {
	m := models[name]
	c.Representation, c.Part, c.Net, c.Model, c.Features, c.Profile, c.Normalize = f.Name, f.Part, name, m.model, table, "", "train"
	c.Epochs, c.Batch, c.LR, c.DropLast, c.Evaluate = 0, 0, 0, false, ""
	c.Grid = maps.Clone(m.grid)
	if m.model == "forest" {
		if c.Grid == nil {
			c.Grid = Grid{}
		}
		c.Grid["n_estimators"] = strconv.Itoa(s.study.Trees)
		if f.Part == "" {
			c.Shuffles = shuffles
		}
	}
	if c.Grid.combinations() > 1 {
		c.Folds = innerFolds
	}
}

// plain makes the settings those of a control that trains no network.
func (c *Settings) plain(control string) {
	c.Control, c.Representation, c.Net, c.Profile, c.Normalize = control, control, "logistic", "", "train"
	c.Epochs, c.Batch, c.LR, c.DropLast, c.Evaluate = 0, 0, 0, false, ""
	if control == ControlMajority {
		c.Net, c.Normalize = "constant", "none"
	}
}

type representation struct {
	name   string
	stepUS int64
	steps  int
}

func (s *source) representations() []representation {
	var out []representation
	for _, step := range s.study.StepsUS {
		out = append(out, representation{Binned, step, int(s.study.DurationUS / step)})
	}
	slices.SortStableFunc(out, func(a, b representation) int { return a.steps - b.steps })
	if s.study.Order > 0 {
		i := slices.IndexFunc(out, func(r representation) bool { return r.steps > s.study.Order })
		if i < 0 {
			i = len(out)
		}
		out = slices.Insert(out, i, representation{Order, 0, s.study.Order})
	}
	return out
}

// id is the name of the cell's folder: what it is in words, then a digest of all settings.
func (c Settings) id() string {
	sum := sha256.Sum256([]byte(settingsKey(c)))
	var words []string
	if c.Control != "" {
		words = append(words, c.Control)
	}
	words = append(words, c.Protocol)
	if c.kind() != plain {
		words = append(words, c.Net, representationName(c))
	}
	words = append(words, fmt.Sprintf("p%d", c.Points), c.Split, fmt.Sprintf("s%d", c.Seed), hex.EncodeToString(sum[:5]))
	for i := range words {
		words[i] = fileName(words[i])
	}
	return strings.Join(words, "-")
}
