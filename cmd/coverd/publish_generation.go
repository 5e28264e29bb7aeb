package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"coverd/index"
	"coverd/index/generations"
	"coverd/loader"
)

// The companions of a generation, by the suffix of their names. One that the
// hook is told of has its place in hookEnv.
const (
	rejectsSuffix = "rejects.csv.zst"
	reportSuffix  = "report.html"
	dataSuffix    = "report.json"
)

// generationDestination is a directory of generations, locked for as long as
// the build runs.
type generationDestination struct {
	o      *buildOptions
	std    stdio
	dir    *generations.Dir
	lock   *generations.Lock
	active string // path of the active generation; "" if there is none
	to     rejectsFile
}

func (o *buildOptions) openGenerations(path string, std stdio) (_ destination, err error) {
	if o.rejects != "" && sameFile(filepath.Dir(o.rejects), path) {
		return nil, usagef("--rejects %s: the generations are there, and their rejected rows beside them without being asked for", o.rejects)
	}
	for _, r := range o.reports {
		if sameFile(filepath.Dir(r), path) {
			return nil, usagef("--report %s: the generations are there, and their reports beside them without being asked for", r)
		}
	}
	g := &generationDestination{o: o, std: std}
	if g.dir, err = generations.Open(path); err != nil {
		return nil, err
	}
	if g.lock, err = g.dir.Lock(); err != nil {
		return nil, err
	}
	switch active, err := g.dir.Active(); {
	case err == nil:
		g.active = g.dir.Path(active)
	case !errors.Is(err, generations.ErrNoActive):
		return nil, errors.Join(err, g.lock.Unlock())
	}
	if g.to, err = openRejects(o.rejects); err != nil {
		return nil, errors.Join(err, g.lock.Unlock())
	}
	if o.rejects == "" {
		g.to.first = g.lock.Scratch(rejectsSuffix)
	}
	return g, nil
}

func (g *generationDestination) previous() string {
	if g.o.previous != "" {
		return g.o.previous
	}
	return g.active
}

func (g *generationDestination) rejects() string { return g.to.first }

// usedOverrides are those of all generations, of one that was rolled back from
// too; but not of one that is only staged, such as the hook has refused: the
// night may be run again.
func (g *generationDestination) usedOverrides() ([]index.Override, error) {
	list, err := g.dir.List()
	if err != nil {
		return nil, err
	}
	paths := []string{}
	for _, l := range list {
		if l.State != generations.Staged {
			paths = append(paths, g.dir.Path(l))
		}
	}
	return usedOverrides(paths...), nil
}

func (g *generationDestination) refused(r *loader.Report, err error) error {
	rejects := g.o.rejects
	var e error
	if rejects != "" {
		e = g.to.place()
	} else {
		rejects, e = g.lock.Put("refused."+rejectsSuffix, copyFrom(g.to.first))
	}
	page, e2 := g.lock.Put("refused."+reportSuffix, r.WriteHTML)
	_, e3 := g.lock.Put("refused."+dataSuffix, func(w io.Writer) error { return printJSON(w, r) })
	if e = errors.Join(e, e2, e3, g.o.writeReports(r)); e != nil {
		return errors.Join(err, e)
	}
	return fmt.Errorf("%w; its rejected rows are in %s, its report is %s", err, rejects, page)
}

func (g *generationDestination) close() error { return errors.Join(g.to.close(), g.lock.Unlock()) }

func (g *generationDestination) publish(w *outcome) (*built, error) {
	if w.res.Repeats && g.o.previous == "" {
		return g.unchanged(w)
	}
	staged, err := g.lock.Stage(w.write, w.check)
	same := errors.Is(err, generations.ErrSame)
	if err != nil && !same {
		return nil, err
	}
	made := w.made(g.dir.Path(staged), g.o.rejects)
	made.Generation = &staged
	if same {
		if err := g.again(made, &w.res.Report); err != nil {
			return nil, err
		}
	}
	switch {
	case !same:
		if err := g.complete(w, made); err != nil {
			return nil, err
		}
	case staged.State == generations.Active:
		return made, nil
	case staged.State == generations.Withdrawn:
		return nil, refusal{fmt.Errorf("%s: this very snapshot was rolled back from, and stays withdrawn; 'coverd snapshots activate %d' would make it active all the same", made.File, staged.Sequence)}
	default:
		if err := g.activate(w.ctx, made); err != nil {
			return nil, err
		}
	}
	if made.Pruned, err = g.lock.Prune(g.o.keep, false); err != nil {
		return nil, fmt.Errorf("generation %d is %s, but old ones could not be removed: %w", staged.Sequence, staged.State, err)
	}
	return made, nil
}

// unchanged is the active generation, once more.
func (g *generationDestination) unchanged(w *outcome) (*built, error) {
	active, err := g.dir.Active()
	if err != nil {
		return nil, err
	}
	info, err := index.ReadInfo(g.active)
	if err != nil {
		return nil, err
	}
	w.info, w.res.Snapshot, w.res.Timings = *info, info.ID, w.watch.timings()
	made := w.made(g.active, g.o.rejects)
	made.Generation = &active
	return made, g.again(made, &w.res.Report)
}

// again says of a generation that was there before that it was, and writes the
// files that this build was asked for. Its companions are there, but for one
// that is staged because a build was killed before it had written them.
func (g *generationDestination) again(made *built, r *loader.Report) (err error) {
	made.Unchanged = true
	if made.Generation.State == generations.Staged {
		return g.attach(made, r)
	}
	made.Report = g.dir.Companion(*made.Generation, reportSuffix)
	if g.o.rejects != "" {
		err = g.to.place()
	} else {
		made.Rejects = g.dir.Companion(*made.Generation, rejectsSuffix)
	}
	return errors.Join(err, g.o.writeReports(r))
}

// complete gives a generation that was just staged its companions, and makes it
// active. If that fails it is removed, but for a refusal.
func (g *generationDestination) complete(w *outcome, made *built) error {
	err := g.attach(made, &w.res.Report)
	if err == nil {
		err = g.activate(w.ctx, made)
	}
	if _, refused := errors.AsType[refusal](err); err == nil || refused {
		return err
	}
	return errors.Join(err, g.lock.Discard(*made.Generation))
}

// attach writes the companions.
func (g *generationDestination) attach(made *built, r *loader.Report) (err error) {
	attach := func(suffix string, write func(io.Writer) error) (path string) {
		if err == nil {
			path, err = g.lock.Attach(*made.Generation, suffix, write)
		}
		return path
	}
	if g.o.rejects != "" {
		err = g.to.place()
	} else {
		made.Rejects = attach(rejectsSuffix, copyFrom(g.to.first))
	}
	made.Report = attach(reportSuffix, r.WriteHTML)
	attach(dataSuffix, func(w io.Writer) error { return printJSON(w, r) })
	return errors.Join(err, g.o.writeReports(r))
}

// activate asks the hook, and makes the generation active unless it is to stay
// staged.
func (g *generationDestination) activate(ctx context.Context, made *built) error {
	if g.o.hook != "" {
		err := runHook(ctx, g.o, g.std, made.File, g.previous(), made.Report)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			n := made.Generation.Sequence
			return refusal{fmt.Errorf("%s: the hook refuses it: %w; it stays staged: 'coverd snapshots activate %d' makes it active all the same", made.File, err, n)}
		}
	}
	if g.o.stage {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	active, err := g.lock.Activate(made.Generation.Name)
	if err == nil {
		*made.Generation = active
	}
	return err
}
