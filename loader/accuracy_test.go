package loader

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coverd/geo"
	"coverd/index"
)

const claimsHeader = "uprn,postcode,address_identifier,latitude,longitude,network_region,coverage_availability,anticipated_coverage_date,wan_variant\n"

// nightOf is a night of a CSP's premises.
func nightOf(asOf, rows string) world {
	w := premisesWorld("A", claimsHeader+rows)
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "2026-11-22", asOf, 1)
	return w
}

// workedChain is three nights of five premises, each built on the one before.
//
//	             2026-11-01   2026-11-08               2026-11-20
//	1  GU1 1AA 1 SKU1         SKU1                     SKU1
//	2  GU1 1AA 2 no           SKU2 from 2026-11-15     SKU2
//	3  GU1 1AB 1 SKU1         SKU1                     gone
//	4  GU1 1AB 2 not there    not stated               SKU2
//	5  GU1 1AD 1 not there    not there                SKU2
func workedChain(t testing.TB) []*index.Snapshot {
	t.Helper()
	a, _ := nightOf("2026-11-01", `1,GU1 1AA,1,51.500000,-1.000000,South,true,,SKU1
2,GU1 1AA,2,51.500010,-1.000000,South,false,,
3,GU1 1AB,1,51.500020,-1.000000,South,true,,SKU1
`).build(t)
	b, _ := nightOf("2026-11-08", `1,GU1 1AA,1,51.500000,-1.000000,South,true,,SKU1
2,GU1 1AA,2,51.500010,-1.000000,South,false,2026-11-15,SKU2
3,GU1 1AB,1,51.500020,-1.000000,South,true,,SKU1
4,GU1 1AB,2,51.500030,-1.000000,South,,,
`).buildAfter(t, a)
	c, _ := nightOf("2026-11-20", `1,GU1 1AA,1,51.500000,-1.000000,South,true,,SKU1
2,GU1 1AA,2,51.500010,-1.000000,South,true,,SKU2
4,GU1 1AB,2,51.500030,-1.000000,South,true,,SKU2
5,GU1 1AD,1,51.500040,-1.000000,South,true,,SKU2
`).buildAfter(t, b)
	return []*index.Snapshot{a, b, c}
}

// workedOutcomes are twenty outcomes. What was indicated the day before, in the
// last column, is worked out by hand from the table above.
const workedOutcomes = `UPRN,Post Code,House,Lat,Long,Installation Date,Outcome,CHF Install Type,remark
1,,,,,2026-11-05,Install Success,New CHF Install,"1: night 1, available"
1,,,,,2026-11-08,"Install, No SM WAN",CHF Install - no SM WAN,"2: night 1 still, available: inaccurate"
2,,,,,2026-11-05,8.14.1,,"3: unavailable, and a success: missed"
2,,,,,09/11/2026,8.14.2,,"4: night 2, planned for the 15th"
000000000002,,,,,2026-11-16T09:30:00Z,install success,Replacement CHF install,"5: night 2, the plan has come: available"
,gu11aa,2,,,2026-11-25,8.14.1,,"6: night 3, available"
3,,,,,2026-11-10,8.14.1,,"7: night 2, available"
3,GU1 1AB,1,,,2026-11-25,8.14.2,,"8: gone in night 3; its postcode is expected available: wrong"
4,,,51.500030,-1.0,2026-11-05,8.14.1,,"9: not yet there; two of three around are available: right"
4,,,,,2026-11-10,8.14.1,,"10: night 2, not stated: unknown"
4,,,,,2026-11-21,8.14.1,,"11: night 3, available"
5,GU1 1AD,1,,,2026-11-20,8.14.1,,"12: night 2, not yet there; three of four in the sector are available: right"
1,,,,,2026-10-15,8.14.1,,"13: before all nights: not known"
,,,56.0,-3.0,2026-11-05,8.14.2,,"14: a location far from everything: no estimate"
,GU1 1AB,,,,2026-11-05,8.14.1,,"15: night 1 has one premises there, available"
,GU1 1AA,,,,2026-11-05,8.14.1,,"16: rejected: one is available and one is not"
12a,,,,,2026-11-05,8.14.1,,"17: rejected: no UPRN"
1,,,,,2026-11-31,8.14.1,,"18: rejected: no such day"
1,,,,,2026-11-05,8.14.1,CHF Install - no SM WAN,"19: rejected: a contradiction"
1,,,,,2026-11-30,,new chf install,"20: night 3, available; the install type tells that it was a success"
`

// TestAccuracyByHand: the report equals one that was worked out by hand.
func TestAccuracyByHand(t *testing.T) {
	chain := workedChain(t)
	got, err := Score(t.Context(), chain, "-", strings.NewReader(workedOutcomes), AccuracyOptions{Name: "o.csv", Lead: 1, Least: 5})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := func(success, noWAN int64) Outcomes { return Outcomes{success, noWAN} }
	rate := func(n, of int64, rate, low, high float64) Rate { return Rate{n, of, &rate, &low, &high} }
	none := Rate{}

	// Of the rows 1 to 20: available 1, 5, 6, 7, 11, 15, 20 and with no WAN 2;
	// planned 4; unavailable 3; unknown 10; no premises 9, 12 and with no WAN 8, 14;
	// not known 13.
	//
	// Wilson for 1 of 8, z² = 3.841459: the middle is 0.125 + z²/16 = 0.365091; the
	// reach z·√(0.125·0.875/8 + z²/256) = 1.959964·0.169344 = 0.331909; both over
	// 1 + z²/8 = 1.480182: 0.022418 to 0.470888. For 1 of 2: the middle is 0.5 +
	// z²/4 = 1.460365, the reach z·√(0.125 + z²/16) = 1.184265, over 2.920730:
	// 0.094531 to 0.905469; and so on.
	inaccurate, missed := rate(1, 8, 0.125, 0.022418, 0.470888), rate(1, 2, 0.5, 0.094531, 0.905469)
	all := OutcomeCounts{
		Available: outcomes(7, 1), Planned: outcomes(0, 1), Unavailable: outcomes(1, 0), Unknown: outcomes(1, 0),
		NoPremises: outcomes(2, 2), Unread: outcomes(1, 0), Inaccurate: inaccurate, Missed: missed,
	}
	ofFits := OutcomeCounts{
		Available: outcomes(7, 1), Planned: outcomes(0, 1), Unavailable: outcomes(1, 0), Unknown: outcomes(1, 0), Inaccurate: inaccurate, Missed: missed,
	}
	gu1 := ofFits // and of those without premises, 8 and 12 have a postcode
	gu1.NoPremises = outcomes(1, 1)
	want := &Accuracy{
		Rows: 20, Scored: 15, NotKnown: 1, Rejected: 4, Lead: 1, Least: 5, OutcomeCounts: all,
		RejectedBy: map[Code]int64{CodeAmbiguous: 1, CodeUPRN: 1, CodeDate: 1, CodeContradiction: 1},
		Columns: map[SheetKey]string{
			SheetUPRN: "UPRN", SheetPostcode: "Post Code", SheetAddress: "House", SheetLatitude: "Lat", SheetLongitude: "Long",
			SheetInstallationDate: "Installation Date", SheetOutcome: "Outcome", SheetInstallType: "CHF Install Type",
		},
		Groups: []OutcomeGroup{
			{"csp", "A", true, ofFits},
			{"network_region", "South", true, ofFits},
			{"outcode", "GU1", true, gu1},
			{"wan_variant", "SKU1", true, OutcomeCounts{ // 1, 2, 7, 15, 20
				Available: outcomes(4, 1), Inaccurate: rate(1, 5, 0.2, 0.036224, 0.624465), Missed: none,
			}},
			{"wan_variant", "(empty)", false, OutcomeCounts{ // 3, 10: a claim without a variant
				Unavailable: outcomes(1, 0), Unknown: outcomes(1, 0), Missed: rate(1, 1, 1, 0.206549, 1),
			}},
			{"wan_variant", "SKU2", false, OutcomeCounts{ // 4, 5, 6, 11
				Available: outcomes(3, 0), Planned: outcomes(0, 1), Inaccurate: rate(0, 3, 0, 0, 0.561497), Missed: rate(0, 1, 0, 0, 0.793451),
			}},
			{"chf_install_type", "(empty)", false, OutcomeCounts{
				Available: outcomes(4, 0), Planned: outcomes(0, 1), Unavailable: outcomes(1, 0), Unknown: outcomes(1, 0),
				NoPremises: outcomes(2, 2), Unread: outcomes(1, 0), Inaccurate: rate(0, 4, 0, 0, 0.489891), Missed: missed,
			}},
			{"chf_install_type", "CHF Install - no SM WAN", false, OutcomeCounts{Available: outcomes(0, 1), Inaccurate: rate(1, 1, 1, 0.206549, 1)}},
			{"chf_install_type", "New CHF Install", false, OutcomeCounts{Available: outcomes(2, 0), Inaccurate: rate(0, 2, 0, 0, 0.657620)}},
			{"chf_install_type", "Replacement CHF Install", false, OutcomeCounts{Available: outcomes(1, 0), Inaccurate: rate(0, 1, 0, 0, 0.793451)}},
		},
		Estimates: EstimateAccuracy{None: 1, Bands: workedBands(t, chain)},
	}
	for _, s := range chain {
		want.Snapshots = append(want.Snapshots, ScoredSnapshot{s.ID(), s.Info().AsOf, s.HistoryFrom()})
	}
	// The intervals by hand have five digits or so.
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Accuracy{}, "Rejects"), cmpopts.EquateApprox(0, 1e-4), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	var told []string
	for i := range got.Rejects {
		told = append(told, got.Rejects[i].Error())
	}
	if d := cmp.Diff([]string{
		"o.csv:17: postcode: GU1 1AA has 2 premises, not all in one state: want a UPRN or an address",
		`o.csv:18: uprn: not a UPRN: it has only digits`,
		`o.csv:19: installation_date: not a date: "2026-11-31" does not exist or is before 1900`,
		`o.csv:20: chf_install_type: "CHF Install - no SM WAN", and the outcome is "8.14.1"`,
	}, told); d != "" {
		t.Errorf("rejected -want +got:\n%s", d)
	}
}

// workedBands puts the three estimates of the worked example into bands: rows 9
// and 12 came as estimated, row 8 did not. What confidence they state is the
// index's to say.
func workedBands(t testing.TB, chain []*index.Snapshot) (bands []EstimateBand) {
	t.Helper()
	type made struct {
		confidence float64
		agrees     bool
	}
	var e index.Estimate
	var list []made
	estimate := func(ok, agrees bool) {
		if !ok || e.State != index.Available {
			t.Fatalf("an estimate of the worked example is %v, %v", ok, e.State)
		}
		list = append(list, made{e.Confidence, agrees})
	}
	estimate(chain[0].EstimateAt(&e, geo.LatLng{Lat: 51.50003, Lng: -1}, day(t, "2026-11-05")), true)
	estimate(chain[1].EstimatePostcode(&e, postcode(t, "GU1 1AD"), day(t, "2026-11-20")), true)
	estimate(chain[2].EstimatePostcode(&e, postcode(t, "GU1 1AB"), day(t, "2026-11-25")), false)
	edges := []float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1}
	for i, from := range edges[:len(edges)-1] {
		sum, n, agree := 0.0, int64(0), int64(0)
		for _, m := range list {
			if m.confidence >= from && (m.confidence < edges[i+1] || i+2 == len(edges)) {
				sum, n = sum+m.confidence, n+1
				if m.agrees {
					agree++
				}
			}
		}
		if n > 0 {
			bands = append(bands, EstimateBand{from, edges[i+1], sum / float64(n), rateOf(agree, n)})
		}
	}
	return bands
}

// TestAccuracyByHistory: the last snapshot alone says the same, as far as it
// remembers; only estimates are of a snapshot that is not at hand.
func TestAccuracyByHistory(t *testing.T) {
	chain := workedChain(t)
	last := chain[2]
	all, err := Score(t.Context(), chain, "-", strings.NewReader(workedOutcomes), AccuracyOptions{Lead: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Score(t.Context(), chain[2:], "-", strings.NewReader(workedOutcomes), AccuracyOptions{Lead: 1})
	if err != nil {
		t.Fatal(err)
	}
	if last.HistoryFrom() == last.Info().AsOf { // it remembers nothing
		if got.Available.all() != 3 || got.NotKnown < 10 {
			t.Errorf("without history: %+v", got.OutcomeCounts)
		}
		return
	}
	// Row 15 has neither UPRN nor address, and its postcode's only premises of then
	// has gone: that is remembered.
	want := all.OutcomeCounts
	if d := cmp.Diff(want, got.OutcomeCounts); d != "" {
		t.Errorf("-chain +history:\n%s", d)
	}
	if got.Estimates.NotKnown == 0 || len(got.Estimates.Bands) > len(all.Estimates.Bands) {
		t.Errorf("estimates: %+v", got.Estimates)
	}
}

// TestChainKnowsWhatWasInForce.
func TestChainKnowsWhatWasInForce(t *testing.T) {
	s := workedChain(t)
	other, _ := nightOf("2026-11-15", "1,GU1 1AA,1,51.500000,-1.000000,South,true,,SKU1\n").build(t)
	for _, tt := range []struct {
		given   []*index.Snapshot
		known   string
		want    *index.Snapshot // nil: none
		inForce bool
	}{
		{s, "2026-10-31", nil, false},
		{s, "2026-11-01", s[0], true},
		{s, "2026-11-07", s[0], true},
		{s, "2026-11-08", s[1], true},
		{s, "2026-11-20", s[2], true},
		{s, "2027-11-20", s[2], true},
		{[]*index.Snapshot{s[2], s[0], s[1], s[0]}, "2026-11-07", s[0], true}, // in any order
		{[]*index.Snapshot{s[1], other}, "2026-11-10", nil, false},            // what followed is not known
		{[]*index.Snapshot{s[1], other}, "2026-11-15", other, true},
	} {
		c := newChain(tt.given)
		got, inForce, ok := c.at(day(t, tt.known))
		if ok != (tt.want != nil) || ok && got.ID() != tt.want.ID() || inForce != tt.inForce {
			t.Errorf("%d snapshots, known %s: %v, in force %v", len(tt.given), tt.known, ok, inForce)
		}
	}
}

// TestWilson holds the interval to its definition: its ends are where the share is
// z standard errors away.
func TestWilson(t *testing.T) {
	for _, of := range []int64{1, 2, 7, 30, 1000, 1_000_000} {
		for _, n := range []int64{0, 1, of / 3, of / 2, of} {
			low, high := wilson(n, of)
			share := float64(n) / float64(of)
			if low < 0 || low > share+1e-12 || high < share-1e-12 || high > 1 {
				t.Errorf("%d of %d: %v to %v", n, of, low, high)
			}
			for _, end := range []float64{low, high} {
				if end < 1e-12 || end > 1-1e-12 {
					continue
				}
				z := math.Abs(share-end) / math.Sqrt(end*(1-end)/float64(of))
				if math.Abs(z-1.96) > 1e-3 {
					t.Errorf("%d of %d: %v is %v standard errors away", n, of, end, z)
				}
			}
		}
	}
}

// TestAccuracyColumns: names are found in any spelling, or given; without what is
// needed the table is refused.
func TestAccuracyColumns(t *testing.T) {
	chain := workedChain(t)
	try := func(text string, o AccuracyOptions) (*Accuracy, error) {
		return Score(t.Context(), chain, "-", strings.NewReader(text), o)
	}
	for text, want := range map[string]string{
		"uprn,installation_date\n":           "no column for the outcome",
		"uprn,outcome\n":                     "no column for the installation_date",
		"installation date,outcome\n":        "no column to look up by",
		"uprn,installation_date,outcome\r\r": "CR alone",
		"":                                   "it is empty",
	} {
		if _, err := try(text, AccuracyOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	a, err := try("ref;When;What;PremisesType;Aerial\n1;2026-11-22;went well;TERRACED;Y\n1;2026-11-22;no go;bungalow;\n", AccuracyOptions{
		Columns: map[SheetKey]string{SheetUPRN: "ref", SheetInstallationDate: "When", SheetOutcome: "What"},
		Success: []string{"Went well"}, NoWAN: []string{"no-go"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Scored != 2 || a.Available != (Outcomes{1, 1}) {
		t.Errorf("scored %d, %+v", a.Scored, a.Available)
	}
	var names []string
	for _, g := range a.Groups {
		if g.Dimension == "premise_type" || g.Dimension == "aerial_install" {
			names = append(names, g.Name)
		}
	}
	if want := []string{"(not recognised)", "Terraced", "(empty)", "true"}; !slices.Equal(names, want) {
		t.Errorf("groups %q, want %q", names, want)
	}
}
