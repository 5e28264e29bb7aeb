package loader

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
)

func extractsText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("EXTRACTS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// chapter returns what stands under a heading, up to the next of its level.
func chapter(t *testing.T, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(extractsText(t), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("no %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	rest, _, _ = strings.Cut(rest, "\n"+level+" ")
	return rest
}

// table returns the rows of the first table in a text, cell by cell.
func table(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "|"):
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		case len(rows) > 0:
			return rows[2:]
		}
	}
	return rows[2:]
}

// codes are the constants of type Code.
func codes(t *testing.T) (list []string) {
	t.Helper()
	source, err := os.ReadFile("reject.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllSubmatch(source, -1) {
		list = append(list, string(m[1]))
	}
	return list
}

// The list of codes is whole, in the order of the source, and each example that
// is given as cells is rejected for what it is an example of.
func TestExtractsCodes(t *testing.T) {
	var listed []string
	examples := 0
	for _, row := range table(chapter(t, "## Rejected rows")) {
		code := strings.Trim(row[0], "`")
		listed = append(listed, code)
		example := strings.Trim(row[1], "`")
		if len(row) != 4 || row[2] == "" || row[3] == "" {
			t.Errorf("%s: not all is said", code)
		}
		if row[1] != "`"+example+"`" || !strings.Contains(example, "=") {
			continue
		}
		change := map[string]string{}
		for c := range strings.SplitSeq(example, "; ") {
			name, value, _ := strings.Cut(c, "=")
			change[name] = value
		}
		examples++
		_, s := premisesWorld("Arqiva", rowWith(change)).build(t)
		if got := s.Sources[1].Reasons; !cmp.Equal(got, map[Code]int64{Code(code): 1}) {
			t.Errorf("%s: rejected for %v", example, got)
		}
	}
	want := codes(t)
	if len(want) < 20 {
		t.Fatalf("codes %v", want)
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("codes (-reject.go +EXTRACTS.md):\n%s", diff)
	}
	if examples < 14 {
		t.Errorf("only %d examples", examples)
	}
}

func TestExtractsGates(t *testing.T) {
	var listed []string
	for _, row := range table(chapter(t, "## Refused builds")) {
		listed = append(listed, strings.Trim(row[0], "`"))
	}
	var want []string
	for i := range gates {
		want = append(want, gates[i].name)
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("gates (-gates.go +EXTRACTS.md):\n%s", diff)
	}
	final := []string{}
	for _, g := range gates {
		if g.final != "" {
			final = append(final, "`"+g.name+"`")
		}
	}
	last := len(final) - 1
	sentence := "The gates " + strings.Join(final[:last], ", ") + " and " + final[last] + " cannot be overridden"
	if !strings.Contains(chapter(t, "### Overrides"), sentence) {
		t.Errorf("no %q", sentence)
	}
}

func TestExtractsColumns(t *testing.T) {
	var listed []string
	for _, row := range table(chapter(t, "## Premises extracts")) {
		for name := range strings.SplitSeq(row[0], ", ") {
			name = strings.Trim(name, "`")
			listed = append(listed, name)
			c := column(slices.Index(columnNames[:], name))
			if c < 0 {
				t.Errorf("%q is none of our columns", name)
				continue
			}
			if most := maxLength[c]; (most > 0) != (row[2] != "" && c != colUPRN) || most > 0 && row[2] != fmt.Sprint(most) {
				t.Errorf("%s: longest %q, want %d", name, row[2], most)
			}
			if mayBreak(name) != strings.Contains(row[1], "line breaks allowed") {
				t.Errorf("%s: line breaks", name)
			}
		}
	}
	if diff := cmp.Diff(columnNames[:], listed); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	for _, n := range networkNames() {
		if !strings.Contains(chapter(t, "## Premises extracts"), "`"+n+"`") {
			t.Errorf("no network region %s", n)
		}
	}
}

func TestExtractsManifestKeys(t *testing.T) {
	listed := map[string][]string{}
	at := ""
	for _, row := range table(chapter(t, "## The manifest")) {
		key := strings.Trim(row[0], "`")
		switch {
		case strings.HasPrefix(key, "[extract."):
			name, _, _ := strings.Cut(strings.Trim(key, "[]"), ".COLUMN")
			listed["extract"] = append(listed["extract"], strings.TrimPrefix(name, "extract."))
		case strings.HasPrefix(key, "["):
			at = strings.Trim(key, "[]")
			listed[""] = append(listed[""], at)
		default:
			listed[at] = append(listed[at], key)
		}
	}
	if diff := cmp.Diff(manifestKeys, listed); diff != "" {
		t.Errorf("keys (-manifest_toml.go +EXTRACTS.md):\n%s", diff)
	}
}

// The figures are those of the code.
func TestExtractsFigures(t *testing.T) {
	text := extractsText(t)
	for _, want := range []string{
		fmt.Sprintf("a record has at most %d KiB", maxRecord>>10),
		fmt.Sprintf("A feature has at most %d MiB and %s lines", maxAreaFeature>>20, thousands(maxFeatureLines)),
		fmt.Sprintf("a feature of Region boundaries at most %d MiB", maxRegionFeature>>20),
		fmt.Sprintf("and %d properties", maxProperties),
		fmt.Sprintf("more than %d times its size (looked at from %d MiB of text on), to more than %d GiB, and one with a zstd window of over %d MiB", maxExpansion, freeOutput>>20, int64(maxOutput)>>30, maxWindow>>20),
		fmt.Sprintf("A manifest has at most %d MiB", maxManifest>>20),
		fmt.Sprintf("All corrections of an extract have at most %d MiB", maxCorrections>>20),
		fmt.Sprintf("at most %d KiB of it", maxRowKept>>10),
		fmt.Sprintf("by default %v", DefaultMaxRejected),
		fmt.Sprintf("must agree within %d m", maxDisagreement),
		fmt.Sprintf("the nearest land within %s m", thousands(index.MaxOffshore)),
		"the first ten of each source", "never fewer than ten",
	} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("no %q", want)
		}
	}
	if maxShown != 10 || minAllowed != 10 || areaMargin != 1 {
		t.Error("ten, ten and one degree are not so any more")
	}
	for i := range thresholds {
		k := &thresholds[i]
		if !strings.Contains(text, fmt.Sprintf("| `%s` | %s, by default %v |", k.name, map[bool]string{true: "share", false: "number"}[k.most == 1], k.value)) {
			t.Errorf("not said: %s is by default %v", k.name, k.value)
		}
	}
	if few != 10 || DefaultCarryDays != 3 || index.MaxPremises != 4_294_967_295 || index.MaxClaims != index.MaxPremises/2 {
		t.Error("few, carry_days, premises and claims are not what is said any more")
	}
	for _, f := range formats {
		if !strings.Contains(chapter(t, "## Registers"), "`"+string(f)+"`") {
			t.Errorf("no register format %s", f)
		}
	}
}

var fence = regexp.MustCompile("(?ms)^```\\w+ (\\S+)\n(.*?)^```$")

// The small build does what is said of it.
func TestExtractsExample(t *testing.T) {
	w := world{"regions.geojson": boxes}
	text := chapter(t, "## A small build")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		w[m[1]] = m[2]
	}
	s, sum := w.build(t)
	if got := rejects(sum); !cmp.Equal(got, []string{"telefonica.csv:5: postcode: postcode"}) {
		t.Errorf("rejects %v", got)
	}
	_, after, _ := strings.Cut(text, "make five premises:")
	rows := table(after)
	if len(rows) != 5 || sum.Premises != 5 {
		t.Fatalf("%d premises, %d rows", sum.Premises, len(rows))
	}
	on := day(t, "2026-12-24")
	for _, row := range rows {
		var p index.Premises
		if uprn, err := geo.ParseUPRN(row[0]); err == nil {
			p = byUPRN(t, s, uprn)
		} else {
			for q := range s.AllPremises() {
				if strings.HasPrefix(show(q), row[0]) {
					p = q
				}
			}
		}
		f, ok := p.Claims().Fit(on)
		if got := fmt.Sprintf("%v, fit %v", p.State(on), f.Claim.Network); !ok || got != row[1] {
			t.Errorf("%s: %s, want %s", row[0], got, row[1])
		}
	}
	want := map[geo.UPRN]string{
		990000000001: "South/Telefonica-/SKU1 4G South/Vodafone+", 990000000002: "South/Telefonica-/SKU1",
		990000000005: "[South/Telefonica+/SKU2] 4G South/Vodafone-",
	}
	for uprn, claims := range want {
		if got := show(byUPRN(t, s, uprn)); !strings.HasSuffix(got, ": "+claims) {
			t.Errorf("%s, want %s", got, claims)
		}
	}
	if got := status(t, s, "GU1 1DB"); got != "terminated 2025-10" {
		t.Errorf("GU1 1DB is %s", got)
	}
}
