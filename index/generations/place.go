package generations

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Temporary files have names of their own: those of a directory's lock holder,
// which the next one removes, and those of WriteFile and NewTemporary, which may be
// anybody's and are locked one by one.
const (
	lockedTemp = ".generation-"
	plainTemp  = ".coverd-"
	tempSuffix = ".tmp"
)

// WriteFile puts a file in place in dir, whole or not at all: what write writes
// goes to a temporary name there, is synced, and read back by check, which
// gives the file its name; then it is renamed, over what has the name, and the
// directory synced. After a crash there is the old file or the new one. An error
// means that the old one is there, but for one of syncing the directory, where
// it cannot be known. What others have left in dir who were ended meanwhile is
// removed.
func WriteFile(dir string, write func(io.Writer) error, check func(tmp string) (name string, err error)) (path string, err error) {
	h := &held{disk: disk(dir)}
	defer h.release()
	h.sweep()
	name, err := place(h, plainTemp, write, check)
	return h.path(name), err
}

// place is WriteFile on any file system. A name beside an error is that of a
// file that is in place and may not last.
func place(fsys files, prefix string, write func(io.Writer) error, check func(tmp string) (name string, err error)) (name string, err error) {
	tmp, f, err := createTemp(fsys, prefix, tempSuffix)
	if err != nil {
		return "", err
	}
	if err = fill(f, write); err == nil {
		name, err = check(fsys.path(tmp))
	}
	if err == nil {
		err = fsys.rename(tmp, name)
	}
	if err != nil {
		return "", errors.Join(err, fsys.remove(tmp))
	}
	return name, fsys.sync()
}

// named is the check of a file that needs none.
func named(name string) func(string) (string, error) {
	return func(string) (string, error) { return name, nil }
}

// fill writes, syncs and closes f. What could not be synced may be lost already,
// even if a second attempt succeeds, so that there is none: the file is no good.
func fill(f file, write func(io.Writer) error) error {
	buf := bufio.NewWriterSize(f, 1<<16)
	err := write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// createTemp creates a temporary file.
func createTemp(fsys files, prefix, suffix string) (name string, f file, err error) {
	for i := range 100 {
		name = fmt.Sprintf("%s%d-%d%s", prefix, os.Getpid(), i, suffix)
		if f, err = fsys.create(name); !errors.Is(err, fs.ErrExist) {
			return name, f, err
		}
	}
	return "", nil, fmt.Errorf("a hundred temporary files of earlier runs are there; remove %s", fsys.path(prefix+"*"+suffix))
}

// sweep removes the temporary files of lock holders, and companions whose
// generation is gone. Only the lock holder calls it, so that none is in use.
// What cannot be removed waits for the next sweep: it is in nobody's way.
func sweep(fsys files) error {
	names, err := fsys.list()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	for _, name := range names {
		sequence, id, suffix, ours := splitName(name)
		orphan := ours && suffix != extension && !there[stem(sequence, id)+"."+extension]
		if orphan || strings.HasPrefix(name, lockedTemp) {
			_ = fsys.remove(name)
		}
	}
	return nil
}
