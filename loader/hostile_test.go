package loader

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coverd/fixtures"
)

// hostileWorld is a build of one hostile file, beside what else a build needs.
func hostileWorld(c *fixtures.HostileCase, file string) world {
	name := path.Base(c.File)
	w := world{"regions.geojson": boxes, "a.csv": middle}
	const extract = "[[extract]]\ncsp = \"A\"\nkind = %q\npath = %q\n%s\n"
	other := fmt.Sprintf(extract, "premises", "a.csv", "")
	switch c.Kind() {
	case "premises", "areas":
		w["coverd.toml"] = manifestHead + fmt.Sprintf(extract, c.Kind(), name, c.Manifest)
	case "register":
		w["coverd.toml"] = manifestHead + other + "[[register]]\npath = \"" + name + "\"\n"
	case "regions":
		w["coverd.toml"] = strings.Replace(manifestHead, "regions.geojson", name, 1) + other
	case "manifest":
		name = "coverd.toml"
	}
	w[name] = file
	return w
}

// told is what became of a file, as the corpus has it.
type told struct {
	outcome, code string
	lines         []int
	says          string
}

// tell builds a world and tells what became of the hostile file in it.
func tell(t testing.TB, c *fixtures.HostileCase, w world) told {
	t.Helper()
	dir := t.TempDir()
	w.write(t, dir)
	manifest := func(err error) told {
		out := told{outcome: "refuse", code: "manifest", says: err.Error()}
		if bad, ok := errors.AsType[*ManifestError](err); ok && bad.Line > 0 {
			out.lines = []int{bad.Line}
		}
		return out
	}
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		return manifest(err)
	}
	res, err := Build(t.Context(), m, Options{Rejects: filepath.Join(dir, "rejects.csv")})
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		r := refused.Refusals[0]
		out := told{outcome: "refuse", code: r.Gate, says: r.Msg}
		line := 0
		if _, err := fmt.Sscanf(strings.TrimPrefix(r.Msg, path.Base(c.File)+":"), "%d:", &line); err == nil {
			out.lines = []int{line}
		}
		return out
	}
	if _, ok := errors.AsType[*ManifestError](err); ok {
		return manifest(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", c.File, err)
	}
	out := told{outcome: "accept"}
	for _, s := range res.Summary.Sources {
		for _, r := range s.Rejects {
			out.outcome, out.code, out.says = "quarantine", string(r.Code), r.Reason
			out.lines = append(out.lines, r.Line)
		}
		if s.Accepted+s.Rejected+s.OutOfArea != s.Rows || s.Rejected != int64(len(s.Rejects)) {
			t.Errorf("%s: counts %+v", c.File, s)
		}
	}
	return out
}

// Each file of the corpus has the outcome that is listed.
func TestHostileFiles(t *testing.T) {
	cases, err := fixtures.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	committed := 0
	for i, c := range cases {
		if c.Large {
			continue // the command's own test builds them, in a process of their own
		}
		if committed++; underRace && i%10 != 0 {
			continue
		}
		var file bytes.Buffer
		if _, err := c.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		got := tell(t, &c, hostileWorld(&c, file.String()))
		if got.outcome != c.Outcome || got.code != c.Code || !slices.Equal(got.lines, c.Lines) || !strings.Contains(got.says, c.Says) {
			t.Errorf("%s (%s)\n got %+v\nwant %s %s %d: %s", c.File, c.What, got, c.Outcome, c.Code, c.Lines, c.Says)
		}
	}
	if committed < 300 {
		t.Errorf("only %d files", committed)
	}
}

// The list has every file, and they are small.
func TestHostileListIsWhole(t *testing.T) {
	cases, err := fixtures.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"expected.tsv": true}
	for _, c := range cases {
		if listed[c.File] || c.What == "" {
			t.Errorf("%s: twice, or nothing said of it", c.File)
		}
		listed[c.File] = true
	}
	root := filepath.Join("..", "fixtures", "hostile")
	var size int64
	if err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
			if name, err := filepath.Rel(root, path); err != nil || !listed[filepath.ToSlash(name)] {
				t.Errorf("%s is not listed", path)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if size > 400_000 {
		t.Errorf("%d bytes", size)
	}
}
