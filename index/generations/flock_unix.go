//go:build unix && !solaris && !aix

package generations

import (
	"errors"
	"os"
	"syscall"
)

// flock takes the lock of a file unless another has it. The kernel gives it back
// when the file is closed, by whatever end of the process.
func flock(f *os.File) (taken bool, err error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return err == nil, os.NewSyscallError("flock "+f.Name(), err)
		}
	}
}
