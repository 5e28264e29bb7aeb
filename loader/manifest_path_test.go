package loader

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExpandGlob(t *testing.T) {
	dir := t.TempDir()
	world{"b.csv": "", "a.csv": "", "[x].csv": "", "deep/c.csv": "", "deep/d.csv.gz": "", "folder.csv/x": ""}.write(t, dir)
	for _, tt := range []struct {
		pattern string
		want    string // the files, or the error's start after the folder
	}{
		{"a.csv", "a.csv"},
		{"*.csv", "[x].csv a.csv b.csv"}, // sorted, without folder.csv
		{"[x].csv", "[x].csv"},           // a name as it is, before any glob
		{"[ab].csv", "a.csv b.csv"},
		{"*/*.csv*", "deep/c.csv deep/d.csv.gz"},
		{"?.csv", "a.csv b.csv"},
		{"deep", "is a folder"},
		{"z.csv", "no such file"},
		{"z*", "no file matches"},
		{"[", "syntax error"},
	} {
		files, err := expandGlob(filepath.Join(dir, filepath.FromSlash(tt.pattern)))
		for i, f := range files {
			files[i] = shownPath(dir, f)
		}
		got := strings.Join(files, " ")
		if err != nil && strings.Contains(err.Error(), tt.want) {
			continue
		}
		if got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", tt.pattern, got, err, tt.want)
		}
	}
}

// Files outside the manifest's folder are known by their names alone, so that
// nothing in a snapshot tells where it was built.
func TestShownPath(t *testing.T) {
	dir := filepath.FromSlash("/data/night")
	for path, want := range map[string]string{
		"/data/night/a.csv": "a.csv", "/data/night/arqiva/a.csv": "arqiva/a.csv",
		"/data/other/a.csv": "a.csv", "/data/night/../a.csv": "a.csv", "relative.csv": "relative.csv",
	} {
		if got := shownPath(dir, filepath.FromSlash(path)); got != want {
			t.Errorf("%s is shown as %q, want %q", path, got, want)
		}
	}
}

func TestFindLines(t *testing.T) {
	got := findLines(`as_of = 2026-11-22 # a comment
[[ extract ]]
csp = "A"
[extract.columns]
  "uprn" = 'X'
columns.postcode = "dotted keys have no line of their own"
[[extract]]
csp = "B"
[extract."values".'network_region']
"4G C" = "4G Central"
`)
	want := map[string]int{
		"as_of": 1, "extract#1": 2, "extract#1.csp": 3, "extract#1.columns": 4, "extract#1.columns.uprn": 5,
		"extract#2": 7, "extract#2.csp": 8, "extract#2.values.network_region": 9, "extract#2.values.network_region.4G C": 10,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"premises", "areas"}
	for word, want := range map[string]string{
		"premise": `: did you mean "premises"?`, "AREAS": `: did you mean "areas"?`, "xyzzyplugh": " (known are premises, areas)",
	} {
		if got := didYouMean(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	if got := didYouMean("x", []string{}); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestEditDistance(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := editDistance(a, b), slowEditDistance(a, b); got != want {
			t.Fatalf("%q, %q: %d, want %d", a, b, got, want)
		}
	})
}

// slowEditDistance is the definition.
func slowEditDistance(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	case a[0] == b[0]:
		return slowEditDistance(a[1:], b[1:])
	}
	return 1 + min(slowEditDistance(a[1:], b), slowEditDistance(a, b[1:]), slowEditDistance(a[1:], b[1:]))
}
