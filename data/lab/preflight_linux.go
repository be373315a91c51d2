package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// preflight finds the tools. The error names everything that is missing, and how to get it, at once.
func preflight() (tools, error) {
	var t tools
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root (network namespaces: run it with sudo)")
	} else if err := canUnshare(); err != nil {
		missing = append(missing, fmt.Sprintf("the right to make network namespaces (%v; in a container: --privileged)", err))
	}
	for _, p := range []struct {
		path  *string
		names []string
		how   string
	}{
		{&t.chromium, []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, "apt-get install chromium"},
		{&t.ffmpeg, []string{"ffmpeg"}, "apt-get install ffmpeg"},
		{&t.ffprobe, []string{"ffprobe"}, "apt-get install ffmpeg"},
		{&t.nsenter, []string{"nsenter"}, "apt-get install util-linux"},
	} {
		for _, n := range p.names {
			if path, err := exec.LookPath(n); err == nil {
				*p.path = path
				break
			}
		}
		if *p.path == "" {
			missing = append(missing, fmt.Sprintf("%s (%s)", p.names[0], p.how))
		}
	}
	if missing != nil {
		return t, fmt.Errorf("lab: this machine lacks %s", strings.Join(missing, ", "))
	}
	return t, nil
}

func canUnshare() error {
	return onThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
}
