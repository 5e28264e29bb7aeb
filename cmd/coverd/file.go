package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile puts a file in place in dir whole or not at all: what write writes
// goes to a temporary name there, is synced, and read back by check, which
// gives the file its name; then it is renamed and the directory synced. After a
// crash there is the old file or the new one.
func writeFile(dir string, write func(io.Writer) error, check func(tmp string) (name string, err error)) (path string, err error) {
	tmp, err := createTemp(dir)
	if err != nil {
		return "", err
	}
	var name string
	if err = fill(tmp, write); err == nil {
		name, err = check(tmp.Name())
	}
	path = filepath.Join(dir, name)
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return path, syncDir(dir)
}

// fill writes, syncs and closes f.
func fill(f *os.File, write func(io.Writer) error) error {
	buf := bufio.NewWriterSize(f, 1<<20)
	err := write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// createTemp opens a new file in dir. Unlike os.CreateTemp's it has the
// permissions that the umask gives, since it is renamed to what others read.
func createTemp(dir string) (*os.File, error) {
	for i := range 100 {
		name := filepath.Join(dir, fmt.Sprintf(".coverd-%d-%d.tmp", os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s: a hundred temporary files of earlier runs lie there; remove .coverd-*.tmp", dir)
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
