package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"earshot/data/lab"

	"github.com/spf13/cobra"
)

// recordFlags are the flags of data record.
type recordFlags struct {
	scenario, works, ads, start, shaper, out, license string
	captures, parallel, attempts                      int
	seconds                                           float64
	protocols, networks, bitrates, codecs             []string
	deliveries, segments, actions                     []string
}

func newDataRecordCommand(a *app) *cobra.Command {
	var f recordFlags
	c := &cobra.Command{
		Use:   "record --songs DIR --out DS",
		Short: "Record traffic of a browser that plays songs, on networks inside this machine",
		Long: `Record traffic of a browser that plays songs, on networks inside this machine.

Headless Chromium plays the songs of a folder from a web server, both in network namespaces that nothing leads out of; the
packets on the browser's link become a labelled data set. The same command again goes on where it stopped; with more
--captures it appends. In the data set lie health.csv (bytes expected and seen, attempts) and truth.jsonl (what happened when, on
the packets' clock); axis session numbers the sittings: captures that begin an hour or more after the last one of the set are a new session.

Conditions are combined: each song is captured under every combination of them. Films are encoded as H.264 at three rates, pages are served
as they are: with --scenario video, --bitrates, --codecs and --deliveries do not go, with pages nor do --segments, --start, --ads and --actions.
A network's delay is that of one way; log=FILE replays a measured bandwidth, [{"duration_ms": 1013, "bandwidth_kbps": 1285, "latency_ms": 100}, …]
in JSON, as the public 3G and FCC logs come, from a place drawn anew for each capture.

A table works.csv in the folder of songs credits them, and its rows go into dataset.json: its first column is song (or video,
page), the name of a file without its ending, and license, title, artist and source are others.

It needs Linux, root, chromium and ffmpeg. Play what you may: your own music, or freely licensed music.`,
		Example: `  earshot data record --songs music/ --captures 37 --seconds 60 --protocols h2,h3 --networks cable,lte --parallel 4 --out labdata
  earshot run songs --data labdata --label song --out labstudy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.record(cmd.Context(), cmd, &f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.scenario, "scenario", lab.Songs, "what is recorded: "+strings.Join(lab.Scenarios, ", "))
	fl.StringVar(&f.works, "songs", "", "folder of what is played: audio files; for video films, for pages folders with an index.html")
	fl.StringVar(&f.ads, "ads", "", "folder of advertisements, one of them before the song in half of the captures")
	fl.StringVar(&f.start, "start", "begin", "where playback begins: begin, anywhere")
	fl.IntVar(&f.captures, "captures", 1, "captures of each song under each condition")
	fl.Float64Var(&f.seconds, "seconds", 60, "length of a capture, from pressing play")
	fl.StringSliceVar(&f.protocols, "protocols", []string{"h2"}, "conditions: "+strings.Join(lab.Protocols, ", "))
	fl.StringSliceVar(&f.networks, "networks", []string{"cable"}, "conditions: "+strings.Join(lab.NetworkNames(), ", ")+", NAME:down=20mbit+up=5mbit+delay=20ms+jitter=3ms+loss=0.1%+queue=128KiB+cross=2mbit, NAME:log=FILE")
	fl.StringVar(&f.shaper, "shaper", lab.ShaperAuto, "who shapes the link: "+strings.Join(lab.Shapers, ", ")+"; auto: the kernel's tbf the rate, its netem delay, jitter and loss, where it has them, the program the rest; user: the program alone")
	fl.StringSliceVar(&f.bitrates, "bitrates", []string{"256"}, "conditions: mean kbit/s of the music: "+strings.Trim(strings.ReplaceAll(fmt.Sprint(lab.Bitrates), " ", ", "), "[]"))
	fl.StringSliceVar(&f.codecs, "codecs", []string{"opus"}, "conditions: "+strings.Join(lab.Codecs, ", "))
	fl.StringSliceVar(&f.deliveries, "deliveries", []string{"hls"}, "conditions: "+strings.Join(lab.Deliveries, ", "))
	fl.StringSliceVar(&f.segments, "segments", []string{"10s"}, "conditions: length of a segment of hls and dash, such as 2s, 4s, 10s")
	fl.StringSliceVar(&f.actions, "actions", []string{"none"}, "what the listener does, one of them at random in each capture: "+strings.Join(lab.Actions, ", "))
	fl.IntVar(&f.parallel, "parallel", 1, "rigs that record at the same time, each of them one browser after the other, a browser every song once")
	fl.IntVar(&f.attempts, "attempts", 3, "for each capture, until it is whole")
	fl.StringVar(&f.license, "license", "", "license of the data set")
	fl.StringVar(&f.out, "out", "", "data set folder")
	c.MarkFlagRequired("songs")
	c.MarkFlagRequired("out")
	return c
}

// options turns flags into what is to be recorded; every mistake is wrong usage.
func (f *recordFlags) options(a *app) (lab.Options, error) {
	o := lab.Options{
		Scenario: f.scenario, Captures: f.captures, Duration: time.Duration(f.seconds * float64(time.Second)), Protocols: f.protocols, Actions: f.actions, Shaper: f.shaper,
		Parallel: f.parallel, Attempts: f.attempts, Seed: a.seed, Out: f.out, License: f.license, Log: a.logLine,
	}
	if f.start != "begin" && f.start != "anywhere" {
		return o, usagef("data record: --start %q: it is begin or anywhere", f.start)
	}
	o.Anywhere = f.start == "anywhere"
	for _, s := range f.networks {
		n, err := lab.ParseNetwork(s)
		if err != nil {
			return o, usagef("data record: --networks: %w", err)
		}
		o.Networks = append(o.Networks, n)
	}
	var err error
	if o.Formats, err = f.formats(); err != nil {
		return o, err
	}
	if !slices.Contains(lab.Scenarios, f.scenario) {
		return o, usagef("data record: --scenario %q: it is one of %s", f.scenario, strings.Join(lab.Scenarios, ", "))
	}
	if o.Works, err = lab.FindWorks(f.scenario, f.works); err != nil {
		return o, err
	}
	if f.ads != "" {
		if o.Ads, err = lab.FindWorks(f.scenario, f.ads); err != nil {
			return o, err
		}
	}
	if err := o.Check(); err != nil {
		return o, usagef("data record: %w", err)
	}
	return o, nil
}

// notFor are the flags that mean nothing in a scenario; lab refuses others itself.
var notFor = map[string][]string{
	lab.Video: {"bitrates", "codecs", "deliveries"},
	lab.Pages: {"bitrates", "codecs", "deliveries", "segments", "start"},
}

// formats are the products of the flags that make one.
func (f *recordFlags) formats() ([]lab.Format, error) {
	if f.scenario == lab.Pages {
		return []lab.Format{lab.PageFormat}, nil
	}
	var segments []time.Duration
	for _, s := range f.segments {
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, usagef("data record: --segments %q: give a time such as 4s", s)
		}
		segments = append(segments, d)
	}
	var list []lab.Format
	if f.scenario == lab.Video {
		for _, d := range segments {
			list = append(list, lab.VideoFormat(d))
		}
		return list, nil
	}
	for _, b := range f.bitrates {
		kbits, err := strconv.Atoi(b)
		if err != nil {
			return nil, usagef("data record: --bitrates %q: give whole kbit/s, such as 160", b)
		}
		for _, delivery := range f.deliveries {
			lengths := segments
			if delivery == "progressive" {
				lengths = []time.Duration{0} // one file, once
			}
			for _, c := range f.codecs {
				for _, d := range lengths {
					list = append(list, lab.Format{Delivery: delivery, Codec: c, Kbits: kbits, Segment: d})
				}
			}
		}
	}
	return list, nil
}

func (a *app) record(ctx context.Context, cmd *cobra.Command, f *recordFlags) error {
	for _, name := range notFor[f.scenario] {
		if cmd.Flags().Changed(name) {
			return usagef("data record: --%s does not go with --scenario %s; leave it out", name, f.scenario)
		}
	}
	o, err := f.options(a)
	if err != nil {
		return err
	}
	o.Created = time.Now().UTC().Format(time.RFC3339)
	var once sync.Once
	var shown *bar
	o.Progress = func(done, total int, note string) {
		once.Do(func() { shown = a.progress("record", int64(total), "captures") })
		shown.Set(int64(done), note)
	}
	r, err := lab.Record(ctx, o)
	if shown != nil {
		shown.Done()
	}
	if errors.Is(err, context.Canceled) {
		return &interrupted{"data record: stopped; what is stored is whole, go on with: " + again(cmd, nil)}
	}
	if err != nil {
		return err
	}
	return a.printRecorded(f.out, r)
}

// printRecorded tells what a recording did; captures that were given up are a failure.
func (a *app) printRecorded(out string, r lab.Report) error {
	var err error
	if a.json {
		err = a.printJSON(r)
	} else {
		line := fmt.Sprintf("%s: %d captures recorded", out, r.Captures)
		for _, n := range []struct {
			n    int
			what string
		}{{r.Skipped, "there already"}, {r.Again, "attempts repeated"}, {r.Stalled, "with a pause in the music"}, {r.Failed, "given up"}} {
			if n.n > 0 {
				line += fmt.Sprintf(", %d %s", n.n, n.what)
			}
		}
		_, err = fmt.Fprintln(a.stdout, line)
	}
	if err == nil && r.Failed > 0 {
		return fmt.Errorf("data record: %s: %d captures were given up; health.csv says why, the same command tries them again", out, r.Failed)
	}
	return err
}
