package lab

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel end a child when this process ends, even by kill -9.
func dieWithParent(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
