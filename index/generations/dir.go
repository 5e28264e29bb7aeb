package generations

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"coverd/index"
)

// DefaultKeep is how many generations a nightly build keeps: a week of nights.
// Never fewer than three are worth having: the active one, the one to go back
// to, and one more for when that is no better.
const DefaultKeep = 7

// ErrNoActive says that no generation has been activated yet.
var ErrNoActive = errors.New("no generation is active yet; 'coverd build' or 'coverd snapshots activate NAME' makes one so")

// A Dir is a directory of generations. Any number of processes and goroutines
// may read one, and see the old state or the new while another changes it,
// which takes its [Lock].
type Dir struct {
	files  files
	check  func(path string) (id string, err error) // opens and verifies a snapshot
	locked func() (io.Closer, error)                // takes the lock of the directory
}

// Open returns the directory at path, which need not be there: then it has no
// generations, and Lock creates it.
func Open(path string) (*Dir, error) { return OpenChecking(path, checkSnapshot) }

// OpenChecking is Open for those who open and verify a snapshot in a way of
// their own before it becomes the active one. check returns its ID.
func OpenChecking(path string, check func(path string) (id string, err error)) (*Dir, error) {
	info, err := os.Stat(path)
	switch {
	case path == "":
		return nil, errors.New("the directory of generations has no name")
	case err == nil && !info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is no directory of generations, but a file")}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	d := disk(path)
	return &Dir{files: d, check: check, locked: d.lock}, nil
}

// checkSnapshot opens a snapshot as those who serve it do.
func checkSnapshot(path string) (id string, err error) {
	s, err := index.Open(path)
	if err != nil {
		return "", err
	}
	return s.ID(), nil
}

// List returns the generations, the newest first, by their names and the pointer
// file alone. Beside an error that wraps [ErrPointer] they are returned too,
// with such states as are known; the others seem staged.
func (d *Dir) List() ([]Generation, error) {
	_, list, err := look(d.files)
	return list, err
}

// Active returns the generation to serve. The error is [ErrNoActive] if none has
// been activated, or wraps [ErrPointer].
func (d *Dir) Active() (Generation, error) {
	_, list, err := look(d.files)
	if err != nil {
		return Generation{}, err
	}
	i := slices.IndexFunc(list, func(g Generation) bool { return g.State == Active })
	if i < 0 {
		return Generation{}, fmt.Errorf("%s: %w", d.files.path("."), ErrNoActive)
	}
	return list[i], nil
}

// Find returns the generation that a key means: its name, its sequence, or the
// beginning of its ID. The error wraps [ErrUnknown] if there is none, or more
// than one.
func (d *Dir) Find(key string) (Generation, error) {
	_, list, err := look(d.files)
	if err != nil && !errors.Is(err, ErrPointer) {
		return Generation{}, err
	}
	return find(list, key)
}

// Companion returns the path of the file that was attached to a generation with
// a suffix, or "" if there is none.
func (d *Dir) Companion(g Generation, suffix string) string {
	name := stem(g.Sequence, g.ID) + "." + suffix
	if _, err := d.files.size(name); err != nil {
		return ""
	}
	return d.files.path(name)
}

// Path returns the path of a generation's file.
func (d *Dir) Path(g Generation) string { return d.files.path(g.Name) }
