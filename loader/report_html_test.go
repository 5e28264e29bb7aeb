package loader

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// squareLand stands for the Regions, so that the golden page is small.
func squareLand() *[3]geo.MultiPolygon {
	square := func(s, w, n, e float64) geo.MultiPolygon {
		return geo.MultiPolygon{{{{Lat: s, Lng: w}, {Lat: s, Lng: e}, {Lat: n, Lng: e}, {Lat: n, Lng: w}}}}
	}
	return &[3]geo.MultiPolygon{square(54, -4, 57, -2), square(52.5, -4, 54, 0), square(51, -4, 52.5, 1)}
}

// testReport has something in every part of the page.
func testReport() *Report {
	day, _ := index.ParseDay("2026-11-22")
	before := index.Summary{Premises: 9_000_000, Available: 8_000_000, Planned: 700_000, Unknown: 1000, Unavailable: 299_000}
	r := &Report{
		Summary: Summary{
			AsOf: day, Rows: 49_762_262, Accepted: 49_761_000, Rejected: 1262, Premises: 29_849_870, Areas: 3980,
			Warnings: []string{"12 areas of Telefonica overlap"}, Refusals: []Refusal{},
			Sources: []SourceSummary{
				{Source: index.Source{Kind: "register", Format: "code-point-open", AsOf: day, Rows: 1_745_849, Accepted: 1_745_849}, Pattern: "codepo_gb/*.csv"},
				{
					Source:  index.Source{Kind: "premises", CSP: "Arqiva", AsOf: day - 1, Sequence: 412, Rows: 9_123_456, Accepted: 9_122_194, Rejected: 1262},
					Pattern: "arqiva/*.csv.zst", Allowed: 9123, Reasons: map[Code]int64{CodePostcode: 1200, CodeUPRN: 62},
					Rejects: []Reject{{File: "arqiva/north.csv.zst", Line: 17, Column: "postcode", Code: CodePostcode, Reason: `not a postcode: "SW1A 1A!"`, Row: "990000000001,SW1A 1A!,1,true"}},
				},
			},
		},
		Snapshot: "7ec1b1d29b7291a0f86f8347eeda17b1", Previous: "91a0f86f8347eeda17b103ab9da1f256",
		States: index.Summary{Premises: 29_849_870, Available: 27_000_000, Planned: 1_600_000, Unknown: 49_870, Unavailable: 1_200_000},
		Gates: []GateResult{
			{Gate: "shrink", Source: "Arqiva", Verdict: Overridden, Tonight: 9_123_456, Before: 9_700_000, Value: 0.0594, Warn: 0.02, Hold: 0.05, Margin: new(-0.0094), Msg: "5.94 % fewer rows than before; at most 5 % are let pass", Look: "coverd diff --csp Arqiva old.snap new.snap"},
			{Gate: "changed", Source: "Telefonica", Verdict: Warned, Tonight: 380_000, Before: 9_000_000, Value: 0.0422, Warn: 0.03, Hold: 0.05, Margin: new(0.0078), Msg: "4.2 % of its premises are in another state than before"},
			{Gate: "rejected", Source: "arqiva/*.csv.zst", Verdict: Passed, Tonight: 1262, Before: 9_123_456, Value: 0.000138, Hold: 0.001, Margin: new(0.000862), Msg: "1,262 of 9,123,456 rows rejected"},
			{Gate: "sequence", Source: "Arqiva", Verdict: Passed},
			{Gate: "growth", Source: "DCC", Verdict: NoBaseline, Msg: "nothing to judge by"},
		},
		Networks: []NetworkCount{
			{CSP: "Arqiva", Network: index.NetworkNorth, Summary: index.Summary{Premises: 9_100_000, Available: 8_200_000, Planned: 600_000, Unavailable: 300_000}, Before: &before},
			{CSP: "Telefonica", Network: index.NetworkCentral, Summary: index.Summary{Premises: 10_200_000, Available: 9_900_000, Planned: 200_000, Unknown: 20_000, Unavailable: 80_000}, Before: &index.Summary{Premises: 10_200_000}},
			{CSP: "Telefonica", Network: index.NetworkSouth, Summary: index.Summary{Premises: 10_500_000, Available: 10_000_000, Planned: 400_000, Unavailable: 100_000}},
			{CSP: "Vodafone", Network: index.Network4GSouth, Summary: index.Summary{Premises: 6_000_000, Available: 5_100_000, Planned: 900_000}},
		},
		Regions: []RegionCount{{"", 12, 10}, {"North", 9_600_000, 9_590_000}, {"Central", 10_000_000, 10_000_003}, {"South", 10_249_858, -1}},
		Reasons: []ReasonCount{{CodePostcode, 1200}, {CodeUPRN, 62}},
		Changes: &Changes{
			Since: "2026-11-21",
			Kinds: []KindCount{{"premises_gained", 2104}, {"premises_lost", 311}, {"state_changed", 15_021}, {"date_moved", 904}, {"variant_changed", 0}, {"postcode_new", 88}},
			CSPs:  []CSPChange{{"Arqiva", 9_000_000, 9_123_456, 8_990_000, 5000}, {"Telefonica", 20_700_000, 20_690_000, 20_690_000, 380_000}},
		},
		Lag: &Lag{
			Postcodes: 12_214, Dated: 9000, Undated: 3214, New: 812,
			Ages:     []AgeCount{{0, 1, 300}, {1, 2, 812}, {2, 3, 1200}, {3, 6, 3100}, {6, 12, 2400}, {12, 24, 900}, {24, 60, 200}, {60, 0, 88}},
			Outcodes: []LagOutcode{{Outcode: "GU1", Postcodes: 25, Live: 1045, Oldest: "2024-01"}, {Outcode: "E16", Postcodes: 19, Live: 2100}},
		},
		Carried:   []Carried{{CSP: "Vodafone", Kind: "premises", From: "91a0f86f8347eeda17b103ab9da1f256", AsOf: day - 2, Days: 2, Most: 3, Claims: 6_000_000}},
		Overrides: []index.Override{{Gate: "shrink", Source: "Arqiva", After: "91a0f86f8347", By: "J. Smith", Reason: "decommissioned masts in Moray, ticket 4711", Measured: "5.94 % fewer rows"}},
		Timings:   []Timing{{"register", 2.1}, {"premises", 19.4}, {"merge", 11.3}, {"order", 6}, {"freeze", 14.8}, {"write", 0.7}},
		Land:      squareLand(),
	}
	for i, o := range []string{"GU1", "E16", "M1", "LS1", "EH1", "IV30", "ZE1", "PL1", "NR1", "CF10", "B1", "S1", "AB10", "KW15", "TR21", "BT1"} {
		n := int64(4000 / (i + 1))
		places := [...][2]float64{{51.24, -0.57}, {51.51, 0.02}, {53.48, -2.24}, {53.8, -1.55}, {55.95, -3.19}, {57.65, -3.32}, {60.15, -1.15}, {50.37, -4.14}, {52.63, 1.3}, {51.48, -3.18}, {52.48, -1.9}, {53.38, -1.47}, {57.14, -2.1}, {58.98, -2.96}, {49.91, -6.31}, {0, 0}}
		c := OutcodeChange{Outcode: o, Changes: n, Place: Place{places[i][0], places[i][1]}}
		switch i % 4 {
		case 0:
			c.Gained, c.StateChanged = n-n/3, n/3
		case 1:
			c.Lost, c.StateChanged = n/2+1, n-n/2-1
		case 2:
			c.StateChanged = n
		}
		r.Changes.Outcodes = append(r.Changes.Outcodes, c)
	}
	return r
}

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportPage(t *testing.T) {
	got := pageOf(t, testReport())
	if again := pageOf(t, testReport()); again != got {
		t.Error("the same report makes another page")
	}
	path := filepath.Join("testdata", "report.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not that of %s (-update accepts it)", path)
	}
	checkPage(t, got)
	for _, figure := range []string{"29,849,870", "9,123,456", "5.9 %", "−0.94 %", "12,214", "15,021", "J. Smith", "7ec1b1d29b7291a0f86f8347eeda17b1", "54.3 s", "GU1: 4,000 changes"} {
		if !strings.Contains(got, figure) {
			t.Errorf("the page lacks %q", figure)
		}
	}
}

// In the page no text and no attribute has a < or > of its own.
var (
	tags       = regexp.MustCompile(`<([a-zA-Z]+)([^<>]*)>`)
	attributes = regexp.MustCompile(`([a-zA-Z-]+)="([^"]*)"`)
)

// checkPage holds a page against what every page must be: it needs nothing from
// elsewhere, runs nothing, and its pictures can be read without seeing them.
func checkPage(t *testing.T, page string) {
	t.Helper()
	if len(page) > 1<<20 {
		t.Errorf("a page of %d bytes", len(page))
	}
	tables := 0
	for _, tag := range tags.FindAllStringSubmatch(page, -1) {
		attrs := map[string]string{}
		for _, a := range attributes.FindAllStringSubmatch(tag[2], -1) {
			attrs[a[1]] = a[2]
			if strings.HasPrefix(a[1], "on") || slices.Contains([]string{"src", "href", "style", "srcset", "action"}, a[1]) {
				t.Errorf("<%s %s>", tag[1], a[0])
			}
		}
		switch tag[1] {
		case "script", "link", "iframe", "object", "embed", "img", "base", "form", "use", "image", "foreignObject":
			t.Errorf("there is a <%s>", tag[1])
		case "svg":
			if attrs["aria-hidden"] != "true" && (attrs["role"] != "img" || attrs["aria-label"] == "" && attrs["aria-labelledby"] == "") {
				t.Errorf("a picture that says nothing: %v", attrs)
			}
		case "table":
			tables++
		}
	}
	if strings.Contains(page, "url(") || strings.Contains(page, "@import") || strings.Contains(page, "ZgotmplZ") {
		t.Error("the page takes something from elsewhere, or could not be escaped")
	}
	if tables == 0 {
		t.Error("no tables")
	}
}

// TestReportOfNothing: a refused build may have little to tell, and a caller may
// ask for a page of no build at all.
func TestReportOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := (&Report{}).WriteHTML(&b); err != nil || !strings.Contains(b.String(), "No snapshot was written") {
		t.Errorf("%v: %s", err, b.String())
	}
	r := testReport()
	r.Snapshot, r.Changes, r.Lag, r.Networks, r.Timings = "", nil, nil, nil, nil
	r.Refusals = []Refusal{
		{Source: "Arqiva", Gate: "shrink", Msg: "60 % fewer rows than before", Look: "coverd diff old new", Override: "[[override]]\ngate = \"shrink\""},
		{Source: "DCC", Gate: "missing", Msg: "nothing came"},
	}
	page := pageOf(t, r)
	checkPage(t, page)
	for _, want := range []string{"Refused by the gate shrink: Arqiva, and 1 more", "60 % fewer rows", "[[override]]", `class="refused"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// hostile is a report with a text wherever there is one.
func hostile(evil string) *Report {
	r := testReport()
	r.Snapshot, r.Previous = evil, evil
	r.Warnings = []string{evil}
	for i := range r.Sources {
		s := &r.Sources[i]
		s.Kind, s.CSP, s.Pattern, s.Warnings = evil, evil, evil, []string{evil}
		s.Rejects = []Reject{{File: evil, Line: 1, Column: evil, Code: Code(evil), Reason: evil, Row: evil}}
	}
	for i := range r.Gates {
		g := &r.Gates[i]
		g.Gate, g.Source, g.Msg, g.Look, g.Verdict, g.At = evil, evil, evil, evil, Verdict(evil), evil
	}
	for i := range r.Networks {
		r.Networks[i].CSP = evil
	}
	r.Regions[0].Region, r.Reasons[0].Reason, r.Changes.Since, r.Changes.Kinds[0].Kind, r.Changes.CSPs[0].CSP = evil, Code(evil), evil, evil, evil
	r.Changes.Outcodes[0].Outcode, r.Lag.Outcodes[0].Outcode, r.Lag.Outcodes[0].Oldest = evil, evil, evil
	r.Carried[0].CSP, r.Carried[0].Kind, r.Carried[0].From = evil, Kind(evil), evil
	r.Overrides[0] = index.Override{Gate: evil, Source: evil, After: evil, By: evil, Reason: evil, Measured: evil}
	r.Timings[0].Stage = evil
	return r
}

// TestHostileTextIsInert: nothing that names, paths, reasons and rows may hold
// becomes an element, an attribute or a script.
func TestHostileTextIsInert(t *testing.T) {
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg onload=alert(1)>`, `</title><script>alert(1)</script>`,
		`</style><script>alert(1)</script>`, `javascript:alert(1)`, "<!--", "]]>", `{{.Snapshot}}`, "\u202egnp.exe", "a\x00b\x1b[31m", `&lt;b&gt;`, `" onmouseover="alert(1)`,
		strings.Repeat("very long ", 1000),
	} {
		for _, refusals := range []bool{false, true} {
			made := func(text string) string {
				r := hostile(text)
				if refusals {
					r.Refusals = []Refusal{{Source: text, Gate: text, Msg: text, Look: text, Override: text}}
				}
				return pageOf(t, r)
			}
			page := made(evil)
			checkPage(t, page)
			if got, want := elements(page), elements(made("x")); got != want {
				t.Errorf("%.40q: elements %s, want %s", evil, got, want)
			}
		}
	}
}

var elementNames = regexp.MustCompile(`<[a-zA-Z/!][a-zA-Z0-9]*`)

func elements(page string) string {
	count := map[string]int{}
	for _, e := range elementNames.FindAllString(page, -1) {
		count[e]++
	}
	return fmt.Sprint(count)
}

// TestSimplifiedOutlines: no vertex is further from what is drawn than the
// tolerance, and the country fits a page.
func TestSimplifiedOutlines(t *testing.T) {
	land, err := IndicativeRegions()
	if err != nil {
		t.Fatal(err)
	}
	vertices := 0
	for _, region := range land {
		for _, polygon := range region {
			var ring []geo.Grid
			for _, v := range polygon[0] {
				if g, ok := geo.GridFromLatLng(v); ok {
					ring = append(ring, g)
				}
			}
			simple := simplifyRing(ring, landTolerance)
			if len(simple) < 3 {
				continue
			}
			for _, v := range ring[:min(len(ring), 500)] {
				least := landTolerance + 1.0
				for i, a := range simple {
					least = min(least, offLine(v, a, simple[(i+1)%len(simple)]))
				}
				if least > landTolerance {
					t.Fatalf("%v is %.0f m from the outline", v, least)
				}
			}
		}
		vertices += strings.Count(outline(region), "L")
	}
	if vertices < 1000 || vertices > 6000 {
		t.Errorf("%d vertices are drawn", vertices)
	}
	r := testReport()
	r.Land = nil
	page := pageOf(t, r)
	checkPage(t, page)
	t.Logf("%d vertices, a page of %d bytes", vertices, len(page))
}
