package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

// reportNight is a night of which there is something to tell everywhere.
func reportNight(t *testing.T) (*Result, *index.Snapshot) {
	t.Helper()
	base := open(t, baseNight().judge(t, nil, Options{}))
	res := lateNight(1, func(n *night) {
		change(n.arqiva, "GU", 90, func(r *nightRow) { r.available = "false" })
		n.arqiva = addRows(dropRows(n.arqiva, "B", 120), "B", 3)
		n.arqiva[0].available = "perhaps"
		n.register = append(n.register, "GU99 1AA,52.499,-1.2,,\n", "GU99 1AB,52.499,-1.2,2026-11,\n")
		n.more = overrideText("shrink", "Arqiva", base.ID()[:12], "A. Operator", "checked")
	}).judge(t, base, Options{})
	if len(res.Refusals) > 0 {
		t.Fatal(res.Refusals)
	}
	res.Timings = []Timing{{"premises", 1.25}}
	return res, base
}

func TestReportText(t *testing.T) {
	res, base := reportNight(t)
	var b strings.Builder
	if err := res.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	id := base.ID()[:12]
	for _, want := range []string{
		"  carried from " + id + ", as of 2026-11-22\n",
		"warning: changed: Arqiva: 89 of 1,879 claims",
		"\ngate         of               verdict     value  ",
		"\nsequence     Arqiva           passed                                       Arqiva: arqiva.csv has sequence 413, 412 in " + id + "\n",
		"\nshrink       Arqiva           overridden  5.9 %    5 %       -0.9 points   Arqiva: 1,882 good rows, ",
		"\nVodafone  South           400       400        0        0            0        400\n",
		"\nSouth    2,282     2,400\n",
		"\nrejected rows\n  availability   1\n",
		"\nsince " + id + ", as of 2026-11-22: 3 premises gained, 121 premises lost, ",
		"\nchanged most  changes  gained  lost  states\n",
		"\nnew builds: 2,299 live postcodes in no extract, 2,298 with a known age\n  2 of them are new since the previous snapshot\n  0 to 1 months        ",
		"\n  GU99 2 of 2 live postcodes, the oldest of 2026-11\n",
		"\ntimes\n  premises       1.2 s\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	for n := range 60 {
		if err := res.WriteText(&brokenWriter{n}); !errors.Is(err, errBroken) {
			t.Fatalf("after %d writes: %v", n, err)
		}
	}
}

// The summary for the terminal has of the gates what needs to be looked at.
func TestReportSummary(t *testing.T) {
	res, _ := reportNight(t)
	var b strings.Builder
	if err := res.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	for want, there := range map[string]bool{
		"\noverridden: shrink: Arqiva: ": true, "1 overridden, ": true, "; the closest: ": true, "verdict": false, "new builds": false,
	} {
		if strings.Contains(b.String(), want) != there {
			t.Errorf("%q there: %v\n%s", want, !there, &b)
		}
	}
}

// Programs read the same, and all of it.
func TestReportJSON(t *testing.T) {
	res, base := reportNight(t)
	text, err := json.Marshal(&res.Report)
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	got.Land = res.Land // what the map is drawn on is no data
	if diff := cmp.Diff(res.Report, got); diff != "" {
		t.Errorf("there and back (-want +got):\n%s", diff)
	}
	if got.Previous != base.ID() || len(got.Carried) != 1 || len(got.Overrides) != 1 || got.Changes == nil || got.Lag == nil || got.States.Premises != int(got.Premises) {
		t.Errorf("%s", text)
	}
	if o := got.Changes.Outcodes[0]; o.Outcode != "GU1" || o.Latitude < 52 || o.Longitude > -0.9 {
		t.Errorf("changed most: %+v", o)
	}
}

// Gates that need to be looked at come first, then those with the least left.
func TestReportOrder(t *testing.T) {
	res, _ := reportNight(t)
	rank := func(g GateResult) int { return g.Verdict.rank() }
	if !slices.IsSortedFunc(res.Gates, func(a, b GateResult) int { return rank(a) - rank(b) }) {
		t.Error("out of order")
	}
	if res.Gates[0].Verdict != Overridden || res.Gates[1].Verdict != Warned {
		t.Errorf("first %s, %s", res.Gates[0].Verdict, res.Gates[1].Verdict)
	}
}

// The lag is what a plain count of the snapshot's postcodes says.
func TestLag(t *testing.T) {
	n := baseNight()
	base := open(t, n.judge(t, nil, Options{}))
	res := n.after(func(n *night) {
		n.register = append(n.register, "GU98 1AA,,,,\n", "GU99 1AB,52.5,-1.5,1994-02,\n", "GU99 1AA,52.3,-1.1,2026-11,\n", "GU99 1AD,52.3,-1.1,2020-01,2024-01\n")
	}).judge(t, base, Options{})
	lag := res.Lag
	waiting := map[string]int64{}
	total := int64(0)
	for u := range open(t, res).AllPostcodes() {
		if u.Status() == index.Live && u.Len() == 0 {
			waiting[u.Postcode().Outcode().String()]++
			total++
		}
	}
	if lag.Postcodes != total || lag.Dated != total-1 || lag.Undated != 1 || lag.New != 3 || total != res.NotInExtracts {
		t.Errorf("%+v, want %d postcodes", lag, total)
	}
	sum := int64(0)
	for _, a := range lag.Ages {
		sum += a.Postcodes
	}
	if sum != lag.Dated || lag.Ages[len(lag.Ages)-1].Postcodes != 1 {
		t.Errorf("ages %+v", lag.Ages)
	}
	for _, o := range lag.Outcodes {
		if o.Postcodes != waiting[o.Outcode] {
			t.Errorf("%+v, want %d", o, waiting[o.Outcode])
		}
		if o.Outcode == "GU99" && (o.Live != 2 || o.Oldest != "1994-02" || fmt.Sprintf("%.1f %.1f", o.Latitude, o.Longitude) != "52.4 -1.3") {
			t.Errorf("%+v", o)
		}
	}
	if len(lag.Oldest) != maxOldest || lag.Oldest[0] != (LagPostcode{"GU99 1AB", "1994-02", 393}) {
		t.Errorf("oldest %+v", lag.Oldest)
	}
}

// Classes of ages leave no gap.
func TestAges(t *testing.T) {
	for months, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 5: 3, 6: 4, 11: 4, 12: 5, 24: 6, 59: 6, 60: 7, 500: 7} {
		asOf := day(t, "2026-11-22")
		lag := lagOf([]index.Entry{{Introduced: monthOf(asOf) - index.Month(months)}}, asOf, nil, new(newRegisterCounts()))
		if k := slices.IndexFunc(lag.Ages, func(a AgeCount) bool { return a.Postcodes == 1 }); k != want || lag.Ages[k].Months > months || lag.Ages[k].Until != 0 && lag.Ages[k].Until <= months {
			t.Errorf("%d months are in %+v", months, lag.Ages)
		}
		if lag.New != -1 {
			t.Errorf("%d new ones, where nothing is known of before", lag.New)
		}
	}
}

// A refusal that nobody can override ends the night before a snapshot is made,
// and what was counted is told all the same.
func TestReportOfFinalRefusal(t *testing.T) {
	n := baseNight()
	n.arqivaMore = "rows = 5"
	res := n.judge(t, nil, Options{})
	if got := refusals(res); !cmp.Equal(got, []string{"rows arqiva.csv"}) || res.Built != nil || res.Rows != 2400 || res.Lag != nil || len(res.Networks) > 0 {
		t.Errorf("refused %v, %d rows", got, res.Rows)
	}
	var b strings.Builder
	if err := res.WriteText(&b); err != nil || strings.Contains(b.String(), "[[override]]") {
		t.Errorf("%v\n%s", err, &b)
	}
}
