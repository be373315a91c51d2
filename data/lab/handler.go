package lab

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
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
	ongoing   map[*counter]bool // that go on, and are not told yet
}

// response is what the server sent for one request; of one that goes on, what it sent until it was asked.
type response struct {
	Begin, End time.Time
	File       string // base name
	Protocol   int    // HTTP's major version
	Status     int
	Bytes      int64 // of the body
}

func newHandler() *handler {
	return &handler{now: time.Now, mounts: map[string]string{}, ongoing: map[*counter]bool{}}
}

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

// take returns the responses since the last call, with those that go on (a browser takes one large file as it plays), and forgets all
// mounts.
func (h *handler) take() []response {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.responses
	for c := range h.ongoing {
		r = append(r, c.response(h.now()))
	}
	h.responses = nil
	clear(h.ongoing)
	clear(h.mounts)
	return r
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.URL.Path)
	c := &counter{ResponseWriter: w, begin: h.now(), file: path.Base(name), protocol: r.ProtoMajor}
	c.status.Store(http.StatusOK)
	h.mu.Lock()
	h.ongoing[c] = true
	h.mu.Unlock()
	h.serve(c, r, name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ongoing[c] { // else it was told with an earlier capture, which it belongs to
		delete(h.ongoing, c)
		h.responses = append(h.responses, c.response(h.now()))
	}
}

// types of the files there are. The system's table is not asked: it differs between machines.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript",
	".json": "application/json", ".xml": "text/xml", ".txt": "text/plain; charset=utf-8",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".svg": "image/svg+xml", ".webp": "image/webp",
	".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".pdf": "application/pdf",
	".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml", ".mp4": "video/mp4", ".m4s": "video/iso.segment",
	".m4a": "audio/mp4", ".webm": "video/webm", ".ogg": "audio/ogg",
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, name string) {
	typ, ok := types[strings.ToLower(path.Ext(name))]
	if name == "/" {
		name, typ, ok = "/index.html", types[".html"], true
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	content, done, err := h.open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer done()
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeContent(w, r, name, time.Time{}, content) // no time of change, which would be a header
}

// open finds what lies under a clean path.
func (h *handler) open(name string) (content io.ReadSeeker, done func() error, err error) {
	inside, ok := strings.CutPrefix(name, "/m/")
	if !ok {
		b, err := playerFiles.ReadFile("player" + name)
		if name == "/list.json" {
			b, err = playlist, nil
		}
		return bytes.NewReader(b), func() error { return nil }, err
	}
	token, file, _ := strings.Cut(inside, "/")
	h.mu.Lock()
	folder, ok := h.mounts[token]
	h.mu.Unlock()
	if !ok || file == "" {
		return nil, nil, fs.ErrNotExist
	}
	f, err := os.OpenInRoot(folder, file) // links that lead out of the folder are no content of it
	if err != nil {
		return nil, nil, err
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		f.Close()
		return nil, nil, fs.ErrNotExist
	}
	return f, f.Close, nil
}

// playlist is what a listener sees who opens one: the same 50 titles in every capture.
var playlist = func() []byte {
	b := []byte(`{"name": "playlist", "items": [`)
	for i := range 50 {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "\n{\"id\": \"%016x\", \"title\": \"title %02d\", \"artist\": \"artist %02d\", \"seconds\": %d}", uint64(i+1)*0x9e3779b97f4a7c15, i, i%9, 120+7*i)
	}
	return append(b, "\n]}\n"...)
}()

// counter notes what a handler answers.
type counter struct {
	http.ResponseWriter
	begin         time.Time
	file          string
	protocol      int
	status, bytes atomic.Int64
}

func (c *counter) WriteHeader(status int) {
	c.status.Store(int64(status))
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

// response is what was sent until now.
func (c *counter) response(now time.Time) response {
	return response{Begin: c.begin, End: now, File: c.file, Protocol: c.protocol, Status: int(c.status.Load()), Bytes: c.bytes.Load()}
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
