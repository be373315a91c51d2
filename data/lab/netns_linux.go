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

// sysctls of a namespace. A kernel without one of them has no such file.
var sysctls = []struct{ name, value string }{
	{"ipv6/conf/default/disable_ipv6", "1"}, // it would send solicitations by itself
	{"ipv4/tcp_no_metrics_save", "1"},       // else a connection begins with what the capture before it learned of the network
}

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
		for _, c := range sysctls {
			if err := os.WriteFile("/proc/sys/net/"+c.name, []byte(c.value), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
				f.Close()
				return err
			}
		}
		ns = &namespace{f}
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
