package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"earshot/data/dataset"
	"earshot/data/trace"
)

// Song is something to play: the label, and what the service calls it.
type Song struct {
	Name string
	URI  string // spotify:track:…
}

// CollectOptions say what to collect from a service, on the operator's own account.
type CollectOptions struct {
	Songs    []Song
	Captures int           // of each song, with those that are there already
	Duration time.Duration // of a capture
	PerHour  int           // captures begun within an hour, at most
	Attempts int           // for each capture
	Seed     uint64        // of the order of songs

	Interface  string
	Servers    []netip.Prefix // addresses of the service that are known; the browser's are added
	Authorized string         // the operator's statement
	Machine    string         // its name, a label
	Session    string         // name of this run, a label: its beginning in UTC
	Created    string         // RFC 3339

	PlayerURL string
	Device    string // name of the player among the account's devices; empty: the one that becomes active
	Out       string

	API     *API
	Browser Player
	Clock   Clock

	Progress func(done, total int, note string) // may be nil
	Log      func(line string)                  // may be nil
}

// Clock is the time of day and waiting for it.
type Clock interface {
	Now() time.Time
	Wait(ctx context.Context, d time.Duration) error
}

// WallClock is the machine's clock.
type WallClock struct{}

// Now is the time of day.
func (WallClock) Now() time.Time { return time.Now() }

// Wait waits for d, or until ctx ends.
func (WallClock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Player is a browser that shows the service's web player.
type Player interface {
	// Open empties the cache, forgets what Peers and Received counted, and loads the player.
	Open(ctx context.Context, url string) error
	// Press presses the player's play button, which makes the browser one of the account's devices.
	Press(ctx context.Context) error
	// Peers are the addresses that the player's requests went to since Open.
	Peers() []netip.Addr
	// Received is how many bytes the player's requests brought since Open.
	Received() int64
	Close() error
}

// CollectAxes are the label axes of a collected data set.
var CollectAxes = []string{"song", "machine", "session", "day", "order"}

// Files of a collected data set, beside those of a recorded one.
const serversName = "servers.txt"

// Statuses of a collected capture, beside those of a recorded one.
const (
	statusOther = "other" // the service played something else: an advertisement, another song
	statusEmpty = "empty" // nothing came from the service's addresses
)

// CollectReport is what a collection did.
type CollectReport struct {
	Captures int `json:"captures"`
	Skipped  int `json:"skipped"` // there already
	Again    int `json:"again"`   // attempts that were not good enough
	Failed   int `json:"failed"`
	Servers  int `json:"servers"` // addresses on the list
}

// Check refuses what cannot be collected, before anything is opened.
func (o *CollectOptions) Check() error {
	switch {
	case len(o.Songs) == 0:
		return errors.New("no songs; name them in a csv with the columns song and uri")
	case strings.TrimSpace(o.Authorized) == "":
		return errors.New("no statement of authority")
	case o.Captures < 1 || o.Attempts < 1 || o.PerHour < 1:
		return fmt.Errorf("%d captures, %d attempts, %d per hour: 1 or more of each are needed", o.Captures, o.Attempts, o.PerHour)
	case o.Duration < time.Second || o.Duration > time.Hour:
		return fmt.Errorf("captures of %v: 1s to 1h is possible", o.Duration)
	}
	for i, s := range o.Songs {
		if s.Name == "" || !strings.HasPrefix(s.URI, "spotify:") {
			return fmt.Errorf("song %q, uri %q: a name and a uri such as spotify:track:ID are needed", s.Name, s.URI)
		}
		if slices.ContainsFunc(o.Songs[:i], func(x Song) bool { return x.Name == s.Name || x.URI == s.URI }) {
			return fmt.Errorf("song %q, uri %q: is named twice", s.Name, s.URI)
		}
	}
	return nil
}

// collector is a collection that goes on.
type collector struct {
	o      *CollectOptions
	store  *store
	hosts  *hosts
	begun  []time.Time // of the captures within the last hour
	report CollectReport
	warned bool // about packets behind offload
}

// Collect plays the songs on the account's web player and stores what passes between the browser and the service, a capture
// of each song in every round, the order drawn anew. What is stored is whole; the same options again go on where it
// stopped, and data merge unites the sets of several machines.
func Collect(ctx context.Context, o CollectOptions) (CollectReport, error) {
	if err := o.Check(); err != nil {
		return CollectReport{}, fmt.Errorf("lab: %w", err)
	}
	locals, err := localAddresses(o.Interface)
	if err != nil {
		return CollectReport{}, err
	}
	s, captures, err := openCollection(&o, locals)
	if err != nil {
		return CollectReport{}, err
	}
	defer s.close()
	c, have := &collector{o: &o, store: s}, map[string]int{}
	for _, x := range captures {
		have[x.Labels["song"]]++
		if x.Labels["machine"] == o.Machine { // those of the last hour count, whichever run began them
			c.begun = append(c.begun, time.UnixMicro(x.FirstUS))
		}
	}
	slices.SortFunc(c.begun, time.Time.Compare)
	if c.hosts, err = openHosts(filepath.Join(o.Out, serversName), o.Servers); err != nil {
		return c.report, err
	}
	done, total := 0, o.Captures*len(o.Songs)
	for _, song := range o.Songs {
		c.report.Skipped += min(have[song.Name], o.Captures)
	}
	done = c.report.Skipped
	for round := range o.Captures {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(round)))
		for order, k := range rng.Perm(len(o.Songs)) {
			song := o.Songs[k]
			if have[song.Name] > round {
				continue
			}
			if o.Progress != nil {
				o.Progress(done, total, song.Name)
			}
			if err := c.one(ctx, song, round, order, locals); err != nil {
				return c.report, err
			}
			done++
		}
	}
	if o.Progress != nil {
		o.Progress(done, total, "")
	}
	c.report.Servers = len(c.hosts.list)
	return c.report, nil
}

// one makes a capture, in as many attempts as it may have.
func (c *collector) one(ctx context.Context, song Song, round, order int, locals []netip.Prefix) error {
	var h health
	for attempt := 1; attempt <= c.o.Attempts; attempt++ {
		if err := c.rate(ctx); err != nil {
			return err
		}
		t, err := c.attempt(ctx, song)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var fatal *ServiceError
		if errors.As(err, &fatal) && fatal.Fatal {
			return fmt.Errorf("lab: %s: %w", song.Name, err)
		}
		if err != nil {
			h = health{Attempts: attempt, Status: statusFailed}
			c.log("%s: attempt %d: %v", song.Name, attempt, err)
			c.report.Again++
			continue
		}
		if err := c.hosts.add(t.peers); err != nil {
			return err
		}
		tr, rep, unlisted := t.trace(locals, c.hosts, c.o.API.Own)
		h = t.health(tr)
		h.Attempts = attempt
		if h.Status != statusOK && h.Status != statusStalled {
			c.log("%s: attempt %d: %s", song.Name, attempt, h.Status)
			c.report.Again++
			continue
		}
		missed, line := suggest(tr, unlisted)
		if line != "" {
			c.log("%s: %s", song.Name, line)
		}
		if !c.warned && slices.ContainsFunc(tr.Packets, func(p trace.Packet) bool { return p.IPBytes > t.mtu }) {
			c.warned = true
			c.log("size: packets larger than the MTU of %s (%d bytes): captured behind offload; turn it off with: ethtool -K %s gro off gso off tso off lro off", c.o.Interface, t.mtu, c.o.Interface)
		}
		day := time.UnixMicro(tr.Start).UTC().Format(time.DateOnly)
		cp := dataset.Capture{
			Source: fmt.Sprintf("%s/%s/%04d %s", c.o.Machine, c.o.Session, round, song.Name),
			Labels: map[string]string{"song": song.Name, "machine": c.o.Machine, "session": c.o.Session, "day": day, "order": strconv.Itoa(order)},
		}
		events := []truth{
			{At: t.asked - tr.Start, From: "recorder", Event: "play", Detail: song.URI},
			{At: t.ended - tr.Start, From: "player", Event: "position", Detail: fmt.Sprintf("%.3f s", t.position.Seconds())},
			{At: t.ended - tr.Start, From: "recorder", Event: "unlisted", Bytes: missed},
		}
		if err := c.store.add(cp, tr, rep, h, events); err != nil {
			return err
		}
		c.report.Captures++
		return nil
	}
	c.report.Failed++
	c.log("%s: given up after %d attempts (%s)", song.Name, c.o.Attempts, h.Status)
	return c.store.fail(h)
}

// rate waits until another capture may begin.
func (c *collector) rate(ctx context.Context) error {
	now := c.o.Clock.Now()
	c.begun = slices.DeleteFunc(c.begun, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	if len(c.begun) >= c.o.PerHour {
		if err := c.o.Clock.Wait(ctx, time.Hour-now.Sub(c.begun[0])); err != nil {
			return err
		}
		return c.rate(ctx)
	}
	c.begun = append(c.begun, now)
	return nil
}

func (c *collector) log(format string, args ...any) {
	if c.o.Log != nil {
		c.o.Log(fmt.Sprintf(format, args...))
	}
}

// localAddresses are the machine's own on the interface: the clients.
func localAddresses(iface string) ([]netip.Prefix, error) {
	d, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("lab: %s: no such network interface; ip link names them", iface)
	}
	list, err := d.Addrs()
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", iface, err)
	}
	var out []netip.Prefix
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Addr().Unmap().BitLen()))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("lab: %s: has no address; take the interface that leads to the service", iface)
	}
	return out, nil
}

// openCollection makes the data set or goes on with it; have are the captures in it.
func openCollection(o *CollectOptions, locals []netip.Prefix) (s *store, have []dataset.Capture, err error) {
	s = &store{dir: o.Out}
	if dataset.IsSet(o.Out) {
		set, err := dataset.Open(o.Out)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Equal(set.Manifest.Axes, CollectAxes) {
			return nil, nil, fmt.Errorf("lab: %s: holds a data set that was not collected; take another --out", o.Out)
		}
		if s.set, err = dataset.Append(o.Out); err != nil {
			return nil, nil, err
		}
		if set, err = dataset.Open(o.Out); err != nil { // again: it is nobody else's only now
			return nil, nil, errors.Join(err, s.set.Close())
		}
		have, s.next = set.Captures, int64(len(set.Captures))
		s.set.Authorize(o.Authorized)
	} else {
		m := dataset.Manifest{
			Name: filepath.Base(filepath.Clean(o.Out)), Created: o.Created, Axes: CollectAxes, Authorized: o.Authorized,
			Origin: "collected by earshot data collect: the operator's own account in a browser of this machine",
			Filter: "packets of the addresses in " + serversName,
		}
		for _, p := range locals {
			m.Clients = append(m.Clients, p.String())
		}
		if s.set, err = dataset.Create(o.Out, m); err != nil {
			return nil, nil, err
		}
		if err := s.set.Commit(); err != nil {
			return nil, nil, errors.Join(err, s.set.Close())
		}
	}
	if err := s.openLogs(); err != nil {
		return nil, nil, errors.Join(err, s.set.Close())
	}
	return s, have, nil
}
