package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// refused keeps the rejected rows of a build that was refused, and adds to
	// its error where they are.
	refused(err error) error
	// publish puts a snapshot and its rejected rows in place.
	publish(ctx context.Context, res *loader.Result) (*built, error)
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
	f.temp = temporaryBeside(o.rejects)
	return f, os.MkdirAll(filepath.Dir(f.path), 0o777)
}

// fileDestination is a single file, with its rejected rows in another if that
// is asked for.
type fileDestination struct {
	o    *buildOptions
	path string
	temp string // where rejected rows are written first
}

func (f *fileDestination) previous() string { return f.o.previous }
func (f *fileDestination) rejects() string  { return f.temp }

// usedOverrides are those of the snapshot before: what else there is nobody
// knows.
func (f *fileDestination) usedOverrides() ([]index.Override, error) {
	if f.o.previous == "" {
		return nil, nil
	}
	info, err := index.ReadInfo(f.o.previous)
	if err != nil {
		return nil, nil // opening it will tell
	}
	return info.Overrides, nil
}

func (f *fileDestination) refused(err error) error {
	return errors.Join(err, placeRejects(f.temp, f.o.rejects))
}

func (f *fileDestination) publish(ctx context.Context, res *loader.Result) (*built, error) {
	if err := placeRejects(f.temp, f.o.rejects); err != nil {
		return nil, err
	}
	w := snapshotWriter{ctx: ctx, res: res}
	_, err := generations.WriteFile(filepath.Dir(f.path), w.write, func(tmp string) (string, error) {
		_, err := w.check(tmp)
		return filepath.Base(f.path), err
	})
	if err != nil {
		return nil, err
	}
	return w.made(f.path, f.o.rejects), nil
}

func (f *fileDestination) close() error { return removeTemporary(f.temp, f.o.rejects) }

// snapshotWriter writes what was built and reads it back as serve will.
type snapshotWriter struct {
	ctx  context.Context
	res  *loader.Result
	info index.Info // of the file, once read back
}

func (s *snapshotWriter) write(w io.Writer) error {
	_, err := s.res.Built.WriteTo(contextWriter{s.ctx, w})
	s.res.Built = nil // so that the builder's and the reader's memory do not add up
	return err
}

func (s *snapshotWriter) check(path string) (id string, err error) {
	snap, err := index.Open(path)
	if err != nil {
		return "", err
	}
	s.info = *snap.Info() // which does not keep the snapshot in memory
	return s.info.ID, nil
}

func (s *snapshotWriter) made(path, rejects string) *built {
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

// temporaryBeside is where rejected rows for path are written first. What is no
// ordinary file, such as a terminal, gets them at once.
func temporaryBeside(path string) string {
	if path == "" || irregular(path) {
		return path
	}
	return filepath.Join(filepath.Dir(path), fmt.Sprintf(".coverd-%d-%s", os.Getpid(), filepath.Base(path)))
}

// placeRejects puts rejected rows in place, once they are complete.
func placeRejects(temp, path string) error {
	if temp == path {
		return nil
	}
	_, err := generations.WriteFile(filepath.Dir(path), copyFrom(temp), func(string) (string, error) { return filepath.Base(path), nil })
	return err
}

func removeTemporary(temp, path string) error {
	if temp == path {
		return nil
	}
	if err := os.Remove(temp); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
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
