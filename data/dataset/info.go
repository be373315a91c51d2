package dataset

import (
	"context"
	"strconv"
)

// Info sums up a data set; its JSON is what `earshot data info --json` prints.
type Info struct {
	Name       string                    `json:"name"`
	Digest     string                    `json:"digest"`
	Origin     string                    `json:"origin"`
	License    string                    `json:"license"`
	Captures   int                       `json:"captures"` // all, excluded ones too
	Included   int                       `json:"included"`
	Packets    int64                     `json:"packets"`
	Bytes      ByteCounts                `json:"bytes"`
	Axes       map[string]map[string]int `json:"axes"` // captures by label, excluded ones too
	Duplicates int                       `json:"duplicates"`
	Near       int                       `json:"near_duplicates"` // included captures whose first 100 sizes an earlier one has
	Empties    int                       `json:"empties"`
	Unknown    float64                   `json:"unknown_share"` // of the payload bytes: direction unknown
	Oversize   int64                     `json:"oversize_packets"`
	Guessed    int                       `json:"direction_guessed"` // captures
	FirstUS    int64                     `json:"first_us"`          // Unix time of the first packet of all captures that have a clock; 0: none has
	LastUS     int64                     `json:"last_us"`
	Health     *Health                   `json:"health,omitempty"` // nil: no recorder kept one
	Works      []Work                    `json:"works,omitempty"`
	Sources    []SourceInfo              `json:"sources"`

	NearPairs [][2]string `json:"near_duplicate_pairs,omitempty"` // the earlier source first
}

// ByteCounts are sums over all packets.
type ByteCounts struct {
	Payload int64 `json:"payload"`
	IP      int64 `json:"ip"`
	Frame   int64 `json:"frame"`
}

// SourceInfo is what one source held.
type SourceInfo struct {
	Source         string `json:"source"`
	Link           string `json:"link"`
	Records        int64  `json:"records"`
	Decoded        int64  `json:"decoded"`
	PayloadUp      int64  `json:"payload_up"`
	PayloadDown    int64  `json:"payload_down"`
	PayloadUnknown int64  `json:"payload_unknown"`
	FirstUS        int64  `json:"first_us"`
	LastUS         int64  `json:"last_us"`
	Error          string `json:"error"`
}

// Info sums up the set.
func (s *Set) Info() (Info, error) {
	problems, err := s.problems()
	if err != nil {
		return Info{}, err
	}
	i := summarize(s.Captures, s.Manifest.Axes, problems)
	i.Name, i.Digest, i.Origin, i.License = s.Manifest.Name, s.Digest(), s.Manifest.Origin, s.Manifest.License
	i.Works = s.Manifest.Works
	i.Health, err = s.health()
	return i, err
}

// Scan reads sources as Import does and sums them up, without storing anything.
func Scan(ctx context.Context, srcs []string, opt ImportOptions, log func(string)) (Info, error) {
	sources, axes, err := plan(srcs, &opt)
	if err != nil {
		return Info{}, err
	}
	w := &Writer{first: map[string]int64{}, manifest: Manifest{Axes: axes}}
	im := importer{w: w, opt: opt, log: log}
	if err := im.run(ctx, sources); err != nil {
		return Info{}, err
	}
	if err := im.readable(); err != nil {
		return Info{}, err
	}
	s := Set{Captures: w.captures, Manifest: w.manifest}
	i := summarize(w.captures, axes, w.problems)
	i.Digest = s.Digest()
	return i, nil
}

func summarize(caps []Capture, axes []string, problems [][3]string) Info {
	i := Info{Captures: len(caps), Axes: map[string]map[string]int{}, Sources: []SourceInfo{}}
	for _, a := range axes {
		i.Axes[a] = map[string]int{}
	}
	near, have := map[string]string{}, map[string]bool{}
	var unknown int64
	for k := range caps {
		c := &caps[k]
		have[c.Source] = true
		i.Packets += c.Packets
		i.Bytes.Payload += c.Bytes()
		i.Bytes.IP += c.BytesIP
		i.Bytes.Frame += c.BytesFrame
		i.Oversize += c.Oversize
		unknown += c.BytesUnknown
		if c.FirstUS > 0 && (i.FirstUS == 0 || c.FirstUS < i.FirstUS) {
			i.FirstUS = c.FirstUS
		}
		i.LastUS = max(i.LastUS, c.LastUS)
		if c.Guessed {
			i.Guessed++
		}
		for a, v := range c.Labels {
			if v != "" {
				i.Axes[a][v]++
			}
		}
		switch c.Excluded {
		case Duplicate:
			i.Duplicates++
		case Empty:
			i.Empties++
		default:
			i.Included++
			if first, ok := near[c.NearDigest]; ok && c.NearDigest != "" {
				i.Near++
				i.NearPairs = append(i.NearPairs, [2]string{first, c.Source})
			} else {
				near[c.NearDigest] = c.Source
			}
		}
		src := SourceInfo{
			Source: c.Source, Link: c.Link, Records: c.Records, Decoded: c.Decoded, PayloadUp: c.BytesUp, PayloadDown: c.BytesDown,
			PayloadUnknown: c.BytesUnknown, FirstUS: c.FirstUS, LastUS: c.LastUS, Error: c.Problem,
		}
		if c.ProblemAt > 0 {
			src.Error = "packet " + strconv.FormatInt(c.ProblemAt, 10) + ": " + c.Problem
		}
		i.Sources = append(i.Sources, src)
	}
	if i.Bytes.Payload > 0 {
		i.Unknown = float64(unknown) / float64(i.Bytes.Payload)
	}
	for _, p := range problems { // sources of which nothing was readable
		if !have[p[0]] {
			have[p[0]] = true
			i.Sources = append(i.Sources, SourceInfo{Source: p[0], Error: p[2]})
		}
	}
	return i
}
