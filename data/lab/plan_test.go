package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func testOptions(songs, captures int) *Options {
	o := &Options{
		Scenario: Songs, Captures: captures, Duration: 60 * time.Second, Formats: []Format{{"hls", "opus", 256, 10 * time.Second}, {"dash", "vorbis", 160, 4 * time.Second}},
		Protocols: []string{"h1", "h2", "h3"}, Networks: Networks[:2], Actions: Actions, Shaper: ShaperUser, Parallel: 2, Attempts: 1, Seed: 5,
	}
	for i := range songs {
		o.Works = append(o.Works, Work{Name: fmt.Sprint("song", i)})
	}
	o.Ads = []Work{{Name: "ad0"}, {Name: "ad1"}}
	return o
}

func TestPlan(t *testing.T) {
	o := testOptions(6, 20)
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	all := plan(o)
	if want := 20 * 2 * 3 * 2; len(all) != want {
		t.Fatalf("%d visits, want %d", len(all), want)
	}
	sources, starts, ads := map[string]bool{}, map[string]int{}, map[string]int{}
	for n, s := range all {
		var names []string
		for k, i := range s {
			if i.browser != n || i.order != k || i.protocol != s[0].protocol || i.network.Name != s[0].network.Name || i.format != s[0].format || i.repetition != n/12 {
				t.Fatalf("visit %d: %+v", n, i)
			}
			if sources[i.source()] {
				t.Fatalf("%s twice", i.source())
			}
			if i.wait < 500*time.Millisecond || i.actionAt < 15*time.Second || i.actionAt > 45*time.Second {
				t.Errorf("wait %v, action at %v", i.wait, i.actionAt)
			}
			if (i.next != nil) != (i.action == "skip") {
				t.Errorf("action %s, next %v", i.action, i.next)
			}
			sources[i.source()] = true
			names = append(names, i.work.Name)
			l := i.labels("song", 1)
			ads[l["ad"]]++
			for _, a := range Axes(Songs) {
				if l[a] == "" && a != sessionAxis {
					t.Errorf("no label on axis %s", a)
				}
			}
			if len(l) != len(Axes(Songs))-1 {
				t.Errorf("%d labels", len(l))
			}
		}
		starts[names[0]]++
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "song0 song1 song2 song3 song4 song5" {
			t.Errorf("visit %d plays %s", n, got)
		}
	}
	// 240 visits begin with each of 6 songs about 40 times: 5 standard deviations are 29.
	for name, n := range starts {
		if n < 11 || n > 69 {
			t.Errorf("%s begins %d of 240 visits", name, n)
		}
	}
	// Half of the 1440 captures have none; 5 standard deviations are 95.
	if n := ads["none"]; n < 625 || n > 815 || len(ads) != 3 {
		t.Errorf("advertisements: %v", ads)
	}
	// The order differs between repetitions, and a longer recording begins with the shorter one.
	if all[0][0].source()[4:] == all[12][0].source()[4:] && all[1][0].source()[4:] == all[13][0].source()[4:] && all[2][0].source()[4:] == all[14][0].source()[4:] {
		t.Error("two repetitions have one order")
	}
	anywhere := testOptions(6, 1)
	anywhere.Anywhere = true
	if s := plan(anywhere); all[0][0].from != 0 || s[0][0].from == 0 || s[0][0].from == s[0][1].from || s[0][0].source() != all[0][0].source() {
		t.Errorf("playback begins at %v, or anywhere at %v and %v", all[0][0].from, s[0][0].from, s[0][1].from)
	}
	short := plan(testOptions(6, 3))
	for n := range short {
		for k := range short[n] {
			a, b := short[n][k], all[n][k]
			if a.source() != b.source() || a.seed != b.seed || a.action != b.action {
				t.Fatalf("visit %d: %s and %s", n, a.source(), b.source())
			}
		}
	}
	other := testOptions(6, 1)
	other.Seed = 6
	if a, b := plan(other), short; a[0][0].source() == b[0][0].source() && a[1][1].source() == b[1][1].source() && a[2][2].source() == b[2][2].source() {
		t.Error("another seed draws the same")
	}
}

func TestRemaining(t *testing.T) {
	all := plan(testOptions(3, 1))
	done := map[string]bool{}
	for _, i := range all[0] {
		done[i.source()] = true
	}
	done[all[1][1].source()] = true
	left, n := remaining(all, done)
	if n != 36-4 || len(left) != 11 || len(left[0]) != 2 || left[0][1].order != 2 {
		t.Errorf("%d captures in %d visits left, the first with %d", n, len(left), len(left[0]))
	}
	if len(all[1]) != 3 {
		t.Error("the plan was changed")
	}
}

func TestOptionsCheck(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"scenario \"x\"":        func(o *Options) { o.Scenario = "x" },
		"no songs":              func(o *Options) { o.Works = nil },
		"0 captures":            func(o *Options) { o.Captures = 0 },
		"captures of 1ms":       func(o *Options) { o.Duration = time.Millisecond },
		"0 rigs":                func(o *Options) { o.Parallel = 0 },
		"shaper \"tc\"":         func(o *Options) { o.Shaper = "tc" },
		"0 attempts":            func(o *Options) { o.Attempts = 0 },
		"protocol \"h4\"":       func(o *Options) { o.Protocols = []string{"h4"} },
		"protocol h2 is named":  func(o *Options) { o.Protocols = []string{"h2", "h2"} },
		"action \"sing\"":       func(o *Options) { o.Actions = []string{"sing"} },
		"network lan is named":  func(o *Options) { o.Networks = []Network{Networks[0], Networks[0]} },
		"no format":             func(o *Options) { o.Formats = nil },
		"bit rate 100":          func(o *Options) { o.Formats[0].Kbits = 100 },
		"codec \"mp3\"":         func(o *Options) { o.Formats[0].Codec = "mp3" },
		"delivery \"x\"":        func(o *Options) { o.Formats[0].Delivery = "x" },
		"vorbis is not carried": func(o *Options) { o.Formats[0].Codec = "vorbis" },
		"progressive is one":    func(o *Options) { o.Formats[0].Delivery = "progressive" },
		"segments of 0s":        func(o *Options) { o.Formats[0].Segment = 0 },
		"is named twice":        func(o *Options) { o.Formats[1] = o.Formats[0] },
		"a page has neither":    func(o *Options) { o.Scenario = Pages },
	} {
		o := testOptions(2, 1)
		change(o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
