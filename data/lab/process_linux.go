package lab

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel end a child when this process ends, even by kill -9. The parent is the thread that starts the child,
// and threads end: who starts it keeps to its thread (runtime.LockOSThread) until the child is gone, as chromedp does.
func dieWithParent(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
