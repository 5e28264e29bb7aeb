package generations

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestOneWinner: of two who take the lock at once one has it.
func TestOneWinner(t *testing.T) {
	d := fakeDir(t)
	for round := range 1000 {
		var locks [2]*Lock
		var errs [2]error
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range locks {
			wg.Go(func() {
				<-start
				locks[i], errs[i] = d.Lock()
			})
		}
		close(start)
		wg.Wait()
		won := 0
		for i := range locks {
			switch {
			case errs[i] == nil:
				won++
			case !errors.Is(errs[i], ErrLocked):
				t.Fatal(errs[i])
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d have the lock", round, won)
		}
		for i, l := range locks {
			if errs[i] == nil {
				if err := l.Unlock(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestLockedByWhom(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	_, err := d.Lock()
	host, _ := os.Hostname()
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d on %s", os.Getpid(), host)) {
		t.Errorf("a second lock: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	mustLock(t, d)
}

// TestSweep: who takes the lock removes what a dead holder has left, and nothing
// else.
func TestSweep(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	g := mustStage(t, l, 1)
	if _, err := l.Attach(g, "report.txt", says("well")); err != nil {
		t.Fatal(err)
	}
	if path := d.Companion(g, "report.txt"); path != d.files.path("000001-abc000000001.report.txt") {
		t.Errorf("its companion is %q", path)
	}
	if path := d.Companion(g, "report.html"); path != "" {
		t.Errorf("there is a companion %q", path)
	}
	if _, err := l.Put("refused.txt", says("not well")); err != nil {
		t.Fatal(err)
	}
	scratch := l.Scratch("rejects.csv.zst")
	orphan := d.files.path("000009-abc000000009.report.txt")
	theirs := d.files.path(".coverd-4711-0.tmp")
	for _, path := range []string{d.files.path(".generation-4711-0.tmp"), scratch, orphan, theirs, d.files.path("notes.txt")} {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	mustLock(t, d)
	names, err := filepath.Glob(d.files.path("*"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range names {
		got = append(got, filepath.Base(name))
	}
	const want = ".coverd-4711-0.tmp .lock 000001-abc000000001.report.txt 000001-abc000000001.snap generations.json notes.txt refused.txt"
	if got := strings.Join(got, " "); got != want {
		t.Errorf("there are %s\nwant      %s", got, want)
	}
}

func TestNamesNotTaken(t *testing.T) {
	d := fakeDir(t)
	l := mustLock(t, d)
	g := mustStage(t, l, 1)
	for _, suffix := range []string{"", "snap", "../x", "a/b", `a\b`} {
		if path, err := l.Attach(g, suffix, says("x")); err == nil {
			t.Errorf("attached %q: %s", suffix, path)
		}
	}
	for _, name := range []string{"", pointerName, lockName, ".x", "a/b", g.Name, "000007-abc000000001.report.html"} {
		if path, err := l.Put(name, says("x")); err == nil {
			t.Errorf("put %q: %s", name, path)
		}
	}
}
