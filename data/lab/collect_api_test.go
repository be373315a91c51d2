package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/lab/servicetest"
)

// jump is a clock on which waiting takes no time.
type jump struct {
	at     time.Time
	waited []time.Duration
}

func (j *jump) Now() time.Time { return j.at }

func (j *jump) Wait(ctx context.Context, d time.Duration) error {
	j.at = j.at.Add(d)
	j.waited = append(j.waited, d)
	return ctx.Err()
}

func fakeAPI(t *testing.T) (*servicetest.Server, *API, *jump) {
	t.Helper()
	s, err := servicetest.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	clock := &jump{at: time.Unix(1_700_000_000, 0)}
	return s, &API{Base: s.URL + "/", Auth: s.URL, ClientID: servicetest.ClientID, RefreshKey: servicetest.RefreshToken, Clock: clock}, clock
}

const playCall = "PUT /v1/me/player/play"

// TestAPI holds the calls against what the service documents, its refusals included.
func TestAPI(t *testing.T) {
	ctx := context.Background()
	connected := func(s *servicetest.Server) { http.Post(s.URL+"/connect", "", nil) }
	for _, c := range []struct {
		name   string
		set    func(s *servicetest.Server)
		want   string // in the error; empty: none
		fatal  bool
		calls  int // of play
		tokens int
		waited time.Duration
	}{
		{name: "plays", set: connected, calls: 1, tokens: 1},
		{name: "no device", set: func(*servicetest.Server) {}, want: "404 Player command failed: No active device found", calls: 1, tokens: 1},
		{name: "rate limit", set: func(s *servicetest.Server) {
			connected(s)
			s.Fail(playCall, servicetest.Fault{Status: 429, RetryAfter: "7"}, servicetest.Fault{Status: 429, RetryAfter: "30"})
		}, calls: 3, tokens: 1, waited: 37 * time.Second},
		{name: "rate limit without a time", set: func(s *servicetest.Server) {
			connected(s)
			s.Fail(playCall, servicetest.Fault{Status: 429})
		}, calls: 2, tokens: 1, waited: time.Second},
		{name: "banned", set: func(s *servicetest.Server) {
			s.Fail(playCall, servicetest.Fault{Status: 429, RetryAfter: "86400"})
		}, want: "the service asks for a pause of 24h0m0s; go on then", fatal: true, calls: 1, tokens: 1},
		{name: "rate limit without end", set: func(s *servicetest.Server) {
			for range 9 {
				s.Fail(playCall, servicetest.Fault{Status: 429, RetryAfter: "2"})
			}
		}, want: "429 Too Many Requests, 5 times", calls: 5, tokens: 1, waited: 8 * time.Second},
		{name: "faults of the service", set: func(s *servicetest.Server) {
			connected(s)
			s.Fail(playCall, servicetest.Fault{Status: 502, Body: "<html>bad gateway"}, servicetest.Fault{Status: 503})
		}, calls: 3, tokens: 1, waited: 6 * time.Second},
		{name: "token ran out early", set: func(s *servicetest.Server) {
			connected(s)
			s.Fail(playCall, servicetest.Fault{Status: 401, Message: "The access token expired"})
		}, calls: 2, tokens: 2},
		{name: "token refused for good", set: func(s *servicetest.Server) {
			s.Fail(playCall, servicetest.Fault{Status: 401, Message: "Permissions missing"}, servicetest.Fault{Status: 401, Message: "Permissions missing"})
		}, want: "refuses the token (401 Permissions missing); does the app have the scopes", fatal: true, calls: 2, tokens: 2},
		{name: "refresh token revoked", set: func(s *servicetest.Server) { s.Revoke() }, want: "refuses the refresh token (invalid_grant Refresh token revoked); authorize the app again", fatal: true, tokens: 1},
		{name: "accounts service limits", set: func(s *servicetest.Server) {
			connected(s)
			s.Fail("POST /api/token", servicetest.Fault{Status: 429, RetryAfter: "11"}, servicetest.Fault{Status: 500})
		}, calls: 1, tokens: 3, waited: 15 * time.Second},
		{name: "accounts service gone", set: func(s *servicetest.Server) {
			for range 9 {
				s.Fail("POST /api/token", servicetest.Fault{Status: 503})
			}
		}, want: "the service gives no token: status 503", tokens: 5, waited: 30 * time.Second},
		{name: "no token in the answer", set: func(s *servicetest.Server) {
			s.Fail("POST /api/token", servicetest.Fault{Status: 200, Body: "<html>login"})
		}, want: "gave no token; is --auth-base right?", fatal: true, tokens: 1},
		{name: "free account", set: func(s *servicetest.Server) {
			s.Fail(playCall, servicetest.Fault{Status: 403, Message: "Player command failed: Premium required", Reason: "PREMIUM_REQUIRED"})
		}, want: "Premium required (PREMIUM_REQUIRED); playing by program needs Premium", fatal: true, calls: 1, tokens: 1},
		{name: "bad request", set: func(s *servicetest.Server) {
			s.Fail(playCall, servicetest.Fault{Status: 400, Message: "Invalid track uri"})
		}, want: "400 Invalid track uri", calls: 1, tokens: 1},
	} {
		s, a, clock := fakeAPI(t)
		c.set(s)
		err := a.Play(ctx, servicetest.DeviceID, "spotify:track:a")
		var e *ServiceError
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &e) || e.Fatal != c.fatal) {
			t.Errorf("%s: %v (%+v)", c.name, err, e)
		}
		plays, tokens, waited := 0, 0, time.Duration(0)
		for _, call := range s.Calls() {
			switch call {
			case playCall:
				plays++
			case "POST /api/token":
				tokens++
			}
		}
		for _, d := range clock.waited {
			waited += d
		}
		if plays != c.calls || tokens != c.tokens || waited != c.waited {
			t.Errorf("%s: %d plays, %d tokens, waited %v; want %d, %d, %v", c.name, plays, tokens, waited, c.calls, c.tokens, c.waited)
		}
		if err != nil && (strings.Contains(err.Error(), servicetest.RefreshToken+`"`) || strings.Contains(err.Error(), "token-")) {
			t.Errorf("%s: the error tells a key: %v", c.name, err)
		}
	}
}

// TestAPIStates goes through a playback.
func TestAPIStates(t *testing.T) {
	ctx := context.Background()
	s, a, clock := fakeAPI(t)
	var said []string
	note := func(v any, err error) { said = append(said, fmt.Sprint(v, " ", err)) }
	state := func() {
		st, err := a.State(ctx)
		note(st.String(), err)
	}
	state()
	list, err := a.Devices(ctx)
	note(deviceNames(list), err)
	http.Post(s.URL+"/connect", "", nil)
	list, err = a.Devices(ctx)
	note(deviceNames(list), err)
	note("transfer", a.Transfer(ctx, list[0].ID))
	note("pause", a.Pause(ctx, list[0].ID)) // nothing plays: no error
	note("play", a.Play(ctx, list[0].ID, "spotify:track:a"))
	state()
	note("pause", a.Pause(ctx, list[0].ID))
	state()
	clock.at = clock.at.Add(59 * time.Minute) // within the margin: a new token
	state()
	s.Expire() // sooner than it said: another one
	state()
	want := []string{"paused nothing () <nil>", "none <nil>", servicetest.DeviceName + " <nil>", "transfer <nil>", "pause <nil>", "play <nil>",
		"playing spotify:track:a <nil>", "pause <nil>", "paused spotify:track:a <nil>", "paused spotify:track:a <nil>", "paused spotify:track:a <nil>"}
	if !slices.Equal(said, want) {
		t.Errorf("%q\nwant %q", said, want)
	}
	if n := len(slices.DeleteFunc(s.Calls(), func(c string) bool { return c != "POST /api/token" })); n != 3 {
		t.Errorf("%d tokens", n)
	}
}

// TestAPIOwn: a port is the program's own as long as its connection lives, and until it is forgotten.
func TestAPIOwn(t *testing.T) {
	_, a, _ := fakeAPI(t)
	if _, err := a.Devices(context.Background()); err != nil {
		t.Fatal(err)
	}
	ports := slices.Collect(maps.Keys(a.own))
	a.forget()
	if len(ports) != 1 || !a.Own(ports[0]) || a.Own(netip.AddrPortFrom(ports[0].Addr(), ports[0].Port()^1)) {
		t.Errorf("own ends %v, a connection that lives is not", ports)
	}
	a.client.CloseIdleConnections()
	if !a.Own(ports[0]) {
		t.Error("its packets may be in a capture that goes on")
	}
	if a.forget(); a.Own(ports[0]) {
		t.Error("the port may be another's now")
	}
}

// TestAPIStops: an interrupt ends waiting for a rate limit.
func TestAPIStops(t *testing.T) {
	s, a, _ := fakeAPI(t)
	s.Fail(playCall, servicetest.Fault{Status: 429, RetryAfter: "600"})
	a.Clock = WallClock{}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := a.Play(ctx, servicetest.DeviceID, "spotify:track:a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.Close()
	a.token, a.Clock = "", &jump{}
	if err := a.Play(context.Background(), servicetest.DeviceID, "spotify:track:a"); err == nil || !strings.Contains(err.Error(), "the service gives no token") {
		t.Error(err)
	}
}

// TestCollectRate: at most so many captures begin within any hour.
func TestCollectRate(t *testing.T) {
	clock := &jump{at: time.Unix(1_700_000_000, 0)}
	c := &collector{o: &CollectOptions{PerHour: 3, Clock: clock}}
	var begun []time.Time
	for range 10 {
		if err := c.rate(context.Background()); err != nil {
			t.Fatal(err)
		}
		begun = append(begun, clock.at)
		clock.at = clock.at.Add(7 * time.Minute) // the capture itself
	}
	for i := range begun[3:] {
		if begun[i+3].Sub(begun[i]) < time.Hour {
			t.Errorf("captures %d and %d are %v apart", i, i+3, begun[i+3].Sub(begun[i]))
		}
	}
	if d := begun[9].Sub(begun[0]); d != 3*time.Hour {
		t.Errorf("ten captures took %v, want no more waiting than needed: 3h", d)
	}
}
