package generations

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrSame says that a snapshot is in the directory already.
var ErrSame = errors.New("the same snapshot is there already")

// Stage adds a generation: what write writes is synced, read back by check, which
// returns the snapshot's ID, given its name, and that is made to last. If it
// fails there is no such generation. If the snapshot is there already, that
// generation is returned, whatever its state, with an error that wraps
// [ErrSame], and nothing has changed.
func (l *Lock) Stage(write func(io.Writer) error, check func(path string) (id string, err error)) (Generation, error) {
	p, list, err := look(l.files)
	if err != nil {
		return Generation{}, err
	}
	// From the first generation on there is a pointer file, so that one that was
	// lost is noticed.
	if p.Format == 0 {
		if err := writePointer(l.files, p, list); err != nil {
			return Generation{}, err
		}
	}
	var same *Generation
	name, err := place(l.files, lockedTemp, write, func(tmp string) (string, error) {
		id, err := check(tmp)
		if err != nil {
			return "", fmt.Errorf("reading the new snapshot back: %w", err)
		}
		if !idShape.MatchString(id) {
			return "", fmt.Errorf("%q is not the ID of a snapshot", id)
		}
		id = id[:idDigits]
		if i := slices.IndexFunc(list, func(g Generation) bool { return g.ID == id }); i >= 0 {
			same = &list[i]
			return "", fmt.Errorf("%s: %w", l.dir.Path(*same), ErrSame)
		}
		return stem(lastSequence(p, list)+1, id) + "." + extension, nil
	})
	switch {
	case same != nil:
		return *same, err
	case err != nil && name != "": // and may not last: nobody knows of it yet
		return Generation{}, errors.Join(err, l.files.remove(name))
	case err != nil:
		return Generation{}, err
	}
	g, _ := parseName(name)
	g.Bytes, err = l.files.size(name)
	if err != nil {
		return Generation{}, errors.Join(err, l.files.remove(name))
	}
	return g, nil
}

// Attach puts a companion file beside a generation, under its name with another
// suffix, such as report.html; whole or not at all. It goes when the generation
// goes.
func (l *Lock) Attach(g Generation, suffix string, write func(io.Writer) error) (path string, err error) {
	name := stem(g.Sequence, g.ID) + "." + suffix
	if _, _, got, ok := splitName(name); !ok || got != suffix || suffix == extension {
		return "", fmt.Errorf("%q is no suffix for a companion of %s", suffix, g.Name)
	}
	return l.put(name, write)
}

// Put puts a file into the directory that belongs to no generation, such as what
// was wrong with a night that made none; whole or not at all, and in the place
// of what had its name.
func (l *Lock) Put(name string, write func(io.Writer) error) (path string, err error) {
	_, _, _, ours := splitName(name)
	if ours || name == "" || name == pointerName || name[0] == '.' || strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("%q is no name for a file beside the generations", name)
	}
	return l.put(name, write)
}

func (l *Lock) put(name string, write func(io.Writer) error) (path string, err error) {
	if _, err := place(l.files, lockedTemp, write, named(name)); err != nil {
		return "", err
	}
	return l.files.path(name), nil
}

// Discard removes a generation that is staged, with its companions: of a build
// that failed after it had staged it, be it for want of room, so that nothing is
// written. Others it refuses to remove.
func (l *Lock) Discard(g Generation) error {
	_, list, err := look(l.files)
	if err != nil {
		return err
	}
	if g, err = find(list, g.Name); err != nil {
		return err
	}
	if g.State != Staged {
		return l.stays(g)
	}
	return l.remove(g)
}

// remove removes generations, and makes that last. The snapshot goes first: a
// companion without one is swept, a snapshot without its companions would stay.
func (l *Lock) remove(list ...Generation) error {
	names, err := l.files.list()
	if err != nil {
		return err
	}
	for _, g := range list {
		if err := l.files.remove(g.Name); err != nil {
			return err
		}
		for _, name := range names {
			if sequence, id, _, ok := splitName(name); ok && sequence == g.Sequence && id == g.ID && name != g.Name {
				if err := l.files.remove(name); err != nil {
					return err
				}
			}
		}
	}
	return l.files.sync()
}
