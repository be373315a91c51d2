//go:build unix

package dataset

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock is an advisory lock on a file of the folder. The system drops it with the process, however that ends, so that a lock is
// never stale.
type lock struct {
	file *os.File
	made bool // the folder was made for this writer
}

const lockName = ".lock"

func lockDir(dir string) (*lock, error) {
	path := filepath.Join(dir, lockName)
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if err == syscall.EWOULDBLOCK {
				err = ErrLocked
			}
			return nil, err
		}
		// The holder before us may have removed the file between our open and our lock: then the lock is on nothing.
		have, err := f.Stat()
		if err == nil {
			if now, e := os.Stat(path); e == nil && os.SameFile(have, now) {
				return &lock{file: f}, nil
			}
		}
		f.Close()
	}
}

// release removes the lock, and a folder that was made for a writer who committed nothing.
func (l *lock) release(dir string) error {
	err := os.Remove(l.file.Name())
	if l.made {
		os.Remove(dir) // fails where there is anything in it, as it should
	}
	if e := l.file.Close(); err == nil {
		err = e
	}
	return err
}
