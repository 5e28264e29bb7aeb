package generations

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeID is the ID of a made-up snapshot: whatever it holds up to the first
// space.
func fakeID(path string) (string, error) {
	b, err := os.ReadFile(path)
	id, _, _ := strings.Cut(string(b), " ")
	return id, err
}

// fakeDir is a directory whose snapshots are made up.
func fakeDir(t *testing.T) *Dir {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "above", "snapshots"))
	if err != nil {
		t.Fatal(err)
	}
	d.check = fakeID
	return d
}

func mustLock(t *testing.T, d *Dir) *Lock {
	t.Helper()
	l, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Unlock() }) // again, in some tests
	return l
}

// fakeSnapshot is the content of the n-th made-up snapshot.
func fakeSnapshot(n int) string { return fmt.Sprintf("%012x%020d the snapshot", 0xabc000000000+n, 0) }

func says(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func mustStage(t *testing.T, l *Lock, n int) Generation {
	t.Helper()
	g, err := l.Stage(says(fakeSnapshot(n)), fakeID)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustActivate(t *testing.T, l *Lock, key string) Generation {
	t.Helper()
	g, err := l.Activate(key)
	if err != nil {
		t.Fatal(err)
	}
	if g.State != Active {
		t.Fatalf("activated: %+v", g)
	}
	return g
}

// wantStates compares the generations, newest first, with what there should be:
// "3 active, 2 previous".
func wantStates(t *testing.T, d *Dir, want string) {
	t.Helper()
	list, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range list {
		got = append(got, fmt.Sprintf("%d %s", g.Sequence, g.State))
	}
	if got := strings.Join(got, ", "); got != want {
		t.Errorf("there are %q, want %q", got, want)
	}
}

func TestLifeOfGenerations(t *testing.T) {
	d := fakeDir(t)
	wantStates(t, d, "")
	if _, err := d.Active(); !errors.Is(err, ErrNoActive) {
		t.Fatal(err)
	}
	l := mustLock(t, d)
	first := mustStage(t, l, 1)
	if first.Name != "000001-abc000000001.snap" || first.State != Staged || first.Bytes != int64(len(fakeSnapshot(1))) {
		t.Errorf("staged %+v", first)
	}
	if _, err := d.Active(); !errors.Is(err, ErrNoActive) {
		t.Fatal(err)
	}
	mustActivate(t, l, first.Name)
	if _, err := l.Rollback(); !errors.Is(err, ErrNoPrevious) {
		t.Errorf("rolled back from the first: %v", err)
	}
	for n := 2; n <= 4; n++ {
		mustActivate(t, l, mustStage(t, l, n).Name)
	}
	wantStates(t, d, "4 active, 3 previous, 2 old, 1 old")

	// Rollback is a stack, and what it leaves is not come back to.
	for _, want := range []string{
		"4 withdrawn, 3 active, 2 previous, 1 old",
		"4 withdrawn, 3 withdrawn, 2 active, 1 previous",
	} {
		if _, err := l.Rollback(); err != nil {
			t.Fatal(err)
		}
		wantStates(t, d, want)
	}
	mustActivate(t, l, mustStage(t, l, 5).Name)
	wantStates(t, d, "5 active, 4 withdrawn, 3 withdrawn, 2 previous, 1 old")

	// But for who asks for it by name.
	mustActivate(t, l, "4")
	wantStates(t, d, "5 previous, 4 active, 3 withdrawn, 2 old, 1 old")
	mustActivate(t, l, "4")
	mustActivate(t, l, "2")
	wantStates(t, d, "5 old, 4 previous, 3 withdrawn, 2 active, 1 old")
	if g, err := d.Active(); err != nil || g.Sequence != 2 {
		t.Errorf("active: %+v, %v", g, err)
	}
}

func TestSameSnapshotAgain(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	for n := 1; n <= 3; n++ {
		mustActivate(t, l, mustStage(t, l, n).Name)
	}
	if _, err := l.Rollback(); err != nil {
		t.Fatal(err)
	}
	mustStage(t, l, 4)
	const before = "4 staged, 3 withdrawn, 2 active, 1 previous"
	for n, want := range map[int]State{1: Previous, 2: Active, 3: Withdrawn, 4: Staged} {
		g, err := l.Stage(says(fakeSnapshot(n)), fakeID)
		if !errors.Is(err, ErrSame) || g.State != want || g.Sequence != int64(n) {
			t.Errorf("snapshot %d again: %+v, %v", n, g, err)
		}
	}
	wantStates(t, d, before)
	wantNoTemporaries(t, d)
}

func TestPrune(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	for n := 1; n <= 6; n++ {
		g := mustStage(t, l, n)
		if _, err := l.Attach(g, "report.html", says("well")); err != nil {
			t.Fatal(err)
		}
		mustActivate(t, l, g.Name)
	}
	if _, err := l.Rollback(); err != nil {
		t.Fatal(err)
	}
	for n := 7; n <= 8; n++ {
		mustStage(t, l, n)
	}
	const before = "8 staged, 7 staged, 6 withdrawn, 5 active, 4 previous, 3 old, 2 old, 1 old"
	wantStates(t, d, before)
	for _, tt := range []struct {
		keep int
		want []int64
	}{{0, nil}, {9, nil}, {8, nil}, {7, []int64{1}}, {5, []int64{3, 2, 1}}, {4, []int64{6, 3, 2, 1}}, {1, []int64{6, 3, 2, 1}}} {
		gone, err := l.Prune(tt.keep, true)
		var got []int64
		for _, g := range gone {
			got = append(got, g.Sequence)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("keeping %d: %v go, %v; want %v", tt.keep, got, err, tt.want)
		}
	}
	wantStates(t, d, before)
	if _, err := l.Prune(5, false); err != nil {
		t.Fatal(err)
	}
	wantStates(t, d, "8 staged, 7 staged, 6 withdrawn, 5 active, 4 previous")
	for n, want := range map[int]bool{3: false, 5: true} {
		report := d.files.path(stem(int64(n), fmt.Sprintf("abc00000000%d", n)) + ".report.html")
		if _, err := os.Stat(report); (err == nil) != want {
			t.Errorf("%s: %v", report, err)
		}
	}
}

// TestSequenceIsNotUsedAgain: not even when the newest generation is gone.
func TestSequenceIsNotUsedAgain(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	for n := 1; n <= 4; n++ {
		mustActivate(t, l, mustStage(t, l, n).Name)
	}
	for range 2 {
		if _, err := l.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Prune(2, false); err != nil {
		t.Fatal(err)
	}
	wantStates(t, d, "2 active, 1 previous")
	if g := mustStage(t, l, 3); g.Sequence != 5 {
		t.Errorf("sequence %d, want 5", g.Sequence)
	}
	if err := l.Discard(Generation{Name: "000005-abc000000003.snap"}); err != nil {
		t.Error(err)
	}
	if err := l.Discard(Generation{Name: "000002-abc000000002.snap"}); err == nil {
		t.Error("the active one was discarded")
	}
	wantStates(t, d, "2 active, 1 previous")
}

// What is staged can be rejected, before and after another was made active, and
// nothing else can; its sequence is not used again.
func TestReject(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	mustActivate(t, l, mustStage(t, l, 1).Name)
	mustStage(t, l, 2)
	mustActivate(t, l, mustStage(t, l, 3).Name)
	g := mustStage(t, l, 4)
	if _, err := l.Attach(g, "report.html", func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	const before = "4 staged, 3 active, 2 staged, 1 previous"
	if got, err := l.Reject("4", true); err != nil || got.Name != g.Name {
		t.Error(got, err)
	}
	for _, key := range []string{"3", "1", "5", "", "abc"} {
		if got, err := l.Reject(key, false); err == nil {
			t.Errorf("%q: %+v was rejected", key, got)
		}
	}
	wantStates(t, d, before)
	for _, key := range []string{"4", "abc000000002"} {
		if got, err := l.Reject(key, false); err != nil || got.State != Staged {
			t.Error(got, err)
		}
	}
	wantStates(t, d, "3 active, 1 previous")
	if report := d.Companion(g, "report.html"); report != "" {
		t.Error(report, "is left")
	}
	if g := mustStage(t, l, 4); g.Sequence != 5 {
		t.Errorf("sequence %d, want 5", g.Sequence)
	}
	if err := os.Remove(d.files.path(pointerName)); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Reject("3", false); !errors.Is(err, ErrPointer) {
		t.Errorf("%+v was rejected, and nobody knows whether it is served: %v", got, err)
	}
}

func TestFind(t *testing.T) {
	list := []Generation{}
	for _, name := range []string{"1000000-7ec1b1d29b72.snap", "000413-7ec1ffffffff.snap", "000012-413000000000.snap"} {
		g, ok := parseName(name)
		if !ok {
			t.Fatal(name)
		}
		list = append(list, g)
	}
	for key, want := range map[string]int64{
		"000413-7ec1ffffffff.snap": 413, "000413-7ec1ffffffff": 413, "413": 413, "000413": 413, "7ec1f": 413, "7EC1F": 413,
		"4130": 12, "413000000000": 12, "413000000000aaaabbbbccccddddeeee": 12, "1000000": 1000000, "7ec1b1": 1000000,
		"": 0, "7ec1": 0, "9": 0, "000413-7ec1ffffffff.report.html": 0, "../000413-7ec1ffffffff.snap": 0, "413000000000 or so": 0,
	} {
		g, err := find(list, key)
		if g.Sequence != want || (err == nil) != (want != 0) || err != nil && !errors.Is(err, ErrUnknown) {
			t.Errorf("%q is %+v, %v; want %d", key, g, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"000413-7ec1b1d29b72.snap": true, "1234567-7ec1b1d29b72.snap": true,
		"00413-7ec1b1d29b72.snap": false, "0000413-7ec1b1d29b72.snap": false, "000000-7ec1b1d29b72.snap": false,
		"000413-7EC1B1D29B72.snap": false, "000413-7ec1b1d29b7.snap": false, "000413-7ec1b1d29b72.report.html": false,
		"000413-7ec1b1d29b72.snap/..": false, "2026-11-22-7ec1b1d29b72.snap": false, "000413-7ec1b1d29b72.snap\n": false,
		"999999999999999999-7ec1b1d29b72.snap": true, "9999999999999999999-7ec1b1d29b72.snap": false, "": false,
	} {
		if _, ok := parseName(name); ok != want {
			t.Errorf("%q: %v, want %v", name, ok, want)
		}
	}
}

// wantNoTemporaries fails if anything unfinished lies in the directory.
func wantNoTemporaries(t *testing.T, d *Dir) {
	t.Helper()
	names, err := d.files.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, lockedTemp) || strings.HasPrefix(name, plainTemp) {
			t.Errorf("%s was left behind", name)
		}
	}
}
