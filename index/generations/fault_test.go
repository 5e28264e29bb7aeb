package generations

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// night publishes a snapshot as a build does, and discards it if that fails.
func night(d *Dir, file []byte) (err error) {
	l, err := d.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Unlock()) }()
	if _, err := d.Active(); err != nil && !errors.Is(err, ErrNoActive) {
		return err
	}
	g, err := l.Stage(func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	}, d.check)
	if err != nil {
		return err
	}
	_, err = l.Attach(g, "report.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, companion(g))
		return err
	})
	if err == nil {
		_, err = l.Activate(g.Name)
	}
	if err != nil {
		return errors.Join(err, l.Discard(g))
	}
	_, err = l.Prune(3, false)
	return err
}

// afterNights is a directory in memory after three of them.
func afterNights(t *testing.T) (*memory, *watched, *Dir) {
	t.Helper()
	m := newMemory()
	w := &watched{files: m}
	d := dirOn(w, m)
	for n := range 3 {
		if err := night(d, testSnapshot(t, n+1)); err != nil {
			t.Fatal(err)
		}
	}
	return m, w, d
}

const (
	threeNights = "3 active with a report\n2 previous with a report\n1 old with a report\n3 to serve"
	fourNights  = "4 active with a report\n3 previous with a report\n2 old with a report\n4 to serve"
	// The fourth is active, and there was no pruning of the first.
	fourUnpruned = "4 active with a report\n3 previous with a report\n2 old with a report\n1 old with a report\n4 to serve"
	// The fourth could neither be activated nor discarded.
	fourStaged = "4 staged with a report\n" + threeNights
	fourBare   = "4 staged\n" + threeNights
)

// TestEveryOperationFails: whatever operation of a night fails, once or from
// then on, the night fails and nothing of it is left, or it is complete. What
// was active can be served all the while.
func TestEveryOperationFails(t *testing.T) {
	for _, forEver := range []bool{false, true} {
		ended := map[string]int{}
		for k := 1; ; k++ {
			m, w, d := afterNights(t)
			n, failed := 0, ""
			w.before = func(op string) error {
				if n++; n == k || forEver && n > k {
					if failed == "" {
						failed = op
					}
					return fmt.Errorf("%s: %w", op, syscall.EIO)
				}
				return nil
			}
			err := night(d, testSnapshot(t, 4))
			if n < k {
				t.Logf("for ever: %v: all %d operations failed in turn, which ended in %v", forEver, n, ended)
				break
			}
			w.before = nil
			state, bad := recovered(m)
			var wants []string
			switch {
			case bad != nil:
			case err == nil:
				// The sweep leaves to the next what it cannot remove, and it is
				// the one operation that may fail unnoticed.
				wants = []string{fourNights}
			case forEver:
				wants = []string{threeNights, fourNights, fourUnpruned, fourStaged, fourBare}
			default:
				wants = []string{threeNights, fourNights, fourUnpruned}
			}
			if err != nil && !errors.Is(err, syscall.EIO) {
				t.Errorf("operation %d (%s): %v does not say what failed", k, failed, err)
			}
			if !slices.Contains(wants, state) {
				t.Errorf("operation %d (%s) fails, for ever: %v, and the night ends with %v; there is\n%s\n%v", k, failed, forEver, err, state, bad)
			}
			ended[strings.ReplaceAll(state, "\n", ", ")]++
			// The next night makes good what is left.
			if err := night(d, testSnapshot(t, 5)); err != nil {
				t.Errorf("operation %d (%s) failed; the next night: %v", k, failed, err)
			}
		}
		if ended[strings.ReplaceAll(threeNights, "\n", ", ")] < 20 {
			t.Errorf("only %v", ended)
		}
	}
}

// TestFullDisk: at whatever page the disk is full, with a piece of that page
// written or not, the night fails, nothing of it is left, and what was active
// is.
func TestFullDisk(t *testing.T) {
	for _, short := range []int{0, 1, pageSize - 1} {
		for pages := 0; ; pages++ {
			m, w, d := afterNights(t)
			full := &fullDisk{watched: w, left: pages, short: short}
			err := night(dirOn(full, m), testSnapshot(t, 4))
			if !full.met {
				if err != nil || pages < 10 {
					t.Errorf("with room for %d pages: %v", pages, err)
				}
				break
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("with room for %d pages: %v", pages, err)
			}
			// The pointer may be written before the old is pruned, never after.
			if state, err := recovered(m); err != nil || state != threeNights {
				t.Errorf("with room for %d pages there is\n%s\n%v", pages, state, err)
			}
			if err := night(d, testSnapshot(t, 4)); err != nil {
				t.Errorf("with room again: %v", err)
			}
		}
	}
}

// fullDisk has room for some pages more, and takes a piece of the first for
// which it has none.
type fullDisk struct {
	*watched

	left, short int
	met         bool
}

func (d *fullDisk) create(name string) (file, error) {
	f, err := d.watched.create(name)
	return &fullFile{f, d}, err
}

type fullFile struct {
	file

	d *fullDisk
}

func (f *fullFile) Write(p []byte) (n int, err error) {
	for page := range slices.Chunk(p, pageSize) {
		if f.d.left == 0 {
			f.d.met = true
			got, err := f.file.Write(page[:min(len(page), f.d.short)])
			return n + got, errors.Join(syscall.ENOSPC, err)
		}
		f.d.left--
		got, err := f.file.Write(page)
		if n += got; err != nil {
			return n, err
		}
	}
	return n, nil
}
