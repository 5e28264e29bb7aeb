package generations

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		write func(io.Writer) error
		check error
	}{
		{"while writing", func(w io.Writer) error { return errors.Join(hello(w), broken) }, nil},
		{"when read back", hello, broken},
	} {
		dir := t.TempDir()
		old := filepath.Join(dir, "f")
		if err := os.WriteFile(old, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := WriteFile(dir, tt.write, func(string) (string, error) { return "f", tt.check })
		if !errors.Is(err, broken) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if got, err := os.ReadFile(old); err != nil || string(got) != "old" {
			t.Errorf("%s: the old file reads %q, %v", tt.name, got, err)
		}
		wantEntries(t, dir, "f")
	}

	dir := t.TempDir()
	path, err := WriteFile(dir, hello, func(tmp string) (string, error) {
		got, err := os.ReadFile(tmp)
		if string(got) != "hello" {
			t.Errorf("check reads %q", got)
		}
		return "f", err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	wantEntries(t, dir, "f")
}

// wantEntries fails unless dir holds one entry of that name: nothing may be
// left behind.
func wantEntries(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("%s holds %v, %v; want %s alone", dir, entries, err, name)
	}
}
