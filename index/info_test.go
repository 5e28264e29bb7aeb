package index

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadInfo: it says what opening the file says, but for what only that can
// know.
func TestReadInfo(t *testing.T) {
	file, _ := makeWorld(1, 500).build(t, nil)
	path := filepath.Join(t.TempDir(), "a.snap")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	snap, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadInfo(path)
	if err != nil {
		t.Fatal(err)
	}
	want := *snap.Info()
	want.Memory = 0
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("(-opened +read)\n%s", diff)
	}
}

// TestReadInfoOfDamage: whatever it reads of a file is checked.
func TestReadInfoOfDamage(t *testing.T) {
	file, err := os.ReadFile("testdata/tiny.snap")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := readInfo(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		file[i] ^= 1
		info, err := readInfo(bytes.NewReader(file), int64(len(file)))
		file[i] ^= 1
		if err != nil {
			continue
		}
		if i >= len(file)-digestSize {
			info.ID = whole.ID
		}
		if diff := cmp.Diff(whole, info); diff != "" {
			t.Errorf("byte %d flipped (-whole +got)\n%s", i, diff)
		}
	}
	for n := range file {
		if _, err := readInfo(bytes.NewReader(file[:n]), int64(n)); err == nil {
			t.Errorf("cut to %d bytes it is read", n)
		}
		// Cut short after its size was asked for.
		if info, err := readInfo(bytes.NewReader(file[:n]), int64(len(file))); err == nil {
			t.Errorf("cut to %d bytes while it is read: %v", n, info)
		}
	}
}
