package generations

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
)

// plainShape is that of the names of temporary files that may be anybody's, and
// that createTemp makes: a file that people have called .coverd-2026-11-22.csv is
// none.
var plainShape = regexp.MustCompile(`^\.coverd-[0-9]+-[0-9]{1,2}\.tmp(-|$)`)

// held is a disk of whose temporary files each is locked while somebody needs
// it. The kernel gives the lock back with the process, so that a file that is not
// locked is of one that has ended. Where there are no such locks, there is no
// telling, and nothing is swept.
type held struct {
	disk
	lock *os.File // of the file that was created last; nil where there are no locks
}

// create creates a file and locks it. Who sweeps may have come in between: then
// the name is taken, as far as the caller is concerned.
func (h *held) create(name string) (f file, err error) {
	if f, err = h.disk.create(name); err != nil {
		return nil, err
	}
	lock, ok := f.(*os.File)
	if !ok {
		return f, nil
	}
	switch taken, err := flock(lock); {
	case err != nil:
		return f, nil
	case !taken || !h.is(name, lock):
		return nil, errors.Join(fmt.Errorf("%s: %w", h.path(name), fs.ErrExist), f.Close())
	}
	h.lock = lock
	return heldFile{lock}, nil
}

// heldFile is not closed before its lock is given back.
type heldFile struct{ *os.File }

// Close implements file.
func (heldFile) Close() error { return nil }

// release gives the lock back.
func (h *held) release() {
	if h.lock != nil {
		_ = h.lock.Close() // what was written is synced, or not wanted
	}
}

// is reports whether a name is that of a file.
func (d disk) is(name string, f *os.File) (yes bool) {
	_ = d.in(func(r *os.Root) error {
		a, err := r.Stat(name)
		if err != nil {
			return err
		}
		b, err := f.Stat()
		yes = err == nil && os.SameFile(a, b)
		return err
	})
	return yes
}

// sweep removes the temporary files of processes that have ended. What cannot be
// removed is in nobody's way.
func (d disk) sweep() {
	names, err := d.list()
	if err != nil {
		return
	}
	for _, name := range names {
		if plainShape.MatchString(name) {
			_ = d.sweepOne(name)
		}
	}
}

func (d disk) sweepOne(name string) error {
	var f *os.File
	if err := d.in(func(r *os.Root) error {
		info, err := r.Lstat(name)
		switch {
		case err != nil:
			return err
		case !info.Mode().IsRegular(): // no process of ours has left it: a link, or a pipe
			return fs.ErrInvalid
		}
		f, err = r.OpenFile(name, os.O_RDWR, 0)
		return err
	}); err != nil {
		return err
	}
	taken, err := flock(f)
	if err == nil && taken && d.is(name, f) {
		err = d.remove(name)
	}
	return errors.Join(err, f.Close())
}

// Temporary is a file for the caller's own use.
type Temporary struct {
	held
	name string
}

// NewTemporary makes an empty file in a directory, under a name that ends in
// suffix, and removes there what processes that have ended have left. The file is
// removed by Remove, or after the end of this process by whoever makes another or
// uses [WriteFile] there.
func NewTemporary(dir, suffix string) (*Temporary, error) {
	t := &Temporary{held: held{disk: disk(dir)}}
	t.sweep()
	name, f, err := createTemp(&t.held, plainTemp, tempSuffix+"-"+suffix)
	if err != nil {
		return nil, err
	}
	t.name = name
	return t, f.Close()
}

// Path is where it is.
func (t *Temporary) Path() string { return t.path(t.name) }

// Remove removes it.
func (t *Temporary) Remove() error {
	err := t.remove(t.name)
	t.release()
	return err
}
