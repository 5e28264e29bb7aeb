package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coverd/index"
	"coverd/server/api"
)

// then makes what a snapshot said of premises what another may say it said.
func then(list []api.Premises) []api.Premises {
	for i := range list {
		list[i].Departed = api.Date{}
		for k := range list[i].Networks {
			list[i].Networks[k].AsOf = api.Date{}
		}
	}
	return list
}

// TestKnownIsWhatWasAnsweredThen asks the last of three nights about the others,
// and those themselves.
func TestKnownIsWhatWasAnsweredThen(t *testing.T) {
	nights := nightsInARow(t)
	last := nightServer(t, nights[2])
	for night, snap := range nights {
		s := nightServer(t, snap)
		day := testDay + index.Day(night)
		for _, on := range []string{"2026-11-24", "2026-12-30"} {
			for _, network := range []string{"", "&network=South", "&network=North"} {
				for i := range 41 {
					path := fmt.Sprintf("/v1/premises/%d?on=%s%s", 990000000000+i, on, network)
					status, _, _ := s.Answer("GET", path)
					if status == 404 {
						problem(t, last, path+"&known="+day.String(), api.UnknownUPRN)
						continue
					}
					want, got := get[api.PremisesAnswer](t, s, path, 200), get[api.PremisesAnswer](t, last, path+"&known="+day.String(), 200)
					if got.Query.Known.V != day {
						t.Errorf("%+v", got.Query)
					}
					a, b := then([]api.Premises{want.Premises}), then([]api.Premises{got.Premises})
					if d := cmp.Diff(a, b, cmpopts.EquateNaNs()); d != "" || (want.Postcode == nil) != (got.Postcode == nil) {
						t.Errorf("%s on %v: %s", path, day, d)
					}
				}
				for _, postcode := range []string{"GU11AA", "GU11AB", "GU24AA", "GU19ZZ"} {
					path := fmt.Sprintf("/v1/postcodes/%s?on=%s%s", postcode, on, network)
					want, got := get[api.PostcodeAnswer](t, s, path, 200), get[api.PostcodeAnswer](t, last, path+"&known="+day.String(), 200)
					order := func(a, b api.Premises) bool { return a.UPRN.V < b.UPRN.V }
					if d := cmp.Diff(then(want.Premises), then(got.Premises), cmpopts.EquateNaNs(), cmpopts.SortSlices(order)); d != "" || want.Summary != got.Summary || want.Outcome != got.Outcome || want.Reason != got.Reason {
						t.Errorf("%s on %v: %s\n%+v\n%+v", path, day, d, want.Summary, got.Summary)
					}
				}
			}
		}
	}
}

func TestKnownOfWhatIsGone(t *testing.T) {
	nights := nightsInARow(t)
	s := nightServer(t, nights[2])
	a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000032?known=2026-11-23", 200)
	if a.Departed.V != testDay+2 || a.Networks[0].AsOf.V != 0 || a.AddressIdentifier != "32" || a.Region != "South" || a.Postcode.Postcode != mustPostcode("GU1 1AA") {
		t.Errorf("%+v", a)
	}
	if p := problem(t, s, "/v1/premises/990000000032", api.UnknownUPRN); !strings.Contains(p.Detail, "2026-11-24") || !strings.Contains(p.Hint, "/v1/premises/990000000032/history") {
		t.Errorf("%+v", p)
	}
	of := func(address string) api.PostcodeAnswer {
		return get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?known=2026-11-23&address="+address, 200)
	}
	if a := of("32"); len(a.Premises) != 1 || a.Premises[0].Departed.V != testDay+2 || a.Candidates != nil {
		t.Errorf("%+v", a)
	}
	if a := of("99"); a.Reason != api.AddressNotMatched || len(a.Candidates) != 10 || a.Estimate != nil {
		t.Errorf("%+v", a)
	}
}

func TestKnownOutOfReach(t *testing.T) {
	s := nightServer(t, nightsInARow(t)[2])
	for _, path := range []string{"/v1/postcodes/GU11AA", "/v1/premises/990000000001"} {
		if p := problem(t, s, path+"?known=2026-11-21", api.HistoryTooOld); !strings.Contains(p.Hint, "2026-11-22") || p.Parameter != "known" {
			t.Errorf("%+v", p)
		}
		problem(t, s, path+"?known=2026-12-02", api.MalformedParameter)
		problem(t, s, path+"?known=yesterday", api.MalformedDate)
		problem(t, s, path+"?indicated_since=2026-12-02", api.MalformedParameter)
		problem(t, s, path+"?indicated_since=2026-11-24&known=2026-11-23", api.MalformedParameter)
		problem(t, s, path+"?indicated_since=x", api.MalformedDate)
	}
	problem(t, s, "/v1/outcodes/GU1?known=2026-11-23", api.UnknownParameter)
	problem(t, s, "/v1/postcodes/ZE19ZZ?known=2026-11-23", api.UnknownPostcode)
	// A claim that is made still was made by an earlier extract.
	for _, p := range get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?known=2026-11-23", 200).Premises {
		for _, n := range p.Networks {
			if n.AsOf.V != 0 {
				t.Errorf("%v %s: as of %v", p.UPRN, n.NetworkRegion, n.AsOf.V)
			}
		}
	}
	// From the snapshot's own day on it is the snapshot that says so, with its as-of.
	a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000001?known=2026-11-30", 200)
	if a.Networks[0].AsOf.V != testDay+2 || a.Query.Known.V != testDay+8 {
		t.Errorf("%+v", a)
	}
}

// One ETag never names answers of two known days.
func TestETagHasTheKnownDay(t *testing.T) {
	s := nightServer(t, nightsInARow(t)[2])
	tags := map[string]bool{}
	for _, known := range []string{"", "?known=2026-11-22", "?known=2026-11-23", "?known=2026-11-24", "?known=2026-12-01"} {
		tags[header(ask(s, "GET", "/v1/premises/990000000001"+known), "ETag")] = true
	}
	if len(tags) != 5 {
		t.Error(tags)
	}
}

// TestIndicatedSince asks in the plain way too: on each day.
func TestIndicatedSince(t *testing.T) {
	nights := nightsInARow(t)
	s := nightServer(t, nights[2])
	for i := range 40 {
		uprn := fmt.Sprint(990000000000 + i)
		if i == 32 {
			continue
		}
		for _, network := range []string{"", "&network=south", "&network=North"} {
			for since := testDay - 1; since < testDay+4; since++ {
				var known index.Day
				for k := max(since, testDay); k <= testDay+8; k++ {
					path := "/v1/premises/" + uprn + "?on=2026-11-30&known=" + k.String() + network
					if status, _, body := s.Answer("GET", path); status == 200 && strings.Contains(string(body), `"region_basis":"boundary","state":"available"`) {
						known = k
					}
				}
				want := api.IndicatedSince{Since: api.Some(since), Indicated: new(known != 0), Known: api.Some(known)}
				if since < testDay {
					want.RememberedFrom = api.Some(testDay)
					if known == 0 {
						want.Indicated = nil
					}
				}
				got := get[api.PremisesAnswer](t, s, "/v1/premises/"+uprn+"?on=2026-11-30&indicated_since="+since.String()+network, 200)
				if d := cmp.Diff(want, got.IndicatedSince); d != "" || got.Query.IndicatedSince.V != since {
					t.Errorf("%s since %v%s: %s", uprn, since, network, d)
				}
				if got.Postcode == nil {
					continue
				}
				a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/"+strings.ReplaceAll(got.Postcode.Postcode.String(), " ", "")+"?on=2026-11-30&indicated_since="+since.String()+network, 200)
				for _, p := range a.Premises {
					if d := cmp.Diff(want, p.IndicatedSince); p.UPRN == got.UPRN && d != "" {
						t.Errorf("%s in %v: %s", uprn, a.Postcode.Postcode, d)
					}
				}
			}
		}
	}
	// What is said of a day once it is over is not looked at.
	for on := testDay; on < testDay+4; on++ {
		a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000002?indicated_since=2026-11-22&on="+on.String(), 200)
		if a.IndicatedSince.Known.V > on {
			t.Errorf("on %v: %+v", on, a.IndicatedSince)
		}
	}
	problem(t, s, "/v1/premises/990000000002?indicated_since=2026-11-24&on=2026-11-23", api.MalformedParameter)
	// Of a known day the days up to it are looked at.
	a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000002?known=2026-11-23&indicated_since=2026-11-22&on=2026-11-30", 200)
	if a.IndicatedSince.Known.V > testDay+1 {
		t.Errorf("%+v", a.IndicatedSince)
	}
}

func TestHistoryAnswer(t *testing.T) {
	nights := nightsInARow(t)
	s := nightServer(t, nights[2])
	a := get[api.HistoryAnswer](t, s, "/v1/premises/990000000031/history?on=2026-11-30", 200)
	if a.Outcome != api.PremisesFound || len(a.History) != 3 || a.RememberedFrom.V != testDay || a.Next != "" {
		t.Fatalf("%+v", a)
	}
	was, away, is := a.History[0], a.History[1], a.History[2]
	if was.From.V != 0 || was.To.V != testDay || !was.Present || was.State == "" || len(was.Networks) != 1 || was.Networks[0].AsOf.V != 0 || was.Snapshot != nights[0].ID() {
		t.Errorf("%+v", was)
	}
	if away.From.V != testDay+1 || away.To.V != testDay+1 || away.Present || away.State != "" || away.Fit != nil || len(away.Networks) != 0 || away.Snapshot != nights[1].ID() {
		t.Errorf("%+v", away)
	}
	if is.From.V != testDay+2 || is.To.V != 0 || !is.Present || is.Networks[0].AsOf.V != testDay+2 || is.Snapshot != nights[2].ID() {
		t.Errorf("%+v", is)
	}
	// Page by page the same.
	var paged []api.Indication
	for next := "/v1/premises/990000000031/history?on=2026-11-30&limit=1"; next != ""; {
		page := get[api.HistoryAnswer](t, s, next, 200)
		paged, next = append(paged, page.History...), string(page.Next)
	}
	if d := cmp.Diff(a.History, paged); d != "" {
		t.Error(d)
	}
	if a := get[api.HistoryAnswer](t, s, "/v1/premises/990000000031/history?from=2026-11-23&to=2026-11-23", 200); len(a.History) != 1 || a.History[0].Present {
		t.Errorf("%+v", a)
	}
	gone := get[api.HistoryAnswer](t, s, "/v1/premises/990000000032/history?network=North", 200)
	if gone.Outcome != api.NoPremisesFound || gone.Postcode.V != mustPostcode("GU1 1AA") || gone.AddressIdentifier != "32" || gone.History[len(gone.History)-1].Present || len(gone.History[0].Networks) != 0 {
		t.Errorf("%+v", gone)
	}
	problem(t, s, "/v1/premises/990000000032/history?from=2026-12-01&to=2026-11-01", api.MalformedParameter)
	problem(t, s, "/v1/premises/990000000032/history?from=x", api.MalformedDate)
	problem(t, s, "/v1/premises/990000000099/history", api.UnknownUPRN)
	problem(t, s, "/v1/premises/x/history", api.MalformedUPRN)
	problem(t, s, "/v1/premises/990000000032/future", api.UnknownPath)
}

func nightServer(t *testing.T, snap *index.Snapshot) *Server {
	t.Helper()
	s, err := New(snap, Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
