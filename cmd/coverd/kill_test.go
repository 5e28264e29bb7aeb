package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"coverd/index"
	"coverd/index/generations"
)

var crashKills = flag.Int("crash.kills", 0, "how many times to kill what changes or serves a directory of snapshots (0: a few)")

// wantKills is how often a run of the tests kills each.
func wantKills() int {
	switch {
	case *crashKills > 0:
		return *crashKills
	case underRace || testing.Short():
		return 3
	}
	return 10
}

// TestKilledBuilds: whenever a build is killed, the directory holds whole
// generations, the old one active or the new, and the next build sweeps what is
// unfinished. One that is told to stop leaves nothing unfinished itself.
func TestKilledBuilds(t *testing.T) {
	notUnderRace(t)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			n := newNights(t)
			n.build(t).run(t)
			start := time.Now()
			n.build(t).run(t)
			took := time.Since(start) // follows how busy the machine is
			rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 0))
			ended := map[string]int{}
			for round := range wantKills() {
				before := n.state(t)
				b := n.build(t)
				start := time.Now()
				b.start(t)
				delay := time.Duration(rng.Int64N(int64(took) * 5 / 4))
				timer := time.AfterFunc(delay, func() { _ = b.cmd.Process.Signal(signal) })
				code := b.wait()
				timer.Stop()
				if code == exitDone {
					took = (3*took + time.Since(start)) / 4
				}
				after := n.state(t)
				switch {
				case code == exitDone && after.active <= before.active:
					t.Fatalf("round %d: the build was done, and generation %d is active, as before", round, after.active)
				case after.active != before.active && after.active <= before.newest:
					t.Fatalf("round %d: generation %d is active, and %d was", round, after.active, before.active)
				case signal == syscall.SIGTERM && code == exitFailed && after.active != before.active:
					t.Fatalf("round %d: the build failed, and generation %d is active:\n%s", round, after.active, &b.stderr)
				case signal == syscall.SIGTERM && len(after.unfinished) > 0:
					t.Fatalf("round %d: told to stop after %v, the build (exit code %d) leaves %s", round, delay, code, after.unfinished)
				}
				switch {
				case code == exitDone:
					ended["done in time"]++
				case len(after.unfinished) > 0:
					ended["in the middle"]++
				case after.active != before.active:
					ended["active, and killed after that"]++
				case after.newest != before.newest:
					ended["staged, and killed after that"]++
				default:
					ended["nothing changed"]++
				}
				if round%10 == 9 || round == wantKills()-1 {
					n.build(t).run(t)
					if left := n.state(t).unfinished; len(left) > 0 {
						t.Fatalf("round %d: the next build leaves %s", round, left)
					}
				}
			}
			t.Logf("%d rounds, builds of %v: %v", wantKills(), took, ended)
		})
	}
}

// nights builds into one directory, night after night.
type nights struct {
	dir  string
	n    int
	text string // of the manifest
}

func newNights(t *testing.T) *nights {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/night")); err != nil {
		t.Fatal(err)
	}
	// Enough rows for a file of many pages.
	rows, err := os.OpenFile(filepath.Join(dir, "premises.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		fmt.Fprintf(rows, "%d,GU1 1AB,%d,%.6f,%.6f,South,true,,,Cellular,SKU1,High,,\n", 10+i*7, i, 51.241+0.01*rng.Float64(), -0.588+0.01*rng.Float64())
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return &nights{dir: dir, text: string(text)}
}

// snapshots is the directory of generations.
func (n *nights) snapshots() string { return filepath.Join(n.dir, "snapshots") }

var preferLine = regexp.MustCompile(`(?m)^prefer.*$`)

// build is the next night's: of the same rows, with another order of preference,
// so that its snapshot is another.
func (n *nights) build(t *testing.T) *aBuild {
	t.Helper()
	n.n++
	networks := []string{"North", "Central", "South", "4G North", "4G Central", "4G South", "Unknown", "SMETS1"}
	for i, rest := 0, n.n; i < len(networks); i++ {
		left := len(networks) - i
		networks[i], networks[i+rest%left] = networks[i+rest%left], networks[i]
		rest /= left
	}
	line := `prefer = ["` + strings.Join(networks, `", "`) + `"]`
	manifest := filepath.Join(n.dir, fmt.Sprintf("%d.toml", n.n))
	if err := os.WriteFile(manifest, []byte(preferLine.ReplaceAllString(n.text, line)), 0o666); err != nil {
		t.Fatal(err)
	}
	b := &aBuild{cmd: exec.Command("coverd", "build", "--quiet", "--keep", "3", "--manifest", manifest)}
	b.cmd.Stderr = &b.stderr
	return b
}

// state is what is in the directory: whole, or the test fails.
type directoryState struct {
	active, newest int64 // sequences
	unfinished     []string
}

func (n *nights) state(t *testing.T) (s directoryState) {
	t.Helper()
	d, err := generations.Open(n.snapshots())
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		snap, err := index.Open(d.Path(g))
		if err != nil {
			t.Fatal(err)
		}
		if snap.ID()[:len(g.ID)] != g.ID {
			t.Fatalf("%s holds snapshot %s", g.Name, snap.ID())
		}
		s.newest = max(s.newest, g.Sequence)
	}
	if active, err := d.Active(); err == nil {
		s.active = active.Sequence
	} else if !errors.Is(err, generations.ErrNoActive) {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(n.snapshots())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Name() != ".lock" {
			s.unfinished = append(s.unfinished, e.Name())
		}
	}
	slices.Sort(s.unfinished)
	return s
}

// aBuild is one run of coverd build.
type aBuild struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func (b *aBuild) start(t *testing.T) {
	t.Helper()
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit code, -1 if it was killed.
func (b *aBuild) wait() int {
	b.cmd.Wait()
	return b.cmd.ProcessState.ExitCode()
}

// run has it run to its end.
func (b *aBuild) run(t *testing.T) {
	t.Helper()
	b.start(t)
	if code := b.wait(); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &b.stderr)
	}
}
