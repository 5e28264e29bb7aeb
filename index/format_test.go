package index

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFormatNamesEverySection compares the sections of a file with those that
// FORMAT.md describes: the same, in the same order.
func TestFormatNamesEverySection(t *testing.T) {
	written := sectionNames(t, tinyFile(t))
	large := towns(t).Info().Sections // with a table of confidences, which comes last
	written = slices.Insert(written, slices.Index(written, sectionChangeHead), large[len(large)-1].Name)
	var described []string
	_, text, _ := strings.Cut(readText(t, "FORMAT.md"), "\n## Sections\n")
	text, _, _ = strings.Cut(text, "\n## Content digest\n")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z.]+)` \\|").FindAllStringSubmatch(text, -1) {
		described = append(described, m[1])
	}
	if d := cmp.Diff(written, described); d != "" {
		t.Errorf("sections in the file, and in FORMAT.md:\n%s", d)
	}
}

// TestFormatExampleIsReal finds every line of the worked example in the golden
// file.
func TestFormatExampleIsReal(t *testing.T) {
	golden := strings.Split(readText(t, tinyDump), "\n")
	_, text, _ := strings.Cut(readText(t, "FORMAT.md"), "\n## Worked example\n")
	lines := regexp.MustCompile("(?m)^[0-9a-f]{5}: .*$").FindAllString(text, -1)
	if len(lines) < 20 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if !slices.Contains(golden, l) {
			t.Errorf("not in %s:\n%s", tinyDump, l)
		}
	}
}
