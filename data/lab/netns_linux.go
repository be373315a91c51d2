package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace without a name: it lives as long as somebody holds it open, so that the kernel removes it and
// every link in it when this process ends, however that happens.
type namespace struct{ file *os.File }

func newNamespace() (*namespace, error) {
	var ns *namespace
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		ns = &namespace{f}
		// IPv6 would send neighbor and router solicitations by itself. A kernel without IPv6 has no such file.
		err = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			f.Close()
			return err
		}
		return nil
	})
	return ns, err
}

// do runs f inside the namespace. Sockets that f opens stay in it, whichever goroutine uses them later; f must not start
// goroutines that open any.
func (n *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return f()
	})
}

// onThread runs f on a thread of its own. The thread is never unlocked, and therefore ends with f: no other goroutine can
// find itself in the namespace that it entered.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// command makes c run inside the namespace, by nsenter: c may be started from any thread.
func (n *namespace) command(c *exec.Cmd, nsenter string) {
	path := fmt.Sprintf("--net=/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
	c.Args = append([]string{nsenter, path, "--", c.Path}, c.Args[1:]...)
	c.Path = nsenter
}

func (n *namespace) close() error {
	if n == nil {
		return nil
	}
	return n.file.Close()
}
