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
	temp   string // where rejected rows are written first
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
	if g.temp = temporaryBeside(o.rejects); o.rejects == "" {
		g.temp = g.lock.Scratch(rejectsSuffix)
	}
	return g, nil
}

func (g *generationDestination) previous() string {
	if g.o.previous != "" {
		return g.o.previous
	}
	return g.active
}

func (g *generationDestination) rejects() string { return g.temp }

// usedOverrides are those of all generations: also of one that was rolled back
// from.
func (g *generationDestination) usedOverrides() (used []index.Override, err error) {
	list, err := g.dir.List()
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		info, err := index.ReadInfo(g.dir.Path(n))
		if err != nil {
			continue // of another version, or damaged: it is not built upon
		}
		used = append(used, info.Overrides...)
	}
	return used, nil
}

func (g *generationDestination) refused(err error) error {
	path := g.o.rejects
	var e error
	if path != "" {
		e = placeRejects(g.temp, path)
	} else {
		path, e = g.lock.Put("refused."+rejectsSuffix, copyFrom(g.temp))
	}
	if e != nil {
		return errors.Join(err, e)
	}
	return fmt.Errorf("%w; its rejected rows are in %s", err, path)
}

func (g *generationDestination) close() (err error) {
	if g.o.rejects != "" {
		err = removeTemporary(g.temp, g.o.rejects)
	}
	return errors.Join(err, g.lock.Unlock())
}

func (g *generationDestination) publish(ctx context.Context, res *loader.Result) (*built, error) {
	if res.Repeats && g.o.previous == "" {
		return g.unchanged(res)
	}
	w := snapshotWriter{ctx: ctx, res: res}
	staged, err := g.lock.Stage(w.write, w.check)
	same := errors.Is(err, generations.ErrSame)
	if err != nil && !same {
		return nil, err
	}
	made := w.made(g.dir.Path(staged), g.o.rejects)
	made.Generation, made.Unchanged = &staged, same
	switch {
	case !same:
		if err := g.complete(ctx, made, &res.Report); err != nil {
			return nil, err
		}
	case staged.State == generations.Active:
		return made, nil
	case staged.State == generations.Withdrawn:
		return nil, refusal{fmt.Errorf("%s: this very snapshot was rolled back from, and stays withdrawn; 'coverd snapshots activate %d' would make it active all the same", made.File, staged.Sequence)}
	default:
		if err := g.activate(ctx, made, nil); err != nil {
			return nil, err
		}
	}
	if made.Pruned, err = g.lock.Prune(g.o.keep, false); err != nil {
		return nil, fmt.Errorf("generation %d is %s, but old ones could not be removed: %w", staged.Sequence, staged.State, err)
	}
	return made, nil
}

// unchanged is the active generation, once more.
func (g *generationDestination) unchanged(res *loader.Result) (*built, error) {
	active, err := g.dir.Active()
	if err != nil {
		return nil, err
	}
	info, err := index.ReadInfo(g.active)
	if err != nil {
		return nil, err
	}
	w := snapshotWriter{res: res, info: *info}
	made := w.made(g.active, g.o.rejects)
	made.Generation, made.Unchanged = &active, true
	if g.o.rejects != "" {
		err = placeRejects(g.temp, g.o.rejects)
	}
	return made, err
}

// complete gives a generation that was just staged its companions, and makes it
// active. If that fails it is removed, but for a refusal.
func (g *generationDestination) complete(ctx context.Context, made *built, r *loader.Report) error {
	companions, err := g.attach(made, r)
	if err == nil {
		err = g.activate(ctx, made, companions)
	}
	if _, refused := errors.AsType[refusal](err); err == nil || refused {
		return err
	}
	return errors.Join(err, g.lock.Discard(*made.Generation))
}

// attach writes the companions, and returns their paths by suffix.
func (g *generationDestination) attach(made *built, r *loader.Report) (map[string]string, error) {
	companions := map[string]string{}
	path, err := g.lock.Attach(*made.Generation, dataSuffix, func(w io.Writer) error { return writeReport(w, r, filepath.Ext(dataSuffix)) })
	if companions[dataSuffix] = path; err != nil {
		return companions, err
	}
	if g.o.rejects != "" {
		return companions, placeRejects(g.temp, g.o.rejects)
	}
	path, err = g.lock.Attach(*made.Generation, rejectsSuffix, copyFrom(g.temp))
	companions[rejectsSuffix], made.Rejects = path, path
	return companions, err
}

// activate asks the hook, and makes the generation active unless it is to stay
// staged.
func (g *generationDestination) activate(ctx context.Context, made *built, companions map[string]string) error {
	if g.o.hook != "" {
		err := runHook(ctx, g.o, g.std, made.File, g.previous(), companions[reportSuffix])
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
