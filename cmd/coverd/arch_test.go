package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is the architecture: which packages of this module a package may
// import. The tree is the pipeline, and imports point to the left of it.
// A package without a line fails the test: think about where it belongs, then
// give it one.
var allowed = map[string]string{
	"geo":    "",
	"index":  "geo",
	"loader": "geo index",

	"index/generations": "geo index",

	"server/api":      "geo index",
	"server/duis":     "geo index server/api",
	"server/receipts": "geo index server/api",
	"server/licence":  "geo index server/api",
	"server/requests": "geo index",
	"server":          "geo index index/generations server/api server/duis server/receipts server/licence server/requests",
	"server/client":   "server/api",

	"fixtures":   "geo",
	"bench":      "geo index index/generations fixtures server server/api server/client",
	"cmd/coverd": "geo index index/generations loader server server/api server/client server/duis server/receipts server/requests fixtures bench",
}

// allowedInTests may be imported by any package's tests besides: the small
// committed data, and what turns it into a snapshot. That never goes so far
// that loader and server meet, whose only interface is the snapshot file.
var allowedInTests = map[string]string{
	"geo":    "fixtures",
	"index":  "fixtures",
	"loader": "fixtures",
	"server": "fixtures",
}

// keptTo lists imports that only some packages may have, by prefix: they are
// what makes a layer that layer.
var keptTo = map[string]string{
	"net/http":                       "server server/client bench cmd/coverd",
	"github.com/valyala/fasthttp":    "server bench",
	"github.com/prometheus":          "server",
	"github.com/BurntSushi/toml":     "loader cmd/coverd",
	"github.com/spf13/cobra":         "cmd/coverd",
	"github.com/spf13/pflag":         "cmd/coverd",
	"github.com/schollz/progressbar": "cmd/coverd",
	"github.com/tidwall/rtree":       "index bench",
	"github.com/HdrHistogram":        "bench",
	"github.com/go-jose":             "server/receipts",
	"github.com/jackc":               "bench",
	"modernc.org":                    "server/requests",
	"github.com/pressly/goose":       "server/requests",
	"log/slog":                       "server cmd/coverd",
	"flag":                           "",
	"log":                            "",
}

func TestImportTable(t *testing.T) {
	unlisted := map[string]bool{}
	for _, f := range sources(t) {
		pkg := path.Dir(f.path)
		may, ok := allowed[pkg]
		if !ok {
			unlisted[pkg] = true
			continue
		}
		test := strings.HasSuffix(f.path, "_test.go")
		for _, imp := range f.imports {
			ours, firstParty := strings.CutPrefix(imp, "coverd/")
			switch {
			case firstParty && ours != pkg && !lists(may, ours) && !(test && lists(allowedInTests[pkg], ours)):
				t.Errorf("%s imports %s, which the import table does not allow", f.path, imp)
			case !firstParty && !test && !mayKeep(pkg, imp):
				t.Errorf("%s imports %s, which is kept to other packages", f.path, imp)
			}
		}
	}
	for pkg := range unlisted {
		t.Errorf("package %s is not in the import table", pkg)
	}
}

// TestOneClock: what the answers depend on is passed in. Below the server
// nobody asks what time it is.
func TestOneClock(t *testing.T) {
	for _, f := range sources(t) {
		layer, _, _ := strings.Cut(f.path, "/")
		if strings.HasSuffix(f.path, "_test.go") || !lists("geo index fixtures", layer) {
			continue
		}
		if strings.Contains(f.text, "time.Now(") || strings.Contains(f.text, "time.Since(") {
			t.Errorf("%s reads the clock", f.path)
		}
	}
}

// TestTopLevel: the top of the tree is the pipeline and what every project has.
func TestTopLevel(t *testing.T) {
	want := strings.Fields("CHANGELOG.md LICENSE Makefile NOTICE README.md bench bin cmd deploy fixtures geo go.mod go.sum index loader server")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}

// TestRelease: the changelog's first heading is this program's version.
func TestRelease(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## [")
	if got, _, _ := strings.Cut(rest, "]"); got != release {
		t.Errorf("CHANGELOG.md begins with %q, the program is %q", got, release)
	}
}

// root is the module's root, seen from this directory.
const root = "../.."

// source is one Go file of the module.
type source struct {
	path    string // from the root, with slashes
	text    string
	imports []string
}

func sources(t *testing.T) (list []source) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{path: name, text: string(text)}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imp)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d Go files: not the module's root", len(list))
	}
	return list
}

// lists reports whether word is in a list of words.
func lists(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// mayKeep reports whether pkg may import imp by keptTo, whose longest match
// decides.
func mayKeep(pkg, imp string) bool {
	for p := imp; p != "."; p = path.Dir(p) {
		if keepers, kept := keptTo[p]; kept {
			return lists(keepers, pkg)
		}
	}
	return true
}
