package lab

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHandler(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "work")
	os.MkdirAll(filepath.Join(dir, "img"), 0o755)
	for name, content := range map[string]string{"work/segment-00001.m4s": "0123456789", "work/img/a.png": "png", "work/secret": "x", "other.m4s": "no"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../other.m4s", filepath.Join(dir, "out.m4s")); err != nil {
		t.Skip(err)
	}
	h := newHandler()
	a, b := h.mount(dir), h.mount(dir)
	if a == b || len(a) != len(b) || strings.Contains(a, "work") {
		t.Errorf("paths %s and %s: want two of one length that name nothing", a, b)
	}
	for _, c := range []struct {
		path, rangeHeader string
		status            int
		typ, body         string
	}{
		{"/", "", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"/player.js", "", 200, "text/javascript", "// The player page."},
		{"/hls.light.min.js", "", 200, "text/javascript", "!function"},
		{"/list.json", "", 200, "application/json", `{"name": "playlist"`},
		{a + "segment-00001.m4s", "", 200, "video/iso.segment", "0123456789"},
		{b + "segment-00001.m4s", "bytes=2-4", 206, "video/iso.segment", "234"},
		{a + "img/a.png", "", 200, "image/png", "png"},
		{a + "secret", "", 404, "", ""},
		{a + "none.m4s", "", 404, "", ""},
		{a + "out.m4s", "", 404, "", ""},
		{a + "../../other.m4s", "", 404, "", ""},
		{a, "", 404, "", ""},
		{"/m/0123456789abcdef/segment-00001.m4s", "", 404, "", ""},
		{"/hls.LICENSE", "", 404, "", ""},
	} {
		r := httptest.NewRequest("GET", "https://"+hostName+c.path, nil)
		if c.rangeHeader != "" {
			r.Header.Set("Range", c.rangeHeader)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || c.status < 300 && (w.Header().Get("Content-Type") != c.typ || !strings.HasPrefix(w.Body.String(), c.body)) {
			t.Errorf("%s: %d %s %.20q", c.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("Last-Modified") != "" || w.Header().Get("ETag") != "" {
			t.Errorf("%s: a header tells one file from another: %v", c.path, w.Header())
		}
	}
	got := h.take()
	if len(got) != 14 || got[4].File != "segment-00001.m4s" || got[4].Bytes != 10 || got[5].Bytes != 3 || got[5].Status != 206 || got[4].Protocol != 1 {
		t.Errorf("responses: %+v", got)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "https://"+hostName+a+"segment-00001.m4s", nil))
	if w.Code != 404 {
		t.Error("a path of an earlier capture still works")
	}
}

// slowWriter is a client that takes the first byte and then nothing until it is let go.
type slowWriter struct {
	*httptest.ResponseRecorder
	first, rest chan bool
}

func (w *slowWriter) Write(b []byte) (int, error) {
	w.ResponseRecorder.Write(b[:1])
	w.first <- true
	<-w.rest
	return 1, io.ErrClosedPipe
}

// TestHandlerOpen: a response that goes on when a capture ends is told with that capture, as far as it went, and not with the next one.
func TestHandlerOpen(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "media.ogg"), make([]byte, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHandler()
	r := httptest.NewRequest("GET", "https://"+hostName+h.mount(dir)+"media.ogg", nil)
	r.Header.Set("Range", "bytes=10-")
	w := &slowWriter{httptest.NewRecorder(), make(chan bool), make(chan bool)}
	done := make(chan bool)
	go func() { h.ServeHTTP(w, r); close(done) }()
	<-w.first
	got := h.take()
	if len(got) != 1 || got[0].File != "media.ogg" || got[0].Status != 206 || got[0].Protocol != 1 || got[0].End.Before(got[0].Begin) {
		t.Errorf("%+v", got)
	}
	w.rest <- true
	<-done
	if got := h.take(); len(got) != 0 {
		t.Errorf("told again: %+v", got)
	}
}

// TestCertificate has a client accept the certificate for the one name, for a fortnight, from the authority that signed it.
func TestCertificate(t *testing.T) {
	now := time.Now()
	cert, pin, err := newCertificate(now)
	if err != nil {
		t.Fatal(err)
	}
	if len(pin) != 44 {
		t.Errorf("pin %q is no base64 of 32 bytes", pin)
	}
	root, err := x509.ParseCertificate(cert.Certificate[1])
	if err != nil {
		t.Fatal(err)
	}
	if life := root.NotAfter.Sub(now); life > 15*24*time.Hour {
		t.Errorf("an authority of %v", life)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the second client refuses the certificate, which is wanted
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(root)
	for name, want := range map[string]bool{hostName: true, "example.com": false} {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}}}
		r, err := c.Get(s.URL)
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			r.Body.Close()
		}
	}
}
