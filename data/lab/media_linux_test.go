package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFormatArgs: every format that Check lets pass has an encoder setting, and files whose names say nothing of the work.
func TestFormatArgs(t *testing.T) {
	n := 0
	for _, d := range Deliveries {
		for _, c := range Codecs {
			for _, k := range Bitrates {
				f := Format{d, c, k, 4 * time.Second}
				if d == "progressive" {
					f.Segment = 0
				}
				if f.Check() != nil {
					continue
				}
				n++
				args := append(f.codecArgs(), f.muxArgs("DIR")...)
				if slices.Contains(args, "") || !strings.HasPrefix(args[len(args)-1], filepath.Join("DIR", "media.")) {
					t.Errorf("%v: %q", f, args)
				}
			}
		}
	}
	if want := (3*3 - 1) * 6; n != want {
		t.Errorf("%d formats, want %d", n, want)
	}
	for _, f := range []Format{PageFormat, VideoFormat(2 * time.Second)} {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
	v := strings.Join(VideoFormat(2*time.Second).videoArgs("DIR", true), " ")
	if !strings.Contains(v, "split=3[s0][s1][s2];[s0]scale=-2:240[v0]") || !strings.Contains(v, "-var_stream_map v:0,a:0 v:1,a:1 v:2,a:2 ") || strings.Count(v, "-map 0:a:0") != 3 {
		t.Error(v)
	}
	if v := strings.Join(VideoFormat(2*time.Second).videoArgs("DIR", false), " "); !strings.Contains(v, "-var_stream_map v:0 v:1 v:2 ") || strings.Contains(v, "0:a:0") {
		t.Error(v)
	}
}

// TestFiles encodes a few seconds into every delivery and looks at the files.
func TestFiles(t *testing.T) {
	tools := needLab(t)
	w := tune(t, tools, t.TempDir(), 9, 6000)
	for _, c := range []struct {
		f     Format
		files string
	}{
		{Format{"hls", "opus", 128, 4 * time.Second}, "init.mp4 media.m3u8 segment-00000.m4s segment-00001.m4s segment-00002.m4s"},
		{Format{"dash", "vorbis", 128, 4 * time.Second}, "init.webm media.mpd segment-00001.webm segment-00002.webm segment-00003.webm"},
		{Format{"progressive", "aac", 128, 0}, "media.m4a"},
	} {
		dir := t.TempDir()
		if err := c.f.encode(t.Context(), tools, w.Path, dir); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		size := int64(0)
		for _, e := range entries {
			names = append(names, e.Name())
			st, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			size += st.Size()
		}
		if got := strings.Join(names, " "); got != c.files {
			t.Errorf("%v: %s, want %s", c.f, got, c.files)
		}
		if kbits := float64(size) * 8 / 9 / 1000; kbits < 64 || kbits > 192 {
			t.Errorf("%v: %.0f kbit/s, want about 128", c.f, kbits)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.ogg")
	os.WriteFile(bad, []byte("no music"), 0o644)
	if err := (Format{"hls", "opus", 128, 4 * time.Second}).encode(t.Context(), tools, bad, t.TempDir()); err == nil || !strings.Contains(err.Error(), "bad.ogg: ffmpeg") {
		t.Errorf("no music: %v", err)
	}
	if _, err := tools.duration(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "is it an audio or video file?") {
		t.Errorf("no music: %v", err)
	}
	if d, err := tools.duration(t.Context(), w.Path); err != nil || d != 9*time.Second {
		t.Errorf("%v long, %v", d, err)
	}
}
