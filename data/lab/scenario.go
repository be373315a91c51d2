package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earshot/data/dataset"
)

// Scenarios are what can be recorded: music, video, and web pages.
var Scenarios = []string{Songs, Video, Pages}

const (
	Songs = "songs" // a folder of audio files; formats as asked for
	Video = "video" // a folder of films; H.264 at three rates between which the player chooses
	Pages = "pages" // a folder of folders, each a web page with its index.html
)

// Axes are the label axes of a recorded data set. The first says what was played: song, video or page.
func Axes(scenario string) []string {
	return append([]string{label[scenario]},
		"bitrate", "codec", "delivery", "segment", "protocol", "network", "ad", "action", "repetition", sessionAxis, "browser", "rig", "order")
}

// sessionAxis is the one axis that the store labels.
const sessionAxis = "session"

var label = map[string]string{Songs: "song", Video: "video", Pages: "page"}

// endings of the files that a scenario plays.
var endings = map[string][]string{
	Songs: {".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".flac", ".wav"},
	Video: {".mp4", ".m4v", ".mkv", ".webm", ".ogv", ".avi", ".mov"},
}

// Work is a piece to be played or shown.
type Work struct {
	Name   string // base name without the ending
	Path   string
	Credit dataset.Work // who made it, and its license; nil: not told
}

// FindWorks lists what a folder has for a scenario, by name, with the credits in its works.csv.
func FindWorks(scenario, dir string) ([]Work, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	var works []Work
	for _, e := range entries {
		w := Work{Name: strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), Path: filepath.Join(dir, e.Name())}
		if scenario == Pages {
			if st, err := os.Stat(filepath.Join(w.Path, "index.html")); err != nil || !st.Mode().IsRegular() {
				continue
			}
			w.Name = e.Name()
		} else if e.IsDir() || !slices.Contains(endings[scenario], strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		if i := slices.IndexFunc(works, func(o Work) bool { return o.Name == w.Name }); i >= 0 {
			return nil, fmt.Errorf("lab: %s and %s have the same name; rename one", works[i].Path, w.Path)
		}
		works = append(works, w)
	}
	if len(works) == 0 {
		if scenario == Pages {
			return nil, fmt.Errorf("lab: %s: no folder with an index.html in this folder; name the folder that holds them", dir)
		}
		return nil, fmt.Errorf("lab: %s: no %s files (%s) in this folder; name the folder that holds them", dir, label[scenario], strings.Join(endings[scenario], " "))
	}
	return works, credit(works, label[scenario], filepath.Join(dir, creditsName))
}
