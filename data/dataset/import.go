package dataset

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

// ImportOptions say how sources become captures.
type ImportOptions struct {
	Format  string // one of Formats; empty: auto
	Labels  *Labeler
	Clients []netip.Prefix // who is the client; with neither list the reader guesses
	Servers []netip.Prefix
	CSV     CSVFormat
	NPZ     NPZFormat
	Strict  bool // any problem is an error, once everything readable is stored
	Workers int  // files that are decoded at a time; 0: 2

	Name, Origin, License, Authorized, Filter, Created string // for the manifest of a new data set

	Progress func(done, total int) // files; may be nil
}

// ImportReport says what an import did.
type ImportReport struct {
	Sources    int   `json:"sources"`  // files found
	Captures   int   `json:"captures"` // added
	Packets    int64 `json:"packets"`
	Skipped    int   `json:"skipped"` // captures that were there already
	Duplicates int   `json:"duplicates"`
	Empties    int   `json:"empties"`
	Problems   int   `json:"problems"`  // rows for problems.csv
	Unlabeled  int   `json:"unlabeled"` // captures that no label matched
	Guessed    int   `json:"guessed"`   // captures whose client was guessed
	Oversize   int64 `json:"oversize_packets"`
	Unknown    int64 `json:"bytes_unknown"` // payload of unknown direction
	Bytes      int64 `json:"bytes"`         // payload
}

// Import stores sources in the data set folder dst, a new one or one that was imported with the same rules. Sources
// that are there already, by path and content, are skipped: the same call again completes an import that was killed.
//
// Files are decoded in parallel and stored in order of their paths, so that ids and parts do not depend on the number
// of workers; memory does not grow with the files. What cannot be read is logged, noted in problems.csv and passed over.
// Captures with the same packets under labels that agree nowhere are stored and are an error in the end; where an axis
// agrees (a repetition number may differ in honest copies), they are logged, and Labelled refuses the axis that differs.
func Import(ctx context.Context, srcs []string, opt ImportOptions, dst string, log func(string)) (ImportReport, error) {
	sources, axes, err := plan(srcs, &opt)
	if err != nil {
		return ImportReport{}, err
	}
	w, err := importWriter(dst, axes, opt)
	if err != nil {
		return ImportReport{}, err
	}
	defer w.Close()
	im := importer{w: w, opt: opt, log: log, known: map[[2]string]bool{}}
	for i := range w.captures {
		im.known[[2]string{w.captures[i].Source, w.captures[i].SourceDigest}] = true
	}
	if err := im.run(ctx, sources); err != nil {
		return im.report, err
	}
	if err := im.readable(); err != nil {
		return im.report, err
	}
	if im.report.Captures > 0 || im.report.Problems > 0 {
		if err := w.Commit(); err != nil {
			return im.report, err
		}
	}
	return im.report, im.verdict()
}

// plan finds the sources and the axes that they and the labels bring.
func plan(srcs []string, opt *ImportOptions) ([]source, []string, error) {
	if opt.Format == "" {
		opt.Format = Auto
	}
	if !slices.Contains(Formats, opt.Format) {
		return nil, nil, fmt.Errorf("dataset: format %q is unknown; it is one of %s", opt.Format, strings.Join(Formats, ", "))
	}
	if opt.Workers <= 0 {
		opt.Workers = 2
	}
	sources, err := findSources(srcs, opt.Format)
	if err != nil {
		return nil, nil, err
	}
	var axes []string
	if opt.Labels != nil {
		axes = slices.Clone(opt.Labels.Axes)
	}
	for _, s := range sources {
		for _, a := range sourceAxes(s) {
			if !slices.Contains(axes, a) {
				axes = append(axes, a)
			}
		}
	}
	return sources, axes, nil
}

// importWriter makes the folder, or opens one whose axes and rules are the same.
func importWriter(dst string, axes []string, opt ImportOptions) (*Writer, error) {
	m := Manifest{
		Name: opt.Name, Origin: opt.Origin, License: opt.License, Authorized: opt.Authorized, Filter: opt.Filter, Created: opt.Created,
		Axes: slices.Clone(axes), Clients: prefixStrings(opt.Clients), Servers: prefixStrings(opt.Servers),
	}
	if m.Name == "" {
		m.Name = Text(filepath.Base(dst))
	}
	if m.Axes == nil {
		m.Axes = []string{}
	}
	if !IsSet(dst) {
		return Create(dst, m)
	}
	w, err := Append(dst)
	if err != nil {
		return nil, err
	}
	for _, d := range []struct {
		what      string
		have, now []string
	}{{"label axes", w.manifest.Axes, m.Axes}, {"clients", w.manifest.Clients, m.Clients}, {"servers", w.manifest.Servers, m.Servers}} {
		if !slices.Equal(d.have, d.now) {
			w.Close()
			return nil, fmt.Errorf("dataset: %s: was imported with %s %s, this import has %s; use the same or another folder", dst, d.what, listOr(d.have, "none"), listOr(d.now, "none"))
		}
	}
	return w, nil
}

func prefixStrings(list []netip.Prefix) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}
