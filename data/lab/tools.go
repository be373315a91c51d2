package lab

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tools are the programs that the lab runs.
type tools struct{ chromium, ffmpeg, ffprobe, nsenter string }

// run runs ffmpeg; work is what errors name.
func (t tools) run(ctx context.Context, work string, args ...string) error {
	c := exec.CommandContext(ctx, t.ffmpeg, args...)
	var said bytes.Buffer
	c.Stderr = &said
	dieWithParent(c)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%s: ffmpeg: %w: %s", filepath.Base(work), err, line)
	}
	return nil
}

// probe asks ffprobe for one value.
func (t tools) probe(ctx context.Context, work string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, t.ffprobe, append(append([]string{"-v", "error"}, args...), "-of", "default=nw=1:nk=1", work)...)
	dieWithParent(c)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: ffprobe: %w; is it an audio or video file?", filepath.Base(work), err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (t tools) duration(ctx context.Context, work string) (time.Duration, error) {
	v, err := t.probe(ctx, work, "-show_entries", "format=duration")
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: ffprobe: %q is no duration", filepath.Base(work), v)
	}
	return time.Duration(s * float64(time.Second)), nil
}

func (t tools) hasAudio(ctx context.Context, work string) (bool, error) {
	v, err := t.probe(ctx, work, "-select_streams", "a:0", "-show_entries", "stream=index")
	return v != "", err
}
