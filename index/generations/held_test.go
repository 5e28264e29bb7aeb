package generations

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// What processes have left that were killed is removed by the next who writes in
// the directory, and nothing else is.
func TestTemporariesOfTheDeadAreSwept(t *testing.T) {
	dir := t.TempDir()
	others := []string{
		".coverd-", ".coverd-x-0.tmp", ".coverd.toml", ".coverd-2026-backup.toml", ".coverd-2026-11-22.csv", ".coverd-1-100.tmp", ".coverd-1-0.tmpl",
		".generation-4711-0.tmp", "coverd-1-0.tmp", "f",
	}
	for _, name := range slices.Concat(others, []string{".coverd-1-0.tmp", ".coverd-4711-3.tmp-rejects.csv.zst"}) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// A name does not make it ours.
	const link = ".coverd-2-0.tmp"
	if err := os.Symlink("f", filepath.Join(dir, link)); err != nil {
		t.Fatal(err)
	}
	others = append(others, link)
	live, err := NewTemporary(dir, "rejects.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := func(names ...string) {
		t.Helper()
		got, err := disk(dir).list()
		slices.Sort(got)
		slices.Sort(names)
		if err != nil || !slices.Equal(got, names) {
			t.Errorf("there are %q, want %q: %v", got, names, err)
		}
	}
	beside := append(slices.Clone(others), filepath.Base(live.Path()))
	want(beside...)
	if _, err := WriteFile(dir, func(w io.Writer) error {
		// Somebody else meanwhile, who may not take what this one is writing.
		_, err := WriteFile(dir, func(io.Writer) error { return nil }, named("g"))
		return err
	}, named("f")); err != nil {
		t.Fatal(err)
	}
	want(append(beside, "g")...)
	if err := live.Remove(); err != nil {
		t.Fatal(err)
	}
	want(append(slices.Clone(others), "g")...)
}

// However many write in a directory at once, none takes another's file.
func TestWritersLeaveEachOtherAlone(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 25 {
				text := fmt.Sprint(i, n)
				path, err := WriteFile(dir, func(w io.Writer) error {
					_, err := io.WriteString(w, text)
					return err
				}, named(fmt.Sprint("f", i)))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := os.ReadFile(path); err != nil || string(got) != text {
					t.Errorf("%s reads %q: %v", path, got, err)
				}
			}
		})
	}
	wg.Wait()
	if names, err := disk(dir).list(); err != nil || len(names) != 8 {
		t.Error(names, err)
	}
}
