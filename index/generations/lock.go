package generations

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// lockName is the file whose lock is the directory's. It stays: who removed it
// could let two in.
const lockName = ".lock"

// ErrLocked says that another process, or another Lock of this one, is changing
// the directory.
var ErrLocked = errors.New("locked")

// A Lock is the right to change a directory, of which there is one at a time. It
// ends with Unlock or with the process, however that ends. It is not for
// concurrent use.
type Lock struct {
	dir   *Dir
	files files
	held  io.Closer
}

// Lock takes the directory's lock, creating the directory if it is not there,
// and sweeps what interrupted holders have left. It does not wait: the error
// wraps [ErrLocked] if another has it, and says who.
func (d *Dir) Lock() (*Lock, error) {
	held, err := d.locked()
	if err != nil {
		return nil, err
	}
	if err := sweep(d.files); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return &Lock{d, d.files, held}, nil
}

// Unlock gives the lock back, and removes what Scratch has named.
func (l *Lock) Unlock() error { return errors.Join(sweep(l.files), l.held.Close()) }

// Scratch returns the path of a file for the holder's own use, that ends in
// suffix. It is removed by Unlock, or by the next who has the lock.
func (l *Lock) Scratch(suffix string) string {
	return l.files.path(fmt.Sprintf("%s%d-%s", lockedTemp, os.Getpid(), filepath.Base(suffix)))
}

// lock takes the lock of a real directory.
func (d disk) lock() (io.Closer, error) {
	if err := makeDir(string(d)); err != nil {
		return nil, err
	}
	var f *os.File
	err := d.in(func(r *os.Root) (err error) {
		f, err = r.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o666)
		return err
	})
	if err != nil {
		return nil, err
	}
	taken, err := flock(f)
	if err == nil && !taken {
		err = fmt.Errorf("%s: %w by %s; wait for it, or end it: whatever it is doing, the directory stays whole", string(d), ErrLocked, holder(f))
	}
	if err == nil {
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sign writes into the lock file who has it, for the message to others.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	return err
}

// holder reads who has the lock.
func holder(f *os.File) string {
	b := make([]byte, 256)
	n, _ := f.ReadAt(b, 0) // what there is of it is good enough
	if who := strings.TrimSpace(string(b[:n])); who != "" {
		return who
	}
	return "another process"
}
