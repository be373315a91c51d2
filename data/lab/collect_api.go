package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Addresses of the service.
const (
	SpotifyAPI    = "https://api.spotify.com"
	SpotifyAuth   = "https://accounts.spotify.com"
	SpotifyPlayer = "https://open.spotify.com"
)

// API plays songs through Spotify's Web API, as it is since February 2026: only the calls that are left to development
// apps and that a collection needs (devices, transfer, play, pause, state). Its calls are not safe for concurrent use.
type API struct {
	Base, Auth                   string // addresses; see SpotifyAPI, SpotifyAuth
	ClientID, Secret, RefreshKey string // of the operator's own app; an app with PKCE has no secret
	Clock                        Clock

	token  string
	until  time.Time
	client *http.Client

	mu  sync.Mutex
	own map[netip.AddrPort]*ownConn
}

// ownConn is a connection of this program.
type ownConn struct {
	net.Conn
	over atomic.Bool
}

// Close is net.Conn's.
func (c *ownConn) Close() error {
	c.over.Store(true)
	return c.Conn.Close()
}

// Own reports whether an end of a connection is this program's, or was since forget: its calls are no part of a capture.
func (a *API) Own(p netip.AddrPort) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.own[p] != nil
}

// forget lets go of connections that are over: the system gives their ports to others, the browser among them.
func (a *API) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.own, func(_ netip.AddrPort, c *ownConn) bool { return c.over.Load() })
}

// dial connects and notes this end.
func (a *API) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: 15 * time.Second}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	own := &ownConn{Conn: c}
	if p, ok := c.LocalAddr().(*net.TCPAddr); ok {
		at := p.AddrPort()
		a.mu.Lock()
		if a.own == nil {
			a.own = map[netip.AddrPort]*ownConn{}
		}
		a.own[netip.AddrPortFrom(at.Addr().Unmap(), at.Port())] = own
		a.mu.Unlock()
	}
	return own, nil
}

// ServiceError is what the service answered. After a fatal one another try would end the same way.
type ServiceError struct {
	Status int
	Reason string // such as NO_ACTIVE_DEVICE
	Fatal  bool
	Err    error
}

func (e *ServiceError) Error() string { return e.Err.Error() }
func (e *ServiceError) Unwrap() error { return e.Err }

const (
	apiTries  = 5
	apiAnswer = 1 << 20       // bytes of an answer that are read
	apiLong   = 1 * time.Hour // a longer pause than this is no rate limit but a ban
)

// Device is one of the account's players.
type Device struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Active     bool   `json:"is_active"`
	Restricted bool   `json:"is_restricted"`
}

// State is what the account plays.
type State struct {
	Playing  bool
	Kind     string // track, ad, episode, unknown
	URI      string
	Position time.Duration
}

func (s State) String() string {
	what := "paused"
	if s.Playing {
		what = "playing"
	}
	if s.URI == "" {
		return what + " nothing (" + s.Kind + ")"
	}
	return what + " " + s.URI
}

// Devices lists the account's players.
func (a *API) Devices(ctx context.Context) ([]Device, error) {
	var out struct {
		Devices []Device `json:"devices"`
	}
	err := a.call(ctx, http.MethodGet, "/v1/me/player/devices", nil, nil, &out)
	return out.Devices, err
}

// Transfer makes a device the one that plays, without a song.
func (a *API) Transfer(ctx context.Context, device string) error {
	return a.call(ctx, http.MethodPut, "/v1/me/player", nil, map[string]any{"device_ids": []string{device}, "play": false}, nil)
}

// Play starts a track from its beginning.
func (a *API) Play(ctx context.Context, device, uri string) error {
	return a.call(ctx, http.MethodPut, "/v1/me/player/play", url.Values{"device_id": {device}}, map[string]any{"uris": []string{uri}, "position_ms": 0}, nil)
}

// Pause stops playback. That nothing plays is no error.
func (a *API) Pause(ctx context.Context, device string) error {
	err := a.call(ctx, http.MethodPut, "/v1/me/player/pause", url.Values{"device_id": {device}}, nil, nil)
	var e *ServiceError
	if errors.As(err, &e) && e.Status == http.StatusForbidden && e.Reason != "PREMIUM_REQUIRED" { // "Restriction violated": paused already
		return nil
	}
	return err
}

// State asks what plays.
func (a *API) State(ctx context.Context) (State, error) {
	var out struct {
		Playing  bool   `json:"is_playing"`
		Kind     string `json:"currently_playing_type"`
		Progress int64  `json:"progress_ms"`
		Item     *struct {
			URI string `json:"uri"`
		} `json:"item"`
	}
	err := a.call(ctx, http.MethodGet, "/v1/me/player", nil, nil, &out)
	s := State{Playing: out.Playing, Kind: out.Kind, Position: time.Duration(out.Progress) * time.Millisecond}
	if out.Item != nil {
		s.URI = out.Item.URI
	}
	return s, err
}

// call makes a request as often as it makes sense: a token that has run out is renewed once, a rate limit is waited for as
// the service asks, a fault of the service or the network is tried again with growing pauses.
func (a *API) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	renewed := false
	for try := 1; ; try++ {
		if err := a.authorize(ctx); err != nil {
			return err
		}
		status, after, reason, err := a.once(ctx, method, path, query, body, out)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		fail := func(fatal bool, format string, args ...any) error {
			return &ServiceError{Status: status, Reason: reason, Fatal: fatal, Err: fmt.Errorf("%s %s: "+format, append([]any{method, path}, args...)...)}
		}
		wait := time.Duration(1<<min(try, 5)) * time.Second
		switch {
		case status == http.StatusUnauthorized && !renewed:
			a.token, renewed = "", true
			continue
		case status == http.StatusUnauthorized:
			return fail(true, "the service refuses the token (%w); does the app have the scopes user-modify-playback-state and user-read-playback-state?", err)
		case status == http.StatusTooManyRequests:
			if wait = max(after, time.Second); wait > apiLong {
				return fail(true, "the service asks for a pause of %v; go on then with the same command", wait)
			}
		case status == http.StatusForbidden:
			return fail(reason == "PREMIUM_REQUIRED", "%w (%s); playing by program needs Premium and an app that this account may use", err, reason)
		case status >= 400 && status < 500:
			return fail(false, "%w", err)
		}
		if try == apiTries {
			return fail(false, "%w, %d times", err, try)
		}
		if err := a.Clock.Wait(ctx, wait); err != nil {
			return err
		}
	}
}

// once makes one request.
func (a *API) once(ctx context.Context, method, path string, query url.Values, body, out any) (status int, after time.Duration, reason string, err error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, 0, "", err
		}
		payload = bytes.NewReader(b)
	}
	at := strings.TrimSuffix(a.Base, "/") + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, payload)
	if err != nil {
		return 0, 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	b, res, err := a.send(req)
	if err != nil {
		return 0, 0, "", err
	}
	if s, e := strconv.Atoi(res.Header.Get("Retry-After")); e == nil && s >= 0 {
		after = time.Duration(s) * time.Second
	}
	if res.StatusCode/100 == 2 {
		if out != nil && len(bytes.TrimSpace(b)) > 0 { // 204: nothing plays
			if err := json.Unmarshal(b, out); err != nil {
				return res.StatusCode, 0, "", fmt.Errorf("the answer is not what the service documents: %w", err)
			}
		}
		return res.StatusCode, 0, "", nil
	}
	var e struct {
		Error struct {
			Message string `json:"message"`
			Reason  string `json:"reason"`
		} `json:"error"`
	}
	_ = json.Unmarshal(b, &e) // without a message the status has to do
	if e.Error.Message == "" {
		e.Error.Message = http.StatusText(res.StatusCode)
	}
	return res.StatusCode, after, e.Error.Reason, fmt.Errorf("%d %s", res.StatusCode, e.Error.Message)
}

func (a *API) send(req *http.Request) ([]byte, *http.Response, error) {
	if a.client == nil {
		a.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: a.dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: time.Minute,
		}}
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, apiAnswer))
	return b, res, err
}

// tokenMargin is how long before its end a token is renewed.
const tokenMargin = time.Minute

// authorize gets an access token for the operator's refresh token (RFC 6749, section 6), unless one is at hand.
func (a *API) authorize(ctx context.Context) error {
	if a.token != "" && a.Clock.Now().Before(a.until) {
		return nil
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.RefreshKey}, "client_id": {a.ClientID}}
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.Auth, "/")+"/api/token", strings.NewReader(form.Encode()))
		if err != nil {
			return &ServiceError{Fatal: true, Err: err}
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if a.Secret != "" {
			req.SetBasicAuth(url.QueryEscape(a.ClientID), url.QueryEscape(a.Secret))
		}
		b, res, err := a.send(req)
		var t struct {
			Token       string `json:"access_token"`
			Seconds     int64  `json:"expires_in"`
			Refresh     string `json:"refresh_token"`
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err == nil {
			_ = json.Unmarshal(b, &t) // without a token it is refused below
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && res.StatusCode == http.StatusOK && t.Token != "":
			a.token, a.until = t.Token, a.Clock.Now().Add(time.Duration(t.Seconds)*time.Second-tokenMargin)
			if t.Refresh != "" {
				a.RefreshKey = t.Refresh
			}
			return nil
		case err == nil && res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests:
			return &ServiceError{Status: res.StatusCode, Fatal: true, Err: fmt.Errorf("the service refuses the refresh token (%s %s); authorize the app again and set SPOTIFY_REFRESH_TOKEN", t.Error, t.Description)}
		case err == nil && res.StatusCode == http.StatusOK:
			return &ServiceError{Fatal: true, Err: errors.New("the service gave no token; is --auth-base right?")}
		case try == apiTries:
			if err == nil {
				err = fmt.Errorf("status %d", res.StatusCode)
			}
			return &ServiceError{Err: fmt.Errorf("the service gives no token: %w", err)}
		}
		wait := time.Duration(1<<try) * time.Second
		if err == nil {
			if s, e := strconv.Atoi(res.Header.Get("Retry-After")); e == nil && s > 0 {
				if wait = time.Duration(s) * time.Second; wait > apiLong {
					return &ServiceError{Status: res.StatusCode, Fatal: true, Err: fmt.Errorf("the service asks for a pause of %v; go on then with the same command", wait)}
				}
			}
		}
		if err := a.Clock.Wait(ctx, wait); err != nil {
			return err
		}
	}
}
