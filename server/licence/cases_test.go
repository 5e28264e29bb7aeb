package licence

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

var update = flag.Bool("update", false, "rewrite the working of the licence cases")

// licenceCase is a case with its conclusions, those of 49.8(c), 49.9 and 49.10.
// Dates that are not given are those of theUsual.
type licenceCase struct {
	name                                           string
	installation, cutOff, check, applicable, today string
	history                                        []spell
	checks                                         []Check
	place                                          *Place
	unread                                         string
	want                                           [3]string
}

const noHistory = "none"

// The usual case: a hub is fitted on 24 December 2019, nine days from now, where
// the database gives 1 June 2020; the Applicable Date is 1 July 2020.
var cases = []licenceCase{
	// 49.8(c)
	{
		name:    "planned before the cut-off",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name:    "planned for the day before the cut-off",
		history: []spell{{"2019-06-01", planned("2020-12-31", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name:    "planned for the cut-off date itself",
		history: []spell{{"2019-06-01", planned("2021-01-01", "")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name:    "planned for the Installation Date itself",
		history: []spell{{"2019-06-01", planned("2019-12-24", "")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name:    "planned for the day after the Installation Date",
		history: []spell{{"2019-06-01", planned("2019-12-25", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name:    "available already",
		history: []spell{{"2019-06-01", available("")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name:    "available, but ends before the Installation Date",
		history: []spell{{"2019-06-01", available("2019-12-23")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name:    "one network ends before the Installation Date, another is planned after it",
		history: []spell{{"2019-06-01", append(available("2019-12-23"), planned("2020-03-01", "")...)}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name:    "no coverage and no date",
		history: []spell{{"2019-06-01", unavailable()}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name:    "the database says neither yes nor no",
		history: []spell{{"2019-06-01", unknown()}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name: "no such premises on the day of the check", check: "2019-12-10",
		history: []spell{{"2019-06-01", nil}, {"2019-12-12", planned("2020-06-01", "")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"},
	},
	{
		name: "the premises appeared before the check", check: "2019-12-12",
		history: []spell{{"2019-06-01", nil}, {"2019-12-12", planned("2020-06-01", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name: "the installation is on the cut-off date", installation: "2021-01-01", today: "2020-12-15",
		history: []spell{{"2019-06-01", planned("2021-06-01", "")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_begun"}, applicable: "2021-06-01",
	},
	{
		name: "a later cut-off date takes the plan in", cutOff: "2028-01-01", installation: "2026-12-24", today: "2026-12-01", applicable: "2028-02-01",
		history: []spell{{"2026-11-22", planned("2027-02-15", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name: "checked before what is remembered", check: "2019-05-31",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}},
		want:    [3]string{"not_known", "has_not_ended", "not_begun"},
	},
	{
		name: "checked before what is remembered, with a receipt", check: "2019-05-31",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}},
		checks:  []Check{check("R1", "2019-05-31 09:30:00", "2019-12-24", index.Planned, "2020-03-01", "")},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name: "a receipt about another day tells of the Installation Date too", check: "2019-05-31",
		history: []spell{{"2019-06-01", unavailable()}},
		checks:  []Check{check("R1", "2019-05-31 09:30:00", "2019-05-31", index.Planned, "2020-03-01", "")},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name: "a receipt of a plan that ends before it begins does not tell", check: "2019-05-31",
		history: []spell{{"2019-06-01", planned("2020-03-01", "2020-02-01")}},
		checks:  []Check{check("R1", "2019-05-31 09:30:00", "2019-12-24", index.Planned, "2020-03-01", "2020-02-01")},
		want:    [3]string{"not_known", "has_not_ended", "not_begun"},
	},
	{
		name: "a receipt about another day does not tell", check: "2019-05-31",
		history: []spell{{"2019-06-01", unavailable()}},
		checks:  []Check{check("R1", "2019-05-31 09:30:00", "2019-05-31", index.Unavailable, "", "")},
		want:    [3]string{"not_known", "has_not_ended", "not_begun"},
	},
	// 49.9
	{
		name: "the plan comes true", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "the day before the plan comes true", check: "2019-12-20", today: "2020-05-31",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}},
		want:    [3]string{"applies", "has_not_ended", "not_begun"},
	},
	{
		name: "the plan moves, twice", check: "2019-12-20", today: "2020-11-15", applicable: "2020-12-01",
		history: []spell{{"2019-06-01", planned("2020-03-01", "")}, {"2020-02-20", planned("2020-09-01", "")}, {"2020-08-30", planned("2020-10-15", "")}},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "the plan is brought forward", check: "2019-12-20", today: "2020-05-01", applicable: "2020-05-20",
		history: []spell{{"2019-06-01", planned("2020-09-01", "")}, {"2020-02-20", available("")}},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "the plan is dropped", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}, {"2020-04-01", unavailable()}},
		want:    [3]string{"applies", "has_not_ended", "not_indicated"},
	},
	{
		name: "coverage comes and ends again", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-03-01", "2020-05-31")}},
		want:    [3]string{"applies", "ended", "not_indicated"},
	},
	{
		name: "available on the Installation Date itself, by a change after the check", check: "2019-12-20", today: "2020-01-15",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}, {"2019-12-24", available("")}},
		want:    [3]string{"applies", "ended", "not_begun"},
	},
	{
		name: "history begins after the Installation Date, with coverage", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2020-03-01", available("")}},
		checks:  []Check{check("R1", "2019-12-20 10:00:00", "2019-12-24", index.Planned, "2020-06-01", "")},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "history begins after the Installation Date, a receipt shows coverage before", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2020-03-01", available("")}},
		checks: []Check{
			check("R1", "2019-12-20 10:00:00", "2019-12-24", index.Planned, "2020-06-01", ""),
			check("R2", "2020-01-10 10:00:00", "2020-01-10", index.Available, "", ""),
		},
		want: [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "history begins after the Installation Date, without coverage", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2020-03-01", unavailable()}},
		checks:  []Check{check("R1", "2019-12-20 10:00:00", "2019-12-24", index.Planned, "2020-06-01", "")},
		want:    [3]string{"applies", "not_known", "not_indicated"},
	},
	{
		name: "the premises is gone", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-06-01", "")}, {"2020-04-01", nil}},
		want:    [3]string{"applies", "has_not_ended", "not_indicated"},
	},
	// 49.10
	{
		name: "nobody looked", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-06-20", "")}},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "checked within the 30 days", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-06-20", "")}},
		checks:  []Check{check("R1", "2020-06-10 11:00:00", "2020-07-01", index.Available, "2020-06-20", "")},
		want:    [3]string{"applies", "ended", "ascertained"},
	},
	{
		name: "checked on the first of the 30 days", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-06-01 00:00:00", "2020-07-01", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "checked a second before the 30 days, in London", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-05-31 23:59:59", "2020-07-01", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "checked on the Applicable Date", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-07-01 23:59:59", "2020-07-01", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "checked the day after the Applicable Date", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-07-02 00:00:00", "2020-07-01", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the 30 days cross a leap day", check: "2019-12-20", today: "2020-03-20", applicable: "2020-03-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-02-14 12:00:00", "2020-03-15", index.Available, "", ""), check("R2", "2020-02-13 12:00:00", "2020-03-15", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the Applicable Date is a leap day", check: "2019-12-20", today: "2020-03-20", applicable: "2020-02-29",
		history: []spell{{"2019-06-01", planned("2020-02-29", "")}},
		checks:  []Check{check("R1", "2020-01-30 12:00:00", "2020-02-29", index.Available, "2020-02-29", "")},
		want:    [3]string{"applies", "ended", "ascertained"},
	},
	{
		name: "checked in summer time, just after midnight in London", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-01 00:30:00").UTC(), Place: rose, On: day("2020-07-01"), State: index.Available, Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the check showed no availability on the Applicable Date, later days did", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", planned("2020-08-01", "")}, {"2020-06-20", planned("2020-06-28", "")}},
		checks:  []Check{check("R1", "2020-06-10 11:00:00", "2020-07-01", index.Planned, "2020-08-01", "")},
		want:    [3]string{"applies", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "the check showed that coverage ends before the Applicable Date", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("2020-06-30")}},
		checks:  []Check{check("R1", "2020-06-10 11:00:00", "2020-06-10", index.Available, "", "2020-06-30")},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_indicated"},
	},
	{
		name: "the check was about today, and shows that there is no end", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{check("R1", "2020-06-10 11:00:00", "2020-06-10", index.Available, "", "")},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the check was of another premises", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: Place{UPRN: 990000000302}, On: day("2020-07-01"), State: index.Available, Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the check was of the postcode, whose premises differ", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: Place{Postcode: rose.Postcode}, On: day("2020-07-01"), Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the check was of the postcode, before the premises was known there", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", nil}, {"2020-06-15", available("")}},
		checks: []Check{
			{Reference: "R1", At: at("2020-06-14 11:00:00"), Place: Place{Postcode: rose.Postcode}, On: day("2020-07-01"), State: index.Available, Basis: BasisClaims},
			{Reference: "R2", At: at("2020-06-14 12:00:00"), Place: Place{Postcode: rose.Postcode}, On: day("2020-07-01"), Basis: BasisClaims},
		},
		want: [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the check was of the postcode, from the snapshot of the day before", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", unavailable()}, {"2020-06-15", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-15 01:00:00"), AsOf: day("2020-06-14"), Place: Place{Postcode: rose.Postcode}, On: day("2020-07-01"), Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the check was of the postcode and address", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: Place{Postcode: rose.Postcode, Address: "ROSE  cottage"}, On: day("2020-07-01"), State: index.Available, Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the check got an estimate", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", nil}, {"2020-06-20", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: Place{Postcode: rose.Postcode}, On: day("2020-07-01"), State: index.Available, Basis: "nearest_premises"}},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the check read the database as it had been", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: rose, Known: day("2020-05-01"), On: day("2020-07-01"), State: index.Available, Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "indicated_but_not_ascertained"},
	},
	{
		name: "the check was of one network, which covers it", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks:  []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: rose, Network: "South", On: day("2020-07-01"), State: index.Available, Basis: BasisClaims}},
		want:    [3]string{"does_not_apply", "does_not_arise", "ascertained"},
	},
	{
		name: "the check was of one network, which does not cover it", check: "2019-05-31", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		checks: []Check{
			{Reference: "R1", At: at("2019-05-31 11:00:00"), Place: rose, Network: "4G South", On: day("2019-12-24"), State: index.Planned, From: day("2020-03-01"), Basis: BasisClaims},
			{Reference: "R2", At: at("2020-06-10 11:00:00"), Place: rose, Network: "4G South", On: day("2020-07-01"), State: index.Unavailable, Basis: BasisClaims},
		},
		want: [3]string{"not_known", "ended", "indicated_but_not_ascertained"},
	},
	{
		name: "the 30 days are not over", check: "2019-12-20", today: "2020-06-15",
		history: []spell{{"2019-06-01", unavailable()}},
		want:    [3]string{"does_not_apply", "does_not_arise", "not_indicated"},
	},
	{
		name: "the 30 days are partly before what is remembered", check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2020-06-15", unavailable()}},
		want:    [3]string{"not_known", "not_known", "not_known"},
	},
	{
		name: "no Applicable Date", applicable: noHistory, check: "2019-12-20", today: "2020-07-15",
		history: []spell{{"2019-06-01", available("")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "no_applicable_date"},
	},
	{
		name: "the record of checks cannot be read", check: "2019-12-20", today: "2020-07-15", unread: "the store is damaged",
		history: []spell{{"2019-06-01", available("")}},
		want:    [3]string{"does_not_apply", "does_not_arise", "checks_unavailable"},
	},
	// Locations
	{
		name: "a location without premises, no check", check: "2019-12-20", today: "2020-07-15",
		place: &Place{Location: rose.Location},
		want:  [3]string{"not_known", "not_known", "not_known"},
	},
	{
		name: "a location without premises, checked: a coverage area contains it", check: "2019-12-20", today: "2020-07-15",
		place: &Place{Location: rose.Location},
		checks: []Check{
			{Reference: "R1", At: at("2019-12-20 11:00:00"), Place: Place{Location: rose.Location}, On: day("2019-12-24"), State: index.Planned, From: day("2020-06-01"), Basis: BasisArea},
			{Reference: "R2", At: at("2020-06-10 11:00:00"), Place: Place{Location: rose.Location}, On: day("2020-07-01"), State: index.Available, Basis: BasisArea},
		},
		want: [3]string{"applies", "ended", "ascertained"},
	},
	{
		name: "a location without premises, checked beside it", check: "2019-12-20", today: "2020-07-15",
		place:  &Place{Location: rose.Location},
		checks: []Check{{Reference: "R1", At: at("2020-06-10 11:00:00"), Place: Place{Location: geo.LatLng{Lat: 51.2388, Lng: -0.5646}.Location()}, On: day("2020-07-01"), State: index.Available, Basis: BasisArea}},
		want:   [3]string{"not_known", "not_known", "not_known"},
	},
}

func or(s, usual string) index.Day {
	switch s {
	case "":
		return day(usual)
	case noHistory:
		return 0
	}
	return day(s)
}

func (c *licenceCase) input() Input {
	in := Input{
		Place: rose, Installation: or(c.installation, "2019-12-24"), CutOff: or(c.cutOff, "2021-01-01"),
		Applicable: or(c.applicable, "2020-07-01"), Today: or(c.today, "2019-12-15"), Checks: c.checks, Unread: c.unread, London: london,
	}
	in.CheckDate = min(in.Installation, in.Today)
	if c.check != "" {
		in.CheckDate = day(c.check)
	}
	if c.place != nil {
		in.Place = *c.place
	}
	if len(c.history) > 0 {
		in.HistoryFrom = day(c.history[0].from)
		in.History = remembered(in.Today, c.history...)
	}
	return in
}

// Each case with its working, as somebody reads it who decides by it. What the
// golden text says of a case must follow from what is given there.
func TestLicenceCases(t *testing.T) {
	var text strings.Builder
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		seen[c.name] = true
		in := c.input()
		rules, checks := Evaluate(in)
		for i, r := range rules {
			if r.Conclusion != c.want[i] {
				t.Errorf("%s: %s: %s (%s), want %s", c.name, r.Rule, r.Conclusion, r.Text, c.want[i])
			}
		}
		writeCase(&text, c.name, &in, rules, checks)
	}
	if *update {
		if err := os.WriteFile("testdata/cases.golden", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/cases.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), text.String()); diff != "" {
		t.Errorf("the working differs (-want +got):\n%s", diff)
	}
}

func writeCase(w *strings.Builder, name string, in *Input, rules []api.LicenceRule, checks []api.LicenceCheck) {
	fmt.Fprintf(w, "== %s\n", name)
	fmt.Fprintf(w, "Given: %s. Today is %s.\n", placeText(&in.Place), dateText(in.Today))
	for _, i := range in.History {
		fmt.Fprintf(w, "  %s: ", betweenText(i.From, i.To))
		if !i.Present {
			fmt.Fprint(w, "no such premises")
		}
		if list, ok := i.Claims.(claimList); ok {
			for n, c := range list {
				if n > 0 {
					fmt.Fprint(w, "; ")
				}
				fmt.Fprint(w, claimText(&c))
			}
		}
		fmt.Fprint(w, "\n")
	}
	for _, r := range rules {
		fmt.Fprintf(w, "%s %s", r.Rule, r.Conclusion)
		for _, f := range []struct {
			name string
			day  api.Date
		}{{"ended", r.Ended}, {"ended by", r.EndedBy}, {"expected", r.Expected}} {
			if f.day.V != 0 {
				fmt.Fprintf(w, ", %s %s", f.name, f.day.V)
			}
		}
		if r.Reason != "" {
			fmt.Fprintf(w, " (%s)", r.Reason)
		}
		fmt.Fprintf(w, "\n  %s\n", r.Text)
		for _, s := range r.Working {
			fmt.Fprintf(w, "  - %s\n", s.Text)
		}
	}
	for _, c := range checks {
		fmt.Fprintf(w, "check %s, made at %s, about %s: %s\n", c.Reference, c.At, c.On.V, c.Text)
	}
	fmt.Fprint(w, "\n")
}

func claimText(c *index.Claim) string {
	s := map[index.Availability]string{index.AvailabilityTrue: "available", index.AvailabilityFalse: "not available", index.AvailabilityUnknown: "unknown"}[c.Availability]
	if c.Anticipated != 0 {
		s += ", anticipated " + c.Anticipated.String()
	}
	if c.End != 0 {
		s += ", ends " + c.End.String()
	}
	return s
}
