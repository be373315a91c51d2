package lab

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/data/dataset"
	"earshot/data/lab/servicetest"
	"earshot/data/trace"

	"github.com/chromedp/chromedp"
)

// goPlayer is the stand-in's page without a browser: it does what its script does.
type goPlayer struct {
	url string

	mu       sync.Mutex
	stop     context.CancelFunc
	peers    []netip.Addr
	received int64
	opened   int
	broken   int // how many of the next calls of Open fail
}

func (p *goPlayer) get(ctx context.Context, c *http.Client, method, path string) ([]byte, error) {
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.peers = append(p.peers, netip.MustParseAddrPort(i.Conn.RemoteAddr().String()).Addr())
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, p.url+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	p.mu.Lock()
	p.received += int64(len(b))
	p.mu.Unlock()
	return b, err
}

func (p *goPlayer) Open(ctx context.Context, url string) error {
	p.Close()
	p.mu.Lock()
	p.peers, p.received, p.url = nil, 0, strings.TrimSuffix(url, "/player")
	p.opened++
	broken := p.broken > 0
	p.broken--
	p.mu.Unlock()
	if broken {
		return errors.New("browser: crashed")
	}
	_, err := p.get(ctx, http.DefaultClient, http.MethodGet, "/player")
	return err
}

func (p *goPlayer) Press(ctx context.Context) error {
	run, stop := context.WithCancel(context.Background())
	p.stop = stop
	c := &http.Client{Transport: &http.Transport{}}
	if _, err := p.get(ctx, c, http.MethodPost, "/connect"); err != nil {
		return err
	}
	go func() {
		defer c.CloseIdleConnections()
		for run.Err() == nil {
			now, _ := p.get(run, c, http.MethodGet, "/now")
			if len(now) > 0 {
				p.get(run, c, http.MethodGet, "/audio/"+string(now))
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return nil
}

func (p *goPlayer) Peers() []netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.peers)
}

func (p *goPlayer) Received() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received
}

func (p *goPlayer) Close() error {
	if p.stop != nil {
		p.stop()
	}
	return nil
}

// collection is a service of its own and what collects from it.
func collection(t *testing.T, player Player) (*servicetest.Server, CollectOptions, *[]string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a packet socket needs root")
	}
	s, err := servicetest.Start("127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	log := &[]string{}
	o := CollectOptions{
		Songs:    []Song{{"first", "spotify:track:first"}, {"second", "spotify:track:second"}},
		Captures: 1, Duration: time.Second, PerHour: 1000, Attempts: 3, Seed: 1, Interface: "lo", Authorized: "a test's own service",
		Machine: "bench", Session: "20260101T000000Z", Created: "2026-01-01T00:00:00Z", PlayerURL: s.URL + "/player", Device: servicetest.DeviceName,
		Out: filepath.Join(t.TempDir(), "ds"), Browser: player, Clock: WallClock{}, Log: func(l string) { *log = append(*log, l) },
		API: &API{Base: s.URL, Auth: s.URL, ClientID: servicetest.ClientID, RefreshKey: servicetest.RefreshToken, Clock: WallClock{}},
	}
	return s, o, log
}

func healthRows(t *testing.T, dir string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, healthName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// checkCaptures holds every capture against what the service sent for its song: whole pieces, nothing else.
func checkCaptures(t *testing.T, dir string, n int) *dataset.Set {
	t.Helper()
	s, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Captures) != n {
		t.Fatalf("%d captures, want %d", len(s.Captures), n)
	}
	for i := range s.Captures {
		c := &s.Captures[i]
		tr, err := s.Trace(c.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, down, unknown := tr.Bytes(trace.Payload)
		piece := int64(servicetest.PieceBytes(c.Labels["song"]))
		if unknown > 0 || down < 2*piece || down > 12*(piece+600) || tr.Duration() > 1_000_000 {
			t.Errorf("%s: %d bytes down, %d unknown, in %d us; a piece is %d", c.Source, down, unknown, tr.Duration(), piece)
		}
		for _, f := range tr.Flows {
			if f.Client.Addr() != netip.MustParseAddr("127.0.0.1") || f.Server.Addr() != netip.MustParseAddr("127.0.0.2") {
				t.Errorf("%s: flow %+v", c.Source, f)
			}
		}
	}
	return s
}

// TestCollect goes through the whole loop, with a browser that crashes once, the wrong song once, a rate limit, a token that
// runs out and a device that is gone; then goes on with more captures.
func TestCollect(t *testing.T) {
	player := &goPlayer{broken: 1}
	s, o, log := collection(t, player)
	s.Fail(playCall, servicetest.Fault{Status: 429, RetryAfter: "1"}, servicetest.Fault{Status: 404, Reason: "NO_ACTIVE_DEVICE", Message: "Player command failed: No active device found"})
	s.Fail("GET /v1/me/player/devices", servicetest.Fault{Status: 401, Message: "The access token expired"})
	r, err := Collect(context.Background(), o)
	player.Close()
	if err != nil || r.Captures != 2 || r.Skipped != 0 || r.Failed != 0 || r.Again != 2 || r.Servers != 1 {
		t.Fatalf("%+v %v %q", r, err, *log)
	}
	if len(*log) != 2 || !strings.Contains((*log)[0], "browser: crashed") || !strings.Contains((*log)[1], "No active device") {
		t.Errorf("%q", *log)
	}
	set := checkCaptures(t, o.Out, 2)
	if m := set.Manifest; m.Authorized != o.Authorized || !slices.Equal(m.Axes, CollectAxes) || m.Filter != "packets of the addresses in servers.txt" {
		t.Errorf("%+v", m)
	}
	b, err := os.ReadFile(filepath.Join(o.Out, serversName))
	if err != nil || !strings.HasSuffix(string(b), "\n127.0.0.2\n") {
		t.Errorf("%s %v", b, err)
	}
	rows := healthRows(t, o.Out)
	if len(rows) != 2 || rows[0][4] != "3" || rows[0][5] != statusOK || rows[1][4] != "1" {
		t.Errorf("%q", rows)
	}
	for _, r := range rows { // the player's page, which came before, is not expected
		expected, _ := strconv.Atoi(r[1])
		if seen, _ := strconv.Atoi(r[2]); expected < seen/2 || expected > seen+100_000 { // a piece may end a moment behind the capture
			t.Errorf("%q: %d bytes expected, %d seen", r, expected, seen)
		}
	}

	// More captures of the same songs: what is there stays, and the same command again does nothing.
	o.Captures, o.Session, o.Authorized = 2, "20260102T000000Z", "the same, a day later"
	if r, err = Collect(context.Background(), o); err != nil || r.Captures != 2 || r.Skipped != 2 {
		t.Fatalf("%+v %v %q", r, err, *log)
	}
	player.Close()
	opened := player.opened
	if r, err = Collect(context.Background(), o); err != nil || r.Captures != 0 || r.Skipped != 4 || player.opened != opened {
		t.Errorf("%+v %v", r, err)
	}
	set = checkCaptures(t, o.Out, 4)
	if set.Manifest.Authorized != "a test's own service; the same, a day later" {
		t.Errorf("%q", set.Manifest.Authorized)
	}
	per := map[string]int{}
	for _, c := range set.Captures {
		per[c.Labels["song"]+" "+c.Labels["session"]]++
	}
	if fmt.Sprint(per) != "map[first 20260101T000000Z:1 first 20260102T000000Z:1 second 20260101T000000Z:1 second 20260102T000000Z:1]" {
		t.Error(per)
	}
}

// TestCollectGivesUp: a song that never plays is given up and told, the others are there; what no try can mend ends it.
func TestCollectGivesUp(t *testing.T) {
	player := &goPlayer{}
	s, o, log := collection(t, player)
	defer player.Close()
	o.Attempts, o.Songs = 1, o.Songs[:1]
	s.Fail(playCall, servicetest.Fault{Status: 400, Message: "Invalid track uri"})
	if r, err := Collect(context.Background(), o); err != nil || r.Failed != 1 || r.Captures != 0 {
		t.Errorf("%+v %v %q", r, err, *log)
	}
	if rows := healthRows(t, o.Out); len(rows) != 1 || !slices.Equal(rows[0], []string{"-1", "0", "0", "0", "1", statusFailed}) {
		t.Errorf("%q", rows)
	}
	s.Fail(playCall, servicetest.Fault{Status: 403, Message: "Player command failed: Premium required", Reason: "PREMIUM_REQUIRED"})
	if r, err := Collect(context.Background(), o); err == nil || !strings.Contains(err.Error(), "lab: first: PUT /v1/me/player/play: 403 Player command failed: Premium required") || r.Captures != 0 {
		t.Errorf("%+v %v", r, err)
	}
	// The same command when all is well.
	if r, err := Collect(context.Background(), o); err != nil || r.Captures != 1 || r.Failed != 0 {
		t.Errorf("%+v %v %q", r, err, *log)
	}
	checkCaptures(t, o.Out, 1)
}

// hasty is a clock on which nobody waits for long.
type hasty struct {
	WallClock
	longest time.Duration
}

func (c *hasty) Wait(ctx context.Context, d time.Duration) error {
	if c.longest = max(c.longest, d); d > time.Minute {
		return context.Canceled
	}
	return c.WallClock.Wait(ctx, d)
}

// TestCollectHour: captures of an earlier run count among those of an hour.
func TestCollectHour(t *testing.T) {
	player := &goPlayer{}
	_, o, log := collection(t, player)
	defer player.Close()
	if r, err := Collect(context.Background(), o); err != nil || r.Captures != 2 {
		t.Fatalf("%+v %v %q", r, err, *log)
	}
	clock := &hasty{}
	o.Captures, o.PerHour, o.Clock = 2, 3, clock
	r, err := Collect(context.Background(), o)
	if !errors.Is(err, context.Canceled) || r.Captures != 1 || clock.longest < 59*time.Minute || clock.longest > time.Hour {
		t.Errorf("%+v %v, waited %v, with one of three left in this hour", r, err, clock.longest)
	}
	o.Machine, o.PerHour = "another", 1 // has an hour of its own
	if r, err := Collect(context.Background(), o); err != nil || r.Captures != 1 || r.Skipped != 3 {
		t.Errorf("%+v %v %q", r, err, *log)
	}
}

// TestCollectStops: an interrupt in the middle of a capture leaves a data set that goes on.
func TestCollectStops(t *testing.T) {
	player := &goPlayer{}
	_, o, _ := collection(t, player)
	defer player.Close()
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(done, _ int, _ string) {
		if done == 1 {
			time.AfterFunc(300*time.Millisecond, cancel)
		}
	}
	if _, err := Collect(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Progress = nil
	if r, err := Collect(context.Background(), o); err != nil || r.Captures != 1 || r.Skipped != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	checkCaptures(t, o.Out, 2)
}

// TestCollectWrongSong: what the service plays instead of the song is not taken for it. The clock jumps, so that nobody waits.
func TestCollectWrongSong(t *testing.T) {
	player := &goPlayer{}
	s, o, log := collection(t, player)
	defer player.Close()
	clock := &jump{at: time.Now()}
	o.Attempts, o.Songs, o.Clock, o.API.Clock = 1, o.Songs[:1], clock, clock
	s.PlayInstead("spotify:ad:1")
	r, err := Collect(context.Background(), o)
	if err != nil || r.Failed != 1 || len(*log) != 2 || !strings.Contains((*log)[0], "the song did not start (the service says: playing spotify:ad:1)") {
		t.Errorf("%+v %v %q", r, err, *log)
	}
	o.Device = "Another Player"
	if r, err = Collect(context.Background(), o); err != nil || r.Failed != 1 || !strings.Contains((*log)[2], "the player is not among the account's devices ("+servicetest.DeviceName+"); is the browser's profile logged in") {
		t.Errorf("%+v %v %q", r, err, *log)
	}
	o.Device = ""
	s.Restrict()
	if r, err = Collect(context.Background(), o); err == nil || !strings.Contains(err.Error(), "takes no commands from programs; use the web player") || r.Failed != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestCollectMerge: the sets of two machines become one, with both statements.
func TestCollectMerge(t *testing.T) {
	var dirs []string
	for _, machine := range []string{"laptop", "desktop"} {
		player := &goPlayer{}
		_, o, log := collection(t, player)
		o.Machine, o.Authorized = machine, "my "+machine
		if _, err := Collect(context.Background(), o); err != nil {
			t.Fatal(err, *log)
		}
		player.Close()
		dirs = append(dirs, o.Out)
	}
	all := filepath.Join(t.TempDir(), "all")
	if err := dataset.Merge(all, dirs...); err != nil {
		t.Fatal(err)
	}
	set := checkCaptures(t, all, 4)
	if set.Manifest.Authorized != "my laptop; my desktop" {
		t.Errorf("%q", set.Manifest.Authorized)
	}
	if rows := healthRows(t, all); len(rows) != 4 || rows[0][0] != "0" || rows[3][0] != "3" || rows[3][5] != statusOK {
		t.Errorf("%q", rows)
	}
	if h, err := openHosts(filepath.Join(all, serversName), nil); err != nil || len(h.list) != 1 {
		t.Errorf("%v %v", h, err)
	}
	machines := map[string]int{}
	for _, c := range set.Captures {
		machines[c.Labels["machine"]]++
	}
	if machines["laptop"] != 2 || machines["desktop"] != 2 {
		t.Error(machines)
	}
}

// TestCollectChrome is the loop with a real browser.
func TestCollectChrome(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here")
	}
	if os.Getuid() != 0 {
		t.Skip("a packet socket needs root")
	}
	chrome, err := StartChrome(context.Background(), ChromeOptions{Path: path, Profile: t.TempDir(), Headless: true, Root: true, Button: servicetest.Button})
	if err != nil {
		t.Fatal(err)
	}
	defer chrome.Close()
	s, o, log := collection(t, chrome)
	o.Songs, o.Attempts = o.Songs[1:], 1
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := chrome.Open(ctx, o.PlayerURL); err != nil {
		t.Fatal(err)
	}
	if got := chrome.Peers(); !slices.Equal(got, []netip.Addr{netip.MustParseAddr("127.0.0.2")}) {
		t.Errorf("peers %v", got)
	}
	r, err := Collect(ctx, o)
	if err != nil || r.Captures != 1 {
		t.Fatalf("%+v %v %q", r, err, *log)
	}
	checkCaptures(t, o.Out, 1)
	// The player was opened twice; what it may keep came twice, too.
	if n := len(slices.DeleteFunc(s.Calls(), func(c string) bool { return c != "GET "+servicetest.Asset })); n != 2 {
		t.Errorf("with an empty cache the asset would have been asked for twice, not %d times", n)
	}
	if got := chrome.Received(); got < int64(servicetest.PieceBytes("second")) {
		t.Errorf("%d bytes received", got)
	}
	// A browser that is gone ends the collection at once, not song by song.
	if err := chromedp.FromContext(chrome.ctx).Browser.Process().Kill(); err != nil {
		t.Fatal(err)
	}
	o.Captures, o.Attempts = 3, 3
	if r, err = Collect(ctx, o); err == nil || !strings.Contains(err.Error(), "browser: ") || !strings.Contains(err.Error(), "it has ended; go on with the same command") || r.Failed != 0 {
		t.Errorf("%+v %v", r, err)
	}
}
