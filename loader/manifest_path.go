package loader

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"coverd/index"
)

// maxManifest is the longest manifest, in bytes.
const maxManifest = 1 << 20

// readSmall reads a file of at most so many bytes.
func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = &ManifestError{Path: path, Msg: fmt.Sprintf("it is over %d MiB: not a manifest", most>>20)}
	}
	return text, err
}

// maxBrackets is how deep brackets may be nested: the TOML library takes 700
// bytes for each.
const maxBrackets = 1000

// tooDeep returns the line where brackets are nested too deep, or 0. It counts
// those in texts too, of which a manifest has few.
func tooDeep(text []byte) (line int) {
	depth, line := 0, 1
	for _, c := range text {
		switch c {
		case '[', '{':
			if depth++; depth > maxBrackets {
				return line
			}
		case ']', '}':
			depth = max(0, depth-1)
		case '\n':
			line++
		}
	}
	return 0
}

// resolve takes a path relative to the manifest's folder; none stays none.
func (c *manifestChecker) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.dir, filepath.FromSlash(path))
}

// expand returns the files that a resolved path or glob names, sorted.
func (c *manifestChecker) expand(at, path string) []string {
	if path == "" {
		c.fail(at, "%s: path is missing", tableOf(at))
		return nil
	}
	files, err := expandGlob(path)
	if err != nil {
		c.fail(at, "%s: path: %v", tableOf(at), err)
		return nil
	}
	for _, f := range files {
		if other, ok := c.files[f]; ok {
			c.fail(at, "%s: path: %s is named by %s too", tableOf(at), f, other)
		}
		c.files[f] = tableOf(at)
	}
	return files
}

// tableOf is a table as a person calls it: `extract 2` for `extract#2.path`.
func tableOf(at string) string {
	table, _, _ := strings.Cut(at, ".")
	return strings.Replace(table, "#", " ", 1)
}

// expandGlob returns the regular files that a path or glob names, sorted. That
// there is none is an error.
func expandGlob(path string) ([]string, error) {
	if info, err := os.Stat(path); err == nil { // also for names with glob characters in them
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a folder: name its files, as in %s", path, filepath.Join(path, "*.csv"))
		}
		return []string{path}, nil
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("%s: not a glob: %w", path, err)
	}
	files := found[:0]
	for _, f := range found {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		if strings.ContainsAny(path, "*?[") {
			return nil, noFileError("no file matches " + path)
		}
		return nil, noFileError(path + ": no such file")
	}
	slices.Sort(files)
	return files, nil
}

// anyFile reports whether a path that is given and no broken glob names
// anything: what else is wrong with it, expanding it tells.
func anyFile(path string) bool {
	_, err := expandGlob(path)
	return path == "" || !errors.Is(err, errNoFile)
}

// errNoFile is what expandGlob's errors wrap where there is none.
var errNoFile = errors.New("no file")

// noFileError is an errNoFile in words of its own.
type noFileError string

func (e noFileError) Error() string   { return string(e) }
func (e noFileError) Is(t error) bool { return t == errNoFile }

// shownPath is a file's path for records and reports: relative to a folder,
// with slashes; outside of it the name alone, so that moving a whole folder
// changes nothing.
func shownPath(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.Base(path)
	}
	return filepath.ToSlash(rel)
}

var (
	tableHeader = regexp.MustCompile(`^\s*(\[\[?)\s*([^\]]+?)\s*\]`)
	keyValue    = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=`)
	tableNumber = regexp.MustCompile(`#\d+`)
)

// findLines maps places such as `extract#2.columns.uprn` to their lines. The
// TOML library knows the line of a syntax error only; this knows enough of
// TOML for the lines of everything else, and at worst names a wrong one.
func findLines(text string) map[string]int {
	lines := map[string]int{}
	count := map[string]int{}
	table := ""
	note := func(at string, line int) {
		if lines[at] == 0 {
			lines[at] = line
		}
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if h := tableHeader.FindStringSubmatch(line); h != nil {
			parts := strings.Split(h[2], ".")
			if h[1] == "[[" {
				count[parts[0]]++
			}
			if k := count[parts[0]]; k > 0 {
				parts[0] = fmt.Sprintf("%s#%d", parts[0], k)
			}
			for i := range parts {
				parts[i] = unquote(strings.TrimSpace(parts[i]))
			}
			table = strings.Join(parts, ".")
			note(table, n)
			table += "."
		} else if k := keyValue.FindStringSubmatch(line); k != nil {
			note(table+unquote(k[1]), n)
		}
	}
	return lines
}

func unquote(s string) string { return strings.Trim(s, `"'`) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func orList[S ~string](words []S) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = fmt.Sprintf("%q", string(w))
	}
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}

func networkNames() []string {
	var names []string
	for n := index.NetworkNorth; int(n) < index.Networks; n++ {
		names = append(names, n.String())
	}
	return names
}

// didYouMean is the end of a message about an unknown word: the known word
// closest to it, or all of them where none is close and they are few.
func didYouMean[S ~string](word string, known []S) string {
	best, least := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(string(k))); d < least {
			best, least = string(k), d
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	if len(known) == 0 || len(known) > 16 {
		return ""
	}
	s := make([]string, len(known))
	for i, k := range known {
		s[i] = string(k)
	}
	return " (known are " + strings.Join(s, ", ") + ")"
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

// plainText reports whether s is valid UTF-8 without control characters.
func plainText(s string) bool {
	code, _ := textFault([]byte(s), false)
	return code == ""
}
