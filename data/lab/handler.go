package lab

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"
)

// files of the page. hls.light.min.js is hls.js 1.7.4 (https://github.com/video-dev/hls.js), Apache-2.0, unchanged;
// its license is beside it.
//
//go:embed player
var playerFiles embed.FS

// handler is the web server's content: the player page, and media under paths that say nothing of what they hold. A path is
// /m/TOKEN/FILE; the token is drawn for each capture and is of one length, and FILE is the same for all media. What remains
// to tell media apart are the sizes and numbers of their segments, which is what is to be measured.
type handler struct {
	now func() time.Time

	mu        sync.Mutex
	mounts    map[string]string // token → folder
	responses []response
}

// response is what the server sent for one request.
type response struct {
	Begin, End time.Time
	File       string // base name
	Protocol   int    // HTTP's major version
	Status     int
	Bytes      int64 // of the body
}

func newHandler() *handler { return &handler{now: time.Now, mounts: map[string]string{}} }

// mount makes a folder reachable and returns the path of it.
func (h *handler) mount(dir string) string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	token := hex.EncodeToString(b[:])
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mounts[token] = dir
	return "/m/" + token + "/"
}

// take returns the responses since the last call and forgets all mounts.
func (h *handler) take() []response {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.responses
	h.responses = nil
	clear(h.mounts)
	return r
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &counter{ResponseWriter: w, status: http.StatusOK}
	begin := h.now()
	dir, file := path.Split(path.Clean(r.URL.Path))
	h.serve(c, r, dir, file)
	done := response{Begin: begin, End: h.now(), File: file, Protocol: r.ProtoMajor, Status: c.status, Bytes: c.bytes}
	h.mu.Lock()
	h.responses = append(h.responses, done)
	h.mu.Unlock()
}

// types of the files there are. The system's table is not asked: it differs between machines.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript", ".m3u8": "application/vnd.apple.mpegurl",
	".mpd": "application/dash+xml", ".mp4": "video/mp4", ".m4s": "video/iso.segment", ".m4a": "audio/mp4", ".webm": "video/webm",
	".ogg": "audio/ogg", ".css": "text/css", ".jpg": "image/jpeg", ".png": "image/png", ".json": "application/json",
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, dir, file string) {
	if file == "" {
		file = "index.html"
	}
	typ, ok := types[path.Ext(file)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Cache-Control", "max-age=3600")
	if dir == "/" {
		b, err := playerFiles.ReadFile("player/" + file)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(b))
		return
	}
	h.mu.Lock()
	folder, ok := h.mounts[path.Base(dir)]
	h.mu.Unlock()
	if !ok || path.Dir(path.Clean(dir)) != "/m" {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(filepath.Join(folder, file))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	http.ServeContent(w, r, file, time.Time{}, f) // no time of change, which would be a header
}

// counter notes what a handler answers.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
