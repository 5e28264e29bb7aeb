package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"coverd/index"
	"coverd/index/generations"
)

// Source is where a server's snapshots come from.
type Source interface {
	// Offer says what should be served now. It opens no snapshot.
	Offer() (Offer, error)
	// String names the file or the directory.
	String() string
	// before is what to serve if there is nothing better; ok is false where there
	// is nothing.
	before() (o Offer, ok bool)
	// folder is what to watch; "" where nobody but the operator says when to look.
	folder() string
}

// Offer is a snapshot that should be served, as far as can be told without
// reading it.
type Offer struct {
	Name     string // of the file or generation
	Path     string // of the file
	ID       string // what its name says of its ID: the first digits, or nothing
	Sequence int64  // of a generation, else 0

	file fs.FileInfo // as it was found
}

// same reports whether an offer is another, unchanged.
func (o *Offer) same(p *Offer) bool {
	if o.file == nil || p.file == nil {
		return o.Path == p.Path && o.file == p.file
	}
	return o.Path == p.Path && o.file.Size() == p.file.Size() && o.file.ModTime().Equal(p.file.ModTime()) && os.SameFile(o.file, p.file)
}

// stat takes down in what state the file is.
func (o *Offer) stat() (err error) {
	o.file, err = os.Stat(o.Path)
	return err
}

// errMisnamed is a file that is not the generation whose name it has.
var errMisnamed = errors.New("not the snapshot its name says")

// open opens and verifies what is offered.
func (o *Offer) open(how index.OpenOptions) (*index.Snapshot, error) {
	snap, err := index.OpenWith(o.Path, how)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(snap.ID(), o.ID) {
		return nil, &fs.PathError{Op: "open snapshot", Path: o.Path, Err: fmt.Errorf("%w: its ID is %s", errMisnamed, snap.ID())}
	}
	return snap, nil
}

// served reports whether what is offered is a snapshot that is served already,
// without reading more of the file than what it says of itself, and that only
// where its name does not tell.
func (o *Offer) served(h *held) (bool, error) {
	if o.ID != "" {
		return strings.HasPrefix(h.ref.ID, o.ID), nil
	}
	if o.same(&h.offer) {
		return true, nil
	}
	info, err := index.ReadInfo(o.Path)
	return err == nil && info.ID == h.ref.ID, err
}

// FileSource offers one file, which is looked at again when the operator says
// so: SIGHUP, or POST /snapshots/reload. It is replaced by renaming another
// over it.
type FileSource string

// Offer implements [Source].
func (f FileSource) Offer() (Offer, error) {
	o := Offer{Name: string(f), Path: string(f)}
	return o, o.stat()
}

// String implements [Source].
func (f FileSource) String() string { return string(f) }

func (FileSource) before() (o Offer, ok bool) { return o, false }

func (FileSource) folder() string { return "" }

// DirSource offers the active generation of a directory.
type DirSource struct {
	dir  *generations.Dir
	path string
	// check opens what is to be made the active generation; the reloader's, once
	// there is one.
	check func(path string) (id string, err error)
}

// NewDirSource opens a directory of generations. It need not be writable.
func NewDirSource(path string) (*DirSource, error) {
	d := &DirSource{path: path}
	dir, err := generations.OpenChecking(path, func(path string) (id string, err error) { return d.check(path) })
	d.dir = dir
	return d, err
}

// Offer implements [Source].
func (d *DirSource) Offer() (Offer, error) {
	g, err := d.dir.Active()
	if err != nil {
		return Offer{}, err
	}
	return d.offer(g)
}

func (d *DirSource) offer(g generations.Generation) (Offer, error) {
	o := Offer{Name: g.Name, Path: d.dir.Path(g), ID: g.ID, Sequence: g.Sequence}
	return o, o.stat()
}

// String implements [Source].
func (d *DirSource) String() string { return d.path }

func (d *DirSource) before() (o Offer, ok bool) {
	list, err := d.dir.List()
	i := slices.IndexFunc(list, func(g generations.Generation) bool { return g.State == generations.Previous })
	if err != nil || i < 0 {
		return o, false
	}
	o, err = d.offer(list[i])
	return o, err == nil
}

func (d *DirSource) folder() string { return d.path }
