package generations

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNoPrevious says that there is nothing to roll back to.
var ErrNoPrevious = errors.New("no generation was active before")

// Activate makes a generation the active one, by its name, its sequence or the
// beginning of its ID, whatever its state, once its file has been opened and
// verified. It mends a pointer file that cannot be followed, though what was
// active before and what was withdrawn are then forgotten.
//
// After an error the generation that was active still is, unless it was the
// directory that could not be synced: then either may be, as Active tells.
func (l *Lock) Activate(name string) (Generation, error) {
	p, list, err := look(l.files)
	if err != nil && !errors.Is(err, ErrPointer) {
		return Generation{}, err
	}
	g, err := find(list, name)
	if err != nil || g.State == Active {
		return g, err
	}
	if p.Active != "" {
		p.Before = slices.Insert(p.Before, 0, p.Active)
	}
	return l.point(p, list, g)
}

// Rollback makes the generation active that was so before the active one, once
// its file has been opened and verified; the active one is withdrawn. Called
// again, it goes one further back. The error wraps [ErrNoPrevious] if there is
// none.
func (l *Lock) Rollback() (Generation, error) {
	p, list, err := look(l.files)
	if err != nil {
		return Generation{}, err
	}
	i := slices.IndexFunc(list, func(g Generation) bool { return g.State == Previous })
	if i < 0 {
		return Generation{}, fmt.Errorf("%s: %w; choose one with 'coverd snapshots activate NAME'", l.files.path("."), ErrNoPrevious)
	}
	p.Withdrawn = append(p.Withdrawn, p.Active)
	return l.point(p, list, list[i])
}

// point writes a pointer to a generation, and returns that as it is then.
func (l *Lock) point(p pointer, list []Generation, to Generation) (Generation, error) {
	id, err := l.dir.check(l.dir.Path(to))
	if err != nil {
		return Generation{}, fmt.Errorf("%w; choose another with 'coverd snapshots activate NAME'", err)
	}
	if len(id) < idDigits || id[:idDigits] != to.ID {
		return Generation{}, fmt.Errorf("%s holds snapshot %s: it was renamed, or written over; choose another with 'coverd snapshots activate NAME'", l.dir.Path(to), id)
	}
	isTo := func(name string) bool { return name == to.Name }
	p.Active = to.Name
	p.Before = slices.DeleteFunc(slices.Clone(p.Before), isTo)
	p.Withdrawn = slices.DeleteFunc(slices.Clone(p.Withdrawn), isTo)
	to.State = Active
	return to, writePointer(l.files, p, list)
}

// Prune removes the oldest generations, with their companions, until keep are
// left, and returns those that it removed, or with dryRun would remove, the
// newest first. Whatever keep says it leaves the active one, the one that a
// rollback would go to, and those staged since the active one; a keep of 0 keeps
// all.
func (l *Lock) Prune(keep int, dryRun bool) ([]Generation, error) {
	p, list, err := look(l.files)
	if err != nil || keep <= 0 {
		return nil, err
	}
	var active int64
	for _, g := range list {
		if g.State == Active {
			active = g.Sequence
		}
	}
	spared := func(g Generation) bool {
		return g.State == Active || g.State == Previous || g.State == Staged && g.Sequence > active
	}
	for _, g := range list {
		if spared(g) {
			keep--
		}
	}
	var going []Generation
	for _, g := range list {
		switch {
		case spared(g):
		case keep > 0:
			keep--
		default:
			going = append(going, g)
		}
	}
	if dryRun || len(going) == 0 {
		return going, nil
	}
	return going, l.retire(p, list, going...)
}

// Reject removes a generation that is staged and not wanted, with its companions,
// by its name, its sequence or the beginning of its ID, and returns it; with dryRun
// it only does that. The others it refuses to remove.
func (l *Lock) Reject(name string, dryRun bool) (Generation, error) {
	p, list, err := look(l.files)
	if err != nil {
		return Generation{}, err
	}
	g, err := find(list, name)
	switch {
	case err != nil:
		return g, err
	case g.State != Staged:
		return g, l.stays(g)
	case dryRun:
		return g, nil
	}
	return g, l.retire(p, list, g)
}

// stays is that a generation is not staged, and so is not removed.
func (l *Lock) stays(g Generation) error {
	return fmt.Errorf("%s is %s, and stays", l.dir.Path(g), g.State)
}

// retire removes generations that people have seen: their sequences are never
// used again, even if the newest file goes.
func (l *Lock) retire(p pointer, list []Generation, going ...Generation) error {
	if last := lastSequence(p, list); last != p.Last {
		if err := writePointer(l.files, p, list); err != nil {
			return err
		}
	}
	return l.remove(going...)
}
