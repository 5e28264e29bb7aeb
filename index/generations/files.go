package generations

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// files is all that is asked of a file system, for the files of one directory:
// little enough to be put on one that crashes or fails when a test wants it.
// What is created, renamed or removed lasts only once sync has returned, and
// what is written to a file only once its own Sync has.
type files interface {
	create(name string) (file, error) // for writing; fails if it is there
	open(name string) (io.ReadCloser, error)
	rename(from, to string) error // takes the place of what is there
	remove(name string) error
	list() ([]string, error) // in any order
	size(name string) (int64, error)
	sync() error
	path(name string) string // for messages, and for who opens it without us
}

// file is one that is being written.
type file interface {
	io.WriteCloser
	Sync() error
}

// disk is a real directory. Names cannot lead out of it, be they read from a
// file that somebody else wrote.
type disk string

// in runs f in the directory. It is opened each time, so that one that was
// replaced, or is not there yet, is found.
func (d disk) in(f func(*os.Root) error) error {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	err = errors.Join(f(root), root.Close())
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = d.path(e.Path)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		e.Old, e.New = d.path(e.Old), d.path(e.New)
	}
	return err
}

func (d disk) create(name string) (f file, err error) {
	err = d.in(func(r *os.Root) error {
		// Unlike os.CreateTemp's it has the permissions that the umask gives,
		// since it is renamed to what others read.
		f, err = r.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
	return f, err
}

func (d disk) open(name string) (f io.ReadCloser, err error) {
	err = d.in(func(r *os.Root) error {
		f, err = r.Open(name)
		return err
	})
	return f, err
}

func (d disk) rename(from, to string) error {
	return d.in(func(r *os.Root) error { return r.Rename(from, to) })
}

func (d disk) remove(name string) error {
	return d.in(func(r *os.Root) error { return r.Remove(name) })
}

func (d disk) list() (names []string, err error) {
	err = d.dir(func(f *os.File) error {
		names, err = f.Readdirnames(-1)
		return err
	})
	return names, err
}

func (d disk) size(name string) (n int64, err error) {
	err = d.in(func(r *os.Root) error {
		info, err := r.Stat(name)
		if err == nil {
			n = info.Size()
		}
		return err
	})
	return n, err
}

func (d disk) sync() error { return d.dir((*os.File).Sync) }

// dir runs f on the directory as a file.
func (d disk) dir(f func(*os.File) error) error {
	return d.in(func(r *os.Root) error {
		dir, err := r.Open(".")
		if err != nil {
			return err
		}
		return errors.Join(f(dir), dir.Close())
	})
}

func (d disk) path(name string) string { return filepath.Join(string(d), name) }

// makeDir makes a directory that lasts, and those above it.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o777)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeDir(filepath.Dir(path)); err == nil {
			err = os.Mkdir(path, 0o777)
		}
	}
	switch {
	case err == nil:
		return disk(filepath.Dir(path)).sync()
	case errors.Is(err, fs.ErrExist):
		return nil // whatever it is, what is done in it next will tell
	}
	return err
}
