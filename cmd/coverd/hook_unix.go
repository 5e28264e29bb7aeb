//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a command end with all that it has started: else a shell is
// killed and what it waits for is not.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
