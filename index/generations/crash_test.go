package generations

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var crashImages = flag.Int("crash.images", 0, "how many states after a crash to recover from (0: a few runs' worth)")

// wantImages is how many images a run of the tests looks at.
func wantImages() int {
	switch {
	case *crashImages > 0:
		return *crashImages
	case underRace || testing.Short():
		return 600
	}
	return 3000
}

// A step is one change of a directory that is reported done, or not.
type step struct {
	name string
	do   func(l *Lock) error
}

// nights is what becomes of a directory over some nights: every way of changing
// it, in an order in which each has something to do.
func nights(t *testing.T) []step {
	t.Helper()
	stage := func(n int) step {
		file := testSnapshot(t, n)
		return step{fmt.Sprint("stage ", n), func(l *Lock) error {
			_, err := l.Stage(func(w io.Writer) error {
				_, err := w.Write(file)
				return err
			}, l.dir.check)
			return err
		}}
	}
	on := func(what string, sequence int, do func(l *Lock, g Generation) error) step {
		return step{fmt.Sprint(what, " ", sequence), func(l *Lock) error {
			g, err := l.dir.Find(fmt.Sprint(sequence))
			if err != nil {
				return err
			}
			return do(l, g)
		}}
	}
	attach := func(sequence int) step {
		return on("attach to", sequence, func(l *Lock, g Generation) error {
			_, err := l.Attach(g, "report.txt", func(w io.Writer) error {
				_, err := io.WriteString(w, companion(g))
				return err
			})
			return err
		})
	}
	activate := func(sequence int) step {
		return on("activate", sequence, func(l *Lock, g Generation) error {
			_, err := l.Activate(g.Name)
			return err
		})
	}
	discard := func(sequence int) step {
		return on("discard", sequence, (*Lock).Discard)
	}
	rollback := step{"roll back", func(l *Lock) error {
		_, err := l.Rollback()
		return err
	}}
	prune := func(keep int) step {
		return step{fmt.Sprint("prune to ", keep), func(l *Lock) error {
			_, err := l.Prune(keep, false)
			return err
		}}
	}
	return []step{
		stage(1), attach(1), activate(1),
		stage(2), attach(2), activate(2),
		stage(3), attach(3), activate(3), rollback,
		stage(4), attach(4), discard(4),
		stage(5), activate(5), prune(3), activate(3), prune(1),
	}
}

// companion is what a generation's companion says: some pages.
func companion(g Generation) string { return strings.Repeat(g.Name+" is well\n", 300) }

// describe tells all that matters of a directory, and fails if anything in it is
// not whole.
func describe(d *Dir, m *memory) (string, error) {
	list, err := d.List()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, g := range list {
		file, err := m.read(d.Path(g))
		if err != nil {
			return "", err
		}
		if id, err := opened(file); err != nil || id[:idDigits] != g.ID || g.Bytes != int64(len(file)) {
			return "", fmt.Errorf("%+v holds snapshot %q: %w", g, id, err)
		}
		fmt.Fprintf(&b, "%d %s", g.Sequence, g.State)
		switch text, err := m.read(m.path(stem(g.Sequence, g.ID) + ".report.txt")); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", err
		case string(text) != companion(g):
			return "", fmt.Errorf("the companion of %s holds %d bytes of something", g.Name, len(text))
		default:
			b.WriteString(" with a report")
		}
		b.WriteString("\n")
	}
	if active, err := d.Active(); err == nil {
		fmt.Fprintf(&b, "%d to serve", active.Sequence)
	} else if !errors.Is(err, ErrNoActive) {
		return "", err
	}
	return b.String(), nil
}

// recovered is what describe says of a directory after a crash, once somebody
// has taken its lock, who must find nothing unfinished after that, nor anything
// else that does not belong.
func recovered(m *memory) (string, error) {
	d := dirOn(m, m)
	before, err := describe(d, m)
	if err != nil {
		return "", err
	}
	l, err := d.Lock()
	if err != nil {
		return "", err
	}
	after, err := describe(d, m)
	if err != nil || before != after {
		return "", fmt.Errorf("taking the lock changes\n%s\ninto\n%s: %w", before, after, err)
	}
	names, err := m.list()
	if err != nil {
		return "", err
	}
	for _, name := range names {
		sequence, id, _, ours := splitName(name)
		if !ours && name != pointerName || ours && !slices.Contains(names, stem(sequence, id)+"."+extension) {
			return "", fmt.Errorf("%s is left after the sweep", name)
		}
	}
	return after, l.Unlock()
}

// goOn has another night after a crash.
func goOn(t *testing.T, m *memory) error {
	t.Helper()
	d := dirOn(m, m)
	l, err := d.Lock()
	if err != nil {
		return err
	}
	file := testSnapshot(t, 9)
	g, err := l.Stage(func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	}, m.check)
	if err != nil {
		return err
	}
	if _, err := l.Activate(g.Name); err != nil {
		return err
	}
	active, err := d.Active()
	if err == nil && active.Name != g.Name {
		err = fmt.Errorf("%s is active, not %s", active.Name, g.Name)
	}
	return errors.Join(err, l.Unlock())
}

// crashed is what came of crashing a directory again and again.
type crashed struct {
	images, before, after int
	bad                   []string
}

// crash runs the nights once, and after every operation recovers from what may
// be there after a crash: the state before the step or the one after it, and
// once the step is done the latter. Of what is being removed any part may be
// gone.
func crash(t *testing.T, seed uint64, mutant watched, c *crashed) {
	t.Helper()
	states := steps(t)
	rng := rand.New(rand.NewPCG(seed, 2))
	m := newMemory()
	w := mutant
	w.files = m
	d := dirOn(&w, m)
	at, done, removing, op := 0, false, false, 0
	name := ""
	look := func() {
		op++
		for _, percent := range []int{0, 30, 70, 100} {
			c.images++
			after := m.crash(percent, rng)
			got, err := recovered(after)
			if err == nil && c.images%32 == 0 {
				err = goOn(t, after)
			}
			from, to := states[at], states[at+1]
			switch {
			case err == nil && got == to:
				c.after++
			case err == nil && !done && (got == from || removing && between(from, got, to)):
				c.before++
			default:
				c.bad = append(c.bad, fmt.Sprintf("seed %d, %s (done: %v), operation %d, %d%%: %v; there is\n%s\nwhere there was\n%s\nand should be\n%s",
					seed, name, done, op, percent, err, got, from, to))
			}
		}
	}
	w.after = look
	l, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range nights(t) {
		at, done, name = i, false, s.name
		removing = strings.HasPrefix(name, "prune") || strings.HasPrefix(name, "discard")
		if err := s.do(l); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		done = true
		look()
	}
}

// between reports whether some lines of from that to has not are missing.
func between(from, got, to string) bool {
	rest := strings.Split(got, "\n")
	for line := range strings.SplitSeq(from, "\n") {
		snapshot := strings.TrimSuffix(line, " with a report")
		switch {
		case len(rest) > 0 && (rest[0] == line || rest[0] == snapshot && !strings.Contains(to, snapshot)):
			rest = rest[1:]
		case strings.Contains(to, line):
			return false
		}
	}
	return len(rest) == 0
}

// steps are the states before the nights and after each of their steps.
func steps(t *testing.T) []string {
	t.Helper()
	m := newMemory()
	d := dirOn(m, m)
	l, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	states := []string{""}
	for _, s := range nights(t) {
		if err := s.do(l); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		state, err := describe(d, m)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if state == states[len(states)-1] {
			t.Fatalf("%s has done nothing", s.name)
		}
		states = append(states, state)
	}
	return states
}

// TestCrash: whenever the power fails, there is the old state or the new, and
// what was reported done is there.
func TestCrash(t *testing.T) {
	var c crashed
	seed := uint64(0)
	for ; c.images < wantImages(); seed++ {
		crash(t, seed, watched{}, &c)
	}
	t.Logf("%d images of %d runs: %d old, %d new, %d bad", c.images, seed, c.before, c.after, len(c.bad))
	if len(c.bad) > 0 {
		t.Errorf("%d of %d images are bad; the first: %s", len(c.bad), c.images, c.bad[0])
	}
	if c.before == 0 || c.after == 0 {
		t.Errorf("%d images are of the state before, %d of the one after: the test looks at one side only", c.before, c.after)
	}
}

// TestCrashNotices: with a sync left out, the same test fails.
func TestCrashNotices(t *testing.T) {
	for name, mutant := range map[string]watched{
		"no file sync":      {noFileSync: true},
		"no directory sync": {noDirSync: true},
		"neither":           {noFileSync: true, noDirSync: true},
	} {
		var c crashed
		crash(t, 0, mutant, &c)
		t.Logf("%s: %d of %d images are bad", name, len(c.bad), c.images)
		if len(c.bad) == 0 {
			t.Errorf("%s: nothing was noticed in %d images", name, c.images)
		}
	}
}
