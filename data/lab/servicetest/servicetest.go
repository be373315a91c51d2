// Package servicetest is a stand-in for a music service: the part of Spotify's Web API that a collection uses, as it is
// documented, its accounts service, and a web player that plays what the API asks for. It answers on the loopback, for
// tests; it says nothing about how the real service behaves beyond its documents.
package servicetest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What the operator's app must present.
const (
	ClientID     = "client"
	RefreshToken = "refresh"
	DeviceID     = "device-1"
	DeviceName   = "Web Player (Test)"
	Asset        = "/asset" // of the player, which a browser may keep
	Button       = `[data-testid="control-button-playpause"]`
)

// Fault is an answer other than the documented good one.
type Fault struct {
	Status     int
	Reason     string // such as NO_ACTIVE_DEVICE
	Message    string
	RetryAfter string
	Body       string // instead of the documented error
}

// Server is the service.
type Server struct {
	URL string

	mu      sync.Mutex
	http    http.Server
	faults  map[string][]Fault
	calls   []string
	token   int
	revoked bool
	expired bool
	device  bool
	limited bool // the device is restricted
	playing bool
	uri     string
	instead string // what plays whatever is asked for
	since   time.Time
}

// Start listens on an address of the loopback, such as 127.0.0.2:0.
func Start(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + l.Addr().String(), faults: map[string][]Fault{}}
	m := http.NewServeMux()
	m.HandleFunc("POST /api/token", s.tokens)
	m.HandleFunc("GET /v1/me/player/devices", s.api(s.devices))
	m.HandleFunc("PUT /v1/me/player", s.api(s.transfer))
	m.HandleFunc("PUT /v1/me/player/play", s.api(s.play))
	m.HandleFunc("PUT /v1/me/player/pause", s.api(s.pause))
	m.HandleFunc("GET /v1/me/player", s.api(s.state))
	m.HandleFunc("GET /player", s.page)
	m.HandleFunc("GET "+Asset, s.asset)
	m.HandleFunc("POST /connect", s.connect)
	m.HandleFunc("GET /now", s.now)
	m.HandleFunc("GET /audio/{uri}", s.audio)
	s.http.Handler = m
	go s.http.Serve(l)
	return s, nil
}

// Close ends it.
func (s *Server) Close() error { return s.http.Close() }

// Fail makes the next calls of "METHOD /path" answer with faults, one each.
func (s *Server) Fail(call string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[call] = append(s.faults[call], faults...)
}

// Revoke makes the refresh token worthless; Expire the access token of the moment.
func (s *Server) Revoke() { s.set(func() { s.revoked = true }) }

// Expire makes the access token of the moment worthless.
func (s *Server) Expire() { s.set(func() { s.expired = true }) }

// Restrict makes the device one that takes no commands from programs.
func (s *Server) Restrict() { s.set(func() { s.limited = true }) }

// PlayInstead makes the service play something else than it is asked for, or with "" what it is asked for.
func (s *Server) PlayInstead(uri string) { s.set(func() { s.instead = uri }) }

func (s *Server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Calls are those that were made, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// fault answers with the next fault of a call, if there is one.
func (s *Server) fault(w http.ResponseWriter, call string) bool {
	s.calls = append(s.calls, call)
	list := s.faults[call]
	if len(list) == 0 {
		return false
	}
	s.faults[call] = list[1:]
	s.fail(w, list[0])
	return true
}

func (s *Server) fail(w http.ResponseWriter, f Fault) {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.WriteHeader(f.Status)
	if f.Body != "" {
		fmt.Fprint(w, f.Body)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"status": f.Status, "message": f.Message, "reason": f.Reason}})
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault(w, "POST /api/token") {
		return
	}
	if s.revoked || r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != RefreshToken || r.FormValue("client_id") != ClientID {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "Refresh token revoked"}`)
		return
	}
	s.token++
	s.expired = false
	json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("token-", s.token), "token_type": "Bearer", "expires_in": 3600, "scope": "user-modify-playback-state user-read-playback-state"})
}

// api checks the token of a call before f answers it.
func (s *Server) api(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fault(w, r.Method+" "+r.URL.Path) {
			return
		}
		if s.expired || r.Header.Get("Authorization") != fmt.Sprint("Bearer token-", s.token) {
			s.fail(w, Fault{Status: http.StatusUnauthorized, Message: "The access token expired"})
			return
		}
		f(w, r)
	}
}

func (s *Server) devices(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	if s.device {
		list = append(list, map[string]any{"id": DeviceID, "name": DeviceName, "type": "Computer", "is_active": true, "is_restricted": s.limited, "volume_percent": 100})
	}
	json.NewEncoder(w).Encode(map[string]any{"devices": list})
}

func (s *Server) transfer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Devices []string `json:"device_ids"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || !slices.Equal(in.Devices, []string{DeviceID}) || !s.device {
		s.fail(w, Fault{Status: http.StatusNotFound, Message: "Device not found"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) play(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URIs []string `json:"uris"`
		At   *int     `json:"position_ms"`
	}
	switch {
	case r.FormValue("device_id") != DeviceID || !s.device:
		s.fail(w, Fault{Status: http.StatusNotFound, Message: "Player command failed: No active device found", Reason: "NO_ACTIVE_DEVICE"})
	case json.NewDecoder(r.Body).Decode(&in) != nil || len(in.URIs) != 1 || in.At == nil || *in.At != 0:
		s.fail(w, Fault{Status: http.StatusBadRequest, Message: "Malformed json"})
	default:
		s.playing, s.uri, s.since = true, in.URIs[0], time.Now()
		if s.instead != "" {
			s.uri = s.instead
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) pause(w http.ResponseWriter, _ *http.Request) {
	if !s.playing {
		s.fail(w, Fault{Status: http.StatusForbidden, Message: "Player command failed: Restriction violated", Reason: "UNKNOWN"})
		return
	}
	s.playing = false
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) state(w http.ResponseWriter, _ *http.Request) {
	if s.uri == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{
		"is_playing": s.playing, "currently_playing_type": "track", "progress_ms": time.Since(s.since).Milliseconds(), "item": map[string]any{"uri": s.uri},
	})
}

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, page, strings.Repeat("\n", pageBytes))
}

// pageBytes are behind the page, which takes part in no capture: a real player is large.
const pageBytes = 300_000

// page plays what the service says is playing: a piece of the song every fifth of a second.
const page = `<!doctype html><title>player</title><button data-testid="control-button-playpause">play</button>
<script>
fetch("` + Asset + `");
const wait = ms => new Promise(r => setTimeout(r, ms));
document.querySelector("button").onclick = async () => {
  await fetch("/connect", {method: "POST"});
  for (;;) {
    const now = await (await fetch("/now")).text();
    if (now) await (await fetch("/audio/" + now)).arrayBuffer();
    await wait(200);
  }
};
</script>`

// asset is something that stays in a browser's cache.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	s.set(func() { s.calls = append(s.calls, r.Method+" "+r.URL.Path) })
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(make([]byte, 1000))
}

func (s *Server) connect(w http.ResponseWriter, _ *http.Request) {
	s.set(func() { s.device = true })
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) now(w http.ResponseWriter, _ *http.Request) {
	s.set(func() {
		if s.playing {
			fmt.Fprint(w, strings.TrimPrefix(s.uri, "spotify:track:"))
		}
	})
}

// audio sends a piece of a song; its size is the song's.
func (s *Server) audio(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Write(make([]byte, PieceBytes(r.PathValue("uri"))))
}

// PieceBytes is the size of a piece of a song.
func PieceBytes(song string) int {
	n := 0
	for _, b := range []byte(song) {
		n += int(b)
	}
	return 20_000 + n%7*10_000
}
