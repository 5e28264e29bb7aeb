package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coverd/fixtures"
	"coverd/loader"
)

// maxPeak is how much more memory than a build of next to nothing one of a
// hostile file may take, in KiB.
const maxPeak = 64 << 10

// hostileBuild builds a folder's coverd.toml and tells how that ended, and the
// most memory that was resident, in KiB. It is of two cores whatever the machine
// has: a build holds some megabytes more for each.
func hostileBuild(t *testing.T, dir string) (exit int, s *loader.Summary, stderr string, kib int64) {
	t.Helper()
	used := filepath.Join(dir, "peak")
	cmd := exec.Command("peak", used, "coverd", "build", "--json", "--manifest", filepath.Join(dir, "coverd.toml"),
		"--out", filepath.Join(dir, "out.snap"), "--rejects", filepath.Join(dir, "rejects.csv.zst"))
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=2")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		exit = failed.ExitCode()
	}
	text, err := os.ReadFile(used)
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	if kib, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		t.Fatal(err)
	}
	s = &loader.Summary{}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), s); err != nil {
			t.Fatal(err)
		}
	}
	return exit, s, errs.String(), kib
}

// hostileFolder writes a build of hostile files into a new folder.
func hostileFolder(t *testing.T, all map[string]*fixtures.HostileCase, cases ...*fixtures.HostileCase) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, c *fixtures.HostileCase) {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			_, err = c.WriteTo(f)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("regions.geojson", all["regions/collection.geojson"])
	write("a.csv", all["premises/reordered.csv"])
	regions, tables := "regions.geojson", "[[extract]]\ncsp = \"A\"\nkind = \"premises\"\npath = \"a.csv\"\n"
	whole := false
	for i, c := range cases {
		name := fmt.Sprintf("%d-%s", i, path.Base(c.File))
		switch c.Kind() {
		case "premises", "areas":
			tables += fmt.Sprintf("[[extract]]\ncsp = \"A\"\nkind = %q\npath = %q\n%s\n", c.Kind(), name, c.Manifest)
		case "register":
			tables += fmt.Sprintf("[[register]]\npath = %q\n", name)
		case "regions":
			regions = name
		case "manifest":
			name, whole = "coverd.toml", true
		}
		write(name, c)
	}
	if !whole {
		manifest := "as_of = 2026-11-22\n[regions]\npath = \"" + regions + "\"\n" + tables
		if err := os.WriteFile(filepath.Join(dir, "coverd.toml"), []byte(manifest), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A hostile file costs little memory, whatever is in it, and those too large to
// be committed come to the end they should: by the real command, each in a
// process of its own. The small ones are in one build together, which takes
// what all of them take.
func TestHostileFilesTakeLittleMemory(t *testing.T) {
	notUnderRace(t)
	if testing.Short() {
		t.Skip("a build of 1 GiB takes its time: make test does it")
	}
	list, err := fixtures.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*fixtures.HostileCase{}
	var small, alone []*fixtures.HostileCase
	for i := range list {
		c := &list[i]
		all[c.File] = c
		switch kind := c.Kind(); {
		case c.Large:
			alone = append(alone, c)
		case kind == "manifest", kind == "regions": // one a build, and of a few hundred bytes
		default:
			small = append(small, c)
		}
	}
	exit, _, stderr, base := hostileBuild(t, hostileFolder(t, all))
	if exit != exitDone {
		t.Fatal(stderr)
	}
	t.Logf("a build of next to nothing: %d KiB", base)
	exit, _, stderr, kib := hostileBuild(t, hostileFolder(t, all, small...))
	if exit != exitRefused || strings.Contains(stderr, "goroutine ") || kib-base > maxPeak {
		t.Errorf("%d small files: exit code %d, %+d KiB\n%s", len(small), exit, kib-base, stderr)
	}
	t.Logf("%d small files: %+d KiB", len(small), kib-base)
	for _, c := range alone {
		exit, s, stderr, kib := hostileBuild(t, hostileFolder(t, all, c))
		t.Logf("%s: %+d KiB", c.File, kib-base)
		if kib-base > maxPeak {
			t.Errorf("%s (%s): %d KiB over a build of next to nothing", c.File, c.What, kib-base)
		}
		got, says := c.Outcome, stderr
		var codes []string
		switch exit {
		case exitDone:
			got = "accept"
			for _, source := range s.Sources {
				for _, r := range source.Rejects {
					got, says = "quarantine", r.Reason
					codes = append(codes, string(r.Code))
				}
			}
		case exitRefused:
			got, says = "refuse", s.Refusals[0].Msg
			codes = []string{s.Refusals[0].Gate}
		case exitFailed:
			got, codes = "refuse", []string{"manifest"}
		}
		if got != c.Outcome || strings.Join(codes, " ") != c.Code || !strings.Contains(says, c.Says) || strings.Contains(stderr, "goroutine ") {
			t.Errorf("%s (%s): exit code %d: %s %v: %.300s\nwant %s %s: %s", c.File, c.What, exit, got, codes, says, c.Outcome, c.Code, c.Says)
		}
		if slices.Contains(codes, "manifest") != (c.Kind() == "manifest") {
			t.Errorf("%s: exit code %d", c.File, exit)
		}
	}
}
