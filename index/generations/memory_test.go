package generations

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"coverd/geo"
	"coverd/index"
)

// memory is a directory in memory that can be looked at as it would be after a
// crash.
type memory struct {
	fs *vfs.MemFS
	// gone are names removed since the last sync. The file system below keeps
	// them through every crash, where a real one may also have lost them.
	gone map[string]bool
}

const memoryDir = "/snapshots"

func newMemory() *memory {
	m := &memory{vfs.NewCrashableMem(), map[string]bool{}}
	if err := m.fs.MkdirAll(memoryDir, 0o777); err != nil {
		panic(err)
	}
	if err := syncPath(m.fs, "/"); err != nil {
		panic(err)
	}
	return m
}

func syncPath(fsys *vfs.MemFS, name string) error {
	d, err := fsys.OpenDir(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// crash returns the directory as it may be after a crash: of what was not
// synced, each page and each name is there with the probability of percent.
func (m *memory) crash(percent int, rng *rand.Rand) *memory {
	after := &memory{m.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng}), map[string]bool{}}
	for name := range m.gone {
		if _, err := m.fs.Stat(m.path(name)); err != nil && rng.IntN(100) < percent {
			_ = after.fs.Remove(m.path(name)) // unless the other side was drawn for it
		}
	}
	if err := syncPath(after.fs, memoryDir); err != nil {
		panic(err)
	}
	return after
}

func (m *memory) path(name string) string { return path.Join(memoryDir, name) }

func (m *memory) create(name string) (file, error) {
	if _, err := m.fs.Stat(m.path(name)); err == nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return m.fs.Create(m.path(name), vfs.WriteCategoryUnspecified)
}

func (m *memory) open(name string) (io.ReadCloser, error) { return m.fs.Open(m.path(name)) }

func (m *memory) rename(from, to string) error {
	m.gone[from] = true
	return m.fs.Rename(m.path(from), m.path(to))
}

func (m *memory) remove(name string) error {
	m.gone[name] = true
	return m.fs.Remove(m.path(name))
}

func (m *memory) list() ([]string, error) { return m.fs.List(memoryDir) }

func (m *memory) size(name string) (int64, error) {
	info, err := m.fs.Stat(m.path(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (m *memory) sync() error {
	clear(m.gone)
	return syncPath(m.fs, memoryDir)
}

func (m *memory) read(path string) ([]byte, error) {
	f, err := m.fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// watched does the work of others and is told of each operation: before fails
// it, after sees what it has done. The two mutants leave a sync out.
type watched struct {
	files

	before func(op string) error
	after  func()

	noFileSync, noDirSync bool
}

// pageSize is how much of a file one operation writes.
const pageSize = 4096

func (w *watched) do(op string, changes bool, f func() error) error {
	if w.before != nil {
		if err := w.before(op); err != nil {
			return err
		}
	}
	err := f()
	if changes && w.after != nil {
		w.after()
	}
	return err
}

func (w *watched) create(name string) (f file, err error) {
	err = w.do("create", true, func() error {
		f, err = w.files.create(name)
		return err
	})
	return &watchedFile{f, w}, err
}

func (w *watched) open(name string) (f io.ReadCloser, err error) {
	err = w.do("open", false, func() error {
		f, err = w.files.open(name)
		return err
	})
	return &watchedReader{f, w}, err
}

func (w *watched) rename(from, to string) error {
	return w.do("rename", true, func() error { return w.files.rename(from, to) })
}

func (w *watched) remove(name string) error {
	return w.do("remove", true, func() error { return w.files.remove(name) })
}

func (w *watched) list() (names []string, err error) {
	err = w.do("list", false, func() error {
		names, err = w.files.list()
		return err
	})
	return names, err
}

func (w *watched) size(name string) (n int64, err error) {
	err = w.do("size", false, func() error {
		n, err = w.files.size(name)
		return err
	})
	return n, err
}

func (w *watched) sync() error {
	return w.do("sync directory", true, func() error {
		if w.noDirSync {
			return nil
		}
		return w.files.sync()
	})
}

type watchedFile struct {
	file

	w *watched
}

func (f *watchedFile) Write(p []byte) (n int, err error) {
	for page := range slices.Chunk(p, pageSize) {
		got := 0
		err := f.w.do("write", true, func() error {
			got, err = f.file.Write(page)
			return err
		})
		if n += got; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *watchedFile) Sync() error {
	return f.w.do("sync", true, func() error {
		if f.w.noFileSync {
			return nil
		}
		return f.file.Sync()
	})
}

// Close closes the file even where it says that it could not.
func (f *watchedFile) Close() error {
	err := f.w.do("close", true, func() error { return nil })
	if e := f.file.Close(); err == nil {
		err = e
	}
	return err
}

type watchedReader struct {
	io.ReadCloser

	w *watched
}

func (r *watchedReader) Read(p []byte) (n int, err error) {
	err = r.w.do("read", false, func() error {
		n, err = r.ReadCloser.Read(p)
		return err
	})
	return n, err
}

func (r *watchedReader) Close() error {
	err := r.w.do("close", false, func() error { return nil })
	if e := r.ReadCloser.Close(); err == nil {
		err = e
	}
	return err
}

// unlocked is a lock that anybody gets.
type unlocked struct{}

func (unlocked) Close() error { return nil }

// dirOn is a directory on any file system whose snapshots are opened for what
// they are. m reads them.
func dirOn(fsys files, m *memory) *Dir {
	return &Dir{
		files:  fsys,
		check:  m.check,
		locked: func() (io.Closer, error) { return unlocked{}, nil },
	}
}

// check opens a snapshot.
func (m *memory) check(path string) (string, error) {
	b, err := m.read(path)
	if err != nil {
		return "", err
	}
	return opened(b)
}

// opened opens a snapshot from its bytes and returns its ID, once for each that
// is whole.
func opened(b []byte) (string, error) {
	if id, ok := wholeIDs.Load(string(b)); ok {
		return id.(string), nil
	}
	s, err := index.OpenBytes(b)
	if err != nil {
		return "", err
	}
	wholeIDs.Store(string(b), s.ID())
	return s.ID(), nil
}

var wholeIDs sync.Map

// testSnapshot builds the n-th of some small snapshots, of several pages.
func testSnapshot(t *testing.T, n int) []byte {
	t.Helper()
	if b, ok := built.Load(n); ok {
		return b.([]byte)
	}
	var land [3]geo.MultiPolygon
	for i := range land {
		south := 54 - float64(i)
		land[i] = geo.MultiPolygon{{{{Lat: south, Lng: -2}, {Lat: south, Lng: -1}, {Lat: south + 1, Lng: -1}, {Lat: south + 1, Lng: -2}}}}
	}
	day, err := index.ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	b, err := index.NewBuilder(land, index.Options{AsOf: day, Tool: fmt.Sprint("night ", n), CSPs: []string{"Arqiva"}})
	if err != nil {
		t.Fatal(err)
	}
	claim := b.Claim(index.Claim{CSP: "Arqiva", AsOf: day, Network: index.NetworkNorth, Availability: index.AvailabilityTrue})
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range 1500 {
		at := geo.LatLng{Lat: 52 + 3*rng.Float64(), Lng: -2 + rng.Float64()}
		b.Add([]index.Row{{UPRN: geo.UPRN(1e9 + rng.Int64N(1e9)), At: at.Location(), Claim: claim, Line: uint32(i + 2)}})
	}
	made, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var file sliceWriter
	if _, err := made.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(file); err != nil {
		t.Fatal(err)
	}
	built.Store(n, []byte(file))
	return file
}

var built sync.Map

type sliceWriter []byte

func (s *sliceWriter) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}
