package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Network is what lies between client and server, one Lane each way.
type Network struct {
	Name     string
	Down, Up Lane
}

// Lane is one direction of a network: delay and loss on the way, then a queue in front of a line of limited rate.
type Lane struct {
	Rate   int64         // bits per second; 0: no limit
	Queue  int           // bytes that wait in front of the line; more are dropped
	Delay  time.Duration // one way
	Jitter time.Duration // standard deviation of the delay; packets keep their order
	Loss   float64       // share of packets lost
	Cross  int64         // bits per second of other people's traffic on the same line, in bursts
	Log    []Phase       // measured rates that take the place of Rate, over and over
}

// Shapers say who makes a network of a link: earshot itself, the kernel's token bucket filter (tbf) a line of a fixed rate, its
// network emulator (netem) delay, jitter and loss. What none of them does, cross traffic and bandwidth logs among it, earshot does.
var Shapers = []string{ShaperAuto, ShaperUser, "tbf", "netem", "tbf+netem"}

const (
	ShaperAuto = "auto" // what the kernel has
	ShaperUser = "user" // none of the kernel's
)

// Phase is a stretch of a bandwidth log.
type Phase struct {
	Length time.Duration
	Rate   int64 // bits per second
}

// Networks are those that have a name. The figures are typical ones of access lines, not measurements of this project.
var Networks = []Network{
	{"lan", lane(1000e6, time.Millisecond/2, 0, 0), lane(1000e6, time.Millisecond/2, 0, 0)},
	{"fiber", lane(250e6, 5*time.Millisecond, 500*time.Microsecond, 0), lane(100e6, 5*time.Millisecond, 500*time.Microsecond, 0)},
	{"cable", lane(50e6, 10*time.Millisecond, 2*time.Millisecond, 0), lane(10e6, 10*time.Millisecond, 2*time.Millisecond, 0)},
	{"dsl", lane(16e6, 15*time.Millisecond, time.Millisecond, 0), lane(2.4e6, 15*time.Millisecond, time.Millisecond, 0)},
	{"wifi", lane(30e6, 8*time.Millisecond, 4*time.Millisecond, 0.002), lane(15e6, 8*time.Millisecond, 4*time.Millisecond, 0.002)},
	{"lte", lane(20e6, 25*time.Millisecond, 6*time.Millisecond, 0.001), lane(8e6, 25*time.Millisecond, 6*time.Millisecond, 0.001)},
	{"busy", Lane{Rate: 8e6, Queue: 256 << 10, Delay: 20 * time.Millisecond, Jitter: 3 * time.Millisecond, Cross: 4e6}, lane(2e6, 20*time.Millisecond, 3*time.Millisecond, 0)},
	{"3g", lane(2e6, 50*time.Millisecond, 10*time.Millisecond, 0.002), lane(768e3, 50*time.Millisecond, 10*time.Millisecond, 0.002)},
}

// lane has a queue of 100 ms of its rate, 64 KiB at least.
func lane(rate float64, delay, jitter time.Duration, loss float64) Lane {
	return Lane{Rate: int64(rate), Queue: max(64<<10, int(rate/8/10)), Delay: delay, Jitter: jitter, Loss: loss}
}

// ParseNetwork reads a name of Networks, optionally changed, or a bandwidth log:
//
//	lte
//	NAME:down=20mbit+up=5mbit+delay=20ms+jitter=3ms+loss=0.1%+queue=128KiB+cross=2mbit
//	NAME:log=FILE    with [{"duration_ms": 1013, "bandwidth_kbps": 1285, "latency_ms": 100}, …]
//
// A NAME of Networks starts from its figures, another one from those of lan. delay is that of one way. log comes last.
func ParseNetwork(s string) (Network, error) {
	name, settings, changed := strings.Cut(s, ":")
	at := slices.IndexFunc(Networks, func(n Network) bool { return n.Name == name })
	if at < 0 && !changed {
		return Network{}, fmt.Errorf("network %q: it is one of %s, or NAME:down=20mbit+delay=20ms+… or NAME:log=FILE", s, strings.Join(NetworkNames(), ", "))
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return Network{}, fmt.Errorf("network %q: a name has lower-case letters, digits and -", name)
	}
	n := Networks[max(0, at)]
	n.Name = name
	if !changed {
		return n, nil
	}
	for settings != "" {
		var f string
		if strings.HasPrefix(settings, "log=") { // a path may have any sign in it
			f, settings = settings, ""
		} else {
			f, settings, _ = strings.Cut(settings, "+")
		}
		key, value, _ := strings.Cut(f, "=")
		if err := n.set(key, value); err != nil {
			return Network{}, fmt.Errorf("network %s: %s: %w", name, f, err)
		}
	}
	return n, nil
}

// NetworkNames lists the names of Networks.
func NetworkNames() []string {
	var names []string
	for _, n := range Networks {
		names = append(names, n.Name)
	}
	return names
}

func (n *Network) set(key, value string) error {
	var err error
	switch key {
	case "down":
		n.Down.Rate, err = parseRate(value)
	case "up":
		n.Up.Rate, err = parseRate(value)
	case "cross":
		n.Down.Cross, err = parseRate(value)
	case "delay":
		n.Down.Delay, err = parseDelay(value)
		n.Up.Delay = n.Down.Delay
	case "jitter":
		n.Down.Jitter, err = parseDelay(value)
		n.Up.Jitter = n.Down.Jitter
	case "loss":
		n.Down.Loss, err = parseShare(value)
		n.Up.Loss = n.Down.Loss
	case "queue":
		var kib int
		kib, err = strconv.Atoi(strings.TrimSuffix(value, "KiB"))
		if err == nil && (kib < 2 || kib > 1<<20 || !strings.HasSuffix(value, "KiB")) {
			err = fmt.Errorf("give 2KiB to 1048576KiB")
		}
		n.Down.Queue, n.Up.Queue = kib<<10, kib<<10
	case "log":
		return n.replay(value)
	default:
		err = fmt.Errorf("it is one of down, up, cross, delay, jitter, loss, queue, log")
	}
	return err
}

// parseRate reads 512kbit, 20mbit or 1gbit, as tc writes them.
func parseRate(s string) (int64, error) {
	for _, u := range []struct {
		unit string
		n    float64
	}{{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}} {
		if v, ok := strings.CutSuffix(s, u.unit); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err == nil && f*u.n >= 8e3 && f*u.n <= 1e11 {
				return int64(f * u.n), nil
			}
		}
	}
	return 0, fmt.Errorf("give a rate of 8kbit to 100gbit, such as 512kbit, 20mbit")
}

func parseDelay(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > 10*time.Second {
		return 0, fmt.Errorf("give a time up to 10s, such as 20ms")
	}
	return d, nil
}

func parseShare(s string) (float64, error) {
	v, percent := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(v, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f < 1) {
		return 0, fmt.Errorf("give a share of packets, such as 0.1%%")
	}
	return f, nil
}

// replay reads a bandwidth log in the format of the MMSys '18 tool (Spiteri et al., "From theory to practice: improving
// bitrate adaptation in the DASH reference player"), which the public 3G and FCC logs come in. It governs the way down; latency_ms is
// that of a round trip.
func (n *Network) replay(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var rows []struct {
		Duration  float64 `json:"duration_ms"`
		Bandwidth float64 `json:"bandwidth_kbps"`
		Latency   float64 `json:"latency_ms"`
	}
	if err := json.Unmarshal(b, &rows); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	var total time.Duration
	carries := false
	for i, r := range rows {
		if !(r.Duration > 0 && r.Duration < 1e9) || !(r.Bandwidth >= 0 && r.Bandwidth < 1e8) || !(r.Latency >= 0 && r.Latency < 1e4) {
			return fmt.Errorf("%s: row %d: %v ms at %v kbit/s, %v ms round trip", filepath.Base(file), i+1, r.Duration, r.Bandwidth, r.Latency)
		}
		p := Phase{time.Duration(r.Duration * float64(time.Millisecond)), int64(r.Bandwidth * 1000)}
		n.Down.Log = append(n.Down.Log, p)
		total += p.Length
		carries = carries || p.Rate > 0
	}
	if !carries {
		return fmt.Errorf("%s: no row with a bandwidth", filepath.Base(file))
	}
	n.Down.Queue = 256 << 10
	n.Down.Delay = time.Duration(rows[0].Latency / 2 * float64(time.Millisecond))
	n.Up = lane(8e6, n.Down.Delay, 0, 0)
	return nil
}
