package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"earshot/data/dataset"
	"earshot/data/lab"
	"earshot/data/lab/servicetest"
)

// TestCollectRefuses: what is wrong is said before anything is opened or made, above all a missing statement.
func TestCollectRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(envClientID, "")
	for name, text := range map[string]string{
		"songs.csv": "song,uri\na,spotify:track:1\n", "twice.csv": "song,uri\na,spotify:track:1\na,spotify:track:2\n", "bad.csv": "song,uri\na,http://x\n",
		"none.csv": "song,uri\n", "columns.csv": "name,link\nx,y\n", "empty.csv": "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--songs songs.csv", 2, "--authorized is needed"},
		{"--songs songs.csv --authorized SPACE", 2, "--authorized is needed"},
		{"--songs gone.csv", 2, "--authorized is needed"}, // nothing is opened, not even the table
		{"--songs gone.csv --authorized x", 1, "gone.csv: does not exist; check the path"},
		{"--songs empty.csv --authorized x", 1, "empty.csv: is empty; the first line is song,uri"},
		{"--songs columns.csv --authorized x", 1, "columns.csv: no columns song and uri; the first"},
		{"--songs none.csv --authorized x", 2, "no songs; name them"},
		{"--songs twice.csv --authorized x", 2, "is named twice"},
		{"--songs bad.csv --authorized x", 2, "a uri such as spotify:track:ID"},
		{"--songs songs.csv --authorized x --captures 0", 2, "0 captures"},
		{"--songs songs.csv --authorized x --seconds 0.1", 2, "captures of 100ms"},
		{"--songs songs.csv --authorized x --api-base localhost", 2, "--api-base"},
		{"--songs songs.csv --authorized x --servers nonsense", 2, "--servers"},
		{"--songs songs.csv --authorized x --servers @gone.txt", 1, "gone.txt: does not exist"},
		{"--songs songs.csv --authorized x", 1, "SPOTIFY_CLIENT_ID or SPOTIFY_REFRESH_TOKEN is not set; see"},
		{"--authorized x", 2, "songs"},
	} {
		args := []string{"data", "collect", "--interface", "lo", "--out", "new"}
		for _, f := range strings.Fields(c.args) {
			args = append(args, strings.ReplaceAll(f, "SPACE", " "))
		}
		code, _, errs := in(args...)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d: %s", c.args, code, errs)
		}
	}
	t.Setenv(envClientID, "x")
	t.Setenv(envRefresh, "x")
	if code, _, errs := in("data", "collect", "--interface", "lo", "--out", "new", "--songs", "songs.csv", "--authorized", "x", "--browser", "no-such-browser"); code != 1 || !strings.Contains(errs, "no-such-browser: no such program; install") {
		t.Errorf("%d: %s", code, errs)
	}
	if _, err := os.Stat("new"); err == nil {
		t.Error("a data set was made")
	}
}

// TestCollectCommand runs the command against a stand-in of the service with a real browser, twice.
func TestCollectCommand(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a packet socket needs root")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium here")
	}
	t.Chdir(t.TempDir())
	s, err := servicetest.Start("127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Setenv(envClientID, servicetest.ClientID)
	t.Setenv(envRefresh, servicetest.RefreshToken)
	t.Setenv(envSecret, "")
	if err := os.WriteFile("songs.csv", []byte("song,uri\nfirst,spotify:track:first\nsecond,spotify:track:second\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	collect := func(captures string) lab.CollectReport {
		code, out, errs := in("data", "collect", "--songs", "songs.csv", "--interface", "lo", "--out", "ds", "--authorized", "a test's own service", "--seconds", "1",
			"--captures", captures, "--machine", "bench", "--browser", "chromium", "--headless", "--profile", filepath.Join(t.TempDir(), "profile"),
			"--api-base", s.URL, "--auth-base", s.URL, "--player-url", s.URL+"/player", "--json")
		var r lab.CollectReport
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
			t.Fatalf("status %d: %s%s", code, out, errs)
		}
		return r
	}
	if r := collect("1"); r.Captures != 2 || r.Servers != 1 {
		t.Errorf("%+v", r)
	}
	if r := collect("1"); r.Captures != 0 || r.Skipped != 2 {
		t.Errorf("%+v", r)
	}
	set, err := dataset.Open("ds")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Included()) != 2 || set.Manifest.Authorized != "a test's own service" {
		t.Errorf("%+v", set.Manifest)
	}
	if code, out, errs := in("bin", "ds", "--label", "song", "--step", "100ms", "--duration", "1s", "--out", "X.npz"); code != 0 {
		t.Errorf("%s%s", out, errs)
	}
}
