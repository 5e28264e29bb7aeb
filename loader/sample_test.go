package loader

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/fixtures"
	"coverd/geo"
	"coverd/index"
)

// sampleTSV reads a file of the sample of tab-separated fields.
func sampleTSV(t testing.TB, name string) (rows [][]string) {
	t.Helper()
	text, err := fs.ReadFile(fixtures.Sample(), name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

func buildSample(t testing.TB, manifest string, o Options) (*Result, error) {
	t.Helper()
	m, err := ReadManifest(filepath.Join(sampleDir(t), filepath.FromSlash(manifest)))
	if err != nil {
		t.Fatal(err)
	}
	return Build(t.Context(), m, o)
}

// caseAnswer is what a case asks for, in the words of cases.tsv, as far as the
// index can tell.
type caseAnswer struct {
	outcome, reason string
	summary         index.Summary
	region          string
	fit, from       string
	marks           []string
}

// answer asks the index what a case asks the server.
func answer(t *testing.T, s *index.Snapshot, key string, on index.Day) (a caseAnswer) {
	t.Helper()
	var ps []index.Premises
	if uprn, err := geo.ParseUPRN(key); err == nil {
		p := byUPRN(t, s, uprn)
		ps = append(ps, p)
		a.region = p.Region().Region.String()
	} else {
		pc, err := geo.ParsePostcode(key)
		switch {
		case errors.Is(err, geo.ErrOutOfArea):
			return caseAnswer{outcome: "out_of_area"}
		case err != nil:
			return caseAnswer{outcome: "malformed_postcode"}
		}
		u, known := s.Postcode(pc)
		o, knownOutcode := s.Outcode(pc.Outcode())
		switch {
		case known:
			for i := range u.Len() {
				ps = append(ps, u.Premises(i))
			}
			a.region = u.Region().Region.String()
			if len(ps) == 0 && u.Status() == index.Terminated {
				a.reason = "postcode_terminated"
			} else if len(ps) == 0 {
				a.reason = "postcode_not_in_extracts"
			}
		case knownOutcode:
			a.reason = "postcode_not_in_register"
			a.region = o.Regions().Only().String()
		default:
			return caseAnswer{outcome: "unknown_postcode"}
		}
	}
	a.outcome = "premises_found"
	if len(ps) == 0 {
		a.outcome = "no_premises_found"
	}
	mark := func(is bool, name string) {
		if is && !slices.Contains(a.marks, name) {
			a.marks = append(a.marks, name)
		}
	}
	for _, p := range ps {
		a.summary.Add(p.State(on), 1)
		mark(p.Conflict(), "conflict")
		for i := range p.Claims().Len() {
			c, fromArea := p.Claims().At(i)
			mark(fromArea, "area")
			mark(c.On(on).Overdue, "overdue")
		}
		if f, ok := p.Claims().Fit(on); ok && len(ps) == 1 {
			a.fit, a.from = f.Claim.Network.String(), f.Status.From.String()
		}
	}
	slices.Sort(a.marks)
	return a
}

func TestSampleCases(t *testing.T) {
	res, err := buildSample(t, "coverd.toml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, res)
	rows := sampleTSV(t, "cases.tsv")
	if want := "key on outcome reason premises available planned unavailable unknown region fit from marks case"; strings.Join(rows[0], " ") != want {
		t.Fatalf("columns %v", rows[0])
	}
	checked := 0
	for _, f := range rows[1:] {
		if strings.Contains(f[0], "?") {
			continue // narrowed by address: the server's
		}
		got := answer(t, s, f[0], day(t, f[1]))
		number := func(i int) int { n, _ := strconv.Atoi(f[i]); return n } // empty is none
		want := caseAnswer{
			outcome: f[2], reason: f[3], region: f[9], fit: f[10], from: f[11],
			summary: index.Summary{Premises: number(4), Available: number(5), Planned: number(6), Unavailable: number(7), Unknown: number(8)},
		}
		if f[12] != "" {
			want.marks = strings.FieldsFunc(f[12], func(r rune) bool { return r == ',' || r == ' ' })
			slices.Sort(want.marks)
		}
		switch want.region {
		case "": // not pinned
			got.region = ""
		case "null":
			want.region = ""
		}
		if want.fit == "" { // not pinned
			got.fit = ""
		}
		if want.from == "" {
			got.from = ""
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(caseAnswer{})); diff != "" {
			t.Errorf("%s: %s on %s (-want +got):\n%s", f[13], f[0], f[1], diff)
		}
		checked++
	}
	if checked < 120 {
		t.Errorf("only %d cases", checked)
	}
}

// What CASES.md says beyond the table.
func TestSampleDetails(t *testing.T) {
	res, err := buildSample(t, "coverd.toml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, sum := open(t, res), &res.Summary
	for _, tt := range []struct {
		uprn geo.UPRN
		want string // C-number and what all() would list
	}{
		{990000001101, `"8" 51.239128,-0.563233: !`},                        // C11
		{990000001501, `"Flat 2, Wey House" `},                              // C15
		{99000004711, "South/Telefonica- 4G South/Vodafone+"},               // C23
		{990000002704, "\"9\" 51.237086,-0.555647: South/Telefonica+/SKU1"}, // C27
		{990000002801, `GU1 2BN "3" 51.238225,-0.555482: South/Telefonica`}, // C28
		{990000003302, "[South/Telefonica-/SKU2]"},                          // C33
		{990000000601, "DG16 5AZ "},                                         // C06
	} {
		if got := show(byUPRN(t, s, tt.uprn)); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q, want it to have %q", tt.uprn, got, tt.want)
		}
	}
	// C06: exactly the postcode's place.
	u, _ := s.Postcode(postcode(t, "DG16 5AZ"))
	if at := byUPRN(t, s, 990000000601).At(); at != u.At() {
		t.Errorf("C06 is at %v, its postcode at %v", at, u.At())
	}
	// C27: as written.
	c, _ := byUPRN(t, s, 990000002704).Claims().At(0)
	if c.Info != "Two lines:\nthe second" {
		t.Errorf("C27: %q", c.Info)
	}
	// C34: the area reaches over the border, the Region stays.
	p, ok := s.UPRN(990000003401)
	if f, fits := p.Claims().Fit(day(t, "2026-12-24")); !ok || !fits || !f.FromArea || f.Claim.Network != index.NetworkCentral || p.Region().Region != geo.South {
		t.Errorf("C34: %s in %v", show(p), p.Region().Region)
	}
	want := []int64{5998, 5994, 4, 1, 2, 10, 1}
	got := []int64{sum.Rows, sum.Accepted, sum.Rejected, sum.Merged, sum.Conflicts, sum.Areas, sum.FutureDates}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows, accepted, rejected, merged, conflicts, areas, future dates (-want +got):\n%s", diff)
	}
	if got := rejects(sum); len(got) != 4 || slices.ContainsFunc(got, func(r string) bool { return !strings.HasSuffix(r, ": : conflict") }) {
		t.Errorf("rejects %v", got)
	}
}

// Exactly the bad rows are rejected, each in its place, and nothing else; with
// their reasons they are in the file of rejects.
func TestSampleBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rejects.csv")
	res, err := buildSample(t, "bad/coverd.toml", Options{Rejects: path})
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, f := range sampleTSV(t, "bad/expected.tsv")[1:] {
		want = append(want, strings.Join(f[:3], " "))
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]map[string]bool{}
	for _, r := range records[1:] {
		got = append(got, strings.Join(r[:3], " "))
		code, _, _ := strings.Cut(r[3], ":")
		if codes[r[0]] == nil {
			codes[r[0]] = map[string]bool{}
		}
		codes[r[0]][code] = true
		if !rowIsInSample(t, "bad/"+r[0], r[1], r[4]) {
			t.Errorf("%s:%s: row %q is not what stands there", r[0], r[1], r[4])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejects (-expected.tsv +got):\n%s", diff)
	}
	// The reasons are of the kind that the file is about.
	for file, want := range map[string]string{
		"postcode.csv": "postcode", "out-of-area.csv": "out_of_area", "swapped.csv": "swapped", "outside.csv": "outside",
		"coordinate.csv": "coordinate half_pair", "date.csv": "date", "network-region.csv": "network_region",
		"availability.csv": "availability", "likelihood.csv": "likelihood", "uprn.csv": "uprn", "nothing.csv": "no_identity",
		"length.csv": "too_long", "field-count.csv": "field_count", "quote.csv": "quotes", "encoding.csv": "encoding",
		"grid.csv": "coordinate half_pair outside swapped", "register.csv": "coordinate date date_order field_count out_of_area postcode swapped",
		"areas.geojsonl": "availability date geometry json network_region swapped",
	} {
		if got := strings.Join(sortedKeys(codes[file]), " "); got != want {
			t.Errorf("%s: reasons %s, want %s", file, got, want)
		}
	}
	if s := res.Summary; s.Rows != 100 || s.Accepted != 34 || s.Rejected != 66 {
		t.Errorf("counts: %d rows, %d accepted, %d rejected", s.Rows, s.Accepted, s.Rejected)
	}
}

func rowIsInSample(t *testing.T, file, line, row string) bool {
	t.Helper()
	text, err := fs.ReadFile(fixtures.Sample(), file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(line)
	lines := strings.Split(string(text), "\n")
	return err == nil && n <= len(lines) && lines[n-1] == strings.TrimPrefix(row, "'") // which keeps spreadsheets from reading -1 as a formula
}

func TestSampleTooMany(t *testing.T) {
	res, err := buildSample(t, "bad/too-many.toml", Options{})
	refusal, ok := errors.AsType[*RefusedError](err)
	if !ok || len(refusal.Refusals) != 1 || refusal.Refusals[0].Gate != gateRejected {
		t.Fatalf("error %v", err)
	}
	if want := "build refused: premises Bad too-many too-many.csv has 11 rejected rows of 12, and at most 10 are let pass (max_rejected = 0.001): 11 postcode"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if res.Summary.Sources[2].Reasons[CodePostcode] != 11 {
		t.Errorf("reasons %v", res.Summary.Sources[2].Reasons)
	}
}
