package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"earshot/data/dataset"
	"earshot/data/lab"

	"github.com/spf13/cobra"
)

// collectFlags are the flags of data collect.
type collectFlags struct {
	songs, iface, out, authorized, servers, machine string
	captures, perHour, attempts                     int
	seconds                                         float64
	browser, profile, button, device                string
	headless                                        bool
	apiBase, authBase, playerURL                    string
}

// Names of the variables that hold the operator's app and its key; never flags, which others see in the list of processes.
const (
	envClientID = "SPOTIFY_CLIENT_ID"
	envSecret   = "SPOTIFY_CLIENT_SECRET"
	envRefresh  = "SPOTIFY_REFRESH_TOKEN"
)

func newDataCollectCommand(a *app) *cobra.Command {
	var f collectFlags
	c := &cobra.Command{
		Use:   "collect --songs F.csv --interface IFACE --out DS --authorized STATEMENT",
		Short: "Collect captures of songs from Spotify's web player, on your own account",
		Long: `Collect captures of songs from Spotify's web player, on your own account.

For each capture the browser's cache is emptied, the web player opened and its play button pressed; the Web API starts the
song; everything that passes between the browser and the service's addresses is taken for --seconds, and appended to the
data set. A round is one capture of each song, in an order drawn anew. The same command again goes on where it stopped, and
with more --captures it appends; data merge unites the sets of several machines.

The addresses of the service lie in servers.txt of the data set: those of --servers, those that the browser's own network
events name, and those that you add. health.csv tells bytes expected and seen, truth.jsonl what happened when, with the bytes
on the web's port that went to addresses on no list.

--authorized states why you may record this traffic; without it nothing is opened. Use your own paid account: the service
streams to one player at a time and lets only Premium accounts be played by programs. Your app's data are read from
` + envClientID + `, ` + envSecret + ` (not for PKCE) and ` + envRefresh + ` (scopes user-modify-playback-state,
user-read-playback-state). The browser must be able to play protected music (Google Chrome; Debian's Chromium cannot), with
a --profile in which you have logged in before. It needs Linux and root, or CAP_NET_RAW.`,
		Example: `  earshot data collect --songs songs.csv --interface eth0 --captures 37 --per-hour 60 --profile chrome-profile --authorized "my own account and laptop" --out laptop
  earshot data merge laptop desktop --out songs`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.collect(cmd.Context(), cmd, &f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.songs, "songs", "", "csv with the columns song (the label) and uri (spotify:track:ID)")
	fl.StringVar(&f.iface, "interface", "", "network interface that leads to the service")
	fl.StringVar(&f.out, "out", "", "data set folder")
	fl.StringVar(&f.authorized, "authorized", "", "statement that you may record this traffic")
	fl.IntVar(&f.captures, "captures", 1, "captures of each song")
	fl.Float64Var(&f.seconds, "seconds", 60, "length of a capture, from asking for the song")
	fl.IntVar(&f.perHour, "per-hour", 60, "captures begun within an hour, at most, those of earlier runs included")
	fl.IntVar(&f.attempts, "attempts", 3, "for each capture, until it is whole")
	fl.StringVar(&f.servers, "servers", "", "addresses of the service that are known: CIDR,… or @FILE")
	fl.StringVar(&f.machine, "machine", "", "name of this machine, a label (default its host name)")
	fl.StringVar(&f.browser, "browser", "", "program (default google-chrome, else chromium)")
	fl.StringVar(&f.profile, "profile", "", "folder of the browser's profile, logged in to the service")
	fl.StringVar(&f.button, "button", lab.PlayButton, "CSS selector of the player's play button")
	fl.StringVar(&f.device, "device", "", "name of the web player among the account's devices (default the active one)")
	fl.BoolVar(&f.headless, "headless", false, "run the browser without a window")
	fl.StringVar(&f.apiBase, "api-base", lab.SpotifyAPI, "address of the Web API")
	fl.StringVar(&f.authBase, "auth-base", lab.SpotifyAuth, "address of the accounts service")
	fl.StringVar(&f.playerURL, "player-url", lab.SpotifyPlayer, "address of the web player")
	for _, name := range []string{"songs", "interface", "out"} {
		c.MarkFlagRequired(name)
	}
	return c
}

// readSongs reads the table of --songs.
func readSongs(path string) ([]lab.Song, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: is empty; the first line is song,uri", path)
	}
	song, uri := slices.Index(rows[0], "song"), slices.Index(rows[0], "uri")
	if song < 0 || uri < 0 {
		return nil, fmt.Errorf("%s: no columns song and uri; the first line is song,uri", path)
	}
	var out []lab.Song
	for _, row := range rows[1:] {
		out = append(out, lab.Song{Name: dataset.Text(row[song]), URI: strings.TrimSpace(row[uri])})
	}
	return out, nil
}

// options checks everything that can be known before anything is opened.
func (f *collectFlags) options(a *app) (o lab.CollectOptions, err error) {
	if f.authorized, err = statement("data collect", f.authorized); err != nil {
		return o, err
	}
	o = lab.CollectOptions{
		Captures: f.captures, Duration: time.Duration(f.seconds * float64(time.Second)), PerHour: f.perHour, Attempts: f.attempts, Seed: a.seed,
		Interface: f.iface, Authorized: f.authorized, Machine: f.machine, PlayerURL: f.playerURL, Device: f.device, Out: f.out,
		Clock: lab.WallClock{}, Log: a.logLine,
	}
	if o.Servers, err = dataset.ParsePrefixes(f.servers); err != nil {
		return o, fileOrUsage("data collect: --servers: %w", err)
	}
	for _, u := range []struct{ flag, at string }{{"api-base", f.apiBase}, {"auth-base", f.authBase}, {"player-url", f.playerURL}} {
		if p, err := url.Parse(u.at); err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http" {
			return o, usagef("data collect: --%s %q: an address such as https://api.spotify.com is needed", u.flag, u.at)
		}
	}
	if o.Songs, err = readSongs(f.songs); err != nil {
		return o, fmt.Errorf("data collect: --songs: %w", err)
	}
	if o.Machine == "" {
		if o.Machine, err = os.Hostname(); err != nil {
			return o, fmt.Errorf("data collect: the machine's name: %w; give it with --machine", err)
		}
	}
	if err := o.Check(); err != nil {
		return o, usagef("data collect: %w", err)
	}
	o.API = &lab.API{
		Base: f.apiBase, Auth: f.authBase, ClientID: os.Getenv(envClientID), Secret: os.Getenv(envSecret), RefreshKey: os.Getenv(envRefresh),
		Clock: o.Clock,
	}
	if o.API.ClientID == "" || o.API.RefreshKey == "" {
		return o, fmt.Errorf("data collect: %s or %s is not set; see earshot data collect --help for what they are", envClientID, envRefresh)
	}
	return o, nil
}

// program finds the browser.
func (f *collectFlags) program() (string, error) {
	names := []string{f.browser}
	if f.browser == "" {
		names = []string{"google-chrome", "google-chrome-stable", "chromium", "chromium-browser"}
	}
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("data collect: %s: no such program; install Google Chrome, or name a browser with --browser", strings.Join(names, ", "))
}

func (a *app) collect(ctx context.Context, cmd *cobra.Command, f *collectFlags) error {
	o, err := f.options(a)
	if err != nil {
		return err
	}
	path, err := f.program()
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	o.Session, o.Created = now.Format("20060102T150405Z"), now.Format(time.RFC3339)
	chrome, err := lab.StartChrome(ctx, lab.ChromeOptions{Path: path, Profile: f.profile, Headless: f.headless, Root: os.Geteuid() == 0, Button: f.button})
	if err != nil {
		return err
	}
	defer chrome.Close()
	o.Browser = chrome
	var once sync.Once
	var shown *bar
	o.Progress = func(done, total int, note string) {
		once.Do(func() { shown = a.progress("collect", int64(total), "captures") })
		shown.Set(int64(done), note)
	}
	r, err := lab.Collect(ctx, o)
	if shown != nil {
		shown.Done()
	}
	if errors.Is(err, context.Canceled) {
		return &interrupted{"data collect: stopped; what is stored is whole, go on with: " + again(cmd, nil)}
	}
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(r)
	} else {
		_, err = fmt.Fprintf(a.stdout, "%s: %d captures collected, %d there already, %d attempts repeated, %d given up; %d addresses of the service\n", f.out, r.Captures, r.Skipped, r.Again, r.Failed, r.Servers)
	}
	if err == nil && r.Failed > 0 {
		return fmt.Errorf("data collect: %s: %d captures were given up; health.csv says why, the same command tries them again", f.out, r.Failed)
	}
	return err
}
