package generations

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// threeActivated is a directory with three generations, the third rolled back
// from.
func threeActivated(t *testing.T) (*Dir, *Lock) {
	t.Helper()
	d := fakeDir(t)
	l := mustLock(t, d)
	for n := 1; n <= 3; n++ {
		mustActivate(t, l, mustStage(t, l, n).Name)
	}
	if _, err := l.Rollback(); err != nil {
		t.Fatal(err)
	}
	return d, l
}

// TestDamagedPointer: whatever bit of it flips, or wherever it is cut, it is
// refused or says the same.
func TestDamagedPointer(t *testing.T) {
	d, _ := threeActivated(t)
	whole, err := os.ReadFile(d.files.path(pointerName))
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	try := func(what string, i int, b []byte) {
		t.Helper()
		f, err := m.fs.Create(m.path(pointerName), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Clone(b)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if _, err := readPointer(m); !errors.Is(err, ErrPointer) {
			t.Errorf("%s at %d: %v", what, i, err)
		}
	}
	for i := range whole {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			try("flipped", i, b)
		}
		try("cut", i, whole[:i])
	}
	try("longer", len(whole), append(slices.Clip(whole), '\n'))
	try("too long", len(whole), make([]byte, 2<<20))
}

// TestPointerIsMended: each way of losing track is told with its cure, and the
// cure cures.
func TestPointerIsMended(t *testing.T) {
	for name, harm := range map[string]func(d *Dir) error{
		"damaged": func(d *Dir) error {
			return os.WriteFile(d.files.path(pointerName), []byte("{}"), 0o666)
		},
		"another format": func(d *Dir) error {
			return os.WriteFile(d.files.path(pointerName), []byte(`{"format": 99}`), 0o666)
		},
		"gone":        func(d *Dir) error { return d.files.remove(pointerName) },
		"active gone": func(d *Dir) error { return d.files.remove("000002-abc000000002.snap") },
	} {
		t.Run(name, func(t *testing.T) {
			d, l := threeActivated(t)
			if err := harm(d); err != nil {
				t.Fatal(err)
			}
			list, err := d.List()
			if len(list) < 2 || !errors.Is(err, ErrPointer) || !strings.Contains(err.Error(), "coverd snapshots activate NAME") {
				t.Errorf("list: %v, %v", list, err)
			}
			if _, err := d.Active(); !errors.Is(err, ErrPointer) {
				t.Errorf("active: %v", err)
			}
			if _, err := l.Rollback(); !errors.Is(err, ErrPointer) {
				t.Errorf("roll back: %v", err)
			}
			if _, err := l.Prune(1, false); !errors.Is(err, ErrPointer) {
				t.Errorf("prune: %v", err)
			}
			if _, err := l.Stage(says(fakeSnapshot(4)), fakeID); !errors.Is(err, ErrPointer) {
				t.Errorf("stage: %v", err)
			}
			mustActivate(t, l, "1")
			if g, err := d.Active(); err != nil || g.Sequence != 1 {
				t.Errorf("active: %+v, %v", g, err)
			}
		})
	}
}

// TestActivateVerifies: what cannot be opened, or is not what its name says,
// does not become active, neither forwards nor backwards.
func TestActivateVerifies(t *testing.T) {
	d, l := threeActivated(t)
	mustActivate(t, l, mustStage(t, l, 4).Name)
	const before = "4 active, 3 withdrawn, 2 previous, 1 old"
	wantStates(t, d, before)
	for _, name := range []string{"000002-abc000000002.snap", "000003-abc000000003.snap"} {
		if err := os.WriteFile(d.files.path(name), []byte(fakeSnapshot(7)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Activate(name); err == nil || !strings.Contains(err.Error(), "written over") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.Rollback(); err == nil {
		t.Error("rolled back to something else")
	}
	d.check = func(string) (string, error) { return "", errors.New("damaged snapshot") }
	if _, err := l.Activate("1"); err == nil || !strings.Contains(err.Error(), "choose another") {
		t.Error(err)
	}
	wantStates(t, d, before)
	if _, err := l.Activate("nine"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", path} {
		if _, err := Open(bad); err == nil {
			t.Errorf("%q is opened", bad)
		}
	}
}
