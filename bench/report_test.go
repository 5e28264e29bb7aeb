package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testReport has a figure of every kind.
func testReport() *Report {
	size := func(premises int64, each, held, ns, get float64) Size {
		return Size{
			Snapshot: &Snapshot{
				ID: "5eed", FormatVersion: 1, AsOf: "2026-11-22", Premises: premises, Postcodes: premises / 17,
				Bytes: int64(each * float64(premises)), Memory: int64(held * float64(premises)), PerPremises: each, HeldPremises: held,
			},
			Rows: []Row{
				{Name: rowBuild, N: premises, Unit: unitSecond, P50: new(60.0), Floor: new(3.0), Ratio: new(20.0), FloorOf: ofRead},
				{Name: rowBuildPeak, N: premises, Unit: unitBytes, P50: new(2.5 * (1 << 30))},
				{Name: rowFile, N: premises, Unit: unitEach, P50: new(each)},
				{Name: rowHeld, N: premises, Unit: unitEach, P50: new(held)},
				{Name: qPostcode, Mix: Mixed, N: 1000, Unit: unitNs, P50: new(ns), P99: new(2 * ns), P999: new(3 * ns), Allocs: new(0.0), Floor: new(get), Ratio: new(ns / get), FloorOf: floorMap},
				{Name: qUPRN, Mix: Mixed, N: 1000, Unit: unitNs, P50: new(10 * ns), Allocs: new(0.5), Floor: new(get), FloorOf: floorMap},
			},
		}
	}
	r := &Report{
		Run: Run{
			Date: "2026-11-25T12:00:00Z", Command: "coverd bench report", Seed: 1,
			Machine: Machine{Processor: "Test", Cores: 2, Memory: 24 << 30, Platform: "linux/amd64", Go: "go1.26"},
			Skipped: []string{"Redis: " + errNotInstalled.Error()},
		},
		Register: "codepo_gb",
		Sizes:    []Size{size(1_000_000, 20, 30, 100, 50), size(30_000_000, 11.5, 14.25, 140, 80)},
		Curves:   []Curve{{Name: "coverd, a < b & c", Unit: unitUs, Points: [][2]float64{{0, 20}, {50, 40}, {99, 400}, {99.99, 2000}}}},
	}
	largest := r.Sizes[1]
	r.Snapshot, r.Rows = largest.Snapshot, slices.Clone(largest.Rows)
	r.Rows = append(r.Rows,
		Row{Name: qPostcode, Mix: Misses, N: 500, Unit: unitNs, P50: new(33.0), Allocs: new(0.0)},
		Row{Name: qOutcodeJSON, Mix: Mixed, N: 500, Unit: unitUs, P50: new(3.0), Allocs: new(0.0)},
		Row{Name: qOutcodeJSON, Mix: Hits, N: 500, Unit: unitUs, P50: new(3.0), Allocs: new(1.0)},
		Row{Name: rowReady, N: 1, Unit: unitSecond, P50: new(1.25)},
		Row{Name: rowAtRest, N: 30_000_000, Unit: unitEach, P50: new(14.25)},
		Row{Name: rowEdges, N: 2_000_000, Unit: unitEdges, P50: new(16.0)},
		Row{Name: rowPeerLoad, N: 2_000_000, Unit: unitSecond, P50: new(600.0)},
		Row{Name: rowHTTP + qPostcode, Mix: Mixed, N: 1_000_000, Unit: unitRate, P50: new(86_000.0), Floor: new(100_000.0), Ratio: new(0.86), FloorOf: ofFastHTTP},
		Row{Name: rowHTTP + qLocation, Mix: Mixed, N: 1_000_000, Unit: unitRate, P50: new(84_000.0), Floor: new(100_000.0), Ratio: new(0.84), FloorOf: ofFastHTTP},
		Row{Name: rowNetHTTP + qPostcode, Mix: Mixed, N: 1_000_000, Unit: unitRate, P50: new(50_000.0)},
		Row{Name: rowSwap, N: 400_000, Unit: unitUs, P50: new(500.0), P99: new(4000.0), P999: new(9000.0), Floor: new(2500.0), Ratio: new(0.8), FloorOf: "p99 of the same load without swaps"},
		Row{Name: rowSwapMemory, N: 12, Unit: unitTimes, P50: new(2.05)},
	)
	r.Rows = append(r.Rows, growth(r.Sizes, 30_000_000)...)
	r.Rows = append(r.Rows, beside(r.Rows, r.Sizes)...)
	r.Verdicts = Judge(r.Rows)
	return r
}

func TestMarkdown(t *testing.T) {
	got := testReport().Markdown()
	const golden = "testdata/RESULTS.md"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (go test -update rewrites it):\n%s", golden, got)
	}
	for text := range strings.Lines(string(got)) {
		if cells := strings.Count(text, "|") - strings.Count(text, `\|`); strings.HasPrefix(text, "|") && cells < 3 {
			t.Errorf("not a line of a table: %s", text)
		}
	}
}

// Each verdict is that of a figure on its side of the limit.
func TestJudge(t *testing.T) {
	verdicts := map[string]Verdict{}
	for _, v := range Judge(testReport().Rows) {
		verdicts[v.What] = v
	}
	if len(verdicts) != len(Budgets) {
		t.Errorf("%d names of %d budgets", len(verdicts), len(Budgets))
	}
	for what, want := range map[string]string{
		"postcode: find, status, count, Region":                 Pass,   // 140 of 150
		"UPRN":                                                  Missed, // 1,400 of 1,000
		"memory at rest, over an empty process":                 Missed, // 14.25 of 14
		"snapshot file":                                         Pass,   // 11.5 of 12
		"build, times the unpacking of its files":               Missed, // 20 of 8
		"start to ready, verified":                              Pass,   // 1.25 of 3
		"HTTP, average postcode, share of bare fasthttp":        Pass,   // 0.86 of 0.85
		"HTTP, location, share of bare fasthttp":                Missed, // 0.84 of 0.85
		"HTTP, outcode, share of bare fasthttp":                 NotMeasured,
		"growth of a postcode's look-up, times a map get's":     Pass,   // 1.4 of 1.6
		"outcode as JSON, allocations":                          Missed, // 1 with the mix hits, 0 with mixed
		"build, times as fast as PostgreSQL's COPY and indexes": Missed, // 5 of 10
	} {
		if got := verdicts[what]; got.Verdict != want {
			t.Errorf("%s: %+v, want %s", what, got, want)
		}
	}
	// At the limit is within it.
	b := Budget{What: "x", row: "x", field: "p50", unit: unitNs, most: 10}
	for v, want := range map[float64]string{10: Pass, 10.01: Missed} {
		if got := b.judge([]Row{{Name: "x", P50: &v}}); got.Verdict != want {
			t.Errorf("%v: %s, want %s", v, got.Verdict, want)
		}
	}
	// A row of another mix is not what a budget is about.
	if got := b.judge([]Row{{Name: "x", Mix: Misses, P50: new(1.0)}}); got.Verdict != NotMeasured {
		t.Errorf("another mix: %s", got.Verdict)
	}
}

// Every budget names a field that rows have.
func TestBudgetsAreOfFields(t *testing.T) {
	full := Row{P50: new(1.0), P99: new(1.0), P999: new(1.0), Mean: new(1.0), Allocs: new(1.0), Ratio: new(1.0)}
	for _, b := range Budgets {
		if full.value(b.field) == nil {
			t.Errorf("%s: no field %q", b.What, b.field)
		}
		if (b.most > 0) == (b.least > 0) && b.field != "allocs" {
			t.Errorf("%s: from %v to %v", b.What, b.least, b.most)
		}
	}
}

func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	r := testReport()
	if err := r.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil || len(back.Rows) != len(r.Rows) || len(back.Verdicts) != len(Budgets) {
		t.Errorf("%d rows, %d verdicts, %v", len(back.Rows), len(back.Verdicts), err)
	}
	charts := 0
	for c := range strings.SplitSeq(string(r.Markdown()), "](") {
		file, _, ok := strings.Cut(c, ".svg)")
		if !ok {
			continue
		}
		charts++
		svg, err := os.ReadFile(filepath.Join(dir, file+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		checkSVG(t, file, svg)
	}
	if charts != 4 {
		t.Errorf("%d charts", charts)
	}
}

// checkSVG wants a well-formed picture without numbers that are none.
func checkSVG(t *testing.T, name string, svg []byte) {
	t.Helper()
	elements := 0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
	if elements < 10 || bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Errorf("%s: %d elements\n%s", name, elements, svg)
	}
}

// A report without figures has no charts, and one size no growth.
func TestReportOfLittle(t *testing.T) {
	if c := (&Report{}).charts(); len(c) != 0 {
		t.Errorf("%d charts of nothing", len(c))
	}
	r := testReport()
	r.Sizes = r.Sizes[1:]
	if rows := growth(r.Sizes, 30_000_000); rows != nil {
		t.Errorf("%v", rows)
	}
	for _, c := range r.charts() {
		checkSVG(t, c.file, c.svg())
	}
}

// Nothing, and what a logarithmic axis has no place for, is left out of a
// picture; the rest is drawn.
func TestChartsOfNothing(t *testing.T) {
	for _, points := range [][][2]float64{nil, {{0, 0}, {1, 0}}, {{0, 0}, {1, 20}}, {{0, -1}, {1, 5}, {2, 500}}} {
		for _, fromZero := range []bool{false, true} {
			if fromZero && len(points) == 3 {
				continue // bars are of counts
			}
			c := chart{title: "x", beginsAtZero: fromZero, bars: fromZero, ticks: []tick{{0, "0"}, {1, "1"}}, series: []series{{name: "s", points: points}, {name: "t"}}}
			checkSVG(t, fmt.Sprint(points, fromZero), c.svg())
		}
	}
}

// What stands in the repository is results.json rendered: RESULTS.md, the
// charts, and the table in README.md. None of it is typed.
func TestResultsAreGenerated(t *testing.T) {
	text, err := os.ReadFile("results.json")
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- from bench/results.json -->\n", "<!-- end -->\n"
	before, rest, ok := bytes.Cut(readme, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("README.md has no %q … %q", begin, end)
	}
	files := map[string][]byte{
		"RESULTS.md":   r.Markdown(),
		"../README.md": slices.Concat(before, []byte(begin), r.Summary(), []byte(end), after),
	}
	for _, c := range r.charts() {
		files[c.file] = c.svg()
	}
	if d := cmp.Diff(Judge(r.Rows), r.Verdicts); d != "" {
		t.Errorf("the verdicts are not those of the rows (-of the rows +there):\n%s", d)
	}
	for name, want := range files {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what results.json gives (make bench-national, or go test ./bench -update, writes it): %v", name, err)
		}
	}
}
