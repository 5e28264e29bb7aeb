package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"coverd/index"
	"coverd/index/generations"
	"coverd/loader"
)

// A destination is where a build's snapshot goes: a directory of generations, or
// a file. Nothing of it is seen there until it is whole.
type destination interface {
	// previous is the path of the snapshot before this one, or "".
	previous() string
	// usedOverrides are the overrides that the snapshots there were built with.
	usedOverrides() ([]index.Override, error)
	// rejects is the path that rejected rows are written to while the build
	// runs, or "".
	rejects() string
	// refused keeps the rejected rows and the report of a build that was refused,
	// and adds to its error where they are.
	refused(r *loader.Report, err error) error
	// publish puts a snapshot, its rejected rows and its report in place.
	publish(w *outcome) (*built, error)
	// close removes what is unfinished.
	close() error
}

// destination tells where the snapshot goes.
func (o *buildOptions) destination(m *loader.Manifest, std stdio) (destination, error) {
	if o.out == "" && m.Snapshots != "" {
		if err := checkKeep(o.keep); err != nil {
			return nil, err
		}
		return o.openGenerations(m.Snapshots, std)
	}
	if o.stage || o.hook != "" {
		return nil, usagef("--stage and --hook are for a directory of snapshots: name one in the manifest (snapshots = \"snapshots\"), and leave --out away")
	}
	f := &fileDestination{o: o, path: cmp.Or(o.out, filepath.Join(m.Dir, "coverd.snap"))}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o777); err != nil {
		return nil, err
	}
	var err error
	f.to, err = openRejects(o.rejects)
	return f, err
}

// fileDestination is a single file, with its rejected rows in another if that
// is asked for.
type fileDestination struct {
	o    *buildOptions
	path string
	to   rejectsFile
}

func (f *fileDestination) previous() string { return f.o.previous }
func (f *fileDestination) rejects() string  { return f.to.first }

func (f *fileDestination) usedOverrides() ([]index.Override, error) {
	if f.o.previous == "" {
		return nil, nil
	}
	return usedOverrides(f.o.previous), nil
}

func (f *fileDestination) refused(r *loader.Report, err error) error {
	return errors.Join(err, f.o.writeReports(r), f.to.place())
}

func (f *fileDestination) publish(w *outcome) (*built, error) {
	if err := f.to.place(); err != nil {
		return nil, err
	}
	_, err := generations.WriteFile(filepath.Dir(f.path), w.write, func(tmp string) (string, error) {
		_, err := w.check(tmp)
		return filepath.Base(f.path), err
	})
	if err != nil {
		return nil, err
	}
	return w.made(f.path, f.o.rejects), f.o.writeReports(&w.res.Report)
}

func (f *fileDestination) close() error { return f.to.close() }

// outcome is what came of a build that was not refused: it writes the snapshot
// and reads it back as serve will.
type outcome struct {
	ctx   context.Context
	res   *loader.Result
	watch *stopwatch
	info  index.Info // of the file, once read back
}

func (s *outcome) write(w io.Writer) error {
	s.watch.stage("write")
	_, err := s.res.Built.WriteTo(contextWriter{s.ctx, w})
	s.res.Built = nil // so that the builder's and the reader's memory do not add up
	return err
}

func (s *outcome) check(path string) (id string, err error) {
	s.watch.stage("verify")
	snap, err := index.Open(path)
	if err != nil {
		return "", err
	}
	s.info = *snap.Info() // which does not keep the snapshot in memory
	s.res.Snapshot, s.res.Timings = s.info.ID, s.watch.timings()
	return s.info.ID, nil
}

func (s *outcome) made(path, rejects string) *built {
	i := &s.info
	s.res.Snapshot = i.ID
	return &built{File: path, ID: i.ID, Content: i.ContentDigest, AsOf: i.AsOf.String(), Bytes: i.Bytes, Rejects: rejects}
}

// contextWriter writes until the context ends.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// rejectsFile is where rejected rows go.
type rejectsFile struct {
	path  string // "": nowhere
	first string // where they are written until they are complete
	temp  *generations.Temporary
}

// openRejects makes way for rejected rows. What is no ordinary file, such as a
// terminal, gets them at once.
func openRejects(path string) (rejectsFile, error) {
	r := rejectsFile{path: path, first: path}
	if path == "" || irregular(path) {
		return r, nil
	}
	var err error
	if r.temp, err = generations.NewTemporary(filepath.Dir(path), filepath.Base(path)); err == nil {
		r.first = r.temp.Path()
	}
	return r, err
}

// place puts rejected rows in place, once they are complete.
func (r *rejectsFile) place() error {
	if r.temp == nil {
		return nil
	}
	_, err := generations.WriteFile(filepath.Dir(r.path), copyFrom(r.first), func(string) (string, error) { return filepath.Base(r.path), nil })
	return err
}

func (r *rejectsFile) close() error {
	if r.temp == nil {
		return nil
	}
	return r.temp.Remove()
}

// copyFrom writes what is in a file.
func copyFrom(path string) func(io.Writer) error {
	return func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return errors.Join(err, f.Close())
	}
}
