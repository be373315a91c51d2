package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Format is how a work is encoded and served.
type Format struct {
	Delivery string        // hls, dash: in segments; progressive: one file
	Codec    string        // opus, vorbis, aac; of a variable bit rate each
	Kbits    int           // mean bit rate, kbit/s
	Segment  time.Duration // length of a segment
}

// Deliveries, Codecs and Bitrates are what Format can be.
var (
	Deliveries = []string{"hls", "dash", "progressive"}
	Codecs     = []string{"opus", "vorbis", "aac"}
	Bitrates   = []int{96, 128, 160, 192, 256, 320}
)

// Check refuses what cannot be made.
func (f Format) Check() error {
	switch {
	case !slices.Contains(Deliveries, f.Delivery):
		return fmt.Errorf("delivery %q: it is one of %s", f.Delivery, strings.Join(Deliveries, ", "))
	case !slices.Contains(Codecs, f.Codec):
		return fmt.Errorf("codec %q: it is one of %s", f.Codec, strings.Join(Codecs, ", "))
	case !slices.Contains(Bitrates, f.Kbits):
		return fmt.Errorf("bit rate %d: it is one of %s", f.Kbits, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(Bitrates)), ", "), "[]"))
	case f.Segment < time.Second || f.Segment > time.Minute:
		return fmt.Errorf("segments of %v: 1s to 1m is possible", f.Segment)
	case f.Delivery == "hls" && f.Codec == "vorbis":
		return fmt.Errorf("vorbis is not carried by hls; take --delivery dash or progressive")
	}
	return nil
}

// quality is the encoder's setting whose mean rate is closest; a fixed rate would flatten what distinguishes one song from
// another. Rates of Vorbis are those of its specification, those of ffmpeg's AAC were measured on orchestral music.
var quality = map[string]map[int]string{
	"vorbis": {96: "2", 128: "4", 160: "5", 192: "6", 256: "8", 320: "9"},
	"aac":    {96: "0.6", 128: "0.9", 160: "1.2", 192: "1.4", 256: "1.8", 320: "2.2"},
}

// codecArgs are ffmpeg's arguments that choose the encoder.
func (f Format) codecArgs() []string {
	switch f.Codec {
	case "opus":
		return []string{"-c:a", "libopus", "-vbr", "on", "-b:a", strconv.Itoa(f.Kbits) + "k", "-ar", "48000"}
	case "vorbis":
		return []string{"-c:a", "libvorbis", "-q:a", quality["vorbis"][f.Kbits], "-ar", "44100"}
	}
	return []string{"-c:a", "aac", "-q:a", quality["aac"][f.Kbits], "-ar", "44100"}
}

// file is the one file of progressive delivery.
func (f Format) file() string {
	if f.Codec == "aac" {
		return "media.m4a"
	}
	return "media.ogg"
}

// muxArgs are ffmpeg's arguments that choose the files, whose names are the same for every work.
func (f Format) muxArgs(dir string) []string {
	step := strconv.FormatFloat(f.Segment.Seconds(), 'f', -1, 64)
	switch f.Delivery {
	case "hls":
		return []string{
			"-f", "hls", "-hls_time", step, "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-hls_flags", "independent_segments",
			"-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", filepath.Join(dir, "segment-%05d.m4s"), filepath.Join(dir, "media.m3u8"),
		}
	case "dash":
		container := "webm"
		if f.Codec == "aac" {
			container = "mp4"
		}
		return []string{
			"-f", "dash", "-seg_duration", step, "-use_template", "1", "-use_timeline", "0", "-dash_segment_type", container,
			"-init_seg_name", "init.$ext$", "-media_seg_name", "segment-$Number%05d$.$ext$", filepath.Join(dir, "media.mpd"),
		}
	}
	return []string{"-movflags", "+faststart", filepath.Join(dir, f.file())}
}

// encode makes the files of a work in dir. Titles and the like are left out: they would make files of different sizes.
func (f Format) encode(ctx context.Context, ffmpeg, work, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := []string{"-v", "error", "-nostdin", "-i", work, "-map", "0:a:0", "-map_metadata", "-1", "-ac", "2"}
	c := exec.CommandContext(ctx, ffmpeg, append(append(args, f.codecArgs()...), f.muxArgs(dir)...)...)
	var said bytes.Buffer
	c.Stderr = &said
	dieWithParent(c)
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%s: ffmpeg: %w: %s", filepath.Base(work), err, line)
	}
	return nil
}

// Work is a piece to be played.
type Work struct {
	Name string // base name of the file without its ending
	Path string
}

// FindWorks lists the audio files of a folder by name.
func FindWorks(dir string) ([]Work, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	var works []Work
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || !slices.Contains([]string{".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".flac", ".wav", ".webm", ".mp4", ".mkv"}, ext) {
			continue
		}
		w := Work{Name: strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), Path: filepath.Join(dir, e.Name())}
		if i := slices.IndexFunc(works, func(o Work) bool { return o.Name == w.Name }); i >= 0 {
			return nil, fmt.Errorf("lab: %s and %s have the same name; rename one", works[i].Path, w.Path)
		}
		works = append(works, w)
	}
	if len(works) == 0 {
		return nil, fmt.Errorf("lab: %s: no audio files (ogg, opus, mp3, m4a, flac, wav) in this folder", dir)
	}
	return works, nil
}

// duration asks ffprobe how long a work is.
func (w Work) duration(ctx context.Context, ffprobe string) (time.Duration, error) {
	c := exec.CommandContext(ctx, ffprobe, "-v", "error", "-show_entries", "format=duration", "-of", "default=nw=1:nk=1", w.Path)
	dieWithParent(c)
	b, err := c.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: ffprobe: %w; is it an audio file?", filepath.Base(w.Path), err)
	}
	s, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: ffprobe: %q is no duration", filepath.Base(w.Path), b)
	}
	return time.Duration(s * float64(time.Second)), nil
}
