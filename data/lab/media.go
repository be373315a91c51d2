package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Format is how a work is encoded and served.
type Format struct {
	Delivery string        // hls, dash: in segments; progressive: one file; page: as it is
	Codec    string        // opus, vorbis, aac, each of a variable bit rate; h264
	Kbits    int           // mean bit rate, kbit/s; 0: the player chooses
	Segment  time.Duration // length of a segment; 0: one file
}

// PageFormat is that of web pages.
var PageFormat = Format{Delivery: "page", Codec: "none"}

// VideoFormat is that of films in segments of a length.
func VideoFormat(segment time.Duration) Format {
	return Format{Delivery: "hls", Codec: "h264", Segment: segment}
}

// Deliveries, Codecs and Bitrates are what the Format of music can be.
var (
	Deliveries = []string{"hls", "dash", "progressive"}
	Codecs     = []string{"opus", "vorbis", "aac"}
	Bitrates   = []int{96, 128, 160, 192, 256, 320}
)

func (f Format) String() string {
	if f == PageFormat {
		return "page"
	}
	return fmt.Sprintf("%s-%s-%d-%v", f.Delivery, f.Codec, f.Kbits, f.Segment)
}

// Check refuses what cannot be made.
func (f Format) Check() error {
	switch {
	case f == PageFormat:
		return nil
	case f.Delivery == "progressive" && f.Segment != 0:
		return fmt.Errorf("segments of %v: progressive is one file", f.Segment)
	case f.Delivery != "progressive" && (f.Segment < time.Second || f.Segment > time.Minute):
		return fmt.Errorf("segments of %v: 1s to 1m is possible", f.Segment)
	case f == VideoFormat(f.Segment):
		return nil
	case !slices.Contains(Deliveries, f.Delivery):
		return fmt.Errorf("delivery %q: it is one of %s", f.Delivery, strings.Join(Deliveries, ", "))
	case !slices.Contains(Codecs, f.Codec):
		return fmt.Errorf("codec %q: it is one of %s", f.Codec, strings.Join(Codecs, ", "))
	case !slices.Contains(Bitrates, f.Kbits):
		return fmt.Errorf("bit rate %d: it is one of %s", f.Kbits, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(Bitrates)), ", "), "[]"))
	case f.Delivery == "hls" && f.Codec == "vorbis":
		return fmt.Errorf("vorbis is not carried by hls; take the delivery dash or progressive")
	}
	return nil
}

// quality is the encoder's setting whose mean rate is closest; a fixed rate would flatten what distinguishes one song from
// another. Rates of Vorbis are those of its specification. Those of ffmpeg's AAC are interpolated between means over 25 s of twelve
// pieces, orchestral and electronic: 0.5 gave 97 kbit/s, 0.7 122, 0.9 150, 1.1 183, 1.3 203, 1.6 239, 1.9 287, 2.2 328.
var quality = map[string]map[int]string{
	"vorbis": {96: "2", 128: "4", 160: "5", 192: "6", 256: "8", 320: "9"},
	"aac":    {96: "0.5", 128: "0.74", 160: "0.96", 192: "1.2", 256: "1.7", 320: "2.14"},
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
func (f Format) encode(ctx context.Context, t tools, work, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := []string{"-v", "error", "-nostdin", "-i", work, "-map_metadata", "-1"}
	if f.Codec == "h264" {
		audio, err := t.hasAudio(ctx, work)
		if err != nil {
			return err
		}
		args = append(args, f.videoArgs(dir, audio)...)
	} else {
		args = append(append(append(args, "-map", "0:a:0", "-ac", "2"), f.codecArgs()...), f.muxArgs(dir)...)
	}
	return t.run(ctx, work, args...)
}
