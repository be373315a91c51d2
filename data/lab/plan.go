package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Actions are what a listener can do while a song plays; none is to listen.
var Actions = []string{"none", "skip", "pause", "seek", "playlist"}

// item is one capture of the plan.
type item struct {
	repetition, browser, order int // browser: number of its visit; order: place in the visit
	work                       Work
	format                     Format
	protocol                   string
	network                    Network
	ad                         *Work // played first
	next                       *Work // played after it, when it is skipped
	action                     string
	actionAt                   time.Duration // after the start
	wait                       time.Duration // between loading the page and pressing play
	seed                       uint64        // of the network
	from                       float64       // where in the work playback begins: 0 at its beginning, 1 as late as the capture allows
}

// source names the capture in the data set; it is what a resumed recording knows it by.
func (i *item) source() string {
	return fmt.Sprintf("%03d/%s %s %s %s", i.repetition, i.work.Name, i.format, i.protocol, i.network.Name)
}

// labels are the values on all axes but the session; what is the name of the first.
func (i *item) labels(what string, rig int) map[string]string {
	ad := "none"
	if i.ad != nil {
		ad = i.ad.Name
	}
	return map[string]string{
		what: i.work.Name, "bitrate": strconv.Itoa(i.format.Kbits), "codec": i.format.Codec, "delivery": i.format.Delivery,
		"segment": i.format.Segment.String(), "protocol": i.protocol, "network": i.network.Name, "ad": ad, "action": i.action,
		"repetition": strconv.Itoa(i.repetition), "browser": strconv.Itoa(i.browser), "rig": strconv.Itoa(rig), "order": strconv.Itoa(i.order),
	}
}

// visit is the captures that one browser makes, one after the other: each song once, in random order. All of them share
// protocol, network, format, rig and hour, so that none of these can stand for the song.
type visit []item

// plan lists the visits of a recording: in each repetition every condition once, in random order. What is drawn depends on the
// seed and the repetition alone, so that a longer recording begins with the shorter one.
func plan(o *Options) []visit {
	var all []visit
	for rep := range o.Captures {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(rep)))
		var conditions []visit
		for _, f := range o.Formats {
			for _, p := range o.Protocols {
				for _, n := range o.Networks {
					s := make(visit, 0, len(o.Works))
					for _, w := range o.Works {
						s = append(s, item{repetition: rep, work: w, format: f, protocol: p, network: n})
					}
					conditions = append(conditions, s)
				}
			}
		}
		rng.Shuffle(len(conditions), func(i, j int) { conditions[i], conditions[j] = conditions[j], conditions[i] })
		for _, s := range conditions {
			rng.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			for k := range s {
				i := &s[k]
				i.browser, i.order = len(all), k
				i.seed = rng.Uint64()
				i.wait = time.Duration((0.5 + rng.Float64()) * float64(time.Second))
				if from := rng.Float64(); o.Anywhere {
					i.from = from
				}
				i.action = o.Actions[rng.IntN(len(o.Actions))]
				i.actionAt = time.Duration((0.25 + 0.5*rng.Float64()) * float64(o.Duration))
				if next := &o.Works[rng.IntN(len(o.Works))]; i.action == "skip" {
					i.next = next
				}
				if ad := rng.IntN(2 * max(1, len(o.Ads))); ad < len(o.Ads) { // half of the captures, when there are any
					i.ad = &o.Ads[ad]
				}
			}
			all = append(all, s)
		}
	}
	return all
}

// remaining drops what is recorded already.
func remaining(all []visit, done map[string]bool) (left []visit, n int) {
	for _, s := range all {
		s = slices.DeleteFunc(slices.Clone(s), func(i item) bool { return done[i.source()] })
		if len(s) > 0 {
			left, n = append(left, s), n+len(s)
		}
	}
	return left, n
}
