package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options say what to record.
type Options struct {
	Scenario  string
	Works     []Work
	Captures  int           // of each work under each condition
	Duration  time.Duration // of a capture, from pressing play
	Formats   []Format      // formats × protocols × networks are the conditions
	Protocols []string
	Networks  []Network
	Ads       []Work   // advertisements, one of them before the song in half of the captures
	Actions   []string // one of them, drawn at random, in each capture
	Anywhere  bool     // playback begins anywhere in the work, not at its beginning
	Shaper    string   // one of Shapers
	Parallel  int      // rigs at work at the same time
	Attempts  int      // for each capture, until it is whole
	Seed      uint64

	Out     string
	License string // of the data set
	Created string // RFC 3339

	Progress func(done, total int, note string) // may be nil; called from several goroutines
	Log      func(line string)                  // what the operator should know; may be nil
}

// Report is what a recording did.
type Report struct {
	Captures int `json:"captures"` // recorded now
	Skipped  int `json:"skipped"`  // there already
	Again    int `json:"again"`    // attempts that were not good enough
	Failed   int `json:"failed"`   // captures that were given up
	Stalled  int `json:"stalled"`  // recorded, with a pause in the music
}

// Check refuses what cannot be recorded, before anything is started.
func (o *Options) Check() error {
	switch {
	case !slices.Contains(Scenarios, o.Scenario):
		return fmt.Errorf("scenario %q: it is one of %s", o.Scenario, strings.Join(Scenarios, ", "))
	case len(o.Works) == 0:
		return fmt.Errorf("no %s", o.Scenario)
	case o.Captures < 1:
		return fmt.Errorf("%d captures: 1 or more are needed", o.Captures)
	case o.Duration < time.Second || o.Duration > time.Hour:
		return fmt.Errorf("captures of %v: 1s to 1h is possible", o.Duration)
	case o.Parallel < 1 || o.Parallel > 256:
		return fmt.Errorf("%d rigs: 1 to 256 are possible", o.Parallel)
	case !slices.Contains(Shapers, o.Shaper):
		return fmt.Errorf("shaper %q: it is one of %s", o.Shaper, strings.Join(Shapers, ", "))
	case o.Attempts < 1:
		return fmt.Errorf("%d attempts: 1 or more are needed", o.Attempts)
	case len(o.Formats) == 0 || len(o.Protocols) == 0 || len(o.Networks) == 0 || len(o.Actions) == 0:
		return errors.New("no format, protocol, network or action")
	}
	for i, f := range o.Formats {
		if err := f.Check(); err != nil {
			return err
		}
		if slices.Contains(o.Formats[:i], f) {
			return fmt.Errorf("format %+v is named twice", f)
		}
	}
	for _, list := range []struct {
		what         string
		have, choice []string
	}{{"protocol", o.Protocols, Protocols}, {"action", o.Actions, Actions}} {
		for i, v := range list.have {
			if !slices.Contains(list.choice, v) {
				return fmt.Errorf("%s %q: it is one of %s", list.what, v, strings.Join(list.choice, ", "))
			}
			if slices.Contains(list.have[:i], v) {
				return fmt.Errorf("%s %s is named twice", list.what, v)
			}
		}
	}
	if o.Scenario == Pages && (len(o.Ads) > 0 || !slices.Equal(o.Actions, []string{"none"})) {
		return errors.New("a page has neither advertisements nor actions here")
	}
	for i, n := range o.Networks {
		if slices.ContainsFunc(o.Networks[:i], func(m Network) bool { return m.Name == n.Name }) {
			return fmt.Errorf("network %s is named twice; give the other one a name of its own", n.Name)
		}
	}
	return nil
}

func (o *Options) log(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

// Protocols are the versions of HTTP: h1 and h2 over TLS and TCP, h3 over QUIC and UDP.
var Protocols = []string{"h1", "h2", "h3"}
