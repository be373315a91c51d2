package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// scratch is the folder of everything temporary: encoded media, browser profiles. Its lock is held as long as the process lives,
// so that the next start can tell what a killed one left behind.
type scratch struct {
	dir  string
	lock *os.File
}

const scratchPrefix = "earshot-lab-"

// longestSocket is what a browser adds to the folder's path.
const longestSocket = "/r255-99999/org.chromium.Chromium.XXXXXX/SingletonSocket"

// newScratch removes the folders of recorders that are gone, with the processes that still use them, and makes a new one.
func newScratch() (*scratch, error) {
	root := os.TempDir()
	// The lock on the folder above keeps another start from taking a folder that is not locked yet for a leftover.
	above, err := lockFolder(root, unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	defer above.Close()
	if err := sweep(root); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	dir, err := os.MkdirTemp(root, scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if n := len(dir) + len(longestSocket); n >= len(unix.RawSockaddrUnix{}.Path) {
		return nil, errors.Join(fmt.Errorf("lab: %s: the path is %d bytes too long for the browser's socket; set TMPDIR=/tmp", root, n-len(unix.RawSockaddrUnix{}.Path)+1), os.Remove(dir))
	}
	lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lab: %w", err), os.Remove(dir))
	}
	return &scratch{dir, lock}, nil
}

func (s *scratch) close() error {
	if s == nil {
		return nil
	}
	killUsers(s.dir)
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// lockFolder opens a folder and locks it.
func lockFolder(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

func sweep(root string) error {
	left, err := filepath.Glob(filepath.Join(root, scratchPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
		if err != nil {
			continue // in use
		}
		killUsers(dir)
		err = os.RemoveAll(dir)
		lock.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// killUsers ends the processes that name dir in their command line, and waits until they are gone. The browser's main process dies
// with the recorder, but its helpers can live a moment longer.
func killUsers(dir string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		procs, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return
		}
		found := false
		for _, p := range procs {
			pid, _ := strconv.Atoi(filepath.Base(p))
			line, err := os.ReadFile(filepath.Join(p, "cmdline"))
			if err == nil && pid != os.Getpid() && names(line, dir) {
				unix.Kill(pid, unix.SIGKILL)
				found = true
			}
		}
		if !found {
			return
		}
	}
}

// names reports whether a command line has dir, or a file in it, in one of its arguments.
func names(line []byte, dir string) bool {
	return bytes.Contains(line, []byte(dir+"/")) || bytes.Contains(append(line, 0), []byte(dir+"\x00"))
}
